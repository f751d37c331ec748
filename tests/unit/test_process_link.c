#include "gate/base/process_link.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "tests/unit/unit.h"

static struct process_link *open_link(const char *const *argv, int *fd) {
    struct error err = {0};
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct process_link *link = process_link_open(argv, ends[1], &err);
    unit_ok(link != NULL ? 0 : -1, &err);
    close(ends[1]);
    *fd = ends[0];
    return link;
}

START_TEST(talks_and_ends) {
    struct error err = {0};
    const char *const argv[] = {"sh", "-c", "echo hello; cat; echo bye >&2", NULL};
    int fd = -1;
    struct process_link *link = open_link(argv, &fd);
    unit_ok(file_write_all(fd, "back\n", 5, &err), &err);
    struct text got = {0};
    char bytes[64];
    while (got.length < 11) {
        ssize_t part = read(fd, bytes, sizeof bytes);
        ck_assert_int_gt(part, 0);
        text_append(&got, bytes, (size_t)part);
    }
    ck_assert_str_eq(text_string(&got), "hello\nback\n");
    text_clear(&got);
    ck_assert(!process_link_ended(link, 0));
    file_closep(&fd);
    ck_assert(process_link_ended(link, 60000));
    unit_ok(process_link_words(link, &got, &err), &err);
    ck_assert_str_eq(text_string(&got), "bye\n");
    text_clear(&got);
    process_link_close(link, 0);
}
END_TEST

/* It ignores the end of its input and SIGTERM, and has left somebody behind. */
START_TEST(stubborn_ones_are_killed) {
    struct error err = {0};
    const char *const argv[] = {"sh", "-c", "trap '' TERM; sleep 1000 & echo $! $$; wait", NULL};
    int fd = -1;
    struct process_link *link = open_link(argv, &fd);
    char bytes[64] = "";
    ck_assert_int_gt(read(fd, bytes, sizeof bytes - 1), 0);
    file_closep(&fd);
    process_link_close(link, 0);
    int left = 0;
    int self = 0;
    ck_assert_int_eq(sscanf(bytes, "%d %d", &left, &self), 2);
    ck_assert_int_eq(kill(self, 0), -1);
    for (int i = 0; i < 3000 && kill(left, 0) == 0; i++) /* until somebody has reaped it */
        usleep(1000);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", left);
    struct text status = {0};
    if (file_read(path, 4096, &status, &err) == 0)
        ck_assert_ptr_nonnull(strstr(text_string(&status), ") Z "));
    error_clear(&err);
    text_clear(&status);
}
END_TEST

START_TEST(only_the_end_of_many_words) {
    struct error err = {0};
    const char *const argv[] = {"sh", "-c",
                                "i=0; while [ $i -lt 20000 ]; do echo 123456789; i=$((i+1)); done "
                                ">&2; echo last >&2",
                                NULL};
    int fd = -1;
    struct process_link *link = open_link(argv, &fd);
    ck_assert(process_link_ended(link, 60000));
    struct text got = {0};
    unit_ok(process_link_words(link, &got, &err), &err);
    ck_assert_uint_eq(got.length, 4096);
    ck_assert_str_eq(text_string(&got) + got.length - 5, "last\n");
    text_clear(&got);
    file_closep(&fd);
    process_link_close(link, 0);
}
END_TEST

START_TEST(no_such_program) {
    struct error err = {0};
    const char *const argv[] = {"/nonexistent/program", NULL};
    ck_assert_ptr_null(process_link_open(argv, STDIN_FILENO, &err));
    unit_fails(-1, &err, ERROR_NOT_FOUND, "no such program");
}
END_TEST

UNIT_MAIN("process_link", {
    tcase_add_test(cases, talks_and_ends);
    tcase_add_test(cases, stubborn_ones_are_killed);
    tcase_add_test(cases, only_the_end_of_many_words);
    tcase_add_test(cases, no_such_program);
})
