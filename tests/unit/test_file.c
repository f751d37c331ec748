#include "gate/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define LIMIT 1000 /* bytes */

/* Every test works in a folder of its own. */
static char folder[] = "/tmp/pingate-file-XXXXXX";

static void setup(void) {
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void teardown(void) {
    struct error err = {0};
    ck_assert_int_eq(chdir("/"), 0);
    unit_ok(file_remove_tree(folder, &err), &err);
    ck_assert(!file_exists(folder));
}

static void put(const char *path, const void *bytes, size_t length) {
    struct error err = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    unit_ok(file_write_all(fd, bytes, length, &err), &err);
    close(fd);
}

static size_t count_entries(const char *path) {
    DIR *opened = opendir(path);
    ck_assert_ptr_nonnull(opened);
    size_t count = 0;
    for (struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(opened);
    return count;
}

START_TEST(reads_whole_files) {
    struct error err = {0};
    static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 200000};
    static char bytes[200000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct text text = {0};
        put("a", bytes, lengths[i]);
        unit_ok(file_read("a", sizeof bytes, &text, &err), &err);
        ck_assert_uint_eq(text.length, lengths[i]);
        ck_assert_int_eq(memcmp(text_string(&text), bytes, lengths[i]), 0);
        text_clear(&text);
    }
}
END_TEST

START_TEST(limit_is_exact) {
    struct error err = {0};
    static char bytes[LIMIT + 1];
    struct text text = {0};
    put("fits", bytes, LIMIT);
    put("large", bytes, LIMIT + 1);
    unit_ok(file_read("fits", LIMIT, &text, &err), &err);
    ck_assert_uint_eq(text.length, LIMIT);
    text_clear(&text);
    unit_fails(file_read("large", LIMIT, &text, &err), &err, ERROR_LIMIT, "1000 bytes");
    put("empty", "", 0);
    unit_ok(file_read("empty", 0, &text, &err), &err);
    text_clear(&text);
    unit_fails(file_read("fits", 0, &text, &err), &err, ERROR_LIMIT, "fits");
    unit_ok(file_read("fits", SIZE_MAX, &text, &err), &err); /* no overflow */
    ck_assert_uint_eq(text.length, LIMIT);
    text_clear(&text);
}
END_TEST

/* Such files tell size 0 and hold more. */
START_TEST(limit_holds_where_the_size_lies) {
    struct error err = {0};
    struct text text = {0};
    unit_fails(file_read("/proc/self/maps", 10, &text, &err), &err, ERROR_LIMIT, "10 bytes");
    ck_assert_ptr_null(text.bytes);
    unit_ok(file_read("/proc/self/maps", 1u << 20, &text, &err), &err);
    ck_assert_uint_gt(text.length, 10);
    text_clear(&text);
}
END_TEST

/* A FIFO without a writer must not hang: Check's time-out would fail the test. */
START_TEST(not_regular) {
    struct error err = {0};
    struct text text = {0};
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    ck_assert_int_eq(mkdir("folder", 0700), 0);
    ck_assert_int_eq(symlink("fifo", "link"), 0);
    ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    put("plain", "x", 1);
    static const struct {
        const char *path;
        enum error_kind kind;
        const char *part;
    } rows[] = {
        {"fifo", ERROR_INPUT, "fifo: not a regular file"},
        {"folder", ERROR_INPUT, "not a regular file"},
        {"link", ERROR_INPUT, "not a regular file"},
        {"/dev/null", ERROR_INPUT, "not a regular file"},
        {"socket", ERROR_IO, "socket"},
        {"loop", ERROR_IO, "loop"},
        {"dangling", ERROR_NOT_FOUND, "no such file"},
        {"missing", ERROR_NOT_FOUND, "missing: no such file"},
        {"plain/below", ERROR_NOT_FOUND, "no such file"},
        {"", ERROR_NOT_FOUND, "no such file"},
    };
    int bound = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    ck_assert_int_eq(bind(bound, (struct sockaddr *)&address, sizeof address), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        unit_fails(file_read(rows[i].path, LIMIT, &text, &err), &err, rows[i].kind, rows[i].part);
    close(bound);
}
END_TEST

START_TEST(reads_at_a_folder) {
    struct error err = {0};
    struct text text = {0};
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    put("sub/a", "inside", 6);
    int fd = open("sub", O_RDONLY | O_DIRECTORY);
    unit_ok(file_read_at(fd, "a", LIMIT, &text, &err), &err);
    ck_assert_str_eq(text_string(&text), "inside");
    text_clear(&text);
    close(fd);
}
END_TEST

START_TEST(write_all_tells_failures) {
    struct error err = {0};
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(full, 0);
    unit_fails(file_write_all(full, "x", 1, &err), &err, ERROR_IO, "No space");
    unit_ok(file_write_all(full, "", 0, &err), &err);
    close(full);
    unit_fails(file_write_all(-1, "x", 1, &err), &err, ERROR_IO, "write");
}
END_TEST

static void *drain(void *argument) {
    int fd = *(int *)argument;
    char step[777];
    size_t total = 0;
    ssize_t got;
    while ((got = read(fd, step, sizeof step)) > 0)
        total += (size_t)got;
    return (void *)(uintptr_t)total;
}

/* A pipe takes less than it is given. */
START_TEST(write_all_goes_on) {
    struct error err = {0};
    static char bytes[1000000];
    int ends[2];
    pthread_t thread;
    void *total;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, drain, &ends[0]), 0);
    unit_ok(file_write_all(ends[1], bytes, sizeof bytes, &err), &err);
    close(ends[1]);
    ck_assert_int_eq(pthread_join(thread, &total), 0);
    ck_assert_uint_eq((uintptr_t)total, sizeof bytes);
    close(ends[0]);
}
END_TEST

