/* Prints a partition log without the store's code: own SQL, own decoding. The crash harness
 * compares with it what devices were told was accepted.
 *
 *     logread [-b|-e] DIR/log.db [partition]
 *
 * A line an entry: seq, kind, at; for a device report also the thing, the payload's length, the
 * report id that is found in the payload's text ("-" when none is), the reporter's fingerprint and
 * whether it is the thing's own. With -b every entry has its body instead, in hex (crash_replay
 * reads that). With -e only what brokers told is printed, tabs between: seq, kind of entry, at,
 * broker, then of a HELLO run and generation, of an event its kind and its members in order, texts
 * in hex. Exit status 1: the file cannot be read, or has a hole or damage. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND_REPORT      1
#define KIND_EVENT       7
#define KIND_HELLO       8
#define FINGERPRINT_SIZE 32

enum form { LINES, BODIES, EVENTS };

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* The next n bytes of b; false when there are not so many. */
static bool take(struct bytes *b, size_t n, struct bytes *ret)
{
	if (b->n < n)
		return false;
	*ret = (struct bytes){b->p, n};
	b->p += n;
	b->n -= n;
	return true;
}

/* A little endian number of n bytes. */
static bool take_number(struct bytes *b, size_t n, uint64_t *ret)
{
	struct bytes raw;
	if (!take(b, n, &raw))
		return false;
	*ret = 0;
	while (n-- > 0)
		*ret = *ret << 8 | raw.p[n];
	return true;
}

/* Bytes behind a length of n bytes. */
static bool take_counted(struct bytes *b, size_t n, struct bytes *ret)
{
	uint64_t length;
	return take_number(b, n, &length) && take(b, length, ret);
}

static const uint8_t *find(struct bytes in, const char *text)
{
	return memmem(in.p, in.n, text, strlen(text));
}

/* The digits behind "report_id": or "rid": of a JSON report; how many, 0 when there are none. */
static int report_id(struct bytes payload, const uint8_t **ret)
{
	static const char *const names[] = {"\"report_id\"", "\"rid\""};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint8_t *end = payload.p + payload.n, *p = find(payload, names[i]);
		if (!p)
			continue;
		for (p += strlen(names[i]); p < end && strchr(" \t\r\n:", *p); p++)
			continue;
		int n = 0;
		while (p + n < end && p[n] >= '0' && p[n] <= '9')
			n++;
		*ret = p;
		return n;
	}
	return 0;
}

static void print_hex(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		printf("%02x", b.p[i]);
}

static bool print_report(struct bytes body)
{
	struct bytes thing, fingerprint, payload;
	uint64_t is_own, format;
	if (!take_counted(&body, 2, &thing) || !take(&body, FINGERPRINT_SIZE, &fingerprint) ||
	    !take_number(&body, 1, &is_own) || !take_number(&body, 1, &format) ||
	    !take_counted(&body, 4, &payload) || body.n != 0)
		return false;
	const uint8_t *id;
	int n = report_id(payload, &id);
	printf(" %.*s %zu %.*s ", (int)thing.n, (const char *)thing.p, payload.n, n ? n : 1,
	       n ? (const char *)id : "-");
	print_hex(fingerprint);
	printf(is_own ? " own" : " other");
	return true;
}

static bool print_body(struct bytes body)
{
	printf(" ");
	print_hex(body);
	return true;
}

/* ---- What brokers told ---- */

/* Members: q 8, d 4, w 2, b 1 byte numbers, s text behind 2 bytes, f fingerprint, r the rest. */
#define IDENTITY "qfsssw"
static const char *const layouts[] = {
	[3] = "q",                         /* applied */
	[5] = IDENTITY "bbbssddsqqq",      /* refused */
	[6] = IDENTITY "sqwbdss",          /* connect */
	[7] = IDENTITY "qqbb",             /* disconnect */
	[8] = IDENTITY IDENTITY "qqqwwbb", /* take-over */
	[9] = IDENTITY "sqq"
		       "qqqqqq"
		       "qqq"
		       "b"
		       "w"
		       "r", /* counters */
};

static size_t number_size(char letter)
{
	switch (letter) {
	case 'q':
		return 8;
	case 'd':
		return 4;
	case 'w':
		return 2;
	case 'b':
		return 1;
	default:
		return 0;
	}
}

