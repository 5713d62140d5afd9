/* Loading the model: what stands in the program is sound, and what is not sound does not load
 * (S17). */
#include "api/model.h"

#include "api/shape.h"
#include "api/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char shapes[] =
	"{\"Name\": {\"type\": \"string\", \"max\": 5, \"pattern\": \"[a-z]+\"},"
	"\"Names\": {\"type\": \"list\", \"of\": \"Name\"},"
	"\"Token\": {\"type\": \"string\"},"
	"\"When\": {\"type\": \"timestamp\"}}";
static const char errors[] =
	"{\"InvalidRequestException\": {\"http\": 400, \"members\": [\"message\"], \"origin\": "
	"\"model\"}}";
/* The name is one that has a handler or not: every row of handlers.tbl.h must be in the model, so
 * these loads are judged by their message alone. */
static const char operations[] =
	"{\"ListAll\": {\"family\": \"f\", \"group\": \"g\", \"summary\": \"Lists all.\", "
	"\"method\": \"GET\","
	" \"uri\": \"/all/{kind}\", \"role\": \"viewer\", \"writes\": false,"
	" \"input\": {\"kind\": {\"shape\": \"Name\", \"in\": \"uri\", \"required\": true},"
	"             \"nextToken\": {\"shape\": \"Token\", \"in\": \"query\"}},"
	" \"output\": {\"names\": {\"shape\": \"Names\"}, \"nextToken\": {\"shape\": \"Token\"}},"
	" \"errors\": [\"InvalidRequestException\"], \"secret\": [\"nextToken\"],"
	" \"page\": {\"in\": \"nextToken\", \"out\": \"nextToken\", \"items\": \"names\", "
	"\"default\": 25}}}";

static const struct change_row {
	const char *file, *from, *to, *words;
} changes[] = {
	{"operations", "\"role\": \"viewer\",",         "",                                       "role"                   },
	{"operations", "\"viewer\"",                    "\"guest\"",                              "viewer, operator, admin"},
	{"operations", "\"writes\": false,",            "",                                       "writes"                 },
	{"operations", "\"summary\": \"Lists all.\",",  "",                                       "summary"                },
	{"operations", "\"method\"",                    "\"methods\"",                            "method"                 },
	{"operations", "/all",                          "all",                                    "slash"                  },
	{"operations", "/all",                          "/1/2/3/4/5/6/7/8/9",                     "segments"               },
	{"operations", "{kind}",                        "{sort}",                                 "labels"                 },
	{"operations", "\"shape\": \"Name\"",           "\"shape\": \"Nome\"",                    "kind"                   },
	{"operations", "\"in\": \"uri\"",               "\"in\": \"cookie\"",                     "kind"                   },
	{"operations", "\"Token\", \"in\": \"query\"",  "\"Names\", \"in\": \"query\"",           "nextToken"              },
	{"operations", "[\"InvalidRequestException\"]", "[\"OtherException\"]",                   "errors.json"            },
	{"operations", "\"items\": \"names\"",          "\"items\": \"all\"",                     "page"                   },
	{"operations", "\"default\": 25",               "\"default\": 251",                       "1..250"                 },
	{"operations", "[\"nextToken\"]",               "[\"keyPair.PrivateKey\"]",               "secret"                 },
	{"operations", "[\"nextToken\"]",               "[1]",                                    "secret"                 },
	{"operations", "\"family\": \"f\",",            "\"family\": \"f\", \"familiy\": \"f\",", "familiy"                },
	{"operations", "{\"ListAll\"",                  "[\"ListAll\"",                           "JSON"                   },
	{"shapes",     "[a-z]+",                        "[a-z",                                   "pattern"                },
	{"shapes",     "\"of\": \"Name\"",              "\"of\": \"Nome\"",                       "Names"                  },
	{"shapes",     "\"list\"",                      "\"liste\"",                              "Names"                  },
	{"shapes",     "\"max\": 5",                    "\"max\": \"5\"",                         "Name"                   },
	{"shapes",     "\"type\": \"timestamp\"",       "\"enum\": [], \"type\": 1",              "When"                   },
	{"errors",     "\"http\": 400,",                "",                                       "http"                   },
};

