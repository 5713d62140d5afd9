/* Two sessions of one identity: a clone, a misconfigured twin, or an unstable link? (design
 * beyond.md 8)
 *
 * A case gathers the take-overs of one client id, or the sessions of one certificate that are open
 * at two addresses under several client ids. What happens shows signs, the rows of
 * clone_sign.tbl.h, and each sign speaks for or against the three verdicts by a number of points:
 *
 *   clone      one certificate, two endpoints that both live: each comes back at once when the
 * other cuts it off, and was heard until then twin       two certificates (two devices) set up with
 * one client id: they take turns link       one device whose connection breaks: the same place
 * again, or a dead session, or always onward (roaming, NAT), never back and forth
 *
 * A verdict is the one with most points, when it has CLONE_POINTS and no other has as many. What a
 * case does not see: a clone behind the same address with the same settings looks like an unstable
 * link.
 *
 * A case is a value without pointers; it is kept, written and read by its owner, who bounds their
 * number. One that was silent for CLONE_SILENT_MS is over, and the next take-over begins anew.
 *
 * Plain C11, pure, no allocation. */
#ifndef CONTAIN_CLONE_H
#define CONTAIN_CLONE_H

#include "base/compiler.h"
#include "base/cursor.h"

#define CLONE_FINGERPRINT  32
#define CLONE_ADDRESS_SIZE 46  /* of an address as text, with NUL */
#define CLONE_CLIENT_SIZE  129 /* of a client id, with NUL */
#define CLONE_POINTS       4   /* a verdict needs as many, */
#define CLONE_POINTS_MAX   20  /* and none ever has more, so that a case can change its mind */
#define CLONE_SILENT_MS    (3600 * INT64_C(1000))

enum clone_verdict { CLONE_UNDECIDED, CLONE_CLONE, CLONE_TWIN, CLONE_LINK, CLONE_VERDICTS };

enum clone_sign {
#define SIGN(id, clone, twin, link, text) CLONE_SIGN_##id,
#include "contain/clone_sign.tbl.h"
#undef SIGN
	CLONE_SIGNS
};

/* One end of a session, as far as the broker can tell ends apart. */
struct clone_end {
	uint8_t fingerprint[CLONE_FINGERPRINT]; /* zeros: no certificate */
	char address[CLONE_ADDRESS_SIZE];
	char client[CLONE_CLIENT_SIZE];
	uint16_t keep_alive_s; /* 0: none */
	uint8_t flags;         /* clean session, TLS, MQTT 5: the settings of its software */
};

/* `to` took the session over from `from`. */
struct clone_takeover {
	struct clone_end from, to;
	int64_t at_ms;
	int64_t from_connected_ms; /* how long the old session had stood, */
	int64_t from_idle_ms;      /* and for how long it had been silent */
};

struct clone_case {
	int64_t first_ms, last_ms;
	uint32_t takeovers;
	/* From a to b: the ends of the last take-over, or the sessions that stood beside each
	 * other, the older one first. */
	struct clone_end a, b;
	int64_t beside_ms; /* when b began beside a, while it is not known whether a still lived */
	int32_t points[CLONE_VERDICTS];
	uint32_t seen[CLONE_SIGNS]; /* how often each sign was seen */
	enum clone_verdict verdict;
};

/* Takes the take-over into the case; an all-zero case is a new one. Returns true when the verdict
 * changed. */
bool clone_take(struct clone_case *c, const struct clone_takeover *t);

/* The session of this identity ended by itself before the next one came: no take-over. Returns true
 * when the verdict changed. */
bool clone_ended(struct clone_case *c, int64_t at_ms);

/* The session `here` began while `there`, of the same certificate and under another client id, was
 * open at another address. Alone that says little: the old one may be a dead connection. Returns
 * true when the verdict changed. */
bool clone_beside(struct clone_case *c, const struct clone_end *there, const struct clone_end *here,
		  int64_t at_ms);

/* The session of `client` was heard at this time or later; or, without was_heard, it was open then,
 * so that the broker had heard it within one and a half keep-alives. When it is the older one of
 * two, both lived at once. Returns true when the verdict changed. */
bool clone_lives(struct clone_case *c, const char *client, int64_t at_ms, bool was_heard);

/* A case as bytes, at most CLONE_CASE_SIZE. Reading gives -1 for bytes that are none. */
#define CLONE_CASE_SIZE 1024
void clone_write(const struct clone_case *c, struct writer *w);
int clone_read(struct view bytes, struct clone_case *ret) MUST_USE;

/* "clone", "twin", "unstable-link", "undecided": static texts. */
const char *clone_verdict_name(enum clone_verdict verdict);
/* What the sign says, a half sentence: static text. */
const char *clone_sign_text(enum clone_sign sign);

#endif
