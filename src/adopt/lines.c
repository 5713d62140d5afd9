/* The lines to add. Those at the top come before every other plugin's: the broker asks plugins in
 * their order and stops at the first that answers. The doorbell's listener comes last: whatever
 * follows a listener belongs to it. */
#include "adopt/plan.h"

#define LOCAL_LISTENERS                                                                            \
	"# The broker makes these two by itself only as long as there is no other listener.\n"     \
	"listener 1883 127.0.0.1\n"                                                                \
	"listener 1883 ::1\n"

void adopt_lines_make(const struct adopt_plan *plan, const char *plugin, const char *doorbell,
		      struct adopt_lines *ret)
{
	ret->top = g_strconcat(plugin, "plugin_opt_mode observe\n",
			       plan->sets_no_delay ? "" : "set_tcp_nodelay true\n", NULL);
	ret->end = g_strconcat(plan->is_local_only ? "allow_anonymous true\n" : "",
			       plan->is_default_local ? LOCAL_LISTENERS : "", doorbell, NULL);
}

void adopt_lines_clear(struct adopt_lines *lines)
{
	g_free(lines->top);
	g_free(lines->end);
}
