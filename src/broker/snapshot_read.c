#include "broker/snapshot.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/cursor.h"
#include "broker/snapshot_format.h"

#define SIZE_LIMIT ((size_t)8 << 30) /* more identities than one broker holds */

struct section {
	const uint8_t *at;
	uint64_t count;
};

struct snapshot {
	uint64_t generation;
	size_t n;
	uint8_t *bytes;
	struct section sections[SNAPSHOT_SECTIONS];
	struct view account[ACCOUNT_NAMES];
};

/* Writes the reason and returns -1. */
static int refuse(char *why, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int refuse(char *why, size_t cap, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why, cap, fmt, args);
	va_end(args);
	return -1;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* ---- Checksum ---- */

#define LANES 4
#define MIX   0x9E3779B97F4A7C15U

struct lanes {
	uint64_t a, b, c, d;
};

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * MIX;
	return lane ^ lane >> 32;
}

static inline struct lanes mix_block(struct lanes l, const uint8_t *p)
{
	return (struct lanes){mix(l.a, get64(p)), mix(l.b, get64(p + 8)), mix(l.c, get64(p + 16)),
			      mix(l.d, get64(p + 24))};
}

uint64_t snapshot_checksum(const uint8_t *p, size_t n)
{
	struct lanes l = {1, 2, 3, 4};
	uint8_t tail[LANES * 8] = {0};
	size_t whole = n / sizeof(tail) * sizeof(tail);
	for (size_t at = 0; at < whole; at += sizeof(tail))
		l = mix_block(l, p + at);
	memcpy(tail, p + whole, n - whole);
	l = mix_block(l, tail);
	return mix(mix(mix(mix(n, l.a), l.b), l.c), l.d);
}

/* ---- Checking: every offset, once, so that look-ups need not ---- */

static const uint8_t *element(const struct snapshot *s, enum snapshot_section section, uint64_t i)
{
	return s->sections[section].at + i * snapshot_element_size[section];
}

/* A span of `section` lies inside it. */
static bool span_fits(const struct snapshot *s, const uint8_t *span, enum snapshot_section section)
{
	uint64_t end = (uint64_t)get32(span) + get32(span + 4);
	return end <= s->sections[section].count;
}

static struct view text(const struct snapshot *s, const uint8_t *span)
{
	const uint8_t *p = element(s, SECTION_BYTES, get32(span));
	return (struct view){(const char *)p, get32(span + 4)};
}

static bool list_fits(const struct snapshot *s, const uint8_t *span, enum snapshot_section of)
{
	if (!span_fits(s, span, SECTION_LISTS))
		return false;
	uint64_t first = get32(span), n = get32(span + 4);
	for (uint64_t i = 0; i < n; i++)
		if (get32(element(s, SECTION_LISTS, first + i)) >= s->sections[of].count)
			return false;
	return true;
}

static bool account_name_is_sound(const struct snapshot *s, const uint8_t *record)
{
	return span_fits(s, record, SECTION_BYTES);
}

static bool policy_is_sound(const struct snapshot *s, const uint8_t *record)
{
	if (!span_fits(s, record, SECTION_BYTES) ||
	    !span_fits(s, record + SPAN_SIZE, SECTION_BYTES))
		return false;
	struct view program = text(s, record + SPAN_SIZE);
	return policy_program_valid((const uint8_t *)program.p, program.n);
}

static bool group_is_sound(const struct snapshot *s, const uint8_t *record)
{
	return span_fits(s, record, SECTION_BYTES) &&
	       list_fits(s, record + SPAN_SIZE, SECTION_POLICIES);
}

static bool thing_is_sound(const struct snapshot *s, const uint8_t *record)
{
	return span_fits(s, record, SECTION_BYTES) &&
	       list_fits(s, record + SPAN_SIZE, SECTION_GROUPS);
}

