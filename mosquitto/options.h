/* The plugin's settings, from `plugin_opt_NAME VALUE` lines of mosquitto.conf. An unknown name or a
 * bad value stops the broker at its start, with the cure in its log: a guard that guesses is none.
 */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include "base/compiler.h"

#include <stdint.h>
#include <sys/types.h>

struct mosquitto_opt;

struct options {
	const char *snapshot; /* path of the snapshot file; required */
	const char *channel;  /* path of the daemon's socket; required */
	const char *broker;   /* this broker's id, 1-64 letters, digits, '.', '_', '-'; default
				 "default" */
	uid_t daemon_uid;     /* the account that owns snapshot and socket; default 0 */
	uint64_t queue_bytes; /* frames kept for the daemon; default 64 MiB */
	uint64_t identities;  /* with counters of their own; default 100,000 */
	uint64_t identities_per_principal; /* likewise, of one certificate or user name; default
					      10,000 */
	uint64_t refusal_rows; /* refusals that wait to be told, by who and why; default 4,096 */
	uint64_t session_byte_rate; /* bytes of reports a second that one session may send; default
				       1 MiB */
};

/* Fills *ret, whose strings are borrowed from opts: they live as long as the broker. 0, or -1 with
 * the reason (why). */
int options_read(const struct mosquitto_opt *opts, int n, struct options *ret, char *why,
		 size_t why_cap) MUST_USE;

#endif
