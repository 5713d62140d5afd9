/* Space kept free for what must work on a full disk: revoking, quarantine, deleting keys (S16).
 *
 * It is a file of blocks. A control-plane write that meets the full disk has it emptied and runs
 * again; the log takes nothing until the file could be filled again, so that ingest does not eat
 * what was set free, and resumes by itself. */
#ifndef STORE_RESERVE_PRIV_H
#define STORE_RESERVE_PRIV_H

#include <pthread.h>
#include <stdbool.h>

struct reserve {
	pthread_mutex_t mutex;
	int fd; /* -1: there is none, and none is needed */
	bool is_whole;
};

/* Takes the file descriptor, or -1. */
void reserve_init(struct reserve *r, int fd);
void reserve_close(struct reserve *r);

/* Sets the space free. False: there was none. */
bool reserve_release(struct reserve *r);

/* True when the space is kept, if need be taken again just now. */
bool reserve_hold(struct reserve *r);

#endif