static bool cert_is_sound(const struct snapshot *s, const uint8_t *record)
{
	bool is_exclusive = get64(record + CERT_FLAGS) & CERT_EXCLUSIVE;
	return list_fits(s, record + CERT_THINGS, SECTION_THINGS) &&
	       list_fits(s, record + CERT_POLICIES, SECTION_POLICIES) &&
	       (!is_exclusive || get32(record + CERT_THINGS + 4) == 1);
}

static bool bucket_is_sound(const struct snapshot *s, const uint8_t *record)
{
	return get32(record) <= s->sections[SECTION_CERTS].count;
}

static const struct {
	enum snapshot_section section;
	const char *name;
	bool (*is_sound)(const struct snapshot *s, const uint8_t *record);
} record_checks[] = {
	{SECTION_ACCOUNT,  "account name",     account_name_is_sound},
	{SECTION_POLICIES, "policy",           policy_is_sound      },
	{SECTION_GROUPS,   "group",            group_is_sound       },
	{SECTION_THINGS,   "thing",            thing_is_sound       },
	{SECTION_CERTS,    "certificate",      cert_is_sound        },
	{SECTION_BUCKETS,  "hash table entry", bucket_is_sound      },
};

static int check_records(const struct snapshot *s, char *why, size_t cap)
{
	for (size_t i = 0; i < ARRAY_LEN(record_checks); i++) {
		enum snapshot_section section = record_checks[i].section;
		for (uint64_t k = 0; k < s->sections[section].count; k++)
			if (!record_checks[i].is_sound(s, element(s, section, k)))
				return refuse(why, cap, "%s %" PRIu64 " is damaged",
					      record_checks[i].name, k);
	}
	return 0;
}

/* Sections stand one behind the other; element counts are bounded by the length before they are
 * multiplied. */
static int check_sections(struct snapshot *s, struct reader *r, char *why, size_t cap)
{
	size_t end = s->n - TRAILER_SIZE, at = HEADER_SIZE;
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++) {
		uint64_t offset = read_u64(r), count = read_u64(r);
		uint64_t size = snapshot_element_size[i];
		if (offset % SECTION_ALIGN || offset < at || offset > end ||
		    count > (end - offset) / size)
			return refuse(why, cap, "section %u reaches outside the file", i);
		s->sections[i] = (struct section){s->bytes + offset, count};
		at = (size_t)(offset + count * size);
	}
	uint64_t buckets = s->sections[SECTION_BUCKETS].count;
	if (buckets == 0 || (buckets & (buckets - 1)) ||
	    s->sections[SECTION_CERTS].count > UINT32_MAX - 1)
		return refuse(why, cap, "hash table has %" PRIu64 " entries, not a power of two",
			      buckets);
	if (s->sections[SECTION_ACCOUNT].count != ACCOUNT_NAMES)
		return refuse(why, cap, "account names are missing");
	return 0;
}

static int check_header(struct snapshot *s, struct reader *r, char *why, size_t cap)
{
	if (s->n < HEADER_SIZE + TRAILER_SIZE)
		return refuse(why, cap, "%zu bytes are too few for a snapshot", s->n);
	if (read_u64(r) != SNAPSHOT_MAGIC)
		return refuse(why, cap, "not a snapshot: wrong magic number");
	uint32_t version = read_u32(r), sections = read_u32(r);
	if (version != SNAPSHOT_VERSION || sections != SNAPSHOT_SECTIONS)
		return refuse(why, cap, "format version %" PRIu32 " is not %d: upgrade the plugin",
			      version, SNAPSHOT_VERSION);
	s->generation = read_u64(r);
	uint64_t length = read_u64(r);
	if (length != s->n)
		return refuse(why, cap, "length %zu is not the %" PRIu64 " of its header", s->n,
			      length);
	size_t body = s->n - TRAILER_SIZE;
	if (snapshot_checksum(s->bytes, body) != get64(s->bytes + body))
		return refuse(why, cap, "checksum does not match");
	return 0;
}

