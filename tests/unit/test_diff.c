#include "gate/pins/diff.h"

#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "tests/unit/unit.h"

static const struct {
    const char *name;
    const char *old_bytes;
    const char *new_bytes;
    const char *diff;
} rows[] = {
    {"a", "x\n", "x\n", ""},
    {"a", "", "", ""},
    {"d/a.yaml", "old\n", "new\n", "--- a/d/a.yaml\n+++ b/d/a.yaml\n@@ -1,1 +1,1 @@\n-old\n+new\n"},
    {"a", "old", "new",
     "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-old\n\\ No newline at end of file\n+new\n"
     "\\ No newline at end of file\n"},
    {"a", "old\nend", "new\nend",
     "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-old\n+new\n end\n\\ No newline at end of file\n"},
    {"a", "1\r\nold\r\n3\r\n", "1\r\nnew\r\n3\r\n",
     "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\r\n-old\r\n+new\r\n 3\r\n"},
    {"a", "\xef\xbb\xbfold\n2\n", "\xef\xbb\xbfnew longer\n2\n",
     "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-\xef\xbb\xbfold\n+\xef\xbb\xbfnew longer\n 2\n"},
    /* neighbours: out together, then in together */
    {"a", "1\n2\n3\n", "1\nB\nC\n", "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n-3\n+B\n+C\n"},
    /* six lines between: one hunk; seven: two */
    {"a", "0\n1\n2\n3\n4\n5\n6\n7\n8\n", "A\n1\n2\n3\n4\n5\n6\nB\n8\n",
     "--- a/a\n+++ b/a\n@@ -1,9 +1,9 @@\n-0\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-7\n+B\n 8\n"},
    {"a", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n9\n",
     "--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n-0\n+A\n 1\n 2\n 3\n@@ -6,5 +6,5 @@\n 5\n 6\n 7\n-8\n+B\n "
     "9\n"},
    {"a", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\nX\n6\n7\n8\n9\n",
     "--- a/a\n+++ b/a\n@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
    {"a b", "old\n", "new\n", "--- a/a b\t\n+++ b/a b\t\n@@ -1,1 +1,1 @@\n-old\n+new\n"},
    {"q\"\\\n", "old\n", "new\n",
     "--- \"a/q\\\"\\\\\\012\"\n+++ \"b/q\\\"\\\\\\012\"\n@@ -1,1 +1,1 @@\n-old\n+new\n"},
    {"\xc3\xa9", "old\n", "new\n", "--- a/\xc3\xa9\n+++ b/\xc3\xa9\n@@ -1,1 +1,1 @@\n-old\n+new\n"},
};

static struct diff_side side(const char *bytes) {
    return (struct diff_side){bytes, strlen(bytes)};
}

START_TEST(golden) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct text out = {0};
        unit_ok(diff_unified(rows[i].name, side(rows[i].old_bytes), side(rows[i].new_bytes), &out,
                             &err),
                &err);
        ck_assert_msg(strcmp(text_string(&out), rows[i].diff) == 0, "row %zu: got\n%s", i,
                      text_string(&out));
        text_clear(&out);
    }
}
END_TEST

START_TEST(lines_never_come_or_go) {
    struct error err = {0};
    struct text out = {0};
    unit_fails(diff_unified("a", side("1\n"), side("1\n2\n"), &out, &err), &err, ERROR_BUG,
               "lines");
    text_clear(&out);
}
END_TEST

/* Runs `tool` (git apply, or patch) in a folder, forward or in reverse. */
static void run(const char *folder, const char *const *command) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (chdir(folder) == 0)
            execvp(command[0], (char *const *)command);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "%s %s: status %d", command[0], command[1], status);
}

static void expect_bytes(const char *path, const char *bytes, size_t row) {
    struct error err = {0};
    struct text got = {0};
    unit_ok(file_read(path, 1 << 20, &got, &err), &err);
    ck_assert_msg(strcmp(text_string(&got), bytes) == 0, "row %zu: %s", row, text_string(&got));
    text_clear(&got);
}

/* A -> B -> A by each tool, for every row. */
static void round_trip(const char *const *forward, const char *const *back) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].diff[0] == '\0' || rows[i].name[0] == 'q')
            continue; /* patch refuses names with a line feed; git's turn is in golden */
        struct error err = {0};
        char folder[] = "/tmp/pingate-diff-XXXXXX";
        ck_assert_ptr_nonnull(mkdtemp(folder));
        char *path = file_join(folder, rows[i].name, &err);
        char *patch = file_join(folder, "the.patch", &err);
        char *inner = file_join(folder, "d", &err);
        unit_ok(file_make_folders(inner, &err), &err);
        unit_ok(file_replace(path, rows[i].old_bytes, strlen(rows[i].old_bytes), &err), &err);
        unit_ok(file_replace(patch, rows[i].diff, strlen(rows[i].diff), &err), &err);
        run(folder, forward);
        expect_bytes(path, rows[i].new_bytes, i);
        run(folder, back);
        expect_bytes(path, rows[i].old_bytes, i);
        unit_ok(file_remove_tree(folder, &err), &err);
        free(path);
        free(patch);
        free(inner);
    }
}

START_TEST(git_applies) {
    static const char *const forward[] = {"git", "apply", "the.patch", NULL};
    static const char *const back[] = {"git", "apply", "-R", "the.patch", NULL};
    round_trip(forward, back);
}
END_TEST

START_TEST(patch_applies) {
    static const char *const forward[] = {"patch", "-s", "-p1", "-i", "the.patch", NULL};
    static const char *const back[] = {"patch", "-s", "-R", "-p1", "-i", "the.patch", NULL};
    round_trip(forward, back);
}
END_TEST

UNIT_MAIN("diff", {
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, golden);
    tcase_add_test(cases, lines_never_come_or_go);
    tcase_add_test(cases, git_applies);
    tcase_add_test(cases, patch_applies);
})
