#include "daemon/server_time.h"

#include <errno.h>
#include <glib.h>

struct clock *server_time_open(bool is_manual, const char *file, struct fault *fault)
{
	if (!is_manual)
		return clock_new_real();
	g_autofree char *text = NULL;
	gint64 at = g_get_real_time() / 1000;
	if (g_file_get_contents(file, &text, NULL, NULL) &&
	    !g_ascii_string_to_signed(g_strchomp(text), 10, 0, G_MAXINT64 / 2, &at, NULL)) {
		(void)fault_set(
			fault, FAULT_INTERNAL,
			"%s: holds no time in milliseconds; remove it to begin at the system's",
			file);
		return NULL;
	}
	return clock_new_manual(at);
}

int server_time_save(struct clock *clock, const char *file)
{
	g_autofree char *text =
		g_strdup_printf("%" G_GINT64_FORMAT "\n", (gint64)clock_now_ms(clock));
	g_autoptr(GError) error = NULL;
	if (g_file_set_contents_full(file, text, -1, G_FILE_SET_CONTENTS_DURABLE, 0600, &error))
		return 0;
	return -EIO;
}
