/* compact: makes the files of each past month one, and drops evidence that nothing needs any more.
 *
 * The month that runs and the one before stay as they are: branches that are not merged yet write into them. Of the others all
 * lines go into .pingate/ledger/<month>/compacted-<digits>.jsonl, by time and id, so that whoever compacts the same lines gets
 * the same file. It is on disk under its name, and was read again, before the first old file is removed: a crash leaves lines
 * that stand in two files, which fall together, and the next compaction goes on. So do two branches that compacted on
 * their own: after a merge their files stand side by side.
 *
 * Blanks stand before each line, as many in the whole file, and another number than in each file that it was made of. By them
 * git does not take the new file for an old one that was renamed and changed: it compares pieces of 64 bytes from the beginning of
 * each line, and all of them are shifted. Two branches that renamed one file to two names would be in conflict.
 *   src  git, diffcore-delta.c: similarity of files
 *
 * Dropped is evidence alone, and only a line
 *   - that is older than 90 days, and stands in a file that is compacted;
 *   - with newer evidence of the same test, definition, values, platform, workspace, trial, source and stage, of which the
 *     next has the same outcome: of each run of equal outcomes the newest stays, and so does the newest of all;
 *   - on which none of these rests: the newest 100 promotions and rollbacks, and the set that each stage holds. On evidence
 *     they rest that was, when they were made, the newest of its kind and lay within their values.
 * Decisions, promotions, observations and entries of unknown types all stay.
 */
#pragma once

#include "pipelines/stages/ledger.h"

#define COMPACT_AGE_MS     (90LL * 24 * 3600 * 1000)
#define COMPACT_PROMOTIONS 100
#define COMPACT_BLANKS     60          /* before a line, at most */
#define COMPACT_FILE_SIZE  (32u << 20) /* bytes; a month with more gets several files */

/* Pure.
 *   in   ledger  sorted
 *   out  drop    one flag an entry */
int compact_choose(const struct ledger *ledger, int64_t now_ms, bool *drop,
                   struct error *err) _must_check_;

struct compact_report {
    size_t months;                    /* that were compacted */
    size_t files_before, files_after; /* of these months */
    size_t entries_before, entries_after;
};

/* Takes the lock of the root. A damaged ledger is an error, and nothing is written.
 *   in   dry_run  only tells what would be
 *   err  conflict  another run is writing;  input  damage;  io, no-memory, limit */
int compact_run(const char *root, int64_t now_ms, bool dry_run, struct compact_report *out,
                struct error *err) _must_check_;