START_TEST(replaces) {
    struct error err = {0};
    struct text text = {0};
    struct stat status;
    umask(077);
    unit_ok(file_replace("new", "first", 5, &err), &err);
    ck_assert_int_eq(stat("new", &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0644);
    int old = open("new", O_RDONLY);
    unit_ok(file_replace("new", "second", 6, &err), &err);
    char bytes[16] = {0};
    ck_assert_int_eq(read(old, bytes, sizeof bytes), 5);
    ck_assert_str_eq(bytes, "first"); /* who reads already reads on */
    close(old);
    unit_ok(file_read("new", LIMIT, &text, &err), &err);
    ck_assert_str_eq(text_string(&text), "second");
    text_clear(&text);
    unit_ok(file_replace("new", "", 0, &err), &err);
    ck_assert_int_eq(stat("new", &status), 0);
    ck_assert_int_eq(status.st_size, 0);
    ck_assert_uint_eq(count_entries("."), 1);
}
END_TEST

START_TEST(replace_leaves_nothing_when_it_fails) {
    struct error err = {0};
    ck_assert_int_eq(mkdir("folder", 0700), 0);
    put("folder/kept", "x", 1);
    unit_fails(file_replace("folder", "x", 1, &err), &err, ERROR_IO, "replace folder");
    unit_fails(file_replace("missing/a", "x", 1, &err), &err, ERROR_IO, "missing/a");
    ck_assert_uint_eq(count_entries("."), 1);
    ck_assert_uint_eq(count_entries("folder"), 1);
}
END_TEST

#define LARGE 300000 /* bytes; several reads */

static atomic_bool stop_reading;

/* Reads until told to stop; gives how often the file was whole, 0 as soon as it was not. */
static void *read_again_and_again(void *unused) {
    (void)unused;
    uintptr_t whole = 0;
    while (!atomic_load(&stop_reading)) {
        struct error err = {0};
        struct text text = {0};
        bool good = file_read("shared", LARGE, &text, &err) == 0 && text.length == LARGE;
        for (size_t i = 1; good && i < text.length; i++)
            good = text.bytes[i] == text.bytes[0];
        text_clear(&text);
        error_clear(&err);
        if (!good)
            return NULL;
        whole++;
    }
    return (void *)whole;
}

START_TEST(readers_see_whole_files) {
    struct error err = {0};
    static char bytes[2][LARGE];
    memset(bytes[0], 'a', LARGE);
    memset(bytes[1], 'b', LARGE);
    pthread_t thread;
    void *whole;
    unit_ok(file_replace("shared", bytes[0], LARGE, &err), &err);
    ck_assert_int_eq(pthread_create(&thread, NULL, read_again_and_again, NULL), 0);
    for (int i = 0; i < 100; i++)
        unit_ok(file_replace("shared", bytes[i % 2], LARGE, &err), &err);
    atomic_store(&stop_reading, true);
    ck_assert_int_eq(pthread_join(thread, &whole), 0);
    ck_assert_msg(whole != NULL, "a reader saw a file that was not whole");
}
END_TEST

START_TEST(makes_folders) {
    struct error err = {0};
    static const char *const good[] = {"a", "a", "a/b/c", "x//y/", "./z/.", "/", "."};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        unit_ok(file_make_folders(good[i], &err), &err);
        ck_assert_msg(file_exists(good[i]), "%s", good[i]);
    }
    put("plain", "", 0);
    unit_fails(file_make_folders("plain", &err), &err, ERROR_IO, "not a folder");
    unit_fails(file_make_folders("plain/below", &err), &err, ERROR_IO, "plain/below");
    unit_fails(file_make_folders("", &err), &err, ERROR_IO, "folder");
    ck_assert_int_eq(symlink("a", "link"), 0);
    unit_ok(file_make_folders("link/d", &err), &err);
    ck_assert(file_exists("a/d"));
}
END_TEST

