#include "reports/junit_case.h"

#include <string.h>

#include "gate/base/clock.h"
#include "reports/clean.h"

#define VALUE_LIMIT    1000u /* bytes of an attribute, before escapes; result.json has it whole */
#define MORE_LIMIT     8192u /* bytes of the errors of a run, or of a line to reproduce */
#define FAILURE_LINES  40u   /* of each stream within <failure>: what GitLab shows */
#define ATTEMPTS_SHOWN 10u   /* before the last */

void suite_clear(struct suite *suite) {
    text_clear(&suite->body);
}

void junit_attribute(struct text *out, const char *name, const char *value) {
    text_printf(out, " %s=\"", name);
    clean_xml(out, value, strnlen(value, VALUE_LIMIT), true);
    text_add_char(out, '"');
}

void junit_time(struct text *out, int64_t duration_ms) {
    long long ms = duration_ms > 0 ? duration_ms : 0;
    text_printf(out, " time=\"%lld.%03lld\"", ms / 1000, ms % 1000);
}

void junit_property(struct text *out, const char *name, const char *value) {
    if (value == NULL || value[0] == '\0')
        return;
    text_add(out, "      <property");
    junit_attribute(out, "name", name);
    junit_attribute(out, "value", value);
    text_add(out, "/>\n");
}

void junit_end_suite(struct text *out, const struct suite *suite, const char *name,
                     const struct text *head, const char *timestamp) {
    const struct counts *counts = &suite->counts;
    text_add(out, "  <testsuite");
    junit_attribute(out, "name", name);
    text_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
                counts->tests, counts->failures, counts->errors, counts->skipped);
    junit_time(out, counts->duration_ms);
    if (timestamp != NULL)
        junit_attribute(out, "timestamp", timestamp);
    text_add(out, ">\n");
    text_append(out, text_string(head), head->length);
    text_append(out, text_string(&suite->body), suite->body.length);
    text_add(out, "  </testsuite>\n");
    text_follow(out, head);
    text_follow(out, &suite->body);
}

static void add_element(struct text *out, const char *name, const char *bytes, size_t length) {
    if (length == 0)
        return;
    text_printf(out, "      <%s>", name);
    clean_xml(out, bytes, length, false);
    text_printf(out, "</%s>\n", name);
}

/* The output. */

static void add_tail_lines(struct text *out, const char *title, const char *tail, size_t limit) {
    size_t length;
    const char *lines =
        clean_tail(or_empty(tail), strlen(or_empty(tail)), FAILURE_LINES, limit, &length);
    if (length == 0)
        return;
    text_printf(out, "\n%s, last lines:\n", title);
    clean_xml(out, lines, length, false);
    text_add(out, lines[length - 1] == '\n' ? "" : "\n");
}

static void add_words(struct text *out, const char *words, size_t limit) {
    clean_xml(out, or_empty(words), strnlen(or_empty(words), limit), false);
}

/* How long it took of what it had, and where its output first differs. */
static void add_circumstances(struct text *out, const struct test_case *test_case) {
    const struct result_command *command = test_case->command;
    const struct result_trial *trial = test_case->trial;
    int64_t limit_ms = command != NULL && command->limit_ms > 0 ? command->limit_ms
                       : trial != NULL                          ? trial->limit_ms
                                                                : 0;
    char took[48];
    char limit[48];
    clock_duration_words(test_case->duration_ms, took, sizeof took);
    clock_duration_words(limit_ms, limit, sizeof limit);
    if (limit_ms > 0)
        text_printf(out, "Took %s of %s.\n", took, limit);
    if (trial != NULL && trial->class != NULL && test_case->more == NULL) {
        text_add(out, "Against the current digest: ");
        add_words(out, trial->class, VALUE_LIMIT);
        text_add(out, ".\n");
    }
    if (command != NULL && command->difference != NULL) {
        text_add(out, "First difference of the output: ");
        add_words(out, command->difference, VALUE_LIMIT);
        text_add_char(out, '\n');
    }
}

