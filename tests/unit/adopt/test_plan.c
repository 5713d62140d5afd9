/* What a configuration means for adopting Thingward, by table. */
#include "adopt/plan.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct judged {
	struct conf conf;
	struct adopt_plan plan;
};

static void judge(const char *text, struct judged *ret)
{
	struct fault fault;
	conf_init(&ret->conf);
	assert_int_equal(conf_add_text(&ret->conf, "f", view_of(text), &fault), 0);
	adopt_plan_make(&ret->conf, &ret->plan);
}

static void judged_clear(struct judged *j)
{
	adopt_plan_clear(&j->plan);
	conf_clear(&j->conf);
}

/* ---- Options ---- */

struct option_case {
	const char *text; /* the last line is judged */
	enum adopt_effect effect;
};

static const struct option_case option_cases[] = {
	{"per_listener_settings true",						   ADOPT_BLOCKS      },
	{"per_listener_settings 1",						      ADOPT_BLOCKS      },
	{"per_listener_settings false",						  ADOPT_STAYS       },
	{"plugin /usr/lib/x/mosquitto_dynamic_security.so",                              ADOPT_OBSERVE_ONLY},
	{"plugin /opt/other.so",							 ADOPT_OBSERVE_ONLY},
	{"auth_plugin /opt/other.so",						    ADOPT_OBSERVE_ONLY},
	{"plugin /opt/thingward_mosquitto.so",                                           ADOPT_BLOCKS      },
	{"plugin_opt_config_file /x",						    ADOPT_STAYS       },
	{"password_file /x",							     ADOPT_OBSERVE_ONLY},
	{"acl_file /x",								  ADOPT_OBSERVE_ONLY},
	{"per_listener_settings true\nlistener 1\nacl_file /a\nlistener 2\nacl_file /b",
	 ADOPT_BLOCKS										      },
	{"allow_anonymous true",							 ADOPT_REFUSES     },
	{"allow_anonymous false",							ADOPT_STAYS       },
	{"protocol websockets",							  ADOPT_NO_ENFORCE  },
	{"protocol mqtt",								ADOPT_STAYS       },
	{"use_identity_as_username true",						ADOPT_NO_ENFORCE  },
	{"use_identity_as_username false",					       ADOPT_STAYS       },
	{"use_subject_as_username true",						 ADOPT_NO_ENFORCE  },
	{"psk_hint x",								   ADOPT_NO_ENFORCE  },
	{"crlfile /x",								   ADOPT_CHANGES     },
	{"mount_point site/",							    ADOPT_NO_REPORTS  },
	{"max_qos 0",								    ADOPT_NO_REPORTS  },
	{"max_qos 2",								    ADOPT_STAYS       },
	{"message_size_limit 0",							 ADOPT_STAYS       },
	{"message_size_limit 4096",						      ADOPT_NO_REPORTS  },
	{"message_size_limit 139264",						    ADOPT_STAYS       },
	{"max_packet_size 100",							  ADOPT_NO_REPORTS  },
	{"set_tcp_nodelay false",							ADOPT_NO_REPORTS  },
	{"user root",								    ADOPT_CHANGES     },
	{"user mosquitto",							       ADOPT_STAYS       },
	{"connection to-cloud",							  ADOPT_STAYS       },
	{"bridge_cafile /x",							     ADOPT_STAYS       },
	{"log_type all",								 ADOPT_STAYS       },
	{"no_such_option 1",							     ADOPT_UNKNOWN     },
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(option_cases); i++) {
		struct judged j;
		judge(option_cases[i].text, &j);
		const GArray *notes = j.plan.notes;
		assert_int_equal(g_array_index(notes, struct adopt_note, notes->len - 1).effect,
				 option_cases[i].effect);
		judged_clear(&j);
	}
}

/* ---- Listeners ---- */

#define TLS_LINES "certfile /c\nkeyfile /k\n"

struct listener_case {
	const char *text;
	uint16_t port;
	const char *address;
	enum adopt_effect worst; /* of the last listener */
	guint n;
};

static const struct listener_case listener_cases[] = {
	{"",										    1883, "loopback",    ADOPT_REFUSES,    1},
	{"cafile /x",									   1883, "",            ADOPT_REFUSES,    1},
	{"port 1884\nbind_address ::1",							 1884, "::1",         ADOPT_REFUSES,    1},
	{"listener 1883",								       1883, "",            ADOPT_REFUSES,    1},
	{"listener 1883 localhost",							     1883, "localhost",   ADOPT_REFUSES,    1},
	{"listener 0 /run/m.sock",							      0,    "/run/m.sock", ADOPT_REFUSES,    1},
	{"listener 8883\n" TLS_LINES,							   8883, "",            ADOPT_REFUSES,    1},
	{"listener 8883\n" TLS_LINES "require_certificate true",                                8883, "",            ADOPT_STAYS,      1},
	{"listener 8883\n" TLS_LINES "require_certificate true\nuse_identity_as_username true",
	 8883,											"",            ADOPT_NO_ENFORCE, 1},
	{"port 1883\nlistener 9001\nprotocol websockets",                                       9001, "",            ADOPT_NO_ENFORCE, 2},
	{"port 1883\nlistener 8883\n" TLS_LINES "require_certificate true\npsk_file /x",        8883, "",
	 ADOPT_STAYS,														  2},
	{"listener 8883 ::1\nlistener 8883 127.0.0.1\n" TLS_LINES "require_certificate true",   8883,
	 "127.0.0.1",												ADOPT_CHANGES,    2},
};

