/* tar: writes tar archives, with libarchive; untar.h reads them.
 *
 * Entries have owner 0:0 (or what tar_own says) and time 0, so that equal content gives equal bytes. Names are bytes and are kept as they are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

#define TAR_TIME_S 0 /* of each entry */

struct tar;

/* writes to fd, which stays the caller's */
struct tar *tar_new(int fd, struct error *err) _must_check_;
/* The first entry of a tar, written before tar_new: the folder "./" in the oldest form, one block long. tar_new writes each entry
 * with a header of its own before it, and who looks at the first 1,024 bytes only, as BuildKit does, then sees no entry and takes
 * the whole for something else. */
int tar_begin_plainly(int fd, struct error *err) _must_check_;
/* From now on each piece of a file's content is shown to `look` as it is written, so that nobody has to read it again. */
void tar_show(struct tar *tar, void (*look)(void *context, const void *bytes, size_t length),
              void *context);
/* From now on entries belong to that user, and to group 0. */
void tar_own(struct tar *tar, int64_t uid);
int tar_add_folder(struct tar *tar, const char *name, unsigned int mode,
                   struct error *err) _must_check_;
int tar_add_link(struct tar *tar, const char *name, const char *target,
                 struct error *err) _must_check_;
/* Reads exactly size_bytes from file_fd; a file that shrank meanwhile is an error, one that grew is cut. */
int tar_add_file(struct tar *tar, const char *name, unsigned int mode, int file_fd,
                 int64_t size_bytes, struct error *err) _must_check_;
int tar_finish(struct tar *tar, struct error *err) _must_check_;
void tar_freep(struct tar **tar);
