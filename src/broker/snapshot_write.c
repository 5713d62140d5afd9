#include "broker/snapshot.h"

#include <glib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/file.h"
#include "broker/snapshot_format.h"

struct snapshot_builder {
	uint64_t generation;
	GByteArray *sections[SNAPSHOT_SECTIONS];
	uint32_t counts[SNAPSHOT_SECTIONS];
};

static uint8_t *section_grow(struct snapshot_builder *b, enum snapshot_section section,
			     size_t count)
{
	GByteArray *bytes = b->sections[section];
	size_t size = count * snapshot_element_size[section];
	size_t start = bytes->len;
	CHECK(start + size <= UINT32_MAX);
	g_byte_array_set_size(bytes, (guint)(start + size));
	b->counts[section] += (uint32_t)count;
	return size ? bytes->data + start : NULL;
}

static struct writer section_writer(struct snapshot_builder *b, enum snapshot_section section)
{
	return writer_of(section_grow(b, section, 1), snapshot_element_size[section]);
}

static void write_span(struct writer *w, uint32_t offset, size_t n)
{
	write_u32(w, offset);
	write_u32(w, (uint32_t)n);
}

/* Puts s among the BYTES and writes its span. */
static void write_text(struct snapshot_builder *b, struct writer *w, struct view s)
{
	uint32_t offset = b->counts[SECTION_BYTES];
	uint8_t *to = section_grow(b, SECTION_BYTES, s.n);
	if (to)
		memcpy(to, s.p, s.n);
	write_span(w, offset, s.n);
}

/* Puts indexes of records of `of` among the LISTS and writes their span. */
static void write_list(struct snapshot_builder *b, struct writer *w, enum snapshot_section of,
		       const uint32_t *indexes, uint32_t n)
{
	uint32_t offset = b->counts[SECTION_LISTS];
	struct writer list = writer_of(section_grow(b, SECTION_LISTS, n), (size_t)n * 4);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(indexes[i] < b->counts[of]);
		write_u32(&list, indexes[i]);
	}
	write_span(w, offset, n);
}

struct snapshot_builder *snapshot_builder_new(uint64_t generation, const char *partition,
					      const char *region, const char *account)
{
	struct snapshot_builder *b = g_new0(struct snapshot_builder, 1);
	b->generation = generation;
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++)
		b->sections[i] = g_byte_array_new();
	const char *names[ACCOUNT_NAMES] = {partition, region, account};
	for (unsigned i = 0; i < ACCOUNT_NAMES; i++) {
		struct writer w = section_writer(b, SECTION_ACCOUNT);
		write_text(b, &w, view_of(names[i]));
	}
	return b;
}

void snapshot_builder_free(struct snapshot_builder *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++)
		g_byte_array_unref(b->sections[i]);
	g_free(b);
}

uint32_t snapshot_add_policy(struct snapshot_builder *b, struct view name, struct view program)
{
	struct writer w = section_writer(b, SECTION_POLICIES);
	write_text(b, &w, name);
	write_text(b, &w, program);
	return b->counts[SECTION_POLICIES] - 1;
}

uint32_t snapshot_add_group(struct snapshot_builder *b, struct view name, const uint32_t *policies,
			    uint32_t n)
{
	struct writer w = section_writer(b, SECTION_GROUPS);
	write_text(b, &w, name);
	write_list(b, &w, SECTION_POLICIES, policies, n);
	return b->counts[SECTION_GROUPS] - 1;
}

uint32_t snapshot_add_thing(struct snapshot_builder *b, struct view name, const uint32_t *groups,
			    uint32_t n)
{
	struct writer w = section_writer(b, SECTION_THINGS);
	write_text(b, &w, name);
	write_list(b, &w, SECTION_GROUPS, groups, n);
	return b->counts[SECTION_THINGS] - 1;
}

