/* SHA-256 (FIPS 180-4) for the parts that have no OpenSSL: the evaluator's ids and checksums. Plain
 * C11. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE  32
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t h[8];
	uint64_t n; /* bytes taken so far */
	uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
/* Gives the digest; s must be initialised again before further use. */
void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE]);

#endif