static void add_service_lines(const struct drawing *drawing, struct text *out,
                              const struct result_service *service) {
    _cleanup_(text_clear) struct text title = {0};
    _cleanup_(text_clear) struct text cleaned = {0};
    text_printf(&title, "Service %s", service->name);
    text_printf(out, "\n");
    clean_xml(&cleaned, text_string(&title), strnlen(text_string(&title), VALUE_LIMIT), false);
    text_append(out, text_string(&cleaned), cleaned.length);
    text_printf(out, ": %s", outcome_name(service->outcome));
    if (service->reason != NULL) {
        text_add(out, ": ");
        add_words(out, service->reason, VALUE_LIMIT);
    }
    text_add_char(out, '\n');
    text_follow(out, &title);
    text_follow(out, &cleaned);
    add_tail_lines(out, "Its standard error", service->err_tail, drawing->tail_failed);
    add_tail_lines(out, "Its standard output", service->out_tail, drawing->tail_failed);
}

/* What stands around the commands: what they ran in, and what they spoke to. */
static void add_surroundings(const struct drawing *drawing, struct text *out,
                             const struct result_trial *trial) {
    if (trial == NULL)
        return;
    if (trial->build != NULL && trial->build->outcome != OUTCOME_PASSED) {
        if (trial->build->step != NULL) {
            text_add(out, "Step: ");
            add_words(out, trial->build->step, VALUE_LIMIT);
            text_add_char(out, '\n');
        }
        add_tail_lines(out, "Build", trial->build->tail, drawing->tail_failed);
    }
    for (size_t i = 0; i < trial->service_count; i++)
        add_service_lines(drawing, out, &trial->services[i]);
}

/* One attempt before the last. */
static void add_attempt(struct text *out, const char *element, const char *type,
                        const char *message, const char *detail) {
    text_printf(out, "      <%s", element);
    junit_attribute(out, "type", type);
    junit_attribute(out, "message", or_empty(message));
    text_add(out, "><stackTrace>");
    add_words(out, detail != NULL ? detail : message, detail != NULL ? MORE_LIMIT : VALUE_LIMIT);
    text_printf(out, "</stackTrace></%s>\n", element);
}

static void add_attempts(struct text *out, const char *element, const struct result_trial *trial) {
    for (size_t i = 0; i < trial->attempt_reasons.count && i < ATTEMPTS_SHOWN; i++)
        add_attempt(out, element, "attempt", trial->attempt_reasons.items[i], NULL);
}

static void add_failure(const struct drawing *drawing, struct text *out, const char *element,
                        const struct test_case *test_case) {
    text_printf(out, "      <%s", element);
    junit_attribute(out, "type", test_case->type);
    junit_attribute(out, "message", or_empty(test_case->message));
    text_add_char(out, '>');
    add_words(out, test_case->message, VALUE_LIMIT);
    text_add_char(out, '\n');
    add_words(out, test_case->more, MORE_LIMIT);
    add_words(out, test_case->detail, MORE_LIMIT);
    text_add(out, test_case->detail != NULL ? "\n" : "");
    const struct result_command *command = test_case->command;
    if (test_case->outcome != OUTCOME_SKIPPED)
        add_circumstances(out, test_case);
    if (command != NULL && test_case->outcome != OUTCOME_SKIPPED) {
        add_tail_lines(out, "Standard error", command->err_tail, drawing->tail_failed);
        add_tail_lines(out, "Standard output", command->out_tail, drawing->tail_failed);
    }
    add_surroundings(drawing, out, test_case->trial);
    if (command != NULL && test_case->outcome != OUTCOME_SKIPPED && command->reproduce != NULL) {
        text_add(out, "\nTo reproduce:\n");
        add_words(out, command->reproduce, MORE_LIMIT);
        text_add_char(out, '\n');
    }
    text_printf(out, "</%s>\n", element);
    if (test_case->trial != NULL && test_case->outcome != OUTCOME_SKIPPED)
        add_attempts(out, "rerunFailure", test_case->trial);
}

static void add_result(const struct drawing *drawing, struct text *out, const char *element,
                       const struct test_case *test_case) {
    const struct result_trial *trial = test_case->trial;
    if (test_case->outcome != OUTCOME_FLAKY)
        add_failure(drawing, out, element, test_case);
    else if (trial != NULL && trial->attempt_reasons.count > 0)
        add_attempts(out, element, trial);
    else
        add_attempt(out, element, test_case->type, test_case->message, test_case->detail);
}

