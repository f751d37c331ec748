/* policy: which tags may follow the pinned one; pure functions, no network, no clock.
 *
 * digest  the same tag, whatever digest it has now
 * patch   a newer tag whose first two numbers are equal          7.2.4 -> 7.2.9
 * minor   … whose first number is equal                          7.2.4 -> 7.4.0
 * major   … any                                                  7.2.4 -> 8.0.1
 *
 * Only tags of the same shape are compared (version.h): same suffix, same number of numeric parts, same kind of number (a
 * date is no high number). Tags that are no versions, sidecar tags (sha256-….sig) and older ones are never taken. The same tag
 * with a newer digest is always allowed, listed by the registry or not, and comes last in order.
 *
 * Pre-releases. A pre-release follows only a pre-release of the very same numbers: 8.0.0-rc1 -> 8.0.0-rc2, never 8.0.0-rc1 ->
 * 8.1.0-beta1 and never 7.4.1 -> 8.0.0-rc1. The release of these numbers and any later release that the policy allows may
 * follow too: 8.0.0-rc1 -> 8.0.0.
 *
 * Filter. Where a rule has one (tagfilter.h), a tag that does not match is never taken, and shapes and versions are those of the
 * text that it extracts: with '^release-(?<v>.*)$' and '$v' the tag release-7.2.5 is 7.2.5 for all that stands here.
 *
 * Ties. Tags that say the same version ("1.3", "v1.3", "1.03") are one candidate: the one that is written most like the current
 * tag (with or without "v", then with or without leading zeros; among equally like ones the first by bytes) is taken, the
 * others are "another spelling". Those that say the version of the current tag are another spelling of it.
 * Several tags out of which the filter makes the very same text are one candidate too. Taken is one that is the current tag but
 * for digits, if there is such a one; among equals the last in the order of strverscmp (7.2.5-alpine3.19 after -alpine3.9).
 */
#pragma once

#include "gate/policy/tagfilter.h"

enum policy_kind { POLICY_DIGEST, POLICY_PATCH, POLICY_MINOR, POLICY_MAJOR, POLICY_KIND_COUNT };

struct policy {
    enum policy_kind kind;
    const struct tagfilter *tags; /* which tags it looks at, and at what in them; NULL: all */
};

/* One tag and what was thought of it. */
struct policy_choice {
    char *tag;
    bool taken;   /* it may follow */
    char *reason; /* why or why not, for people: "newer minor version 7.4.1",
                   * "other suffix: -alpine", "older than 7.2.4" */
};

struct policy_choices {
    struct policy_choice *items; /* taken ones first, newest first and the current tag last;
                                  * then the others, as they were listed */
    size_t count;
    size_t capacity;
    size_t taken; /* how many of them are taken */
};

const char *policy_name(enum policy_kind kind); /* "minor" */
bool policy_from_name(const char *name, enum policy_kind *out);
const char *const *policy_names(void); /* NULL-terminated, for messages and help */

bool policy_needs_tags(const struct policy *policy); /* false for digest: one HEAD is enough */

/* in   current  the pinned tag
 *      tags     as the registry lists them, in any order, may hold duplicates and nonsense; may be NULL
 * out  choices  every tag once, and the current one; cleared by policy_choices_clear, also on -1
 * err  input  the current tag is no version and the policy needs one ("latest" can only be followed by digest), or does not
 *             match the filter
 *      limit  the filter's pattern takes too long on a tag
 *
 * The taken ones and every reason are the same whatever the order of the tags. Takes O(n log n).
 */
int policy_choose(const struct policy *policy, const char *current, const struct string_list *tags,
                  struct policy_choices *choices, struct error *err) _must_check_;

void policy_choices_clear(struct policy_choices *choices);
