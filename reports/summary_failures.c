/* What failed, with its last lines. */
#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "reports/clean.h"
#include "reports/summary_parts.h"

#define FAILURES_SHOWN 5    /* trials told with their last lines */
#define TAIL_LINES     8    /* of a failed command, service or build */
#define TAIL_BYTES     2000 /* of them together */
#define SERVICES_SHOWN 3
#define SERVICE_LINES  3 /* of one that did not fail */
#define CASES_SHOWN    5 /* tests from inside that failed */
#define FLAKY_SHOWN    5 /* names */

void summary_brief(const struct screen *screen, struct text *out, const char *words, size_t limit) {
    screen_fit(screen, out, or_empty(words), limit);
}

const char *summary_plural(size_t count) {
    return count == 1 ? "" : "s";
}

static void add_lines(const char *tail, size_t lines, const struct screen *screen,
                      struct text *out) {
    size_t length;
    const char *at = clean_tail(tail, strlen(tail), lines, TAIL_BYTES, &length);
    size_t columns = screen_columns(screen);
    _cleanup_(text_clear) struct text cleaned = {0};
    clean_terminal(&cleaned, at, length, true);
    for (const char *line = text_string(&cleaned); *line != '\0';) {
        size_t end = strcspn(line, "\n");
        _cleanup_(text_clear) struct text one = {0};
        text_append(&one, line, end);
        text_add(out, "    | ");
        screen_fit(screen, out, text_string(&one),
                   columns == SCREEN_ENDLESS ? columns : columns - 6);
        text_add_char(out, '\n');
        line += end + (line[end] == '\n');
    }
}

static void add_tail(const struct result_command *command, const struct screen *screen,
                     struct text *out) {
    bool is_error = or_empty(command->err_tail)[0] != '\0';
    add_lines(or_empty(is_error ? command->err_tail : command->out_tail), TAIL_LINES, screen, out);
}

/* A line of its own, wrapped. */
static void add_line(const struct screen *screen, struct text *out, const char *words) {
    text_add(out, "    ");
    screen_wrap(screen, out, words, 4, 6, screen_columns(screen));
    text_add_char(out, '\n');
}

static bool is_bad(enum outcome outcome) {
    return outcome_is_failure(outcome) || outcome == OUTCOME_ERROR;
}

/* The service that failed; where none did, each with a few lines: they may tell why a command did. */
static void add_services(const struct result_trial *trial, const struct screen *screen,
                         struct text *out) {
    bool bad = false;
    size_t shown = 0;
    for (size_t i = 0; i < trial->service_count; i++)
        bad = bad || is_bad(trial->services[i].outcome);
    for (size_t i = 0; i < trial->service_count && shown < SERVICES_SHOWN; i++) {
        const struct result_service *service = &trial->services[i];
        const char *tail =
            or_empty(service->err_tail)[0] != '\0' ? service->err_tail : service->out_tail;
        if ((bad && !is_bad(service->outcome)) || (!bad && or_empty(tail)[0] == '\0'))
            continue;
        _cleanup_(text_clear) struct text words = {0};
        text_add(&words, "service ");
        summary_brief(screen, &words, service->name, SUMMARY_NAME_LIMIT);
        if (is_bad(service->outcome)) {
            text_printf(&words, " %s: ", outcome_name(service->outcome));
            summary_brief(screen, &words, service->reason, SUMMARY_WORDS_LIMIT);
        } else
            text_add_char(&words, ':');
        add_line(screen, out, text_string(&words));
        text_follow(out, &words);
        add_lines(or_empty(tail), bad ? TAIL_LINES : SERVICE_LINES, screen, out);
        shown++;
    }
}

static void add_build(const struct result_build *build, const struct screen *screen,
                      struct text *out) {
    if (build == NULL || build->outcome == OUTCOME_PASSED)
        return;
    if (build->step != NULL) {
        _cleanup_(text_clear) struct text words = {0};
        text_add(&words, "at ");
        summary_brief(screen, &words, build->step, SUMMARY_WORDS_LIMIT);
        add_line(screen, out, text_string(&words));
        text_follow(out, &words);
    }
    add_lines(or_empty(build->tail), TAIL_LINES, screen, out);
}

