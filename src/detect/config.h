/* The body of an ENTRY_CONFIG: an immutable version of all profiles that have a target, whole.
 *
 *     body:      version u16 | n u32 | profiles, names strictly ascending by bytes
 *     profile:   name str16 | targets u8 | n u32 | n group numbers u64, strictly ascending
 *                | n u16 | behaviors, in the order they were given, names distinct
 *     behavior:  name str16 | json bytes32 | metric str16 | criteria type u8 | rule bytes32
 *     rule:      operator u8 | duration s u32 | datapoints to alarm u8, to clear u8
 *                | suppressed u8 | value kind u8 | value
 *     value:     count u64, or number f64, or n u32 and n numbers f64, ports u16,
 *                addresses (16 bytes, prefix u8: 0-128, IPv4 as IPv4-mapped) or strings str16
 *
 * The JSON text of a behavior is kept as the API gave it, for the events. The rule is apart from
 * what makes the behavior the same one: a changed rule keeps an open alarm and resets its
 * counters, a changed metric or criteria type ends it (spec/detect.md section 7, lifecycle).
 *
 * Only STATIC criteria are evaluated in this version: the types are defined, a body that holds
 * another one is refused (validation does not let it come so far).
 *
 * The writer half is for registry/profile.c, the reader half for the evaluator. Plain C11, pure. */
#ifndef DETECT_CONFIG_H
#define DETECT_CONFIG_H

#include "base/compiler.h"
#include "base/cursor.h"
#include "detect/metrics.h"
#include "report/report.h"

#define CONFIG_VERSION 1

enum criteria_type { CRITERIA_STATIC = 0, CRITERIA_STATISTICAL = 1, CRITERIA_ML = 2 };

/* securityProfileTargetArn, section 2; a group is named by its number instead. */
enum config_target {
	TARGET_ALL_THINGS = 1,
	TARGET_REGISTERED = 2,
	TARGET_UNREGISTERED = 4,
};

struct config_cidr {
	struct report_addr addr;
	uint8_t prefix; /* of the 128 bits; IPv4 a.b.c.d/p is ::ffff:a.b.c.d with prefix 96 + p */
};

/* The value a datapoint is compared with, as it stands in a rule. Lists are the caller's. */
struct config_value {
	enum value_kind kind;
	uint32_t n;
	uint64_t count;
	double number;
	const double *numbers;
	const uint16_t *ports;
	const struct config_cidr *cidrs;
	const struct view *strings;
};

struct config_rule {
	enum comparison op;
	uint32_t duration_s; /* 0: none given */
	uint8_t to_alarm, to_clear;
	bool is_suppressed;
	struct config_value value;
};

/* ---- Writing. In this order: begin, then for each profile: profile, its behaviors. ---- */

void config_write_begin(struct writer *w, uint32_t n_profiles);
void config_write_profile(struct writer *w, struct view name, uint8_t targets,
			  const uint64_t *groups, uint32_t n_groups, uint16_t n_behaviors);
void config_write_behavior(struct writer *w, struct view name, struct view json, struct view metric,
			   enum criteria_type type, const struct config_rule *rule);

/* Reads "a.b.c.d", "a.b.c.d/p", "v6" or "v6/p". A bare address is a network of one; bits behind the
 * prefix are cleared; an IPv4-mapped IPv6 network counts as IPv4. 0, or -1 when it is none. */
int config_read_cidr(struct view text, struct config_cidr *ret) MUST_USE;

/* ---- Reading: the compiled view ---- */

/* Addresses lo..hi, both included, as bytes in network order. */
struct config_range {
	struct report_addr lo, hi;
};

struct behavior {
	struct view name, json, rule; /* rule: its bytes, to tell whether it changed */
	uint32_t profile;             /* index */
	const struct metric *metric;  /* of the table, or NULL: a custom metric */
	struct view metric_name;
	enum criteria_type type;
	enum comparison op;
	uint32_t duration_s;
	uint8_t to_alarm, to_clear;
	bool is_suppressed;
	enum value_kind kind;
	uint64_t count;
	double number;
	/* Sets, sorted for binary search; addresses merged into disjoint ranges, those of IPv4
	 * (n_v4 of them) first. */
	uint32_t n, n_v4;
	double *numbers;
	uint16_t *ports;
	struct config_range *ranges;
	struct view *strings;
};

struct profile {
	struct view name;
	uint8_t targets;
	uint32_t n_groups;
	uint64_t *groups;
	uint32_t first, n_behaviors; /* its behaviors: first .. first + n_behaviors - 1 */
};

struct config {
	uint8_t *body; /* a copy; all views point into it */
	size_t body_n;
	uint32_t n_profiles, n_behaviors;
	struct profile *profiles;
	struct behavior *behaviors;
	/* The longest duration any behavior asks of a counter: how much of it is remembered. */
	uint32_t counter_duration_s[REPORT_COUNTERS];
};

/* Reads and compiles a body. The caller frees with config_free. -EBADMSG when it is damaged,
 * -ENOMEM. */
int config_open(struct view body, struct config **ret) MUST_USE;
void config_free(struct config *c);

/* Does the profile cover a thing that is registered or not and is in these groups (ascending)? */
bool profile_covers(const struct profile *p, bool is_registered, const uint64_t *groups,
		    uint32_t n_groups);

#endif
