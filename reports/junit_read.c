#include "reports/junit_read.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/base/xml.h"

enum case_state { CASE_PASSED, CASE_SKIPPED, CASE_FAILED };

struct reading {
    struct junit_totals *totals;
    size_t depth;          /* of open elements */
    size_t case_depth;     /* at which the open <testcase> stands; 0: none */
    enum case_state state; /* of the open case */
    bool flaky, rerun;     /* it failed first; it failed again and again */
    char *name;            /* of the open case */
    bool told_failed;      /* an attribute tells of failures, or a suite has an error of its own */
};

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* An attribute that counts something: anything but zeros, or nothing, is above zero. */
static bool is_above_zero(const char *const *attributes, const char *name) {
    const char *value = xml_attribute(attributes, name);
    return value != NULL && value[strspn(value, "0 ")] != '\0';
}

static int start_suite(struct reading *reading, const char *const *attributes) {
    reading->told_failed = reading->told_failed || is_above_zero(attributes, "failures") ||
                           is_above_zero(attributes, "errors");
    return 0;
}

/* Writers that have no <failure> for what ended otherwise than by an assertion. */
static bool attribute_tells_failure(const char *const *attributes) {
    static const char *const bad[] = {"failed",  "failure",  "fail", "error",
                                      "aborted", "FAILED",   "FAIL", "ERROR",
                                      "Failed",  "timedout", NULL};
    const char *status = xml_attribute(attributes, "status");
    const char *result = xml_attribute(attributes, "result");
    return (status != NULL && is_one_of(status, bad)) || (result != NULL && is_one_of(result, bad));
}

static int start_case(struct reading *reading, const char *const *attributes, struct error *err) {
    if (++reading->totals->tests > JUNIT_CASES_LIMIT)
        return error_set(err, ERROR_LIMIT, "more than %u tests", JUNIT_CASES_LIMIT);
    const char *name = xml_attribute(attributes, "name");
    const char *status = xml_attribute(attributes, "status");
    const char *result = xml_attribute(attributes, "result");
    static const char *const left_out[] = {"notrun", "skipped", "disabled", "suppressed", NULL};
    reading->case_depth = reading->depth;
    reading->flaky = reading->rerun = false;
    reading->state = attribute_tells_failure(attributes) ? CASE_FAILED
                     : (status != NULL && is_one_of(status, left_out)) ||
                             (result != NULL && is_one_of(result, left_out))
                         ? CASE_SKIPPED
                         : CASE_PASSED;
    free(steal(reading->name));
    if (name == NULL)
        return 0;
    reading->name = string_dup_length(name, strnlen(name, JUNIT_WORDS_LIMIT), err);
    return reading->name != NULL ? 0 : -1;
}

static int on_start(void *context, const char *name, const char *const *attributes,
                    struct error *err) {
    static const char *const failures[] = {"failure", "error", NULL};
    static const char *const again[] = {"flakyFailure", "flakyError", NULL};
    static const char *const in_vain[] = {"rerunFailure", "rerunError", NULL};
    struct reading *reading = context;
    reading->depth++;
    bool suite = strcmp(name, "testsuite") == 0 || strcmp(name, "testsuites") == 0;
    if (reading->depth == 1 && !suite)
        return error_set(err, ERROR_INPUT,
                         "it begins with <%.60s>, and a JUnit file begins with <testsuites> or "
                         "<testsuite>",
                         name);
    if (suite)
        return start_suite(reading, attributes);
    if (strcmp(name, "testcase") == 0 && reading->case_depth == 0)
        return start_case(reading, attributes, err);
    if (is_one_of(name, failures)) {
        reading->told_failed = true;
        if (reading->case_depth != 0)
            reading->state = CASE_FAILED;
    } else if (is_one_of(name, in_vain)) {
        reading->rerun = true;
    } else if (is_one_of(name, again)) {
        reading->flaky = true;
    } else if (strcmp(name, "skipped") == 0 && reading->case_depth != 0 &&
               reading->state == CASE_PASSED) {
        reading->state = CASE_SKIPPED;
    }
    return 0;
}

static void end_case(struct reading *reading) {
    struct junit_totals *totals = reading->totals;
    reading->case_depth = 0;
    if (reading->state == CASE_PASSED && reading->rerun)
        reading->state = CASE_FAILED;
    totals->failed += reading->state == CASE_FAILED;
    totals->skipped += reading->state == CASE_SKIPPED;
    totals->passed += reading->state == CASE_PASSED;
    totals->flaky += reading->state == CASE_PASSED && reading->flaky;
    if (reading->state == CASE_FAILED && totals->first == NULL)
        totals->first = steal(reading->name);
}

static int on_end(void *context, const char *name, struct error *err) {
    struct reading *reading = context;
    (void)name;
    (void)err;
    if (reading->depth == reading->case_depth)
        end_case(reading);
    reading->depth--;
    return 0;
}

/* What all of it comes to. */
static int conclude(const struct reading *reading, struct error *err) {
    struct junit_totals *totals = reading->totals;
    totals->outcome = OUTCOME_FAILED;
    if (totals->failed > 0)
        return 0;
    if (reading->told_failed)
        totals->why = string_dup("it tells of failures that no test has", err);
    else if (totals->passed == 0)
        totals->why =
            string_dup(totals->tests == 0 ? "it holds no test" : "no test of it ran", err);
    else
        totals->outcome = totals->flaky > 0 ? OUTCOME_FLAKY : OUTCOME_PASSED;
    return totals->outcome != OUTCOME_FAILED || totals->why != NULL ? 0 : -1;
}

int junit_read(const char *bytes, size_t length, struct junit_totals *out, struct error *err) {
    static const struct xml_handlers handlers = {.start = on_start, .end = on_end};
    struct reading reading = {.totals = out};
    *out = (struct junit_totals){0};
    int result = xml_read(bytes, length, &handlers, &reading, err);
    free(reading.name);
    if (result == 0)
        result = conclude(&reading, err);
    if (result < 0)
        junit_totals_clear(out);
    return result;
}

void junit_totals_clear(struct junit_totals *totals) {
    free(totals->first);
    free(totals->why);
    *totals = (struct junit_totals){0};
}
