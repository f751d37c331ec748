#include "pipelines/stages/checkout.h"

#include "gate/base/process.h"
#include "tests/unit/tree.h"

/* What could tell a branch must not come from where the tests run. */
static void forget_ci(void) {
    static const char *const names[] = {"GITHUB_REF", "CI_COMMIT_BRANCH", "BUILD_SOURCEBRANCH",
                                        "GIT_BRANCH", "CIRCLE_BRANCH"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

#define git(tree, ...) run_git((tree)->root, (const char *const[]){__VA_ARGS__, NULL})

static void run_git(const char *root, const char *const *arguments) {
    struct error err = {0};
    const char *argv[20] = {
        "git", "-C", root, "-c", "user.name=x", "-c", "user.email=x@example.com"};
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[7 + i] = arguments[i];
    struct process_options options = {.argv = argv, .timeout_ms = 60000};
    struct process_result result = {0};
    unit_ok(process_run(&options, &result, &err), &err);
    ck_assert_msg(result.exit_status == 0, "git %s: %s", arguments[0],
                  text_string(&result.error_output));
    process_result_clear(&result);
}

static struct checkout look(const char *root) {
    struct error err = {0};
    struct checkout checkout;
    unit_ok(checkout_look(root, NULL, &checkout, &err), &err);
    return checkout;
}

START_TEST(no_repository) {
    struct tree tree = tree_new();
    struct checkout checkout = look(tree.root);
    ck_assert(!checkout.repository);
    ck_assert(checkout_is_target(&checkout, "main")); /* nothing to compare with */
    ck_assert(!checkout_has_changed(&checkout, "a"));
    checkout_clear(&checkout);
    git(&tree, "init", "-q", "-b", "main");
    checkout = look(tree.root); /* without a commit nothing stands on a branch */
    ck_assert(!checkout.repository);
    checkout_clear(&checkout);
    tree_free(&tree);
}
END_TEST

START_TEST(branch_and_changes) {
    struct tree tree = tree_new();
    forget_ci();
    tree_write(&tree, "a b.yaml", "1");
    tree_write(&tree, "sub/c.yaml", "1");
    tree_write(&tree, "sub/gone.yaml", "1");
    tree_write(&tree, "sub/moved.yaml", "1");
    git(&tree, "init", "-q", "-b", "main");
    git(&tree, "add", "-A");
    git(&tree, "commit", "-q", "-m", "x");
    struct checkout checkout = look(tree.root);
    ck_assert(checkout.repository);
    ck_assert_str_eq(checkout.branch, "main");
    ck_assert_uint_eq(strlen(checkout.commit), 40);
    ck_assert_uint_eq(checkout.changed.count, 0);
    ck_assert(checkout_is_target(&checkout, NULL));
    ck_assert(checkout_is_target(&checkout, "main"));
    ck_assert(!checkout_is_target(&checkout, "mai"));
    checkout_clear(&checkout);

    git(&tree, "switch", "-q", "-c", "feature/x");
    tree_write(&tree, "a b.yaml", "2");
    tree_write(&tree, "sub/new.yaml", "2");
    ck_assert_int_eq(unlinkat(tree.fd, "sub/gone.yaml", 0), 0);
    git(&tree, "mv", "sub/moved.yaml", "sub/elsewhere.yaml");
    checkout = look(tree.root);
    ck_assert_str_eq(checkout.branch, "feature/x");
    ck_assert(!checkout_is_target(&checkout, "main"));
    static const char *const changed[] = {"a b.yaml", "sub/new.yaml", "sub/gone.yaml",
                                          "sub/moved.yaml", "sub/elsewhere.yaml"};
    ck_assert_uint_eq(checkout.changed.count, sizeof changed / sizeof *changed);
    for (size_t i = 0; i < checkout.changed.count; i++)
        ck_assert_msg(checkout_has_changed(&checkout, changed[i]), "%s", changed[i]);
    ck_assert(!checkout_has_changed(&checkout, "sub/c.yaml"));
    checkout_clear(&checkout);

    /* of a project below the top of its repository, names are the project's */
    char below[128];
    snprintf(below, sizeof below, "%s/sub", tree.root);
    checkout = look(below);
    ck_assert_uint_eq(checkout.changed.count, 4);
    ck_assert(checkout_has_changed(&checkout, "new.yaml"));
    ck_assert(!checkout_has_changed(&checkout, "c.yaml"));
    checkout_clear(&checkout);
    tree_free(&tree);
}
END_TEST

START_TEST(detached_head_is_what_ci_says) {
    static const struct {
        const char *name, *value, *branch; /* NULL: none */
    } rows[] = {{"GITHUB_REF", "refs/heads/main", "main"},
                {"GITHUB_REF", "refs/heads/a/b", "a/b"},
                {"GITHUB_REF", "refs/pull/7/merge", NULL},
                {"GITHUB_REF", "refs/tags/v1", NULL},
                {"GITHUB_REF", "refs/heads/", NULL},
                {"CI_COMMIT_BRANCH", "main", "main"},
                {"CI_COMMIT_BRANCH", "", NULL},
                {"BUILD_SOURCEBRANCH", "refs/heads/main", "main"},
                {"BUILD_SOURCEBRANCH", "refs/pull/1/merge", NULL},
                {"GIT_BRANCH", "origin/main", "main"},
                {"CIRCLE_BRANCH", "main", "main"},
                {"UNRELATED", "main", NULL}};
    struct tree tree = tree_new();
    git(&tree, "init", "-q", "-b", "main");
    git(&tree, "commit", "-q", "--allow-empty", "-m", "x");
    git(&tree, "checkout", "-q", "--detach");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forget_ci();
        setenv(rows[i].name, rows[i].value, 1);
        struct checkout checkout = look(tree.root);
        ck_assert_msg(string_equal(checkout.branch, rows[i].branch), "%s=%s: %s", rows[i].name,
                      rows[i].value, checkout.branch != NULL ? checkout.branch : "none");
        ck_assert(checkout.repository);
        ck_assert(checkout_is_target(&checkout, "main") == string_equal(rows[i].branch, "main"));
        checkout_clear(&checkout);
    }
    /* a branch that is checked out is what git says */
    git(&tree, "switch", "-q", "main");
    setenv("GITHUB_REF", "refs/heads/other", 1);
    struct checkout checkout = look(tree.root);
    ck_assert_str_eq(checkout.branch, "main");
    checkout_clear(&checkout);
    tree_free(&tree);
}
END_TEST

START_TEST(broken_repository_is_an_error) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct checkout checkout;
    git(&tree, "init", "-q", "-b", "main");
    git(&tree, "commit", "-q", "--allow-empty", "-m", "x");
    tree_write(&tree, ".git/index", "nonsense");
    unit_fails(checkout_look(tree.root, NULL, &checkout, &err), &err, ERROR_IO, "git status");
    checkout_clear(&checkout);
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("checkout", {
    tcase_add_test(cases, no_repository);
    tcase_add_test(cases, branch_and_changes);
    tcase_add_test(cases, detached_head_is_what_ci_says);
    tcase_add_test(cases, broken_repository_is_an_error);
})
