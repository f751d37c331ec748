#include "pipelines/trial_junit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "tests/unit/unit.h"

#define GOOD    "<testsuite name=\"s\"><testcase classname=\"c\" name=\"good\"/></testsuite>"
#define SKIPPED "<testsuite><testcase name=\"s\"><skipped/></testcase></testsuite>"
#define BAD                                                                                        \
    "<testsuite><testcase name=\"good\"/><testcase name=\"ba\nd\"><failure message=\"no\"/>"       \
    "</testcase></testsuite>"
#define FLAKY "<testsuite><testcase name=\"f\"><flakyFailure/></testcase></testsuite>"

static const struct row {
    const char *patterns[3];
    const char *files[3][2]; /* path, content */
    enum outcome before;
    size_t old, left;
    const char *broken; /* why not all files came; NULL: they did */
    enum outcome after;
    const char *reason;  /* part of it; NULL: it stays as it was */
    const char *warning; /* part of the first; NULL: there is none */
} rows[] = {
    {{"a.xml"}, {{"a.xml", GOOD}}, OUTCOME_PASSED, 0, 0, NULL, OUTCOME_PASSED, NULL, NULL},
    {{"a.xml"},
     {{"a.xml", BAD}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "junit: 1 of 2 tests failed: first \"ba d\": no",
     NULL},
    {{"**/*.xml"},
     {{"d/a.xml", GOOD}, {"d/b.xml", BAD}, {"d/c.xml", BAD}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "junit: 2 of 5 tests failed: first \"ba d\": no",
     NULL},
    /* a failure stays what it is */
    {{"a.xml"}, {{"a.xml", GOOD}}, OUTCOME_FAILED, 0, 0, NULL, OUTCOME_FAILED, NULL, NULL},
    {{"a.xml"}, {{"a.xml", BAD}}, OUTCOME_TIMED_OUT, 0, 0, NULL, OUTCOME_TIMED_OUT, NULL, NULL},
    {{"a.xml"}, {{0}}, OUTCOME_FAILED, 0, 0, NULL, OUTCOME_FAILED, NULL, "no JUnit file matched"},
    {{"a.xml"}, {{"a.xml", "<x"}}, OUTCOME_OOM, 0, 0, NULL, OUTCOME_OOM, NULL, "as JUnit: 1:1"},
    {{"a.xml"}, {{0}}, OUTCOME_ERROR, 0, 0, NULL, OUTCOME_ERROR, NULL, NULL},
    /* nothing proves that tests ran */
    {{"a.xml"},
     {{0}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "no JUnit file matched a.xml: nothing proves",
     NULL},
    {{"a.xml", "b.xml"},
     {{"a.xml", GOOD}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "no JUnit file matched b.xml: nothing proves",
     NULL},
    {{"a.xml"},
     {{0}},
     OUTCOME_PASSED,
     1,
     0,
     NULL,
     OUTCOME_FAILED,
     "matched a.xml but what came with the project",
     NULL},
    {{"*.xml"}, {{"a.xml", GOOD}}, OUTCOME_PASSED, 1, 0, NULL, OUTCOME_PASSED, NULL, NULL},
    {{"a.xml"},
     {{"a.xml", SKIPPED}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "no test ran and passed in the files that match a.xml",
     NULL},
    {{"a.xml"},
     {{"a.xml", "<testsuites/>"}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "no test ran and passed",
     NULL},
    {{"*.xml"},
     {{"a.xml", SKIPPED}, {"b.xml", GOOD}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_PASSED,
     NULL,
     NULL},
    {{"a.xml", "b.xml"},
     {{"a.xml", SKIPPED}, {"b.xml", GOOD}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "files that match a.xml",
     NULL},
    /* what is no JUnit */
    {{"*.xml"},
     {{"a.xml", GOOD}, {"b.xml", "<testsuite>"}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "junit: b.xml cannot be read as JUnit: 1:12: no element found",
     NULL},
    {{"d"},
     {{"d/b.xml", GOOD}, {"d/b.bin", "\1"}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_PASSED,
     NULL,
     NULL},
    {{"*.xml"},
     {{"a.xml", "<testsuite failures=\"2\"><testcase name=\"x\"/></testsuite>"}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FAILED,
     "junit: a.xml: it tells of failures that no test has",
     NULL},
    {{"*.xml"},
     {{"a.xml", GOOD}},
     OUTCOME_PASSED,
     0,
     1,
     NULL,
     OUTCOME_FAILED,
     "1 of the files that were asked for is a link",
     NULL},
    /* not all came: a failure among those that did is one, but no pass is */
    {{"*.xml"},
     {{"a.xml", GOOD}},
     OUTCOME_PASSED,
     0,
     0,
     "the engine is gone",
     OUTCOME_ERROR,
     "junit: not all files came: the engine is gone",
     NULL},
    {{"*.xml"},
     {{"a.xml", BAD}},
     OUTCOME_PASSED,
     0,
     0,
     "the engine is gone",
     OUTCOME_FAILED,
     "1 of 2 tests failed",
     NULL},
    {{"*.xml"},
     {{0}},
     OUTCOME_PASSED,
     0,
     0,
     "the engine is gone",
     OUTCOME_ERROR,
     "not all files came",
     NULL},
    {{"*.xml"},
     {{"a.xml", FLAKY}},
     OUTCOME_PASSED,
     0,
     0,
     NULL,
     OUTCOME_FLAKY,
     "junit: 1 of 1 test passed only when run again",
     NULL},
};

static void write_file(const char *root, const char *path, const char *content) {
    struct error err = {0};
    char *whole = file_join(root, path, &err);
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    unit_ok(file_make_folders(whole, &err), &err);
    *slash = '/';
    unit_ok(file_replace(whole, content, strlen(content), &err), &err);
    free(whole);
}

START_TEST(of_row) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    char root[] = "/tmp/pingate-junit.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(root));
    struct test test = {0};
    struct trial_spec spec = {.test = &test, .artifact_folder = root};
    struct command_result command = {.out_path = root};
    struct trial_result result = {.outcome = row->before, .commands = &command, .command_count = 1};
    struct artifacts *artifacts = &result.artifacts;
    artifacts->junit_old = row->old;
    artifacts->junit_left = row->left;
    artifacts->incomplete = row->broken != NULL;
    if (row->broken != NULL)
        unit_ok(string_list_add(&artifacts->warnings, row->broken, &err), &err);
    for (size_t i = 0; i < 3 && row->patterns[i] != NULL; i++)
        unit_ok(string_list_add(&test.junit, row->patterns[i], &err), &err);
    for (size_t i = 0; i < 3 && row->files[i][0] != NULL; i++) {
        write_file(root, row->files[i][0], row->files[i][1]);
        if (strstr(row->files[i][0], ".xml") != NULL)
            unit_ok(string_list_add(&artifacts->junit, row->files[i][0], &err), &err);
    }
    unit_ok(trial_junit_check(&spec, &result, &err), &err);
    ck_assert_msg(result.outcome == row->after, "row %d: %s: %s", _i, outcome_name(result.outcome),
                  or_empty(result.reason));
    ck_assert_msg((result.reason == NULL) == (row->reason == NULL) &&
                      (row->reason == NULL || strstr(result.reason, row->reason) != NULL),
                  "row %d: %s", _i, or_empty(result.reason));
    const struct trial_junit *found = result.found;
    ck_assert_ptr_nonnull(found);
    ck_assert_msg((found->warnings.count == 0) == (row->warning == NULL), "row %d: %zu warnings",
                  _i, found->warnings.count);
    ck_assert_msg(row->warning == NULL || strstr(found->warnings.items[0], row->warning) != NULL,
                  "row %d: %s", _i, found->warnings.items[0]);
    result.found_free(result.found);
    string_list_clear(&artifacts->warnings);
    string_list_clear(&artifacts->junit);
    string_list_clear(&test.junit);
    free(result.reason);
    unit_ok(file_remove_tree(root, &err), &err);
}
END_TEST

/* No `junit`, or nothing ran: nothing is asked. */
START_TEST(not_asked) {
    struct error err = {0};
    struct test test = {0};
    struct trial_spec spec = {.test = &test};
    struct command_result command = {.exit_code = -1};
    struct trial_result result = {
        .outcome = OUTCOME_PASSED, .commands = &command, .command_count = 1};
    unit_ok(trial_junit_check(&spec, &result, &err), &err);
    unit_ok(string_list_add(&test.junit, "a.xml", &err), &err);
    result.outcome = OUTCOME_ERROR;
    unit_ok(trial_junit_check(&spec, &result, &err), &err);
    ck_assert_ptr_null(result.found);
    string_list_clear(&test.junit);
}
END_TEST

UNIT_MAIN("trial_junit", {
    tcase_add_loop_test(cases, of_row, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(cases, not_asked);
})