static int verify(struct snapshot *s, char *why, size_t cap)
{
	struct reader r = reader_of(s->bytes, s->n);
	if (check_header(s, &r, why, cap) < 0 || check_sections(s, &r, why, cap) < 0 ||
	    check_records(s, why, cap) < 0)
		return -1;
	for (unsigned i = 0; i < ACCOUNT_NAMES; i++)
		s->account[i] = text(s, element(s, SECTION_ACCOUNT, i));
	return 0;
}

/* ---- Loading ---- */

static struct snapshot *snapshot_alloc(size_t n, char *why, size_t cap)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	if (s)
		s->bytes = malloc(n ? n : 1);
	if (!s || !s->bytes) {
		(void)refuse(why, cap, "no memory for its %zu bytes", n);
		snapshot_free(s);
		return NULL;
	}
	s->n = n;
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	free(s->bytes);
	free(s);
}

int snapshot_load_bytes(const void *bytes, size_t n, struct snapshot **ret, char *why,
			size_t why_cap)
{
	struct snapshot *s = snapshot_alloc(n, why, why_cap);
	if (!s)
		return -1;
	if (n)
		memcpy(s->bytes, bytes, n);
	if (verify(s, why, why_cap) < 0) {
		snapshot_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int check_file(const struct stat *st, uid_t owner, char *why, size_t cap)
{
	if (!S_ISREG(st->st_mode))
		return refuse(why, cap, "not a regular file");
	if (st->st_uid != owner)
		return refuse(why, cap, "owned by uid %u, not by the daemon's %u", st->st_uid,
			      owner);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return refuse(why, cap, "mode %04o lets others write it: chmod go-w",
			      st->st_mode & 07777U);
	if (st->st_size < 0 || (uint64_t)st->st_size > SIZE_LIMIT)
		return refuse(why, cap, "%jd bytes are more than a snapshot may have",
			      (intmax_t)st->st_size);
	return 0;
}

static int read_all(int fd, uint8_t *to, size_t n, char *why, size_t cap)
{
	while (n) {
		ssize_t got = read(fd, to, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(why, cap, "read: %s", strerrordesc_np(errno));
		if (got == 0)
			return refuse(why, cap, "truncated while it was read");
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

/* The verified snapshot, or NULL with the reason. */
static struct snapshot *load_fd(int fd, uid_t owner, char *why, size_t cap)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		(void)refuse(why, cap, "stat: %s", strerrordesc_np(errno));
		return NULL;
	}
	if (check_file(&st, owner, why, cap) < 0)
		return NULL;
	struct snapshot *s = snapshot_alloc((size_t)st.st_size, why, cap);
	if (!s)
		return NULL;
	if (read_all(fd, s->bytes, s->n, why, cap) < 0 || verify(s, why, cap) < 0) {
		snapshot_free(s);
		return NULL;
	}
	return s;
}

int snapshot_load(const char *path, uid_t owner, uint64_t at_least, struct snapshot **ret,
		  char *why, size_t why_cap)
{
	/* O_NONBLOCK: a pipe put in its place must not hold the broker. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, why_cap, "%s",
			      errno == ELOOP ? "a symbolic link" : strerrordesc_np(errno));
	struct snapshot *s = load_fd(fd, owner, why, why_cap);
	(void)close(fd);
	if (!s)
		return -1;
	if (s->generation < at_least) {
		(void)refuse(why, why_cap, "generation %" PRIu64 " is older than %" PRIu64,
			     s->generation, at_least);
		snapshot_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

uint64_t snapshot_in_force(const struct snapshot *s)
{
	return s->generation;
}

/* ---- Looking up ---- */

static const uint8_t *find_record(const struct snapshot *s, const uint8_t *fingerprint,
				  uint32_t *ret_index)
{
	uint64_t n = s->sections[SECTION_BUCKETS].count;
	uint64_t at = snapshot_hash(fingerprint) & (n - 1);
	for (uint64_t steps = 0; steps < n; steps++, at = (at + 1) & (n - 1)) {
		uint32_t entry = get32(element(s, SECTION_BUCKETS, at));
		if (entry == 0)
			return NULL;
		const uint8_t *record = element(s, SECTION_CERTS, entry - 1);
		if (memcmp(record + CERT_FINGERPRINT, fingerprint, SNAPSHOT_FINGERPRINT) == 0) {
			*ret_index = entry - 1;
			return record;
		}
	}
	return NULL;
}

bool snapshot_find(const struct snapshot *s, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		   struct snapshot_cert *ret)
{
	uint32_t index;
	const uint8_t *record = find_record(s, fingerprint, &index);
	if (!record)
		return false;
	uint64_t flags = get64(record + CERT_FLAGS);
	*ret = (struct snapshot_cert){
		.status = flags & CERT_ACTIVE ? SNAPSHOT_CERT_ACTIVE : SNAPSHOT_CERT_INACTIVE,
		.not_before = (int64_t)get64(record + CERT_NOT_BEFORE),
		.not_after = (int64_t)get64(record + CERT_NOT_AFTER),
		.is_exclusive = flags & CERT_EXCLUSIVE,
		.record = index,
	};
	return true;
}

static const uint8_t *listed(const struct snapshot *s, const uint8_t *span, uint32_t i,
			     enum snapshot_section of)
{
	return element(s, of, get32(element(s, SECTION_LISTS, (uint64_t)get32(span) + i)));
}

static const uint8_t *find_thing(const struct snapshot *s, const uint8_t *cert, struct view name)
{
	const uint8_t *things = cert + CERT_THINGS;
	for (uint32_t i = 0; i < get32(things + 4); i++) {
		const uint8_t *thing = listed(s, things, i, SECTION_THINGS);
		if (view_eq(text(s, thing), name))
			return thing;
	}
	return NULL;
}

bool snapshot_cert_has_thing(const struct snapshot *s, const struct snapshot_cert *c,
			     struct view thing)
{
	return find_thing(s, element(s, SECTION_CERTS, c->record), thing) != NULL;
}

struct program_list {
	struct view *programs;
	unsigned n, cap; /* n is cap + 1 when there were more */
};

static void add_program(struct program_list *list, struct view program)
{
	for (unsigned i = 0; i < list->n && i < list->cap; i++)
		if (list->programs[i].p == program.p)
			return;
	if (list->n < list->cap)
		list->programs[list->n] = program;
	if (list->n <= list->cap)
		list->n++;
}

static void add_policies(const struct snapshot *s, const uint8_t *span, struct program_list *list)
{
	for (uint32_t i = 0; i < get32(span + 4) && list->n <= list->cap; i++)
		add_program(list, text(s, listed(s, span, i, SECTION_POLICIES) + SPAN_SIZE));
}

static void add_groups(const struct snapshot *s, const uint8_t *thing, struct program_list *list)
{
	const uint8_t *groups = thing + SPAN_SIZE;
	for (uint32_t i = 0; i < get32(groups + 4) && list->n <= list->cap; i++)
		add_policies(s, listed(s, groups, i, SECTION_GROUPS) + SPAN_SIZE, list);
}

static const uint8_t *connection_thing(const struct snapshot *s, const struct snapshot_cert *c,
				       const uint8_t *cert, struct view client_id)
{
	const uint8_t *thing = find_thing(s, cert, client_id);
	if (!thing && c->is_exclusive)
		thing = listed(s, cert + CERT_THINGS, 0, SECTION_THINGS);
	return thing;
}

unsigned snapshot_programs(const struct snapshot *s, const struct snapshot_cert *c,
			   struct view client_id, struct policy_request *request,
			   struct view *programs, unsigned cap)
{
	const uint8_t *cert = element(s, SECTION_CERTS, c->record);
	const uint8_t *thing = connection_thing(s, c, cert, client_id);
	struct program_list list = {programs, 0, cap};
	request->partition = s->account[0];
	request->region = s->account[1];
	request->account = s->account[2];
	request->client_id = client_id;
	request->thing_name = thing ? text(s, thing) : (struct view){0};
	request->is_thing_attached = thing != NULL;
	add_policies(s, cert + CERT_POLICIES, &list);
	if (thing)
		add_groups(s, thing, &list);
	return list.n;
}
