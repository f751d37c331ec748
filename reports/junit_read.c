#include "reports/junit_read.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/base/xml.h"

enum case_state { CASE_PASSED, CASE_SKIPPED, CASE_FAILED };

/* A suite that is open. */
struct open_suite {
    size_t depth; /* of its element */
    size_t index; /* in keep->items */
    bool placed;  /* it has one: it had a case */
    char *name;   /* with those of the suites around it; NULL where none has a name */
};

struct reading {
    struct junit_totals *totals;
    struct junit_keep *keep; /* NULL: only the totals are wanted */
    const char *file;
    struct open_suite suites[XML_DEPTH + 1]; /* with keep */
    size_t suite_count;
    size_t depth;          /* of open elements */
    size_t case_depth;     /* at which the open <testcase> stands; 0: none */
    enum case_state state; /* of the open case */
    bool broke;            /* an <error> tells that it failed */
    bool flaky, rerun;     /* it failed first; it failed again and again */
    char *name;            /* of the open case */
    char *classname;       /* … with keep */
    char *message;         /* … of the first element that tells its outcome; NULL so far */
    struct text detail;    /* … the text in it */
    size_t detail_depth;   /* at which that element stands; 0: it is closed, or there is none */
    bool detailed;         /* there was one */
    int64_t duration_ms;   /* of the open case */
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

static int start_suite(struct reading *reading, const char *const *attributes, struct error *err) {
    reading->told_failed = reading->told_failed || is_above_zero(attributes, "failures") ||
                           is_above_zero(attributes, "errors");
    if (reading->keep == NULL)
        return 0;
    const char *around =
        reading->suite_count > 0 ? reading->suites[reading->suite_count - 1].name : NULL;
    const char *name = xml_attribute(attributes, "name");
    struct open_suite *suite = &reading->suites[reading->suite_count++];
    *suite = (struct open_suite){.depth = reading->depth};
    bool both = or_empty(name)[0] != '\0' && around != NULL;
    if (both)
        suite->name = string_format(err, "%s / %.*s", around, (int)JUNIT_NAME_LIMIT, name);
    else if (around != NULL || or_empty(name)[0] != '\0')
        suite->name =
            string_format(err, "%.*s", (int)JUNIT_NAME_LIMIT, around != NULL ? around : name);
    else
        return 0;
    return suite->name != NULL ? 0 : -1;
}

static void end_suite(struct reading *reading) {
    if (reading->suite_count > 0 &&
        reading->suites[reading->suite_count - 1].depth == reading->depth)
        free(reading->suites[--reading->suite_count].name);
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

/* "1.25", "1,234.5", seconds; what is no plain number is nothing. */
static int64_t milliseconds_of(const char *words) {
    int64_t ms = 0;
    int64_t unit = 0; /* of the next digit behind the point; 0: it was not yet seen */
    for (; words != NULL && *words != '\0'; words++) {
        if (*words == ',')
            continue;
        if (*words == '.' && unit == 0)
            unit = 100;
        else if (*words < '0' || *words > '9' || ms > INT64_C(1000000000000))
            return 0;
        else if (unit == 0)
            ms = ms * 10 + (*words - '0') * 1000;
        else if (unit > 0) {
            ms += (*words - '0') * unit;
            unit = unit > 1 ? unit / 10 : -1; /* the rest is less than a millisecond */
        }
    }
    return ms;
}

static int copy_words(const char *words, size_t limit, char **out, struct error *err) {
    free(steal(*out));
    if (words == NULL)
        return 0;
    *out = string_dup_length(words, strnlen(words, limit), err);
    return *out != NULL ? 0 : -1;
}

static int start_case(struct reading *reading, const char *const *attributes, struct error *err) {
    if (++reading->totals->tests > JUNIT_CASES_LIMIT)
        return error_set(err, ERROR_LIMIT, "more than %u tests", JUNIT_CASES_LIMIT);
    const char *status = xml_attribute(attributes, "status");
    const char *result = xml_attribute(attributes, "result");
    static const char *const left_out[] = {"notrun", "skipped", "disabled", "suppressed", NULL};
    reading->case_depth = reading->depth;
    reading->flaky = reading->rerun = reading->broke = reading->detailed = false;
    reading->state = attribute_tells_failure(attributes) ? CASE_FAILED
                     : (status != NULL && is_one_of(status, left_out)) ||
                             (result != NULL && is_one_of(result, left_out))
                         ? CASE_SKIPPED
                         : CASE_PASSED;
    reading->duration_ms = milliseconds_of(xml_attribute(attributes, "time"));
    free(steal(reading->message));
    text_truncate(&reading->detail, 0);
    const char *class = reading->keep != NULL ? xml_attribute(attributes, "classname") : NULL;
    return copy_words(class, JUNIT_NAME_LIMIT + 1, &reading->classname, err) < 0
               ? -1
               : copy_words(xml_attribute(attributes, "name"), JUNIT_NAME_LIMIT, &reading->name,
                            err);
}

/* An element that tells the outcome of the open case. What failed tells more than why it was skipped or how it was flaky. */
static int start_detail(struct reading *reading, const char *const *attributes, bool failed,
                        struct error *err) {
    if (reading->keep == NULL || reading->case_depth == 0 ||
        (reading->detailed && (!failed || reading->state == CASE_FAILED)))
        return 0;
    reading->detailed = true;
    reading->detail_depth = reading->depth;
    text_truncate(&reading->detail, 0);
    const char *message = xml_attribute(attributes, "message");
    return copy_words(or_empty(message)[0] != '\0' ? message : xml_attribute(attributes, "type"),
                      JUNIT_MESSAGE_LIMIT + 1, &reading->message, err);
}

static int on_text(void *context, const char *bytes, size_t length, struct error *err) {
    struct reading *reading = context;
    (void)err;
    if (reading->detail_depth == 0 || reading->detail.length > JUNIT_DETAIL_LIMIT)
        return 0;
    size_t room = JUNIT_DETAIL_LIMIT + 1 - reading->detail.length;
    text_append(&reading->detail, bytes, length < room ? length : room);
    return 0;
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
        return start_suite(reading, attributes, err);
    if (strcmp(name, "testcase") == 0 && reading->case_depth == 0)
        return start_case(reading, attributes, err);
    bool failed = is_one_of(name, failures);
    bool repeated = is_one_of(name, again) || is_one_of(name, in_vain);
    bool skipped = strcmp(name, "skipped") == 0;
    if ((failed || repeated || skipped) && start_detail(reading, attributes, failed, err) < 0)
        return -1;
    if (failed) {
        reading->told_failed = true;
        if (reading->case_depth != 0) {
            reading->broke =
                reading->broke || (reading->state != CASE_FAILED && strcmp(name, "error") == 0);
            reading->state = CASE_FAILED;
        }
    } else if (is_one_of(name, in_vain)) {
        reading->rerun = true;
    } else if (repeated) {
        reading->flaky = true;
    } else if (skipped && reading->case_depth != 0 && reading->state == CASE_PASSED) {
        reading->state = CASE_SKIPPED;
    }
    return 0;
}

/* The suite that the open case belongs to, told of by its first case. */
static int place_suite(struct reading *reading, size_t *index, struct error *err) {
    struct open_suite *suite = &reading->suites[reading->suite_count - 1];
    if (!suite->placed && junit_keep_suite(reading->keep, reading->file, or_empty(suite->name),
                                           &suite->index, err) < 0)
        return -1;
    suite->placed = true;
    *index = suite->index;
    return 0;
}

static int keep_case(struct reading *reading, struct error *err) {
    enum outcome outcome = reading->state == CASE_SKIPPED ? OUTCOME_SKIPPED
                           : reading->state == CASE_PASSED
                               ? reading->flaky ? OUTCOME_FLAKY : OUTCOME_PASSED
                           : reading->broke ? OUTCOME_ERROR
                                            : OUTCOME_FAILED;
    if (text_check(&reading->detail, err) < 0)
        return -1;
    size_t blank = strspn(text_string(&reading->detail), " \t\r\n");
    char *detail = blank < reading->detail.length ? reading->detail.bytes + blank : NULL;
    _cleanup_(free_pointer) char *line = NULL;
    if (or_empty(reading->message)[0] == '\0' && detail != NULL &&
        copy_words(detail, strcspn(detail, "\r\n"), &line, err) < 0)
        return -1;
    struct result_case kept = {.classname = reading->classname,
                               .name = reading->name,
                               .outcome = outcome,
                               .message = line != NULL ? line : reading->message,
                               .detail = detail,
                               .duration_ms = reading->duration_ms};
    size_t suite;
    if (place_suite(reading, &suite, err) < 0)
        return -1;
    if (reading->state == CASE_FAILED && reading->totals->failed == 0 && kept.message != NULL &&
        copy_words(kept.message, JUNIT_MESSAGE_LIMIT, &reading->totals->first_message, err) < 0)
        return -1;
    return junit_keep_case(reading->keep, suite, &kept, err);
}

static int end_case(struct reading *reading, struct error *err) {
    struct junit_totals *totals = reading->totals;
    reading->case_depth = 0;
    if (reading->state == CASE_PASSED && reading->rerun)
        reading->state = CASE_FAILED;
    if (reading->keep != NULL && keep_case(reading, err) < 0)
        return -1;
    totals->failed += reading->state == CASE_FAILED;
    totals->skipped += reading->state == CASE_SKIPPED;
    totals->passed += reading->state == CASE_PASSED;
    totals->flaky += reading->state == CASE_PASSED && reading->flaky;
    if (reading->state == CASE_FAILED && totals->first == NULL)
        totals->first = steal(reading->name);
    return 0;
}

static int on_end(void *context, const char *name, struct error *err) {
    struct reading *reading = context;
    (void)name;
    int result = 0;
    if (reading->depth == reading->detail_depth)
        reading->detail_depth = 0;
    if (reading->depth == reading->case_depth)
        result = end_case(reading, err);
    end_suite(reading);
    reading->depth--;
    return result;
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

static void reading_clear(struct reading *reading) {
    while (reading->suite_count > 0)
        free(reading->suites[--reading->suite_count].name);
    free(reading->name);
    free(reading->classname);
    free(reading->message);
    text_clear(&reading->detail);
}

int junit_read_kept(const char *bytes, size_t length, const char *file, struct junit_keep *keep,
                    struct junit_totals *out, struct error *err) {
    static const struct xml_handlers handlers = {.start = on_start, .end = on_end, .text = on_text};
    struct reading reading = {.totals = out, .keep = keep, .file = file};
    *out = (struct junit_totals){0};
    int result = xml_read(bytes, length, &handlers, &reading, err);
    reading_clear(&reading);
    if (result == 0)
        result = conclude(&reading, err);
    if (result < 0)
        junit_totals_clear(out);
    return result;
}

int junit_read(const char *bytes, size_t length, struct junit_totals *out, struct error *err) {
    return junit_read_kept(bytes, length, NULL, NULL, out, err);
}

void junit_totals_clear(struct junit_totals *totals) {
    free(totals->first);
    free(totals->first_message);
    free(totals->why);
    *totals = (struct junit_totals){0};
}
