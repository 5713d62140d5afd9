/* Counters of what each identity does (spec/detect.md sections 4 and 5). An identity is a client id
 * under a principal (mosquitto/principal.h).
 *
 *     session began, message, refusal, session ended ──► tally ──► EVENT_COUNTERS, at each mark
 *
 * Marks are multiples of 300 s of server time. When one passes all tallies are due at once; so many
 * are delivered a turn, and a due one that is to count more is delivered first, so that no counter
 * spans a mark. While the queue has no room they count on, and what was due is delivered merged:
 * then from_ms tells how far back it goes. A tally of an identity that is connected is delivered
 * though nothing happened; one that is not connected is forgotten with its delivery.
 *
 * What is about the topics of a dimension (mosquitto/dimensions.h) is counted under its name, too,
 * from the first time that it matches in a window.
 *
 * The table is bounded (S12), in all and by principal. Identities beyond count together, under
 * their principal with an empty client id, and beyond that all under none, so that sums stay
 * exact. */
#ifndef PLUGIN_TALLY_H
#define PLUGIN_TALLY_H

#include "base/compiler.h"
#include "event/event.h"

struct dimensions;
struct tally;
struct tallies;

#define TALLY_MARK_MS 300000 /* between two marks */

struct tallies_setup {
	size_t identities_max;               /* with counters of their own */
	size_t identities_a_principal_max;   /* likewise, of one principal */
	uint64_t seed;                       /* from chance */
	struct principals *principals;       /* borrowed; sessions refer to them, too */
	const struct dimensions *dimensions; /* in force; borrowed */
	/* Takes an EVENT_COUNTERS; false when there is no room now. */
	bool (*deliver)(void *ctx, const struct event *e);
	void *ctx;
};

/* NULL without memory. */
struct tallies *tallies_new(const struct tallies_setup *setup);
void tallies_free(struct tallies *t);

/* ---- Counting. A NULL tally (there was no memory) counts nothing. ---- */

/* A session began: counts a connect. `thing`: empty when the session has none. The caller keeps
 * the tally until tally_ended. NULL without memory. */
struct tally *tally_open(struct tallies *t, const struct event_identity *who, struct view thing);
/* The tally of an identity whose session has ended, for its will; to be used at once. */
struct tally *tally_absent(struct tallies *t, const struct event_identity *who, struct view thing);
/* What is known of who was refused to connect. */
enum tally_standing {
	TALLY_STRANGER,   /* nothing: counted under no name */
	TALLY_REGISTERED, /* the certificate: counted under it, with an empty client id */
	TALLY_OWN         /* the certificate, and the client id names its thing */
};
/* Counts a refused connect, and a refusal. */
void tally_attempt(struct tallies *t, const struct event_identity *who,
		   enum tally_standing standing);
/* What is counted, in all and for each dimension that its topic is in. */
struct tally_message {
	struct view topic, client_id;
	uint32_t bytes; /* of payload */
};
/* A message that the broker took from the client, or gives to it. */
void tally_sent(struct tally *y, const struct tally_message *m);
void tally_received(struct tally *y, const struct tally_message *m);
/* A request of an open session was refused; its topic may be a filter. */
void tally_refused(struct tally *y, const struct tally_message *m);
/* The session is over. */
void tally_ended(struct tally *y);

/* ---- Delivering ---- */

/* Server time is now `now_ms`: makes all tallies due when a mark has passed. */
void tallies_pass(struct tallies *t, int64_t now_ms);
/* Delivers up to n that are due. True when none is left. */
bool tallies_deliver(struct tallies *t, size_t n);
/* The broker stops: delivers what was counted since the last mark. */
void tallies_close(struct tallies *t, int64_t now_ms);

/* Fill of the table, for EVENT_TABLE. */
struct event_table tallies_fill(const struct tallies *t);

#endif
