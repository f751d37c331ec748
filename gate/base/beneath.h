/* beneath: opens files of a folder that others may write into, and never one outside of it.
 *
 * A path is relative to an open folder. beneath_resolve follows symbolic links as long as they stay inside and gives the
 * path without links; beneath_open then opens that path and passes through no link at all, so nobody can lead it outside
 * between the two calls. Uses openat2 (Linux 5.6), and where the kernel or its sandbox refuses that, opens one name after
 * the other.
 */
#pragma once

#include <sys/types.h>

#include "gate/base/error.h"

#define BENEATH_PATH_LIMIT 4095 /* bytes; PATH_MAX without the NUL */

/* Whether the path is relative, not too long, and no name in it is empty, "." or "..". Pure. */
bool beneath_path_valid(const char *path);

/* The folder part of a valid path, "." for none; and the last name. Pure. */
char *beneath_folder(const char *path, struct error *err) _must_check_;
const char *beneath_name(const char *path);

/* As openat with O_CLOEXEC, O_NOFOLLOW and O_NOCTTY, and through no link. path: valid, or "." for the folder itself.
 * Gives -1 and errno (ELOOP at a link, EXDEV outside), for callers that branch on it. */
int beneath_open(int root_fd, const char *path, int flags, mode_t mode) _must_check_;

/* out  real  the path without links, "." and ".."; heap
 * err  not-found  no such file;  input  a link leaves the folder, or goes in circles;  io */
int beneath_resolve(int root_fd, const char *path, char **real, struct error *err) _must_check_;
