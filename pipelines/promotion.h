/* promotion: writes edits into many files as one: all old or all new, whatever happens between.
 *
 *     struct promotion *promotion;
 *     promotion_new(root, &promotion, err);                 takes the lock; an unfinished journal must be settled before
 *     promotion_queue(promotion, file, &edits, err);        edits with the bytes that must stand there
 *     promotion_create(promotion, path, bytes, n, err);     a new file of the ledger, which becomes visible with the others
 *     promotion_prepare(promotion, err);                    reads again, compares, writes temporary files, syncs
 *     promotion_commit(promotion, err);                     journal, renames, syncs the folders
 *     promotion_free(promotion);                            aborts what was not committed: no trace stays
 *
 * Kept: mode, owner, ACLs and extended attributes, links that stay in the tree (the target is written, the link stays),
 * line ends, BOM, a missing last newline. A created file gets mode 0644 less the umask. Refused at prepare, with nothing changed: other bytes at an edit's place than were
 * scanned, a file without a write bit or of another owner that we cannot keep, a bind mount, a hard link, a file that a
 * generator owns ("DO NOT EDIT" or "Code generated" in its first lines, linguist-generated) unless told, a link that leaves the tree;
 * and a file to create where other bytes stand already (the same ones are fine: it is written).
 *
 * The lock is on the root folder itself. The journal is one file, .pingate/local/journal.json (journal.h); it lists each
 * file with the temporary file beside it and the hashes of old and new bytes. Before it says "decided", what is left of a
 * promotion is undone; from then on the next command that writes finishes it. .pingate/local ignores itself in git and
 * vanishes when it is empty, and so does .pingate. What is created stands in .pingate/ledger, which git sees: it is to be
 * committed with the pins. It is put in place behind all other files. Taking back removes its folders when they are empty.
 *
 * A file that somebody changed after a crash is never written. If no file is new yet, the promotion is undone. If all
 * temporary files are in place already, it is finished. If some files are new and the changed one can no longer become new,
 * recovery stops with an error that names the file and the remedy, and touches nothing.
 */
#pragma once

#include "gate/pins/rewrite.h"

struct promotion;

struct promotion_options {
    bool allow_generated; /* also write files that generators own */
    bool dry_run;         /* no lock, no writing: only queue, prepare (checks alone) and diff */
};

/* err: conflict when another run holds the lock, or a journal is unfinished. */
int promotion_new(const char *root, const struct promotion_options *options, struct promotion **out,
                  struct error *err) _must_check_;
int promotion_queue(struct promotion *promotion, const char *file, const struct edit_list *edits,
                    struct error *err) _must_check_;

/* Queues a file that must not be there yet. path: as journal_is_ledger wants it; else err is a bug of the caller. Copies. */
int promotion_create(struct promotion *promotion, const char *path, const char *bytes,
                     size_t length, struct error *err) _must_check_;
int promotion_prepare(struct promotion *promotion, struct error *err) _must_check_;

/* Unified diff of all queued files but the created ones (a reviewer wants the pins), old to new, in the order of file names, for reports. Call it after prepare. */
int promotion_diff(const struct promotion *promotion, struct text *out,
                   struct error *err) _must_check_;

int promotion_commit(struct promotion *promotion, struct error *err) _must_check_;

/* After a commit that failed: some files may be new already, and the next command that writes finishes the rest. */
bool promotion_decided(const struct promotion *promotion);
void promotion_free(struct promotion *promotion);
void promotion_freep(struct promotion **promotion);

enum promotion_state {
    PROMOTION_CLEAN,    /* nothing is left of an earlier one */
    PROMOTION_FINISHED, /* an unfinished one was completed: its files are new now */
    PROMOTION_UNDONE,   /* one that was not decided was taken back: its files are old */
};

/* What a crash left: finishes or undoes it when `write` (it then takes the lock), else only tells what would be done, and
 * writes nothing.
 *
 *   out  state  CLEAN also while another run is writing, when not `write`
 *        words  for people; empty when clean
 *   err  conflict  another run is writing, or a file changed since so that neither way is open;  input  the journal is
 *        damaged, hostile or of a newer version;  io.  The message has the remedy. A command that only reads prints it and
 *        goes on. */
int promotion_recover(const char *root, bool write, enum promotion_state *state, struct text *words,
                      struct error *err) _must_check_;
