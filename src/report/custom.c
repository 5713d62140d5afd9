/* Custom metrics (spec/device-reports.md, section 3): what breaks the form refuses the report, what
 * breaks a data rule only makes the metric one that is not stored. */
#include "report/address.h"
#include "report/decoder.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define METRIC_NAME_MAX 128

/* Beyond this, the integers have more than 15 digits. */
#define PRECISE_BELOW 1e15

/* ---- data rules ---- */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_made_of(struct view s, struct view others)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;
		if (is_alnum(s.p[i]))
			continue;
		while (k < others.n && s.p[i] != others.p[k])
			k++;
		if (k == others.n)
			return false;
	}
	return true;
}

static bool is_metric_name(struct view s)
{
	bool is_ours = s.n >= 4 && memcmp(s.p, "aws:", 4) == 0;
	return s.n > 0 && s.n <= METRIC_NAME_MAX && is_made_of(s, VIEW_LIT(":_-")) && !is_ours;
}

static bool is_precise_whole(uint64_t v)
{
	while (v >= (uint64_t)PRECISE_BELOW && v % 10 == 0)
		v /= 10;
	return v < (uint64_t)PRECISE_BELOW;
}

/* True when a decimal of at most 15 significant digits is written for v. The quotient of two exact
 * doubles is correctly rounded, so `shifted / ten` is what that decimal reads as. From 1e-7 on the
 * loop sees every such decimal; the C library serves the magnitudes beyond. */
static bool is_precise(double v)
{
	double size = v < 0 ? -v : v;
	for (double ten = 1; ten <= 1e22 && size * ten < PRECISE_BELOW; ten *= 10) {
		double shifted = (double)(uint64_t)(size * ten + 0.5);
		if (shifted / ten == size)
			return true;
	}
	if (size >= 1e-7 && size < PRECISE_BELOW)
		return false;
	char text[32];
	(void)snprintf(text, sizeof(text), "%.14e", size);
	return strtod(text, NULL) == size;
}

/* Sets *is_storable to false for a number that is not to be stored. */
static bool read_double(struct decoder *d, const struct value *v, double *ret, bool *is_storable)
{
	if (v->kind == VALUE_UINT) {
		*ret = (double)v->u;
		*is_storable &= is_precise_whole(v->u);
	} else if (v->kind == VALUE_NEGATIVE) {
		*ret = (double)v->i;
		*is_storable &= is_precise_whole(0 - (uint64_t)v->i);
	} else if (v->kind == VALUE_DOUBLE) {
		bool is_finite = v->d - v->d == 0;
		*ret = is_finite ? v->d : 0;
		/* Half and single floats have at most 9 digits, whatever their doubles look like.
		 */
		*is_storable = *is_storable && is_finite && (v->is_single || is_precise(v->d));
	} else {
		return decoder_refuse(d, v, "must be a number");
	}
	return true;
}

/* ---- the four members ---- */

static bool read_number(struct decoder *d, const struct field *field, const struct value *v)
{
	struct report_custom *c = d->custom;
	c->kind = (enum report_custom_kind)field->which;
	c->n = 1;
	return read_double(d, v, &c->number, &c->is_storable);
}

static bool add_number(struct decoder *d, const struct value *v)
{
	double *item = decode_list_add(d, sizeof(*item));
	return item && read_double(d, v, item, &d->custom->is_storable);
}

static bool add_string(struct decoder *d, const struct value *v)
{
	if (v->kind != VALUE_STRING)
		return decoder_refuse(d, v, "must be a list of strings");
	d->custom->is_storable &= is_made_of(v->s, VIEW_LIT(":_-/."));
	struct view *item = decode_list_add(d, sizeof(*item));
	return item && decode_room_keep(d, v->s, item);
}

static bool add_addr(struct decoder *d, const struct value *v)
{
	struct report_addr addr = {{0}};
	if (v->kind != VALUE_STRING)
		return decoder_refuse(d, v, "must be a list of addresses");
	d->custom->is_storable &= address_parse(v->s, &addr);
	struct report_addr *item = decode_list_add(d, sizeof(*item));
	if (item)
		*item = addr;
	return item;
}

