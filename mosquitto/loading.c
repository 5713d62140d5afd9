#include "mosquitto/loading.h"

#include <stdlib.h>

#include "mosquitto/background.h"

struct loading {
	struct background *background;
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

struct loading *loading_begin(const char *path, uid_t owner, uint64_t at_least)
{
	struct loading *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->path = path;
	l->owner = owner;
	l->at_least = at_least;
	l->background = background_begin(load, l);
	if (l->background)
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
