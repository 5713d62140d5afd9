#include "broker/snapshot_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "broker/snapshot_format.h"

#define SIZE_LIMIT ((uint64_t)8 << 30) /* more identities than one broker holds */

struct snapshot_chunk {
	struct snapshot_chunk *next;
	uint8_t records[];
};

/* A reason in words, for whoever asked. */
struct why {
	char *text;
	size_t cap;
};

/* Writes the reason and returns -1. */
static int refuse(const struct why *why, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int refuse(const struct why *why, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why->text, why->cap, fmt, args);
	va_end(args);
	return -1;
}

/* ---- Where the bytes come from ---- */

static int check_file(const struct stat *st, uid_t owner, const struct why *why)
{
	if (!S_ISREG(st->st_mode))
		return refuse(why, "not a regular file");
	if (st->st_uid != owner)
		return refuse(why, "owned by uid %u, not by the daemon's %u", st->st_uid, owner);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return refuse(why, "mode %04o lets others write it: chmod go-w",
			      st->st_mode & 07777U);
	if (st->st_size < 0 || (uint64_t)st->st_size > SIZE_LIMIT)
		return refuse(why, "%jd bytes are more than a snapshot may have",
			      (intmax_t)st->st_size);
	return 0;
}

/* Looks at the file again: it may have grown, and others may have got hold of it. */
static int look(struct snapshot *s, const struct why *why)
{
	struct stat st;
	if (s->fd < 0)
		return 0;
	if (fstat(s->fd, &st) < 0)
		return refuse(why, "stat: %s", strerrordesc_np(errno));
	if (check_file(&st, s->owner, why) < 0)
		return -1;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->size = (uint64_t)st.st_size;
	if (s->size < s->at)
		return refuse(why, "cut to %" PRIu64 " bytes while in use", s->size);
	return 0;
}

