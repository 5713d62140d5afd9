#include "api/model.h"

#include "api/handlers.h"
#include "api/java_pattern.h"

#include <stdlib.h>

#define MODEL_FILE(id, path) extern const char model_text_##id[], model_end_##id[];
#include "api/model_files.tbl.h"
#undef MODEL_FILE

/* clang-format off */
const struct model_file model_files[] = {
#define MODEL_FILE(id, path) {path, model_text_##id, model_end_##id},
#include "api/model_files.tbl.h"
#undef MODEL_FILE
	{NULL, NULL, NULL},
};
/* clang-format on */

struct model {
	GPtrArray *documents; /* json_t: strings of the rows are borrowed from them */
	GPtrArray *blocks;    /* memory of the rows */
	GHashTable *shapes;   /* name -> struct shape */
	GHashTable *statuses; /* exception -> HTTP status */
	GArray *operations;   /* struct operation, by name */
};

/* What a load carries from step to step. */
struct load {
	struct model *model;
	const char *path;
	struct fault *fault;
};

struct name_row {
	const char *name;
	int value;
};

/* Each ends with what an unknown name is. */
static const struct name_row role_rows[] = {
	{"viewer",   ROLE_VIEWER  },
	{"operator", ROLE_OPERATOR},
	{"admin",    ROLE_ADMIN   },
	{NULL,       0            },
};

static const struct name_row type_rows[] = {
	{"string",    SHAPE_STRING   },
        {"integer",   SHAPE_INTEGER  },
	{"long",      SHAPE_LONG     },
        {"double",    SHAPE_DOUBLE   },
	{"boolean",   SHAPE_BOOLEAN  },
        {"timestamp", SHAPE_TIMESTAMP},
	{"list",      SHAPE_LIST     },
        {"map",       SHAPE_MAP      },
	{"structure", SHAPE_STRUCTURE},
        {NULL,        -1             },
};

static const struct name_row place_rows[] = {
	{"body",    PLACE_BODY   },
        {"uri",     PLACE_URI    },
        {"query",   PLACE_QUERY  },
	{"header",  PLACE_HEADER },
        {"payload", PLACE_PAYLOAD},
        {NULL,      -1           },
};

static int value_of(const struct name_row *rows, const char *name)
{
	while (rows->name && strcmp(rows->name, name) != 0)
		rows++;
	return rows->value;
}

const char *role_name(enum role role)
{
	return role_rows[role - ROLE_VIEWER].name;
}

enum role role_of(const char *name)
{
	return (enum role)value_of(role_rows, name);
}

static int bad(const struct load *load, const char *row, const char *what)
{
	return fault_set(load->fault, FAULT_INTERNAL, "%s: %s: %s", load->path, row, what);
}

static void *keep(struct model *model, size_t n, size_t size)
{
	void *block = g_malloc0_n(n + 1, size);
	g_ptr_array_add(model->blocks, block);
	return block;
}

/* A JSON list of texts; NULL-terminated. NULL when it holds anything else. */
static const char **texts_of(struct model *model, const json_t *list, size_t *ret_n)
{
	size_t n = json_array_size(list), i;
	const char **texts = keep(model, n, sizeof(*texts));
	json_t *entry;
	json_array_foreach(list, i, entry)
	{
		texts[i] = json_string_value(entry);
		if (!texts[i])
			return NULL;
	}
	*ret_n = n;
	return json_is_array(list) ? texts : NULL;
}

static struct shape *shape_named(struct model *model, const char *name)
{
	return name ? g_hash_table_lookup(model->shapes, name) : NULL;
}

