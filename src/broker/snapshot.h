/* The snapshot: what the plugin decides from, as one file (architecture section 5).
 *
 * Normalised: certificates, things, groups, policies, each a table; a certificate names its things
 * and policies, a thing its groups (ancestors included), a group its policies. So one change is one
 * record.
 *
 *   header:   magic, version, generation, length, where each section lies
 *   sections: names and policy programs (policy/policy.h); partition, region, account; policies,
 * groups, things, certificates and a hash table over their fingerprints (snapshot_format.h)
 *   trailer:  checksum over all before it
 *
 * Written by the daemon to a temporary name, fsynced, renamed over the old one, directory fsynced.
 * Read by the plugin into a private copy: it checks the owner and the mode, the length, the
 * checksum, every offset, then trusts it (S2-S4). The reader half (snapshot_load .. snapshot_find)
 * is plain C11 without GLib; nothing in it aborts. */
#ifndef BROKER_SNAPSHOT_H
#define BROKER_SNAPSHOT_H

#include "base/view.h"
#include "policy/decide.h"

#include <stdint.h>
#include <sys/types.h>

#define SNAPSHOT_FINGERPRINT 32
#define SNAPSHOT_WHY_SIZE    160 /* bytes for a reason in words */

/* ---- Writing ---- */

enum snapshot_cert_status { SNAPSHOT_CERT_INACTIVE = 0, SNAPSHOT_CERT_ACTIVE = 1 };

struct snapshot_builder;

struct snapshot_builder *snapshot_builder_new(uint64_t generation, const char *partition,
					      const char *region, const char *account);
void snapshot_builder_free(struct snapshot_builder *b);
/* Each returns the index that later calls name it by. Policies before groups and certificates,
 * groups before things, things before certificates. Views are copied. */
uint32_t snapshot_add_policy(struct snapshot_builder *b, struct view name, struct view program);
uint32_t snapshot_add_group(struct snapshot_builder *b, struct view name, const uint32_t *policies,
			    uint32_t n);
uint32_t snapshot_add_thing(struct snapshot_builder *b, struct view name, const uint32_t *groups,
			    uint32_t n);
/* not_before, not_after: seconds since the epoch. is_exclusive: attached with EXCLUSIVE_THING (then
 * n_things is 1). */
void snapshot_add_cert(struct snapshot_builder *b, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		       enum snapshot_cert_status status, int64_t not_before, int64_t not_after,
		       bool is_exclusive, const uint32_t *things, uint32_t n_things,
		       const uint32_t *policies, uint32_t n_policies);
/* Writes the file durably. 0, or a negative errno with nothing replaced. mode: 0640 as root with
 * group mosquitto (gid), else 0600; gid (gid_t)-1 leaves the group. */
int snapshot_write(const struct snapshot_builder *b, const char *path, mode_t mode, gid_t gid);
/* The generation of the file at path, 0 when there is none, it is damaged or not the caller's own:
 * what the daemon continues from. */
uint64_t snapshot_generation(const char *path);

/* ---- Reading ---- */

struct snapshot; /* a private copy of one file, verified whole */

/* Loads the file at path when `owner` owns it and nobody else may write it, and its generation is
 * not older than `at_least`. 0, or -1 with the reason in words (why: SNAPSHOT_WHY_SIZE bytes). The
 * caller frees with snapshot_free. */
int snapshot_load(const char *path, uid_t owner, uint64_t at_least, struct snapshot **ret,
		  char *why, size_t why_cap);
/* The same checks on bytes in memory (copied): for tests and fuzzing. */
int snapshot_load_bytes(const void *bytes, size_t n, struct snapshot **ret, char *why,
			size_t why_cap);
void snapshot_free(struct snapshot *s); /* takes NULL */
/* Its generation. */
uint64_t snapshot_in_force(const struct snapshot *s);

struct snapshot_cert {
	enum snapshot_cert_status status;
	int64_t not_before, not_after;
	bool is_exclusive;
	uint32_t record;
};

/* The certificate's standing; false when it is not registered. *ret is good as long as s is. */
bool snapshot_find(const struct snapshot *s, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		   struct snapshot_cert *ret);
/* True when the certificate is attached to the thing of this name. */
bool snapshot_cert_has_thing(const struct snapshot *s, const struct snapshot_cert *c,
			     struct view thing);

/* AWS's quotas allow 150: 10 of a certificate, and 2 for each of 7 levels of 10 groups. */
#define SNAPSHOT_PROGRAMS_MAX 256

/* The connection's thing (registry-and-policies.md section 10.1): the thing named like the client
 * id if attached, else the exclusive one, else an empty view. Fills `request` with names, thing and
 * isAttached, and lists the programs of the effective policies: the certificate's and, with a
 * thing, those of all its groups. Returns how many; more than cap: cap + 1. */
unsigned snapshot_programs(const struct snapshot *s, const struct snapshot_cert *c,
			   struct view client_id, struct policy_request *request,
			   struct view *programs, unsigned cap);

#endif
