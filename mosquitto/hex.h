/* Hex digits, lower case, for fingerprints and ids. */
#ifndef PLUGIN_HEX_H
#define PLUGIN_HEX_H

#include <stddef.h>

/* n bytes as 2n digits and a NUL. */
void hex_write(const void *bytes, size_t n, char *out);
/* Exactly 2n digits as n bytes. 0, or -1 when they are not. */
int hex_read(const char *digits, void *out, size_t n);
/* n random digits (n even, at most 64) and a NUL. 0, or -1 without chance. */
int hex_random(char *out, size_t n);

#endif
