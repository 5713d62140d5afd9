/* The devices of a partition, in shards (architecture section 3).
 *
 * A name stands for two identities: the registered thing and the unregistered device, each with its
 * own record (spec/detect.md section 7, last rows). Within a shard the records form a list in the
 * order they came: all walks follow it, so effects never depend on how the hash table lies. A
 * record's parts are blocks of the shard's arena:
 *
 *     device ── groups   u64[], ascending
 *        ├───── tracks   struct track[], by behavior index: one per behavior that covers it
 *        │         └──── alarm, while the track is in alarm
 *        └───── windows  per counter, while a behavior looks back on it (window.h)
 */
#ifndef DETECT_DEVICE_H
#define DETECT_DEVICE_H

#include "base/cursor.h"
#include "detect/arena.h"
#include "report/report.h"

#define DEVICE_ALARM_ID 16

struct alarm {
	uint8_t id[DEVICE_ALARM_ID];
	int64_t start_ms, last_ms; /* of the first, of the last datapoint */
	bool is_own;               /* raised by a report of the thing itself (S10) */
};

/* The state machine of section 7 for one (thing, profile, behavior). OK when it has no alarm. */
struct track {
	uint32_t behavior, alarm;
	uint8_t bad, good; /* datapoints in a row */
};

struct device {
	uint32_t at, hash;          /* its own place; of its name */
	uint32_t chain, prev, next; /* in the hash bucket; in the shard's order */
	uint32_t groups, n_groups;
	uint32_t tracks, n_tracks, n_alarms;
	uint32_t windows[REPORT_COUNTERS];
	uint64_t last_report_id; /* 0: none yet */
	int64_t last_report_ms;
	bool is_registered,
		is_tracked; /* is_tracked: tracks have been made from the configuration */
	uint8_t n_name;
	char name[];
};

struct shard {
	struct arena arena;
	uint32_t *buckets, n_buckets;
	uint32_t first, last, n_devices, n_registered, n_alarms;
};

struct device_key {
	struct view name;
	uint32_t shard; /* fixed for a name */
	uint32_t hash;  /* depends on the state's secret */
};

struct device_key device_key_of(struct view name, const uint64_t secret[2]);

/* The record of that name and identity, or NULL. */
struct device *device_find(const struct shard *s, const struct device_key *key, bool is_registered);
/* A new record at the end of the order; NULL when there is no memory. There must be none yet. */
struct device *device_add(struct shard *s, const struct device_key *key,
			  bool is_registered) MUST_USE;
/* Takes it out with all its parts. */
void device_remove(struct shard *s, struct device *d);
/* Replaces its groups. False when there is no memory (nothing changed). */
bool device_set_groups(struct shard *s, struct device *d, struct reader groups,
		       uint32_t n) MUST_USE;

struct device *device_first(const struct shard *s);
struct device *device_next(const struct shard *s, const struct device *d);

static inline struct view device_name(const struct device *d)
{
	return (struct view){d->name, d->n_name};
}

uint64_t *device_groups(const struct shard *s, const struct device *d);
struct track *device_tracks(const struct shard *s, const struct device *d);
struct alarm *track_alarm(const struct shard *s, const struct track *t); /* NULL: OK */
/* A new alarm on a track that has none, or NULL when there is no memory. */
struct alarm *track_add_alarm(struct shard *s, struct device *d, struct track *t) MUST_USE;
void track_drop_alarm(struct shard *s, struct device *d, struct track *t);

void shard_release(struct shard *s);

#endif
