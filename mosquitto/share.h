/* Fair shares of the reports' part of the queue (S11). While the daemon is away reports pile up:
 *
 *     0         half of it                full
 *     |  whoever comes  |  each principal its share  |
 *
 * A principal may put a report beyond the half when it holds less than its share: the second half
 * divided by the principals there are, and by a thousand at least, so that who comes late finds its
 * share, too. Reckoned by principal, not by session, because a client opens sessions freely. */
#ifndef PLUGIN_SHARE_H
#define PLUGIN_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one principal has in the queue. */
struct share {
	uint64_t bytes; /* of its reports, at most */
	uint64_t frame; /* the last frame that has one of them */
};

/* The part as it is. */
struct share_queue {
	uint64_t held, cap;   /* bytes */
	uint64_t first_frame; /* the oldest that is not acknowledged */
	uint64_t last_frame;  /* the one that is written now */
	size_t principals;
};

/* May a report of so many bytes go into the queue? */
bool share_allows(const struct share *one, uint64_t bytes, const struct share_queue *queue);
/* It went. What a principal holds is reckoned upwards: it is free again when the last frame with a
 * report of it was acknowledged. */
void share_take(struct share *one, uint64_t bytes, const struct share_queue *queue);

#endif