static bool print_member(struct bytes *body, char letter)
{
	struct bytes raw = *body;
	uint64_t number;
	size_t n = number_size(letter);
	printf("\t");
	if (n) {
		if (!take_number(body, n, &number))
			return false;
		printf("%" PRIu64, number);
		return true;
	}
	if (letter == 's' ? !take_counted(body, 2, &raw)
			  : !take(body, letter == 'f' ? FINGERPRINT_SIZE : body->n, &raw))
		return false;
	print_hex(raw);
	return true;
}

static bool print_members(struct bytes *body, const char *layout)
{
	bool ok = true;
	for (; ok && *layout; layout++)
		ok = print_member(body, *layout);
	return ok;
}

static bool print_told(struct bytes body, uint64_t kind)
{
	uint64_t event;
	if (!print_member(&body, 's'))
		return false;
	if (kind == KIND_HELLO)
		return print_members(&body, "sq") && body.n == 0;
	if (!take_number(&body, 1, &event) || event >= sizeof(layouts) / sizeof(layouts[0]) ||
	    !layouts[event])
		return false;
	printf("\t%" PRIu64, event);
	return print_members(&body, layouts[event]) && body.n == 0;
}

/* kind u8, at i64, length u32, body. */
static bool print_entry(struct bytes *row, int64_t seq, enum form form)
{
	struct bytes body;
	uint64_t kind, at;
	if (!take_number(row, 1, &kind) || !take_number(row, 8, &at) ||
	    !take_counted(row, 4, &body))
		return false;
	if (form == EVENTS && kind != KIND_EVENT && kind != KIND_HELLO)
		return true;
	printf(form == EVENTS ? "%" PRId64 "\t%" PRIu64 "\t%" PRId64
			      : "%" PRId64 " %" PRIu64 " %" PRId64,
	       seq, kind, (int64_t)at);
	bool ok = form == BODIES   ? print_body(body)
		  : form == EVENTS ? print_told(body, kind)
				   : kind != KIND_REPORT || print_report(body);
	printf("\n");
	return ok;
}

static bool print_row(struct bytes row, int64_t *seq, enum form form)
{
	uint64_t count;
	bool ok = take_number(&row, 4, &count);
	for (uint64_t i = 0; ok && i < count; i++)
		ok = print_entry(&row, (*seq)++, form);
	return ok && row.n == 0;
}

/* The first row may be any; after it no number may be missing. */
static bool print_rows(sqlite3_stmt *stmt, enum form form)
{
	int64_t next = 0;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(stmt, 0);
		struct bytes row = {sqlite3_column_blob(stmt, 1),
				    (size_t)sqlite3_column_bytes(stmt, 1)};
		if (next != 0 && seq != next) {
			fprintf(stderr,
				"logread: a row begins at %" PRId64 ", expected %" PRId64 "\n", seq,
				next);
			return false;
		}
		next = seq;
		if (!print_row(row, &next, form)) {
			fprintf(stderr, "logread: the row at %" PRId64 " is damaged\n", seq);
			return false;
		}
	}
	return rc == SQLITE_DONE;
}

static bool print_log(sqlite3 *db, int64_t part, enum form form)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, "select seq, body from log where part = ?1 order by seq", -1,
			       &stmt, NULL) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 1, part) != SQLITE_OK) {
		fprintf(stderr, "logread: %s\n", sqlite3_errmsg(db));
		return false;
	}
	bool ok = print_rows(stmt, form);
	(void)sqlite3_finalize(stmt);
	return ok;
}

static enum form form_of(const char *option)
{
	return strcmp(option, "-b") == 0 ? BODIES : strcmp(option, "-e") == 0 ? EVENTS : LINES;
}

int main(int argc, char **argv)
{
	enum form form = argc > 1 ? form_of(argv[1]) : LINES;
	char **args = argv + 1 + (form != LINES);
	int n = argc - 1 - (form != LINES);
	if (n < 1 || n > 2) {
		fprintf(stderr, "usage: logread [-b|-e] DIR/log.db [partition]\n");
		return 2;
	}
	sqlite3 *db;
	bool ok = sqlite3_open_v2(args[0], &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		  print_log(db, n == 2 ? strtoll(args[1], NULL, 10) : 0, form);
	(void)sqlite3_close(db);
	return ok ? 0 : 1;
}
