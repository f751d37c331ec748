/* file: reading, durable writing, folders; nothing about what the files mean. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gate/base/error.h"
#include "gate/base/text.h"

/* Reads a whole regular file. limit: bytes at most (ERROR_LIMIT above). err: not-found when it does not exist, io. */
int file_read(const char *path, size_t limit, struct text *out, struct error *err) _must_check_;
int file_read_at(int folder_fd, const char *path, size_t limit, struct text *out,
                 struct error *err) _must_check_;

/* Writes all bytes to an open descriptor. */
int file_write_all(int fd, const void *bytes, size_t length, struct error *err) _must_check_;

/* Replaces or makes a file of our own (a report, not a user's pin file) so that a reader sees old or new, never half:
 * temporary file beside it, rename. Mode 0644. */
int file_replace(const char *path, const void *bytes, size_t length,
                 struct error *err) _must_check_;

/* mkdir -p, mode 0777 & ~umask. */
int file_make_folders(const char *path, struct error *err) _must_check_;

/* "a/b" + "c" -> "a/b/c"; an absolute `name` stands alone; "." and "" as folder vanish. */
char *file_join(const char *folder, const char *name, struct error *err) _must_check_;

bool file_exists(const char *path);

/* rm -rf of a folder of our own; does not follow links; a missing one is fine. */
int file_remove_tree(const char *path, struct error *err) _must_check_;

void file_closep(int *fd); /* _cleanup_(file_closep) int fd = -1; */
