/* The report reader against general readers, on the same 1000 reports, in one run: ratios are what
 * counts.
 *
 *     bench_report [jansson|simdjson|json|cbor]          all without an argument
 *
 * General readers parse and walk every member; ours also checks the report and hands out its
 * values. Prints one line of JSON: microseconds of CPU a report. */
#include "report_gen.h"

#include "base/cursor.h"
#include "report/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define N_REPORTS 1000
#define N_PASSES  20

void bench_simdjson_open(const char *const *text, const size_t *n, unsigned count);
double bench_simdjson(unsigned i);

static struct {
	char json[N_REPORTS][2048];
	const char *text[N_REPORTS];
	size_t json_n[N_REPORTS];
	uint8_t cbor[N_REPORTS][2048];
	size_t cbor_n[N_REPORTS];
	struct report_arena arena;
	double sum; /* keeps the compiler from leaving work out */
} bench;

/* ---- the CBOR twin of a report, with short names ---- */

static void cbor_head(struct writer *w, unsigned major, uint64_t v)
{
	unsigned power = v < 24            ? 0
			 : v <= UINT8_MAX  ? 1
			 : v <= UINT16_MAX ? 2
			 : v <= UINT32_MAX ? 3
					   : 4;
	write_u8(w, (uint8_t)(major << 5 | (power ? 23 + power : v)));
	for (unsigned shift = power ? 4U << power : 0; shift > 0;) {
		shift -= 8;
		write_u8(w, (uint8_t)(v >> shift));
	}
}

static void cbor_text(struct writer *w, const char *s)
{
	cbor_head(w, 3, strlen(s));
	write_raw(w, s, strlen(s));
}

static void cbor_real(struct writer *w, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	write_u8(w, 0xfb);
	for (unsigned shift = 64; shift > 0;) {
		shift -= 8;
		write_u8(w, (uint8_t)(bits >> shift));
	}
}

static const char *short_name(const char *name)
{
	static const char *const names[][2] = {
		{"header",                  "hed" },
		{"report_id",               "rid" },
		{"version",                 "v"   },
		{"metrics",                 "met" },
		{"custom_metrics",          "cmet"},
		{"tcp_connections",         "tc"  },
		{"established_connections", "ec"  },
		{"connections",             "cs"  },
		{"remote_addr",             "rad" },
		{"local_port",              "lp"  },
		{"local_interface",         "li"  },
		{"total",                   "t"   },
		{"listening_tcp_ports",     "tp"  },
		{"listening_udp_ports",     "up"  },
		{"ports",                   "pts" },
		{"port",                    "pt"  },
		{"interface",               "if"  },
		{"network_stats",           "ns"  },
		{"bytes_in",                "bi"  },
		{"bytes_out",               "bo"  },
		{"packets_in",              "pi"  },
		{"packets_out",             "po"  },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i][0]) == 0)
			return names[i][1];
	}
	return name;
}

static void transcode(struct writer *w, const json_t *v)
{
	if (json_is_object(v)) {
		const char *name;
		json_t *member;
		cbor_head(w, 5, json_object_size(v));
		json_object_foreach((json_t *)(uintptr_t)v, name, member)
		{
			cbor_text(w, short_name(name));
			transcode(w, member);
		}
	} else if (json_is_array(v)) {
		cbor_head(w, 4, json_array_size(v));
		for (size_t i = 0; i < json_array_size(v); i++)
			transcode(w, json_array_get(v, i));
	} else if (json_is_string(v)) {
		cbor_text(w, json_string_value(v));
	} else if (json_is_integer(v)) {
		cbor_head(w, 0, (uint64_t)json_integer_value(v));
	} else {
		cbor_real(w, json_real_value(v));
	}
}

static void make_reports(void)
{
	uint64_t seed = UINT64_C(88172645463325252);
	for (unsigned i = 0; i < N_REPORTS; i++) {
		bench.json_n[i] = report_gen(bench.json[i], sizeof(bench.json[i]), &seed,
					     UINT64_C(1530304554000) + i);
		bench.text[i] = bench.json[i];
		json_t *tree = json_loadb(bench.json[i], bench.json_n[i], 0, NULL);
		struct writer w = writer_of(bench.cbor[i], sizeof(bench.cbor[i]));
		transcode(&w, tree);
		bench.cbor_n[i] = w.len;
		json_decref(tree);
	}
}

/* ---- what is measured ---- */

static void walk(const json_t *v)
{
	if (json_is_object(v)) {
		const char *name;
		json_t *member;
		json_object_foreach((json_t *)(uintptr_t)v, name, member)
		{
			bench.sum += name[0];
			walk(member);
		}
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			walk(json_array_get(v, i));
	} else if (json_is_string(v)) {
		bench.sum += json_string_value(v)[0];
	} else {
		bench.sum += json_number_value(v);
	}
}

static void run_jansson(unsigned i)
{
	json_t *tree = json_loadb(bench.json[i], bench.json_n[i], 0, NULL);
	walk(tree);
	json_decref(tree);
}

static void run_simdjson(unsigned i)
{
	bench.sum += bench_simdjson(i);
}

static void read_one(enum report_format format, const void *p, size_t n)
{
	struct report report;
	struct report_refusal refusal;
	if (report_read(format, p, n, &bench.arena, &report, &refusal) != 0) {
		(void)fprintf(stderr, "refused: %s\n", refusal.detail);
		exit(1);
	}
	bench.sum += (double)(report.counter[REPORT_BYTES_IN] + report.tcp.n +
			      report.established.n + report.n_custom);
}

static void run_json(unsigned i)
{
	read_one(REPORT_JSON, bench.json[i], bench.json_n[i]);
}

static void run_cbor(unsigned i)
{
	read_one(REPORT_CBOR, bench.cbor[i], bench.cbor_n[i]);
}

static const struct {
	const char *name;
	void (*run)(unsigned i);
} subjects[] = {
	{"jansson",  run_jansson },
	{"simdjson", run_simdjson},
	{"json",     run_json    },
	{"cbor",     run_cbor    },
};

static double cpu_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Microseconds of CPU a report, after a pass that warms the caches. */
static double measure(size_t subject)
{
	for (unsigned i = 0; i < N_REPORTS; i++)
		subjects[subject].run(i);
	double from = cpu_us();
	for (unsigned i = 0; i < N_PASSES * N_REPORTS; i++)
		subjects[subject].run(i % N_REPORTS);
	return (cpu_us() - from) / (N_PASSES * N_REPORTS);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	const char *separator = "";
	bench.arena = (struct report_arena){malloc(REPORT_ARENA_SIZE), REPORT_ARENA_SIZE, 0};
	make_reports();
	bench_simdjson_open(bench.text, bench.json_n, N_REPORTS);
	(void)printf("{");
	for (size_t s = 0; s < ARRAY_LEN(subjects); s++) {
		if (only && strcmp(only, subjects[s].name) != 0)
			continue;
		(void)printf("%s\"%s_us\": %.4f", separator, subjects[s].name, measure(s));
		separator = ", ";
	}
	(void)printf("}\n");
	free(bench.arena.buf);
	return bench.sum < 0;
}
