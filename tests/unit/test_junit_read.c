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
    ck_assert_uint_eq(strlen(got.first), JUNIT_NAME_LIMIT);
    junit_totals_clear(&got);
    text_clear(&file);
}
END_TEST

static void read_kept(const char *file, struct junit_keep *keep) {
    struct error err = {0};
    struct junit_totals totals;
    unit_ok(junit_read_kept(file, strlen(file), "out/a.xml", keep, &totals, &err), &err);
    junit_totals_clear(&totals);
}

/* Suites and cases as one line. */
static void kept_words(const struct junit_keep *keep, struct text *out) {
    for (size_t i = 0; i < keep->count; i++) {
        const struct result_suite *suite = &keep->items[i];
        text_printf(out, "[%s|%s|%zu=%zu+%zu+%zu+%zu|%lld]", suite->file, suite->name, suite->tests,
                    suite->failed, suite->errors, suite->skipped, suite->flaky,
                    (long long)suite->duration_ms);
        for (size_t k = 0; k < suite->case_count; k++) {
            const struct result_case *one = &suite->cases[k];
            text_printf(out, " %s.%s=%s", or_empty(one->classname), one->name,
                        outcome_name(one->outcome));
            text_printf(out, "(%s|%s|%lld)", or_empty(one->message), or_empty(one->detail),
                        (long long)one->duration_ms);
        }
    }
}

