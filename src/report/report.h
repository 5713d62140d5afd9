/* Device reports (spec/device-reports.md): from the bytes of one MQTT payload to the values they
 * carry.
 *
 * JSON and CBOR, long and short names at every level, one pass, no tree, no allocation: lists go
 * into an arena that the caller lends. The same field table serves both formats. A report is either
 * read whole or refused with a reason. Everything here is plain C11 and pure. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/compiler.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

enum report_format { REPORT_JSON, REPORT_CBOR };

#define REPORT_SIZE_MAX  131072 /* bytes, section 4 */
#define REPORT_DEPTH_MAX 16
#define REPORT_THING_MAX 128

/* An address as 16 bytes; IPv4 is IPv4-mapped (::ffff:a.b.c.d). */
struct report_addr {
	uint8_t b[16];
};

struct report_ports {
	bool is_present; /* the block was there */
	bool has_list, has_total;
	uint32_t n;        /* distinct, ascending, without 0 */
	uint32_t n_listed; /* entries in the list as sent, for the count without total */
	const uint16_t *ports;
	uint64_t total;
};

struct report_connections {
	bool is_present;
	bool has_list, has_total;
	uint32_t n; /* distinct remote addresses, ascending by bytes; those that cannot be read are
		       dropped (rule 8) */
	uint32_t n_listed;
	const struct report_addr *remote;
	uint64_t total;
};

enum report_custom_kind { REPORT_NUMBER, REPORT_NUMBER_LIST, REPORT_STRING_LIST, REPORT_IP_LIST };

struct report_custom {
	struct view name; /* into the arena */
	enum report_custom_kind kind;
	bool is_storable; /* false: breaks a data rule of section 3 (the report is accepted, this
			     metric not stored) */
	uint32_t n;
	double number;
	const double *numbers;
	const struct view *strings;
	const struct report_addr *addrs;
};

enum report_counter {
	REPORT_BYTES_IN,
	REPORT_BYTES_OUT,
	REPORT_PACKETS_IN,
	REPORT_PACKETS_OUT,
	REPORT_COUNTERS
};

struct report {
	uint64_t report_id;           /* 1 .. 2^63-1 */
	bool has_metrics, has_custom; /* one of them at least */
	uint16_t version_major, version_minor;
	bool has_counter[REPORT_COUNTERS];
	uint64_t counter[REPORT_COUNTERS];
	struct report_ports tcp, udp;
	struct report_connections established;
	uint32_t n_custom;
	const struct report_custom *custom;
};

/* Memory that one report is read into; reused for the next. `used` tells after a success how much
 * of the front the lists took. An arena of REPORT_ARENA_SIZE takes every report that the limits
 * allow: no value takes more than 16 bytes for each byte of payload (an empty CBOR string in a list
 * does), escapes one more. Only what a report needs is touched. A report that needs more than the
 * arena holds is refused. */
struct report_arena {
	uint8_t *buf;
	size_t cap, used;
};
#define REPORT_ARENA_SIZE ((size_t)17 * REPORT_SIZE_MAX + 4096)

/* Why a report was refused: the ErrorCode and ErrorMessage of its `rejected` reply (section 6), and
 * where. */
struct report_refusal {
	const char *code;    /* "InvalidPayload" */
	const char *message; /* "Malformed metrics report" */
	char detail[160];    /* for our own log: the field and what is wrong with it */
	uint64_t report_id;  /* 0 when it could not be read */
};

/* Reads one report. 0, or -1 with the refusal filled. What *ret holds lives in the arena until it
 * is used again. */
int report_read(enum report_format format, const void *payload, size_t n,
		struct report_arena *arena, struct report *ret,
		struct report_refusal *ret_refusal) MUST_USE;

/* Takes "$aws/things/NAME/defender/metrics/json" or ".../cbor" apart. False for any other topic.
 * The thing's name may still be one to refuse: report_thing_valid (1-128 bytes of UTF-8, no control
 * characters). */
bool report_topic(struct view topic, struct view *ret_thing, enum report_format *ret_format);
bool report_thing_valid(struct view thing);

/* The reply, in the report's own format (section 6). Returns the length, 0 when cap is too small.
 * REPORT_REPLY_MAX is always enough. */
#define REPORT_REPLY_MAX 2048
size_t report_accepted(enum report_format format, struct view thing, uint64_t report_id,
		       int64_t at_ms, void *out, size_t cap);
size_t report_rejected(enum report_format format, struct view thing,
		       const struct report_refusal *refusal, int64_t at_ms, void *out, size_t cap);

/* The refusals that are not the decoder's. */
extern const struct report_refusal report_too_large, report_bad_thing, report_too_soon,
	report_account_rate, report_internal;

#endif
