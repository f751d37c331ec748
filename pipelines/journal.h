/* journal: what a promotion writes down before it touches the tree, so that the next command can finish or undo it.
 *
 * One file below the root, .pingate/local/journal.json:
 *
 *     {"version":1,"state":"intent","files":[{"file":"a/b.yaml","temporary":".b.yaml.pingate-x7Rk2Q",
 *       "old":"<64 hex>","new":"<64 hex>"}]}
 *
 * A file that is created has "old":null: no such file is there before. Only the ledger's files are created, and they stand
 * behind all others, so that they are put in place last: the ledger never tells of a promotion that is not in the files yet.
 *
 * It is on disk with the state "intent" before the first temporary file is made, and with "decided" when all temporary files
 * are whole on disk and before the first is put in place. It is removed last. So whatever is found of a promotion is in its
 * journal, and nothing is removed by a guess at names. It is replaced by rename: a half or empty one is never ours.
 *
 * Its reader takes it for hostile, since a repository may bring one along: paths stay below the root, outside .git and
 * .pingate (but for what is created there, which replaces nothing), a temporary file has exactly the name that we would give beside its file, and nothing passes a link.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/hash.h"
#include "gate/base/text.h"

#define JOURNAL_FILE        ".pingate/local/journal.json"
#define JOURNAL_VERSION     1
#define JOURNAL_SIZE_LIMIT  (64u << 20) /* bytes; about 100,000 files with long names */
#define JOURNAL_FILES_LIMIT 100000      /* files in one promotion */

enum journal_state { JOURNAL_INTENT, JOURNAL_DECIDED };

struct journal_file {
    char *file;                   /* below the root, without links */
    char *temporary;              /* name beside it */
    char old_hash[HASH_HEX_SIZE]; /* "" when it is created */
    char new_hash[HASH_HEX_SIZE];
};

struct journal {
    enum journal_state state;
    struct journal_file
        *items; /* those that stand there, then the created ones; each ascending by file */
    size_t count;
    size_t capacity;
};

/* Whether a name in the path is .git or .pingate, where no promotion writes. Pure. */
bool journal_is_private(const char *file);

/* Whether the path has the form of a ledger's file: .pingate/ledger/2026-11/NAME.jsonl, of letters, digits and "-". Pure. */
bool journal_is_ledger(const char *file);

/* Pure. err: input, with what is wrong and the remedy. */
int journal_parse(const char *bytes, size_t length, struct journal *out,
                  struct error *err) _must_check_;
int journal_format(const struct journal *journal, struct text *out, struct error *err) _must_check_;

/* out: cleared by the caller; *present is false when there is none. err: input (damaged, newer, a link in its path), io. */
int journal_read(int root_fd, struct journal *out, bool *present, struct error *err) _must_check_;

/* On disk when it returns 0. On -1 the journal is the earlier one or this one. */
int journal_write(int root_fd, const struct journal *journal, struct error *err) _must_check_;

/* Removes the journal, syncs, and sweeps. */
int journal_remove(int root_fd, struct error *err) _must_check_;

/* Without a journal: removes what we made around it, and of the folders what is empty then. Only with the lock. */
int journal_sweep(int root_fd, struct error *err) _must_check_;

/* Puts the folders of all its files on the disk. */
int journal_sync_folders(int root_fd, const struct journal *journal,
                         struct error *err) _must_check_;

void journal_clear(struct journal *journal);
