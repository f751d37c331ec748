/* checkout: which commit of which branch the tree is, and which of its files are not as that commit has them.
 *
 * What stands in a file is an observation of the target branch only when the branch is that one and the file is as its commit
 * has it: a pin that was just written, or edited, is not there yet. Outside of a repository there is nothing to compare with,
 * and every file counts as it stands.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/cancel.h"

struct checkout {
    bool repository; /* the root is in a git repository that has a commit */
    char *branch;    /* "main"; NULL: a detached head, of which the CI system says nothing */
    char *commit;    /* hex; NULL where there is none */
    struct string_list changed; /* files below the root that differ from the commit, sorted */
};

/* The branch is git's, on a detached head what the CI system says it checked out (a pull request is no branch).
 * err: io when git fails; cancelled, timeout, no-memory */
int checkout_look(const char *root, struct cancel *cancel, struct checkout *out,
                  struct error *err) _must_check_;

/* Whether what stands in its unchanged files counts as the target branch's. target: NULL is any branch. */
bool checkout_is_target(const struct checkout *checkout, const char *target);
bool checkout_has_changed(const struct checkout *checkout, const char *file);
void checkout_clear(struct checkout *checkout);
