#include "pipelines/promotion.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "gate/base/process.h"
#include "tests/unit/tree.h"

#define OLD "7.2.4"
#define NEW "7.2.50" /* of another length */

/* Queues OLD -> NEW at each place where OLD stands in the bytes that the file had when it was scanned. */
static int queue(struct promotion *promotion, const char *file, const char *scanned,
                 struct error *err) {
    struct edit_list edits = {0};
    for (const char *at = strstr(scanned, OLD); at != NULL; at = strstr(at + 1, OLD)) {
        struct edit *edit = array_add(&edits, err);
        edit->offset = (size_t)(at - scanned);
        edit->old_bytes = string_dup(OLD, err);
        edit->new_bytes = string_dup(NEW, err);
    }
    int result = promotion_queue(promotion, file, &edits, err);
    edit_list_clear(&edits);
    return result;
}

static struct promotion *start(const struct tree *tree, struct promotion_options options) {
    struct error err = {0};
    struct promotion *promotion = NULL;
    unit_ok(promotion_new(tree->root, &options, &promotion, &err), &err);
    return promotion;
}

static void promote_one(const struct tree *tree, const char *file, const char *scanned) {
    struct error err = {0};
    struct promotion *promotion = start(tree, (struct promotion_options){0});
    unit_ok(queue(promotion, file, scanned, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
    ck_assert_int_eq(faccessat(tree->fd, ".pingate", F_OK, 0), -1);
}

START_TEST(other_bytes_stay) {
    static const struct {
        const char *before;
        const char *after;
        mode_t mode;
    } rows[] = {
        {"image: " OLD "\n", "image: " NEW "\n", 0644},
        {"a\r\nimage: " OLD "\r\nb\r\n", "a\r\nimage: " NEW "\r\nb\r\n", 0600},
        {"\xef\xbb\xbfimage: " OLD "\n", "\xef\xbb\xbfimage: " NEW "\n", 0755},
        {"x\nimage: " OLD, "x\nimage: " NEW, 0664},
        {OLD, NEW, 0640},
        {OLD " " OLD "\t\n\n\n" OLD "\n\n", NEW " " NEW "\t\n\n\n" NEW "\n\n", 0222},
        {"\xff\xfe bytes " OLD "\r", "\xff\xfe bytes " NEW "\r", 06755},
        {"mixed\r\n" OLD "\n\r\n", "mixed\r\n" NEW "\n\r\n", 01644},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tree tree = tree_new();
        tree_write(&tree, "d/f.yaml", rows[i].before);
        if (geteuid() != 0 && (rows[i].mode & 0600) != 0600) {
            tree_free(&tree);
            continue; /* 0222: only root may read it */
        }
        ck_assert_int_eq(fchmodat(tree.fd, "d/f.yaml", rows[i].mode, 0), 0);
        promote_one(&tree, "d/f.yaml", rows[i].before);
        struct stat status;
        ck_assert_int_eq(fstatat(tree.fd, "d/f.yaml", &status, 0), 0);
        ck_assert_msg((status.st_mode & 07777) == rows[i].mode, "row %zu: mode %o", i,
                      status.st_mode);
        tree_expect(&tree, "d/f.yaml", rows[i].after);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(attributes_stay) {
    /* posix_acl_xattr, version 2: user::rw-, user:1:r--, group::r--, mask::rw-, other::r-- */
    static const unsigned char acl[] = {2,   0,   0,   0,   1,   0,   6,  0,   255, 255, 255,
                                        255, 2,   0,   4,   0,   1,   0,  0,   0,   4,   0,
                                        4,   0,   255, 255, 255, 255, 16, 0,   6,   0,   255,
                                        255, 255, 255, 32,  0,   4,   0,  255, 255, 255, 255};
    struct tree tree = tree_new();
    struct stat before;
    struct stat after;
    unsigned char got[128];
    char path[128];
    tree_write(&tree, "d/acl", OLD);
    tree_write(&tree, "d/plain", OLD);
    snprintf(path, sizeof path, "%s/d/acl", tree.root);
    ck_assert_msg(setxattr(path, "user.note", "\0x", 2, 0) == 0,
                  "the file system of /tmp must know "
                  "extended attributes: %s",
                  strerror(errno));
    ck_assert_int_eq(setxattr(path, "system.posix_acl_access", acl, sizeof acl, 0), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(fchownat(tree.fd, "d/acl", 1234, 4321, 0), 0);
    ck_assert_int_eq(fstatat(tree.fd, "d/acl", &before, 0), 0);
    snprintf(path, sizeof path, "%s/d", tree.root); /* what is new in it gets an ACL by itself */
    ck_assert_int_eq(setxattr(path, "system.posix_acl_default", acl, sizeof acl, 0), 0);
    promote_one(&tree, "d/acl", OLD);
    promote_one(&tree, "d/plain", OLD);
    ck_assert_int_eq(fstatat(tree.fd, "d/acl", &after, 0), 0);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_uint_eq(before.st_uid, after.st_uid);
    ck_assert_uint_eq(before.st_gid, after.st_gid);
    snprintf(path, sizeof path, "%s/d/acl", tree.root);
    ck_assert_int_eq(getxattr(path, "user.note", got, sizeof got), 2);
    ck_assert_mem_eq(got, "\0x", 2);
    ck_assert_int_eq(getxattr(path, "system.posix_acl_access", got, sizeof got), sizeof acl);
    ck_assert_mem_eq(got, acl, sizeof acl);
    snprintf(path, sizeof path, "%s/d/plain", tree.root);
    ck_assert_int_eq(getxattr(path, "system.posix_acl_access", got, sizeof got), -1);
    ck_assert_int_eq(fstatat(tree.fd, "d/plain", &after, 0), 0);
    ck_assert_uint_eq(after.st_mode & 07777, 0644);
    tree_free(&tree);
}
END_TEST

START_TEST(link_stays) {
    struct tree tree = tree_new();
    struct stat status;
    tree_write(&tree, "d/real", OLD);
    ck_assert_int_eq(symlinkat("d/real", tree.fd, "link"), 0);
    promote_one(&tree, "link", OLD);
    tree_expect(&tree, "d/real", NEW);
    ck_assert_int_eq(fstatat(tree.fd, "link", &status, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert(S_ISLNK(status.st_mode));
    tree_free(&tree);
}
END_TEST

/* Twice by its name and once by a link: written once. Another file without a change is left alone. */
START_TEST(queued_more_than_once) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct text diff = {0};
    tree_write(&tree, "b", OLD " " OLD "\n");
    tree_write(&tree, "a", "x\n");
    ck_assert_int_eq(symlinkat("b", tree.fd, "link"), 0);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    unit_ok(queue(promotion, "link", OLD " " OLD "\n", &err), &err);
    unit_ok(queue(promotion, "b", OLD, &err), &err);
    unit_ok(queue(promotion, "a", "x", &err), &err);
    unit_ok(queue(promotion, "b", OLD " " OLD "\n", &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_diff(promotion, &diff, &err), &err);
    ck_assert_str_eq(text_string(&diff),
                     "--- a/b\n+++ b/b\n@@ -1,1 +1,1 @@\n-" OLD " " OLD "\n+" NEW " " NEW "\n");
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
    tree_expect(&tree, "b", NEW " " NEW "\n");
    text_clear(&diff);
    tree_free(&tree);
}
END_TEST

#define MONTH  ".pingate/ledger/2026-11"
#define LEDGER MONTH "/20261125T105300Z-4f0c2a91d3b87e65.jsonl"
#define ENTRY  "{\"v\":1}\n"

static void create(struct promotion *promotion, const char *bytes) {
    struct error err = {0};
    unit_ok(promotion_create(promotion, LEDGER, bytes, strlen(bytes), &err), &err);
}

static void commit(struct promotion *promotion) {
    struct error err = {0};
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
}

static void expect_no_file(const struct tree *tree, const char *file) {
    ck_assert_msg(faccessat(tree->fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == -1, "%s is there", file);
}

/* With a pin and alone, in a tree without a ledger and beside an older file of it. */
START_TEST(created) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct text diff = {0};
    struct stat status;
    bool with_pin = (_i & 1) != 0;
    tree_write(&tree, "f", OLD);
    if ((_i & 2) != 0)
        tree_write(&tree, ".pingate/ledger/2026-10/older.jsonl", "older");
    mode_t mask = umask(027);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    create(promotion, ENTRY);
    create(promotion, ENTRY);
    if (with_pin)
        unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    expect_no_file(&tree, LEDGER);
    unit_ok(promotion_diff(promotion, &diff, &err), &err);
    ck_assert((diff.length > 0) == with_pin);
    ck_assert_ptr_null(strstr(text_string(&diff), "jsonl"));
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
    umask(mask);
    tree_expect(&tree, "f", with_pin ? NEW : OLD);
    tree_expect(&tree, LEDGER, ENTRY);
    ck_assert_int_eq(fstatat(tree.fd, LEDGER, &status, 0), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
    expect_no_file(&tree, ".pingate/local");
    if ((_i & 2) != 0)
        tree_expect(&tree, ".pingate/ledger/2026-10/older.jsonl", "older");
    char *before = tree_picture(&tree);
    promotion = start(&tree, (struct promotion_options){0}); /* the same bytes once more */
    create(promotion, ENTRY);
    commit(promotion);
    tree_same(&tree, before, "created again");
    text_clear(&diff);
    tree_free(&tree);
}
END_TEST

static void put_other_bytes(const struct tree *tree) {
    tree_write(tree, LEDGER, "{}\n");
}
static void put_folder(const struct tree *tree) {
    tree_write(tree, LEDGER "/x", "");
}
static void put_link(const struct tree *tree) {
    tree_write(tree, MONTH "/x", ENTRY);
    ck_assert_int_eq(symlinkat("x", tree->fd, LEDGER), 0);
}
static void put_link_to_nothing(const struct tree *tree) {
    tree_write(tree, MONTH "/x", "");
    ck_assert_int_eq(symlinkat("y", tree->fd, LEDGER), 0);
}
static void put_link_as_folder(const struct tree *tree) {
    tree_write(tree, ".pingate/x", "");
    ck_assert_int_eq(symlinkat("/tmp", tree->fd, ".pingate/ledger"), 0);
}
static void put_file_as_folder(const struct tree *tree) {
    tree_write(tree, ".pingate/ledger", "");
}
static void put_file_as_month(const struct tree *tree) {
    tree_write(tree, MONTH, "");
}
static void put_generated(const struct tree *tree) {
    tree_write(tree, "f", OLD " # DO NOT EDIT\n");
}

/* Nothing is written, and the folders that were made are gone. */
START_TEST(not_created) {
    static const struct {
        void (*put)(const struct tree *tree);
        enum error_kind kind;
        const char *part;
    } rows[] = {
        {put_other_bytes, ERROR_CONFLICT, "stands there with other bytes"},
        {put_folder, ERROR_INPUT, "not a regular file"},
        {put_link, ERROR_INPUT, "a link stands in its path"},
        {put_link_to_nothing, ERROR_INPUT, "a link stands in its path"},
        {put_link_as_folder, ERROR_INPUT, "a link stands in its path"},
        {put_file_as_folder, ERROR_IO, ".pingate/ledger"},
        {put_file_as_month, ERROR_IO, MONTH},
        {put_generated, ERROR_INPUT,
         "DO NOT EDIT"}, /* the pin is refused, so nothing is recorded */
    };
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "f", OLD);
    rows[_i].put(&tree);
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    create(promotion, ENTRY);
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_fails(promotion_prepare(promotion, &err), &err, rows[_i].kind, rows[_i].part);
    promotion_free(promotion);
    tree_same(&tree, before, rows[_i].part);
    tree_free(&tree);
}
END_TEST

/* Between prepare and commit: taken back by us, or made impossible by somebody else. */
START_TEST(created_and_taken_back) {
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "f", OLD);
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    create(promotion, ENTRY);
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    promotion_free(promotion);
    tree_same(&tree, before, "taken back");
    promotion = start(&tree, (struct promotion_options){0});
    create(promotion, ENTRY);
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    tree_write(&tree, LEDGER, "{}\n");
    unit_fails(promotion_commit(promotion, &err), &err, ERROR_CONFLICT, "appeared");
    promotion_free(promotion);
    tree_expect(&tree, "f", OLD);
    tree_expect(&tree, LEDGER, "{}\n");
    expect_no_file(&tree, ".pingate/local");
    tree_free(&tree);
}
END_TEST

START_TEST(created_dry) {
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "f", OLD);
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){.dry_run = true});
    create(promotion, ENTRY);
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    promotion_free(promotion);
    tree_same(&tree, before, "dry run");
    tree_free(&tree);
}
END_TEST

START_TEST(create_bugs) {
    static const char *const rows[] = {"f", ".pingate/x", ".pingate/ledger/2026-11/x", "../f",
                                       ".pingate/ledger/2026-11/../../../x.jsonl"};
    struct tree tree = tree_new();
    struct error err = {0};
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        unit_fails(promotion_create(promotion, rows[i], "", 0, &err), &err, ERROR_BUG, rows[i]);
    create(promotion, "a");
    create(promotion, "b");
    unit_fails(promotion_prepare(promotion, &err), &err, ERROR_BUG, "different bytes");
    promotion_free(promotion);
    tree_free(&tree);
}
END_TEST

static void git(const struct tree *tree, const char *const *words, const char *expected) {
    struct error err = {0};
    struct process_result result = {0};
    const char *argv[16] = {"git", "-C", tree->root};
    for (size_t i = 0; words[i] != NULL; i++)
        argv[3 + i] = words[i];
    struct process_options options = {.argv = argv, .timeout_ms = 30000};
    unit_ok(process_run(&options, &result, &err), &err);
    ck_assert_msg(result.exit_status == 0, "%s", text_string(&result.error_output));
    ck_assert_str_eq(text_string(&result.output), expected);
    process_result_clear(&result);
}

/* The ledger is to be committed; what is local never shows, also not while a promotion is on its way. */
START_TEST(git_sees_the_ledger_alone) {
    const char *const init[] = {"init", "-q", NULL};
    const char *const add[] = {"add", "f", NULL};
    const char *const status[] = {"status", "--porcelain", "-uall", NULL};
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "f", OLD);
    tree_write(&tree, ".pingate/local/cache", "");
    git(&tree, init, "");
    git(&tree, add, "");
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    create(promotion, ENTRY);
    commit(promotion);
    git(&tree, status, "AM f\n?? " LEDGER "\n");
    tree_expect(&tree, ".pingate/local/.gitignore", "*\n");
    tree_free(&tree);
}
END_TEST

static void make_read_only(const struct tree *tree) {
    ck_assert_int_eq(fchmodat(tree->fd, "f", 0444, 0), 0);
}
static void make_hard_link(const struct tree *tree) {
    ck_assert_int_eq(linkat(tree->fd, "f", tree->fd, "g", 0), 0);
}
static void make_fifo(const struct tree *tree) {
    ck_assert_int_eq(unlinkat(tree->fd, "f", 0) | mkfifoat(tree->fd, "f", 0644), 0);
}
static void make_folder(const struct tree *tree) {
    ck_assert_int_eq(unlinkat(tree->fd, "f", 0) | mkdirat(tree->fd, "f", 0755), 0);
}
static void make_nothing(const struct tree *tree) {
    ck_assert_int_eq(unlinkat(tree->fd, "f", 0), 0);
}
static void make_link_out(const struct tree *tree) {
    make_nothing(tree);
    ck_assert_int_eq(symlinkat("../../etc/hostname", tree->fd, "f"), 0);
}
static void make_absolute_link(const struct tree *tree) {
    make_nothing(tree);
    ck_assert_int_eq(symlinkat("/etc/hostname", tree->fd, "f"), 0);
}
static void make_changed(const struct tree *tree) {
    tree_write(tree, "f", "one\ntwo\n7.2.5\n");
}
static void make_shorter(const struct tree *tree) {
    tree_write(tree, "f", "one\n");
}
static void make_generated(const struct tree *tree) {
    tree_write(tree, "f", "one\ntwo\n" OLD " # DO NOT EDIT\n");
}
static void make_code_generated(const struct tree *tree) {
    tree_write(tree, "f", "one\ntwo\n" OLD "\n// Code generated by x\n");
}
static void make_attribute(const struct tree *tree) {
    static const char *const files[][2] = {{".gitattributes", "f linguist-generated\n"},
                                           {".git/HEAD", "ref: refs/heads/main\n"},
                                           {".git/objects/x", ""},
                                           {".git/refs/x", ""}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        tree_write(tree, files[i][0], files[i][1]);
}
static void make_journal(const struct tree *tree) {
    tree_write(tree, ".pingate/local/journal.json", "{");
}

static const char scanned[] = "one\ntwo\n" OLD "\n";

/* Each is refused, the other queued file too, and the tree stays as it is. */
START_TEST(refused) {
    static const struct {
        void (*make)(const struct tree *tree);
        enum error_kind kind;
        const char *part;
    } rows[] = {
        {make_read_only, ERROR_INPUT, "f: nobody may write it (mode 444)"},
        {make_hard_link, ERROR_INPUT, "f: has 2 names"},
        {make_fifo, ERROR_INPUT, "f: not a regular file"},
        {make_folder, ERROR_INPUT, "f: not a regular file"},
        {make_nothing, ERROR_NOT_FOUND, "f: no such file"},
        {make_link_out, ERROR_INPUT, "f: leads out of the tree"},
        {make_absolute_link, ERROR_INPUT, "f: an absolute link leads out of the tree"},
        {make_changed, ERROR_CONFLICT, "line 3"},
        {make_shorter, ERROR_CONFLICT, "f: "},
        {make_generated, ERROR_INPUT, "f: line 3 says \"DO NOT EDIT\""},
        {make_code_generated, ERROR_INPUT, "f: line 4 says \"Code generated\""},
        {make_attribute, ERROR_INPUT, "f: .gitattributes say linguist-generated"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int dry_run = 0; dry_run <= 1; dry_run++) {
            struct tree tree = tree_new();
            struct error err = {0};
            tree_write(&tree, "a", OLD);
            tree_write(&tree, "f", scanned);
            rows[i].make(&tree);
            char *before = tree_picture(&tree);
            struct promotion *promotion =
                start(&tree, (struct promotion_options){.dry_run = dry_run == 1});
            unit_ok(queue(promotion, "a", OLD, &err), &err);
            unit_ok(queue(promotion, "f", scanned, &err), &err);
            unit_fails(promotion_prepare(promotion, &err), &err, rows[i].kind, rows[i].part);
            tree_same(&tree, before, rows[i].part);
            promotion_free(promotion);
            tree_free(&tree);
        }
}
END_TEST

START_TEST(refused_names) {
    static const char *const rows[] = {".git/config", ".pingate/x", "\xff", "../f",
                                       "/etc/hostname"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tree tree = tree_new();
        struct error err = {0};
        if (i < 3)
            tree_write(&tree, rows[i], OLD);
        char *before = tree_picture(&tree);
        struct promotion *promotion = start(&tree, (struct promotion_options){0});
        unit_ok(queue(promotion, rows[i], OLD, &err), &err);
        unit_fails(promotion_prepare(promotion, &err), &err, ERROR_INPUT, rows[i]);
        promotion_free(promotion);
        tree_same(&tree, before, rows[i]);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(generated_when_told) {
    struct tree tree = tree_new();
    struct error err = {0};
    make_generated(&tree);
    make_attribute(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){.allow_generated = true});
    unit_ok(queue(promotion, "f", scanned, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
    tree_expect(&tree, "f", "one\ntwo\n" NEW " # DO NOT EDIT\n");
    tree_free(&tree);
}
END_TEST

/* Mounts need a namespace of our own, in a child. 0: done; 77: this machine gives us none. */
static int in_mounts(const struct tree *tree, bool read_only) {
    struct error err = {0};
    struct promotion *promotion = NULL;
    char from[128];
    char to[128];
    snprintf(from, sizeof from, "%s/%s", tree->root, read_only ? "" : "a");
    snprintf(to, sizeof to, "%s/%s", tree->root, read_only ? "" : "f");
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return 77;
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(from, to, "none", MS_BIND, NULL) < 0 ||
        (read_only && mount("none", to, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0))
        return 77;
    struct promotion_options options = {0};
    if (promotion_new(tree->root, &options, &promotion, &err) < 0 ||
        queue(promotion, "f", OLD, &err) < 0)
        return 1;
    int result = promotion_prepare(promotion, &err);
    promotion_free(promotion);
    const char *part = read_only ? "f: the file system is read-only" : "f: it is a mount point";
    bool told = strstr(error_message(&err), part) != NULL;
    if (!told)
        fprintf(stderr, "%s\n", error_message(&err));
    error_clear(&err);
    return result == -1 && told ? 0 : 1;
}

START_TEST(mounts_are_refused) {
    struct tree tree = tree_new();
    tree_write(&tree, "a", OLD);
    tree_write(&tree, "f", OLD);
    char *before = tree_picture(&tree);
    pid_t child = fork();
    if (child == 0) {
        free(before); /* what memcheck would miss at the end */
        _exit(in_mounts(&tree, _i == 1));
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        fprintf(stderr, "NOT TESTED: mounts, since this machine gives no mount namespace\n");
    else
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    tree_same(&tree, before, "mounts");
    tree_free(&tree);
}
END_TEST

/* Another user's file, which we may write but not replace as it is. Root becomes a user without rights for it. */
START_TEST(files_of_others) {
    static const struct {
        mode_t folder;
        const char *part;
    } rows[] = {{0777, "d/f: write the temporary file beside it: cannot keep the owner"},
                {01777, "d/f: its folder has the sticky bit"},
                {0755, "d/f: its folder must be writable: Permission denied"}};
    const uid_t nobody = 65534;
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "d/f", OLD);
    ck_assert_int_eq(fchmod(tree.fd, 0777) | fchmodat(tree.fd, "d/f", 0666, 0) |
                         fchmodat(tree.fd, "d", rows[_i].folder, 0),
                     0);
    if (geteuid() != 0) {
        fprintf(stderr, "NOT TESTED: files of other users, which takes root\n");
        tree_free(&tree);
        return;
    }
    char *before = tree_picture(&tree);
    ck_assert_int_eq(seteuid(nobody), 0);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    unit_ok(queue(promotion, "d/f", OLD, &err), &err);
    int result = promotion_prepare(promotion, &err);
    promotion_free(promotion);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(result, -1);
    ck_assert_msg(strstr(error_message(&err), rows[_i].part) != NULL, "%s", error_message(&err));
    error_clear(&err);
    tree_same(&tree, before, rows[_i].part);
    tree_free(&tree);
}
END_TEST

START_TEST(dry_run_writes_nothing) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct text diff = {0};
    tree_write(&tree, "f", OLD "\n");
    make_journal(&tree); /* an unfinished one, and the lock of another run, do not matter to it */
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){.dry_run = true});
    struct promotion *second = start(&tree, (struct promotion_options){.dry_run = true});
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_diff(promotion, &diff, &err), &err);
    ck_assert_str_eq(text_string(&diff), "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-" OLD "\n+" NEW "\n");
    unit_fails(promotion_commit(promotion, &err), &err, ERROR_BUG, "committed");
    promotion_free(promotion);
    promotion_free(second);
    tree_same(&tree, before, "dry run");
    text_clear(&diff);
    tree_free(&tree);
}
END_TEST

START_TEST(two_at_once) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct promotion *second = NULL;
    enum promotion_state state;
    struct text words = {0};
    struct promotion_options options = {0};
    tree_write(&tree, "f", OLD);
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, options);
    unit_fails(promotion_new(tree.root, &options, &second, &err), &err, ERROR_CONFLICT,
               "another pingate run is writing in /tmp/");
    unit_fails(promotion_recover(tree.root, true, &state, &words, &err), &err, ERROR_CONFLICT,
               "another pingate run");
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_recover(tree.root, false, &state, &words, &err), &err);
    ck_assert_int_eq(state, PROMOTION_CLEAN);
    ck_assert_str_eq(text_string(&words), "another pingate run is writing now");
    promotion_free(promotion); /* prepared, not committed */
    tree_same(&tree, before, "aborted");
    promotion_free(start(&tree, options));
    text_clear(&words);
    tree_free(&tree);
}
END_TEST

