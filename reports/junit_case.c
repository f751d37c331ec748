#include "reports/junit_case.h"

#include <string.h>

#include "gate/base/clock.h"
#include "reports/clean.h"

#define NAME_LIMIT    200u  /* bytes of a command in a name; GitLab cuts columns at 255 */
#define VALUE_LIMIT   1000u /* bytes of an attribute, before escapes; result.json has it whole */
#define MORE_LIMIT    8192u /* bytes of the errors of a run, or of a line to reproduce */
#define FAILURE_LINES 40u   /* of each stream within <failure>: what GitLab shows */

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

static void add_result(const struct drawing *drawing, struct text *out, const char *element,
                       const struct test_case *test_case) {
    text_printf(out, "      <%s", element);
    junit_attribute(out, "type", test_case->type);
    junit_attribute(out, "message", or_empty(test_case->message));
    text_add_char(out, '>');
    bool flaky = test_case->outcome == OUTCOME_FLAKY;
    text_add(out, flaky ? "<stackTrace>" : "");
    const char *message = or_empty(test_case->message);
    clean_xml(out, message, strnlen(message, VALUE_LIMIT), false);
    text_add_char(out, '\n');
    const char *more = or_empty(test_case->more);
    clean_xml(out, more, strnlen(more, MORE_LIMIT), false);
    const struct result_command *command = test_case->command;
    if (command != NULL && test_case->outcome != OUTCOME_SKIPPED) {
        add_tail_lines(out, "Standard error", command->err_tail, drawing->tail_failed);
        add_tail_lines(out, "Standard output", command->out_tail, drawing->tail_failed);
        if (command->reproduce != NULL) {
            text_add(out, "\nTo reproduce:\n");
            clean_xml(out, command->reproduce, strnlen(command->reproduce, MORE_LIMIT), false);
            text_add_char(out, '\n');
        }
    }
    text_add(out, flaky ? "</stackTrace>" : "");
    text_printf(out, "</%s>\n", element);
}

static void add_streams(const struct drawing *drawing, struct text *out,
                        const struct result_command *command) {
    bool passed = command->outcome == OUTCOME_PASSED;
    size_t limit = passed ? drawing->tail_passed : drawing->tail_failed;
    const char *streams[] = {or_empty(command->out_tail), or_empty(command->err_tail)};
    for (int i = 0; i < 2; i++) {
        size_t length;
        const char *tail = clean_tail(streams[i], strlen(streams[i]), SIZE_MAX, limit, &length);
        add_element(out, i == 0 ? "system-out" : "system-err", tail, length);
    }
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

/* The name, or "name (2)" when it was taken. Compared as they are drawn: cleaned and cut, different names can be equal. */
static int add_unique_name(struct drawing *drawing, struct suite *suite,
                           const struct test_case *test_case) {
    _cleanup_(text_clear) struct text classname = {0};
    _cleanup_(text_clear) struct text name = {0};
    _cleanup_(text_clear) struct text key = {0};
    add_drawn(&classname, test_case->classname);
    add_drawn(&name, test_case->name);
    size_t length = name.length;
    for (int copy = 1; copy == 1 || string_list_has(&drawing->names, text_string(&key)); copy++) {
        text_truncate(&name, length);
        if (copy > 1)
            text_printf(&name, " (%d)", copy);
        text_truncate(&key, 0);
        text_printf(&key, "%s\n%s", text_string(&classname), text_string(&name));
        if (text_check(&key, drawing->err) < 0)
            return -1;
    }
    if (text_check(&classname, drawing->err) < 0 || text_check(&name, drawing->err) < 0 ||
        string_list_add(&drawing->names, text_string(&key), drawing->err) < 0)
        return -1;
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
    if (test_case->command != NULL)
        add_streams(drawing, out, test_case->command);
    else if (test_case->said != NULL)
        add_element(out, "system-out", test_case->said, strnlen(test_case->said, VALUE_LIMIT));
    text_add(out, "    </testcase>\n");
    return 0;
}

/* What the same test said of the current digests. */
static const char *baseline_words(const struct result *result, const struct result_trial *trial) {
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *other = &result->trials[i];
        bool same = other->baseline && string_equal(other->test, trial->test) &&
                    string_equal(other->platform, trial->platform) &&
                    other->update_count == trial->update_count;
        for (size_t k = 0; same && k < other->update_count; k++)
            same = result_trial_covers(trial, other->updates[k]);
        if (!same)
            continue;
        if (other->outcome == OUTCOME_PASSED)
            return "On the current digest the same test passes.\n";
        if (outcome_is_failure(other->outcome))
            return "On the current digest the same test fails, too.\n";
        return "On the current digest the same test could not tell.\n";
    }
    return NULL;
}

