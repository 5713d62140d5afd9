/* The policies that apply to a session, each different list of them held once: a fleet has many
 * sessions and few such lists.
 *
 * A list is views into the snapshot and belongs to one epoch of the rules (mosquitto/rules.h). One
 * of an earlier epoch is never given out again; sessions that still refer to it are judged again
 * before they may look into it. */
#ifndef PLUGIN_POLICY_SET_H
#define PLUGIN_POLICY_SET_H

#include "base/compiler.h"
#include "broker/snapshot.h"

struct policy_name {
	struct view name;
	uint32_t version;
};

struct policy_set {
	struct policy_set *next; /* in its bucket */
	uint64_t epoch;
	size_t references;
	struct view partition, region, account;
	unsigned n;
	const struct policy_name *names; /* n, in the order of programs */
	struct view programs[];
};

struct policy_sets;

/* NULL without memory. */
struct policy_sets *policy_sets_new(void);
/* Frees what nobody released, too. */
void policy_sets_free(struct policy_sets *all);
/* The set of these n policies, with one reference more; account: partition, region and account are
 * taken from it. NULL without memory. */
struct policy_set *policy_set_take(struct policy_sets *all, uint64_t epoch,
				   const struct policy_request *account,
				   const struct snapshot_policy *policies, unsigned n);
/* Takes NULL. */
void policy_set_release(struct policy_sets *all, struct policy_set *set);
/* How many there are. */
size_t policy_sets_count(const struct policy_sets *all);

#endif
