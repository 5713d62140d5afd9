#include "registry/quarantine.h"

#include "registry/attributes.h"
#include "registry/rows.h"

#include <glib.h>

bool quarantine_is_marked(const char *kept)
{
	/* Nearly every group is passed by without reading JSON. */
	if (!strstr(kept, "\"" QUARANTINE_ATTRIBUTE "\""))
		return false;
	json_t *map = attributes_json(kept);
	const char *value = json_string_value(json_object_get(map, QUARANTINE_ATTRIBUTE));
	bool is_marked = g_strcmp0(value, "true") == 0;
	json_decref(map);
	return is_marked;
}

int quarantine_check(struct registry *r, const json_t *attributes)
{
	const char *value = json_string_value(json_object_get(attributes, QUARANTINE_ATTRIBUTE));
	if (!value || !*value || strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return 0;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "attributePayload: " QUARANTINE_ATTRIBUTE " is '%s'; use true to make the "
			 "group a quarantine for its things, or false.",
			 value);
}

static int take_mark(struct sql_rows *row, void *ret)
{
	bool *is_marked = ret;
	*is_marked = *is_marked || quarantine_is_marked(sql_col_text(row, 0));
	return 0;
}

int quarantine_holds(struct registry *r, const char *group, bool *ret)
{
	*ret = false;
	return rows_each(r->db, SQL_group_attributes_above, SQL_ARGS(sql_text(group)), take_mark,
			 ret);
}
