#include "store/reserve_priv.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* More than main.db's log grows to before it is checkpointed, several times. */
#define RESERVE_BYTES (32 << 20)

/* What opening the files takes, with some to spare: a start on a disk with less than that begins in
 * the reserve. */
#define START_BYTES (4 << 20)

static uint64_t room(int fd)
{
	struct statvfs fs;
	return fstatvfs(fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

/* An allocation that fails may keep what it got: it is tried only when there is plenty. */
static bool fill(int fd)
{
	if (room(fd) < 2ULL * RESERVE_BYTES)
		return false;
	if (posix_fallocate(fd, 0, RESERVE_BYTES) == 0)
		return true;
	(void)!ftruncate(fd, 0);
	return false;
}

/* A file that is whole from the last run is whole, however full the disk is now. */
static bool was_filled(int fd)
{
	return lseek(fd, 0, SEEK_END) >= RESERVE_BYTES;
}

void reserve_init(struct reserve *r, int fd)
{
	pthread_mutex_init(&r->mutex, NULL);
	r->fd = fd;
	r->is_whole = fd < 0 || was_filled(fd) || fill(fd);
	if (fd >= 0 && room(fd) < START_BYTES)
		(void)reserve_release(r);
}

void reserve_close(struct reserve *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	(void)pthread_mutex_destroy(&r->mutex);
}

bool reserve_release(struct reserve *r)
{
	pthread_mutex_lock(&r->mutex);
	bool released = r->fd >= 0 && r->is_whole && ftruncate(r->fd, 0) == 0;
	if (released)
		r->is_whole = false;
	pthread_mutex_unlock(&r->mutex);
	return released;
}

bool reserve_hold(struct reserve *r)
{
	pthread_mutex_lock(&r->mutex);
	if (!r->is_whole)
		r->is_whole = fill(r->fd);
	bool is_whole = r->is_whole;
	pthread_mutex_unlock(&r->mutex);
	return is_whole;
}
