/* A snapshot being read and checked beside the broker's thread, which a million identities would
 * hold up for a good part of a second. */
#ifndef PLUGIN_LOADING_H
#define PLUGIN_LOADING_H

#include "broker/snapshot.h"

struct loading;

/* Begins. path is borrowed until the end; at_least: the generation it must have. NULL: there is no
 * memory or no thread. */
struct loading *loading_begin(const char *path, uid_t owner, uint64_t at_least);
bool loading_is_done(const struct loading *l);
/* Waits for the end and frees l: 0 with a snapshot, or -1 with the reason (why: SNAPSHOT_WHY_SIZE
 * bytes). */
int loading_end(struct loading *l, struct snapshot **ret, char *why);

#endif
