#include "runners/workspace.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "gate/base/tar.h"
#include "tests/unit/tree.h"

/* One line an entry: "TYPE MODE OWNER SIZE NAME[ -> TARGET]", as another reader of tar sees it. */
static char *picture_of(int fd) {
    struct error err = {0};
    struct text lines = {0};
    struct archive *in = archive_read_new();
    archive_read_support_format_tar(in);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(archive_read_open_fd(in, fd, 10240), ARCHIVE_OK);
    struct archive_entry *entry;
    int status;
    while ((status = archive_read_next_header(in, &entry)) == ARCHIVE_OK) {
        mode_t type = archive_entry_filetype(entry);
        ck_assert_int_eq(archive_entry_mtime(entry), 0);
        text_printf(&lines, "%c %o %d:%d %lld %s",
                    type == AE_IFDIR   ? 'd'
                    : type == AE_IFLNK ? 'l'
                                       : 'f',
                    (unsigned int)archive_entry_perm(entry), (int)archive_entry_uid(entry),
                    (int)archive_entry_gid(entry), (long long)archive_entry_size(entry),
                    archive_entry_pathname(entry));
        if (type == AE_IFLNK)
            text_printf(&lines, " -> %s", archive_entry_symlink(entry));
        text_add(&lines, "\n");
    }
    ck_assert_msg(status == ARCHIVE_EOF, "%s", archive_error_string(in));
    archive_read_free(in);
    char *picture = text_steal(&lines, &err);
    ck_assert_ptr_nonnull(picture);
    return picture;
}

static struct workspace make(const struct tree *tree, size_t count, const char *const *names) {
    struct error err = {0};
    struct string_list files = {0};
    struct workspace workspace;
    for (size_t i = 0; i < count; i++)
        unit_ok(string_list_add(&files, names[i], &err), &err);
    unit_ok(workspace_make(tree->root, &files, NULL, &workspace, &err), &err);
    string_list_clear(&files);
    return workspace;
}

#define MAKE(tree, ...)                                                                            \
    make((tree), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                      \
         (const char *const[]){__VA_ARGS__})

static void expect(struct workspace *workspace, const char *expected) {
    char *picture = picture_of(workspace->fd);
    ck_assert_msg(strcmp(picture, expected) == 0, "got\n%sexpected\n%s", picture, expected);
    free(picture);
}

static void make_mode(const struct tree *tree, const char *name, mode_t mode) {
    ck_assert_int_eq(fchmodat(tree->fd, name, mode, 0), 0);
}

START_TEST(files_modes_and_links) {
    struct tree tree = tree_new();
    tree_write(&tree, "a.txt", "12345");
    tree_write(&tree, "deep/er/run.sh", "#!/bin/sh\n");
    tree_write(&tree, "deep/secret", "x");
    tree_write(&tree, "empty", "");
    make_mode(&tree, "deep/er/run.sh", 0755);
    make_mode(&tree, "deep/secret", 0400);
    make_mode(&tree, "empty", 04755);
    ck_assert_int_eq(symlinkat("../a.txt", tree.fd, "deep/inside"), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree.fd, "outside"), 0);
    ck_assert_int_eq(symlinkat("../../../etc", tree.fd, "up"), 0);
    ck_assert_int_eq(symlinkat("nowhere", tree.fd, "dangling"), 0);
    ck_assert_int_eq(symlinkat("deep", tree.fd, "folder"), 0);
    struct workspace workspace = MAKE(&tree, "a.txt", "dangling", "deep/er/run.sh", "deep/inside",
                                      "deep/secret", "empty", "folder", "outside", "up");
    /* links are links: nothing from outside the project comes in through them */
    expect(&workspace, "d 777 0:0 0 workspace/\n"
                       "f 666 0:0 5 workspace/a.txt\n"
                       "l 777 0:0 0 workspace/dangling -> nowhere\n"
                       "d 777 0:0 0 workspace/deep/\n"
                       "d 777 0:0 0 workspace/deep/er/\n"
                       "f 777 0:0 10 workspace/deep/er/run.sh\n"
                       "l 777 0:0 0 workspace/deep/inside -> ../a.txt\n"
                       "f 666 0:0 1 workspace/deep/secret\n"
                       "f 777 0:0 0 workspace/empty\n"
                       "l 777 0:0 0 workspace/folder -> deep\n"
                       "l 777 0:0 0 workspace/outside -> /etc/passwd\n"
                       "l 777 0:0 0 workspace/up -> ../../../etc\n");
    ck_assert_uint_eq(workspace.files, 4);
    workspace_clear(&workspace);
    tree_free(&tree);
}
END_TEST

