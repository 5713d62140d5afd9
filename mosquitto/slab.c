#include "mosquitto/slab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define ALLOW(p, n)  ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define FORBID(p, n) ((void)0)
#define ALLOW(p, n)  ((void)0)
#endif

#define STEP       64 /* objects are rounded up to it; a class is a number of steps */
#define CLASSES    (SLAB_OBJECT_MAX / STEP)
#define CHUNK_SIZE (256U << 10)

/* The first bytes of what is free. */
struct unused {
	struct unused *next;
};

struct chunk {
	struct chunk *next;
};

struct slab {
	struct unused *unused[CLASSES];
	struct chunk *chunks; /* the newest first; what is left lies in it */
	size_t left;          /* bytes at its end */
};

struct slab *slab_new(void)
{
	return calloc(1, sizeof(struct slab));
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	while (s->chunks) {
		struct chunk *chunk = s->chunks;
		s->chunks = chunk->next;
		ALLOW(chunk, CHUNK_SIZE);
		(void)munmap(chunk, CHUNK_SIZE);
	}
	free(s);
}

/* The class of n bytes, from 0. */
static size_t class_of(size_t n)
{
	return n ? (n - 1) / STEP : 0;
}

static int add_chunk(struct slab *s)
{
	struct chunk *chunk = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE,
				   /* cppcheck-suppress invalidFunctionArg */
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return -1;
	chunk->next = s->chunks;
	s->chunks = chunk;
	s->left = CHUNK_SIZE - STEP; /* its head takes the first step */
	return 0;
}

/* From the end of the newest chunk, which is zero. */
static void *cut_off(struct slab *s, size_t size)
{
	if (s->left < size && add_chunk(s) < 0)
		return NULL;
	void *object = (char *)s->chunks + CHUNK_SIZE - s->left;
	s->left -= size;
	return object;
}

void *slab_take(struct slab *s, size_t n)
{
	size_t class = class_of(n);
	if (class >= CLASSES)
		return NULL;
	struct unused *object = s->unused[class];
	if (!object)
		return cut_off(s, (class + 1) * STEP);
	ALLOW(object, (class + 1) * STEP);
	s->unused[class] = object->next;
	return memset(object, 0, (class + 1) * STEP);
}

void slab_give(struct slab *s, void *object, size_t n)
{
	if (!object)
		return;
	size_t class = class_of(n);
	struct unused *unused = object;
	unused->next = s->unused[class];
	s->unused[class] = unused;
	FORBID(object, (class + 1) * STEP);
}
