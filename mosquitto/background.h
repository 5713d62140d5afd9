/* Long work beside the broker's thread: it calls nothing of the broker's, gets no signals, and is
 * waited for before the plugin is unloaded. */
#ifndef PLUGIN_BACKGROUND_H
#define PLUGIN_BACKGROUND_H

#include <stdbool.h>

struct background;

/* Has work(ctx) run on a thread of its own. NULL: there is none to be had. */
struct background *background_begin(void (*work)(void *ctx), void *ctx);
/* It has ended. True for NULL. */
bool background_is_done(const struct background *b);
/* Waits for its end and frees it. Takes NULL. */
void background_end(struct background *b);

#endif
