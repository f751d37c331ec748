/* regex: patterns of the user over texts of strangers; the one wrapper of PCRE2.
 *
 *     _cleanup_(regex_freep) struct regex *regex = NULL;
 *     regex_compile("^(?<v>\\d+)-alpine$", &regex, err);
 *     struct regex_match match;
 *     regex_match(regex, tag, strlen(tag), &match, err);      0 and match.found false: it does not match
 *     size_t v;
 *     if (match.found && regex_group_find(regex, "v", &v)) … match.groups[v] …
 *
 * A pattern can be written so that some text takes it years. Every match has a ceiling of steps and memory; reaching it is an
 * error of its own kind (limit) and never "does not match", which would be a wrong answer that nobody sees.
 *
 * Bytes, not characters: a pattern cannot switch to UTF ("(*UTF)" is refused), so that no text can be invalid and no table of
 * Unicode decides what a tag is. \w, \d and letter case are those of ASCII. "$" is the end alone, not before a last newline.
 * The pattern is compiled to no machine code: that needs memory which hardened systems refuse, and counts its limits otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/base/error.h"

#define REGEX_PATTERN_LIMIT 1024u /* bytes; the longest in use have some 200 */
#define REGEX_SUBJECT_LIMIT 4096u /* bytes of the text; a line, a path or a tag */
#define REGEX_NESTING_LIMIT 50u /* parentheses within each other; bounds the compiler's recursion */
/* Steps of one match. Ordinary patterns need up to 1,000 on a tag of 128 bytes; this many take 0.1 to 0.4 ms, so that the
 * longest list of tags that is read (200,000) ends even where each of them comes close to it. */
#define REGEX_STEP_LIMIT  5000u
#define REGEX_DEPTH_LIMIT 5000u /* choices that wait at once; no more than there are steps */
#define REGEX_HEAP_LIMIT  4096u /* KiB for those choices */
#define REGEX_GROUP_LIMIT                                                                          \
    64u /* groups that can be told; further ones match and cannot be asked for */

struct regex;

/* Bytes of the text. */
struct regex_span {
    size_t offset; /* from its start */
    size_t length;
    bool set; /* false: the group took no part in the match */
};

struct regex_match {
    bool found;
    struct regex_span groups[REGEX_GROUP_LIMIT]; /* 0 is the whole match */
};

/* out  a pattern to be freed with regex_freep; used by one thread at a time; untouched on -1
 * err  config  "column N: …", counted in bytes from 1: it is malformed, too long or too large; no-memory */
int regex_compile(const char *pattern, struct regex **out, struct error *err) _must_check_;

/* Looks for the pattern anywhere in the text.
 *
 * out  match  found or not; which bytes each group took
 * err  limit  the text needs more steps or memory than a match may take, or is longer than REGEX_SUBJECT_LIMIT;  no-memory
 */
int regex_match(const struct regex *regex, const char *text, size_t length,
                struct regex_match *match, struct error *err) _must_check_;

const char *regex_pattern(const struct regex *regex); /* as it was written */

/* How many groups can be told, the whole match with them. */
size_t regex_group_count(const struct regex *regex);

/* The group of that name; false where the pattern has none, or where several share it. */
bool regex_group_find(const struct regex *regex, const char *name, size_t *number);

/* "v, build": the names of groups, sorted by bytes, for messages; "" where there is none. NULL with *err set. */
char *regex_group_names(const struct regex *regex, struct error *err) _must_check_;

void regex_freep(struct regex **regex);
