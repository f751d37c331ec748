/* scan: finds every pin of a tree.
 *
 * What is looked at: what git would add (`git ls-files -z -co --exclude-standard`) when the root is inside a work tree, else
 * a walk. git that refuses to answer (dubious ownership) is an error, never a silent walk; so is
 * a file or folder that cannot be read, unless it is excluded. Never looked at: .git,
 * pingate-out, .pingate, links that leave the tree, submodules, binaries (a NUL in the first 8 KiB), files above SCAN_FILE_LIMIT.
 * Of binaries only those are told that hold the literal below in their first MiB: nobody wants a line for each picture.
 *
 * Each file is read once; the literal "@sha256:" is searched first, and only a file that holds it is parsed. Formats bid for a
 * file (formats.h); a place that one format claimed is not found again by the plain text scanner. Each "@sha256:" with 64
 * hex digits behind it gives a pin or a skipped entry with its reason.
 *
 * What is skipped without a word: files that vanish meanwhile, links that lead to nothing, and links within the tree, since
 * their target is scanned itself.
 * Memory grows with the number of names and of pins, not with the size of the tree: one file a thread is held at a time.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/cancel.h"
#include "gate/pin.h"

#define SCAN_FILE_LIMIT (256u << 20) /* bytes; a larger file is left alone with a reason */

struct scan_options {
    /* globs relative to the root (glob.h); NULL or empty is everything */
    const struct string_list *include;
    const struct string_list *exclude; /* globs; wins over include */
    const struct cancel *cancel;       /* may be NULL */
};

struct scan {
    struct pin_list pins;        /* sorted by file, then offset */
    struct skipped_list skipped; /* sorted by file, then line */
    size_t files;                /* that were read */
};

/* in   root  a folder; "." is the usual one
 * out  scan  cleared by the caller with scan_clear, also on -1
 * err  io, not-found (no such folder), cancelled
 */
int scan_tree(const char *root, const struct scan_options *options, struct scan *scan,
              struct error *err) _must_check_;

/* One file's bytes, as scan_tree does with each file; pure. name: as it appears in pins, decides which formats bid. */
int scan_bytes(const char *name, const char *bytes, size_t length, struct scan *scan,
               struct error *err) _must_check_;

void scan_clear(struct scan *scan);

/* How many of the files hold a pin. */
size_t scan_files_with_pins(const struct scan *scan);

/* The files that scan_tree would look at, sorted; the workspace of a trial is made of the same list. */
int scan_list_files(const char *root, const struct scan_options *options, struct string_list *files,
                    struct error *err) _must_check_;
