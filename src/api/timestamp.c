#include "api/timestamp.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>

#define SECONDS_MAX 253402300799.0 /* the end of the year 9999 */

static int from_seconds(double seconds, int64_t *ret_ms)
{
	if (!(fabs(seconds) <= SECONDS_MAX))
		return -1;
	*ret_ms = llround(seconds * 1000.0);
	return 0;
}

static int from_iso8601(const char *text, int64_t *ret_ms)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
	if (!time)
		return -1;
	/* GLib reads the seconds as a double: 46.090 may arrive as 46089999 microseconds. */
	*ret_ms =
		g_date_time_to_unix(time) * 1000 + (g_date_time_get_microsecond(time) + 500) / 1000;
	return 0;
}

int timestamp_parse(const char *text, int64_t *ret_ms)
{
	char *end;
	double seconds = g_ascii_strtod(text, &end);
	bool is_number = end != text && *end == '\0' && !g_ascii_isspace(text[0]);
	return is_number ? from_seconds(seconds, ret_ms) : from_iso8601(text, ret_ms);
}

int timestamp_read(const json_t *value, int64_t *ret_ms)
{
	if (json_is_string(value))
		return timestamp_parse(json_string_value(value), ret_ms);
	if (json_is_number(value))
		return from_seconds(json_number_value(value), ret_ms);
	return -1;
}

json_t *timestamp_write(int64_t ms)
{
	return ms % 1000 == 0 ? json_integer(ms / 1000) : json_real((double)ms / 1000.0);
}
