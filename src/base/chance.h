/* Chance comes from outside, so that tests own it. */
#ifndef BASE_CHANCE_H
#define BASE_CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct chance {
	void (*fill)(void *ctx, void *buf, size_t n);
	void *ctx;
};

/* The operating system's: getrandom(2). */
struct chance chance_system(void);

/* A fixed sequence from a seed, for tests. *state is the caller's and holds the seed at first. */
struct chance chance_seeded(uint64_t *state);

/* A random version 4 UUID, lower case, and 32 random hex digits: the two forms of id that AWS hands
 * out. */
#define ID_UUID_SIZE 37
#define ID_HEX_SIZE  33
void id_uuid(struct chance chance, char out[ID_UUID_SIZE]);
void id_hex(struct chance chance, char out[ID_HEX_SIZE]);

/* Writes n bytes as 2n lower-case hex digits and a NUL. */
void hex_encode(const void *p, size_t n, char *out);
/* Reads exactly 2n hex digits, of either case. 0, or -1 when they are not. */
int hex_decode(const char *s, void *out, size_t n);

#endif
