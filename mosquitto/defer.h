/* What the broker would do without us.
 *
 * Where we only observe we answer MOSQ_ERR_PLUGIN_DEFER, which leaves the decision to the password
 * file, the ACL file and other plugins. But a broker that has none of these, and would let
 * everybody do everything, takes a deferring plugin for a reason to refuse: a client that gives a
 * user name is refused, and so is every topic. Mosquitto 2.1 knows MOSQ_ERR_PLUGIN_IGNORE, which is
 * just what is meant. For 2.0 there is a second pair of callbacks, which comes last in the broker's
 * order and so is asked only when nobody else has decided. With no other plugin in the process it
 * knows that there is no file either, and answers as the broker does by itself:
 *
 *   ACL check     allowed
 *   user name     hidden from the broker until its next event, so that allow_anonymous decides
 *
 * With another plugin it defers, as that one does. */
#ifndef PLUGIN_DEFER_H
#define PLUGIN_DEFER_H

#include <stdbool.h>

struct mosquitto;
struct plugin;

struct defer {
	bool is_registered;       /* the second pair is there, and last */
	bool is_alone;            /* there is no other plugin */
	bool is_unclaimed;        /* nobody decided about the user name that came last */
	struct mosquitto *client; /* whose user name is hidden, NULL: nobody's */
	char *username;
};

/* "Do as if we were not there", in this broker's words. */
int defer_answer(void);
/* To be answered to BASIC_AUTH for a client that is observed; is_again: it is connected or away,
 * and the broker asks on SIGHUP. */
int defer_connect(struct plugin *p, struct mosquitto *client, bool is_again);
/* Gives a hidden user name back: at the begin of every callback. */
void defer_settle(struct plugin *p);
/* From TICK: puts the second pair last. */
void defer_register(struct plugin *p);
/* From RELOAD, where files may get callbacks, and at the end. */
void defer_unregister(struct plugin *p);

#endif
