/* What adopting Thingward means for a Mosquitto configuration: for each of its options
 * (option.tbl.h) and for each listener as a whole (listener.tbl.h). */
#ifndef ADOPT_PLAN_H
#define ADOPT_PLAN_H

#include "adopt/conf.h"

#include <stdint.h>
#include <stdio.h>

/* From nothing to everything: the greatest of a listener's effects says whether it can be enforced.
 */
enum adopt_effect {
#define EFFECT(id, word, heading) ADOPT_##id,
#include "adopt/effect.tbl.h"
#undef EFFECT
	ADOPT_EFFECTS
};

/* The word of an effect in --json; its heading in text. */
const char *adopt_effect_word(enum adopt_effect effect);
const char *adopt_effect_heading(enum adopt_effect effect);

struct adopt_note {
	const struct conf_line *line; /* NULL: about a listener as a whole */
	enum adopt_effect effect;
	bool is_secret;          /* the value is not to be shown */
	const char *says, *cure; /* half sentences; NULL: none */
};

struct adopt_listener {
	uint16_t port;       /* 0: a unix socket */
	const char *address; /* or the socket's path; "": all addresses */
	unsigned traits;     /* plan.c */
	enum adopt_effect worst;
	GArray *notes; /* struct adopt_note: what does not just stay */
};

struct adopt_plan {
	GArray *notes;     /* struct adopt_note, a line each, in order */
	GArray *listeners; /* struct adopt_listener */
	enum adopt_effect worst;
	bool is_local_only; /* no listener is configured: the broker makes its own, on loopback */
	bool is_default_local; /* ... and has no options for it either */
	bool sets_no_delay;
};

/* Judges a configuration, which must outlive the plan. */
void adopt_plan_make(const struct conf *conf, struct adopt_plan *ret);
void adopt_plan_clear(struct adopt_plan *plan);

/* What to add: at the top of the main file and at its end. */
struct adopt_lines {
	char *top, *end;
};

/* plugin: the lines that load the plugin with its options but mode; doorbell: its listener's. */
void adopt_lines_make(const struct adopt_plan *plan, const char *plugin, const char *doorbell,
		      struct adopt_lines *ret);
void adopt_lines_clear(struct adopt_lines *lines);

/* The plan in words, or as one JSON object. `conf` names the main file. */
void adopt_print_text(const struct conf *conf, const struct adopt_plan *plan,
		      const struct adopt_lines *lines, FILE *out);
void adopt_print_json(const struct conf *conf, const struct adopt_plan *plan,
		      const struct adopt_lines *lines, FILE *out);

#endif
