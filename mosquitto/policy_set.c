#include "mosquitto/policy_set.h"

#include <stdlib.h>

#include "mosquitto/hash.h"

#define BUCKETS 4096

struct policy_sets {
	size_t n;
	struct policy_set *by_content[BUCKETS];
};

struct policy_sets *policy_sets_new(void)
{
	return calloc(1, sizeof(struct policy_sets));
}

void policy_sets_free(struct policy_sets *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (all->by_content[i]) {
			struct policy_set *set = all->by_content[i];
			all->by_content[i] = set->next;
			free(set);
		}
	free(all);
}

size_t policy_sets_count(const struct policy_sets *all)
{
	return all->n;
}

/* Within an epoch the same program is the same bytes at the same place. */
static uint64_t hash_program(uint64_t h, struct view program)
{
	return hash_bytes(h, &program.p, sizeof(program.p));
}

static struct policy_set **bucket_of(struct policy_sets *all, uint64_t h)
{
	return &all->by_content[h % BUCKETS];
}

static bool is_of(const struct policy_set *set, uint64_t epoch,
		  const struct snapshot_policy *policies, unsigned n)
{
	if (set->epoch != epoch || set->n != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (set->programs[i].p != policies[i].program.p)
			return false;
	return true;
}

static struct policy_set *set_new(uint64_t epoch, const struct policy_request *account,
				  const struct snapshot_policy *policies, unsigned n)
{
	size_t programs = n * sizeof(struct view);
	struct policy_set *set =
		calloc(1, sizeof(*set) + programs + n * sizeof(struct policy_name));
	if (!set)
		return NULL;
	struct policy_name *names = (void *)((char *)set->programs + programs);
	for (unsigned i = 0; i < n; i++) {
		set->programs[i] = policies[i].program;
		names[i] = (struct policy_name){policies[i].name, policies[i].version};
	}
	set->names = names;
	set->epoch = epoch;
	set->n = n;
	set->partition = account->partition;
	set->region = account->region;
	set->account = account->account;
	return set;
}

struct policy_set *policy_set_take(struct policy_sets *all, uint64_t epoch,
				   const struct policy_request *account,
				   const struct snapshot_policy *policies, unsigned n)
{
	uint64_t h = epoch;
	for (unsigned i = 0; i < n; i++)
		h = hash_program(h, policies[i].program);
	struct policy_set **bucket = bucket_of(all, h);
	struct policy_set *set = *bucket;
	while (set && !is_of(set, epoch, policies, n))
		set = set->next;
	if (!set) {
		set = set_new(epoch, account, policies, n);
		if (!set)
			return NULL;
		set->next = *bucket;
		*bucket = set;
		all->n++;
	}
	set->references++;
	return set;
}

static uint64_t hash_set(const struct policy_set *set)
{
	uint64_t h = set->epoch;
	for (unsigned i = 0; i < set->n; i++)
		h = hash_program(h, set->programs[i]);
	return h;
}

void policy_set_release(struct policy_sets *all, struct policy_set *set)
{
	if (!set || --set->references > 0)
		return;
	struct policy_set **at = bucket_of(all, hash_set(set));
	while (*at != set)
		at = &(*at)->next;
	*at = set->next;
	all->n--;
	free(set);
}
