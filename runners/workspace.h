/* workspace: the project's files, spooled once as a tar into an unlinked temporary file and copied into each trial.
 *
 * One spool is shared by all uploads (pread). It holds what the scan would look at: regular files and links that stay inside
 * the tree; owner root, modes as they are, time stamps 0, entries sorted, so that equal trees give equal bytes.
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"
#include "gate/base/hash.h"
#include "gate/pin.h"

#define WORKSPACE_MOUNT "/pingate" /* where the trial's volume is mounted */
/* where the files are, and where commands run by default */
#define WORKSPACE_FOLDER "/pingate/workspace"

struct workspace {
    int fd;             /* the tar */
    int64_t size_bytes; /* of the tar */
    size_t files;
    /* of what it holds but for its pins, see workspace_hash.h; "" when it changed since the scan */
    char hash[HASH_HEX_SIZE];
};

/* in   root
 *      files  relative to it (scan_list_files), sorted
 *      pins   of these files, sorted by file; NULL: none
 * err  io */
int workspace_make(const char *root, const struct string_list *files, const struct pin_list *pins,
                   struct workspace *out, struct error *err) _must_check_;
void workspace_clear(struct workspace *workspace);
