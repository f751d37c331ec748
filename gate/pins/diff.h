/* diff: the unified diff of a file before and after edits; pure.
 *
 * Edits of pins change bytes within lines and never add or take lines, so lines are compared one by one. Three lines of
 * context, names behind a/ and b/ (quoted as git does where they need it), CR kept, "\ No newline at end of file". What
 * comes out is what `git apply` and `patch -p1` take.
 */
#pragma once

#include "gate/base/text.h"

struct diff_side {
    const char *bytes;
    size_t length;
};

/* Appends to out; nothing when both sides are equal. err: bug when the number of lines differs. */
int diff_unified(const char *name, struct diff_side old_side, struct diff_side new_side,
                 struct text *out, struct error *err) _must_check_;