static char *replaced(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, 2);
	assert_int_equal(g_strv_length(parts), 2);
	return g_strjoinv(to, parts);
}

static void test_unsound_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change_row *row = &changes[i];
		const char *texts[] = {errors, shapes, operations},
			   *names[] = {"errors", "shapes", "operations"};
		struct model_file files[4] = {{0}};
		g_autofree char *changed = NULL;
		struct fault fault;
		for (size_t k = 0; k < 3; k++) {
			const char *text = texts[k];
			if (strcmp(names[k], row->file) == 0)
				text = changed = replaced(text, row->from, row->to);
			files[k] = (struct model_file){k == 0   ? "model/errors.json"
						       : k == 1 ? "model/shapes.json"
								: "model/operations/x.json",
						       text, text + strlen(text)};
		}
		assert_null(model_load_files(files, &fault));
		if (!strstr(fault.message, row->words) || strstr(fault.message, "handlers.tbl.h"))
			fail_msg("%s: %s", row->to, fault.message);
	}
}

static void test_a_name_stands_once(void **state)
{
	const struct model_file files[] = {
		{"model/errors.json",       errors,     errors + sizeof(errors) - 1        },
		{"model/shapes.json",       shapes,     shapes + sizeof(shapes) - 1        },
		{"model/operations/x.json", operations, operations + sizeof(operations) - 1},
		{"model/operations/y.json", operations, operations + sizeof(operations) - 1},
		{NULL,                      NULL,       NULL                               },
	};
	struct fault fault;
	(void)state;
	assert_null(model_load_files(files, &fault));
	assert_non_null(strstr(fault.message, "ListAll: stands twice"));
}

/* A file of model/operations that is not a row of model_files.tbl.h would be missed silently. */
static void test_every_file_is_there(void **state)
{
	GDir *dir = g_dir_open(SOURCE_DIR "/model/operations", 0, NULL);
	const char *name;
	(void)state;
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strconcat("model/operations/", name, NULL);
		const struct model_file *file = model_files;
		while (file->path && strcmp(file->path, path) != 0)
			file++;
		if (!file->path)
			fail_msg("%s has no row in api/model_files.tbl.h", path);
	}
	g_dir_close(dir);
}

static void test_statuses(void **state)
{
	struct fault fault;
	struct model *model = model_load(&fault);
	(void)state;
	assert_non_null(model);
	assert_int_equal(model_status(model, "LimitExceededException"), 410);
	assert_int_equal(model_status(model, "NoSuchException"), 0);
	for (enum fault_kind kind = FAULT_NONE + 1; fault_name(kind)[0] != '\0'; kind++) {
		assert_true(model_status(model, fault_name(kind)) >= 400);
		if (kind == FAULT_VERSIONS_LIMIT_EXCEEDED)
			break;
	}
	model_free(model);
}

static void test_roles(void **state)
{
	(void)state;
	for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++)
		assert_int_equal(role_of(role_name(role)), role);
	assert_int_equal(role_of("root"), 0);
}

static void test_answers_leave_as_seconds(void **state)
{
	struct fault fault;
	struct model *model = model_load(&fault);
	const struct operation *op = model_operation(model, "DescribeAuditTask");
	(void)state;
	json_t *out = json_pack("{s:s, s:I, s:n, s:i}", "taskStatus", "COMPLETED", "taskStartTime",
				(json_int_t)1767225600089, "scheduledAuditName", "notOurs", 1);
	json_t *wire = shape_write(&op->output, out);
	char *text = json_dumps(wire, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	assert_string_equal(text,
			    "{\"taskStartTime\":1767225600.089,\"taskStatus\":\"COMPLETED\"}");
	free(text);
	json_decref(wire);
	json_decref(out);
	json_t *whole = timestamp_write(1767225600000);
	assert_int_equal(json_integer_value(whole), 1767225600);
	json_decref(whole);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsound_rows),
		cmocka_unit_test(test_a_name_stands_once),
		cmocka_unit_test(test_every_file_is_there),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_answers_leave_as_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
