#include "report/decoder.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>

/* ---- refusing ---- */

static size_t used(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static void describe(const struct value *v, char *out, size_t cap)
{
	static const char *const kinds[] = {
		[VALUE_NULL] = "null",
		[VALUE_BOOL] = "a boolean",
		[VALUE_UINT] = "",
		[VALUE_NEGATIVE] = "",
		[VALUE_DOUBLE] = "",
		[VALUE_STRING] = "",
		[VALUE_ARRAY] = "an array",
		[VALUE_OBJECT] = "an object",
		[VALUE_OTHER] = "a byte string or simple value",
	};
	if (v->kind == VALUE_UINT)
		(void)snprintf(out, cap, "%" PRIu64, v->u);
	else if (v->kind == VALUE_NEGATIVE)
		(void)snprintf(out, cap, "%" PRId64, v->i);
	else if (v->kind == VALUE_DOUBLE)
		(void)snprintf(out, cap, "%g", v->d);
	else if (v->kind == VALUE_STRING)
		(void)snprintf(out, cap, "\"%.*s\"", (int)(v->s.n < 40 ? v->s.n : 40), v->s.p);
	else
		(void)snprintf(out, cap, "%s", kinds[v->kind]);
}

static size_t print_path(const struct decoder *d, char *out, size_t cap)
{
	size_t n = used(snprintf(out, cap, "%s", d->n_path ? "" : "report"), cap);
	for (unsigned i = 0; i < d->n_path; i++) {
		int len = (int)(d->path[i].n < 48 ? d->path[i].n : 48);
		n += used(snprintf(out + n, cap - n, "%s%.*s", i ? "." : "", len, d->path[i].p),
			  cap - n);
	}
	return n;
}

static bool refuse_with(struct decoder *d, const char *is, const char *must)
{
	if (d->is_refused)
		return false;
	d->is_refused = true;
	*d->refusal = (struct report_refusal){.code = "InvalidPayload",
					      .message = "Malformed metrics report",
					      .report_id = d->out->report_id};
	char *text = d->refusal->detail;
	size_t cap = sizeof(d->refusal->detail), n = print_path(d, text, cap);
	(void)snprintf(text + n, cap - n, "%s%s: %s", *is ? " is " : "", is, must);
	return false;
}

COLD bool decoder_refuse(struct decoder *d, const struct value *v, const char *must)
{
	char is[64] = "";
	if (v)
		describe(v, is, sizeof(is));
	return refuse_with(d, is, must);
}

/* The source gave up: its error, with the place. */
static bool refuse_broken(struct decoder *d)
{
	char what[120];
	(void)snprintf(what, sizeof(what), "at byte %zu: %s", source_offset(&d->source),
		       source_error(&d->source));
	return refuse_with(d, "", what);
}

/* Refused already, or now because the source gave up. Always false. */
COLD bool decode_failed(struct decoder *d)
{
	return d->is_refused ? false : refuse_broken(d);
}

/* ---- room ---- */

static bool has_room(struct decoder *d, size_t n)
{
	/* Both kinds of rounding up together cost less than this. */
	return (size_t)(d->room.back - d->room.front) >= n + 2 * alignof(max_align_t) ||
	       decoder_refuse(d, NULL,
			      "needs more memory than a report may take; send shorter lists");
}

static uint8_t *round_up(uint8_t *p, size_t align)
{
	return p + (-(uintptr_t)p & (align - 1));
}

void decode_list_begin(struct decoder *d)
{
	uint8_t *aligned = round_up(d->room.front, alignof(max_align_t));
	if (aligned <= d->room.back)
		d->room.front = aligned;
	d->list = (struct list){d->room.front, 0};
}

void *decode_list_add(struct decoder *d, size_t size)
{
	if (!has_room(d, size))
		return NULL;
	void *p = d->room.front;
	d->room.front += size;
	d->list.n++;
	return p;
}

void *decode_room_take(struct decoder *d, size_t n)
{
	if (!has_room(d, n))
		return NULL;
	uint8_t *p = d->room.back - n;
	d->room.back = p - ((uintptr_t)p & (alignof(void *) - 1));
	return d->room.back;
}

bool decode_room_keep(struct decoder *d, struct view s, struct view *ret)
{
	if (!has_room(d, s.n))
		return false;
	d->room.back -= s.n;
	if (s.n)
		memcpy(d->room.back, s.p, s.n);
	*ret = (struct view){(const char *)d->room.back, s.n};
	return true;
}

/* ---- names ---- */

bool decode_name_add(struct decoder *d, struct name **list, struct view text)
{
	struct name *name = decode_room_take(d, sizeof(*name));
	if (!name)
		return false;
	*name = (struct name){*list, text};
	*list = name;
	return true;
}

/* Up to this many, comparing each with each beats sorting. */
#define FEW_NAMES 12

static bool are_few(const struct name *list)
{
	unsigned n = 0;
	for (; list && n <= FEW_NAMES; list = list->next)
		n++;
	return n <= FEW_NAMES;
}

static const struct name *find_twin_of_few(const struct name *list)
{
	for (; list; list = list->next) {
		for (const struct name *n = list->next; n; n = n->next) {
			if (view_eq(list->text, n->text))
				return n;
		}
	}
	return NULL;
}

static const struct name *find_twin(struct name *list)
{
	if (are_few(list))
		return find_twin_of_few(list);
	for (const struct name *n = sort_names(list); n->next; n = n->next) {
		if (view_eq(n->text, n->next->text))
			return n;
	}
	return NULL;
}

bool decode_names_distinct(struct decoder *d, struct name *list)
{
	const struct name *twin = find_twin(list);
	if (!twin)
		return true;
	decode_path_push(d, twin->text);
	return decoder_refuse(d, NULL, "appears twice; name each member once");
}

/* ---- walking ---- */

/* A call of memcmp costs more than comparing a few bytes. */
static inline bool is_named(struct view name, struct view known)
{
	if (name.n != known.n)
		return false;
	if (name.n > 4)
		return memcmp(name.p, known.p, name.n) == 0;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] != known.p[i])
			return false;
	}
	return true;
}

