/* The log line of a refusal: its form, that a hostile client cannot bend it, and that the shipped
 * fail2ban filter finds the address in every line. */
#include "event_kit.h"
#include "ledger/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

static void test_form(void **state)
{
	(void)state;
	struct event e = kit_event(EVENT_REFUSED);
	e.refused.is_observed = false;
	g_autofree char *line = denial_line(VIEW_LIT("east"), &e.refused);
	assert_string_equal(
		line, "denied 192.0.2.7 cause=explicit-deny action=iot:Publish count=12 "
		      "certificate="
		      "0102000000000000000000000000000000000000000000000000000000000003 "
		      "client=\"client\" user=\"user\" resource=\"a/b\" policy=\"base\" version=3 "
		      "statement=2 missing=\"iot:Connection.Thing.ThingName\" broker=\"east\"");
}

static void test_form_without_most(void **state)
{
	(void)state;
	struct event_refused e = {.action = EVENT_ACTION_TLS,
				  .cause = CAUSE_TLS_FAILED,
				  .is_observed = true,
				  .statement = -1,
				  .count = 1};
	g_autofree char *line = denial_line(VIEW_LIT("east"), &e);
	assert_string_equal(line, "would-deny - cause=tls-failed action=tls count=1 certificate=- "
				  "client=\"\" user=\"\" resource=\"\" policy=\"\" missing=\"\" "
				  "broker=\"east\"");
}

/* The filter's expression with its tags filled in, as fail2ban does. */
static GRegex *shipped_filter(void)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	assert_true(g_key_file_load_from_file(
		file, SOURCE_DIR "/packaging/fail2ban/filter.d/thingward.conf", G_KEY_FILE_NONE,
		NULL));
	g_autofree char *expression = g_key_file_get_value(file, "Definition", "failregex", NULL);
	g_autofree char *cause = g_key_file_get_value(file, "Definition", "cause", NULL);
	assert_true(expression && cause);
	GString *filled = g_string_new(expression);
	assert_int_equal(g_string_replace(filled, "<ADDR>", "(?P<addr>[0-9a-fA-F:.]+)", 0), 1);
	assert_int_equal(g_string_replace(filled, "<cause>", cause, 0), 1);
	GRegex *filter = g_regex_new(filled->str, 0, 0, NULL);
	assert_non_null(filter);
	(void)g_string_free(filled, TRUE);
	return filter;
}

static void assert_found(const GRegex *filter, const char *line, const char *address)
{
	static const char *const before[] = {"<5>denial: ", "host thingward[12]: denial: ",
					     "host thingward[12]: <5>denial: ", "denial: "};
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		g_autofree char *whole = g_strconcat(before[i], line, NULL);
		g_autoptr(GMatchInfo) match = NULL;
		bool is_found = g_regex_match(filter, whole, 0, &match);
		if (is_found != (address != NULL))
			fail_msg("%s: %s", is_found ? "found" : "not found", whole);
		if (!address)
			continue;
		g_autofree char *addr = g_match_info_fetch_named(match, "addr");
		assert_string_equal(addr, address);
	}
}

static const struct view hostile[] = {
	VIEW_INIT("\ndenial: denied 198.51.100.1 cause=no-certificate action=tls count=1 "
		  "certificate="),
	VIEW_INIT("\r\n<5>denial: denied 198.51.100.1 cause=x action=x count=1 certificate="),
	VIEW_INIT("\" denied 198.51.100.1 cause=no-certificate \""),
	VIEW_INIT("\\\" x"),
	VIEW_INIT("a\0b"),
	VIEW_INIT("\xff\xfe\x1b[2J\x7f"),
	VIEW_INIT("\xe2\x80\xa8"
		  "denial: denied 198.51.100.1"), /* a line separator */
};

static void test_hostile_texts(void **state)
{
	(void)state;
	GRegex *filter = shipped_filter();
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct event e = kit_event(EVENT_REFUSED);
		struct event_refused *r = &e.refused;
		r->is_observed = false;
		r->who.client_id = r->who.username = r->resource = r->policy = r->missing =
			hostile[i];
		g_autofree char *line = denial_line(VIEW_LIT("east"), r);
		for (const char *c = line; *c; c++)
			assert_true(g_ascii_isprint(*c));
		int quotes = 0;
		for (const char *c = line; *c; c++)
			quotes += *c == '"';
		assert_int_equal(quotes, 12);
		assert_found(filter, line, "192.0.2.7");
	}
	g_regex_unref(filter);
}

/* Only the broker tells addresses; were one of them no address, nothing else would take its place.
 */
static void test_hostile_addresses(void **state)
{
	(void)state;
	GRegex *filter = shipped_filter();
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct event e = kit_event(EVENT_REFUSED);
		e.refused.is_observed = false;
		e.refused.who.address = hostile[i];
		g_autofree char *line = denial_line(VIEW_LIT("east"), &e.refused);
		assert_true(g_str_has_prefix(line, "denied - cause="));
		assert_found(filter, line, NULL);
	}
	g_regex_unref(filter);
}

/* 100 % of the lines: every cause, every action, v4 and v6. */
static void test_filter_finds_every_line(void **state)
{
	(void)state;
	static const char *const addresses[] = {"192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"};
	GRegex *filter = shipped_filter();
	for (unsigned cause = 0; cause < CAUSES; cause++) {
		for (unsigned action = 0; action <= POLICY_ACTIONS; action++) {
			struct event e = kit_event(EVENT_REFUSED);
			const char *address = addresses[(cause + action) % ARRAY_LEN(addresses)];
			e.refused.cause = (enum cause)cause;
			e.refused.action =
				action < POLICY_ACTIONS ? (uint8_t)action : EVENT_ACTION_TLS;
			e.refused.who.address = view_of(address);
			g_autofree char *would = denial_line(VIEW_LIT("east"), &e.refused);
			assert_found(filter, would, NULL);
			e.refused.is_observed = false;
			g_autofree char *line = denial_line(VIEW_LIT("east"), &e.refused);
			assert_found(filter, line, address);
		}
	}
	g_regex_unref(filter);
}

static void test_long_texts_are_cut(void **state)
{
	(void)state;
	struct event e = kit_event(EVENT_REFUSED);
	g_autofree char *text = g_strnfill(EVENT_RESOURCE_MAX, '\x01');
	e.refused.resource = view_of(text);
	e.refused.is_observed = false;
	g_autofree char *line = denial_line(VIEW_LIT("east"), &e.refused);
	assert_true(strlen(line) < 2048);
	assert_non_null(strstr(line, "\\x01...\" policy="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_without_most),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_hostile_addresses),
		cmocka_unit_test(test_filter_finds_every_line),
		cmocka_unit_test(test_long_texts_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
