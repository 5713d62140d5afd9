/* Files that are there whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/compiler.h"

#include <stddef.h>
#include <sys/types.h>

#define FILE_NEXT ".next" /* what the new file's name ends with until it is whole */

/* Replaces the file at path, durably: written under another name, with its mode and group before
 * its content, fsynced, renamed, the directory fsynced. gid (gid_t)-1 leaves the group. 0, or a
 * negative errno; then the old file stands as it was, but for an error of the last step. */
int file_replace(const char *path, const void *bytes, size_t n, mode_t mode, gid_t gid) MUST_USE;

#endif
