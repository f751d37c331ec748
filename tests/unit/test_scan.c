#include "gate/pins/scan.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/process.h"
#include "gate/base/text.h"
#include "tests/unit/unit.h"

#define A    "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MIB  (1u << 20)

#define ROOT "/tmp/pingate-scan-XXXXXX"

static char root[sizeof ROOT];

static void set_up(void) {
    memcpy(root, ROOT, sizeof ROOT);
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void tear_down(void) {
    struct error err = {0};
    unit_ok(file_remove_tree(root, &err), &err);
}

static char *below(const char *name) {
    struct error err = {0};
    char *path = string_format(&err, "%s/%s", root, name);
    ck_assert_ptr_nonnull(path);
    return path;
}

static void put_bytes(const char *name, const void *bytes, size_t length) {
    struct error err = {0};
    char *path = below(name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    unit_ok(file_make_folders(path, &err), &err);
    *slash = '/';
    unit_ok(file_replace(path, bytes, length, &err), &err);
    free(path);
}

static void put(const char *name, const char *text) {
    put_bytes(name, text, strlen(text));
}

static void put_link(const char *target, const char *name) {
    char *path = below(name);
    ck_assert_int_eq(symlink(target, path), 0);
    free(path);
}

/* In the root; must succeed. */
static void run(const char *script) {
    struct error err = {0};
    char *whole = string_format(&err, "cd '%s' && { %s; }", root, script);
    const char *const argv[] = {"sh", "-ec", whole, NULL};
    struct process_options options = {.argv = argv, .timeout_ms = 60000};
    struct process_result result = {0};
    unit_ok(process_run(&options, &result, &err), &err);
    ck_assert_msg(result.exit_status == 0, "%s: %s", script, text_string(&result.error_output));
    process_result_clear(&result);
    free(whole);
}

static char *found_with(const struct scan_options *options) {
    struct error err = {0};
    struct scan scan = {0};
    struct text found = {0};
    unit_ok(scan_tree(root, options, &scan, &err), &err);
    for (size_t i = 0; i < scan.pins.count; i++)
        text_printf(&found, "%s:%zu %s;", scan.pins.items[i].file, scan.pins.items[i].line,
                    scan.pins.items[i].name.path);
    for (size_t i = 0; i < scan.skipped.count; i++)
        text_printf(&found, "%s! %s;", scan.skipped.items[i].file, scan.skipped.items[i].reason);
    scan_clear(&scan);
    return text_steal(&found, &err);
}

static void check_found(const struct scan_options *options, const char *expected) {
    char *found = found_with(options);
    ck_assert_str_eq(found, expected);
    free(found);
}

START_TEST(walks_without_git) {
    put("b.txt", "x/b" A "\nx/c" A);
    put("a/Dockerfile", "FROM x/a" A);
    put(".github/w.yaml", "image: x/g" A);
    put(".git.d/x", "x/d" A);
    put("x/.pingate/y", "x/never" A);
    put("pingate-out/y", "x/never" A);
    put("pingate-output/y", "x/o" A);
    put_bytes("logo.png", "\x89PNG\0 x/never" A, 80);
    put("new\nline", "x/n" A);
    put("bad\xFFname", "x/never" A);
    put("empty", "");
    put_link("b.txt", "link-within");
    put_link("nothing", "link-broken");
    put_link("/etc/passwd", "link-out");
    put_link("../..", "a/link-out");
    put_link("..", "a/loop");
    char *fifo = below("fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    free(fifo);
    check_found(NULL, ".git.d/x:1 x/d;.github/w.yaml:1 x/g;a/Dockerfile:1 x/a;b.txt:1 x/b;"
                      "b.txt:2 x/c;new\nline:1 x/n;pingate-output/y:1 x/o;"
                      "a/link-out! a link that leaves the tree;bad\xFFname! its name is not UTF-8;"
                      "link-out! a link that leaves the tree;logo.png! binary;");
}
END_TEST

START_TEST(includes_and_excludes) {
    put("a/x.yaml", "image: x/a" A);
    put("a/vendor/x.yaml", "image: x/v" A);
    put("b.md", "x/m" A);
    struct error err = {0};
    struct string_list include = {0}, exclude = {0};
    struct scan_options options = {.include = &include, .exclude = &exclude};
    check_found(&options, "a/vendor/x.yaml:1 x/v;a/x.yaml:1 x/a;b.md:1 x/m;");
    unit_ok(string_list_add(&include, "*.yaml", &err), &err);
    check_found(&options, "a/vendor/x.yaml:1 x/v;a/x.yaml:1 x/a;");
    unit_ok(string_list_add(&exclude, "vendor/", &err), &err);
    check_found(&options, "a/x.yaml:1 x/a;");
    struct string_list files = {0};
    unit_ok(scan_list_files(root, &options, &files, &err), &err);
    ck_assert_uint_eq(files.count, 1);
    ck_assert_str_eq(files.items[0], "a/x.yaml");
    string_list_clear(&files);
    string_list_clear(&include);
    string_list_clear(&exclude);
}
END_TEST

#define GIT "git -c init.defaultBranch=main -c user.name=a -c user.email=a@example.com "

START_TEST(asks_git) {
    put(".gitignore", "ignored\nout/\n");
    put("tracked", "x/t" A);
    put("gone", "x/g" A);
    put("untracked", "x/u" A);
    put("ignored", "x/never" A);
    put("out/x", "x/never" A);
    put("forced/ignored", "x/f" A);
    put("sub/x", "x/never" A);
    put("other/x", "x/never" A);
    put("linked/x", "x/never" A);
    run(GIT "init -q . && " GIT "init -q sub && cd sub && git add . && " GIT
            "commit -qm x && cd .. && " GIT
            "init -q other && git add tracked gone sub linked 2>&1 && "
            "git add -f forced && rm gone && mv linked .git/linked && ln -s .git/linked linked");
    check_found(NULL, "forced/ignored:1 x/f;tracked:1 x/t;untracked:1 x/u;"
                      "other/! another repository;sub! a submodule;");
}
END_TEST

START_TEST(a_folder_of_a_work_tree) {
    put("a/b/x", "x/b" A);
    put("a/b/ignored", "x/never" A);
    put("a/c/x", "x/c" A);
    put(".gitignore", "ignored\n");
    run(GIT "init -q .");
    struct error err = {0};
    struct scan scan = {0};
    char *folder = below("a/b");
    unit_ok(scan_tree(folder, NULL, &scan, &err), &err);
    ck_assert_uint_eq(scan.pins.count, 1);
    ck_assert_str_eq(scan.pins.items[0].file, "x");
    ck_assert_uint_eq(scan.files, 1);
    scan_clear(&scan);
    free(folder);
}
END_TEST

START_TEST(files_in_conflict_count_once) {
    put("x", "x/a" A "\n");
    run(GIT "init -q . && git add x && " GIT "commit -qm a && git checkout -q -b other && "
            "echo b >> x && " GIT "commit -qam b && git checkout -q main && echo c >> x && " GIT
            "commit -qam c && ! " GIT "merge -q other >/dev/null 2>&1");
    check_found(NULL, "x:1 x/a;");
}
END_TEST

START_TEST(git_that_refuses_is_an_error) {
    struct error err = {0};
    struct scan scan = {0};
    put("x", "x/a" A);
    put(".git", "gitdir: /nowhere\n");
    unit_fails(scan_tree(root, NULL, &scan, &err), &err, ERROR_IO, "git does not list the files");
    scan_clear(&scan);
    unit_fails(scan_tree("/nowhere/at/all", NULL, &scan, &err), &err, ERROR_NOT_FOUND,
               "/nowhere/at/all: no such folder");
    scan_clear(&scan);
    struct cancel cancel;
    unit_ok(cancel_init(&cancel, &err), &err);
    cancel_request(&cancel, SIGTERM);
    struct scan_options options = {.cancel = &cancel};
    char *git = below(".git");
    unlink(git);
    free(git);
    unit_fails(scan_tree(root, &options, &scan, &err), &err, ERROR_CANCELLED, "SIGTERM");
    scan_clear(&scan);
    cancel_clear(&cancel);
}
END_TEST

START_TEST(git_that_is_not_there_is_an_error) {
    struct error err = {0};
    struct scan scan = {0};
    put("x", "x/a" A);
    put(".git", "gitdir: /nowhere\n");
    setenv("PATH", root, 1);
    unit_fails(scan_tree(root, NULL, &scan, &err), &err, ERROR_IO, "install git");
    scan_clear(&scan);
}
END_TEST

START_TEST(unreadable_files_are_errors) {
    struct error err = {0};
    struct scan scan = {0};
    put("x", "x/a" A);
    run("chmod 0 x");
    run("chmod 755 .");
    /* The administrator may read everything: look as somebody else. */
    bool administrator = geteuid() == 0;
    if (administrator)
        ck_assert_int_eq(seteuid(65534), 0);
    int scanned = scan_tree(root, NULL, &scan, &err);
    if (administrator)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(scanned, -1);
    ck_assert_msg(err.kind == ERROR_IO &&
                      strstr(error_message(&err), "x: open: Permission") != NULL,
                  "%s", error_message(&err));
    error_clear(&err);
    scan_clear(&scan);
}
END_TEST

/* The pieces of a large file overlap by one byte less than the literal. */
START_TEST(large_files) {
    struct error err = {0};
    char *bytes = malloc(5 * MIB);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < 40; i++) {
        memset(bytes, 'x', 5 * MIB);
        size_t at = MIB - 20 + i;
        memcpy(bytes + at - 6, " x/big" A "\n", 6 + strlen(A) + 1);
        struct scan scan = {0};
        put_bytes("big", bytes, 5 * MIB);
        unit_ok(scan_tree(root, NULL, &scan, &err), &err);
        ck_assert_msg(scan.pins.count == 1 && scan.pins.items[0].offset == at - 5, "at %zu", at);
        scan_clear(&scan);
    }
    memset(bytes, 'x', 5 * MIB);
    put_bytes("big", bytes, 5 * MIB);
    check_found(NULL, "");
    bytes[100] = '\0';
    put_bytes("big", bytes, 5 * MIB);
    check_found(NULL, "");
    memcpy(bytes + 200, A, strlen(A));
    put_bytes("big", bytes, 5 * MIB);
    check_found(NULL, "big! binary;");
    free(bytes);
}
END_TEST

START_TEST(many_files_and_pins) {
    struct error err = {0};
    struct scan scan = {0};
    struct text many = {0};
    for (int i = 0; i < 10000; i++)
        text_printf(&many, "x/p%d" A "\n", i);
    put_bytes("many", many.bytes, many.length);
    text_clear(&many);
    run("mkdir d && cd d && for i in 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do for k "
        "in 0 "
        "1 2 3 4 5 6 7 8 9; do echo \"image: x/f$i$j$k" A "\" > $i$j$k.yaml; done; done; done");
    unit_ok(scan_tree(root, NULL, &scan, &err), &err);
    ck_assert_uint_eq(scan.files, 901);
    ck_assert_uint_eq(scan.pins.count, 10900);
    ck_assert_uint_eq(scan.skipped.count, 0);
    for (size_t i = 1; i < scan.pins.count; i++)
        ck_assert_int_lt(pin_compare(&scan.pins.items[i - 1], &scan.pins.items[i]), 0);
    const struct pin *last = &scan.pins.items[scan.pins.count - 1];
    ck_assert_str_eq(last->file, "many");
    ck_assert_uint_eq(last->line, 10000);
    ck_assert_uint_eq(last->ordinal, 9999);
    scan_clear(&scan);
}
END_TEST

UNIT_MAIN("scan", {
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, walks_without_git);
    tcase_add_test(cases, includes_and_excludes);
    tcase_add_test(cases, asks_git);
    tcase_add_test(cases, a_folder_of_a_work_tree);
    tcase_add_test(cases, files_in_conflict_count_once);
    tcase_add_test(cases, git_that_refuses_is_an_error);
    tcase_add_test(cases, unreadable_files_are_errors);
    tcase_add_test(cases, large_files);
    tcase_add_test(cases, many_files_and_pins);
    TCase *lacking = unit_lacking_programs(suite);
    tcase_add_checked_fixture(lacking, set_up, tear_down);
    tcase_add_test(lacking, git_that_is_not_there_is_an_error);
})
