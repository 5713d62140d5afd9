/* The answers to a report (spec/device-reports.md, section 6). */
#include "report/report.h"

#include "base/cursor.h"
#include "base/utf8.h"

const struct report_refusal report_too_large = {"InvalidPayload", "Report exceeds maximum size", "",
						0};
const struct report_refusal report_bad_thing = {"InvalidPayload", "Invalid thing name", "", 0};
const struct report_refusal report_too_soon = {
	"Throttled", "Minimum delay between reports is 300 seconds", "", 0};
const struct report_refusal report_account_rate = {"Throttled", "Account reporting rate exceeded",
						   "", 0};
const struct report_refusal report_internal = {"InternalFailure", "Internal error", "", 0};

/* How each format writes a reply's parts. */
struct style {
	void (*open)(struct writer *w, unsigned members);
	void (*name)(struct writer *w, struct view name, bool is_first);
	void (*text)(struct writer *w, struct view s);
	void (*number)(struct writer *w, uint64_t v);
	void (*close)(struct writer *w);
};

static void put(struct writer *w, struct view s)
{
	write_raw(w, s.p, s.n);
}

/* ---- JSON ---- */

static void json_open_object(struct writer *w, unsigned members)
{
	(void)members;
	write_u8(w, '{');
}

static void json_close_object(struct writer *w)
{
	write_u8(w, '}');
}

static void json_text(struct writer *w, struct view s)
{
	static const char hex[] = "0123456789abcdef";
	write_u8(w, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c < 0x20) {
			put(w, VIEW_LIT("\\u00"));
			write_u8(w, (uint8_t)hex[c >> 4]);
			write_u8(w, (uint8_t)hex[c & 15]);
			continue;
		}
		if (c == '"' || c == '\\')
			write_u8(w, '\\');
		write_u8(w, c);
	}
	write_u8(w, '"');
}

static void json_name(struct writer *w, struct view name, bool is_first)
{
	if (!is_first)
		write_u8(w, ',');
	json_text(w, name);
	write_u8(w, ':');
}

static void json_number(struct writer *w, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	write_raw(w, digits + at, sizeof(digits) - at);
}

/* ---- CBOR ---- */

enum { CBOR_UNSIGNED = 0x00, CBOR_TEXT = 0x60, CBOR_MAP = 0xa0 };

static void cbor_head(struct writer *w, unsigned major, uint64_t v)
{
	if (v < 24) {
		write_u8(w, (uint8_t)(major | v));
		return;
	}
	unsigned power = v <= UINT8_MAX ? 0 : v <= UINT16_MAX ? 1 : v <= UINT32_MAX ? 2 : 3;
	write_u8(w, (uint8_t)(major | (24 + power)));
	for (unsigned shift = 8U << power; shift > 0;) {
		shift -= 8;
		write_u8(w, (uint8_t)(v >> shift));
	}
}

static void cbor_open_map(struct writer *w, unsigned members)
{
	cbor_head(w, CBOR_MAP, members);
}

static void cbor_close_map(struct writer *w)
{
	(void)w;
}

static void cbor_text(struct writer *w, struct view s)
{
	cbor_head(w, CBOR_TEXT, s.n);
	put(w, s);
}

static void cbor_name(struct writer *w, struct view name, bool is_first)
{
	(void)is_first;
	cbor_text(w, name);
}

static void cbor_number(struct writer *w, uint64_t v)
{
	cbor_head(w, CBOR_UNSIGNED, v);
}

static const struct style styles[] = {
	[REPORT_JSON] = {json_open_object, json_name, json_text, json_number, json_close_object},
	[REPORT_CBOR] = {cbor_open_map,    cbor_name, cbor_text, cbor_number, cbor_close_map   },
};

/* ---- the replies ---- */

static void text_member(struct writer *w, const struct style *s, const char *name, struct view text)
{
	s->name(w, view_of(name), false);
	s->text(w, text);
}

static void number_member(struct writer *w, const struct style *s, const char *name, uint64_t v)
{
	s->name(w, view_of(name), false);
	s->number(w, v);
}

/* A thing's name as it may stand in a reply, also when it is the one to refuse: UTF-8 (what is not
 * becomes U+FFFD), cut at the greatest length that a name may have. */
static struct view printable_thing(struct view thing, uint8_t out[3 * REPORT_THING_MAX])
{
	const uint8_t *p = (const uint8_t *)thing.p;
	size_t len = 0;
	for (size_t i = 0, k; i < thing.n && i < REPORT_THING_MAX; i += k) {
		k = utf8_len(p + i, thing.n - i);
		if (i + k > REPORT_THING_MAX)
			break;
		if (k) {
			memcpy(out + len, p + i, k);
			len += k;
		} else {
			len += utf8_put(0xfffd, out + len);
			k = 1;
		}
	}
	return (struct view){(const char *)out, len};
}

static void thing_member(struct writer *w, const struct style *s, struct view thing)
{
	uint8_t text[3 * REPORT_THING_MAX];
	s->name(w, VIEW_LIT("thingName"), true);
	s->text(w, printable_thing(thing, text));
}

static size_t finished(const struct writer *w)
{
	return w->full ? 0 : w->len;
}

size_t report_accepted(enum report_format format, struct view thing, uint64_t report_id,
		       int64_t at_ms, void *out, size_t cap)
{
	const struct style *s = &styles[format];
	struct writer w = writer_of(out, cap);
	s->open(&w, 4);
	thing_member(&w, s, thing);
	number_member(&w, s, "reportId", report_id);
	text_member(&w, s, "status", VIEW_LIT("ACCEPTED"));
	number_member(&w, s, "timestamp", (uint64_t)at_ms);
	s->close(&w);
	return finished(&w);
}

size_t report_rejected(enum report_format format, struct view thing,
		       const struct report_refusal *refusal, int64_t at_ms, void *out, size_t cap)
{
	const struct style *s = &styles[format];
	struct writer w = writer_of(out, cap);
	s->open(&w, refusal->report_id ? 5 : 4);
	thing_member(&w, s, thing);
	if (refusal->report_id)
		number_member(&w, s, "reportId", refusal->report_id);
	text_member(&w, s, "status", VIEW_LIT("REJECTED"));
	s->name(&w, VIEW_LIT("statusDetails"), false);
	s->open(&w, 2);
	s->name(&w, VIEW_LIT("ErrorCode"), true);
	s->text(&w, view_of(refusal->code));
	text_member(&w, s, "ErrorMessage", view_of(refusal->message));
	s->close(&w);
	number_member(&w, s, "timestamp", (uint64_t)at_ms);
	s->close(&w);
	return finished(&w);
}
