/* The rules in force: the newest snapshot that was good, and whatever was appended to it (S1-S4).
 *
 *   in force, follows its file part by part --(a file of another takes its place)--> retired:
 *   sessions may still point into it --(all were judged anew)--> let go
 *
 * A large file is read, and let go, beside the broker's thread (mosquitto/loading.h).
 *
 * What is new is taken when it is whole, the daemon's own and not older; otherwise the last good
 * one stays. While there is none nobody may connect, and a file is read at once: there is nobody to
 * hold up. */
#ifndef PLUGIN_RULES_H
#define PLUGIN_RULES_H

#include "base/compiler.h"
#include "broker/snapshot.h"
#include "event/cause.h"

#include <sys/stat.h>

struct background;
struct loading;
struct options;

struct rules {
	const struct options *options;
	struct snapshot *snapshot;       /* in force; NULL: none */
	struct snapshot *retired;        /* in force before it; NULL: nobody points into one */
	struct loading *loading;         /* what is to be in force next; NULL: nothing */
	struct background *discarding;   /* what is being freed; NULL: nothing */
	uint64_t epoch;                  /* grows with every change that may concern any session */
	uint64_t dimensions;             /* grows whenever one may be new, gone or changed */
	bool has_more;                   /* the file in force has more than was read in one poll */
	struct stat tried;               /* the file that was loaded last, good or not */
	unsigned pause;                  /* polls until it is tried again, if refused */
	char refused[SNAPSHOT_WHY_SIZE]; /* why it was refused; "": it was not, so far */
	char told[SNAPSHOT_WHY_SIZE];    /* why the one in force is not followed; "": it is */
};

void rules_init(struct rules *r, const struct options *options);
/* Waits for what goes on beside the broker's thread. */
void rules_release(struct rules *r);

/* Takes what is new. A change that may concern any session makes r->epoch grow; otherwise on_cert
 * is called for each certificate it concerns. 0, or -1 with the reason why something new is refused
 * (why: SNAPSHOT_WHY_SIZE bytes), once for each. */
int rules_poll(struct rules *r, void (*on_cert)(void *ctx, const uint8_t *fingerprint), void *ctx,
	       char *why) MUST_USE;
/* To be polled in the next turn: something is under way. */
bool rules_are_busy(const struct rules *r);
/* Every session was judged by the rules in force, or is doomed: nobody looks into those before
 * them. */
void rules_let_go(struct rules *r);
/* Generation in force, 0: none. */
uint64_t rules_generation(const struct rules *r);

/* Why a certificate may not speak at now_s (seconds since the epoch); CAUSE_NONE when it may, with
 * its record. */
enum cause rules_refusal(const struct rules *r, const uint8_t *fingerprint, int64_t now_s,
			 struct snapshot_cert *ret);
/* True when the certificate is registered, whatever its status. */
bool rules_know(const struct rules *r, const uint8_t *fingerprint);

#endif
