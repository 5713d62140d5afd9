/* UTF-8 as RFC 3629 has it: no surrogates, no long forms, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/view.h"

#include <stdint.h>

/* Length (1-4) of the sequence that starts at p, of which n >= 1 bytes are there; 0 when it is not
 * one. */
size_t utf8_len(const uint8_t *p, size_t n);

bool utf8_valid(struct view s);

/* Writes a code point (not a surrogate, at most U+10FFFF) and returns its length, 1-4. */
size_t utf8_put(uint32_t code, uint8_t out[4]);

#endif