START_TEST(equal_trees_give_equal_bytes) {
    struct workspace made[3];
    for (int i = 0; i < 3; i++) {
        struct tree tree = tree_new();
        tree_write(&tree, i == 1 ? "b/c" : "a", "one"); /* the order of making differs */
        tree_write(&tree, i == 1 ? "a" : "b/c", i == 1 ? "one" : "two");
        if (i == 1)
            tree_write(&tree, "b/c", "two");
        if (i == 2)
            tree_write(&tree, "b/c", "twO");
        struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 2000 + i}};
        ck_assert_int_eq(utimensat(tree.fd, "a", times, 0), 0);
        made[i] = MAKE(&tree, "a", "b/c");
        tree_free(&tree);
    }
    ck_assert_str_eq(made[0].hash, made[1].hash);
    ck_assert_int_eq(made[0].size_bytes, made[1].size_bytes);
    char *bytes[2];
    for (int i = 0; i < 2; i++) {
        bytes[i] = calloc(1, (size_t)made[i].size_bytes);
        ck_assert_int_eq(pread(made[i].fd, bytes[i], (size_t)made[i].size_bytes, 0),
                         made[i].size_bytes);
    }
    ck_assert_mem_eq(bytes[0], bytes[1], (size_t)made[0].size_bytes);
    free(bytes[0]);
    free(bytes[1]);
    ck_assert_str_ne(made[0].hash, made[2].hash);
    for (int i = 0; i < 3; i++)
        workspace_clear(&made[i]);
}
END_TEST

START_TEST(what_is_no_file_is_left_out) {
    struct tree tree = tree_new();
    tree_write(&tree, "file", "x");
    ck_assert_int_eq(mkfifoat(tree.fd, "pipe", 0644), 0);
    ck_assert_int_eq(mkdirat(tree.fd, "folder", 0755), 0);
    struct workspace workspace = MAKE(&tree, "file", "folder", "gone", "gone/too", "pipe");
    expect(&workspace, "d 777 0:0 0 workspace/\n"
                       "f 666 0:0 1 workspace/file\n"
                       "d 777 0:0 0 workspace/gone/\n");
    ck_assert_uint_eq(workspace.files, 1);
    workspace_clear(&workspace);
    tree_free(&tree);
}
END_TEST

START_TEST(names_are_bytes) {
    struct tree tree = tree_new();
    char longer[300];
    memset(longer, 'n', sizeof longer);
    memcpy(longer, "\xff\xfe/", 3);
    longer[250] = '\0';
    tree_write(&tree, "\xff\xfe/x", "1");
    tree_write(&tree, longer, "2");
    tree_write(&tree, "sp ace\n\"'", "3");
    tree_write(&tree, "\xc3\xa4", "4");
    struct workspace workspace = MAKE(&tree, "sp ace\n\"'", "\xc3\xa4", longer, "\xff\xfe/x");
    struct error err = {0};
    char *expected = string_format(&err,
                                   "d 777 0:0 0 workspace/\n"
                                   "f 666 0:0 1 workspace/sp ace\n\"'\n"
                                   "f 666 0:0 1 workspace/\xc3\xa4\n"
                                   "d 777 0:0 0 workspace/\xff\xfe/\n"
                                   "f 666 0:0 1 workspace/%s\n"
                                   "f 666 0:0 1 workspace/\xff\xfe/x\n",
                                   longer);
    expect(&workspace, expected);
    free(expected);
    workspace_clear(&workspace);
    tree_free(&tree);
}
END_TEST

START_TEST(an_unreadable_root_is_an_error) {
    struct error err = {0};
    struct string_list none = {0};
    struct workspace workspace;
    unit_fails(workspace_make("/nonexistent/project", &none, NULL, &workspace, &err), &err,
               ERROR_IO, "/nonexistent/project");
    ck_assert_int_eq(workspace.fd, -1);
}
END_TEST

/* The size is told first, so what changes while it is copied can only be cut or refused. */
START_TEST(files_that_change_while_they_are_copied) {
    static const struct {
        int64_t told;
        const char *bytes;
        bool fine;
    } cases[] = {{3, "123", true}, {3, "12345", true}, {3, "12", false}, {3, "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct tree tree = tree_new();
        tree_write(&tree, "file", cases[i].bytes);
        int in = openat(tree.fd, "file", O_RDONLY);
        int out = openat(tree.fd, "tar", O_RDWR | O_CREAT, 0600);
        struct tar *tar = tar_new(out, &err);
        ck_assert_ptr_nonnull(tar);
        int result = tar_add_file(tar, "f", 0644, in, cases[i].told, &err);
        ck_assert_int_eq(result == 0, cases[i].fine);
        if (result == 0) {
            unit_ok(tar_finish(tar, &err), &err);
            char *picture = picture_of(out);
            ck_assert_str_eq(picture, "f 644 0:0 3 f\n");
            free(picture);
        } else {
            ck_assert_int_eq(err.kind, ERROR_CONFLICT);
            error_clear(&err);
        }
        tar_freep(&tar);
        close(in);
        close(out);
        tree_free(&tree);
    }
}
END_TEST

UNIT_MAIN("workspace", {
    tcase_add_test(cases, files_modes_and_links);
    tcase_add_test(cases, equal_trees_give_equal_bytes);
    tcase_add_test(cases, what_is_no_file_is_left_out);
    tcase_add_test(cases, names_are_bytes);
    tcase_add_test(cases, an_unreadable_root_is_an_error);
    tcase_add_test(cases, files_that_change_while_they_are_copied);
})
