#include "runners/user.h"

#include "tests/unit/unit.h"

static const char passwd[] = "root:x:0:0:root:/:/bin/sh\n"
                             "app:x:1234:5::/:\n"
                             "1000:x:77:0::/:\n"
                             "broken\n"
                             "short:x:9\n"
                             "wide:x:99999999999:0::/:\n"
                             "minus:x:-1:0::/:\n"
                             "last:x:8:8::/:";

static const struct row {
    const char *user;
    int64_t number;
} rows[] = {
    {"", 0},
    {"root", 0},
    {"app", 1234},
    {"app:staff", 1234},
    {"app:5", 1234},
    {"ap", 0},
    {"apps", 0},
    {"1000", 77},
    {"1001", 1001},
    {"1001:app", 1001},
    {"4294967294", 4294967294},
    {"4294967295", 0},
    {"-1", 0},
    {"broken", 0},
    {"short", 0},
    {"wide", 0},
    {"minus", 0},
    {"last", 8},
    {":app", 0},
    {"x", 0},
};

START_TEST(numbers) {
    ck_assert_msg(user_number(rows[_i].user, passwd, strlen(passwd)) == rows[_i].number, "%s: %lld",
                  rows[_i].user, (long long)user_number(rows[_i].user, passwd, strlen(passwd)));
}
END_TEST

static void header(char *block, char type, const char *size, const char *link) {
    memset(block, 0, 512);
    strcpy(block, "passwd");
    strcpy(block + 124, size);
    block[156] = type;
    memcpy(block + 157, link, strlen(link));
}

START_TEST(files) {
    char archive[3 * 512 + 5];
    const char *content;
    size_t size;
    char *link;
    header(archive, 'x', "00000000014", "");
    memset(archive + 512, 'y', 512);
    header(archive + 1024, '0', "00000000005", "");
    memcpy(archive + 1536, "a:b:3", 5);
    user_first_file(archive, sizeof archive, &content, &size, &link);
    ck_assert_ptr_eq(content, archive + 1536);
    ck_assert_uint_eq(size, 5);
    ck_assert_ptr_null(link);
    for (size_t length = 0; length < sizeof archive;
         length++) { /* cut anywhere: there is no file */
        user_first_file(archive, length, &content, &size, &link);
        ck_assert_ptr_null(content);
    }
    char whole_name[101];
    memset(whole_name, 'n', 100);
    whole_name[100] = '\0';
    header(archive, '2', "00000000000", whole_name);
    user_first_file(archive, 512, &content, &size, &link);
    ck_assert_ptr_null(content);
    ck_assert_pstr_eq(link, whole_name);
    free(link);
    header(archive, '5', "00000000000", "");
    user_first_file(archive, sizeof archive, &content, &size, &link);
    ck_assert(content == NULL && link == NULL);
    header(archive, '0', "777777777777", ""); /* larger than it is */
    user_first_file(archive, sizeof archive, &content, &size, &link);
    ck_assert_ptr_null(content);
}
END_TEST

UNIT_MAIN("user", {
    tcase_add_loop_test(cases, numbers, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, files);
})