START_TEST(joins) {
    static const char *const rows[][3] = {
        {"a/b", "c", "a/b/c"}, {"a/", "c", "a/c"},  {"a", "/c", "/c"},
        {".", "c", "c"},       {"", "c", "c"},      {"/", "c", "/c"},
        {"a", "c/d", "a/c/d"}, {"..", "c", "../c"}, {"./a", "c", "./a/c"},
    };
    struct error err = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *path = file_join(rows[i][0], rows[i][1], &err);
        ck_assert_msg(strcmp(path, rows[i][2]) == 0, "row %zu: %s", i, path);
        free(path);
    }
}
END_TEST

START_TEST(removes_trees) {
    struct error err = {0};
    unit_ok(file_remove_tree("missing", &err), &err);
    unit_ok(file_make_folders("tree/a/b/c", &err), &err);
    unit_ok(file_make_folders("outside", &err), &err);
    put("outside/kept", "x", 1);
    put("tree/a/b/file", "x", 1);
    put("tree/.hidden", "x", 1);
    ck_assert_int_eq(mkfifo("tree/fifo", 0600), 0);
    ck_assert_int_eq(symlink("../outside", "tree/link"), 0);
    ck_assert_int_eq(symlink("nowhere", "tree/dangling"), 0);
    unit_ok(file_remove_tree("tree", &err), &err);
    ck_assert(!file_exists("tree"));
    ck_assert(file_exists("outside/kept"));
    ck_assert_int_eq(symlink("outside", "link"), 0);
    unit_ok(file_remove_tree("link", &err), &err);
    struct stat status;
    ck_assert_int_eq(lstat("link", &status), -1);
    ck_assert(file_exists("outside/kept")); /* the link went, not what it names */
    char deep[1000] = "deep";
    for (int i = 0; i < 40; i++)
        strncat(deep, "/d", sizeof deep - strlen(deep) - 1); /* deeper than open descriptors */
    unit_ok(file_make_folders(deep, &err), &err);
    unit_ok(file_remove_tree("deep", &err), &err);
    ck_assert(!file_exists("deep"));
}
END_TEST

UNIT_MAIN("file", {
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, reads_whole_files);
    tcase_add_test(cases, limit_is_exact);
    tcase_add_test(cases, limit_holds_where_the_size_lies);
    tcase_add_test(cases, not_regular);
    tcase_add_test(cases, reads_at_a_folder);
    tcase_add_test(cases, write_all_tells_failures);
    tcase_add_test(cases, write_all_goes_on);
    tcase_add_test(cases, replaces);
    tcase_add_test(cases, replace_leaves_nothing_when_it_fails);
    tcase_add_test(cases, readers_see_whole_files);
    tcase_add_test(cases, makes_folders);
    tcase_add_test(cases, joins);
    tcase_add_test(cases, removes_trees);
})