/* Members of a structure, or of an operation's input or output. */
static int load_members(const struct load *load, const char *row, json_t *rows,
			struct shape *structure)
{
	structure->type = SHAPE_STRUCTURE;
	structure->n_members = json_object_size(rows);
	structure->members = keep(load->model, structure->n_members, sizeof(struct member));
	struct member *member = structure->members;
	const char *name;
	json_t *value;
	json_object_foreach(rows, name, value)
	{
		const char *shape, *place = "body", *wire = name, *format;
		int is_required = 0, flag;
		json_error_t error;
		if (json_unpack_ex(value, &error, 0, "{s:s, s?s, s?s, s?b, s?b, s?s, s?b !}",
				   "shape", &shape, "in", &place, "wire", &wire, "required",
				   &is_required, "idempotencyToken", &flag, "timestampFormat",
				   &format, "new", &flag) < 0)
			return bad(load, row, error.text);
		int where = value_of(place_rows, place);
		*member = (struct member){name, wire, shape_named(load->model, shape),
					  (enum member_place)where, is_required != 0};
		bool is_text = where == PLACE_URI || where == PLACE_QUERY || where == PLACE_HEADER;
		if (where < 0 || !member->shape || (is_text && member->shape->type >= SHAPE_LIST))
			return bad(load, row, name);
		member++;
	}
	return 0;
}

static int load_shape(const struct load *load, const char *name, json_t *row)
{
	struct shape *shape = shape_named(load->model, name);
	const char *type, *of = NULL, *key = NULL, *value = NULL;
	json_t *members = NULL, *values = NULL;
	json_error_t error;
	if (json_unpack_ex(row, &error, 0, "{s:s, s?I, s?I, s?s, s?o, s?s, s?s, s?s, s?o !}",
			   "type", &type, "min", &shape->min, "max", &shape->max, "pattern",
			   &shape->pattern, "enum", &values, "of", &of, "key", &key, "value",
			   &value, "members", &members) < 0)
		return bad(load, name, error.text);
	shape->name = name;
	shape->type = (enum shape_type)value_of(type_rows, type);
	shape->has_min = json_object_get(row, "min") != NULL;
	shape->has_max = json_object_get(row, "max") != NULL;
	shape->of = shape_named(load->model, of);
	shape->key = shape_named(load->model, key);
	shape->value = shape_named(load->model, value);
	bool is_whole = value_of(type_rows, type) >= 0 &&
			(shape->type == SHAPE_LIST) == (shape->of != NULL) &&
			(shape->type == SHAPE_MAP) == (shape->key && shape->value) &&
			(shape->type == SHAPE_STRUCTURE) == (members != NULL);
	if (!is_whole)
		return bad(load, name, "a type that is unknown or lacks its parts");
	if (values && !(shape->enum_values = texts_of(load->model, values, &shape->n_enum_values)))
		return bad(load, name, "enum is not a list of texts");
	if (shape->pattern && !(shape->regex = java_pattern_compile(shape->pattern)))
		return bad(load, name, "the pattern does not compile");
	return members ? load_members(load, name, members, shape) : 0;
}

static int load_shapes(const struct load *load, json_t *document)
{
	const char *name;
	json_t *row;
	json_object_foreach(document, name, row)
	{
		g_hash_table_insert(load->model->shapes, g_strdup(name),
				    keep(load->model, 1, sizeof(struct shape)));
	}
	json_object_foreach(document, name, row)
	{
		if (load_shape(load, name, row) < 0)
			return -1;
	}
	return 0;
}

static int load_errors(const struct load *load, json_t *document)
{
	const char *name, *origin;
	json_t *row, *members;
	json_object_foreach(document, name, row)
	{
		int status;
		json_error_t error;
		if (json_unpack_ex(row, &error, 0, "{s:i, s:o, s:s !}", "http", &status, "members",
				   &members, "origin", &origin) < 0)
			return bad(load, name, error.text);
		g_hash_table_insert(load->model->statuses, g_strdup(name), GINT_TO_POINTER(status));
	}
	return 0;
}

static int load_page(const struct load *load, struct operation *op, json_t *row)
{
	struct page_row *page = &op->page;
	json_int_t limit;
	json_error_t error;
	if (json_unpack_ex(row, &error, 0, "{s:s, s:s, s?s, s:s, s:I !}", "in", &page->token_in,
			   "out", &page->token_out, "limit", &page->limit, "items", &page->items,
			   "default", &limit) < 0)
		return bad(load, op->name, error.text);
	const struct member *items = shape_member(&op->output, page->items);
	if (!shape_member(&op->input, page->token_in) ||
	    !shape_member(&op->output, page->token_out) || !items ||
	    items->shape->type != SHAPE_LIST ||
	    (page->limit && !shape_member(&op->input, page->limit)) || limit < 1 || limit > 250)
		return bad(load, op->name,
			   "page names members that are not there, or a default outside 1..250");
	page->default_limit = limit;
	op->is_paged = true;
	return 0;
}

