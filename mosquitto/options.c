#include "mosquitto/options.h"

#include <errno.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/frame.h"

#define PORT_MODE "mode_"

struct option {
	const char *name;
	int (*set)(void *field, const char *value);
	size_t offset;
	const char *cure; /* what a good value is */
};

static int set_path(void *field, const char *value)
{
	if (value[0] != '/')
		return -1;
	memcpy(field, &value, sizeof(value));
	return 0;
}

static int set_broker(void *field, const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strspn(value, allowed);
	if (n == 0 || n > FRAME_BROKER_MAX || value[n])
		return -1;
	memcpy(field, &value, sizeof(value));
	return 0;
}

static int parse_number(const char *value, uint64_t max, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	if (errno || end == value || *end || value[0] == '-' || n > max)
		return -1;
	*ret = n;
	return 0;
}

static int set_uid(void *field, const char *value)
{
	uint64_t n;
	uid_t uid;
	if (parse_number(value, UINT32_MAX - 1, &n) == 0) {
		uid = (uid_t)n;
	} else {
		struct passwd account, *found = NULL;
		char buf[4096];
		if (getpwnam_r(value, &account, buf, sizeof(buf), &found) != 0 || !found)
			return -1;
		uid = found->pw_uid;
	}
	memcpy(field, &uid, sizeof(uid));
	return 0;
}

static int set_bytes(void *field, const char *value)
{
	uint64_t n;
	if (parse_number(value, (uint64_t)1 << 40, &n) < 0 || n == 0)
		return -1;
	memcpy(field, &n, sizeof(n));
	return 0;
}

static int set_mode(void *field, const char *value)
{
	static const char *const names[] = {[MODE_ENFORCE] = "enforce", [MODE_OBSERVE] = "observe"};
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], value) == 0) {
			const enum mode mode = (enum mode)i;
			memcpy(field, &mode, sizeof(mode));
			return 0;
		}
	return -1;
}

#define FIELD(name) offsetof(struct options, name)

static int set_entries(void *field, const char *value)
{
	uint64_t n;
	if (parse_number(value, 100000000, &n) < 0 || n == 0)
		return -1;
	memcpy(field, &n, sizeof(n));
	return 0;
}

static const struct option table[] = {
	{"broker",		   set_broker,  FIELD(broker),                   "1 to 64 letters, digits, '.', '_', '-'"},
	{"channel",                  set_path,    FIELD(channel),                  "an absolute path"                      },
	{"daemon_uid",               set_uid,     FIELD(daemon_uid),               "an account or its number"              },
	{"identities",               set_entries, FIELD(identities),               "1 to 100000000"                        },
	{"identities_per_principal", set_entries, FIELD(identities_per_principal),
	 "1 to 100000000"												  },
	{"mode",		     set_mode,    FIELD(mode),                     "observe or enforce"                    },
	{"queue_bytes",              set_bytes,   FIELD(queue_bytes),              "a number of bytes"                     },
	{"refusal_rows",             set_entries, FIELD(refusal_rows),             "1 to 100000000"                        },
	{"session_byte_rate",        set_bytes,   FIELD(session_byte_rate),        "bytes a second"                        },
	{"snapshot",                 set_path,    FIELD(snapshot),                 "an absolute path"                      },
};

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* "mode_8883": the mode of one listener. */
static int read_port_mode(const struct mosquitto_opt *opt, struct options *o, char *why, size_t cap)
{
	uint64_t port;
	struct port_mode *entry = &o->ports[o->n_ports];
	if (parse_number(opt->key + strlen(PORT_MODE), UINT16_MAX, &port) < 0 || port == 0) {
		(void)snprintf(why, cap, "plugin_opt_%s names no port: give plugin_opt_mode_PORT",
			       opt->key);
		return -1;
	}
	if (o->n_ports == OPTIONS_PORTS_MAX) {
		(void)snprintf(why, cap,
			       "plugin_opt_%s is one too many: at most %d ports have modes",
			       opt->key, OPTIONS_PORTS_MAX);
		return -1;
	}
	entry->port = (uint16_t)port;
	if (set_mode(&entry->mode, opt->value) < 0) {
		(void)snprintf(why, cap, "plugin_opt_%s is \"%s\": give observe or enforce",
			       opt->key, opt->value);
		return -1;
	}
	o->n_ports++;
	return 0;
}

static int read_one(const struct mosquitto_opt *opt, struct options *o, char *why, size_t cap)
{
	const struct option *row = find(opt->key);
	if (strncmp(opt->key, PORT_MODE, strlen(PORT_MODE)) == 0)
		return read_port_mode(opt, o, why, cap);
	if (!row) {
		(void)snprintf(why, cap, "plugin_opt_%s is not known: remove the line", opt->key);
		return -1;
	}
	if (row->set((char *)o + row->offset, opt->value) < 0) {
		(void)snprintf(why, cap, "plugin_opt_%s is \"%s\": give %s", opt->key, opt->value,
			       row->cure);
		return -1;
	}
	return 0;
}

/* Which of two lines is meant nobody knows. */
static int check_given_once(const struct mosquitto_opt *opts, int at, char *why, size_t cap)
{
	for (int i = 0; i < at; i++)
		if (strcmp(opts[i].key, opts[at].key) == 0) {
			(void)snprintf(why, cap, "plugin_opt_%s is there twice: remove one",
				       opts[at].key);
			return -1;
		}
	return 0;
}

enum mode options_mode(const struct options *o, uint16_t port)
{
	for (unsigned i = 0; port && i < o->n_ports; i++)
		if (o->ports[i].port == port)
			return o->ports[i].mode;
	return o->mode;
}

bool options_have_mode(const struct options *o, enum mode mode)
{
	for (unsigned i = 0; i < o->n_ports; i++)
		if (o->ports[i].mode == mode)
			return true;
	return o->mode == mode;
}

int options_read(const struct mosquitto_opt *opts, int n, struct options *ret, char *why,
		 size_t why_cap)
{
	struct options o = {.broker = "default",
			    .identities = 100000,
			    .identities_per_principal = 10000,
			    .queue_bytes = 64U << 20,
			    .refusal_rows = 4096,
			    .session_byte_rate = 1U << 20};
	for (int i = 0; i < n; i++)
		if (check_given_once(opts, i, why, why_cap) < 0 ||
		    read_one(&opts[i], &o, why, why_cap) < 0)
			return -1;
	if (!o.snapshot || !o.channel) {
		(void)snprintf(why, why_cap, "plugin_opt_%s is missing: give an absolute path",
			       o.snapshot ? "channel" : "snapshot");
		return -1;
	}
	*ret = o;
	return 0;
}
