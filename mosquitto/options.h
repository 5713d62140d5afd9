/* The plugin's settings, from `plugin_opt_NAME VALUE` lines of mosquitto.conf. An unknown name or a
 * bad value stops the broker at its start, with the cure in its log: a guard that guesses is none.
 */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mosquitto_opt;

/* Who decides on a listener: we do, or the broker does as if we were not there, while we look on
 * and tell what we would have refused. */
enum mode { MODE_ENFORCE, MODE_OBSERVE };

#define OPTIONS_PORTS_MAX 64

struct port_mode {
	uint16_t port;
	enum mode mode;
};

struct options {
	const char *snapshot; /* path of the snapshot file; required */
	const char *channel;  /* path of the daemon's socket; required */
	const char *broker;   /* this broker's id, 1-64 letters, digits, '.', '_', '-'; default
				 "default" */
	uid_t daemon_uid;     /* the account that owns snapshot and socket; default 0 */
	enum mode mode;       /* of every listener that has none of its own; default enforce */
	struct port_mode ports[OPTIONS_PORTS_MAX]; /* plugin_opt_mode_PORT */
	unsigned n_ports;
	uint64_t queue_bytes;              /* frames kept for the daemon; default 64 MiB */
	uint64_t identities;               /* with counters of their own; default 100,000 */
	uint64_t identities_per_principal; /* likewise, of one certificate or user name; default
					      10,000 */
	uint64_t refusal_rows; /* refusals that wait to be told, by who and why; default 4,096 */
	uint64_t session_byte_rate; /* bytes of reports a second that one session may send; default
				       1 MiB */
};

/* The mode of the listener at a port, 0: not known. */
enum mode options_mode(const struct options *o, uint16_t port);
/* True when any listener may have the mode. */
bool options_have_mode(const struct options *o, enum mode mode);

/* Fills *ret, whose strings are borrowed from opts: they live as long as the broker. 0, or -1 with
 * the reason (why). */
int options_read(const struct mosquitto_opt *opts, int n, struct options *ret, char *why,
		 size_t why_cap) MUST_USE;

#endif