/* The stream of a case, and below it those of its surroundings, each under a line that says whose it is. */
static void add_stream(const struct drawing *drawing, struct text *out, bool error,
                       const struct test_case *test_case) {
    const struct result_command *command = test_case->command;
    const struct result_trial *trial = test_case->trial;
    const char *element = error ? "system-err" : "system-out";
    bool passed = test_case->outcome == OUTCOME_PASSED;
    size_t limit = passed ? drawing->tail_passed : drawing->tail_failed;
    _cleanup_(text_clear) struct text all = {0};
    const char *tail = command == NULL ? test_case->said
                       : error         ? command->err_tail
                                       : command->out_tail;
    if (command == NULL && error)
        tail = NULL;
    size_t length;
    const char *lines =
        clean_tail(or_empty(tail), strlen(or_empty(tail)), SIZE_MAX, limit, &length);
    text_append(&all, lines, length);
    if (trial != NULL && !passed && !error && trial->build != NULL &&
        or_empty(trial->build->tail)[0] != '\0') {
        lines =
            clean_tail(trial->build->tail, strlen(trial->build->tail), SIZE_MAX, limit, &length);
        text_add(&all, "\n--- build ---\n");
        text_append(&all, lines, length);
    }
    for (size_t i = 0; trial != NULL && !passed && i < trial->service_count; i++) {
        const struct result_service *service = &trial->services[i];
        tail = or_empty(error ? service->err_tail : service->out_tail);
        lines = clean_tail(tail, strlen(tail), SIZE_MAX, limit, &length);
        if (length == 0)
            continue;
        text_printf(&all, "\n--- service %s ---\n", service->name);
        text_append(&all, lines, length);
    }
    add_element(out, element, text_string(&all), all.length);
    text_follow(out, &all);
}

/* Cases. */

static const char *count_outcome(struct counts *counts, enum outcome outcome) {
    counts->tests++;
    if (outcome == OUTCOME_PASSED)
        return NULL;
    if (outcome == OUTCOME_FLAKY)
        return "flakyFailure";
    if (outcome == OUTCOME_SKIPPED) {
        counts->skipped++;
        return "skipped";
    }
    if (outcome_is_failure(outcome)) {
        counts->failures++;
        return "failure";
    }
    counts->errors++;
    return "error";
}

static void add_drawn(struct text *out, const char *words) {
    clean_xml(out, words, strnlen(words, VALUE_LIMIT), true);
}

/* The name, or "name (2)" when it was taken. Compared as they are drawn: cleaned and cut, different names can be equal. How often
 * one came is kept with it, so that many equal ones are no search. */
static int add_unique_name(struct drawing *drawing, struct suite *suite,
                           const struct test_case *test_case) {
    _cleanup_(text_clear) struct text classname = {0};
    _cleanup_(text_clear) struct text name = {0};
    _cleanup_(text_clear) struct text key = {0};
    add_drawn(&classname, test_case->classname);
    add_drawn(&name, test_case->name);
    text_add(&name, name.length == 0 ? "(no name)" : "");
    size_t length = name.length;
    json_t *first = NULL; /* how often the name itself came */
    json_int_t copy = 0;
    for (;;) {
        text_truncate(&key, 0);
        text_printf(&key, "%s\n%s", text_string(&classname), text_string(&name));
        if (text_check(&classname, drawing->err) < 0 || text_check(&name, drawing->err) < 0 ||
            text_check(&key, drawing->err) < 0)
            return -1;
        json_t *seen = json_object_get(drawing->names, text_string(&key));
        if (seen == NULL)
            break;
        first = first == NULL ? seen : first;
        copy = copy == 0 ? json_integer_value(first) + 1 : copy + 1;
        text_truncate(&name, length);
        text_printf(&name, " (%" JSON_INTEGER_FORMAT ")", copy);
    }
    if (first != NULL && json_integer_set(first, copy) < 0)
        return error_no_memory(drawing->err);
    if (json_object_set_new(drawing->names, text_string(&key), json_integer(1)) < 0)
        return error_no_memory(drawing->err);
    text_printf(&suite->body, " classname=\"%s\" name=\"%s\"", text_string(&classname),
                text_string(&name));
    return 0;
}

int junit_case(struct drawing *drawing, struct suite *suite, const struct test_case *test_case) {
    struct text *out = &suite->body;
    text_add(out, "    <testcase");
    if (add_unique_name(drawing, suite, test_case) < 0)
        return -1;
    junit_time(out, test_case->duration_ms);
    text_add(out, ">\n");
    suite->counts.duration_ms += test_case->duration_ms > 0 ? test_case->duration_ms : 0;
    const char *element = count_outcome(&suite->counts, test_case->outcome);
    if (element != NULL)
        add_result(drawing, out, element, test_case);
    add_stream(drawing, out, false, test_case);
    add_stream(drawing, out, true, test_case);
    text_add(out, "    </testcase>\n");
    return 0;
}
