#include "contain/contain.h"

#include "base/compiler.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kind {
	const char *word;
	enum contain_goal goal;
	enum contain_thing thing;
};

/* clang-format off */
static const struct kind kinds[] = {
#define KIND(id, word, goal, thing) {word, CONTAIN_##goal, CONTAIN_THING_##thing},
#include "contain/contain_kind.tbl.h"
#undef KIND
};
/* clang-format on */

static const char *const states[] = {"requested", "applied", "verified", "ineffective"};

enum contain_goal contain_goal(enum contain_kind kind)
{
	return kinds[kind].goal;
}

enum contain_thing contain_thing(enum contain_kind kind)
{
	return kinds[kind].thing;
}

const char *contain_kind_word(enum contain_kind kind)
{
	return kinds[kind].word;
}

enum contain_kind contain_kind_of(const char *word)
{
	int i = 0;
	while (i < CONTAIN_KINDS && strcmp(kinds[i].word, word) != 0)
		i++;
	return (enum contain_kind)i;
}

const char *contain_state_word(enum contain_state state)
{
	return states[state];
}

enum contain_state contain_state_of(const char *word)
{
	int i = 0;
	while (i < CONTAIN_STATES && strcmp(states[i], word) != 0)
		i++;
	return (enum contain_state)i;
}

/* One judgement under way. */
struct judging {
	struct contain *c;
	const struct contain_facts *f;
	const struct contain_limits *limits;
	char *evidence;
};

PRINTF_LIKE(3, 4)
static bool move(const struct judging *j, enum contain_state to, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(j->evidence, CONTAIN_EVIDENCE_SIZE, fmt, args);
	va_end(args);
	j->c->state = to;
	return true;
}

/* ---- Until it is applied ---- */

static bool apply(const struct judging *j)
{
	struct contain *c = j->c;
	c->applied_ms = j->f->applied_ms;
	return move(j, CONTAIN_APPLIED,
		    "generation %" PRIu64 " is in force on %u broker%s and every open session was "
		    "judged by it, %" PRId64 " ms after the request",
		    c->generation, j->f->brokers, j->f->brokers == 1 ? "" : "s",
		    c->applied_ms - c->requested_ms);
}

/* Where no session is to be left, one that is open tells what the broker waits for. */
static const char *session_left(const struct judging *j)
{
	return contain_goal(j->c->kind) == CONTAIN_NO_SESSION ? j->f->session : NULL;
}

static bool give_up(const struct judging *j)
{
	const struct contain_facts *f = j->f;
	const char *session = session_left(j);
	int64_t seconds = (f->now_ms - j->c->requested_ms) / 1000;
	if (!f->waiting)
		return move(j, CONTAIN_INEFFECTIVE,
			    "no broker is known that could confirm it, %" PRId64
			    " s after the request",
			    seconds);
	return move(j, CONTAIN_INEFFECTIVE,
		    "broker %s has not confirmed generation %" PRIu64 " %" PRId64
		    " s after the request%s%s",
		    f->waiting, j->c->generation, seconds, session ? "; " : "",
		    session ? session : "");
}

static bool judge_unapplied(const struct judging *j)
{
	const struct contain_facts *f = j->f;
	if (f->brokers > 0 && !f->waiting)
		return apply(j);
	return j->c->state == CONTAIN_REQUESTED &&
	       f->now_ms - j->c->requested_ms >= j->limits->apply_ms && give_up(j);
}

/* ---- Evidence ---- */

static bool judge_session(const struct judging *j)
{
	const struct contain_facts *f = j->f;
	int64_t quiet_ms = f->now_ms - j->c->applied_ms;
	if (f->session)
		return move(j, CONTAIN_INEFFECTIVE, "%s", f->session);
	if (j->c->state == CONTAIN_VERIFIED)
		return false;
	if (f->refused)
		return move(j, CONTAIN_VERIFIED, "no session is open, and %s", f->refused);
	return quiet_ms >= j->limits->quiet_ms &&
	       move(j, CONTAIN_VERIFIED,
		    "no session is open, and no connect was tried for %" PRId64 " s",
		    quiet_ms / 1000);
}

static const char *const held[] = {
	[CONTAIN_NO_SESSION] = "",
	[CONTAIN_NO_GRANT] = "the snapshot denies what was granted before",
	[CONTAIN_DENY] = "the snapshot denies it under every client id that was tried",
	[CONTAIN_QUARANTINE] =
		"the snapshot judges every client id by the quarantine's policies alone",
};

static bool judge_answers(const struct judging *j)
{
	const struct contain_asked *asked = j->f->asked;
	if (j->c->state != CONTAIN_APPLIED || !asked)
		return false;
	if (asked->escape)
		return move(j, CONTAIN_INEFFECTIVE, "%s", asked->escape);
	return move(j, CONTAIN_VERIFIED,
		    "%s: %" PRIu64 " questions about %" PRIu64 " certificate%s%s",
		    held[contain_goal(j->c->kind)], asked->questions, asked->certificates,
		    asked->certificates == 1 ? "" : "s",
		    asked->is_sample ? " (a sample: there are more)" : "");
}

bool contain_judge(struct contain *c, const struct contain_facts *f,
		   const struct contain_limits *limits, char evidence[CONTAIN_EVIDENCE_SIZE])
{
	const struct judging j = {c, f, limits, evidence};
	if (c->applied_ms == 0)
		return judge_unapplied(&j);
	if (c->state == CONTAIN_INEFFECTIVE)
		return false;
	return contain_goal(c->kind) == CONTAIN_NO_SESSION ? judge_session(&j) : judge_answers(&j);
}

bool contain_wants_answers(const struct contain *c)
{
	return c->state == CONTAIN_APPLIED && contain_goal(c->kind) != CONTAIN_NO_SESSION;
}
