/* Verified containment: something was taken away from a device; is it so at the broker? (design
 * beyond.md 1)
 *
 *                  every broker applied             evidence
 *     REQUESTED ------------------------> APPLIED -----------> VERIFIED
 *         |                                  |                     |
 *         | a broker is silent               | a session or a      | a session that
 *         v                                  | grant is left       v should not be
 *     INEFFECTIVE (not applied) <--applied   +--> INEFFECTIVE (applied)
 *                   later: APPLIED--^             and stays so
 *
 * APPLIED means that every broker has the generation of the change in force, has judged every open
 * session by it, and has cut those that had to go. Its time less the request's is the time to
 * containment. VERIFIED takes evidence, by goal:
 *
 *   NO_SESSION   no session of the certificate is open, and a connect of it was refused or there
 * was none for a while NO_GRANT     the engine, asked what was granted before, denies it to the
 * identities concerned DENY         the engine denies what is to be denied, whatever client id the
 * certificate may use QUARANTINE   the engine judges the certificates by the quarantine's policies
 * alone, likewise
 *
 * What is seen later (a device that is refused again) does not speak against it; a session that
 * begins all the same does. A containment that failed after it was applied stays ineffective.
 *
 * Pure and plain C11: the owner brings the facts and keeps the record. */
#ifndef CONTAIN_CONTAIN_H
#define CONTAIN_CONTAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum contain_kind {
#define KIND(id, word, goal, thing) CONTAIN_##id,
#include "contain/contain_kind.tbl.h"
#undef KIND
	CONTAIN_KINDS
};

enum contain_goal { CONTAIN_NO_SESSION, CONTAIN_NO_GRANT, CONTAIN_DENY, CONTAIN_QUARANTINE };

/* Which text of a containment names the thing that it is about. */
enum contain_thing { CONTAIN_THING_NONE, CONTAIN_THING_TARGET, CONTAIN_THING_DETAIL };

enum contain_state {
	CONTAIN_REQUESTED,
	CONTAIN_APPLIED,
	CONTAIN_VERIFIED,
	CONTAIN_INEFFECTIVE,
	CONTAIN_STATES
};

struct contain {
	enum contain_kind kind;
	enum contain_state state;
	uint64_t generation; /* of the snapshot that has the change */
	int64_t requested_ms;
	int64_t applied_ms; /* 0: not yet */
};

/* What is known when it is judged; texts may be NULL. */
struct contain_facts {
	int64_t now_ms;
	/* Brokers: how many count, and one that has not applied the generation; else when the last
	 * one did. */
	unsigned brokers;
	const char *waiting;
	int64_t applied_ms;
	/* NO_SESSION: a session that is open or began after it was applied, in words; a connect
	 * refused since then, in words. */
	const char *session, *refused;
	/* The other goals: what the engine was asked. NULL: nothing yet. */
	const struct contain_asked *asked;
};

struct contain_asked {
	uint64_t questions, certificates;
	bool is_sample;     /* there are more certificates, or questions, than were asked */
	const char *escape; /* what is still allowed, and by which statement; NULL: nothing */
};

struct contain_limits {
	int64_t apply_ms; /* for brokers to apply a generation */
	int64_t quiet_ms; /* without a connect, for evidence */
};

#define CONTAIN_EVIDENCE_SIZE 1024 /* bytes of a line of evidence with its NUL; longer is cut */

/* Judges once: true when c moved to another state, with the reason as a line of evidence. Called
 * again until it returns false. */
bool contain_judge(struct contain *c, const struct contain_facts *f,
		   const struct contain_limits *limits, char evidence[CONTAIN_EVIDENCE_SIZE]);

/* True when the facts that the engine's answers make are needed now. */
bool contain_wants_answers(const struct contain *c);

enum contain_goal contain_goal(enum contain_kind kind);
enum contain_thing contain_thing(enum contain_kind kind);
/* "certificate-deactivated"; static. CONTAIN_KINDS when the word is none. */
const char *contain_kind_word(enum contain_kind kind);
enum contain_kind contain_kind_of(const char *word);
/* "requested", "applied", ...; static. CONTAIN_STATES when the word is none. */
const char *contain_state_word(enum contain_state state);
enum contain_state contain_state_of(const char *word);

#endif
