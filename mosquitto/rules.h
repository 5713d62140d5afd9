/* The rules in force: the snapshot that was loaded last and was good (S1-S4).
 *
 * A new file is taken when it is whole, the daemon's own and not older; otherwise the last good one
 * stays. While there is none nobody may connect. */
#ifndef PLUGIN_RULES_H
#define PLUGIN_RULES_H

#include "broker/snapshot.h"
#include "event/cause.h"

#include <sys/stat.h>

struct options;

struct rules {
	const struct options *options;
	struct snapshot *snapshot; /* NULL: none */
	uint64_t epoch;            /* grows with every snapshot that comes into force */
	struct stat tried;         /* the file that was looked at last, good or not */
};

void rules_init(struct rules *r, const struct options *options);
void rules_release(struct rules *r);

/* True when the file is another than was looked at last. */
bool rules_file_changed(const struct rules *r);
/* Looks at the file. 0 when it came into force, -1 with the reason (why: SNAPSHOT_WHY_SIZE bytes)
 * when it was refused. */
int rules_load(struct rules *r, char *why);
/* Generation in force, 0: none. */
uint64_t rules_generation(const struct rules *r);

/* Why a certificate may not speak at now_s (seconds since the epoch); CAUSE_NONE when it may, with
 * its record. */
enum cause rules_refusal(const struct rules *r, const uint8_t *fingerprint, int64_t now_s,
			 struct snapshot_cert *ret);
/* True when the certificate is registered, whatever its status. */
bool rules_know(const struct rules *r, const uint8_t *fingerprint);

#endif
