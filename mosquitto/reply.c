#include "mosquitto/reply.h"

#include <inttypes.h>
#include <stdio.h>

const struct rejection reply_internal_failure = {"InternalFailure", "Internal error"};
const struct rejection reply_throttled = {"Throttled", "Account reporting rate exceeded"};
const struct rejection reply_too_large = {"InvalidPayload", "Report exceeds maximum size"};

static void put(struct writer *w, const char *s)
{
	write_raw(w, s, strlen(s));
}

static void put_json_string(struct writer *w, struct view s)
{
	write_u8(w, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		char escape[8];
		if (c < 0x20) {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
			put(w, escape);
			continue;
		}
		if (c == '"' || c == '\\')
			write_u8(w, '\\');
		write_u8(w, c);
	}
	write_u8(w, '"');
}

void reply_write_json(struct writer *w, struct view thing, const struct rejection *why,
		      int64_t now_ms)
{
	char timestamp[32];
	(void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_ms);
	put(w, "{\"thingName\":");
	put_json_string(w, thing);
	put(w, ",\"status\":\"REJECTED\",\"statusDetails\":{\"ErrorCode\":");
	put_json_string(w, view_of(why->code));
	put(w, ",\"ErrorMessage\":");
	put_json_string(w, view_of(why->message));
	put(w, "},\"timestamp\":");
	put(w, timestamp);
	put(w, "}");
}

/* CBOR (RFC 8949 section 3): the major type in three bits, and the argument big endian. */
enum { CBOR_UNSIGNED = 0, CBOR_TEXT = 3, CBOR_MAP = 5 };

static void put_cbor_head(struct writer *w, unsigned major, uint64_t n)
{
	unsigned width = n < 24            ? 0
			 : n <= UINT8_MAX  ? 1
			 : n <= UINT16_MAX ? 2
			 : n <= UINT32_MAX ? 4
					   : 8;
	uint8_t info = width == 0   ? (uint8_t)n
		       : width == 1 ? 24
		       : width == 2 ? 25
		       : width == 4 ? 26
				    : 27;
	write_u8(w, (uint8_t)(major << 5 | info));
	while (width--)
		write_u8(w, (uint8_t)(n >> (8 * width)));
}

static void put_cbor_text(struct writer *w, struct view s)
{
	put_cbor_head(w, CBOR_TEXT, s.n);
	write_raw(w, s.p, s.n);
}

void reply_write_cbor(struct writer *w, struct view thing, const struct rejection *why,
		      int64_t now_ms)
{
	put_cbor_head(w, CBOR_MAP, 4);
	put_cbor_text(w, VIEW_LIT("thingName"));
	put_cbor_text(w, thing);
	put_cbor_text(w, VIEW_LIT("status"));
	put_cbor_text(w, VIEW_LIT("REJECTED"));
	put_cbor_text(w, VIEW_LIT("statusDetails"));
	put_cbor_head(w, CBOR_MAP, 2);
	put_cbor_text(w, VIEW_LIT("ErrorCode"));
	put_cbor_text(w, view_of(why->code));
	put_cbor_text(w, VIEW_LIT("ErrorMessage"));
	put_cbor_text(w, view_of(why->message));
	put_cbor_text(w, VIEW_LIT("timestamp"));
	put_cbor_head(w, CBOR_UNSIGNED, (uint64_t)now_ms);
}
