#include "daemon/denials.h"

#include "daemon/server_time.h"

#include <stdlib.h>

#define SECOND_MS INT64_C(1000)

static int64_t unit_ms(const char *unit)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{"s", SECOND_MS            },
		{"m", 60 * SECOND_MS       },
		{"h", 3600 * SECOND_MS     },
		{"d", SECOND_MS * 24 * 3600},
	};
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (g_strcmp0(units[i].unit, unit) == 0)
			return units[i].ms;
	}
	return 0;
}

int denials_since(const struct common *common, const char *since, int64_t *ret_ms)
{
	struct fault fault = {0};
	char *unit;
	gint64 n = g_ascii_strtoll(since, &unit, 10);
	int64_t ms = unit_ms(unit);
	if (unit == since || n < 0 || n > 100000 || ms == 0) {
		complain("--since %s: say a number and s, m, h or d: 24h, 7d", since);
		return EXIT_USAGE;
	}
	struct clock *clock = server_time_open(common->settings.clock_manual != 0,
					       common->paths.at[PATH_CLOCK], &fault);
	if (!clock) {
		complain("%s", fault.message);
		return EXIT_FAILED;
	}
	*ret_ms = clock_now_ms(clock) - n * ms;
	clock_free(clock);
	return 0;
}

char *denials_time(int64_t at_ms)
{
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_ms / 1000);
	return g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
}

void denials_tell_request(const struct denied *d, GString *text)
{
	g_string_append(text, d->action);
	if (d->is_rest) {
		g_string_append(text, " on this and that");
	} else if (*d->resource) {
		g_string_append(text, " on ");
		denied_tell_quoted(d->resource, text);
	}
}

json_t *denials_json(const struct denied *d)
{
	g_autoptr(GString) why = g_string_new(""), cure = g_string_new("");
	g_autofree char *first = denials_time(d->first_ms), *last = denials_time(d->last_ms);
	denied_tell_rule(d, why);
	denied_tell_cure(d, cure);
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:s, s:s}",
		"client", d->client_id, "certificate", d->certificate, "user", d->username,
		"address", d->address, "broker", d->broker, "action", d->action, "resource",
		d->resource, "cause", d->cause, "why", why->str, "cure", cure->str, "observed",
		d->is_observed, "rest", d->is_rest, "count", (json_int_t)d->times, "first", first,
		"last", last);
	if (*d->policy)
		(void)json_object_update_new(o,
					     json_pack("{s:s, s:I, s:I}", "policy", d->policy,
						       "version", (json_int_t)d->version,
						       "statement", (json_int_t)d->statement + 1));
	if (*d->sid)
		(void)json_object_set_new(o, "sid", json_string(d->sid));
	if (*d->missing)
		(void)json_object_set_new(o, "missing", json_string(d->missing));
	return o;
}