START_TEST(kept) {
    static const struct {
        const char *file, *words;
    } rows[] = {
        {SUITE(" name=\"s\"", "<testcase classname=\"c\" name=\"n\" time=\"1.2345\"/>"),
         "[out/a.xml|s|1=0+0+0+0|1234] c.n=passed(||1234)"},
        /* what failed first */
        {SUITE("", PASS "<testcase name=\"s\"><skipped message=\"why\"/></testcase>"
                        "<testcase name=\"e\"><error type=\"T\">  one\ntwo</error></testcase>"
                        "<testcase name=\"y\"><flakyFailure message=\"m\"><stackTrace>st"
                        "</stackTrace></flakyFailure></testcase>"
                        "<testcase name=\"f\"><failure message=\"m\">d</failure>"
                        "<system-out>not this</system-out></testcase>"),
         "[out/a.xml||5=1+1+1+1|0] .e=error(T|one\ntwo|0) .f=failed(m|d|0) .y=flaky(m|st|0) "
         ".s=skipped(why||0) .good=passed(||0)"},
        /* what failed tells more than why it was skipped; the first failure counts; no message: the first line */
        {SUITE("", "<testcase name=\"a\"><skipped message=\"s\"/><failure>\n l1\nl2</failure>"
                   "<error message=\"later\"/></testcase>"),
         "[out/a.xml||1=1+0+0+0|0] .a=failed(l1|l1\nl2|0)"},
        {SUITE("", "<testcase name=\"a\" status=\"failed\"/>"),
         "[out/a.xml||1=1+0+0+0|0] .a=failed(||0)"},
        {SUITE("", "<testcase name=\"a\"><rerunFailure message=\"r\"/></testcase>"),
         "[out/a.xml||1=1+0+0+0|0] .a=failed(r||0)"},
        /* suites within suites; those without cases of their own are none */
        {"<testsuites name=\"all\">" SUITE(" name=\"x\"", SUITE(" name=\"y\"", PASS) PASS)
             SUITE("", "") "</testsuites>",
         "[out/a.xml|all / x / y|1=0+0+0+0|0] .good=passed(||0)[out/a.xml|all / x|1=0+0+0+0|0] "
         ".good=passed(||0)"},
        /* times */
        {SUITE("", "<testcase name=\"a\" time=\"1,234.5\"/><testcase name=\"b\" time=\"-1\"/>"
                   "<testcase name=\"c\" time=\"1e9\"/><testcase name=\"d\" time=\"NaN\"/>"
                   "<testcase name=\"e\" time=\"99999999999999999999\"/>"
                   "<testcase name=\"f\" time=\".0019\"/>"),
         "[out/a.xml||6=0+0+0+0|1234501] .a=passed(||1234500) .b=passed(||0) .c=passed(||0) "
         ".d=passed(||0) .e=passed(||0) .f=passed(||1)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct junit_keep keep = {0};
        struct text words = {0};
        read_kept(rows[i].file, &keep);
        junit_keep_finish(&keep);
        kept_words(&keep, &words);
        ck_assert_msg(strcmp(text_string(&words), rows[i].words) == 0, "row %zu: %s", i,
                      text_string(&words));
        text_clear(&words);
        junit_keep_clear(&keep);
    }
}
END_TEST

/* Of too many cases of each kind all are counted, and each kind has its room. */
START_TEST(kept_is_bounded) {
    struct junit_keep keep = {0};
    struct text file = {0};
    text_add(&file, "<testsuite>");
    repeat(&file, "<testcase name=\"p\"/>", 20000);
    repeat(&file, "<testcase name=\"s\"><skipped/></testcase>", 20000);
    repeat(&file, "<testcase name=\"y\"><flakyError/></testcase>", 20000);
    repeat(&file, "<testcase name=\"f\"><failure/></testcase>", 20000);
    text_add(&file, "</testsuite>");
    read_kept(text_string(&file), &keep);
    junit_keep_finish(&keep);
    ck_assert_uint_eq(keep.count, 1);
    ck_assert_uint_eq(keep.items[0].tests, 80000);
    ck_assert_uint_eq(keep.items[0].failed, 20000);
    ck_assert_uint_eq(keep.items[0].case_count, JUNIT_FAILED_KEPT + JUNIT_FLAKY_KEPT +
                                                    JUNIT_SKIPPED_KEPT + JUNIT_PASSED_KEPT);
    ck_assert_int_eq(keep.items[0].cases[JUNIT_FAILED_KEPT - 1].outcome, OUTCOME_FAILED);
    ck_assert_int_eq(keep.items[0].cases[JUNIT_FAILED_KEPT].outcome, OUTCOME_FLAKY);
    junit_keep_counts(&keep);
    ck_assert_uint_eq(keep.items[0].case_count, 0);
    ck_assert_uint_eq(keep.items[0].tests, 80000);
    junit_keep_clear(&keep);
    text_truncate(&file, 0);
    text_add(&file, "<testsuites>");
    repeat(&file, "<testsuite>" PASS "</testsuite>", 5000);
    text_add(&file, "</testsuites>");
    read_kept(text_string(&file), &keep);
    ck_assert_uint_eq(keep.count, JUNIT_SUITES_KEPT);
    ck_assert_str_eq(keep.items[JUNIT_SUITES_KEPT - 1].name, "(more suites)");
    ck_assert_uint_eq(keep.items[JUNIT_SUITES_KEPT - 1].tests, 5000 - JUNIT_SUITES_KEPT + 1);
    junit_keep_clear(&keep);
    /* long texts: each is cut, and once there are too many of them only failures are kept */
    text_truncate(&file, 0);
    text_add(&file, "<testsuite>");
    for (int i = 0; i < 3000; i++) {
        text_add(&file, "<testcase name=\"");
        repeat(&file, "é", 1000);
        text_add(&file, i % 2 == 0 ? "\"><skipped>" : "\"><failure>");
        repeat(&file, "é", 5000);
        text_add(&file, i % 2 == 0 ? "</skipped></testcase>" : "</failure></testcase>");
    }
    text_add(&file, "</testsuite>");
    read_kept(text_string(&file), &keep);
    junit_keep_finish(&keep);
    ck_assert_uint_eq(keep.items[0].tests, 3000);
    ck_assert_uint_eq(keep.kept[JUNIT_FAILED], JUNIT_FAILED_KEPT);
    ck_assert_uint_lt(keep.kept[JUNIT_SKIPPED], JUNIT_SKIPPED_KEPT);
    ck_assert_uint_le(keep.bytes, JUNIT_KEPT_BYTES + 2000000);
    ck_assert_uint_eq(strlen(keep.items[0].cases[0].name), JUNIT_NAME_LIMIT);
    ck_assert_uint_le(strlen(keep.items[0].cases[0].detail), JUNIT_DETAIL_LIMIT);
    junit_keep_clear(&keep);
    text_clear(&file);
}
END_TEST

UNIT_MAIN("junit_read", {
    tcase_add_test(cases, kept);
    tcase_add_test(cases, kept_is_bounded);
    tcase_add_test(cases, table);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, bounded);
})
