/* Where things are in a data directory (running.md). */
#ifndef DAEMON_PATHS_H
#define DAEMON_PATHS_H

#include <sys/types.h>

enum path {
	PATH_CONF,
	PATH_MOSQUITTO_CONF,
	PATH_SECRET_KEY,
	PATH_CONTROL,
	PATH_CLOCK, /* where a manual clock stands */
	PATH_STATE,
	PATH_CA,
	PATH_DEVICE_CA_CERT,
	PATH_DEVICE_CA_KEY,
	PATH_SERVER_CA_CERT,
	PATH_SERVER_CA_KEY,
	PATH_BROKER,
	PATH_BROKER_CA, /* a copy of the device CA's certificate that the broker can read */
	PATH_SERVER_CERT,
	PATH_SERVER_KEY,
	PATH_SNAPSHOT,
	PATH_CHANNEL,
	PATH_BELL, /* the broker makes its socket in here: the one directory it may write */
	PATH_DOORBELL,
	PATHS
};

struct paths {
	char *dir; /* absolute */
	char *at[PATHS];
};

/* data_dir may be relative. Cleared by paths_clear. */
void paths_init(struct paths *p, const char *data_dir);
void paths_clear(struct paths *p);

/* As root, the broker's files belong to the group of the account `mosquitto`; else, or without that
 * account, (gid_t)-1. */
gid_t paths_broker_gid(void);
/* Of what the broker reads: 0640 when there is such a group, else 0600. */
mode_t paths_broker_mode(gid_t gid);

#endif
