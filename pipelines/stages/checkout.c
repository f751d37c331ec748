#include "pipelines/stages/checkout.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/process.h"

#define GIT_TIMEOUT_MS 60000
#define STATUS_LIMIT   (64u << 20) /* bytes of names of changed files */

static int run_git(const char *root, const char *const *arguments, struct cancel *cancel,
                   struct process_result *result, struct error *err) {
    /* without its optional locks `status` does not write the index anew: this only looks */
    const char *argv[16] = {"git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", root};
    for (size_t i = 0; i < 9 && arguments[i] != NULL; i++)
        argv[6 + i] = arguments[i];
    struct process_options options = {
        .argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .output_limit = STATUS_LIMIT, .cancel = cancel};
    return process_run(&options, result, err) < 0 ? error_wrap(err, "git %s", arguments[0]) : 0;
}

static char *first_line(const struct process_result *result, struct error *err) {
    const char *output = text_string(&result->output);
    return string_dup_length(output, strcspn(output, "\n"), err);
}

/* What a CI system checked out with a detached head. Of a pull request it names a merge that is on no branch.
 *   src  the systems' lists of predefined variables; Gitea and Forgejo set GitHub's */
static const char *branch_of_ci(void) {
    static const struct {
        const char *name, *prefix;
    } variables[] = {{"GITHUB_REF", "refs/heads/"},
                     {"CI_COMMIT_BRANCH", ""}, /* GitLab; not set for merge requests and tags */
                     {"BUILD_SOURCEBRANCH", "refs/heads/"}, /* Azure */
                     {"GIT_BRANCH", "origin/"},             /* Jenkins */
                     {"CIRCLE_BRANCH", ""}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i].name);
        if (value != NULL && string_has_prefix(value, variables[i].prefix) &&
            value[strlen(variables[i].prefix)] != '\0')
            return value + strlen(variables[i].prefix);
    }
    return NULL;
}

static int find_branch(const char *root, struct cancel *cancel, struct checkout *out,
                       struct error *err) {
    static const char *const arguments[] = {"symbolic-ref", "--quiet", "--short", "HEAD", NULL};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (run_git(root, arguments, cancel, &result, err) < 0)
        return -1;
    if (result.exit_status != 0)
        return string_copy(branch_of_ci(), &out->branch, err);
    out->branch = first_line(&result, err);
    return out->branch != NULL ? 0 : -1;
}

/* "XY NAME" each, a NUL behind it, names from the top of the repository. */
static int read_status(const struct text *status, const char *prefix, struct string_list *changed,
                       struct error *err) {
    size_t skip = strlen(prefix);
    const char *end = text_string(status) + status->length;
    for (const char *at = text_string(status); at + 3 < end; at += strlen(at) + 1) {
        const char *name = at + 3;
        if (strncmp(name, prefix, skip) == 0 && string_list_add(changed, name + skip, err) < 0)
            return -1;
    }
    string_list_sort(changed);
    return 0;
}

static int find_changes(const char *root, struct cancel *cancel, struct checkout *out,
                        struct error *err) {
    static const char *const where[] = {"rev-parse", "--show-prefix", NULL};
    static const char *const arguments[] = {
        "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", ".", NULL};
    _cleanup_(process_result_clear) struct process_result prefix = {0};
    _cleanup_(process_result_clear) struct process_result status = {0};
    if (run_git(root, where, cancel, &prefix, err) < 0 ||
        run_git(root, arguments, cancel, &status, err) < 0)
        return -1;
    if (prefix.exit_status != 0 || status.exit_status != 0) {
        _cleanup_(free_pointer) char *why =
            process_result_why(prefix.exit_status != 0 ? &prefix : &status, err);
        return why != NULL ? error_set(err, ERROR_IO, "git status: %s", why) : -1;
    }
    _cleanup_(free_pointer) char *words = first_line(&prefix, err);
    return words != NULL ? read_status(&status.output, words, &out->changed, err) : -1;
}

int checkout_look(const char *root, struct cancel *cancel, struct checkout *out,
                  struct error *err) {
    static const char *const arguments[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}",
                                            NULL};
    *out = (struct checkout){0};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (run_git(root, arguments, cancel, &result, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return -1;
        error_clear(err); /* no git, and so no repository: the scan would have told */
        return 0;
    }
    if (result.exit_status != 0) {
        const char *why = text_string(&result.error_output);
        if (*why == '\0' || strstr(why, "not a git repository") != NULL)
            return 0; /* quiet about a repository without a commit */
        return error_set(err, ERROR_IO, "git rev-parse: %.*s", (int)strcspn(why, "\n"), why);
    }
    out->repository = true;
    out->commit = first_line(&result, err);
    if (out->commit == NULL || find_branch(root, cancel, out, err) < 0)
        return -1;
    return find_changes(root, cancel, out, err);
}

bool checkout_is_target(const struct checkout *checkout, const char *target) {
    if (!checkout->repository || target == NULL)
        return true;
    return checkout->branch != NULL && strcmp(checkout->branch, target) == 0;
}

bool checkout_has_changed(const struct checkout *checkout, const char *file) {
    return string_list_has_sorted(&checkout->changed, file);
}

void checkout_clear(struct checkout *checkout) {
    free(checkout->branch);
    free(checkout->commit);
    string_list_clear(&checkout->changed);
    *checkout = (struct checkout){0};
}
