/* A broker as the channel's thread knows it: which plugin speaks for it, what of its frames is
 * taken, what is to be answered. A broker stays known when its plugin goes: its cuts are waited for
 * a while (marks.h). */
#ifndef DAEMON_BROKER_H
#define DAEMON_BROKER_H

#include "broker/channel.h"
#include "daemon/lot.h"
#include "daemon/ready.h"

/* One reply to a device, sent when its frame is durable. */
struct answer {
	uint64_t frame;
	struct view topic, payload; /* in the turn's pages */
};

struct broker {
	char id[FRAME_BROKER_MAX + 1];
	char producer[FRAME_BROKER_MAX + FRAME_INSTANCE +
		      2];          /* "ID/INSTANCE": one run of its plugin */
	struct channel_peer *peer; /* NULL: away */
	struct lot lot;
	GArray *answers;  /* of struct answer, by frame */
	uint64_t taken;   /* last frame that is durable or in the lot */
	uint64_t to_ack;  /* last frame of this turn, 0: none */
	int64_t cut_ms;   /* last mark it delivered its counters for */
	int64_t heard_ms; /* when it last said anything */
	bool is_gone;     /* ENTRY_BROKER_GONE was written; it has been silent since */
	uint64_t flushed; /* last ITEM_FLUSH it answered */
	uint64_t applied; /* generation of the snapshot that all its sessions obey */
};

struct broker *broker_new(const char *id);
void broker_free(void *broker);

/* The plugin's run `instance` speaks for the broker from here on; `last` is its last durable frame.
 */
void broker_attach(struct broker *b, struct channel_peer *peer, uint64_t last);

/* Sends what is to be acknowledged and answered: a frame is acknowledged in the datagram that holds
 * its last answer, so that one whose answers may be lost comes again. Forgets them. True when
 * something was sent. */
bool broker_answer(struct broker *b);

/* The metric: every session of the broker was judged by this generation. */
void broker_tell_generation(const struct broker *b, struct ready *ready, uint64_t generation);

/* Sends one item that is a number. */
void broker_send_number(struct broker *b, enum frame_item_kind kind, uint64_t number);

#endif
