/* What the files of the ledger share: the fields of an entry and which type has which, names of files, the canonical form. */
#pragma once

#include "pipelines/stages/ledger.h"

/* Kinds of fields of a body. */
enum ledger_field_kind {
    FIELD_TEXT,     /* any string that is not empty */
    FIELD_HASH,     /* 64 hex digits */
    FIELD_DIGEST,   /* gate/digest.h */
    FIELD_SELECTOR, /* gate/selector.h */
    FIELD_TIME,     /* int64_t */
    FIELD_FLAG,     /* bool; stands there only when true */
    FIELD_OUTCOME,
    FIELD_VALUES,
    FIELD_CHANGES
};

struct ledger_field {
    const char *name;
    enum ledger_field_kind kind;
    size_t offset;         /* in struct ledger_entry */
    unsigned int required; /* types that have it: 1 << type */
    unsigned int one_of;   /* types that have at least one of those that say so */
    unsigned int optional; /* types that may have it */
};

extern const struct ledger_field ledger_fields[]; /* ascending by name; the last has no name */

/* The part of a path behind the last slash has the form of a name: 20261125T105300Z-4f0c2a91d3b87e65.jsonl, or
 * compacted-4f0c2a91d3b87e65.jsonl. out: the 16 digits; NULL when it has not. */
const char *ledger_name_digits(const char *path);
bool ledger_name_is_compacted(const char *path);
bool ledger_month_valid(const char *name); /* "2026-11" */

#define LEDGER_NAME_DIGITS 16 /* hex digits of the sha256 in a file's name */
#define LEDGER_COMPACTED   "compacted-"

/* Whether the bytes are one canonical JSON value and nothing else; see ledger.h. */
bool ledger_is_canonical(const char *bytes, size_t length);

/* Appends a string in the canonical form; bytes that are no UTF-8 become U+FFFD. */
void ledger_add_string(struct text *out, const char *string);

/* The path that a file with these bytes gets, below the root. Heap. err: no-memory */
int ledger_path(const char *bytes, size_t length, int64_t now_ms, char **out,
                struct error *err) _must_check_;

/* Reads the files of the ledger, sorted by name, one after the other.
 *   in   each     gets the path below the root, and the bytes or the error that reading gave (then bytes is NULL); what it
 *                 returns below 0, with *err set, ends the reading
 *   err  input    the ledger's folder is none, or a link;  io, no-memory */
typedef int ledger_each(const char *path, const struct text *bytes, struct error *problem,
                        void *context, struct error *err);
int ledger_each_file(int root_fd, ledger_each *each, void *context, struct error *err) _must_check_;
