/* earlier: which set stood in a stage before, and which of its values a value of today came from. Pure.
 *
 * What stood there is told by what was observed in, promoted into and rolled back in that stage. "Before" is before the set of
 * today came there first: after a rollback the set before is not the one that was left. With images, only their values count:
 * the set before is the newest before today's values of them that holds others.
 */
#pragma once

#include "pipelines/stages/ledger.h"

struct earlier_question {
    const struct ledger *ledger;
    const char *stage;
    const struct set *standing;
    const struct string_list *images; /* names, not selectors; empty: all */
};

/* The entry whose set stood there before, or NULL. */
const struct ledger_entry *earlier_set(const struct earlier_question *question);

/* The newest entry that tells this set of the stage; digest instead of it: the newest set of another id than the standing
 * one that holds the digest. NULL when there is none. */
const struct ledger_entry *earlier_with_set(const struct earlier_question *question,
                                            const char *set);
const struct ledger_entry *earlier_with_digest(const struct earlier_question *question,
                                               const char *digest);

/* Which value of the earlier entry the line of today came from: by the changes that were recorded between, else the one with
 * the same image and tag, else the only one where each of both holds one value of that image.
 *   out  line       lent from the ledger; NULL: the image is new since, or has a tag now and had none, or the reverse
 *        ambiguous  two values became this one: which of its pins held which nobody recorded */
int earlier_value(const struct earlier_question *question, const struct ledger_entry *entry,
                  const char *line, const char **out, bool *ambiguous,
                  struct error *err) _must_check_;
