/* The channel between plugin and daemon: what a datagram on its SOCK_SEQPACKET socket looks like
 * (architecture section 2).
 *
 *   plugin -> daemon   HELLO first; then EVENTS frames, numbered 1, 2, 3 ... without gaps per
 * plugin instance and kept by the plugin until acknowledged. daemon -> plugin   WELCOME first; then
 * DOWN datagrams: an acknowledgement and items.
 *
 *   datagram:  magic u32 | type u8 | version u8 | body
 *   EVENTS:    number u64 | { kind u8 | length u32 | body } ...
 *   DOWN:      acknowledged u64 | { kind u8 | length u32 | body } ...
 *
 * Versions are negotiated: HELLO names the newest the plugin speaks, WELCOME the one both do; one
 * version back works. Plain C11 without allocation: plugin and daemon share it. Everything read
 * here is hostile until read. */
#ifndef BROKER_FRAME_H
#define BROKER_FRAME_H

#include "base/compiler.h"
#include "base/cursor.h"
#include "event/event.h"

#define FRAME_MAGIC   0x31465754U /* "TWF1" */
#define FRAME_VERSION 1
#define FRAME_SIZE_MAX                                                                             \
	(192U << 10)        /* bytes of a datagram; a report of REPORT_SIZE_MAX and its topic fit */
#define FRAME_INSTANCE   32 /* hex digits that name a run of the plugin */
#define FRAME_BROKER_MAX 64 /* bytes of a broker's id: letters, digits, '.', '_', '-' */
#define FRAME_TOKEN      32 /* hex digits: what the doorbell's connection proves itself with */

enum frame_type { FRAME_HELLO = 1, FRAME_WELCOME = 2, FRAME_EVENTS = 3, FRAME_DOWN = 4 };

struct frame_hello {
	uint8_t version;      /* newest spoken */
	struct view broker;   /* the broker's id, from its configuration */
	struct view instance; /* FRAME_INSTANCE hex digits */
	uint64_t first_frame; /* number of the oldest frame it still keeps, or of the next one */
	uint64_t generation;  /* of the snapshot that all sessions obey, 0: none yet */
};

struct frame_welcome {
	uint8_t version;      /* spoken from here on */
	uint64_t last_frame;  /* durable already: frames up to it need not come again */
	uint64_t generation;  /* of the newest snapshot */
	int64_t now_ms;       /* server time */
	bool is_clock_manual; /* server time stands still but for ITEM_TIME */
	struct view token;    /* FRAME_TOKEN */
};

/* Items, daemon -> plugin. */
enum frame_item_kind {
	ITEM_PUBLISH = 1,    /* send this to its topic */
	ITEM_GENERATION = 2, /* a snapshot of this generation is there: load it */
	ITEM_TIME = 3,       /* server time */
	ITEM_FLUSH = 4       /* send what is waiting, then EVENT_FLUSHED with this number */
};

struct item_publish {
	uint8_t qos;
	struct view topic, payload;
};

/* Writers: append to w, which becomes full when there is no room. An event or item that does not
 * fit leaves nothing behind: w->len is as before, so the caller sends what stands and starts the
 * next frame with this one. */
void frame_begin(struct writer *w, enum frame_type type, uint8_t version);
void frame_write_hello(struct writer *w, const struct frame_hello *h);
void frame_write_welcome(struct writer *w, const struct frame_welcome *h);
/* After frame_begin(FRAME_EVENTS or FRAME_DOWN): the number or the acknowledgement, then events or
 * items. */
void frame_write_number(struct writer *w, uint64_t number);
void frame_write_event(struct writer *w, const struct event *e);
void item_write_publish(struct writer *w, const struct item_publish *i);
void item_write_number(struct writer *w, enum frame_item_kind kind,
		       uint64_t number); /* GENERATION, TIME, FLUSH */

/* Readers. 0, or -1 for a datagram that is none. Views point into the datagram. */
int frame_open(const void *datagram, size_t n, enum frame_type *ret_type, uint8_t *ret_version,
	       struct reader *ret_body) MUST_USE;
int frame_read_hello(struct reader *body, struct frame_hello *ret) MUST_USE;
int frame_read_welcome(struct reader *body, struct frame_welcome *ret) MUST_USE;
uint64_t frame_read_number(struct reader *body);
/* The next event (its body: event_read) or item: 1 with its kind and body, 0 at the end, -1 when
 * damaged. Unknown kinds are given out: skip them. */
int frame_next(struct reader *body, uint8_t *ret_kind, struct reader *ret_one) MUST_USE;
int item_read_publish(struct reader *one, struct item_publish *ret) MUST_USE;
int item_read_number(struct reader *one, uint64_t *ret) MUST_USE;

#endif
