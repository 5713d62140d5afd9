/* The machine that walks a report by tables: a shape is the table of an object's known members,
 * each under its long and its short name, with the function that reads its value. It holds every
 * rule that is not about one member: names of either kind, repeated names, null, required and
 * unknown members, nesting, room.
 *
 * Functions return false when the report is refused; the refusal is then filled, by the first that
 * noticed. */
#ifndef REPORT_DECODER_H
#define REPORT_DECODER_H

#include "report/sort.h"
#include "report/source.h"

/* The arena's free part. Lists that are being read grow at the front, where nothing else is put
 * meanwhile; names and text are put at the back.
 *
 *     scratch | lists ... front ........ back ... names, text | end */
struct room {
	uint8_t *front, *back;
};

struct list {
	uint8_t *items;
	uint32_t n;
};

struct decoder {
	struct source source;
	struct room room;
	struct report *out;
	struct report_refusal *refusal;
	bool is_refused;
	unsigned n_path;
	struct view path[REPORT_DEPTH_MAX];

	/* What the innermost members belong to. */
	struct report_ports *ports;
	struct report_custom *custom;
	unsigned n_custom_members;
	struct list list;
};

struct field;
typedef bool field_fn(struct decoder *d, const struct field *field, const struct value *v);

struct field {
	struct view name, brief;
	field_fn *read;
	unsigned which; /* for `read`: which of several alike */
	bool is_required;
};

struct shape {
	const struct field *fields;
	unsigned n;
};

#define SHAPE_OF(table) ((struct shape){table, ARRAY_LEN(table)})

/* Reads an object's members by the shape. v is the object's opening. */
bool decode_object(struct decoder *d, const struct value *v, struct shape shape) MUST_USE;

/* Walks past a value that nobody wants; its objects must still have distinct names. */
bool decode_skip(struct decoder *d, const struct value *v) MUST_USE;

/* The next element of an array, read; false at the end and on refusal (decode_ok tells which). */
bool decode_element(struct decoder *d, struct value *ret) MUST_USE;
bool decode_failed(struct decoder *d);
static inline bool decode_ok(struct decoder *d)
{
	return (!d->is_refused && !source_error(&d->source)) || decode_failed(d);
}

/* A whole number from min to max, also when it was written as a fraction or an exponent. */
bool decode_whole(struct decoder *d, const struct value *v, uint64_t min, uint64_t max,
		  uint64_t *ret) MUST_USE;

/* False, with a refusal that names the member being read, what it is (v may be NULL) and what it
 * must be. */
bool decoder_refuse(struct decoder *d, const struct value *v, const char *must) MUST_USE;

/* The list at the front: begin, add items of `size` bytes. NULL when there is no room (refused). */
void decode_list_begin(struct decoder *d);
void *decode_list_add(struct decoder *d, size_t size) MUST_USE;

/* n bytes at the back, aligned for any pointer; NULL when there is no room (refused). */
void *decode_room_take(struct decoder *d, size_t n) MUST_USE;
/* A copy of s at the back. */
bool decode_room_keep(struct decoder *d, struct view s, struct view *ret) MUST_USE;

/* Adds a name, which stays where it is, to the list. */
bool decode_name_add(struct decoder *d, struct name **list, struct view text) MUST_USE;
/* Refuses a list with the same name twice. */
bool decode_names_distinct(struct decoder *d, struct name *list) MUST_USE;

/* The member being read, for messages. No deeper than containers may be nested. */
static inline void decode_path_push(struct decoder *d, struct view name)
{
	d->path[d->n_path++] = name;
}

static inline void decode_path_pop(struct decoder *d)
{
	d->n_path--;
}

/* custom_metrics (section 3). */
bool decode_custom_metrics(struct decoder *d, const struct field *field,
			   const struct value *v) MUST_USE;

#endif
