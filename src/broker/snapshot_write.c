#include "broker/snapshot_write.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "broker/snapshot_format.h"

#define SHEET_BYTES (1U << 20) /* a part has about as many */

/* Records on sheets, so that none is split when they go into parts. */
struct snapshot_builder {
	GPtrArray *sheets; /* of GByteArray */
	uint64_t size;
};

struct snapshot_builder *snapshot_builder_new(void)
{
	struct snapshot_builder *b = g_new0(struct snapshot_builder, 1);
	b->sheets = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	return b;
}

void snapshot_builder_free(struct snapshot_builder *b)
{
	if (!b)
		return;
	g_ptr_array_free(b->sheets, TRUE);
	g_free(b);
}

void snapshot_builder_empty(struct snapshot_builder *b)
{
	(void)g_ptr_array_set_size(b->sheets, 0);
	b->size = 0;
}

uint64_t snapshot_builder_size(const struct snapshot_builder *b)
{
	return b->size;
}

struct view snapshot_builder_sheet(const struct snapshot_builder *b, size_t i)
{
	if (i >= b->sheets->len)
		return (struct view){0};
	const GByteArray *sheet = g_ptr_array_index(b->sheets, i);
	return (struct view){(const char *)sheet->data, sheet->len};
}

/* ---- Records ---- */

static uint8_t *sheet_room(struct snapshot_builder *b, size_t n)
{
	GByteArray *sheet =
		b->sheets->len ? g_ptr_array_index(b->sheets, b->sheets->len - 1) : NULL;
	if (!sheet || sheet->len + n > SHEET_BYTES) {
		sheet = g_byte_array_new();
		g_ptr_array_add(b->sheets, sheet);
	}
	guint start = sheet->len;
	CHECK(n <= PART_BYTES_MAX);
	g_byte_array_set_size(sheet, (guint)(start + n));
	b->size += n;
	return sheet->data + start;
}

/* A record whose key and body have n bytes; the body is written behind the key. */
static struct writer record_begin(struct snapshot_builder *b, enum snapshot_kind kind,
				  bool is_deleted, struct view key, size_t n)
{
	size_t whole = record_padded(RECORD_HEADER + n);
	CHECK(key.n <= UINT16_MAX);
	uint8_t *room = sheet_room(b, whole);
	memset(room + whole - RECORD_ALIGN, 0, RECORD_ALIGN);
	struct writer w = writer_of(room, RECORD_HEADER + n);
	write_u32(&w, (uint32_t)n);
	write_u8(&w, (uint8_t)kind);
	write_u8(&w, is_deleted);
	write_u16(&w, (uint16_t)key.n);
	write_raw(&w, key.p, key.n);
	return w;
}

static void record_end(const struct writer *w)
{
	CHECK(!w->full && w->len == w->cap);
}

#define NUMBER_BYTES sizeof(uint32_t) /* in front of a bytes32 */

static size_t names_bytes(const char *const *names, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += sizeof(uint16_t) + strlen(names[i]);
	return bytes;
}

static void write_names(struct writer *w, const char *const *names, size_t n)
{
	write_u32(w, (uint32_t)names_bytes(names, n));
	for (size_t i = 0; i < n; i++)
		write_str16(w, view_of(names[i]));
}

void snapshot_add_account(struct snapshot_builder *b, const char *partition, const char *region,
			  const char *account)
{
	const char *const names[] = {partition, region, account};
	struct writer w = record_begin(b, SNAPSHOT_ACCOUNT, false, VIEW_LIT(""),
				       names_bytes(names, G_N_ELEMENTS(names)));
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		write_str16(&w, view_of(names[i]));
	record_end(&w);
}

void snapshot_add_policy(struct snapshot_builder *b, const char *name, uint32_t version,
			 struct view program)
{
	struct view key = view_of(name);
	struct writer w =
		record_begin(b, SNAPSHOT_POLICY, false, key, key.n + sizeof(version) + program.n);
	write_u32(&w, version);
	write_raw(&w, program.p, program.n);
	record_end(&w);
}

void snapshot_add_group(struct snapshot_builder *b, const char *name, bool is_quarantine,
			const char *const *policies, size_t n)
{
	struct view key = view_of(name);
	struct writer w = record_begin(b, SNAPSHOT_GROUP, false, key,
				       key.n + 1 + NUMBER_BYTES + names_bytes(policies, n));
	write_u8(&w, is_quarantine);
	write_names(&w, policies, n);
	record_end(&w);
}

void snapshot_add_thing(struct snapshot_builder *b, const char *name, struct view facts,
			const char *const *groups, size_t n)
{
	struct view key = view_of(name);
	struct writer w = record_begin(b, SNAPSHOT_THING, false, key,
				       key.n + 2 * NUMBER_BYTES + facts.n + names_bytes(groups, n));
	write_bytes32(&w, facts);
	write_names(&w, groups, n);
	record_end(&w);
}

static size_t cert_bytes(const struct snapshot_new_cert *c)
{
	return SNAPSHOT_FINGERPRINT + 2 + 2 * sizeof(int64_t) + 3 * NUMBER_BYTES + c->facts.n +
	       names_bytes(c->things, c->n_things) + names_bytes(c->policies, c->n_policies);
}

void snapshot_add_cert(struct snapshot_builder *b, const struct snapshot_new_cert *c)
{
	struct view key = {(const char *)c->fingerprint, SNAPSHOT_FINGERPRINT};
	CHECK(!c->is_exclusive || c->n_things == 1);
	struct writer w = record_begin(b, SNAPSHOT_CERT, false, key, cert_bytes(c));
	write_u8(&w, (uint8_t)c->status);
	write_u8(&w, c->is_exclusive);
	write_i64(&w, c->not_before);
	write_i64(&w, c->not_after);
	write_bytes32(&w, c->facts);
	write_names(&w, c->things, c->n_things);
	write_names(&w, c->policies, c->n_policies);
	record_end(&w);
}

void snapshot_add_dimension(struct snapshot_builder *b, const char *name,
			    const char *const *filters, size_t n)
{
	struct view key = view_of(name);
	struct writer w = record_begin(b, SNAPSHOT_DIMENSION, false, key,
				       key.n + NUMBER_BYTES + names_bytes(filters, n));
	write_names(&w, filters, n);
	record_end(&w);
}

void snapshot_remove(struct snapshot_builder *b, enum snapshot_kind kind, struct view key)
{
	struct writer w = record_begin(b, kind, true, key, key.n);
	record_end(&w);
}

static const char *const status_names[SNAPSHOT_CERT_STATUSES] = {
#define CERT_STATUS(id) #id,
#include "broker/cert_status.tbl.h"
#undef CERT_STATUS
};

enum snapshot_cert_status snapshot_cert_status_of(const char *name)
{
	for (unsigned i = 0; i < SNAPSHOT_CERT_STATUSES; i++)
		if (strcmp(status_names[i], name) == 0)
			return (enum snapshot_cert_status)i;
	return SNAPSHOT_CERT_INACTIVE;
}
