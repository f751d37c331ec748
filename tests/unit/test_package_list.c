#include "runners/package_list.h"

#include "tests/unit/unit.h"

#define OK "Status: install ok installed\n"

static const struct row {
    const char *what;
    enum package_format format;
    const char *bytes;
    const char *list; /* "name version|…", or the part of a message after "!" */
} rows[] = {
    {"nothing", PACKAGES_DPKG, "", ""},
    {"empty lines alone", PACKAGES_DPKG, "\n\n \n\t\n", ""},
    {"one", PACKAGES_DPKG, "Package: libc6\n" OK "Version: 2.36-9\n", "libc6 2.36-9|"},
    {"without a last line end", PACKAGES_DPKG, "Package: a\nVersion: 1", "a 1|"},
    {"two, sorted", PACKAGES_DPKG, "Package: b\nVersion: 2\n\n\nPackage: a\nVersion: 1\n",
     "a 1|b 2|"},
    {"no state, as distroless writes it", PACKAGES_DPKG, "Package: tzdata\nVersion: 2024a-0\n",
     "tzdata 2024a-0|"},
    {"fields in any case and order", PACKAGES_DPKG, "VERSION: 1\npackage:\ta  \n", "a 1|"},
    {"only its configuration is left", PACKAGES_DPKG,
     "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n", ""},
    {"not installed, without a version", PACKAGES_DPKG,
     "Package: a\nStatus: unknown ok not-installed\n\nPackage: b\nVersion: 1\n", "b 1|"},
    {"half of it is there", PACKAGES_DPKG,
     "Package: a\nStatus: install reinstreq half-installed\nVersion: 1\n", "a 1|"},
    {"a description that looks like fields", PACKAGES_DPKG,
     "Package: a\nDescription: x\n Package: b\n .\n Version: 9\nVersion: 1\n", "a 1|"},
    {"two architectures", PACKAGES_DPKG,
     "Package: a\nArchitecture: amd64\nVersion: 1\n\nPackage: a\nArchitecture: i386\nVersion: 1\n",
     "a 1|"},
    {"two versions of one name", PACKAGES_DPKG,
     "Package: a\nVersion: 2\n\nPackage: a\nVersion: 1\n\nPackage: a\nVersion: 2\n", "a 1, 2|"},
    {"an epoch and all signs", PACKAGES_DPKG, "Package: g++-12\nVersion: 4:12.2~rc1+dfsg-1\n",
     "g++-12 4:12.2~rc1+dfsg-1|"},
    {"no name", PACKAGES_DPKG, "Version: 1\n", "!line 1: a package without a name ends"},
    {"no version", PACKAGES_DPKG, "Package: a\n" OK "\n", "!package a has no version"},
    {"an empty name", PACKAGES_DPKG, "Package:\nVersion: 1\n", "!line 1: this is no name"},
    {"a name with an escape", PACKAGES_DPKG, "Package: a\033[2J\nVersion: 1\n",
     "!line 1: this is no name"},
    {"a name with a blank", PACKAGES_DPKG, "Package: a b\nVersion: 1\n", "!this is no name"},
    {"a version beyond ASCII", PACKAGES_DPKG, "Package: a\nVersion: 1\xe2\x80\xae\n",
     "!line 2: this is no version"},
    {"a carriage return", PACKAGES_DPKG, "Package: a\r\nVersion: 1\r\n", "!this is no name"},
    {"Markdown is a name", PACKAGES_DPKG, "Package: **a**|<b>\nVersion: `1`\n", "**a**|<b> `1`|"},
    {"two names", PACKAGES_DPKG, "Package: a\nPackage: b\n", "!line 2: a package has two names"},
    {"two versions", PACKAGES_DPKG, "Package: a\nVersion: 1\nVersion: 2\n", "!two versions"},
    {"two states", PACKAGES_DPKG, "Package: a\n" OK "Status: deinstall ok config-files\n",
     "!two states"},
    {"a state of one word", PACKAGES_DPKG, "Package: a\nStatus: installed\n", "!no state"},
    {"no field", PACKAGES_DPKG, "Package: a\nVersion\n", "!line 2: a field was expected"},
    {"bytes of something else", PACKAGES_DPKG, "SQLite format 3", "!a field was expected"},
    {"one", PACKAGES_APK, "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\n\n", "musl 1.2.5-r0|"},
    {"two, with files", PACKAGES_APK,
     "P:b\nV:2\nF:etc\nR:passwd\na:0:0:644\n\nP:a\nV:1\np:so:libb.so=2 cmd:a\n", "a 1|b 2|"},
    {"a virtual one", PACKAGES_APK, "P:.build-deps\nV:20240101.000000\n",
     ".build-deps 20240101.000000|"},
    {"no version", PACKAGES_APK, "P:a\n\n", "!package a has no version"},
    {"no letter", PACKAGES_APK, "P:a\nhello\n", "!line 2: a letter and a colon"},
    {"an empty name", PACKAGES_APK, "P:\nV:1\n", "!line 1: this is no name"},
    {"two names", PACKAGES_APK, "P:a\nP:b\n", "!two names"},
};