/* Devices send members in the table's order, or nearly: the search starts behind the last one
 * found. */
static const struct field *find_field(struct shape shape, struct view name, unsigned *hint)
{
	for (unsigned i = 0; i < shape.n; i++) {
		unsigned at = *hint < shape.n ? *hint : 0;
		const struct field *f = shape.fields + at;
		*hint = at + 1;
		if (is_named(name, f->name) || is_named(name, f->brief))
			return f;
	}
	return NULL;
}

bool decode_skip(struct decoder *d, const struct value *v)
{
	struct value item;
	uint8_t *mark = d->room.back;
	if (v->kind == VALUE_OBJECT) {
		bool is_ok = decode_object(d, v, (struct shape){NULL, 0});
		d->room.back = mark;
		return is_ok;
	}
	if (v->kind != VALUE_ARRAY)
		return true;
	while (decode_element(d, &item)) {
		if (!decode_skip(d, &item))
			return false;
	}
	return decode_ok(d);
}

static bool read_unknown(struct decoder *d, struct name **names, struct view name)
{
	struct value v;
	if (!decode_name_add(d, names, name))
		return false;
	return source_value(&d->source, &v) ? decode_skip(d, &v) : decode_ok(d);
}

struct seen {
	unsigned named, given; /* bit sets of the shape's fields */
};

static bool read_known(struct decoder *d, const struct field *f, unsigned bit, struct seen *seen)
{
	struct value v;
	if (seen->named & bit)
		return decoder_refuse(d, NULL,
				      "appears twice; name each member once, long or short");
	seen->named |= bit;
	if (!source_value(&d->source, &v))
		return decode_ok(d);
	if (v.kind == VALUE_NULL)
		return true;
	seen->given |= bit;
	return f->read(d, f, &v);
}

static bool has_required(struct decoder *d, struct shape shape, struct seen seen)
{
	for (unsigned i = 0; i < shape.n; i++) {
		if (!shape.fields[i].is_required || seen.given & 1U << i)
			continue;
		decode_path_push(d, shape.fields[i].name);
		return decoder_refuse(d, NULL, "is missing");
	}
	return true;
}

bool decode_object(struct decoder *d, const struct value *v, struct shape shape)
{
	struct name *unknown = NULL;
	struct seen seen = {0, 0};
	struct view name;
	unsigned hint = 0;
	if (v->kind != VALUE_OBJECT)
		return decoder_refuse(d, v, "must be an object");
	while (source_member(&d->source, &name)) {
		const struct field *f = find_field(shape, name, &hint);
		decode_path_push(d, f ? f->name : name);
		if (f ? !read_known(d, f, 1U << (f - shape.fields), &seen)
		      : !read_unknown(d, &unknown, name))
			return false;
		decode_path_pop(d);
	}
	return decode_ok(d) && decode_names_distinct(d, unknown) && has_required(d, shape, seen);
}

bool decode_element(struct decoder *d, struct value *ret)
{
	return source_element(&d->source) && source_value(&d->source, ret);
}

/* ---- numbers ---- */

COLD static bool refuse_whole(struct decoder *d, const struct value *v, uint64_t min, uint64_t max)
{
	char must[80];
	(void)snprintf(must, sizeof(must), "must be a whole number from %" PRIu64 " to %" PRIu64,
		       min, max);
	return decoder_refuse(d, v, must);
}

static bool whole_of(const struct value *v, uint64_t *ret)
{
	if (v->kind == VALUE_UINT) {
		*ret = v->u;
		return true;
	}
	if (v->kind != VALUE_DOUBLE || !(v->d >= 0 && v->d < 0x1p64))
		return false;
	*ret = (uint64_t)v->d;
	return (double)*ret == v->d;
}

bool decode_whole(struct decoder *d, const struct value *v, uint64_t min, uint64_t max,
		  uint64_t *ret)
{
	uint64_t whole;
	if (whole_of(v, &whole) && whole >= min && whole <= max) {
		*ret = whole;
		return true;
	}
	return refuse_whole(d, v, min, max);
}
