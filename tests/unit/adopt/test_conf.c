/* A configuration's lines, read as the broker reads them. */
#include "adopt/conf.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static const struct conf_line *line_at(const struct conf *conf, guint i)
{
	assert_true(i < conf->lines->len);
	return &g_array_index(conf->lines, struct conf_line, i);
}

struct line_case {
	const char *text, *name, *value; /* name NULL: no option */
};

static const struct line_case line_cases[] = {
	{"port 1883",                  "port",          "1883"                },
	{"port   1883  \r",            "port",          "1883"                },
	{"  port 1883",                "port",          "1883"                },
	{"password_file /a b/c",       "password_file", "/a b/c"              },
	{"persistence",                "persistence",   ""                    },
	{"topic # out 1 \"\" remote/", "topic",         "# out 1 \"\" remote/"},
	{"port\t1883",                 "port\t1883",    ""                    }, /* the broker knows spaces only */
	{"# port 1883",                NULL,            NULL                  },
	{"",			   NULL,            NULL                  },
	{"\r",			 NULL,            NULL                  },
	{"   ",			NULL,            NULL                  },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		struct conf conf;
		struct fault fault;
		conf_init(&conf);
		assert_int_equal(conf_add_text(&conf, "f", view_of(c->text), &fault), 0);
		assert_int_equal(conf.lines->len, c->name ? 1 : 0);
		if (c->name) {
			assert_string_equal(line_at(&conf, 0)->name, c->name);
			assert_string_equal(line_at(&conf, 0)->value, c->value);
		}
		conf_clear(&conf);
	}
}

static void refuse(struct view text, const char *words)
{
	struct conf conf;
	struct fault fault;
	conf_init(&conf);
	assert_int_equal(conf_add_text(&conf, "f", text, &fault), -1);
	assert_non_null(strstr(fault.message, words));
	conf_clear(&conf);
}

static void test_limits(void **state)
{
	(void)state;
	refuse(VIEW_LIT("port 1\nport \0 2\n"), "f:2: no line of text");
	g_autofree char *word = g_strnfill(CONF_WORD_MAX + 1, 'x');
	refuse(view_of(word), "f:1: no line of text");
	g_autoptr(GString) many = g_string_new(NULL);
	for (unsigned i = 0; i <= CONF_LINES_MAX; i++)
		g_string_append(many, "a 1\n");
	refuse((struct view){many->str, many->len}, "more than 20000 options");
}

/* ---- Files ---- */

static char *put(const char *dir, const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void test_includes(void **state)
{
	(void)state;
	g_autofree char *dir = g_dir_make_tmp("adopt-XXXXXX", NULL);
	g_autofree char *included = put(dir, "b.conf", "port 2\ninclude_dir /nowhere\n");
	g_autofree char *first = put(dir, "A.conf", "port 1");
	g_autofree char *other = put(dir, "c.txt", "port 9\n");
	g_autofree char *text = g_strdup_printf("user x\ninclude_dir %s\nport 3\n", dir);
	g_autofree char *file = put(dir, "main", text);
	struct conf conf;
	struct fault fault;
	conf_init(&conf);
	assert_int_equal(conf_read(&conf, file, &fault), 0);
	static const char *const values[] = {"x", NULL, "1", "2", "/nowhere", "3"};
	assert_int_equal(conf.lines->len, G_N_ELEMENTS(values));
	for (guint i = 0; i < G_N_ELEMENTS(values); i++)
		assert_string_equal(line_at(&conf, i)->value, values[i] ? values[i] : dir);
	assert_string_equal(line_at(&conf, 2)->file, first);
	assert_true(conf_is_main(&conf, line_at(&conf, 5)));
	assert_false(conf_is_main(&conf, line_at(&conf, 3)));
	assert_int_equal(line_at(&conf, 5)->number, 3);
	conf_clear(&conf);
	const char *const paths[] = {included, first, other, file, dir};
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
		assert_int_equal(g_remove(paths[i]), 0);
}

static void refuse_file(const char *path, const char *words)
{
	struct conf conf;
	struct fault fault;
	conf_init(&conf);
	assert_int_equal(conf_read(&conf, path, &fault), -1);
	assert_non_null(strstr(fault.message, words));
	conf_clear(&conf);
}

static void test_what_is_no_file(void **state)
{
	(void)state;
	g_autofree char *dir = g_dir_make_tmp("adopt-XXXXXX", NULL);
	g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	refuse_file("/dev/zero", "no regular file");
	refuse_file(fifo, "no regular file");
	refuse_file(dir, "no regular file");
	refuse_file("/nowhere/mosquitto.conf", "No such file");
	g_autofree char *text = g_strdup_printf("include_dir %s/gone\n", dir);
	g_autofree char *file = put(dir, "main", text);
	refuse_file(file, "include_dir: ");
	assert_int_equal(g_remove(file) | g_remove(fifo) | g_remove(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_includes),
		cmocka_unit_test(test_what_is_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