START_TEST(changed_behind_our_back) {
    struct tree tree = tree_new();
    struct error err = {0};
    tree_write(&tree, "a", OLD);
    tree_write(&tree, "f", OLD);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    unit_ok(queue(promotion, "a", OLD, &err), &err);
    unit_ok(queue(promotion, "f", OLD, &err), &err);
    unit_ok(promotion_prepare(promotion, &err), &err);
    tree_write(&tree, "f", OLD " and more");
    unit_fails(promotion_commit(promotion, &err), &err, ERROR_CONFLICT, "f: changed");
    promotion_free(promotion);
    tree_expect(&tree, "a", OLD);
    tree_expect(&tree, "f", OLD " and more");
    ck_assert_int_eq(faccessat(tree.fd, ".pingate", F_OK, 0), -1);
    tree_free(&tree);
}
END_TEST

START_TEST(nothing_queued) {
    struct tree tree = tree_new();
    struct error err = {0};
    char *before = tree_picture(&tree);
    struct promotion *promotion = start(&tree, (struct promotion_options){0});
    unit_ok(promotion_prepare(promotion, &err), &err);
    unit_ok(promotion_commit(promotion, &err), &err);
    promotion_free(promotion);
    tree_same(&tree, before, "nothing queued");
    tree_free(&tree);
}
END_TEST

