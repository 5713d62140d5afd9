/* covers: src/report/cbor.c src/report/decoder.c src/report/fields.c src/report/custom.c
 * src/report/sort.c src/report/reply.c
 *
 * CBOR reports: what is accepted keeps the promises of report.h; and every document that our reader
 * walks to its end is, item by item, what libcbor's streaming decoder finds in it. */
#include "check_report.h"

#include "report/cbor.h"

#include <cbor.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What both sides add up as they go; order matters. */
struct digest {
	uint64_t sum;
	uint64_t n;
};

enum token { T_WHOLE, T_NEGATIVE, T_REAL, T_TEXT, T_BOOL, T_NULL, T_ARRAY, T_MAP };

static void add(struct digest *d, enum token token, uint64_t v)
{
	d->sum = (d->sum ^ (v + (uint64_t)token)) * UINT64_C(0x100000001b3) + 1;
	d->n++;
}

static void add_bytes(struct digest *d, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(d, T_TEXT, ((const uint8_t *)p)[i]);
}

static void add_real(struct digest *d, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	add(d, T_REAL, v == v ? bits : 0);
}

/* ---- ours ---- */

static void add_value(struct digest *d, const struct value *v)
{
	if (v->kind == VALUE_UINT)
		add(d, T_WHOLE, v->u);
	else if (v->kind == VALUE_NEGATIVE)
		add(d, T_NEGATIVE, (uint64_t)(-1 - v->i));
	else if (v->kind == VALUE_DOUBLE)
		add_real(d, v->d);
	else if (v->kind == VALUE_STRING)
		add_bytes(d, v->s.p, v->s.n);
	else if (v->kind == VALUE_BOOL)
		add(d, T_BOOL, v->b);
	else if (v->kind == VALUE_NULL)
		add(d, T_NULL, 0);
	else if (v->kind != VALUE_OTHER)
		add(d, v->kind == VALUE_ARRAY ? T_ARRAY : T_MAP, 0);
}

static bool walk(struct cbor *c, const struct value *v, struct digest *d)
{
	struct view name;
	struct value inner;
	add_value(d, v);
	while (v->kind == VALUE_OBJECT ? cbor_member(c, &name)
				       : v->kind == VALUE_ARRAY && cbor_element(c)) {
		if (v->kind == VALUE_OBJECT)
			add_bytes(d, name.p, name.n);
		if (!cbor_value(c, &inner) || !walk(c, &inner, d))
			return false;
	}
	return cbor_ok(c);
}

/* ---- libcbor's: callbacks ---- */

static void on_u8(void *d, uint8_t v)
{
	add(d, T_WHOLE, v);
}

static void on_u16(void *d, uint16_t v)
{
	add(d, T_WHOLE, v);
}

static void on_u32(void *d, uint32_t v)
{
	add(d, T_WHOLE, v);
}

static void on_u64(void *d, uint64_t v)
{
	add(d, T_WHOLE, v);
}

static void on_negative(void *d, uint64_t v)
{
	if (v <= INT64_MAX)
		add(d, T_NEGATIVE, v);
	else
		add_real(d, -1.0 - (double)v);
}

static void on_n8(void *d, uint8_t v)
{
	on_negative(d, v);
}

static void on_n16(void *d, uint16_t v)
{
	on_negative(d, v);
}

static void on_n32(void *d, uint32_t v)
{
	on_negative(d, v);
}

static void on_text(void *d, cbor_data p, size_t n)
{
	add_bytes(d, p, n);
}

static void on_single(void *d, float v)
{
	add_real(d, (double)v);
}

static void on_double(void *d, double v)
{
	add_real(d, v);
}

static void on_bool(void *d, bool v)
{
	add(d, T_BOOL, v);
}

static void on_null(void *d)
{
	add(d, T_NULL, 0);
}

static void on_array(void *d, size_t n)
{
	(void)n;
	add(d, T_ARRAY, 0);
}

static void on_map(void *d, size_t n)
{
	(void)n;
	add(d, T_MAP, 0);
}

static void on_open_array(void *d)
{
	add(d, T_ARRAY, 0);
}

static void on_open_map(void *d)
{
	add(d, T_MAP, 0);
}

static struct cbor_callbacks callbacks(void)
{
	struct cbor_callbacks c = cbor_empty_callbacks;
	c.uint8 = on_u8;
	c.uint16 = on_u16;
	c.uint32 = on_u32;
	c.uint64 = on_u64;
	c.negint8 = on_n8;
	c.negint16 = on_n16;
	c.negint32 = on_n32;
	c.negint64 = on_negative;
	c.string = on_text;
	c.float2 = on_single;
	c.float4 = on_single;
	c.float8 = on_double;
	c.boolean = on_bool;
	c.null = on_null;
	c.undefined = on_null;
	c.array_start = on_array;
	c.map_start = on_map;
	c.indef_array_start = on_open_array;
	c.indef_map_start = on_open_map;
	return c;
}

/* libcbor 0.8 knows no simple values but the named ones, and not the tags that had no meaning in
 * its day. */
static bool is_disputed(uint8_t head)
{
	return (head >= 0xe0 && head <= 0xf8) || (head >= 0xc6 && head <= 0xd4);
}

/* False when there is nothing to compare. */
static bool decode_theirs(const uint8_t *data, size_t size, struct digest *d)
{
	struct cbor_callbacks c = callbacks();
	for (size_t at = 0; at < size;) {
		struct cbor_decoder_result r = cbor_stream_decode(data + at, size - at, &c, d);
		if (r.status != CBOR_DECODER_FINISHED) {
			expect(is_disputed(data[at]), "libcbor reads it");
			return false;
		}
		at += r.read;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report;
	struct cbor c;
	struct value v;
	struct digest ours = {0, 0}, theirs = {0, 0};
	(void)check_payload(REPORT_CBOR, data, size, &report);
	uint8_t *scratch = malloc(size + 1);
	if (!scratch)
		abort();
	cbor_open(&c, data, size, scratch, size);
	if (cbor_value(&c, &v) && walk(&c, &v, &ours) && cbor_done(&c) &&
	    decode_theirs(data, size, &theirs))
		expect(ours.n == theirs.n && ours.sum == theirs.sum, "libcbor reads the same");
	free(scratch);
	return 0;
}
