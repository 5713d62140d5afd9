#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write_at(int fd, const void *bytes, size_t n, uint64_t at)
{
	const char *p = bytes;
	while (n) {
		ssize_t done = pwrite(fd, p, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

static int sync_directory_of(const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return rc;
}

static char *next_name(const char *path)
{
	return g_strconcat(path, FILE_NEXT, NULL);
}

void file_next_unlink(const char *path)
{
	g_autofree char *next = next_name(path);
	(void)unlink(next);
}

/* Rights first, so that the content is never readable by more than it will be. */
static int set_rights(int fd, mode_t mode, gid_t gid)
{
	if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

int file_next_open(const char *path, mode_t mode, gid_t gid)
{
	g_autofree char *next = next_name(path);
	(void)unlink(next);
	int fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int rc = set_rights(fd, mode, gid);
	if (rc == 0)
		return fd;
	(void)close(fd);
	(void)unlink(next);
	return rc;
}

int file_next_rename(const char *path, bool *ret_is_there)
{
	g_autofree char *next = next_name(path);
	*ret_is_there = rename(next, path) == 0;
	if (!*ret_is_there)
		return -errno;
	return sync_directory_of(path);
}

int file_replace(const char *path, const void *bytes, size_t n, mode_t mode, gid_t gid)
{
	int fd = file_next_open(path, mode, gid);
	if (fd < 0)
		return fd;
	int rc = file_write_at(fd, bytes, n, 0);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	bool is_there = false;
	if (rc == 0)
		rc = file_next_rename(path, &is_there);
	if (!is_there)
		file_next_unlink(path);
	return rc;
}
