/* The text of statements, as each database wants it. */
#include "store/sql_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>

static const struct sql_word words[] = {
	{"INT",    "bigint"            },
        {"STRICT", ""                  },
        {"TEXT",   "text collate \"C\""}
};

static const struct {
	const char *ours, *theirs;
} translations[] = {
	{"",				      ""				},
	{"create table t (a INT, b TEXT) STRICT",
	 "create table t (a bigint, b text collate \"C\") "                         },
	{"INT",				   "bigint"			  },
	{"PRINT INTO HINT_INT INT_ INTS",         "PRINT INTO HINT_INT INT_ INTS"   },
	{"int strict",			    "int strict"                      },
	{"default 'INT' INT 'it''s INT'",         "default 'INT' bigint 'it''s INT'"},
	{"'never closed INT",                     "'never closed INT"               },
	{"(INT)",				 "(bigint)"                        },
};

static void translates_whole_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(translations); i++) {
		g_autofree char *text =
			sql_translate(translations[i].ours, words, ARRAY_LEN(words));
		assert_string_equal(text, translations[i].theirs);
	}
}

static const struct {
	const char *ours, *theirs;
} dollars[] = {
	{"",			    ""			   },
	{"select ?1, ?2 where a = ?12", "select $1, $2 where a = $12"},
	{"select '?1', ?1",             "select '?1', $1"            },
	{"'a''?1' ?2",                  "'a''?1' $2"                 },
};

static void writes_dollars(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dollars); i++) {
		g_autofree char *text = sql_dollars(dollars[i].ours);
		assert_string_equal(text, dollars[i].theirs);
	}
}

static void null_text_is_null(void **state)
{
	(void)state;
	assert_int_equal(sql_text(NULL).type, 0);
	assert_int_equal(sql_text("").type, 't');
	assert_int_equal(sql_blob(NULL, 0).type, 'b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_whole_words),
		cmocka_unit_test(writes_dollars),
		cmocka_unit_test(null_text_is_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