void snapshot_add_cert(struct snapshot_builder *b, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		       enum snapshot_cert_status status, int64_t not_before, int64_t not_after,
		       bool is_exclusive, const uint32_t *things, uint32_t n_things,
		       const uint32_t *policies, uint32_t n_policies)
{
	CHECK(!is_exclusive || n_things == 1);
	struct writer w = section_writer(b, SECTION_CERTS);
	write_raw(&w, fingerprint, SNAPSHOT_FINGERPRINT);
	write_i64(&w, not_before);
	write_i64(&w, not_after);
	write_list(b, &w, SECTION_THINGS, things, n_things);
	write_list(b, &w, SECTION_POLICIES, policies, n_policies);
	write_u64(&w, (status == SNAPSHOT_CERT_ACTIVE ? CERT_ACTIVE : 0) |
			      (is_exclusive ? CERT_EXCLUSIVE : 0));
}

/* ---- The image ---- */

static uint64_t bucket_count(uint64_t certs)
{
	uint64_t n = 8;
	while (n < 2 * certs)
		n *= 2;
	return n;
}

/* Open addressing with linear steps, at most half full. */
static void fill_buckets(uint32_t *buckets, uint64_t n, const GByteArray *certs)
{
	for (uint32_t i = 0; i < certs->len / CERT_SIZE; i++) {
		const uint8_t *cert = certs->data + (size_t)i * CERT_SIZE;
		uint64_t at = snapshot_hash(cert + CERT_FINGERPRINT) & (n - 1);
		while (buckets[at])
			at = (at + 1) & (n - 1);
		buckets[at] = GUINT32_TO_LE(i + 1);
	}
}

static size_t align_up(size_t n)
{
	return (n + SECTION_ALIGN - 1) / SECTION_ALIGN * SECTION_ALIGN;
}

struct image {
	uint8_t *bytes; /* g_free */
	size_t n;
};

static size_t section_bytes(const uint64_t counts[SNAPSHOT_SECTIONS], unsigned section)
{
	return align_up(counts[section] * snapshot_element_size[section]);
}

static void write_header(struct writer *w, uint64_t generation, size_t length,
			 const uint64_t counts[SNAPSHOT_SECTIONS])
{
	write_u64(w, SNAPSHOT_MAGIC);
	write_u32(w, SNAPSHOT_VERSION);
	write_u32(w, SNAPSHOT_SECTIONS);
	write_u64(w, generation);
	write_u64(w, length);
	size_t at = HEADER_SIZE;
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++) {
		write_u64(w, at);
		write_u64(w, counts[i]);
		at += section_bytes(counts, i);
	}
}

static struct image image_build(const struct snapshot_builder *b)
{
	uint64_t counts[SNAPSHOT_SECTIONS];
	size_t length = HEADER_SIZE + TRAILER_SIZE;
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++) {
		counts[i] = i == SECTION_BUCKETS ? bucket_count(b->counts[SECTION_CERTS])
						 : b->counts[i];
		length += section_bytes(counts, i);
	}
	struct image image = {g_malloc0(length), length};
	struct writer w = writer_of(image.bytes, length);
	write_header(&w, b->generation, length, counts);
	for (unsigned i = 0; i < SNAPSHOT_SECTIONS; i++) {
		uint8_t *to = write_room(&w, section_bytes(counts, i));
		if (i == SECTION_BUCKETS)
			fill_buckets((uint32_t *)(void *)to, counts[i], b->sections[SECTION_CERTS]);
		else if (b->sections[i]->len)
			memcpy(to, b->sections[i]->data, b->sections[i]->len);
	}
	write_u64(&w, snapshot_checksum(image.bytes, length - TRAILER_SIZE));
	CHECK(!w.full && w.len == length);
	return image;
}

/* ---- The file ---- */

int snapshot_write(const struct snapshot_builder *b, const char *path, mode_t mode, gid_t gid)
{
	struct image image = image_build(b);
	int rc = file_replace(path, image.bytes, image.n, mode, gid);
	g_free(image.bytes);
	return rc;
}

uint64_t snapshot_generation(const char *path)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	if (snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)) < 0)
		return 0;
	uint64_t generation = snapshot_in_force(s);
	snapshot_free(s);
	return generation;
}
