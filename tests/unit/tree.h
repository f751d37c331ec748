/* tree: a small folder for tests that write files, and a picture of it to compare. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/file.h"
#include "gate/base/hash.h"
#include "tests/unit/unit.h"

struct tree {
    char root[64];
    int fd;
};

static inline struct tree tree_new(void) {
    struct tree tree = {.root = "/tmp/pingate-tree-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(tree.root));
    tree.fd = open(tree.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(tree.fd, 0);
    return tree;
}

static inline void tree_write(const struct tree *tree, const char *file, const char *bytes) {
    struct error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", tree->root, file);
    *strrchr(path, '/') = '\0';
    unit_ok(file_make_folders(path, &err), &err);
    int fd = openat(tree->fd, file, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ck_assert_int_ge(fd, 0);
    unit_ok(file_write_all(fd, bytes, strlen(bytes), &err), &err);
    close(fd);
}

static inline void tree_expect(const struct tree *tree, const char *file, const char *bytes) {
    struct error err = {0};
    struct text got = {0};
    unit_ok(file_read_at(tree->fd, file, 1 << 20, &got, &err), &err);
    ck_assert_msg(strcmp(text_string(&got), bytes) == 0, "%s: \"%s\"", file, text_string(&got));
    text_clear(&got);
}

static inline void tree_free(struct tree *tree) {
    struct error err = {0};
    close(tree->fd);
    unit_ok(file_remove_tree(tree->root, &err), &err);
}

static struct string_list *tree_lines; /* nftw has no argument of ours */

static int tree_add_line(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)where;
    struct error err = {0};
    struct text bytes = {0};
    char hex[HASH_HEX_SIZE] = "";
    if (kind == FTW_F && S_ISREG(status->st_mode)) {
        unit_ok(file_read(path, 64u << 20, &bytes, &err), &err);
        unit_ok(hash_hex(text_string(&bytes), bytes.length, hex, &err), &err);
    }
    char *line = string_format(&err, "%s %o %u:%u %ju %s\n", path, status->st_mode, status->st_uid,
                               status->st_gid, (uintmax_t)status->st_ino, hex);
    unit_ok(string_list_add(tree_lines, line, &err), &err);
    free(line);
    text_clear(&bytes);
    return 0;
}

/* Every name with its mode, owner, inode and hash: equal pictures are equal trees, and nothing was replaced. */
static inline char *tree_picture(const struct tree *tree) {
    struct error err = {0};
    struct string_list lines = {0};
    struct text all = {0};
    tree_lines = &lines;
    ck_assert_int_eq(nftw(tree->root, tree_add_line, 16, FTW_PHYS), 0);
    string_list_sort(&lines);
    for (size_t i = 0; i < lines.count; i++)
        text_add(&all, lines.items[i]);
    string_list_clear(&lines);
    char *picture = text_steal(&all, &err);
    ck_assert_ptr_nonnull(picture);
    return picture;
}

/* Compares with an earlier picture and frees it. */
static inline void tree_same(const struct tree *tree, char *take_picture, const char *when) {
    char *now = tree_picture(tree);
    ck_assert_msg(strcmp(now, take_picture) == 0, "%s: before\n%safter\n%s", when, take_picture,
                  now);
    free(now);
    free(take_picture);
}
