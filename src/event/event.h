/* Events: what a plugin tells of its broker. They travel in frames (broker/frame.h), and the ones
 * that anything depends on stand in the log as they came (detect/entry.h).
 *
 *     REPORT      a publish on a report topic that policy let pass
 *     CONNECT     a session began            DISCONNECT  it ended
 *     TAKEOVER    a new connection took the client id of an open session; the old one's
 *                 DISCONNECT and the new one's CONNECT are told, too
 *     REFUSED     `count` times the same was refused to the same identity
 *     COUNTERS    what an identity sent and received up to a mark; never over one
 *     CUT t       all counters up to mark t have been sent
 *     APPLIED g   snapshot generation g is in force, every session has been judged by it, and those
 *                 that had to go are gone
 *     TABLE       a bounded table of the plugin had to leave something out (S12)
 *     FLUSHED n   answer to ITEM_FLUSH n
 *
 * All times are server time in ms. Texts that clients choose are cut to the limits below when they
 * are written, at the end of a character, so that what was written can be read; a body that breaks
 * a rule is refused whole. Plain C11 without allocation: plugin, evaluator and daemon share it. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "base/compiler.h"
#include "base/cursor.h"
#include "event/cause.h"

#define EVENT_FINGERPRINT    32  /* SHA-256 of a certificate; zeros: none */
#define EVENT_CLIENT_ID_MAX  128 /* bytes: what S8 lets in */
#define EVENT_USERNAME_MAX   128
#define EVENT_ADDRESS_MAX    64
#define EVENT_RESOURCE_MAX   1024 /* a topic and its slack, an issuer's name */
#define EVENT_NAME_MAX       128  /* thing, policy, missing variable, table, dimension */
#define EVENT_DIMENSIONS_MAX 64
#define EVENT_ACTION_TLS     255 /* event_refused: the TLS handshake, before any action */

enum event_kind {
#define EVENT(id, number, codec) EVENT_##id = (number),
#include "event/event.tbl.h"
#undef EVENT
};
#define EVENT_KINDS 11 /* one more than the last */

/* How a session is. */
enum event_flags {
	EVENT_CLEAN = 1,
	EVENT_TLS = 2,
	EVENT_MQTT5 = 4,
	EVENT_OBSERVED = 8, /* on a listener where we decide nothing */
	EVENT_QUARANTINED = 16,
	EVENT_FLAGS = 31
};

/* Whose session it is. Client id, address and username are empty when they are not known. */
struct event_identity {
	uint64_t session; /* its number in this run of the plugin, from 1; 0: none began */
	uint8_t fingerprint[EVENT_FINGERPRINT];
	struct view client_id, address;
	struct view username; /* of a session without certificate */
	uint16_t port;        /* of the listener, 0: not known */
};

struct event_report {
	uint8_t fingerprint[EVENT_FINGERPRINT];
	bool is_own; /* the certificate is attached to the thing of the topic */
	struct view client_id, topic, payload;
	int64_t at_ms; /* when the broker took it */
};

struct event_connect {
	struct event_identity who;
	struct view thing; /* empty: none */
	int64_t at_ms;
	uint16_t keep_alive_s; /* 0: none, or not known */
	uint8_t flags;
	uint32_t others; /* other sessions of this certificate that are open */
	struct view other_client_id, other_address; /* of the newest of them */
};

struct event_disconnect {
	struct event_identity who;
	int64_t at_ms;
	uint64_t connected_ms; /* for how long */
	enum end end;
	enum cause cause; /* with END_CUT; else CAUSE_NONE */
};

struct event_takeover {
	struct event_identity old_who, new_who;
	int64_t at_ms;
	uint64_t old_connected_ms; /* for how long */
	uint64_t old_idle_ms;      /* since it was last heard */
	uint16_t old_keep_alive_s, new_keep_alive_s;
	uint8_t old_flags, new_flags;
};

struct event_refused {
	struct event_identity
		who;    /* session: of a connect, that of one that may not go on; else 0 */
	uint8_t action; /* enum policy_action, or EVENT_ACTION_TLS */
	enum cause cause;
	bool is_observed;     /* it would have been refused, were the listener not observed */
	struct view resource; /* client id, topic or filter; for TLS the issuer */
	struct view policy;   /* that decided; empty: none */
	uint32_t version;
	int32_t statement;   /* from 0; -1: none */
	struct view missing; /* the variable or key that kept a grant from matching */
	uint64_t count;      /* >= 1 */
	int64_t first_ms, last_ms;
};

/* sent: by the client, received: by it. */
struct event_messages {
	uint64_t sent, sent_bytes, sent_min, sent_max; /* min, max: bytes of one, 0 when none */
	uint64_t received, received_bytes;
};

struct event_counters {
	struct event_identity who; /* session may be 0 */
	struct view thing;
	int64_t from_ms, to_ms;
	struct event_messages messages;
	uint64_t refusals, connects, disconnects;
	bool is_connected;   /* at to_ms */
	uint16_t dimensions; /* at most EVENT_DIMENSIONS_MAX, in order in `by_dimension`: */
	struct view by_dimension;
};

/* What of it was about the topics of one dimension. */
struct event_dimension {
	struct view name;
	struct event_messages messages;
	uint64_t refusals;
};
/* Bytes of one, at most. */
#define EVENT_DIMENSION_SIZE (2 + EVENT_NAME_MAX + 7 * 8)

struct event_table {
	struct view name;
	uint64_t n, cap;
	uint64_t left_out; /* since the plugin began */
};

struct event {
	enum event_kind kind;
	union {
		struct event_report report;
		struct event_connect connect;
		struct event_disconnect disconnect;
		struct event_takeover takeover;
		struct event_refused refused;
		struct event_counters counters;
		struct event_table table;
		uint64_t number; /* CUT, APPLIED, FLUSHED */
	};
};

/* True for the kinds above: those of a later version are passed over. */
bool event_kind_known(uint8_t kind);

/* Not more than `max` bytes of a text, and no piece of a character at the end. */
struct view event_clip(struct view v, size_t max);

/* Writes the body of e at the end of w, which becomes full when there is no room. */
void event_write(struct writer *w, const struct event *e);
/* Reads a body of a known kind that fills `body`: 0, or -1 when it is damaged or breaks a rule.
 * Views point into the body. */
int event_read(enum event_kind kind, struct reader *body, struct event *ret) MUST_USE;

/* event_counters.by_dimension: writes one more at the end of w; takes the first off `rest`, false
 * when there is none. */
void event_write_dimension(struct writer *w, const struct event_dimension *d);
bool event_take_dimension(struct view *rest, struct event_dimension *ret);

#endif
