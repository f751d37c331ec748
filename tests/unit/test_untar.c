#include "gate/base/untar.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "gate/base/text.h"
#include "tests/unit/tree.h"

/* ---- archives, byte by byte: what no good program would write ---- */

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

static void add_header(struct text *tar, char type, const char *name, const char *link,
                       unsigned long long size) {
    struct header header = {.type = type, .mode = "0007777", .uid = "0001750", .gid = "0001750"};
    unsigned sum = 0;
    memcpy(header.name, name, strnlen(name, sizeof header.name));
    memcpy(header.link, link, strnlen(link, sizeof header.link));
    snprintf(header.size, sizeof header.size, "%011llo", size);
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    memset(header.checksum, ' ', sizeof header.checksum);
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    ck_assert_uint_eq(sizeof header, 512);
    text_append(tar, &header, sizeof header);
}

static void pad(struct text *tar) {
    static const char zeros[512];
    text_append(tar, zeros, (512 - tar->length % 512) % 512);
}

static void add(struct text *tar, char type, const char *name, const char *bytes) {
    add_header(tar, type, name, "", strlen(bytes));
    text_add(tar, bytes);
    pad(tar);
}

static void add_file(struct text *tar, const char *name, const char *bytes) {
    add(tar, '0', name, bytes);
}

static void add_link(struct text *tar, char type, const char *name, const char *target) {
    add_header(tar, type, name, target, 0);
}

/* A pax header: "LENGTH key=value\n". */
static void add_pax(struct text *tar, const char *key, const char *value, size_t length) {
    struct text record = {0};
    size_t size = strlen(key) + length + 3;
    char digits[24];
    size_t whole = size;
    while (whole != size + (size_t)snprintf(digits, sizeof digits, "%zu", whole))
        whole = size + strlen(digits);
    text_printf(&record, "%zu %s=", whole, key);
    text_append(&record, value, length);
    text_add_char(&record, '\n');
    add_header(tar, 'x', "pax", "", record.length);
    text_append(tar, record.bytes, record.length);
    pad(tar);
    text_clear(&record);
}

static void finish(struct text *tar) {
    static const char zeros[1024];
    text_append(tar, zeros, sizeof zeros);
}

/* ---- taking them apart ---- */

static const struct untar_limits wide = {1000, 1 << 30, 1 << 30};

struct taker {
    const char *skip; /* a name to pass by; NULL: none */
    char told[4096];  /* "path:bytes " */
};

static int choose(void *context, const char *name, bool regular, char **path, struct error *err) {
    struct taker *taker = context;
    (void)regular;
    if (taker->skip != NULL && strcmp(taker->skip, name) == 0)
        return 0;
    *path = string_dup(name, err);
    return *path != NULL ? 0 : -1;
}

static int on_file(void *context, const char *path, int64_t bytes, int64_t changed_s,
                   struct error *err) {
    struct taker *taker = context;
    (void)err;
    (void)changed_s;
    size_t length = strlen(taker->told);
    snprintf(taker->told + length, sizeof taker->told - length, "%s:%lld ", path, (long long)bytes);
    return 0;
}

static int take_apart(struct text *tar, const struct tree *tree, struct untar_limits limits,
                      struct taker *taker, struct untar_report *report, struct error *err) {
    int fd = memfd_create("tar", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    unit_ok(file_write_all(fd, text_string(tar), tar->length, err), err);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    struct untar_options options = {.root_fd = tree->fd,
                                    .limits = limits,
                                    .choose = choose,
                                    .on_file = on_file,
                                    .context = taker};
    int result = untar(fd, &options, report, err);
    close(fd);
    text_clear(tar);
    return result;
}

/* The files that are there, sorted, with their sizes: "a/b:3 c:1 ". */
static struct text *tree_told;
static size_t tree_skip;

static int tell_file(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)where;
    ck_assert_msg(kind == FTW_D || kind == FTW_F, "%s is no file", path);
    ck_assert_msg((status->st_mode & 07777) == (kind == FTW_D ? 0755 : 0644) ||
                      strlen(path) <= tree_skip,
                  "%s has mode %o", path, (unsigned)status->st_mode);
    if (kind == FTW_F)
        text_printf(tree_told, "%s:%lld ", path + tree_skip, (long long)status->st_size);
    return 0;
}

