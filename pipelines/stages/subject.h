/* subject: what a word on the command line names: a set, a digest, or an image that this project has seen.
 *
 *     3f2a90c1d4e5            the beginning of a set's id or of a digest, at least SUBJECT_PREFIX_LEAST digits, if it is unique
 *     sha256:3f2a90…          the beginning of a digest
 *     redis, redis:7.*        a selector of images (gate/selector.h)
 *
 * Seen is what stands in the stages now, and what the ledger says stood there. Digits that begin a set or a digest are taken
 * for that; else for an image's name.
 */
#pragma once

#include "gate/set.h"
#include "pipelines/stages/ledger.h"

#define SUBJECT_PREFIX_LEAST 4 /* hex digits; fewer are a typo or will not be unique for long */

enum subject_kind { SUBJECT_SET, SUBJECT_DIGEST, SUBJECT_IMAGE };

struct subject {
    enum subject_kind kind;
    char *word; /* the whole id, "sha256:…" with all digits, or the selector as it was given */
    struct set set; /* of SUBJECT_SET: its values */
    bool unseen;    /* a digest that stands nowhere */
};

struct subject_question {
    const struct ledger *ledger;
    const struct set *sets; /* what stands in each stage */
    size_t set_count;
    const char *stage;           /* sets are looked for in this one; NULL: in all */
    const struct set *stage_set; /* what stands in it; NULL with stage NULL */
    bool images;                 /* may it be an image */
    bool unseen;                 /* may it be a digest that stands nowhere; a whole one */
};

/* err: usage when it names nothing, or more than one thing, with near names */
int subject_find(const struct subject_question *question, const char *word, struct subject *out,
                 struct error *err) _must_check_;
void subject_clear(struct subject *subject);

/* Whether two selectors say the same: "redis" and "docker.io/library/redis". */
bool subject_same_image(const char *a, const char *b);
