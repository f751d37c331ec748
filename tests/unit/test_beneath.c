#include "gate/base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "tests/unit/unit.h"

START_TEST(valid_paths) {
    static const struct {
        const char *path;
        bool valid;
    } rows[] = {{"a", true},    {"a/b.yaml", true}, {".a/..b/c..", true}, {"", false},
                {"/a", false},  {"a/", false},      {"a//b", false},      {".", false},
                {"..", false},  {"../a", false},    {"a/../b", false},    {"a/..", false},
                {"./a", false}, {"a/./b", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(beneath_path_valid(rows[i].path) == rows[i].valid, "%s", rows[i].path);
}
END_TEST

START_TEST(links) {
    char root[] = "/tmp/pingate-beneath-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(root));
    int fd = open(root, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(mkdirat(fd, "d", 0755) | mkdirat(fd, "d/e", 0755), 0);
    close(openat(fd, "d/e/f", O_CREAT | O_WRONLY, 0644));
    static const struct {
        const char *link;
        const char *to;
        const char *path;
        const char *real; /* NULL: refused */
        const char *part; /* of the message */
    } rows[] = {{"l1", "d/e/f", "l1", "d/e/f", NULL},
                {"d/l2", "../d/./e", "d/l2/f", "d/e/f", NULL},
                {"l3", "l1", "l3", "d/e/f", NULL},
                {"l4", "..", "l4/x", NULL, "out of the tree"},
                {"d/l5", "../../x", "d/l5", NULL, "out of the tree"},
                {"l6", "/etc/passwd", "l6", NULL, "absolute"},
                {"l7", "l7", "l7", NULL, "40 links"},
                {"l8", "nothing", "l8", NULL, "no such file"},
                {"l9", "d", "l9/../d/e/f", "d/e/f", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char *real = NULL;
        ck_assert_int_eq(symlinkat(rows[i].to, fd, rows[i].link), 0);
        int result = beneath_resolve(fd, rows[i].path, &real, &err);
        ck_assert_msg(rows[i].real != NULL
                          ? result == 0 && strcmp(real, rows[i].real) == 0
                          : result == -1 && strstr(error_message(&err), rows[i].part) != NULL,
                      "%s: %s, %s", rows[i].path, real, error_message(&err));
        free(real);
        error_clear(&err);
    }
    ck_assert_int_eq(beneath_open(fd, "l1", O_RDONLY, 0), -1);
    ck_assert_int_eq(errno, ELOOP);
    ck_assert_int_eq(beneath_open(fd, "d/l2/f", O_RDONLY, 0), -1);
    ck_assert_int_eq(beneath_open(fd, "../x", O_RDONLY, 0), -1);
    int file_fd = beneath_open(fd, "d/e/f", O_RDONLY, 0);
    ck_assert_int_ge(file_fd, 0);
    close(file_fd);
    close(fd);
    struct error err = {0};
    unit_ok(file_remove_tree(root, &err), &err);
}
END_TEST

UNIT_MAIN("beneath", {
    tcase_add_test(cases, valid_paths);
    tcase_add_test(cases, links);
})