static int by_text(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void expect_files(const struct tree *tree, const char *expected) {
    struct error err = {0};
    struct text found = {0}, sorted = {0};
    char *words[64];
    size_t count = 0;
    tree_told = &found;
    tree_skip = strlen(tree->root) + 1;
    ck_assert_int_eq(nftw(tree->root, tell_file, 16, FTW_PHYS), 0);
    char *list = text_steal(&found, &err);
    char *at = list;
    for (char *word = strsep(&at, " "); word != NULL && count < 64; word = strsep(&at, " "))
        if (word[0] != '\0')
            words[count++] = word;
    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 0; i < count; i++)
        text_printf(&sorted, "%s%s", i > 0 ? " " : "", words[i]);
    ck_assert_msg(strcmp(text_string(&sorted), expected) == 0, "found \"%s\", expected \"%s\"",
                  text_string(&sorted), expected);
    text_clear(&sorted);
    free(list);
}

#define WITH(tree)                                                                                 \
    struct error err = {0};                                                                        \
    struct text tar = {.ceiling = 512u << 20};                                                     \
    struct taker taker = {0};                                                                      \
    struct untar_report report = {0};                                                              \
    umask(022);                                                                                    \
    struct tree tree = tree_new()

#define TAKE(limits) take_apart(&tar, &tree, (limits), &taker, &report, &err)

START_TEST(files_and_folders) {
    WITH(tree);
    add(&tar, '5', "./", "");
    add(&tar, '5', "./build/", "");
    add_file(&tar, "./build/a.txt", "hello");
    add_file(&tar, "out.txt", "");
    add_file(&tar, "deep/er/x", "x");
    add(&tar, '5', "empty/", "");
    add(&tar, '\0', "old-type", "old");
    add(&tar, '7', "contiguous", "c");
    add_file(&tar, "caf\xc3\xa9", "1");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree,
                 "build/a.txt:5 caf\xc3\xa9:1 contiguous:1 deep/er/x:1 old-type:3 out.txt:0");
    tree_expect(&tree, "build/a.txt", "hello");
    ck_assert_uint_eq(report.files, 6);
    ck_assert_int_eq(report.bytes, 11);
    ck_assert_ptr_null(report.stopped);
    for (size_t i = 0; i < UNTAR_LEFT_COUNT; i++)
        ck_assert_uint_eq(report.left[i], 0);
    ck_assert_str_eq(taker.told, "build/a.txt:5 out.txt:0 deep/er/x:1 old-type:3 contiguous:1 "
                                 "caf\xc3\xa9:1 ");
    tree_free(&tree);
}
END_TEST

START_TEST(what_is_not_chosen) {
    WITH(tree);
    taker.skip = "b";
    add_file(&tar, "a", "1");
    add_file(&tar, "b", "22");
    add_link(&tar, '2', "b", "/etc/passwd");
    add_file(&tar, "c", "333");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "a:1 c:3");
    ck_assert_uint_eq(report.left[UNTAR_LEFT_LINK], 0);
    tree_free(&tree);
}
END_TEST

/* A link is never made, so nothing that follows is written through one. */
START_TEST(links_and_devices) {
    WITH(tree);
    add_link(&tar, '2', "etc", "/etc");
    add_file(&tar, "etc/passwd", "evil");
    add_link(&tar, '2', "up", "..");
    add_link(&tar, '1', "hard", "/etc/passwd");
    add_link(&tar, '1', "hard2", "etc/passwd");
    add(&tar, '3', "null", "");
    add(&tar, '4', "disk", "");
    add(&tar, '6', "fifo", "");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "etc/passwd:4");
    ck_assert_uint_eq(report.left[UNTAR_LEFT_LINK], 4);
    ck_assert_uint_eq(report.left[UNTAR_LEFT_DEVICE], 3);
    tree_free(&tree);
}
END_TEST

