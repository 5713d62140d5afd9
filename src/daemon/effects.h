/* What waits for the commit: effects of evaluation, and the entries that others write tables from
 * (evaluate.h). Deep copies, each kind in order. */
#ifndef DAEMON_EFFECTS_H
#define DAEMON_EFFECTS_H

#include "daemon/pages.h"
#include "detect/detect.h"

struct effects;

struct effects *effects_new(void);
void effects_free(struct effects *e);

/* Copies one effect; an effect_fn. */
int effects_add(const struct effect *effect, void *effects);
size_t effects_count(const struct effects *e);
const struct effect *effects_at(const struct effects *e, size_t i);

/* Copies an entry without its decoded report. */
void effects_keep(struct effects *e, const struct detect_entry *entry);
const struct detect_entry *effects_kept(const struct effects *e, size_t *ret_n);

bool effects_empty(const struct effects *e);
void effects_clear(struct effects *e);

#endif
