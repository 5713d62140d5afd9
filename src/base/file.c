#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Rights first, so that the content is never readable by more than it will be. */
static int fill(int fd, const void *bytes, size_t n, mode_t mode, gid_t gid)
{
	if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	int rc = write_all(fd, bytes, n);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
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

int file_replace(const char *path, const void *bytes, size_t n, mode_t mode, gid_t gid)
{
	g_autofree char *next = g_strconcat(path, FILE_NEXT, NULL);
	(void)unlink(next); /* left by a crash */
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int rc = fill(fd, bytes, n, mode, gid);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(next, path) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlink(next);
		return rc;
	}
	return sync_directory_of(path);
}
