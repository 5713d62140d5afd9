/* What a decision costs, in nanoseconds, beside fnmatch on the same patterns: one policy of 1, 10
 * and 100 statements, each with a pattern of its own, where none matches and where the last one
 * does. Prints a JSON object; see tests/bench/run. */
#include "base/compiler.h"
#include "policy/decide.h"
#include "policy/policy.h"

#include <fnmatch.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ARN   "arn:aws:iot:us-east-1:123456789012:"
#define ROUND 0.02 /* seconds of one measurement; the best of several counts */
#define TRIES 5

/* Patterns as fleets have them: alike up to a number in the middle, with a run in it and one at the
 * end. */
struct subject {
	unsigned n;
	char **patterns;
	struct policy_program program;
	char *topic;
};

static void subject_open(struct subject *s, unsigned n, bool matches)
{
	g_autoptr(GString) document = g_string_new("{\"Version\":\"2012-10-17\",\"Statement\":[");
	struct fault fault;
	s->n = n;
	s->patterns = g_new0(char *, n + 1);
	for (unsigned i = 0; i < n; i++) {
		s->patterns[i] = g_strdup_printf("fleet/plant/%03u/*/telemetry/*", i);
		g_string_append_printf(document,
				       "%s{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\","
				       "\"Resource\":\"" ARN "topic/%s\"}",
				       i ? "," : "", s->patterns[i]);
	}
	g_string_append(document, "]}");
	s->topic =
		g_strdup_printf("fleet/plant/%03u/pump-7/telemetry/pressure", matches ? n - 1 : n);
	if (policy_compile(view_of(document->str), SIZE_MAX, &s->program, &fault) != 0 ||
	    !policy_program_valid(s->program.bytes, s->program.n)) {
		fprintf(stderr, "bench_policy: %s\n", fault.message);
		exit(1);
	}
}

static void subject_close(struct subject *s)
{
	g_strfreev(s->patterns);
	g_free(s->topic);
	policy_program_clear(&s->program);
}

static bool by_engine(const struct subject *s)
{
	const struct view program = {(const char *)s->program.bytes, s->program.n};
	const struct policy_request request = {
		.action = POLICY_PUBLISH,
		.partition = VIEW_LIT("aws"),
		.region = VIEW_LIT("us-east-1"),
		.account = VIEW_LIT("123456789012"),
		.type = VIEW_LIT("topic"),
		.name = view_of(s->topic),
		.client_id = VIEW_LIT("pump-7"),
		.thing_name = VIEW_LIT("pump-7"),
		.is_thing_attached = true,
	};
	return policy_decide(&program, 1, &request).decision == POLICY_ALLOWED;
}

static bool by_fnmatch(const struct subject *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (fnmatch(s->patterns[i], s->topic, 0) == 0)
			return true;
	return false;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Nanoseconds a call. */
static double measure(bool (*fn)(const struct subject *s), const struct subject *s, bool expected)
{
	double best = 1e9;
	for (int try = 0; try < TRIES; try++) {
		unsigned calls = 0;
		double begin = now(), spent;
		do {
			for (int i = 0; i < 100; i++)
				if (fn(s) != expected)
					abort();
			calls += 100;
			spent = now() - begin;
		} while (spent < ROUND);
		best = MIN(best, 1e9 * spent / calls);
	}
	return best;
}

int main(void)
{
	static const unsigned sizes[] = {1, 10, 100};
	const char *separator = "{";
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (int matches = 0; matches < 2; matches++) {
			struct subject s;
			subject_open(&s, sizes[i], matches != 0);
			double engine = measure(by_engine, &s, matches != 0);
			double plain = measure(by_fnmatch, &s, matches != 0);
			printf("%s\"%u %s\": {\"engine_ns\": %.1f, \"fnmatch_ns\": %.1f}",
			       separator, sizes[i], matches ? "last" : "none", engine, plain);
			separator = ", ";
			subject_close(&s);
		}
	puts("}");
	return 0;
}
