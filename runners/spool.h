/* spool: copies files of the project as a tar into an unlinked temporary file, and says what they are but for their pins.
 *
 *     struct spool spool;
 *     spool_begin(&spool, root, pins, false, err);
 *     spool_add_folder(&spool, entry, 0777, err);
 *     spool_add(&spool, "deploy/a.yaml", "workspace/deploy/a.yaml", err);
 *     spool_finish(&spool, &fd, &size_bytes, hash, err);
 *     spool_clear(&spool);
 *
 * The workspace of trials and the contexts of builds are made so. A spool is read with pread, so many uploads share it.
 */
#pragma once

#include <stdint.h>

#include "gate/base/hash.h"
#include "gate/pin.h"

#define SPOOL_END 1024 /* bytes at the end of a tar that say so; without them others may follow */

struct tar;
struct workspace_hash;

struct spool {
    int fd, root_fd;
    struct tar *tar;
    struct workspace_hash *hash;
    unsigned int more_mode; /* bits that each file's mode gets */
    size_t files;
};

/* in   pins     of these files, sorted by file; NULL: none
 *      plainly  with tar_begin_plainly
 * err  io;  to be cleared also then */
int spool_begin(struct spool *spool, const char *root, const struct pin_list *pins, bool plainly,
                struct error *err) _must_check_;
int spool_add_folder(struct spool *spool, const char *entry, unsigned int mode,
                     struct error *err) _must_check_;

/* A regular file or link of the project. One that has vanished, or is neither, is left out.
 *   in   name   from the root on;  entry  its name in the tar
 *   err  io;  conflict  it became shorter meanwhile */
int spool_add(struct spool *spool, const char *name, const char *entry,
              struct error *err) _must_check_;

/* out  fd    the tar; the caller's
 *      hash  "" when a file was not as it was scanned, see workspace_hash.h */
int spool_finish(struct spool *spool, int *fd, int64_t *size_bytes, char hash[HASH_HEX_SIZE],
                 struct error *err) _must_check_;
void spool_clear(struct spool *spool);
