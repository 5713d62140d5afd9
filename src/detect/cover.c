#include "detect/cover.h"

#include "detect/criteria.h"
#include "detect/form.h"
#include "detect/window.h"

#include <errno.h>
#include <stdlib.h>

/* ---- Lineage ---- */

static const struct behavior *behavior_find(const struct config *c, const struct profile *p,
					    struct view name)
{
	for (uint32_t i = 0; i < p->n_behaviors; i++)
		if (view_eq(c->behaviors[p->first + i].name, name))
			return &c->behaviors[p->first + i];
	return NULL;
}

static struct ancestor ancestor_of(const struct config *old, const struct profile *old_profile,
				   const struct behavior *b)
{
	const struct behavior *was = behavior_find(old, old_profile, b->name);
	if (!was || was->type != b->type || !view_eq(was->metric_name, b->metric_name))
		return (struct ancestor){NO_ANCESTOR, false};
	return (struct ancestor){(uint32_t)(was - old->behaviors), view_eq(was->rule, b->rule)};
}

int lineage_make(const struct config *old, const struct config *new, struct lineage *ret)
{
	*ret = (struct lineage){.old = old, .new = new};
	ret->from = malloc((new->n_behaviors + 1U) * sizeof(*ret->from));
	if (!ret->from)
		return -ENOMEM;
	uint32_t at = 0, n_old = old ? old->n_profiles : 0;
	for (uint32_t i = 0; i < new->n_profiles; i++) {
		const struct profile *p = &new->profiles[i];
		while (at < n_old && view_order(&old->profiles[at].name, &p->name) < 0)
			at++;
		bool was_there = at < n_old && view_eq(old->profiles[at].name, p->name);
		for (uint32_t k = p->first; k < p->first + p->n_behaviors; k++)
			ret->from[k] =
				was_there ? ancestor_of(old, &old->profiles[at], &new->behaviors[k])
					  : (struct ancestor){NO_ANCESTOR, false};
	}
	return 0;
}

void lineage_release(struct lineage *l)
{
	free(l->from);
	l->from = NULL;
}

/* ---- Tracks ---- */

static bool is_covered(const struct shard *s, const struct device *d, const struct profile *p)
{
	return profile_covers(p, d->is_registered, device_groups(s, d), d->n_groups);
}

static uint32_t count_covering(const struct config *c, const struct shard *s,
			       const struct device *d)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < c->n_profiles; i++)
		if (is_covered(s, d, &c->profiles[i]))
			n += c->profiles[i].n_behaviors;
	return n;
}

static struct track *track_find(struct track *tracks, uint32_t n, uint32_t behavior)
{
	uint32_t lo = 0, hi = n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (tracks[mid].behavior < behavior)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && tracks[lo].behavior == behavior ? &tracks[lo] : NULL;
}

/* Moves the state of the old track, whose alarm is then no longer its own. */
static void track_inherit(const struct lineage *l, struct track *to, struct track *old,
			  uint32_t n_old)
{
	struct ancestor from =
		l->from ? l->from[to->behavior] : (struct ancestor){to->behavior, true};
	struct track *was =
		from.behavior == NO_ANCESTOR ? NULL : track_find(old, n_old, from.behavior);
	if (!was)
		return;
	to->alarm = was->alarm;
	was->alarm = 0;
	if (from.is_unchanged) {
		to->bad = was->bad;
		to->good = was->good;
	}
}

static void tracks_fill(const struct lineage *l, const struct shard *s, const struct device *d,
			struct track *to)
{
	struct track *old = device_tracks(s, d);
	for (uint32_t i = 0; i < l->new->n_profiles; i++) {
		const struct profile *p = &l->new->profiles[i];
		if (!is_covered(s, d, p))
			continue;
		for (uint32_t k = p->first; k < p->first + p->n_behaviors; k++, to++) {
			to->behavior = k;
			track_inherit(l, to, old, d->n_tracks);
		}
	}
}

/* A counter that no behavior sums for this device any longer is forgotten. */
static void windows_prune(const struct config *c, struct shard *s, struct device *d)
{
	unsigned used = 0;
	const struct track *tracks = device_tracks(s, d);
	for (uint32_t i = 0; i < d->n_tracks; i++) {
		const struct metric *metric = c->behaviors[tracks[i].behavior].metric;
		if (metric)
			used |= 1U << metric_counter(metric->id);
	}
	for (unsigned i = 0; i < REPORT_COUNTERS; i++)
		if (!(used & 1U << i))
			window_drop(&s->arena, &d->windows[i]);
}

int cover_device(struct outlet *out, const struct lineage *l, struct shard *s, struct device *d)
{
	uint32_t n = count_covering(l->new, s, d), at = 0;
	if (n > 0) {
		at = arena_take(&s->arena, n * sizeof(struct track));
		if (!at)
			return -ENOMEM;
		tracks_fill(l, s, d, arena_at(&s->arena, at));
	}
	struct track *old = device_tracks(s, d);
	for (uint32_t i = 0; i < d->n_tracks; i++) {
		int rc = judge_invalidate(out, l->old, s, d, &old[i]);
		if (rc != 0)
			return rc;
	}
	if (d->n_tracks)
		arena_give(&s->arena, d->tracks, d->n_tracks * sizeof(struct track));
	d->tracks = at;
	d->n_tracks = n;
	d->is_tracked = true;
	windows_prune(l->new, s, d);
	return 0;
}