static void add_cases(const struct result_trial *trial, const struct screen *screen,
                      struct text *out) {
    struct result_inside inside = {0};
    size_t shown = 0;
    result_count_inside(trial, &inside);
    if (inside.failed == 0)
        return;
    _cleanup_(text_clear) struct text title = {0};
    text_printf(&title, "%zu of %zu test%s in its JUnit files failed:", inside.failed, inside.tests,
                summary_plural(inside.tests));
    add_line(screen, out, text_string(&title));
    for (size_t i = 0; i < trial->suite_count; i++)
        for (size_t k = 0; k < trial->suites[i].case_count && shown < CASES_SHOWN; k++) {
            if (!result_case_is_bad(&trial->suites[i].cases[k]))
                continue;
            _cleanup_(text_clear) struct text words = {0};
            _cleanup_(text_clear) struct text brief = {0};
            result_case_words(&trial->suites[i].cases[k], &words);
            text_add(&brief, "- ");
            summary_brief(screen, &brief, text_string(&words), SUMMARY_WORDS_LIMIT);
            add_line(screen, out, text_string(&brief));
            text_follow(out, &words);
            text_follow(out, &brief);
            shown++;
        }
    if (inside.failed > shown)
        text_printf(out, "    - and %zu more\n", inside.failed - shown);
    text_follow(out, &title);
}

static void add_log_path(const struct result_command *command, const char *output,
                         const struct screen *screen, struct text *out) {
    bool is_error = or_empty(command->err_tail)[0] != '\0';
    const char *path = is_error ? command->err_path : command->out_path;
    if (path == NULL)
        return;
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%s/", output);
    summary_brief(screen, &words, path, SUMMARY_WORDS_LIMIT);
    text_add(out, "    ");
    screen_wrap(screen, out, text_string(&words), 4, 4, screen_columns(screen));
    text_add_char(out, '\n');
}

static void add_artifact_path(const struct result_trial *trial, const char *output,
                              const struct screen *screen, struct text *out) {
    if (trial->artifact_folder == NULL)
        return;
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%s/", output);
    summary_brief(screen, &words, trial->artifact_folder, SUMMARY_WORDS_LIMIT);
    text_printf(&words, " (%zu file%s)", trial->artifact_count,
                summary_plural(trial->artifact_count));
    text_add(out, "    ");
    screen_wrap(screen, out, text_string(&words), 4, 4, screen_columns(screen));
    text_add_char(out, '\n');
}

static int failure_title(const struct result *result, const struct result_trial *trial,
                         const struct screen *screen, struct text *out, struct error *err) {
    summary_brief(screen, out, trial->test, SUMMARY_NAME_LIMIT);
    text_add(out, " on");
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        _cleanup_(free_pointer) char *version = NULL;
        if (result_version_words(update->candidate_tag, update->candidate_digest, &version, err) <
            0)
            return -1;
        text_add(out, i > 0 ? " + " : " ");
        summary_brief(screen, out, reference_familiar(or_empty(update->image)), SUMMARY_NAME_LIMIT);
        text_add_char(out, ' ');
        summary_brief(screen, out, version, SUMMARY_NAME_LIMIT);
    }
    return text_check(out, err);
}

/* ", after 3.4 s of 1 m 0 s" */
static void add_times(struct text *out, const struct result_trial *trial,
                      const struct result_command *command) {
    char duration[48];
    int64_t limit_ms =
        command != NULL && command->limit_ms > 0 ? command->limit_ms : trial->limit_ms;
    if (trial->outcome == OUTCOME_TIMED_OUT) /* its reason tells the time */
        return;
    clock_duration_words(command != NULL ? command->duration_ms : trial->duration_ms, duration,
                         sizeof duration);
    text_printf(out, ", after %s", duration);
    if (limit_ms <= 0)
        return;
    clock_duration_words(limit_ms, duration, sizeof duration);
    text_printf(out, " of %s", duration);
}