START_TEST(unfinished_journal_blocks) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct promotion *promotion = NULL;
    struct promotion_options options = {0};
    make_journal(&tree);
    unit_fails(promotion_new(tree.root, &options, &promotion, &err), &err, ERROR_INPUT, "damaged");
    unit_fails(promotion_new("/nothing/here", &options, &promotion, &err), &err, ERROR_NOT_FOUND,
               "/nothing/here");
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("promotion", {
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, other_bytes_stay);
    tcase_add_test(cases, attributes_stay);
    tcase_add_test(cases, link_stays);
    tcase_add_test(cases, queued_more_than_once);
    tcase_add_loop_test(cases, created, 0, 4);
    tcase_add_loop_test(cases, not_created, 0, 8);
    tcase_add_test(cases, created_and_taken_back);
    tcase_add_test(cases, created_dry);
    tcase_add_test(cases, create_bugs);
    tcase_add_test(cases, git_sees_the_ledger_alone);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, refused_names);
    tcase_add_test(cases, generated_when_told);
    tcase_add_loop_test(cases, mounts_are_refused, 0, 2);
    tcase_add_loop_test(cases, files_of_others, 0, 3);
    tcase_add_test(cases, dry_run_writes_nothing);
    tcase_add_test(cases, two_at_once);
    tcase_add_test(cases, changed_behind_our_back);
    tcase_add_test(cases, nothing_queued);
    tcase_add_test(cases, unfinished_journal_blocks);
})