static int load_segments(const struct load *load, struct operation *op)
{
	if (op->uri[0] != '/')
		return bad(load, op->name, "the URI does not begin with a slash");
	for (const char *p = op->uri + 1; p; op->n_segments++) {
		if (op->n_segments == OPERATION_SEGMENTS_MAX)
			return bad(load, op->name, "the URI has too many segments");
		const char *slash = strchr(p, '/');
		size_t n = slash ? (size_t)(slash - p) : strlen(p);
		char *segment = keep(load->model, n, 1);
		memcpy(segment, p, n);
		op->segments[op->n_segments] = segment;
		p = slash ? slash + 1 : NULL;
	}
	return 0;
}

/* A label for every member of the URI, and a member for every label. */
static int check_labels(const struct load *load, const struct operation *op)
{
	size_t labels = 0, members = 0;
	for (size_t i = 0; i < op->n_segments; i++)
		labels += op->segments[i][0] == '{';
	for (size_t i = 0; i < op->input.n_members; i++) {
		const struct member *member = &op->input.members[i];
		g_autofree char *label = g_strdup_printf("{%s}", member->wire);
		members += member->place == PLACE_URI && strstr(op->uri, label) != NULL;
	}
	return labels == members ? 0 : bad(load, op->name, "labels and members of the URI differ");
}

static bool has_member_at(const struct shape *structure, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", 0);
	for (size_t i = 0; names[i]; i++) {
		const struct member *member = shape_member(structure, names[i]);
		if (!member)
			return false;
		structure = member->shape;
	}
	return true;
}

static int load_secrets(const struct load *load, struct operation *op, json_t *row)
{
	size_t n;
	op->secrets = texts_of(load->model, row, &n);
	if (!op->secrets)
		return bad(load, op->name, "secret is not a list of members");
	for (size_t i = 0; i < n; i++) {
		if (!has_member_at(&op->input, op->secrets[i]) &&
		    !has_member_at(&op->output, op->secrets[i]))
			return bad(load, op->name, "secret names a member that is not there");
	}
	return 0;
}

static int check_exceptions(const struct load *load, const struct operation *op, json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		if (!json_is_string(name) ||
		    model_status(load->model, json_string_value(name)) == 0)
			return bad(load, op->name, "an error that model/errors.json does not know");
	}
	return 0;
}

static int load_operation(const struct load *load, const char *name, json_t *row)
{
	struct operation op = {.name = name};
	const char *role, *notes;
	json_t *input, *output, *errors, *page = NULL, *secret = NULL;
	int writes, is_new, lenient = 0;
	json_error_t error;
	if (json_unpack_ex(
		    row, &error, 0,
		    "{s:s, s:s, s:s, s?s, s:s, s:s, s:s, s:b, s?b, s?b, s:o, s:o, s:o, s?o, s?o !}",
		    "family", &op.family, "group", &op.group, "summary", &op.summary, "notes",
		    &notes, "method", &op.method, "uri", &op.uri, "role", &role, "writes", &writes,
		    "new", &is_new, "lenient", &lenient, "input", &input, "output", &output,
		    "errors", &errors, "page", &page, "secret", &secret) < 0)
		return bad(load, name, error.text);
	op.role = role_of(role);
	op.writes = writes != 0;
	op.is_lenient = lenient != 0;
	if (op.role == 0)
		return bad(load, name, "role is none of viewer, operator, admin");
	if (load_segments(load, &op) < 0 || load_members(load, name, input, &op.input) < 0 ||
	    load_members(load, name, output, &op.output) < 0 || check_labels(load, &op) < 0 ||
	    check_exceptions(load, &op, errors) < 0)
		return -1;
	op.input.name = op.output.name = name;
	if ((page && load_page(load, &op, page) < 0) ||
	    (secret && load_secrets(load, &op, secret) < 0))
		return -1;
	g_array_append_val(load->model->operations, op);
	return 0;
}

