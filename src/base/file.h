/* Files that are there whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FILE_NEXT ".next" /* what the new file's name ends with until it is whole */

/* Replaces the file at path, durably: written under another name, with its mode and group before
 * its content, fsynced, renamed, the directory fsynced. gid (gid_t)-1 leaves the group. 0, or a
 * negative errno; then the old file stands as it was, but for an error of the last step. */
int file_replace(const char *path, const void *bytes, size_t n, mode_t mode, gid_t gid) MUST_USE;

/* The steps, for what is not written in one piece. */

/* Makes the file NAME.next of path's directory, empty, with its rights; one left by a crash goes. A
 * descriptor for reading and writing, or a negative errno. */
int file_next_open(const char *path, mode_t mode, gid_t gid) MUST_USE;
/* Puts NAME.next, whose content is durable, into path's place, durably. 0, or a negative errno;
 * *ret_is_there: it is in its place, though perhaps not durably. */
int file_next_rename(const char *path, bool *ret_is_there) MUST_USE;
void file_next_unlink(const char *path);
/* Writes all of it at the offset, or fails: 0, or a negative errno. */
int file_write_at(int fd, const void *bytes, size_t n, uint64_t at) MUST_USE;

#endif