static char *command_name(const struct result_trial *trial, const struct result_command *command,
                          struct error *err) {
    size_t length = strlen(or_empty(command->text));
    const char *cut = length > NAME_LIMIT ? "…" : "";
    length = length > NAME_LIMIT ? NAME_LIMIT : length;
    while (length > 0 && length == NAME_LIMIT &&
           ((unsigned char)command->text[length] & 0xC0) == 0x80)
        length--;
    _cleanup_(text_clear) struct text words = {0};
    clean_terminal(&words, or_empty(command->text), length, false);
    if (text_check(&words, err) < 0)
        return NULL;
    return string_format(err, "%s: %s%s", trial->test, text_string(&words), cut);
}

char *junit_reused_words(const struct result_trial *trial, struct error *err) {
    char time[CLOCK_RFC3339_SIZE];
    clock_rfc3339(trial->reused->time_ms, time);
    return string_format(err, "%s: passed %s, entry %s, not run again", trial->test, time,
                         trial->reused->entry);
}

/* A case of its own name: the history of the commands' cases is of what was run. */
static int add_reused(struct drawing *drawing, struct suite *suite, const char *classname,
                      const struct result_trial *trial) {
    _cleanup_(free_pointer) char *name = string_format(drawing->err, "%s: reused", trial->test);
    _cleanup_(free_pointer) char *words = junit_reused_words(trial, drawing->err);
    struct test_case reused = {.classname = classname,
                               .name = name,
                               .outcome = trial->outcome,
                               .type = outcome_name(trial->outcome),
                               .said = words};
    return name != NULL && words != NULL ? junit_case(drawing, suite, &reused) : -1;
}

int junit_trial(struct drawing *drawing, struct suite *suite, const char *classname,
                const struct result_trial *trial) {
    const char *baseline =
        trial->outcome != OUTCOME_PASSED ? baseline_words(drawing->result, trial) : NULL;
    if (trial->reused != NULL && trial->command_count == 0)
        return add_reused(drawing, suite, classname, trial);
    if (result_trial_speaks_alone(trial)) {
        _cleanup_(free_pointer) char *name = string_format(drawing->err, "%s: start", trial->test);
        struct test_case start = {classname,     name, trial->outcome, outcome_name(trial->outcome),
                                  trial->reason, 0,    NULL,           baseline,
                                  NULL};
        if (name == NULL || junit_case(drawing, suite, &start) < 0)
            return -1;
    }
    for (size_t i = 0; i < trial->command_count; i++) {
        const struct result_command *command = &trial->commands[i];
        _cleanup_(free_pointer) char *name = command_name(trial, command, drawing->err);
        struct test_case of_command = {classname,
                                       name,
                                       command->outcome,
                                       outcome_name(command->outcome),
                                       command->reason,
                                       command->duration_ms,
                                       command,
                                       command->outcome != OUTCOME_SKIPPED ? baseline : NULL,
                                       NULL};
        if (name == NULL || junit_case(drawing, suite, &of_command) < 0)
            return -1;
    }
    return 0;
}
