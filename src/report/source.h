/* The two formats behind one face: the decoder above sees values, not JSON or CBOR. */
#ifndef REPORT_SOURCE_H
#define REPORT_SOURCE_H

#include "base/json_reader.h"
#include "report/cbor.h"
#include "report/report.h"

struct source {
	enum report_format format;
	union {
		struct json json;
		struct cbor cbor;
	};
};

static inline void source_open(struct source *s, enum report_format format, struct view payload,
			       void *scratch, size_t scratch_n)
{
	s->format = format;
	if (format == REPORT_JSON)
		json_open(&s->json, payload.p, payload.n, REPORT_DEPTH_MAX, scratch, scratch_n);
	else
		cbor_open(&s->cbor, payload.p, payload.n, scratch, scratch_n);
}

static inline bool source_value(struct source *s, struct value *ret)
{
	return s->format == REPORT_JSON ? json_value(&s->json, ret) : cbor_value(&s->cbor, ret);
}

static inline bool source_member(struct source *s, struct view *ret_name)
{
	return s->format == REPORT_JSON ? json_member(&s->json, ret_name)
					: cbor_member(&s->cbor, ret_name);
}

static inline bool source_element(struct source *s)
{
	return s->format == REPORT_JSON ? json_element(&s->json) : cbor_element(&s->cbor);
}

static inline bool source_done(struct source *s)
{
	return s->format == REPORT_JSON ? json_done(&s->json) : cbor_done(&s->cbor);
}

static inline const char *source_error(const struct source *s)
{
	return s->format == REPORT_JSON ? s->json.error : s->cbor.error;
}

static inline size_t source_offset(const struct source *s)
{
	return s->format == REPORT_JSON ? json_offset(&s->json) : cbor_offset(&s->cbor);
}

#endif