/* What stands in the folder already leads nowhere else. */
START_TEST(links_that_stand_there) {
    WITH(tree);
    struct tree outside = tree_new();
    ck_assert_int_eq(symlinkat(outside.root, tree.fd, "out"), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree.fd, "file"), 0);
    ck_assert_int_eq(symlinkat("nowhere", tree.fd, "dangling"), 0);
    ck_assert_int_eq(symlinkat(".", tree.fd, "loop"), 0);
    add_file(&tar, "out/x", "evil");
    add_file(&tar, "out/y/z", "evil");
    add_file(&tar, "file", "evil");
    add_file(&tar, "dangling", "evil");
    add_file(&tar, "loop/x", "evil");
    add_file(&tar, "good", "good");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    ck_assert_uint_eq(report.files, 1);
    ck_assert_uint_eq(report.left[UNTAR_LEFT_CLASH], 5);
    expect_files(&outside, "");
    tree_free(&outside);
    tree_free(&tree);
}
END_TEST

static const char *const bad_names[] = {
    "/etc/passwd", "//x",    "..",          "../x",          "a/../x", "a/..",
    "a//b",        "a/./b",  "\xff\xfe",    "a/\xc3",        "a\nb",   "a\x1b[2Jb",
    "a\x7f",       "./../x", "./.././../x", "\xed\xa0\x80x", "",
};

START_TEST(bad_name) {
    WITH(tree);
    add_file(&tar, bad_names[_i], "evil");
    add_pax(&tar, "path", bad_names[_i], strlen(bad_names[_i]));
    add_file(&tar, bad_names[_i][0] != '\0' ? "x" : "", "evil");
    add_file(&tar, "good", "good");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "good:4");
    ck_assert_uint_eq(report.left[UNTAR_LEFT_NAME], 2);
    tree_free(&tree);
}
END_TEST

static void add_long(struct text *tar, const char *part, size_t count, const char *last) {
    struct text name = {0};
    for (size_t i = 0; i < count; i++)
        text_add(&name, part);
    text_add(&name, last);
    add_pax(tar, "path", name.bytes, name.length);
    add_file(tar, "x", "evil");
    text_clear(&name);
}

START_TEST(long_and_deep_names) {
    WITH(tree);
    add_long(&tar, "a", 255, "");
    add_long(&tar, "a", 256, "");
    add_long(&tar, "aaaaaaa/", 600, "x");
    add_long(&tar, "d/", UNTAR_DEPTH_LIMIT - 1, "x");
    add_long(&tar, "d/", UNTAR_DEPTH_LIMIT, "x");
    add_long(&tar, "a", 500000, "");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    ck_assert_uint_eq(report.files, 2);
    ck_assert_uint_eq(report.left[UNTAR_LEFT_NAME], 4);
    tree_free(&tree);
}
END_TEST

/* A NUL ends a name, for libarchive as for everybody. */
START_TEST(name_with_a_nul) {
    WITH(tree);
    add_pax(&tar, "path", "a\0/../../x", 11);
    add_file(&tar, "x", "1");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "a:1");
    tree_free(&tree);
}
END_TEST

START_TEST(one_name_twice) {
    WITH(tree);
    add_file(&tar, "a", "first");
    add_file(&tar, "a", "second one");
    add_file(&tar, "./a", "third");
    add_file(&tar, "a/b", "below a file");
    add_file(&tar, "c/d", "first");
    add_file(&tar, "c", "over a folder");
    add(&tar, '5', "a/", "");
    add_file(&tar, "c/d/e", "below a file");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "a:5 c/d:5");
    tree_expect(&tree, "a", "first");
    ck_assert_uint_eq(report.left[UNTAR_LEFT_CLASH], 5);
    tree_free(&tree);
}
END_TEST

START_TEST(limits_of_one_file) {
    WITH(tree);
    add_file(&tar, "a", "1234567890");
    add_file(&tar, "b", "12345");
    add_file(&tar, "c", "123456");
    finish(&tar);
    unit_ok(TAKE(((struct untar_limits){10, 1000, 5})), &err);
    expect_files(&tree, "a:5 b:5 c:5");
    ck_assert_uint_eq(report.cut, 2);
    ck_assert_ptr_null(report.stopped);
    tree_free(&tree);
}
END_TEST

