#include "pipelines/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "pipelines/target.h"
#include "tests/unit/unit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ENTRY(file, temporary)                                                                     \
    "{\"file\":\"" file "\",\"temporary\":\"" temporary "\",\"old\":\"" A64 "\",\"new\":\"" B64    \
    "\"}"
#define CREATED(file, temporary)                                                                   \
    "{\"file\":\"" file "\",\"temporary\":\"" temporary "\",\"old\":null,\"new\":\"" B64 "\"}"
#define LEDGER_A       ".pingate/ledger/2026-11/20261125T105300Z-4f0c2a91d3b87e65.jsonl"
#define BESIDE_A       ".20261125T105300Z-4f0c2a91d3b87e65.jsonl.pingate-abcdef"
#define FILES(entries) "{\"version\":1,\"state\":\"decided\",\"files\":[" entries "]}"

START_TEST(hostile_journals) {
    static const struct {
        const char *bytes;
        const char *part; /* of the message; NULL: accepted */
    } rows[] = {
        {FILES(ENTRY("a/b", ".b.pingate-abcDE1")), NULL},
        {"", "empty"},
        {"{", "damaged"},
        {"[]", "no version"},
        {"{\"version\":1,\"version\":1}", "duplicate"},
        {"{\"version\":\"1\"}", "no version"},
        {"{\"version\":0}", "no version"},
        {"{\"version\":2,\"state\":[]}", "newer pingate"},
        {"{\"version\":1}", "state"},
        {"{\"version\":1,\"state\":\"maybe\"}", "state"},
        {"{\"version\":1,\"state\":\"intent\"}", "list of files"},
        {FILES(""), "list of files"},
        {FILES("1"), "entry lacks"},
        {FILES("{\"file\":\"a\"}"), "entry lacks"},
        {FILES(ENTRY("/etc/passwd", ".passwd.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY("../a", ".a.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY("b/../../a", ".a.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY("b//a", ".a.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY(".git/config", ".config.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY("sub/.GIT/hooks/x", ".x.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY(".pingate/ledger", ".ledger.pingate-abcdef")), "no promotion writes"},
        {FILES(ENTRY(LEDGER_A, BESIDE_A)), "no promotion writes"}, /* it replaces nothing there */
        {FILES(CREATED(LEDGER_A, BESIDE_A)), NULL},
        {FILES(ENTRY("a", ".a.pingate-abcdef") "," CREATED(LEDGER_A, BESIDE_A)), NULL},
        {FILES(CREATED(LEDGER_A, BESIDE_A) "," ENTRY("a", ".a.pingate-abcdef")), "ascending"},
        {FILES(CREATED(LEDGER_A, BESIDE_A) "," CREATED(LEDGER_A, BESIDE_A)), "ascending"},
        {FILES(CREATED("a", ".a.pingate-abcdef")), "no promotion writes"},
        {FILES(CREATED(".git/hooks/pre-commit", ".pre-commit.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/local/journal.json", ".journal.json.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-11/a.json", ".a.json.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-11/.jsonl", "..jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-11/.a.jsonl", "..a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-1/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-111/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-11/../a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".pingate/ledger/2026-11/b/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED("x/.pingate/ledger/2026-11/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(".PINGATE/ledger/2026-11/a.jsonl", ".a.jsonl.pingate-abcdef")),
         "no promotion writes"},
        {FILES(CREATED(LEDGER_A, ".b.pingate-abcdef")), "temporary name"},
        {FILES("{\"file\":\"" LEDGER_A "\",\"temporary\":\"" BESIDE_A "\",\"new\":\"" B64 "\"}"),
         "entry lacks"},
        {FILES("{\"file\":\"" LEDGER_A "\",\"temporary\":\"" BESIDE_A
               "\",\"old\":false,\"new\":\"" B64 "\"}"),
         "entry lacks"},
        {FILES("{\"file\":\"" LEDGER_A "\",\"temporary\":\"" BESIDE_A
               "\",\"old\":\"\",\"new\":\"" B64 "\"}"),
         "no promotion writes"},
        {FILES("{\"file\":\"a\",\"temporary\":\".a.pingate-abcdef\",\"old\":\"\",\"new\":\"" B64
               "\"}"),
         "64 hex"},
        {FILES(ENTRY("a", "b")), "temporary name"},
        {FILES(ENTRY("a", ".a.pingate-abcde")), "temporary name"},
        {FILES(ENTRY("a", ".a.pingate-abcdefg")), "temporary name"},
        {FILES(ENTRY("a", ".a.pingate-abc/ef")), "temporary name"},
        {FILES(ENTRY("a", "../.a.pingate-abcdef")), "temporary name"},
        {FILES(ENTRY("a", ".b.pingate-abcdef")), "temporary name"},
        {FILES(ENTRY("a", "")), "temporary name"},
        {FILES("{\"file\":\"a\",\"temporary\":\".a.pingate-abcdef\",\"old\":\"x\",\"new\":\"" B64
               "\"}"),
         "64 hex"},
        {FILES(ENTRY("a", ".a.pingate-abcdef") "," ENTRY("a", ".a.pingate-abcdeg")), "ascending"},
        {FILES(ENTRY("b", ".b.pingate-abcdef") "," ENTRY("a", ".a.pingate-abcdeg")), "ascending"},
        {FILES(ENTRY("a\\u0000b", ".a.pingate-abcdef")), "damaged"},
        {"\xff\xfe", "damaged"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct journal journal;
        int result = journal_parse(rows[i].bytes, strlen(rows[i].bytes), &journal, &err);
        if (rows[i].part == NULL)
            ck_assert_msg(result == 0, "row %zu: %s", i, error_message(&err));
        else
            ck_assert_msg(result == -1 && err.kind == ERROR_INPUT &&
                              strstr(error_message(&err), rows[i].part) != NULL &&
                              strstr(error_message(&err), JOURNAL_FILE) != NULL,
                          "row %zu: %s", i, error_message(&err));
        journal_clear(&journal);
        error_clear(&err);
    }
}
END_TEST

/* Every cut of a good journal is an error. */
START_TEST(half_journals) {
    static const char whole[] = FILES(ENTRY("a/b", ".b.pingate-abcDE1"));
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        struct error err = {0};
        struct journal journal;
        unit_fails(journal_parse(whole, length, &journal, &err), &err, ERROR_INPUT, "damaged");
    }
}
END_TEST

START_TEST(temporary_names) {
    char name[TARGET_NAME_LIMIT + 1];
    struct error err = {0};
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(name + 238, "\xc3\xa9", 2); /* cut in its middle: it goes as a whole */
    char *temporary = target_temporary_name(name, "abcdef", &err);
    ck_assert_ptr_nonnull(temporary);
    ck_assert_uint_eq(strlen(temporary), TARGET_NAME_LIMIT - 1);
    ck_assert(target_is_temporary_of(name, temporary));
    free(temporary);
    temporary = target_temporary_name("d/a.yaml", "abcdef", &err);
    ck_assert_str_eq(temporary, ".a.yaml.pingate-abcdef");
    free(temporary);
}
END_TEST

static int make_root(char *root) {
    ck_assert_ptr_nonnull(mkdtemp(root));
    int fd = open(root, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static struct journal one_file(void) {
    static struct journal_file file = {(char *)"a/b", (char *)".b.pingate-abcdef", A64, B64};
    return (struct journal){.state = JOURNAL_INTENT, .items = &file, .count = 1};
}

START_TEST(written_read_removed) {
    char root[] = "/tmp/pingate-journal-XXXXXX";
    int fd = make_root(root);
    struct error err = {0};
    struct journal journal = one_file();
    struct journal got;
    bool present;
    unit_ok(journal_read(fd, &got, &present, &err), &err);
    ck_assert(!present);
    unit_ok(journal_write(fd, &journal, &err), &err);
    journal.state = JOURNAL_DECIDED;
    unit_ok(journal_write(fd, &journal, &err), &err);
    unit_ok(journal_read(fd, &got, &present, &err), &err);
    ck_assert(present);
    ck_assert_int_eq(got.state, JOURNAL_DECIDED);
    ck_assert_uint_eq(got.count, 1);
    ck_assert_str_eq(got.items[0].file, "a/b");
    ck_assert_str_eq(got.items[0].old_hash, A64);
    ck_assert_str_eq(got.items[0].new_hash, B64);
    journal_clear(&got);
    ck_assert_int_eq(faccessat(fd, ".pingate/local/.gitignore", F_OK, 0), 0);
    unit_ok(journal_remove(fd, &err), &err);
    ck_assert_int_eq(faccessat(fd, ".pingate", F_OK, 0), -1);
    unit_ok(journal_remove(fd, &err), &err);
    close(fd);
    unit_ok(file_remove_tree(root, &err), &err);
}
END_TEST

START_TEST(created_file_written_and_read) {
    struct error err = {0};
    struct text bytes = {0};
    struct journal got;
    struct journal_file files[] = {
        {.file = (char *)"a/b", .temporary = (char *)".b.pingate-abcdef", A64, B64},
        {.file = (char *)LEDGER_A, .temporary = (char *)BESIDE_A, "", B64}};
    struct journal journal = {.state = JOURNAL_INTENT, .items = files, .count = 2};
    unit_ok(journal_format(&journal, &bytes, &err), &err);
    ck_assert_ptr_nonnull(strstr(text_string(&bytes), "\"old\":null"));
    unit_ok(journal_parse(text_string(&bytes), bytes.length, &got, &err), &err);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_str_eq(got.items[0].old_hash, A64);
    ck_assert_str_eq(got.items[1].file, LEDGER_A);
    ck_assert_str_eq(got.items[1].old_hash, "");
    ck_assert_str_eq(got.items[1].new_hash, B64);
    journal_clear(&got);
    text_clear(&bytes);
}
END_TEST

/* What others keep in the same folders stays, and so does a .gitignore of theirs. */
START_TEST(others_things_stay) {
    static const char *const rows[] = {".pingate/local/cache", ".pingate/ledger",
                                       ".pingate/local/.gitignore"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char root[] = "/tmp/pingate-journal-XXXXXX";
        int fd = make_root(root);
        struct error err = {0};
        struct journal journal = one_file();
        ck_assert_int_eq(mkdirat(fd, ".pingate", 0755), 0);
        ck_assert_int_eq(mkdirat(fd, ".pingate/local", 0755), 0);
        int other = openat(fd, rows[i], O_CREAT | O_WRONLY, 0644);
        ck_assert_int_eq(write(other, "*\n!x", 4), 4);
        close(other);
        unit_ok(journal_write(fd, &journal, &err), &err);
        unit_ok(journal_remove(fd, &err), &err);
        ck_assert_msg(faccessat(fd, rows[i], F_OK, 0) == 0, "%s", rows[i]);
        close(fd);
        unit_ok(file_remove_tree(root, &err), &err);
    }
}
END_TEST

START_TEST(links_in_its_path) {
    static const char *const rows[] = {".pingate", ".pingate/local", ".pingate/local/journal.json"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char root[] = "/tmp/pingate-journal-XXXXXX";
        int fd = make_root(root);
        struct error err = {0};
        struct journal journal = one_file();
        bool present;
        if (i > 0)
            ck_assert_int_eq(mkdirat(fd, ".pingate", 0755), 0);
        if (i > 1)
            ck_assert_int_eq(mkdirat(fd, ".pingate/local", 0755), 0);
        ck_assert_int_eq(symlinkat("/tmp", fd, rows[i]), 0);
        ck_assert_msg(journal_read(fd, &journal, &present, &err) == -1, "%s", rows[i]);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
        error_clear(&err);
        if (i < 2) {
            journal = one_file();
            ck_assert_msg(journal_write(fd, &journal, &err) == -1, "%s", rows[i]);
            error_clear(&err);
        }
        close(fd);
        unit_ok(file_remove_tree(root, &err), &err);
    }
}
END_TEST

UNIT_MAIN("journal", {
    tcase_add_test(cases, hostile_journals);
    tcase_add_test(cases, half_journals);
    tcase_add_test(cases, temporary_names);
    tcase_add_test(cases, written_read_removed);
    tcase_add_test(cases, created_file_written_and_read);
    tcase_add_test(cases, others_things_stay);
    tcase_add_test(cases, links_in_its_path);
})
