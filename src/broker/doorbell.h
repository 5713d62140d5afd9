/* The doorbell: what wakes the broker after the daemon has written to the channel (design facts
 * section 1).
 *
 * From idle a broker looks at its plugin only ten times a second; a PINGREQ on a connection of our
 * own to a local listener makes it look at once. This is the least MQTT 3.1.1 client that can do
 * that: CONNECT with the token of WELCOME as its password, then PINGREQs. It never blocks, connects
 * again at most once a second, and when the broker does not let it in, nothing is lost but 0.1 s.
 * One thread uses a doorbell. */
#ifndef BROKER_DOORBELL_H
#define BROKER_DOORBELL_H

#include <stdint.h>

#define DOORBELL_USER "thingward-doorbell"

struct doorbell;

/* `path` of the broker's unix listener; `token` is what the plugin was told. Both are copied. */
struct doorbell *doorbell_new(const char *path, const char *token);
void doorbell_free(struct doorbell *d);

/* Rings. `now_ms` is any monotonic time, for the pace of connecting. */
void doorbell_ring(struct doorbell *d, int64_t now_ms);

#endif
