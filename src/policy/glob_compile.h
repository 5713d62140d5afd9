/* The texts of a document to what programs hold: patterns ("topic/${iot:ClientId}/t?", see
 * policy/glob.h) and resources (policy/program.h). Daemon side. */
#ifndef POLICY_GLOB_COMPILE_H
#define POLICY_GLOB_COMPILE_H

#include "base/compiler.h"
#include "base/view.h"
#include "policy/reference_compile.h"

#include <glib.h>
#include <stdint.h>

/* What a text may hold, and where its variables go. */
struct glob_options {
	bool has_wildcards; /* `*` and `?` act; else they are ordinary characters */
	bool has_variables; /* `${name}` is a variable; else it is refused */
	struct references *references;
	uint64_t *needs; /* gets a bit for each variable */
};

/* Appends the pattern to `out`. 0, or -1 with the reason in words: *ret_why is the caller's to
 * g_free. */
int glob_compile(struct view text, const struct glob_options *options, GByteArray *out,
		 char **ret_why) MUST_USE;

/* Appends a resource without its length: an ARN, split at the first five colons outside of
 * variables, or what has fewer, whole. is_ours: it will be compared with the ARN of a request,
 * whose first and third part are "arn" and "iot", and whose last begins with a type. */
int resource_compile(struct view text, bool is_ours, const struct glob_options *options,
		     GByteArray *out, char **ret_why) MUST_USE;

/* The length of what stands at the start of text as one: `${...}`, or a single byte. 0 when a `${`
 * is not closed. */
size_t glob_unit(struct view text);

/* Appending to a program: numbers little endian, and a length that is known only afterwards. */
void bytes_u8(GByteArray *out, uint8_t v);
void bytes_u16(GByteArray *out, uint16_t v);
void bytes_u32(GByteArray *out, uint32_t v);
void bytes_u64(GByteArray *out, uint64_t v);
void bytes_view(GByteArray *out, struct view v);
/* Puts v where a number was appended before. */
void bytes_set_u32(GByteArray *out, guint place, uint32_t v);
/* Opens a bytes32; what is appended until bytes_close(out, the returned place) is its content. */
guint bytes_open(GByteArray *out);
void bytes_close(GByteArray *out, guint place);

#endif
