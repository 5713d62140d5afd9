/* The text of a pattern ("topic/${iot:ClientId}/t?") to the ops of policy/glob.h. Daemon side. */
#ifndef POLICY_GLOB_COMPILE_H
#define POLICY_GLOB_COMPILE_H

#include "base/compiler.h"
#include "base/view.h"

#include <glib.h>
#include <stdint.h>

struct glob_options {
	bool has_wildcards; /* `*` and `?` act; else they are ordinary characters */
	bool has_variables; /* `${name}` is a variable; else it is refused */
};

/* Appends the pattern to `out` as bytes32 and adds the variables it uses to *needs. 0, or -1 with
 * the reason in words: *ret_why is the caller's to g_free. */
int glob_compile(struct view text, struct glob_options options, GByteArray *out, uint32_t *needs,
		 char **ret_why) MUST_USE;

/* The length of what stands at the start of text as one: `${...}`, or a single byte. 0 when a `${`
 * is not closed. */
size_t glob_unit(struct view text);

/* Appending to a program: numbers little endian, and a length that is known only afterwards. */
void bytes_u8(GByteArray *out, uint8_t v);
void bytes_u32(GByteArray *out, uint32_t v);
void bytes_view(GByteArray *out, struct view v);
/* Opens a bytes32; what is appended until bytes_close(out, the returned place) is its content. */
guint bytes_open(GByteArray *out);
void bytes_close(GByteArray *out, guint place);

#endif
