/* CHECK states what cannot happen unless our own code is wrong; it stays on in production, prints
 * one line and aborts. Input from outside never reaches a CHECK: a peer's fault is an error code.
 * The broker plugin and what it links (policy/decide, broker/frame) do not use it: a guest never
 * aborts its host. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "base/compiler.h"

#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))

void check_failed(const char *what, const char *file, int line) NO_RETURN;

#endif
