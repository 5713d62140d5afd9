#include "mosquitto/loading.h"

#include <stdlib.h>

#include "mosquitto/background.h"

struct loading {
	struct background *background; /* NULL: it was read at once */
	const char *path;
	uid_t owner;
	uint64_t at_least;
	struct snapshot *found; /* NULL: refused */
	char why[SNAPSHOT_WHY_SIZE];
};

static void load(void *ctx)
{
	struct loading *l = ctx;
	if (snapshot_load(l->path, l->owner, l->at_least, &l->found, l->why, sizeof(l->why)) < 0)
		l->found = NULL;
}

/* -1: there is no thread. */
static int start(struct loading *l, uint64_t size)
{
	if (size > LOADING_SMALL) {
		l->background = background_begin(load, l);
		return l->background ? 0 : -1;
	}
	load(l);
	return 0;
}

struct loading *loading_begin(const char *path, uint64_t size, uid_t owner, uint64_t at_least)
{
	struct loading *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->path = path;
	l->owner = owner;
	l->at_least = at_least;
	if (start(l, size) == 0)
		return l;
	free(l);
	return NULL;
}

bool loading_is_done(const struct loading *l)
{
	return background_is_done(l->background);
}

int loading_end(struct loading *l, struct snapshot **ret, char *why)
{
	background_end(l->background);
	struct snapshot *found = l->found;
	memcpy(why, l->why, sizeof(l->why));
	free(l);
	*ret = found;
	return found ? 0 : -1;
}