START_TEST(limits_of_the_whole) {
    for (int i = 0; i < 3; i++) {
        WITH(tree);
        struct untar_limits limits = {i == 0 ? 2 : 100, i == 0 ? 1000 : i == 1 ? 15 : 20, 100};
        add_file(&tar, "a", "1234567890");
        add_file(&tar, "b", "1234567890");
        add_file(&tar, "c", "1234567890");
        add_link(&tar, '2', "link", "x");
        finish(&tar);
        unit_ok(TAKE(limits), &err);
        expect_files(&tree, i == 1 ? "a:10 b:5" : "a:10 b:10");
        ck_assert_str_eq(report.stopped, i == 0 ? "files" : "bytes");
        ck_assert_uint_eq(report.cut, i == 1);
        ck_assert_uint_eq(report.left[UNTAR_LEFT_LINK], 0); /* not read any more */
        tree_free(&tree);
    }
}
END_TEST

/* The next archive of the same report finds what is left. */
START_TEST(limits_of_several_archives) {
    WITH(tree);
    struct untar_limits limits = {3, 1000, 100};
    add_file(&tar, "a", "1");
    add_file(&tar, "b", "1");
    finish(&tar);
    unit_ok(TAKE(limits), &err);
    ck_assert_ptr_null(report.stopped);
    add_file(&tar, "c", "1");
    add_file(&tar, "d", "1");
    finish(&tar);
    unit_ok(TAKE(limits), &err);
    ck_assert_str_eq(report.stopped, "files");
    expect_files(&tree, "a:1 b:1 c:1");
    tree_free(&tree);
}
END_TEST

/* A little that claims to be much. */
START_TEST(sparse) {
    static const char map[] = "1\n1099511627775\n1\n";
    WITH(tree);
    struct text body = {0};
    text_add(&body, map);
    pad(&body);
    text_add(&body, "x");
    struct text records = {0};
    text_add(&records, "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                       "37 GNU.sparse.realsize=1099511627776\n24 GNU.sparse.name=holes\n");
    add_header(&tar, 'x', "pax", "", records.length);
    text_append(&tar, records.bytes, records.length);
    pad(&tar);
    add_header(&tar, '0', "GNUSparseFile.0/holes", "", body.length);
    text_append(&tar, body.bytes, body.length);
    pad(&tar);
    add_file(&tar, "good", "good");
    finish(&tar);
    unit_ok(TAKE(wide), &err);
    expect_files(&tree, "good:4");
    ck_assert_uint_eq(report.left[UNTAR_LEFT_SPARSE], 1);
    text_clear(&records);
    text_clear(&body);
    tree_free(&tree);
}
END_TEST

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 100 MB of one header, really there: refused, and not read into memory. */
START_TEST(header_bomb) {
    static const char types[] = {'x', 'g', 'L', 'K'};
    WITH(tree);
    int fd = memfd_create("tar", MFD_CLOEXEC);
    add_header(&tar, types[_i], "bomb", "", 100u << 20);
    unit_ok(file_write_all(fd, tar.bytes, tar.length, &err), &err);
    ck_assert_int_eq(ftruncate(fd, (off_t)tar.length + (100 << 20)), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), (off_t)tar.length + (100 << 20));
    text_truncate(&tar, 0);
    add_file(&tar, "good", "good");
    finish(&tar);
    unit_ok(file_write_all(fd, tar.bytes, tar.length, &err), &err);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    struct untar_options options = {
        .root_fd = tree.fd, .limits = wide, .choose = choose, .context = &taker};
    long before = peak_kib();
    int result = untar(fd, &options, &report, &err);
    ck_assert_int_lt(peak_kib() - before, 20 << 10);
    if (result < 0)
        unit_fails(result, &err, ERROR_PROTOCOL, "malformed or cut short");
    ck_assert_uint_le(report.files, 1);
    close(fd);
    text_clear(&tar);
    tree_free(&tree);
}
END_TEST

