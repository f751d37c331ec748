/* The cases of one trial, and the suites that its JUnit files tell of. */
#include <string.h>

#include "gate/base/clock.h"
#include "reports/clean.h"
#include "reports/junit_case.h"

#define NAME_LIMIT 200u /* bytes of a command in a name; GitLab cuts columns at 255 */
/* bytes of the cases from inside: with all else below the 30 MB of GitLab. Those that passed are left out first. */
#define INSIDE_PASSED (4u << 20)
#define INSIDE_ALL    (8u << 20)

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

/* From inside. */

static bool is_bad(enum outcome outcome) {
    return outcome_is_failure(outcome) || outcome == OUTCOME_ERROR;
}

static int inside_case(struct drawing *drawing, struct suite *into, const char *classname,
                       const struct result_case *from) {
    size_t before = into->body.length;
    _cleanup_(free_pointer) char *class =
        string_format(drawing->err, "%s%s%s", classname,
                      or_empty(from->classname)[0] != '\0' ? "." : "", or_empty(from->classname));
    struct test_case of = {.classname = class,
                           .name = from->name,
                           .outcome = from->outcome,
                           .type = outcome_name(from->outcome),
                           .message = from->message,
                           .duration_ms = from->duration_ms,
                           .detail = from->detail};
    if (class == NULL || junit_case(drawing, into, &of) < 0)
        return -1;
    drawing->inside_bytes += into->body.length - before;
    return 0;
}

static bool has_room(const struct drawing *drawing, enum outcome outcome) {
    return drawing->inside_bytes <
           (is_bad(outcome) ? INSIDE_ALL : INSIDE_PASSED) / drawing->divisor;
}

/* Its counts are of what is drawn; what it counts itself is a property where that is more. */
static int inside_suite(struct drawing *drawing, struct suite *around, const char *classname,
                        const struct result_suite *from) {
    _cleanup_(suite_clear) struct suite suite = {0};
    _cleanup_(text_clear) struct text head = {0};
    _cleanup_(free_pointer) char *name =
        string_format(drawing->err, "%s: %s%s%s", classname, from->file,
                      from->name[0] != '\0' ? ": " : "", from->name);
    if (name == NULL)
        return -1;
    for (size_t i = 0; i < from->case_count; i++)
        if (has_room(drawing, from->cases[i].outcome) &&
            inside_case(drawing, &suite, classname, &from->cases[i]) < 0)
            return -1;
    if (suite.counts.tests < from->tests)
        text_printf(&head,
                    "    <properties>\n      <property name=\"tests-in-all\" value=\"%zu\"/>\n"
                    "    </properties>\n",
                    from->tests);
    junit_end_suite(&around->body, &suite, name, &head, NULL);
    around->counts.tests += suite.counts.tests;
    around->counts.failures += suite.counts.failures;
    around->counts.errors += suite.counts.errors;
    around->counts.skipped += suite.counts.skipped;
    return 0;
}

int junit_inside(struct drawing *drawing, struct suite *suite, const char *classname,
                 const struct result_trial *trial, bool *told) {
    size_t before = suite->counts.failures + suite->counts.errors;
    _cleanup_(free_pointer) char *class =
        string_format(drawing->err, "%s.%s", classname, trial->test);
    if (class == NULL)
        return -1;
    for (size_t i = 0; i < trial->suite_count; i++)
        if (inside_suite(drawing, suite, class, &trial->suites[i]) < 0)
            return -1;
    *told = suite->counts.failures + suite->counts.errors > before;
    return 0;
}

/* Trials. */

/* What the case is called that tells how the trial went where no command does. */
static char *alone_name(const struct result_trial *trial, struct error *err) {
    if (trial->build != NULL && trial->build->outcome != OUTCOME_PASSED)
        return string_format(err, "%s: build", trial->test);
    for (size_t i = 0; i < trial->service_count; i++)
        if (is_bad(trial->services[i].outcome))
            return string_format(err, "%s: service %s", trial->test, trial->services[i].name);
    return string_format(err, "%s: %s", trial->test, trial->suite_count > 0 ? "junit" : "start");
}

static int add_alone(struct drawing *drawing, struct suite *suite, const char *classname,
                     const struct result_trial *trial, const char *baseline) {
    _cleanup_(free_pointer) char *name = alone_name(trial, drawing->err);
    struct test_case alone = {.classname = classname,
                              .name = name,
                              .outcome = trial->outcome,
                              .type = outcome_name(trial->outcome),
                              .message = trial->reason,
                              .duration_ms = trial->command_count == 0 ? trial->duration_ms : 0,
                              .more = baseline,
                              .trial = trial};
    return name != NULL ? junit_case(drawing, suite, &alone) : -1;
}

static int add_command(struct drawing *drawing, struct suite *suite, const char *classname,
                       const struct result_trial *trial, size_t index, const char *baseline) {
    const struct result_command *command = &trial->commands[index];
    bool last = index + 1 == trial->command_count;
    bool flaky = last && trial->outcome == OUTCOME_FLAKY && trial->attempt_reasons.count > 0;
    bool tells = flaky || command == result_failed_command(trial);
    enum outcome outcome = flaky ? OUTCOME_FLAKY : command->outcome;
    _cleanup_(free_pointer) char *name = command_name(trial, command, drawing->err);
    struct test_case of_command = {.classname = classname,
                                   .name = name,
                                   .outcome = outcome,
                                   .type = outcome_name(outcome),
                                   .message = command->reason,
                                   .duration_ms = command->duration_ms,
                                   .command = command,
                                   .more = outcome != OUTCOME_SKIPPED ? baseline : NULL,
                                   .trial = tells ? trial : NULL};
    return name != NULL ? junit_case(drawing, suite, &of_command) : -1;
}

int junit_trial(struct drawing *drawing, struct suite *suite, const char *classname,
                const struct result_trial *trial) {
    const char *baseline =
        trial->outcome != OUTCOME_PASSED ? baseline_words(drawing->result, trial) : NULL;
    if (trial->reused != NULL && trial->command_count == 0)
        return add_reused(drawing, suite, classname, trial);
    for (size_t i = 0; i < trial->command_count; i++)
        if (add_command(drawing, suite, classname, trial, i, baseline) < 0)
            return -1;
    bool told;
    if (junit_inside(drawing, suite, classname, trial, &told) < 0)
        return -1;
    return result_trial_speaks_alone(trial) && !told
               ? add_alone(drawing, suite, classname, trial, baseline)
               : 0;
}
