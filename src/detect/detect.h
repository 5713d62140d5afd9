/* The evaluator: step(state, entry) -> effects (architecture section 2.4, spec/detect.md).
 *
 * One `struct detect` is the state of one partition: the configuration and DETECT_SHARDS shards of
 * devices (device.h). A step has two halves: form (entry -> datapoints, form.h) and judge
 * (datapoint -> alarm events, judge.h). No clock, store, chance, file or libm inside; ids are
 * derived from the entry. The same entries give the same effects, byte for byte, on every machine.
 * One thread uses a state at a time.
 *
 * This version evaluates static criteria on the device-side metrics and on custom metrics.
 * Statistical and learned criteria, cloud-side metrics and dimensions are refused before they come
 * here (registry/behavior.h, config.h).
 *
 * What a client can make grow has a cap: devices that are not in the registry are limited, counted
 * when left out, and forgotten after two silent days; the rest is bounded by what the API lets in.
 * Memory comes from malloc. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "detect/entry.h"
#include "detect/metrics.h"

#define DETECT_SHARDS     64
#define DETECT_ENGINE     1 /* the version of the state's layout and meaning: in every checkpoint */
#define VIOLATION_ID_SIZE 33

struct detect;

struct detect_limits {
	uint64_t min_report_delta_ms; /* what the first report of a device covers: 300000 */
	uint32_t max_unregistered;    /* devices outside the registry; more are left out */
	uint64_t secret[2]; /* from chance: spreads names over the tables; shows nowhere */
};

struct detect_stats {
	uint64_t devices, registered;
	uint64_t dropped_unregistered; /* reports left out: max_unregistered was reached */
	uint64_t datapoints;           /* judged */
	uint64_t alarms_open;
	uint64_t bytes; /* of the shards' memory */
};

/* One value of a metric, as judged and as shown (MetricValue of the API). Lists live as long as the
 * entry. */
struct value {
	enum value_kind kind;
	uint32_t n;
	uint64_t count;
	double number;
	const double *numbers;
	const uint16_t *ports;
	const struct report_addr *addrs;
	const struct view *strings;
};

enum effect_kind {
	EFFECT_IN_ALARM = 1, /* a violation starts */
	EFFECT_STILL = 2,    /* a running one: last value and time move; no event */
	EFFECT_CLEARED = 3,
	EFFECT_INVALIDATED = 4
};

struct effect {
	enum effect_kind kind;
	uint64_t seq;   /* of the entry, */
	uint32_t index; /* and its place among the entry's effects: (part, seq, index) is the
			   event's key */
	char violation_id[VIOLATION_ID_SIZE];
	struct view thing, profile, behavior; /* names */
	struct view behavior_json;            /* the behavior as it was (API shape Behavior) */
	struct value value;                   /* not with EFFECT_INVALIDATED */
	int64_t at_ms, start_ms;              /* of the datapoint; of the violation */
	uint8_t criteria;                     /* enum criteria_type of config.h */
	bool is_suppressed;                   /* suppressAlerts */
	bool is_own;                          /* false: reported by another principal (S10) */
};

/* Effects of a step are told one by one; views live during the call. Non-zero is returned by
 * detect_step at once and leaves the state undefined: the owner reloads it. */
typedef int effect_fn(const struct effect *effect, void *ctx);

int detect_new(const struct detect_limits *limits, struct detect **ret) MUST_USE;
void detect_free(struct detect *d);

struct detect_entry {
	uint64_t seq;
	int64_t at_ms;
	enum entry_kind kind;
	struct view body;
	const struct report *report; /* the decoded payload of an ENTRY_REPORT when the caller has
					it; else NULL */
};

/* 0; -EBADMSG: the body is damaged or of no known kind, nothing changed; -ENOMEM: the state is
 * undefined, the owner reloads it; else what fn returned. */
int detect_step(struct detect *d, const struct detect_entry *entry, effect_fn *fn,
		void *ctx) MUST_USE;

/* What admission needs after a restart: the last accepted report of each device that has reported;
 * each name once. */
typedef void detect_device_fn(struct view thing, uint64_t last_report_id, int64_t last_report_ms,
			      void *ctx);
void detect_each_device(const struct detect *d, detect_device_fn *fn, void *ctx);

/* The alarms that are open in the state, for comparison with the store after recovery. */
typedef void detect_alarm_fn(struct view thing, struct view profile, struct view behavior,
			     const char *violation_id, void *ctx);
void detect_each_alarm(const struct detect *d, detect_alarm_fn *fn, void *ctx);

/* The last mark that was stepped, 0: none yet. */
int64_t detect_mark(const struct detect *d);

void detect_stats(const struct detect *d, struct detect_stats *ret);

/* Checkpoints: the whole state as portable bytes (engine version, offset, configuration, devices in
 * order, SHA-256), taken between two steps. A loaded state gives the same effects as the saved one
 * would have. detect_save allocates *ret_bytes with malloc (the caller frees): 0 or -ENOMEM.
 * detect_load gives a state that continues after entry *ret_seq: -EBADMSG when damaged, -ENOTSUP
 * when another engine version wrote it, -ENOMEM. */
int detect_save(const struct detect *d, uint64_t seq, uint8_t **ret_bytes, size_t *ret_n) MUST_USE;
int detect_load(const struct detect_limits *limits, const uint8_t *bytes, size_t n,
		struct detect **ret, uint64_t *ret_seq) MUST_USE;

#endif