static void add_difference(const struct result_command *command, const struct screen *screen,
                           struct text *out) {
    if (command->difference == NULL)
        return;
    _cleanup_(text_clear) struct text words = {0};
    text_add(&words, "first difference: ");
    summary_brief(screen, &words, command->difference, SUMMARY_WORDS_LIMIT);
    add_line(screen, out, text_string(&words));
    text_follow(out, &words);
}

static int add_failure(const struct result *result, const struct result_trial *trial,
                       const struct screen *screen, const char *output, struct text *out,
                       struct error *err) {
    const struct result_command *command = result_failed_command(trial);
    _cleanup_(text_clear) struct text title = {0};
    _cleanup_(text_clear) struct text what = {0};
    if (failure_title(result, trial, screen, &title, err) < 0)
        return -1;
    text_add(out, "\n  ");
    screen_paint(screen, out, trial->outcome == OUTCOME_ERROR ? STYLE_WARN : STYLE_BAD,
                 outcome_name(trial->outcome));
    size_t used = 2 + strlen(outcome_name(trial->outcome)) + 2;
    text_add(out, ": ");
    size_t columns = screen_columns(screen);
    screen_wrap(screen, out, text_string(&title), used, 4, columns);
    text_add(out, "\n    ");
    if (command != NULL) {
        summary_brief(screen, &what, command->text, SUMMARY_WORDS_LIMIT);
        text_add(&what, ": ");
    }
    const char *reason = command != NULL ? command->reason : trial->reason;
    summary_brief(screen, &what, reason != NULL ? reason : outcome_name(trial->outcome),
                  SUMMARY_WORDS_LIMIT);
    add_times(&what, trial, command);
    if (trial->class != NULL) {
        text_add(&what, " (");
        summary_brief(screen, &what, trial->class, SUMMARY_NAME_LIMIT);
        text_add_char(&what, ')');
    }
    screen_wrap(screen, out, text_string(&what), 4, 4, columns);
    text_add_char(out, '\n');
    add_cases(trial, screen, out);
    if (command != NULL) {
        add_difference(command, screen, out);
        add_tail(command, screen, out);
        add_log_path(command, output, screen, out);
    }
    add_build(trial->build, screen, out);
    add_services(trial, screen, out);
    add_artifact_path(trial, output, screen, out);
    return text_check(&what, err);
}

int summary_failures(const struct result *result, const struct screen *screen, const char *output,
                     struct text *out, struct error *err) {
    size_t told = 0;
    size_t left = 0;
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *trial = &result->trials[i];
        bool broke = trial->outcome == OUTCOME_ERROR && !result_is_interrupted(result);
        if (!result_trial_counts(trial) || !(outcome_is_failure(trial->outcome) || broke))
            continue;
        if (told == FAILURES_SHOWN)
            left++;
        else if (add_failure(result, trial, screen, output, out, err) < 0)
            return -1;
        else
            told++;
    }
    if (left > 0)
        text_printf(out, "\n  and %zu more failed test run%s\n", left, summary_plural(left));
    return 0;
}

void summary_flaky(const struct result *result, const struct screen *screen, struct text *out) {
    _cleanup_(text_clear) struct text words = {0};
    struct result_tests runs;
    size_t shown = 0;
    result_count_runs(result, &runs);
    if (runs.flaky == 0)
        return;
    text_printf(&words, "%zu of %zu test run%s passed only when run again (flaky): ", runs.flaky,
                runs.total, summary_plural(runs.total));
    for (size_t i = 0; i < result->trial_count && shown < FLAKY_SHOWN; i++) {
        const struct result_trial *trial = &result->trials[i];
        if (!result_trial_counts(trial) || trial->outcome != OUTCOME_FLAKY)
            continue;
        text_add(&words, shown++ > 0 ? ", " : "");
        summary_brief(screen, &words, trial->test, SUMMARY_NAME_LIMIT);
    }
    if (runs.flaky > shown)
        text_printf(&words, " and %zu more", runs.flaky - shown);
    text_add(out, "\n  ");
    screen_wrap(screen, out, text_string(&words), 2, 4, screen_columns(screen));
    text_add_char(out, '\n');
    text_follow(out, &words);
}