/* The same whatever the pieces are. */
START_TEST(reads) {
    const struct row *row = &rows[_i];
    for (size_t step = 1; step < 40; step += 6) {
        struct error err = {0};
        struct package_list list = {0};
        struct package_reader reader = {.format = row->format, .list = &list};
        int result = 0;
        size_t length = strlen(row->bytes);
        for (size_t at = 0; at < length && result == 0; at += step)
            result = package_reader_feed(&reader, row->bytes + at,
                                         length - at < step ? length - at : step, &err);
        if (result == 0)
            result = package_reader_end(&reader, &err);
        if (result == 0)
            result = package_list_settle(&list, &err);
        if (row->list[0] == '!') {
            ck_assert_msg(result < 0 && strstr(error_message(&err), row->list + 1) != NULL,
                          "%s: %d, %s", row->what, result, error_message(&err));
            ck_assert_int_eq(err.kind, ERROR_INPUT);
        } else {
            _cleanup_(text_clear) struct text words = {0};
            for (size_t i = 0; i < list.count; i++)
                text_printf(&words, "%s %s|", list.items[i].name, list.items[i].version);
            ck_assert_msg(result == 0, "%s: %s", row->what, error_message(&err));
            ck_assert_msg(strcmp(text_string(&words), row->list) == 0, "%s: %s", row->what,
                          text_string(&words));
        }
        package_list_clear(&list);
        error_clear(&err);
    }
}
END_TEST

static int feed(struct package_reader *reader, const char *words, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (package_reader_feed(reader, words, strlen(words), err) < 0)
            return -1;
    return package_reader_end(reader, err);
}

START_TEST(limits) {
    struct error err = {0};
    struct package_list list = {0};
    struct package_reader reader = {.format = PACKAGES_APK, .list = &list};
    unit_ok(feed(&reader, "P:p\nV:1\n\n", PACKAGES_LIMIT, &err), &err);
    ck_assert_uint_eq(list.count, PACKAGES_LIMIT);
    unit_fails(feed(&reader, "P:p\nV:1\n\n", 1, &err), &err, ERROR_LIMIT, "more than 100000");
    package_list_clear(&list);
    /* lines of any length, also of one that is wanted */
    reader = (struct package_reader){.format = PACKAGES_DPKG, .list = &list};
    unit_ok(feed(&reader, "Package: a\nVersion: 1\nConffiles:", 1, &err), &err);
    reader = (struct package_reader){.format = PACKAGES_DPKG, .list = &list};
    unit_fails(
        feed(&reader, "Package: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, &err),
        &err, ERROR_INPUT, "no version");
    reader = (struct package_reader){.format = PACKAGES_DPKG, .list = &list};
    unit_ok(package_reader_feed(&reader, "Version: 1\nPackage: ", 20, &err), &err);
    for (size_t i = 0; i < 5000; i++)
        unit_ok(package_reader_feed(&reader, "aaaa", 4, &err), &err);
    unit_fails(package_reader_feed(&reader, "\n", 1, &err), &err, ERROR_INPUT,
               "a name of more than 255 bytes");
    reader = (struct package_reader){.format = PACKAGES_DPKG, .list = &list};
    unit_ok(package_reader_feed(&reader, "Package: b\nVersion: 2\nDepends: ", 31, &err), &err);
    for (size_t i = 0; i < 50000; i++)
        unit_ok(package_reader_feed(&reader, "Package: x, ", 12, &err), &err);
    unit_ok(package_reader_end(&reader, &err), &err);
    ck_assert_str_eq(list.items[list.count - 1].name, "b");
    package_list_clear(&list);
}
END_TEST

START_TEST(nul) {
    struct error err = {0};
    struct package_list list = {0};
    struct package_reader reader = {.format = PACKAGES_DPKG, .list = &list};
    unit_fails(package_reader_feed(&reader, "Package: a\0b\n", 13, &err), &err, ERROR_INPUT, "NUL");
    package_list_clear(&list);
}
END_TEST

UNIT_MAIN("package_list", {
    tcase_add_loop_test(cases, reads, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, limits);
    tcase_add_test(cases, nul);
})