/* Never maps the file: it may shrink under the reader. */
static int read_at(const struct snapshot *s, uint64_t at, uint8_t *to, size_t n,
		   const struct why *why)
{
	if (s->fd < 0) {
		memcpy(to, s->bytes + at, n);
		return 0;
	}
	while (n) {
		ssize_t got = pread(s->fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(why, "read: %s", strerrordesc_np(errno));
		if (got == 0)
			return refuse(why, "truncated while it was read");
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* ---- Checking: every field, once, so that look-ups need not ---- */

static bool names_are_sound(struct reader *body)
{
	struct view names = read_bytes32(body);
	struct reader r = reader_of(names.p, names.n);
	while (!r.bad && reader_left(&r))
		(void)read_str16(&r);
	return !r.bad;
}

static bool account_is_sound(struct reader *body)
{
	for (unsigned i = 0; i < 3; i++)
		(void)read_str16(body);
	return true;
}

static bool policy_is_sound(struct reader *body)
{
	(void)read_u32(body);
	size_t n = reader_left(body);
	const uint8_t *program = read_raw(body, n);
	return program && policy_program_valid(program, n);
}

static bool group_is_sound(struct reader *body)
{
	return read_u8(body) <= 1 && names_are_sound(body);
}

static bool thing_is_sound(struct reader *body)
{
	(void)read_bytes32(body);
	return names_are_sound(body);
}

static bool cert_is_sound(struct reader *body)
{
	uint8_t status = read_u8(body), is_exclusive = read_u8(body);
	(void)read_i64(body);
	(void)read_i64(body);
	(void)read_bytes32(body);
	return status < SNAPSHOT_CERT_STATUSES && is_exclusive <= 1 && names_are_sound(body) &&
	       names_are_sound(body);
}

static const struct {
	const char *name;
	bool (*is_sound)(struct reader *body);
} kinds[SNAPSHOT_KINDS] = {
	[SNAPSHOT_ACCOUNT] = {"account",     account_is_sound},
	[SNAPSHOT_POLICY] = {"policy",      policy_is_sound },
	[SNAPSHOT_GROUP] = {"group",       group_is_sound  },
	[SNAPSHOT_THING] = {"thing",       thing_is_sound  },
	[SNAPSHOT_CERT] = {"certificate", cert_is_sound   },
	[SNAPSHOT_DIMENSION] = {"dimension",   names_are_sound },
};

/* The next record's place in *ret; 0, or -1 when it is damaged. */
static int take_record(struct reader *records, const uint8_t **ret, const struct why *why)
{
	const uint8_t *at = records->at;
	uint32_t length = read_u32(records);
	uint8_t kind = read_u8(records), is_deleted = read_u8(records);
	uint16_t n_key = read_u16(records);
	(void)read_raw(records, record_padded((size_t)RECORD_HEADER + length) - RECORD_HEADER);
	if (records->bad || kind >= SNAPSHOT_KINDS || is_deleted > 1 || n_key > length)
		return refuse(why, "a record is damaged");
	if ((kind == SNAPSHOT_CERT && n_key != SNAPSHOT_FINGERPRINT) ||
	    (kind == SNAPSHOT_ACCOUNT && (n_key || is_deleted)))
		return refuse(why, "a record of a %s has a key that cannot be", kinds[kind].name);
	struct reader body = snapshot_record_at(at).body;
	if ((!is_deleted && !kinds[kind].is_sound(&body)) || !reader_done(&body))
		return refuse(why, "a record of a %s is damaged", kinds[kind].name);
	*ret = at;
	return 0;
}

static int check_records(struct view records, size_t ret_counts[SNAPSHOT_KINDS],
			 const struct why *why)
{
	struct reader r = reader_of(records.p, records.n);
	const uint8_t *at = NULL;
	while (reader_left(&r)) {
		if (take_record(&r, &at, why) < 0)
			return -1;
		ret_counts[snapshot_record_at(at).kind]++;
	}
	return 0;
}

/* ---- Parts ---- */

struct part {
	uint64_t length, generation, sum;
	size_t counts[SNAPSHOT_KINDS]; /* of its records */
};

static int read_part_header(const struct snapshot *s, struct part *ret, const struct why *why)
{
	uint8_t bytes[PART_HEADER];
	if (read_at(s, s->at, bytes, sizeof(bytes), why) < 0)
		return -1;
	struct reader r = reader_of(bytes, sizeof(bytes));
	ret->length = read_u64(&r);
	ret->generation = read_u64(&r);
	ret->sum = read_u64(&r);
	return 0;
}

static int check_part(const struct snapshot *s, const struct part *part, const struct why *why)
{
	uint64_t limit = s->base_end ? PART_BYTES_MAX : SIZE_LIMIT;
	if (part->length > limit || part->length % RECORD_ALIGN)
		return refuse(why, "a part's length %" PRIu64 " cannot be", part->length);
	if (part->generation < s->generation)
		return refuse(why, "a part's generation %" PRIu64 " is older than %" PRIu64,
			      part->generation, s->generation);
	if (s->base_end && s->at - s->base_end + part->length > DELTA_BYTES_MAX(s->base_end))
		return refuse(why, "the changes are too many for a base of %" PRIu64 " bytes",
			      s->base_end);
	return 0;
}

static int check_sum(const struct part *part, const uint8_t *records, const struct why *why)
{
	struct snapshot_sum sum;
	snapshot_sum_begin(&sum);
	snapshot_sum_add(&sum, records, part->length);
	if (snapshot_sum_end(&sum, part->generation) != part->sum)
		return refuse(why, "checksum does not match");
	return 0;
}

/* The part's records, checked, in memory of their own. NULL: refused. */
static struct snapshot_chunk *read_records(const struct snapshot *s, struct part *part,
					   const struct why *why)
{
	struct snapshot_chunk *chunk = malloc(sizeof(*chunk) + part->length);
	if (!chunk) {
		(void)refuse(why, "no memory for its %" PRIu64 " bytes", part->length);
		return NULL;
	}
	struct view records = {(const char *)chunk->records, part->length};
	if (read_at(s, s->at + PART_HEADER, chunk->records, part->length, why) < 0 ||
	    check_sum(part, chunk->records, why) < 0 ||
	    check_records(records, part->counts, why) < 0) {
		free(chunk);
		return NULL;
	}
	return chunk;
}

/* For a base half as much again: whoever follows it later does not wait for a table to grow. */
static int reserve(struct snapshot *s, const struct part *part, const struct why *why)
{
	for (unsigned i = 0; i < SNAPSHOT_KINDS; i++) {
		size_t n = part->counts[i];
		if (snapshot_table_reserve(&s->tables[i], s->base_end ? n : n + n / 2) < 0)
			return refuse(why, "no memory for its tables");
	}
	return 0;
}

static void tell(struct snapshot_news *news, const struct snapshot_record *record)
{
	if (record->kind == SNAPSHOT_CERT)
		news->on_cert(news->ctx, (const uint8_t *)record->key.p);
	else if (record->kind == SNAPSHOT_DIMENSION)
		news->has_dimensions = true;
	else if (record->kind != SNAPSHOT_THING)
		news->is_all = true;
}

static void put_in_force(struct snapshot *s, struct snapshot_chunk *chunk, const struct part *part,
			 struct snapshot_news *news)
{
	chunk->next = s->chunks;
	s->chunks = chunk;
	const uint8_t *end = chunk->records + part->length;
	for (const uint8_t *at = chunk->records; at < end; at = snapshot_record_next(at)) {
		struct snapshot_record record = snapshot_record_at(at);
		snapshot_table_put(&s->tables[record.kind], at);
		if (news)
			tell(news, &record);
	}
	s->at += PART_HEADER + part->length;
	s->generation = part->generation;
	s->memory += sizeof(*chunk) + part->length;
}

/* The next part. 1: taken; 0: it is not there, or not whole yet; -1: refused. */
static int take_part(struct snapshot *s, struct snapshot_news *news, const struct why *why)
{
	struct part part = {0};
	if (look(s, why) < 0)
		return -1;
	if (s->size - s->at < PART_HEADER)
		return 0;
	if (read_part_header(s, &part, why) < 0 || check_part(s, &part, why) < 0)
		return -1;
	if (s->size - s->at - PART_HEADER < part.length)
		return 0;
	struct snapshot_chunk *chunk = read_records(s, &part, why);
	if (!chunk)
		return -1;
	if (reserve(s, &part, why) < 0) {
		free(chunk);
		return -1;
	}
	put_in_force(s, chunk, &part, news);
	return 1;
}

int snapshot_follow(struct snapshot *s, struct snapshot_news *news, char *why, size_t why_cap)
{
	return take_part(s, news, &(struct why){why, why_cap});
}

/* ---- Loading ---- */

static int take_header(struct snapshot *s, const struct why *why)
{
	uint8_t bytes[HEADER_SIZE];
	if (look(s, why) < 0)
		return -1;
	if (s->size < HEADER_SIZE + PART_HEADER)
		return refuse(why, "%" PRIu64 " bytes are too few for a snapshot", s->size);
	if (read_at(s, 0, bytes, sizeof(bytes), why) < 0)
		return -1;
	struct reader r = reader_of(bytes, sizeof(bytes));
	if (read_u64(&r) != SNAPSHOT_MAGIC)
		return refuse(why, "not a snapshot: wrong magic number");
	uint64_t version = read_u64(&r);
	if (version != SNAPSHOT_VERSION)
		return refuse(why, "format version %" PRIu64 " is not %d: upgrade the plugin",
			      version, SNAPSHOT_VERSION);
	s->at = HEADER_SIZE;
	return 0;
}

static int take_base(struct snapshot *s, const struct why *why)
{
	int rc = take_part(s, NULL, why);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return refuse(why, "%" PRIu64 " bytes: its base is not whole", s->size);
	if (!snapshot_table_find(&s->tables[SNAPSHOT_ACCOUNT], VIEW_LIT("")))
		return refuse(why, "account names are missing");
	s->base_end = s->at;
	return 0;
}

static int take_all(struct snapshot *s, const struct why *why)
{
	if (take_header(s, why) < 0 || take_base(s, why) < 0)
		return -1;
	for (;;) {
		int rc = take_part(s, NULL, why);
		if (rc <= 0)
			return rc;
	}
}

/* The snapshot that `from` (its source) names, or -1 with the reason; closes the source then. */
static int load(const struct snapshot *from, uint64_t at_least, struct snapshot **ret,
		const struct why *why)
{
	struct snapshot *s = malloc(sizeof(*s));
	if (!s) {
		(void)close(from->fd);
		return refuse(why, "no memory");
	}
	*s = *from;
	int rc = take_all(s, why);
	if (rc == 0 && s->generation < at_least)
		rc = refuse(why, "generation %" PRIu64 " is older than %" PRIu64, s->generation,
			    at_least);
	if (rc < 0) {
		snapshot_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int snapshot_load(const char *path, uid_t owner, uint64_t at_least, struct snapshot **ret,
		  char *why, size_t why_cap)
{
	const struct why reason = {why, why_cap};
	/* O_NONBLOCK: a pipe put in its place must not hold the broker. */
	const struct snapshot source = {
		.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
		.owner = owner,
	};
	if (source.fd < 0)
		return refuse(&reason, "%s",
			      errno == ELOOP ? "a symbolic link" : strerrordesc_np(errno));
	return load(&source, at_least, ret, &reason);
}

int snapshot_load_bytes(const void *bytes, size_t n, struct snapshot **ret, char *why,
			size_t why_cap)
{
	const struct why reason = {why, why_cap};
	if (load(&(struct snapshot){.fd = -1, .bytes = bytes, .size = n}, 0, ret, &reason) < 0)
		return -1;
	(*ret)->bytes = NULL;
	(*ret)->size = (*ret)->at;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	while (s->chunks) {
		struct snapshot_chunk *chunk = s->chunks;
		s->chunks = chunk->next;
		free(chunk);
	}
	for (unsigned i = 0; i < SNAPSHOT_KINDS; i++)
		free(s->tables[i].slots);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

bool snapshot_is_file(const struct snapshot *s, const struct stat *st)
{
	return s->fd >= 0 && s->dev == st->st_dev && s->ino == st->st_ino;
}

uint64_t snapshot_in_force(const struct snapshot *s)
{
	return s->generation;
}

size_t snapshot_memory(const struct snapshot *s)
{
	size_t n = s->memory;
	for (unsigned i = 0; i < SNAPSHOT_KINDS; i++)
		n += s->tables[i].n_slots * sizeof(*s->tables[i].slots);
	return n;
}
