/* Logging options, V2: the account's and the levels per target. */
#include "api/registry_call.h"
#include "base/check.h"
#include "registry/logging.h"

#include <glib.h>
#include <stdlib.h>

int op_GetV2LoggingOptions(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct logging_options options = {0};
	int err = logging_get(&r, &options);
	if (err)
		return err;
	out_text(call, "roleArn", options.role_arn);
	out_text(call, "defaultLogLevel", options.default_level);
	out_bool(call, "disableAllLogs", options.is_disabled);
	out_json(call, "eventConfigurations", json_loads(options.events, 0, NULL));
	logging_options_clear(&options);
	return 0;
}

int op_SetV2LoggingOptions(struct api_call *call)
{
	struct registry r = registry_of(call);
	const json_t *events = in_json(call, "eventConfigurations");
	char *kept = events ? json_dumps(events, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	const struct logging_update update = {
		.role_arn = in_text(call, "roleArn"),
		.default_level = in_text(call, "defaultLogLevel"),
		.events = kept,
		.is_disabled = in_bool(call, "disableAllLogs", 0),
	};
	int err = logging_set(&r, &update);
	free(kept);
	return err;
}

/* DEFAULT stands for the account and has no name; every other kind of target has one. */
int op_SetV2LoggingLevel(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *type = json_string_value(in_nested(call, "logTarget", "targetType"));
	const char *name = json_string_value(in_nested(call, "logTarget", "targetName"));
	bool is_default = g_strcmp0(type, "DEFAULT") == 0;
	if (is_default == (name != NULL))
		return fault_set(
			&call->fault, FAULT_INVALID_REQUEST,
			is_default
				? "logTarget: targetType DEFAULT has no targetName; leave it out."
				: "logTarget: targetName must be given with targetType %s.",
			type);
	return logging_level_set(&r, type, name ? name : "", in_text(call, "logLevel"));
}

int op_DeleteV2LoggingLevel(struct api_call *call)
{
	struct registry r = registry_of(call);
	return logging_level_delete(&r, in_text(call, "targetType"), in_text(call, "targetName"));
}

struct listing {
	struct page page;
	const char *type; /* NULL: any */
};

static int add_level(const struct logging_level *level, void *ctx)
{
	struct listing *listing = ctx;
	if (listing->type && g_strcmp0(level->type, listing->type) != 0)
		return 0;
	g_autofree char *cursor = g_strconcat(level->type, "/", level->name, NULL);
	json_t *target = json_pack("{s:s}", "targetType", level->type);
	if (level->name[0] != '\0')
		(void)json_object_set_new(target, "targetName", json_string(level->name));
	json_t *item = json_pack("{s:o, s:s}", "logTarget", target, "logLevel", level->level);
	return page_add(&listing->page, item, cursor) ? 0 : 1;
}

int op_ListV2LoggingLevels(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct listing listing = {page_of(call), in_text(call, "targetType")};
	char type[FIRST_KEY_SIZE];
	const char *name = place_pair(&listing.page, type);
	int64_t limit = listing.type ? INT64_MAX : listing.page.limit + 1;
	return list_end(&listing.page,
			logging_level_each(&r, type, name, limit, add_level, &listing));
}
