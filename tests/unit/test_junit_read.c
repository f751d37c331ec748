#include "reports/junit_read.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

#define SUITE(attributes, cases) "<testsuite" attributes ">" cases "</testsuite>"
#define PASS                     "<testcase name=\"good\"/>"

START_TEST(table) {
    static const struct {
        const char *file;
        enum outcome outcome;
        size_t tests, passed, failed, skipped, flaky;
        const char *first, *why;
    } rows[] = {
        {SUITE("", PASS), OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        {"<testsuites>" SUITE("", PASS) SUITE("", PASS) "</testsuites>", OUTCOME_PASSED, 2, 2, 0, 0,
         0, NULL, NULL},
        {SUITE("", SUITE("", SUITE("", PASS))), OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        {"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a -->\n" SUITE("",
                                                                                      PASS) "\n",
         OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        {"<?xml version='1.0' encoding='ISO-8859-1'?>" SUITE("", "<testcase name=\"\xe9\"/>"),
         OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        {SUITE(" failures=\"0\" errors=\"0\" tests=\"7\"", PASS), OUTCOME_PASSED, 1, 1, 0, 0, 0,
         NULL, NULL},
        {SUITE("", PASS "<testcase name=\"s\"><skipped message=\"why\"/></testcase>"),
         OUTCOME_PASSED, 2, 1, 0, 1, 0, NULL, NULL},
        {SUITE("", PASS "<testcase name=\"s\" status=\"notrun\"/>"), OUTCOME_PASSED, 2, 1, 0, 1, 0,
         NULL, NULL},
        {SUITE("", "<testcase status=\"run\" result=\"completed\"/>"), OUTCOME_PASSED, 1, 1, 0, 0,
         0, NULL, NULL},
        {SUITE("", "<properties><property name=\"a\" value=\"failure\"/></properties>" PASS
                   "<system-out>failed &lt;failure&gt;</system-out>"),
         OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        {SUITE("", "<testcase><system-out><![CDATA[<failure/>]]></system-out></testcase>"),
         OUTCOME_PASSED, 1, 1, 0, 0, 0, NULL, NULL},
        /* failures */
        {SUITE("", PASS "<testcase name=\"bad\"><failure/></testcase>"), OUTCOME_FAILED, 2, 1, 1, 0,
         0, "bad", NULL},
        {SUITE("", "<testcase name=\"bad\"><error message=\"m\">t</error></testcase>" PASS),
         OUTCOME_FAILED, 2, 1, 1, 0, 0, "bad", NULL},
        {SUITE("", "<testcase name=\"bad\"><skipped/><failure/></testcase>" PASS), OUTCOME_FAILED,
         2, 1, 1, 0, 0, "bad", NULL},
        {SUITE("", "<testcase name=\"bad\"><failure/><skipped/></testcase>" PASS), OUTCOME_FAILED,
         2, 1, 1, 0, 0, "bad", NULL},
        {SUITE("", "<testcase><failure/></testcase>"), OUTCOME_FAILED, 1, 0, 1, 0, 0, NULL, NULL},
        {SUITE("", "<testcase name=\"a\"><failure/></testcase>"
                   "<testcase name=\"b\"><failure/></testcase>"),
         OUTCOME_FAILED, 2, 0, 2, 0, 0, "a", NULL},
        {SUITE("", PASS "<testcase name=\"bad\" status=\"failed\"/>"), OUTCOME_FAILED, 2, 1, 1, 0,
         0, "bad", NULL},
        {SUITE("", PASS "<testcase name=\"bad\" result=\"error\"/>"), OUTCOME_FAILED, 2, 1, 1, 0, 0,
         "bad", NULL},
        {SUITE("", "<testcase name=\"bad\"><steps><failure/></steps></testcase>"), OUTCOME_FAILED,
         1, 0, 1, 0, 0, "bad", NULL},
        /* told, though no case tells it */
        {SUITE(" failures=\"1\"", PASS), OUTCOME_FAILED, 1, 1, 0, 0, 0, NULL, "that no test has"},
        {SUITE(" errors=\"2\"", PASS), OUTCOME_FAILED, 1, 1, 0, 0, 0, NULL, "that no test has"},
        {SUITE(" errors=\"-1\"", PASS), OUTCOME_FAILED, 1, 1, 0, 0, 0, NULL, "that no test has"},
        {SUITE(" errors=\"99999999999999999999999\"", PASS), OUTCOME_FAILED, 1, 1, 0, 0, 0, NULL,
         "that no test has"},
        {"<testsuites failures=\"1\">" SUITE("", PASS) "</testsuites>", OUTCOME_FAILED, 1, 1, 0, 0,
         0, NULL, "that no test has"},
        {SUITE("", PASS "<error>the suite could not be taken down</error>"), OUTCOME_FAILED, 1, 1,
         0, 0, 0, NULL, "that no test has"},
        /* nothing ran */
        {SUITE("", ""), OUTCOME_FAILED, 0, 0, 0, 0, 0, NULL, "it holds no test"},
        {"<testsuites/>", OUTCOME_FAILED, 0, 0, 0, 0, 0, NULL, "it holds no test"},
        {SUITE(" tests=\"3\"", ""), OUTCOME_FAILED, 0, 0, 0, 0, 0, NULL, "it holds no test"},
        {SUITE("", "<testcase><skipped/></testcase>"), OUTCOME_FAILED, 1, 0, 0, 1, 0, NULL,
         "no test of it ran"},
        {SUITE("", "<test name=\"of another form\"/>"), OUTCOME_FAILED, 0, 0, 0, 0, 0, NULL,
         "it holds no test"},
        /* run again */
        {SUITE("", "<testcase name=\"f\"><flakyFailure type=\"t\"/></testcase>"), OUTCOME_FLAKY, 1,
         1, 0, 0, 1, NULL, NULL},
        {SUITE("", "<testcase name=\"f\"><flakyError/></testcase>" PASS), OUTCOME_FLAKY, 2, 2, 0, 0,
         1, NULL, NULL},
        {SUITE("", "<testcase name=\"f\"><failure/><rerunFailure/></testcase>"), OUTCOME_FAILED, 1,
         0, 1, 0, 0, "f", NULL},
        {SUITE("", "<testcase name=\"f\"><rerunError/></testcase>" PASS), OUTCOME_FAILED, 2, 1, 1,
         0, 0, "f", NULL},
        {SUITE("",
               "<testcase><flakyFailure/></testcase><testcase name=\"b\"><failure/></testcase>"),
         OUTCOME_FAILED, 2, 1, 1, 0, 1, "b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct junit_totals got;
        unit_ok(junit_read(rows[i].file, strlen(rows[i].file), &got, &err), &err);
        ck_assert_msg(got.outcome == rows[i].outcome && got.tests == rows[i].tests &&
                          got.passed == rows[i].passed && got.failed == rows[i].failed &&
                          got.skipped == rows[i].skipped && got.flaky == rows[i].flaky,
                      "row %zu: %s, %zu tests: %zu passed, %zu failed, %zu skipped, %zu flaky: %s",
                      i, outcome_name(got.outcome), got.tests, got.passed, got.failed, got.skipped,
                      got.flaky, rows[i].file);
        ck_assert_msg(string_equal(got.first, rows[i].first), "row %zu: %s", i, got.first);
        ck_assert_msg((got.why == NULL) == (rows[i].why == NULL) &&
                          (got.why == NULL || strstr(got.why, rows[i].why) != NULL),
                      "row %zu: %s", i, got.why);
        junit_totals_clear(&got);
    }
}
END_TEST

START_TEST(refused) {
    static const struct {
        const char *file;
        enum error_kind kind;
        const char *words;
    } rows[] = {
        {"", ERROR_INPUT, "1:1: no element found"},
        {"ok 1 - it is TAP\n", ERROR_INPUT, "1:1: syntax error"},
        {"<testsuite>" PASS, ERROR_INPUT, "no element found"},
        {"<testsuite>" PASS "</testsuites>", ERROR_INPUT, "mismatched tag"},
        {SUITE("", PASS) SUITE("", PASS), ERROR_INPUT, "junk after document element"},
        {SUITE("", "\x1b[31m"), ERROR_INPUT, "not well-formed"},
        {SUITE("", "&#27;"), ERROR_INPUT, "reference to invalid character"},
        {SUITE("", "\xff"), ERROR_INPUT, "not well-formed"},
        {SUITE("", "&unknown;"), ERROR_INPUT, "undefined entity"},
        {"<html><body/></html>", ERROR_INPUT, "begins with <html>"},
        {"<coverage/>", ERROR_INPUT, "begins with <testsuites>"},
        {"<!DOCTYPE testsuite>" SUITE("", PASS), ERROR_INPUT, "line 1: a document type"},
        {"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><testsuite>&b;</testsuite>",
         ERROR_INPUT, "a document type"},
        {"<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><testsuite/>", ERROR_INPUT,
         "a document type"},
        {"<!DOCTYPE a [<!ENTITY x \"xxxx\"><!ENTITY y \"&x;&x;\">]><testsuite>&y;</testsuite>",
         ERROR_INPUT, "a document type"},
        {"<?xml version='1.0' encoding='EBCDIC-CP-NL'?>" SUITE("", PASS), ERROR_INPUT,
         "unknown encoding"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct junit_totals got;
        unit_fails(junit_read(rows[i].file, strlen(rows[i].file), &got, &err), &err, rows[i].kind,
                   rows[i].words);
    }
}
END_TEST

static void repeat(struct text *text, const char *words, size_t times) {
    for (size_t i = 0; i < times; i++)
        text_add(text, words);
}

START_TEST(bounded) {
    struct error err = {0};
    struct junit_totals got;
    struct text file = {0};
    repeat(&file, "<testsuite>", 200000);
    unit_fails(junit_read(text_string(&file), file.length, &got, &err), &err, ERROR_LIMIT,
               "too deep");
    text_truncate(&file, 0);
    text_add(&file, "<testsuite");
    for (int i = 0; i < 2000; i++)
        text_printf(&file, " a%d=\"\"", i);
    text_add(&file, "/>");
    unit_fails(junit_read(text_string(&file), file.length, &got, &err), &err, ERROR_LIMIT,
               "too many attributes");
    text_truncate(&file, 0);
    text_add(&file, "<testsuite>");
    repeat(&file, "<testcase/>", JUNIT_CASES_LIMIT + 1);
    unit_fails(junit_read(text_string(&file), file.length, &got, &err), &err, ERROR_LIMIT,
               "more than 1000000 tests");
    text_truncate(&file, 0);
    text_add(&file, "<testsuite><testcase name=\"");
    repeat(&file, "x", 1 << 20);
    text_add(&file, "\"><failure/></testcase></testsuite>");
    unit_ok(junit_read(text_string(&file), file.length, &got, &err), &err);
    ck_assert_uint_eq(strlen(got.first), JUNIT_WORDS_LIMIT);
    junit_totals_clear(&got);
    text_clear(&file);
}
END_TEST

UNIT_MAIN("junit_read", {
    tcase_add_test(cases, table);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, bounded);
})
