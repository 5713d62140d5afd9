/* Effects of evaluation between the step that told them and the commit that writes them: deep
 * copies, in order. */
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
void effects_clear(struct effects *e);

#endif
