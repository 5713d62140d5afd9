/* The snapshot: what the plugin decides from, as one file that grows (architecture section 5).
 *
 * Normalised: certificates, things, groups, policies, each found by its key; a certificate names
 * its things and policies, a thing its groups (ancestors included), a group its policies. So one
 * change is one record, however many things it concerns. And the dimensions, by which messages are
 * counted.
 *
 *   base: everything there is | part: what changed | part | part ...      (snapshot_format.h)
 *
 * The daemon appends a part for each round of changes, and durably; when the parts pass a quarter
 * of the base it writes a new file and renames it over this one (snapshot_write.h,
 * daemon/publish.h). Base and parts are one file, so that they cannot come from different hands or
 * times.
 *
 * The plugin copies what it reads into memory of its own, checks it whole (owner and mode of the
 * file, length, checksum, every field), then trusts it (S2-S4): whatever happens to the file later
 * harms nothing. What was read stays in memory as long as the snapshot does, so that views into it
 * stay good, though a later record took the place. A name that no record has is nobody's: it is
 * passed over, as if it were not listed.
 *
 * Plain C11 without GLib; nothing here aborts. */
#ifndef BROKER_SNAPSHOT_H
#define BROKER_SNAPSHOT_H

#include "base/view.h"
#include "policy/decide.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SNAPSHOT_FINGERPRINT 32
#define SNAPSHOT_WHY_SIZE    160 /* bytes for a reason in words */

/* What records are about. */
enum snapshot_kind {
	SNAPSHOT_ACCOUNT,
	SNAPSHOT_POLICY,
	SNAPSHOT_GROUP,
	SNAPSHOT_THING,
	SNAPSHOT_CERT,
	SNAPSHOT_DIMENSION,
	SNAPSHOT_KINDS
};

/* SNAPSHOT_CERT_ACTIVE, ...: the rows of cert_status.tbl.h. */
enum snapshot_cert_status {
#define CERT_STATUS(id) SNAPSHOT_CERT_##id,
#include "broker/cert_status.tbl.h"
#undef CERT_STATUS
	SNAPSHOT_CERT_STATUSES
};

struct snapshot; /* one file's content, verified whole */

/* Loads the file at path, its base and all whole parts, when `owner` owns it and nobody else may
 * write it, and its generation is not older than `at_least`. 0, or -1 with the reason in words
 * (why: SNAPSHOT_WHY_SIZE bytes). The caller frees with snapshot_free. May be called on any thread.
 */
int snapshot_load(const char *path, uid_t owner, uint64_t at_least, struct snapshot **ret,
		  char *why, size_t why_cap);
/* The same checks on bytes in memory (copied): for tests and fuzzing. */
int snapshot_load_bytes(const void *bytes, size_t n, struct snapshot **ret, char *why,
			size_t why_cap);
void snapshot_free(struct snapshot *s); /* takes NULL */
/* Its generation: every change up to it is in. */
uint64_t snapshot_in_force(const struct snapshot *s);
/* Bytes of memory it takes. */
size_t snapshot_memory(const struct snapshot *s);

/* What a part changed. */
struct snapshot_news {
	bool is_all;         /* a policy, group or the account: any session may be concerned */
	bool has_dimensions; /* a dimension is new, or gone */
	/* Called for each certificate that has a new record or is gone; one whose thing changed is
	 * among them. */
	void (*on_cert)(void *ctx, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT]);
	void *ctx;
};

/* Reads the next part of the file that was loaded, when it is there whole. 1: it is in force; 0:
 * nothing new, or not whole yet; -1 with the reason: it cannot be taken, and what was in force
 * stays. Sets the news' flags, calls news->on_cert; news may be NULL. */
int snapshot_follow(struct snapshot *s, struct snapshot_news *news, char *why, size_t why_cap);
/* True when `st` is of the file that was loaded. */
bool snapshot_is_file(const struct snapshot *s, const struct stat *st);

/* One str16 after the other. */
struct snapshot_names {
	struct view bytes;
};
/* Takes the next name off the front; false at the end. */
bool snapshot_next_name(struct snapshot_names *names, struct view *ret);

struct snapshot_cert {
	enum snapshot_cert_status status;
	int64_t not_before, not_after; /* seconds since the epoch */
	bool is_exclusive;             /* attached with EXCLUSIVE_THING */
	struct view facts;             /* policy/facts.h */
	struct snapshot_names things, policies;
};

/* The certificate's standing; false when it is not registered. *ret is good as long as s is. */
bool snapshot_find(const struct snapshot *s, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		   struct snapshot_cert *ret);
/* True when the certificate is attached to the thing of this name. */
bool snapshot_cert_has_thing(const struct snapshot *s, const struct snapshot_cert *c,
			     struct view thing);

struct snapshot_policy {
	struct view name;
	uint32_t version;
	struct view program;
};

/* AWS's quotas allow 150: 10 of a certificate, and 2 for each of 7 levels of 10 groups. */
#define SNAPSHOT_PROGRAMS_MAX 256

/* The connection's thing (registry-and-policies.md section 10.1): the thing named like the client
 * id if attached, else the exclusive one, else none. Fills `request` with the account's names, the
 * client id, the thing, the facts of thing and certificate, and lists the effective policies: the
 * certificate's and, with a thing, those of all its groups. But when any thing of the certificate
 * is in a quarantine group, whatever the client id, they are the policies of the quarantine groups
 * only (S6). Returns how many; more than cap: cap + 1. */
unsigned snapshot_programs(const struct snapshot *s, const struct snapshot_cert *c,
			   struct view client_id, struct policy_request *request,
			   struct snapshot_policy *ret, unsigned cap, bool *ret_is_quarantined);

/* A named set of topic filters (spec/detect.md section 3). */
struct snapshot_dimension {
	struct view name;
	struct snapshot_names filters;
};

/* All dimensions, in no order, but not more than cap. Returns how many. */
unsigned snapshot_dimensions(const struct snapshot *s, struct snapshot_dimension *ret,
			     unsigned cap);

#endif
