/* tagfilter: which tags of an image a rule looks at, and the text in them that its policy compares; pure.
 *
 *     tags: {match: '^(?<v>\d+\.\d+\.\d+)-alpine$', extract: '$v', ignore: ["*-rc*"]}
 *
 * match    a regular expression (regex.h) that is looked for in the tag: "^" and "$" make it the whole tag. A tag without it
 *          is never taken. The followed tag itself must have it, whether it comes from the pin, a comment or the rule's
 *          `follow`: else the rule does not fit the pin, and a choice by it would mean nothing.
 * extract  what the policy sees instead of the tag (default: the tag). Needs a `match`, whose groups it names:
 *              template = *( text | "$$" | "$" name | "${" name "}" )
 *              name     = a group's name | its number, 0 is all that matched
 *          "$name" takes as many letters, digits and "_" as follow: "${1}x" where that is too much. "$$" is a dollar. A group
 *          that took no part gives nothing. The tag that is written is always the whole one.
 * ignore   globs (glob.h) of whole tags that are never taken, but the followed one. They are looked at before `match`.
 *
 * Tags are read as the registry lists them: by strangers. A tag on which the pattern would take too long is an error, never
 * "does not match": the newest tag could be the one that is not seen.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/regex.h"

#define TAGFILTER_TEMPLATE_LIMIT 256u /* bytes; what it gives is compared with tags of 128 */

/* A piece of the template. */
struct tagfilter_part {
    char *text;   /* literal; NULL for a group */
    size_t group; /* number */
};

struct tagfilter_parts {
    struct tagfilter_part *items; /* none: the whole tag */
    size_t count;
    size_t capacity;
};

/* {0} looks at every tag. */
struct tagfilter {
    struct string_list ignore;
    struct regex *match; /* NULL: every tag */
    struct tagfilter_parts extract;
};

/* The setters of an empty filter, match first.
 * err: config with "column N: …" of the pattern or template; no-memory */
int tagfilter_set_match(struct tagfilter *filter, const char *pattern,
                        struct error *err) _must_check_;
int tagfilter_set_extract(struct tagfilter *filter, const char *template,
                          struct error *err) _must_check_;

/* The glob that ignores the tag, or NULL. */
const char *tagfilter_ignored(const struct tagfilter *filter, const char *tag);

struct tagfilter_result {
    bool matches;
    char *extracted; /* what the policy compares; heap; NULL: the tag itself */
};

/* in   tag     valid (reference_tag_valid)
 * out  result  extracted is the caller's to free; {0} on -1
 * err  limit   the pattern takes too long on the tag: tells tag, pattern and remedy;  no-memory */
int tagfilter_read(const struct tagfilter *filter, const char *tag, struct tagfilter_result *result,
                   struct error *err) _must_check_;

/* The same for the tag that is followed, which must match.
 *
 * out  extracted  heap; NULL: the tag itself; untouched on -1
 * err  input  it does not match: tells tag, pattern and remedy;  limit;  no-memory */
int tagfilter_read_followed(const struct tagfilter *filter, const char *tag, char **extracted,
                            struct error *err) _must_check_;

void tagfilter_clear(struct tagfilter *filter);
