/* Small objects that stay after the session that they began with, away from the broker's heap. A
 * TLS session is twenty kilobytes there; when a thousand go and small objects of ours stay between
 * the gaps, the gaps never join, and malloc walks along them for each message (measured: half as
 * much CPU again). Memory comes from the system in chunks, and goes back with all of it. */
#ifndef PLUGIN_SLAB_H
#define PLUGIN_SLAB_H

#include <stddef.h>

#define SLAB_OBJECT_MAX 1024 /* bytes */

struct slab;

/* NULL without memory. */
struct slab *slab_new(void);
/* Takes NULL. Objects that were not given back are gone, too. */
void slab_free(struct slab *s);
/* n zero bytes, aligned for anything. NULL without memory, and when n is beyond the limit. */
void *slab_take(struct slab *s, size_t n);
/* Gives them back; n as it was taken. Takes NULL. */
void slab_give(struct slab *s, void *object, size_t n);

#endif
