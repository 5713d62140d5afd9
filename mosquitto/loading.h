/* A snapshot being read and checked: a large one beside the broker's thread, which a million
 * identities would hold up for seconds. A small one is read at once, a matter of 2 ms: once a
 * process has had a second thread, its C library locks for every allocation and looks for
 * cancellation at every read and write, which costs a broker as much as the whole plugin does. */
#ifndef PLUGIN_LOADING_H
#define PLUGIN_LOADING_H

#include "broker/snapshot.h"

#define LOADING_SMALL (1U << 20) /* bytes of a snapshot that needs no thread */

struct loading;

/* Begins. path is borrowed until the end; size: of the file; at_least: the generation it must have.
 * NULL: there is no memory or no thread. */
struct loading *loading_begin(const char *path, uint64_t size, uid_t owner, uint64_t at_least);
bool loading_is_done(const struct loading *l);
/* Waits for the end and frees l: 0 with a snapshot, or -1 with the reason (why: SNAPSHOT_WHY_SIZE
 * bytes). */
int loading_end(struct loading *l, struct snapshot **ret, char *why);

#endif
