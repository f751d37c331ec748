#include "runners/image_packages.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ENTRIES 4

enum { STATUS, STATUS_D, APK, USR_APK };

struct entry {
    char type;                  /* 'f'ile, 'd' folder, 'l'ink, 'h'ard link, 'p'ipe; 0 ends */
    const char *name, *content; /* or where the link leads */
};

static const struct row {
    const char *what;
    size_t source;
    struct entry entries[ENTRIES];
    const char *list; /* or a part of the message after "!" */
} rows[] = {
    {"a status file", STATUS, {{'f', "status", "Package: a\nVersion: 1\n"}}, "a 1|"},
    {"an empty one", STATUS, {{'f', "status", ""}}, ""},
    {"a link", STATUS, {{'l', "status", "/etc/shadow"}}, "!it holds a link"},
    {"a hard link", STATUS, {{'h', "status", "etc/shadow"}}, "!it holds a link"},
    {"a fifo", STATUS, {{'p', "status", ""}}, "!it holds a device, fifo or socket"},
    {"a folder", STATUS, {{'d', "status", ""}, {'f', "status/status", "x"}}, "!no regular file"},
    {"an archive of nothing", STATUS, {{0}}, "!no regular file"},
    {"another file", STATUS, {{'f', "shadow", "x"}}, "!no regular file"},
    {"a name that leads out", STATUS, {{'f', "../status", "x"}}, "!name that is no path"},
    {"a database of something else", STATUS, {{'f', "status", "hello"}}, "!status: line 1"},
    {"files of packages",
     STATUS_D,
     {{'d', "status.d", ""},
      {'f', "status.d/b", "Package: b\nVersion: 2\n"},
      {'f', "status.d/b.md5sums", "0123  usr/bin/b\n"},
      {'f', "status.d/a", "Package: a\nVersion: 1"}},
     "a 1|b 2|"},
    {"an empty folder", STATUS_D, {{'d', "status.d", ""}}, ""},
    {"a link instead of it", STATUS_D, {{'l', "status.d", "/etc"}}, "!it holds a link"},
    {"a file instead of it", STATUS_D, {{'f', "status.d", "Package: a\n"}}, "!it is no folder"},
    {"a link in it", STATUS_D, {{'d', "status.d", ""}, {'l', "status.d/a", "b"}}, "!holds a link"},
    {"a link in it that does not matter",
     STATUS_D,
     {{'d', "status.d", ""}, {'l', "status.d/a.md5sums", "b"}},
     ""},
    {"deeper ones do not count",
     STATUS_D,
     {{'d', "status.d", ""}, {'d', "status.d/x", ""}, {'f', "status.d/x/y", "hello"}},
     ""},
    {"one is damaged",
     STATUS_D,
     {{'f', "status.d/a", "Package: a\nVersion: 1\n"}, {'f', "status.d/b", "Version: 1\n"}},
     "!status.d/b: line 1"},
    {"Alpine's", APK, {{'f', "installed", "P:a\nV:1\n\n"}}, "a 1|"},
    {"Alpine's below /usr", USR_APK, {{'f', "installed", "P:a\nV:1\n\n"}}, "a 1|"},
};

static void write_entry(struct archive *archive, const struct entry *from) {
    static const struct {
        char type;
        unsigned int mode;
    } types[] = {
        {'f', AE_IFREG}, {'d', AE_IFDIR}, {'l', AE_IFLNK}, {'h', AE_IFREG}, {'p', AE_IFIFO}};
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, from->name);
    archive_entry_set_perm(entry, 0644);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == from->type)
            archive_entry_set_filetype(entry, types[i].mode);
    size_t size = from->type == 'f' ? strlen(from->content) : 0;
    archive_entry_set_size(entry, (int64_t)size);
    if (from->type == 'l')
        archive_entry_set_symlink(entry, from->content);
    if (from->type == 'h')
        archive_entry_set_hardlink(entry, from->content);
    ck_assert_int_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    if (size > 0)
        ck_assert_int_eq(archive_write_data(archive, from->content, size), (int)size);
    archive_entry_free(entry);
}

static int archive_of(const struct entry *entries) {
    int fd = memfd_create("archive", MFD_CLOEXEC);
    struct archive *archive = archive_write_new();
    archive_write_set_format_ustar(archive);
    ck_assert_int_eq(archive_write_open_fd(archive, fd), ARCHIVE_OK);
    for (size_t i = 0; i < ENTRIES && entries[i].type != 0; i++)
        write_entry(archive, &entries[i]);
    ck_assert_int_eq(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

START_TEST(takes) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct package_list list = {0};
    _cleanup_(text_clear) struct text words = {0};
    int fd = archive_of(row->entries);
    int result = image_packages_take(row->source, fd, &list, &err);
    close(fd);
    if (row->list[0] == '!') {
        ck_assert_msg(result < 0 && strstr(error_message(&err), row->list + 1) != NULL,
                      "%s: %d, %s", row->what, result, error_message(&err));
    } else {
        ck_assert_msg(result == 0, "%s: %s", row->what, error_message(&err));
        unit_ok(package_list_settle(&list, &err), &err);
        for (size_t i = 0; i < list.count; i++)
            text_printf(&words, "%s %s|", list.items[i].name, list.items[i].version);
        ck_assert_msg(strcmp(text_string(&words), row->list) == 0, "%s: %s", row->what,
                      text_string(&words));
    }
    package_list_clear(&list);
    error_clear(&err);
}
END_TEST

/* What an engine was cut off in says nothing, also at the border of an entry. */
START_TEST(cut_short) {
    struct entry entries[ENTRIES] = {{'f', "status", "Package: a\nVersion: 1\n"}};
    for (off_t size = 1; size < 1024; size += 100) {
        struct error err = {0};
        struct package_list list = {0};
        int fd = archive_of(entries);
        ck_assert_int_eq(ftruncate(fd, size), 0);
        ck_assert_int_eq(image_packages_take(STATUS, fd, &list, &err), -1);
        ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
        error_clear(&err);
        package_list_clear(&list);
        close(fd);
    }
}
END_TEST

START_TEST(too_large) {
    struct error err = {0};
    struct package_list list = {0};
    char *spaces = malloc(IMAGE_PACKAGES_BYTES + 2);
    ck_assert_ptr_nonnull(spaces);
    memset(spaces, ' ', IMAGE_PACKAGES_BYTES + 1);
    spaces[IMAGE_PACKAGES_BYTES + 1] = '\0';
    memcpy(spaces, "Package: a\nVersion: 1\nDepends:", 30);
    struct entry entries[ENTRIES] = {{'f', "status", spaces}};
    int fd = archive_of(entries);
    unit_fails(image_packages_take(STATUS, fd, &list, &err), &err, ERROR_LIMIT,
               "larger than 64 MiB");
    package_list_clear(&list);
    close(fd);
    free(spaces);
}
END_TEST

UNIT_MAIN("image_packages", {
    tcase_add_loop_test(cases, takes, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, cut_short);
    tcase_add_test(cases, too_large);
})
