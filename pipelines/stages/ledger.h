/* ledger: the append-only record of what was tested, seen, decided and written; plain files of the repository.
 *
 *     .pingate/ledger/2026-11/20261125T105300Z-4f0c2a91d3b87e65.jsonl
 *
 * One file for each command that writes, named by its time and the first 16 hex digits of the sha256 of its bytes. Each line
 * is one entry, canonical JSON (keys sorted, no blanks, "\n" behind it):
 *
 *     {"actor":"…","body":{…},"ci":"https://…","id":"<64 hex>","time":"2026-11-25T10:53:00.123Z","tool":"pingate 0.1.0",
 *      "type":"promoted","v":1}
 *
 * `id` is the sha256 of the bytes of the same line without the member `"id":"…",`: it is cut out, not written anew, so that an
 * entry with fields that this version does not know keeps its id. So no two branches can conflict, files and lines have no
 * order, entries that stand in several files (after a compaction) fall together, and a byte that was changed is found. Entries
 * are ordered by time, then id. An entry of an unknown type is kept; if it says "critical":true it blocks every promotion,
 * since a newer pingate wrote it for a reason. One with a higher `v` is taken for such a one. Unknown fields are ignored.
 *
 * Canonical: numbers are whole; keys have no escapes and ascend by their bytes; of characters only those below U+0020, the
 * quote and the backslash are escaped, by the short form where there is one, else by \u00xx with small letters; UTF-8.
 *
 * Which files count: in each folder of .pingate/ledger (a month), those that are named *.jsonl. Their names are the one above, or
 * compacted-<first 16 digits>.jsonl; in these, blanks stand before each entry (compact.h tells why). All other files (a README, .gitattributes) are left alone. A file *.jsonl of another name
 * or in another place, a link, or a folder in a month's folder is damage: what it holds would be lost silently.
 *
 * A file that is damaged, or whose name does not fit its bytes, is an error that names it and the remedy (git checkout), never
 * ignored: a lost denial would be a false pass. Everything read is hostile: sizes are bounded, links are not followed.
 *
 * body, by type (what may lack is marked ?):
 *
 *     evidence     test, definition, values, platform, workspace?, trial?, outcome, source ("run", "test", "promote", "record"),
 *                  stage?, reason? (of "record")
 *     observed     stage, set, values, branch?, commit?                  set: always the id of `values`
 *     promoted     stage, from?, set, before, values, changes, snapshot?, forced?, overridden?, reason?
 *     rolled-back  stage, set, before, values, changes, reason?
 *     approved     stage, set | digest, soak? (true: instead of the soak time), until?, reason?
 *     denied       set | digest | image, stage?, until?, reason
 *     held         stage, image?, until?, reason
 *     released     stage?, image?, set?, digest?, reason?     ends what was held, or denied, before it with the same words
 *
 * values are sorted lines of a set (gate/set.h); of evidence what took part. until is a time like the entry's. changes are
 * objects {digest, image, old_digest?, old_tag?, tag?}.
 */
#pragma once

#include <stdint.h>

#include "gate/base/arena.h"
#include "gate/base/array.h"
#include "gate/base/text.h"
#include "gate/base/words.h"
#include "gate/verdict.h"

#define LEDGER_FOLDER     ".pingate/ledger"
#define LEDGER_VERSION    1
#define LEDGER_FILE_LIMIT (64u << 20) /* bytes of one file; a compacted month of a large project */
#define LEDGER_LINE_LIMIT (4u << 20)  /* bytes of one entry; a set of 20,000 values */
#define LEDGER_ENTRY_LIMIT                                                                         \
    1000000u /* entries; a project that tests 500 images a day for five years */

enum ledger_type {
    LEDGER_EVIDENCE,
    LEDGER_OBSERVED,
    LEDGER_PROMOTED,
    LEDGER_ROLLED_BACK,
    LEDGER_APPROVED,
    LEDGER_DENIED,
    LEDGER_HELD,
    LEDGER_RELEASED,
    LEDGER_UNKNOWN,
    LEDGER_TYPE_COUNT
};

/* One value that a promotion moved, for people and for `history`. */
struct ledger_change {
    const char *image;
    const char *old_tag, *old_digest; /* NULL where there was none */
    const char *tag, *digest;         /* tag NULL where there is none */
};

