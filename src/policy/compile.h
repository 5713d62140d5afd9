/* Within the policy module: compiling a document that has been read (and, for reach.c, rewritten).
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/policy.h"

#include <jansson.h>

/* Reads a document as JSON, duplicate keys refused. NULL with the fault filled; else the caller's
 * to json_decref. */
json_t *document_read(struct view text, struct fault *fault);

/* policy_compile without the size limit. */
int document_compile(json_t *document, struct policy_program *ret, struct fault *fault) MUST_USE;

#endif