/* Cut off anywhere, it is told, and the file that did not come whole is not there. */
START_TEST(cut_short) {
    for (size_t length = 0; length < 512 + 512 + 512 + 1024; length += 64) {
        WITH(tree);
        add_file(&tar, "a", "whole");
        add_file(&tar, "b", "another one");
        text_truncate(&tar, length);
        int result = TAKE(wide);
        if (length ==
            1024) /* between two entries: an end without its mark, as some programs write */
            unit_ok(result, &err);
        else if (result < 0)
            unit_fails(result, &err, ERROR_PROTOCOL, "malformed or cut short");
        if (length < 512)
            ck_assert_int_eq(result, -1);
        expect_files(&tree, length < 1024 ? "" : length < 2048 ? "a:5" : "a:5 b:11");
        tree_free(&tree);
    }
}
END_TEST

START_TEST(cut_short_in_a_large_file) {
    WITH(tree);
    add_file(&tar, "a", "whole");
    add_header(&tar, '0', "b", "", 1000000);
    text_add(&tar, "not so many");
    unit_fails(TAKE(wide), &err, ERROR_PROTOCOL, "b: the tar archive is malformed or cut short");
    expect_files(&tree, "a:5");
    ck_assert_uint_eq(report.files, 1);
    tree_free(&tree);
}
END_TEST

static const struct {
    const char *bytes;
    size_t length;
} garbage[] = {
    {"", 0},
    {"<html>hello</html>", 18},
    {"\x1f\x8b\x08\0\0\0\0\0\0\3", 10}, /* gzip */
    {"BZh91AY&SY", 10},
    {"PK\3\4", 4},
    {"\xfd"
     "7zXZ\0",
     6},
    {"070701", 6}, /* cpio */
};

START_TEST(no_archive) {
    WITH(tree);
    text_append(&tar, garbage[_i].bytes, garbage[_i].length);
    unit_fails(TAKE(wide), &err, ERROR_PROTOCOL, "malformed or cut short");
    expect_files(&tree, "");
    tree_free(&tree);
}
END_TEST

START_TEST(no_room) {
    WITH(tree);
    struct rlimit small = {4, 4}, old;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    add_file(&tar, "a", "ok");
    add_file(&tar, "b", "too much");
    finish(&tar);
    int fd = memfd_create("tar", MFD_CLOEXEC);
    unit_ok(file_write_all(fd, tar.bytes, tar.length, &err), &err);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    struct untar_options options = {
        .root_fd = tree.fd, .limits = wide, .choose = choose, .context = &taker};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = untar(fd, &options, &report, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    unit_fails(result, &err, ERROR_IO, "b: write: File too large");
    expect_files(&tree, "a:2");
    close(fd);
    text_clear(&tar);
    tree_free(&tree);
}
END_TEST

START_TEST(names_of_what_is_left) {
    ck_assert_str_eq(untar_left_name(UNTAR_LEFT_LINK, 1), "link");
    ck_assert_str_eq(untar_left_name(UNTAR_LEFT_LINK, 2), "links");
    for (enum untar_left why = 0; why < UNTAR_LEFT_COUNT; why++)
        ck_assert_ptr_nonnull(untar_left_name(why, 1));
}
END_TEST

UNIT_MAIN("untar", {
    tcase_set_timeout(cases, 60); /* seconds; for sanitizers on a busy machine */
    tcase_add_test(cases, files_and_folders);
    tcase_add_test(cases, what_is_not_chosen);
    tcase_add_test(cases, links_and_devices);
    tcase_add_test(cases, links_that_stand_there);
    tcase_add_loop_test(cases, bad_name, 0, sizeof bad_names / sizeof *bad_names);
    tcase_add_test(cases, long_and_deep_names);
    tcase_add_test(cases, name_with_a_nul);
    tcase_add_test(cases, one_name_twice);
    tcase_add_test(cases, limits_of_one_file);
    tcase_add_test(cases, limits_of_the_whole);
    tcase_add_test(cases, limits_of_several_archives);
    tcase_add_test(cases, sparse);
    tcase_add_loop_test(cases, header_bomb, 0, 4);
    tcase_add_test(cases, cut_short);
    tcase_add_test(cases, cut_short_in_a_large_file);
    tcase_add_loop_test(cases, no_archive, 0, sizeof garbage / sizeof *garbage);
    tcase_add_test(cases, no_room);
    tcase_add_test(cases, names_of_what_is_left);
})