static void test_listeners(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(listener_cases); i++) {
		const struct listener_case *c = &listener_cases[i];
		struct judged j;
		judge(c->text, &j);
		assert_int_equal(j.plan.listeners->len, c->n);
		const struct adopt_listener *last =
			&g_array_index(j.plan.listeners, struct adopt_listener, c->n - 1);
		assert_int_equal(last->port, c->port);
		assert_string_equal(last->address, c->address);
		assert_int_equal(last->worst, c->worst);
		judged_clear(&j);
	}
}

/* ---- Lines ---- */

struct line_case {
	const char *text;
	const char *top, *end; /* between the plugin's lines and the doorbell's */
};

static const struct line_case line_cases[] = {
	{"listener 1\npassword_file /p",      "set_tcp_nodelay true\n", ""                      },
	{"listener 1\nset_tcp_nodelay true",  "",                       ""                      },
	{"listener 1\nset_tcp_nodelay false", "",                       ""                      },
	{"set_tcp_nodelay true\ncafile /x",   "",                       "allow_anonymous true\n"},
	{"set_tcp_nodelay true",              "",
	 "allow_anonymous true\n"
	 "# The broker makes these two by itself only as long as there is no other listener.\n"
	 "listener 1883 127.0.0.1\nlistener 1883 ::1\n"                                         },
};

static void test_added_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		struct judged j;
		struct adopt_lines lines;
		judge(c->text, &j);
		adopt_lines_make(&j.plan, "plugin x\n", "listener 0 /d\n", &lines);
		g_autofree char *top =
			g_strconcat("plugin x\nplugin_opt_mode observe\n", c->top, NULL);
		g_autofree char *end = g_strconcat(c->end, "listener 0 /d\n", NULL);
		assert_string_equal(lines.top, top);
		assert_string_equal(lines.end, end);
		adopt_lines_clear(&lines);
		judged_clear(&j);
	}
}

/* ---- Printing ---- */

typedef void print_fn(const struct conf *conf, const struct adopt_plan *plan,
		      const struct adopt_lines *lines, FILE *out);

static char *print(const char *text, print_fn *fn)
{
	struct judged j;
	struct adopt_lines lines;
	char *printed = NULL;
	size_t n;
	judge(text, &j);
	adopt_lines_make(&j.plan, "plugin x\n", "listener 0 /d\n", &lines);
	FILE *out = open_memstream(&printed, &n);
	fn(&j.conf, &j.plan, &lines, out);
	assert_int_equal(fclose(out), 0);
	adopt_lines_clear(&lines);
	judged_clear(&j);
	return printed;
}

#define HOSTILE                                                                                    \
	"remote_password hunter2\nplugin_opt_db hunter2\nunheard hunter2\nlistener 1 "             \
	"\033[31m\xff\n"

static void test_text_shows_no_secret_and_is_inert(void **state)
{
	(void)state;
	g_autofree char *text = print(HOSTILE, adopt_print_text);
	assert_null(strstr(text, "hunter2"));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "f:1  remote_password ...\n"));
	assert_non_null(strstr(text, "plugin x\nplugin_opt_mode observe\n"));
}

static void test_text_of_what_blocks(void **state)
{
	(void)state;
	g_autofree char *text = print("per_listener_settings true\n", adopt_print_text);
	assert_non_null(strstr(text, "cure: set it to false"));
	assert_null(strstr(text, "Lines to add"));
}

static void test_json(void **state)
{
	(void)state;
	g_autofree char *text = print(HOSTILE "protocol websockets\n", adopt_print_json);
	assert_null(strstr(text, "hunter2"));
	json_t *object = json_loads(text, 0, NULL);
	const char *file, *enforce, *mode, *top;
	int blocked;
	assert_int_equal(json_unpack(object, "{s:s, s:b, s:[{s:s, s:s}], s:{s:s}}", "file", &file,
				     "blocked", &blocked, "listeners", "enforce", &enforce, "mode",
				     &mode, "add", "top", &top),
			 0);
	assert_string_equal(file, "f");
	assert_false(blocked);
	assert_string_equal(enforce, "impossible");
	assert_string_equal(mode, "observe");
	assert_int_equal(json_array_size(json_object_get(object, "options")), 5);
	json_decref(object);
}

/* ---- The table ---- */

/* A row that an earlier one hides would never be found. */
static void test_no_row_is_hidden(void **state)
{
	(void)state;
	static const char *const names[] = {
#define OPTION(name, when, scope, traits, effect, says, cure) name " " #when,
#include "adopt/option.tbl.h"
#undef OPTION
	};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		for (size_t k = 0; k < i; k++) {
			const char *any = strstr(names[k], " ANY");
			const char *star = strchr(names[k], '*');
			size_t n = any ? (size_t)(any - names[k]) + 1 : 0;
			assert_string_not_equal(names[k], names[i]);
			assert_false(any && !star && strncmp(names[k], names[i], n) == 0);
			assert_false(star && any &&
				     strncmp(names[k], names[i], (size_t)(star - names[k])) == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_added_lines),
		cmocka_unit_test(test_text_shows_no_secret_and_is_inert),
		cmocka_unit_test(test_text_of_what_blocks),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_no_row_is_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