/* All strings lend from the ledger's arena, or from whoever drafts the entry. What a type lacks is NULL, 0 or false. */
struct ledger_entry {
    enum ledger_type type;
    const char *id;      /* 64 hex; NULL in a draft */
    int64_t time_ms;     /* since 1970 */
    const char *actor;   /* who: see ledger_actor */
    const char *ci;      /* address of the CI job */
    const char *tool;    /* "pingate 0.1.0" */
    const char *file;    /* where it stands, relative to the root; NULL in a draft */
    size_t line;         /* from 1 */
    const char *unknown; /* the type's word when it is LEDGER_UNKNOWN */
    bool critical;

    const char *stage, *from;
    const char *set;    /* id */
    const char *before; /* id of the set that stood there */
    const char
        *snapshot; /* id of the set of the earlier stage that was copied; approvals name it */
    const char *const *values; /* sorted lines of a set (gate/set.h); of evidence: what took part */
    size_t value_count;
    const struct ledger_change *changes;
    size_t change_count;
    const char *image;  /* a selector (gate/selector.h) */
    const char *digest; /* "sha256:…" */
    const char *reason;
    int64_t until_ms; /* 0: no end */
    const char *branch, *commit;
    const char *test, *definition, *platform, *workspace, *source;
    const char *trial; /* hash of what the trial was given; NULL when several are told as one */
    enum outcome outcome;
    bool instead_of_soak, forced;
    const char *overridden; /* the codes that --force went over: "soaking no-evidence" */
};

struct ledger {
    struct ledger_entry *items; /* by time, then id; each id once */
    size_t count;
    size_t capacity;
    size_t files;
    struct arena arena;  /* the entries' strings; equal ones once */
    struct words words;  /* the strings that the arena holds */
    struct words values; /* of these, lines of sets: each was looked at once */
};

/* A file that could not be used, and why. */
struct ledger_damage {
    char *file;   /* below the root */
    char *reason; /* one sentence with the remedy */
};

struct ledger_damage_list {
    struct ledger_damage *items;
    size_t count;
    size_t capacity;
};

/* Reads all files below root. A project without a ledger has an empty one.
 *   err  io  a damaged file, with its name and the remedy, or one that cannot be read;  limit;  no-memory */
int ledger_load(const char *root, struct ledger *out, struct error *err) _must_check_;

/* The same, but tells all that is damaged, and reads the rest. */
int ledger_verify(const char *root, struct ledger *out, struct ledger_damage_list *damage,
                  struct error *err) _must_check_;
void ledger_damage_list_clear(struct ledger_damage_list *damage);

/* Adds the entries of one file, or on -1 none of them; pure. name: as messages name it, checked against the bytes when it has
 * the form of a ledger's file name. Call ledger_sort when all are added. err: input, limit, no-memory */
int ledger_parse(const char *name, const char *bytes, size_t length, struct ledger *out,
                 struct error *err) _must_check_;
void ledger_sort(struct ledger *ledger); /* and makes equal ones one */
void ledger_clear(struct ledger *ledger);

const char *ledger_type_name(enum ledger_type type);                 /* "rolled-back"; "unknown" */
bool ledger_type_from_name(const char *name, enum ledger_type *out); /* never to LEDGER_UNKNOWN */

/* A file that is to be written with promotion_create. */
struct ledger_file {
    char *path; /* below the root */
    struct text bytes;
};

/* What one command records. Each draft gets time and id here; pure.
 *   in   drafts   time_ms 0 is now_ms; tool NULL is this program; values in any order, twice or not
 *        now_ms   of the file's name
 *   out  file     cleared by ledger_file_clear
 *   err  bug      a draft that ledger_parse would refuse: it lacks a field, or a field has a wrong form;  limit */
int ledger_format(const struct ledger_entry *drafts, size_t count, int64_t now_ms,
                  struct ledger_file *out, struct error *err) _must_check_;
void ledger_file_clear(struct ledger_file *file);

/* Who acts, for entries: what the CI system says (GITHUB_ACTOR, GITLAB_USER_LOGIN, …), else $PINGATE_ACTOR, else git's
 * user.email in root, else the login name. So a job cannot act for somebody else. Heap. It is a record, no proof: whoever may
 * commit can write any name, and who may commit to the target branch is the forge's to guard. */
char *ledger_actor(const char *root, struct error *err) _must_check_;

/* The address of the CI job, or NULL without an error. Heap. */
char *ledger_ci(struct error *err) _must_check_;
