/* The API as data: what model/ says, read once at start and never changed.
 *
 *     model/operations/GROUP.json   a row an operation: method, URI, least role, members, errors,
 * paging model/shapes.json             types and constraints of members, by name model/errors.json
 * exception -> HTTP status
 *
 * The files stand in the program itself (model_data.S). Loading checks everything: a row without a
 * role, an unknown shape, a pattern that does not compile or a secret that names no member does not
 * load (S17). Routing, authorization, validation, the trail and the reference pages all walk these
 * rows.
 *
 * A loaded model is immutable and may be used by any thread. */
#ifndef API_MODEL_H
#define API_MODEL_H

#include "api/call.h"
#include "base/compiler.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum role { ROLE_VIEWER = 1, ROLE_OPERATOR, ROLE_ADMIN };

/* "viewer", "operator", "admin". role_of: 0 when the name is none of them. */
const char *role_name(enum role role);
enum role role_of(const char *name);

enum shape_type {
	SHAPE_STRING,
	SHAPE_INTEGER,
	SHAPE_LONG,
	SHAPE_DOUBLE,
	SHAPE_BOOLEAN,
	SHAPE_TIMESTAMP,
	/* From here on: never in a label, a query string or a header. */
	SHAPE_LIST,
	SHAPE_MAP,
	SHAPE_STRUCTURE
};

enum member_place { PLACE_BODY, PLACE_URI, PLACE_QUERY, PLACE_HEADER, PLACE_PAYLOAD };

struct shape;

struct member {
	const char *name; /* in handlers */
	const char *wire; /* on the wire; the same unless the row says otherwise */
	const struct shape *shape;
	enum member_place place;
	bool is_required;
};

/* One type. min and max bound the value of numbers, the code points of strings, the entries of
 * lists and maps. */
struct shape {
	const char *name;
	enum shape_type type;
	bool has_min, has_max;
	int64_t min, max;
	const char *pattern; /* Java's, as messages show it; NULL without */
	GRegex *regex;
	const char **enum_values; /* NULL without */
	size_t n_enum_values;
	const struct shape *of, *key, *value; /* list entries; map keys and values */
	struct member *members;
	size_t n_members;
};

/* How an operation is paged: members of the input, members of the output. */
struct page_row {
	const char *token_in, *token_out, *items;
	const char *limit; /* NULL: clients cannot ask for one */
	int64_t default_limit;
};

#define OPERATION_SEGMENTS_MAX 8

struct operation {
	const char *name, *family, *group, *summary;
	const char *method, *uri;
	/* The URI split at '/': a fixed segment, or "{label}". */
	const char *segments[OPERATION_SEGMENTS_MAX];
	size_t n_segments;
	enum role role;
	bool writes;
	bool is_lenient; /* input that breaks a constraint goes to the handler: call->input_fault */
	struct shape input, output; /* structures; members of the input have places */
	bool is_paged;
	struct page_row page;
	const char **secrets; /* "member.member": never recorded; NULL-terminated, may be NULL */
	api_handler *handler; /* NULL: this version does not have it */
	api_handler *prepare; /* NULL: nothing to do before its transaction */
};

struct model;

/* Loads the model that stands in the program. NULL with the fault filled when it is not sound. */
struct model *model_load(struct fault *fault) MUST_USE;
void model_free(struct model *model);

/* The operations in the order of their names. */
const struct operation *model_operations(const struct model *model, size_t *ret_n);
/* NULL when there is none of that name. */
const struct operation *model_operation(const struct model *model, const char *name);

/* The HTTP status of an exception; 0 when the model does not know it. */
int model_status(const struct model *model, const char *exception);

const struct member *shape_member(const struct shape *structure, const char *name);

/* A text of model/ as it stands in the program: path relative to the repository
 * ("model/shapes.json"). */
struct model_file {
	const char *path;
	const char *text, *end;
};
/* Ends with a row whose path is NULL. */
extern const struct model_file model_files[];

/* As model_load, from texts given: what tests of the loader use. */
struct model *model_load_files(const struct model_file *files, struct fault *fault) MUST_USE;

#endif
