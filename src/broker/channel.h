/* The daemon's end of the channel to the brokers' plugins (architecture section 2; frames:
 * broker/frame.h).
 *
 * A SOCK_SEQPACKET listener and the peers that connected to it, all in one epoll set whose
 * descriptor the owner waits on. A peer is somebody only after its HELLO: its account is one of
 * those allowed (S5), no other peer that lives has its broker id, and the owner agreed. Nothing is
 * read from a peer while something waits to be sent to it, so that what waits is bounded by one
 * turn's answers. One thread uses a channel. */
#ifndef BROKER_CHANNEL_H
#define BROKER_CHANNEL_H

#include "base/fault.h"
#include "broker/frame.h"

#include <sys/types.h>

struct channel;
struct channel_peer;

#define CHANNEL_PEERS_MAX  64
#define CHANNEL_UNSENT_MAX (64U << 20) /* bytes waiting for one peer; a peer beyond is dropped */

struct channel_events {
	/* A plugin introduces itself: fill *ret_welcome (but its version). Non-zero refuses it; the
	 * callee has said why. */
	int (*hello)(void *ctx, struct channel_peer *peer, const struct frame_hello *hello,
		     struct frame_welcome *ret_welcome);
	/* An EVENTS frame; `body` stands behind its number and lives during the call. Non-zero
	 * drops the peer. */
	int (*frame)(void *ctx, struct channel_peer *peer, uint64_t number, struct reader body);
	/* A peer that had said HELLO is gone; its pointer is dead afterwards. */
	void (*gone)(void *ctx, struct channel_peer *peer);
	/* What waited for a full socket went out: the broker may sleep and wants to be woken. */
	void (*drained)(void *ctx, struct channel_peer *peer);
	void *ctx;
};

struct channel_options {
	const char *path;  /* of the socket; a file already there is replaced */
	mode_t mode;       /* of the socket: 0660 with a group, else 0600 */
	gid_t gid;         /* its group, (gid_t)-1: leave it */
	const uid_t *uids; /* accounts that may connect */
	size_t n_uids;
	struct channel_events events;
};

/* 0, or -1 with what could not be done to the path. The options' uids are copied. Freed by
 * channel_free, which closes every peer (without calling `gone`) and removes the socket. */
int channel_new(const struct channel_options *options, struct channel **ret,
		struct fault *fault) MUST_USE;
void channel_free(struct channel *c);

/* Readable when channel_turn has something to do. */
int channel_fd(const struct channel *c);

/* Accepts, reads at most `budget` datagrams, sends what waited; calls the events. Never blocks.
 * Returns how many datagrams were read: `budget` means that there may be more. */
unsigned channel_turn(struct channel *c, unsigned budget);

/* Sends a datagram, now or as soon as the peer takes it. */
void channel_send(struct channel_peer *peer, const void *datagram, size_t n);

const char *channel_broker(const struct channel_peer *peer);   /* its id */
const char *channel_instance(const struct channel_peer *peer); /* FRAME_INSTANCE hex digits */
/* What the owner keeps with a peer; NULL at first. */
void channel_set_owned(struct channel_peer *peer, void *owned);
void *channel_owned(const struct channel_peer *peer);

#endif
