/* Violations: the active ones, what happened, and what people make of it. */
#include "api/registry_call.h"
#include "detect/config.h"
#include "registry/profile.h"
#include "registry/violation.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int64_t criteria_of(const char *type)
{
	static const char *const types[] = {
		[CRITERIA_STATIC] = "STATIC",
		[CRITERIA_STATISTICAL] = "STATISTICAL",
		[CRITERIA_ML] = "MACHINE_LEARNING",
	};
	for (size_t i = 0; type && i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			return (int64_t)i;
	return -1;
}

static struct violation_filter filter_of(const struct api_call *call)
{
	return (struct violation_filter){
		.thing = in_text(call, "thingName"),
		.profile = in_text(call, "securityProfileName"),
		.criteria = criteria_of(in_text(call, "behaviorCriteriaType")),
		.is_suppressed = in_bool(call, "listSuppressedAlerts", -1),
		.verification = in_text(call, "verificationState"),
		.from_ms = in_int(call, "startTime", 0),
		.to_ms = in_int(call, "endTime", 0),
	};
}

/* A cursor is "time/seq/idx/id". */
static struct violation_place place_in(const struct page *page)
{
	struct violation_place place = {.id = NULL};
	char *end;
	place.at_ms = strtoll(page->after, &end, 10);
	if (*end != '/')
		return place;
	place.seq = strtoll(end + 1, &end, 10);
	place.idx = strtoll(*end ? end + 1 : end, &end, 10);
	place.id = *end ? end + 1 : end;
	return place;
}

static void set_text(json_t *item, const char *member, const char *value)
{
	if (*value)
		(void)json_object_set_new(item, member, json_string(value));
}

static void set_parsed(json_t *item, const char *member, const char *text)
{
	if (*text)
		(void)json_object_set_new(item, member, json_loads(text, 0, NULL));
}

/* What an active violation and an event have in common. */
static json_t *item_json(const struct violation_item *v, const char *value_member)
{
	json_t *item = json_object();
	set_text(item, "violationId", v->id);
	set_text(item, "thingName", v->thing);
	set_text(item, "securityProfileName", v->profile);
	set_parsed(item, "behavior", v->behavior_json);
	set_parsed(item, value_member, v->value_json);
	set_text(item, "verificationState", *v->state ? v->state : "UNKNOWN");
	set_text(item, "verificationStateDescription", v->description);
	set_text(item, "thingwardReporter", v->is_own ? "" : "OTHER_PRINCIPAL"); /* ours (S10) */
	return item;
}

static int add_item(struct page *page, json_t *item, const struct violation_item *v)
{
	g_autofree char *cursor = g_strdup_printf("%" PRId64 "/%" PRId64 "/%" PRId64 "/%s",
						  v->at_ms, v->seq, v->idx, v->id);
	return page_add(page, item, cursor) ? 0 : 1;
}

static int add_violation(const struct violation_item *v, void *page)
{
	json_t *item = item_json(v, "lastViolationValue");
	(void)json_object_set_new(item, "lastViolationTime", json_integer(v->last_ms));
	(void)json_object_set_new(item, "violationStartTime", json_integer(v->at_ms));
	return add_item(page, item, v);
}

static int add_event(const struct violation_item *v, void *page)
{
	json_t *item = item_json(v, "metricValue");
	set_text(item, "violationEventType", v->type);
	(void)json_object_set_new(item, "violationEventTime", json_integer(v->at_ms));
	return add_item(page, item, v);
}

static int check_profile(struct registry *r, const char *name)
{
	struct profile_row row;
	int err = profile_get(r, name, &row);
	if (!err)
		profile_row_clear(&row);
	return err;
}

int op_ListActiveViolations(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct violation_filter filter = filter_of(call);
	int err = filter.profile ? check_profile(&r, filter.profile) : 0;
	if (err)
		return err;
	struct page page = page_of(call);
	struct violation_place place = place_in(&page);
	return list_end(&page,
			violation_list(&r, &filter, &place, page.limit + 1, add_violation, &page));
}

int op_ListViolationEvents(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct violation_filter filter = filter_of(call);
	if (filter.from_ms >= filter.to_ms)
		return fault_set(&call->fault, FAULT_INVALID_REQUEST,
				 "startTime must be before endTime.");
	struct page page = page_of(call);
	struct violation_place place = place_in(&page);
	return list_end(&page, violation_list_events(&r, &filter, &place, page.limit + 1, add_event,
						     &page));
}

int op_PutVerificationStateOnViolation(struct api_call *call)
{
	struct registry r = registry_of(call);
	return violation_verify(&r, in_text(call, "violationId"),
				in_text(call, "verificationState"),
				in_text(call, "verificationStateDescription"));
}
