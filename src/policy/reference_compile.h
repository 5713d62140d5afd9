/* Within the policy module: the names that a document asks for, numbered. Daemon side. */
#ifndef POLICY_REFERENCE_COMPILE_H
#define POLICY_REFERENCE_COMPILE_H

#include "base/compiler.h"
#include "base/view.h"

#include <glib.h>
#include <stdint.h>

struct references {
	GPtrArray *names; /* char *, by number */
	GByteArray *rows; /* as a program holds them, without their count */
};

struct references references_new(void);
void references_clear(struct references *references);

/* The number of the variable or condition key `name`; each name has one. A name that no request
 * knows is a reference that never has a value. -1 when there would be more than a program can hold:
 * *ret_why is the caller's to g_free. */
int reference_add(struct references *references, struct view name, uint8_t *ret,
		  char **ret_why) MUST_USE;

#endif