static bool read_list(struct decoder *d, const struct field *field, const struct value *v)
{
	static bool (*const add[])(struct decoder *,
				   const struct value *) = {[REPORT_NUMBER_LIST] = add_number,
							    [REPORT_STRING_LIST] = add_string,
							    [REPORT_IP_LIST] = add_addr};
	struct report_custom *c = d->custom;
	struct value item;
	if (v->kind != VALUE_ARRAY)
		return decoder_refuse(d, v, "must be a list");
	c->kind = (enum report_custom_kind)field->which;
	decode_list_begin(d);
	while (decode_element(d, &item)) {
		if (!add[c->kind](d, &item))
			return false;
	}
	const void *items = d->list.items;
	c->n = d->list.n;
	c->numbers = c->kind == REPORT_NUMBER_LIST ? items : NULL;
	c->strings = c->kind == REPORT_STRING_LIST ? items : NULL;
	c->addrs = c->kind == REPORT_IP_LIST ? items : NULL;
	return decode_ok(d);
}

/* These have no short names. */
#define NAME(name) VIEW_INIT(name), VIEW_INIT(name)

static bool read_member(struct decoder *d, const struct field *field, const struct value *v)
{
	d->n_custom_members++;
	return field->which == REPORT_NUMBER ? read_number(d, field, v) : read_list(d, field, v);
}

static const struct field custom_fields[] = {
	{NAME("number"),      read_member, REPORT_NUMBER,      false},
	{NAME("number_list"), read_member, REPORT_NUMBER_LIST, false},
	{NAME("string_list"), read_member, REPORT_STRING_LIST, false},
	{NAME("ip_list"),     read_member, REPORT_IP_LIST,     false},
};

/* ---- the block ---- */

static bool read_wrapped(struct decoder *d, const struct value *v)
{
	static const char must[] = "must be a list of one object with one member: number, "
				   "number_list, string_list or ip_list";
	struct value body;
	d->n_custom_members = 0;
	if (v->kind != VALUE_ARRAY)
		return decoder_refuse(d, v, must);
	if (!decode_element(d, &body))
		return decode_ok(d) && decoder_refuse(d, NULL, must);
	if (!decode_object(d, &body, SHAPE_OF(custom_fields)))
		return false;
	if (d->n_custom_members != 1 || source_element(&d->source))
		return decoder_refuse(d, NULL, must);
	return decode_ok(d);
}

struct node {
	struct node *next;
	struct report_custom custom;
};

/* Reads one metric and puts it before *list; null is as if it were not there. */
static bool read_metric(struct decoder *d, struct view name, struct node **list)
{
	struct value v;
	struct node *node = decode_room_take(d, sizeof(*node));
	if (!node)
		return false;
	*node = (struct node){
		.next = *list, .custom = {.name = name, .is_storable = is_metric_name(name)}
        };
	d->custom = &node->custom;
	if (!source_value(&d->source, &v))
		return decode_ok(d);
	if (v.kind == VALUE_NULL)
		return true;
	if (!read_wrapped(d, &v))
		return false;
	*list = node;
	return true;
}

/* The list has the last metric first. */
static bool collect(struct decoder *d, const struct node *list)
{
	uint32_t n = 0;
	for (const struct node *node = list; node; node = node->next)
		n++;
	decode_list_begin(d);
	struct report_custom *all = (void *)d->list.items;
	for (uint32_t i = 0; i < n; i++) {
		if (!decode_list_add(d, sizeof(*all)))
			return false;
	}
	d->out->n_custom = n;
	d->out->custom = all;
	for (const struct node *node = list; node; node = node->next)
		all[--n] = node->custom;
	return true;
}

bool decode_custom_metrics(struct decoder *d, const struct field *field, const struct value *v)
{
	struct view key, name;
	struct name *names = NULL;
	struct node *metrics = NULL;
	(void)field;
	if (v->kind != VALUE_OBJECT)
		return decoder_refuse(d, v, "must be an object");
	d->out->has_custom = true;
	while (source_member(&d->source, &key)) {
		if (!decode_room_keep(d, key, &name) || !decode_name_add(d, &names, name))
			return false;
		decode_path_push(d, name);
		if (!read_metric(d, name, &metrics))
			return false;
		decode_path_pop(d);
	}
	return decode_ok(d) && decode_names_distinct(d, names) && collect(d, metrics);
}