static int load_operations(const struct load *load, json_t *document)
{
	const char *name;
	json_t *row;
	json_object_foreach(document, name, row)
	{
		if (load_operation(load, name, row) < 0)
			return -1;
	}
	return 0;
}

static int load_file(struct load *load, const struct model_file *file)
{
	json_error_t error;
	load->path = file->path;
	json_t *document = json_loadb(file->text, (size_t)(file->end - file->text),
				      JSON_REJECT_DUPLICATES, &error);
	if (!document)
		return bad(load, "no JSON", error.text);
	g_ptr_array_add(load->model->documents, document);
	if (!json_is_object(document))
		return bad(load, "document", "not an object");
	if (strcmp(file->path, "model/shapes.json") == 0)
		return load_shapes(load, document);
	if (strcmp(file->path, "model/errors.json") == 0)
		return load_errors(load, document);
	return load_operations(load, document);
}

static int by_name(const void *a, const void *b)
{
	const struct operation *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static struct operation *find(const struct model *model, const char *name)
{
	struct operation key = {.name = name};
	return model->operations->len == 0
		       ? NULL
		       : bsearch(&key, model->operations->data, model->operations->len,
				 sizeof(struct operation), by_name);
}

/* Sorts the rows, refuses names that stand twice, and ties the handlers to them. */
static int finish(struct load *load)
{
	GArray *operations = load->model->operations;
	g_array_sort(operations, by_name);
	for (guint i = 1; i < operations->len; i++) {
		const struct operation *op = &g_array_index(operations, struct operation, i);
		if (by_name(op - 1, op) == 0)
			return bad(load, op->name, "stands twice");
	}
	load->path = "api/handlers.tbl.h";
	for (const struct handler_row *row = handlers; row->operation; row++) {
		struct operation *op = find(load->model, row->operation);
		if (!op)
			return bad(load, row->operation, "not an operation of the model");
		op->handler = row->run;
		op->prepare = row->prepare;
	}
	return 0;
}

static struct model *model_new(void)
{
	struct model *model = g_new0(struct model, 1);
	model->documents = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	model->blocks = g_ptr_array_new_with_free_func(g_free);
	model->shapes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	model->statuses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	model->operations = g_array_new(FALSE, TRUE, sizeof(struct operation));
	return model;
}

struct model *model_load_files(const struct model_file *files, struct fault *fault)
{
	struct load load = {.model = model_new(), .fault = fault};
	int error = 0;
	for (const struct model_file *file = files; file->path && error == 0; file++)
		error = load_file(&load, file);
	if (error == 0 && finish(&load) == 0)
		return load.model;
	model_free(load.model);
	return NULL;
}

struct model *model_load(struct fault *fault)
{
	return model_load_files(model_files, fault);
}

static void release_shape(void *key, void *value, void *ctx)
{
	struct shape *shape = value;
	(void)key;
	(void)ctx;
	g_clear_pointer(&shape->regex, g_regex_unref);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	g_hash_table_foreach(model->shapes, release_shape, NULL);
	g_hash_table_destroy(model->shapes);
	g_hash_table_destroy(model->statuses);
	g_array_free(model->operations, TRUE);
	g_ptr_array_free(model->blocks, TRUE);
	g_ptr_array_free(model->documents, TRUE);
	g_free(model);
}

const struct operation *model_operations(const struct model *model, size_t *ret_n)
{
	*ret_n = model->operations->len;
	return (const void *)model->operations->data;
}

const struct operation *model_operation(const struct model *model, const char *name)
{
	return find(model, name);
}

int model_status(const struct model *model, const char *exception)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(model->statuses, exception));
}

const struct member *shape_member(const struct shape *structure, const char *name)
{
	for (size_t i = 0; i < structure->n_members; i++) {
		if (strcmp(structure->members[i].name, name) == 0)
			return &structure->members[i];
	}
	return NULL;
}
