#include "reports/summary.h"

#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "reports/clean.h"
#include "reports/table.h"

#define ROWS_SHOWN     40   /* updates; the report has the rest */
#define FAILURES_SHOWN 5    /* trials told with their last lines */
#define TAIL_LINES     8    /* of a failed command */
#define TAIL_BYTES     2000 /* of them together */
#define NAMES_SHOWN    3    /* images in a line on what to do next */
#define NAME_LIMIT     100  /* columns of an image, version or test */
#define WORDS_LIMIT    300  /* columns of a command or reason */

/* What moved, then the worst. */
static const enum verdict order[] = {VERDICT_PROMOTE, VERDICT_REJECT, VERDICT_LOOKUP_FAILED,
                                     VERDICT_HOLD};

static enum style style_of(enum verdict verdict) {
    switch (verdict) {
    case VERDICT_PROMOTE:
        return STYLE_GOOD;
    case VERDICT_REJECT:
        return STYLE_BAD;
    case VERDICT_LOOKUP_FAILED:
    case VERDICT_HOLD:
        return STYLE_WARN;
    case VERDICT_UP_TO_DATE:
    case VERDICT_COUNT:
        break;
    }
    return STYLE_PLAIN;
}

/* On one line and not without end: a command can be a page, and names can be hostile. */
static void add_brief(const struct screen *screen, struct text *out, const char *words,
                      size_t limit) {
    screen_fit(screen, out, or_empty(words), limit);
}

static int add_cell(struct table_row *row, const struct screen *screen, enum style style,
                    const char *words, size_t limit, struct error *err) {
    _cleanup_(text_clear) struct text brief = {0};
    add_brief(screen, &brief, words, limit);
    return table_cell(row, style, text_string(&brief), err);
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static int add_row(struct table *table, const struct result *result,
                   const struct result_update *update, const struct screen *screen,
                   struct error *err) {
    _cleanup_(free_pointer) char *change = NULL;
    struct table_row *row = table_add(table, err);
    if (row == NULL ||
        result_change_words(update->tag, update->digest, update->candidate_tag,
                            update->candidate_digest, screen_arrow(screen), &change, err) < 0 ||
        table_cell(row, style_of(update->verdict), result_verdict_words(result, update), err) < 0 ||
        add_cell(row, screen, STYLE_BOLD, reference_familiar(or_empty(update->image)), NAME_LIMIT,
                 err) < 0 ||
        add_cell(row, screen, STYLE_PLAIN, change, WORDS_LIMIT, err) < 0)
        return -1;
    _cleanup_(text_clear) struct text reason = {0};
    add_brief(screen, &reason, update->reason, WORDS_LIMIT);
    return table_note(row, text_string(&reason), err);
}

static int add_updates(const struct result *result, const struct screen *screen, struct text *out,
                       struct error *err) {
    _cleanup_(table_clear) struct table table = {.indent = 2};
    size_t told = 0;
    size_t current = result_count(result, VERDICT_UP_TO_DATE);
    size_t left_out = result_count_code(result, CODE_NOT_SELECTED);
    for (size_t v = 0; v < sizeof order / sizeof *order; v++)
        for (size_t i = 0; i < result->update_count && told < ROWS_SHOWN; i++) {
            const struct result_update *update = &result->updates[i];
            if (update->verdict != order[v] || update->code == CODE_NOT_SELECTED)
                continue;
            if (add_row(&table, result, update, screen, err) < 0)
                return -1;
            told++;
        }
    if (told == 0)
        return 0;
    text_add_char(out, '\n');
    table_draw(&table, screen, out);
    if (result->update_count > told + current + left_out)
        text_printf(out, "  and %zu more\n", result->update_count - told - current - left_out);
    if (current > 0)
        text_printf(out, "  and %zu %s\n", current, result_unmoved_words(result));
    return 0;
}

/* What failed. */

static void add_tail(const struct result_command *command, const struct screen *screen,
                     struct text *out) {
    bool is_error = or_empty(command->err_tail)[0] != '\0';
    const char *tail = or_empty(is_error ? command->err_tail : command->out_tail);
    size_t length;
    const char *at = clean_tail(tail, strlen(tail), TAIL_LINES, TAIL_BYTES, &length);
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

static void add_log_path(const struct result_command *command, const char *output,
                         const struct screen *screen, struct text *out) {
    bool is_error = or_empty(command->err_tail)[0] != '\0';
    const char *path = is_error ? command->err_path : command->out_path;
    if (path == NULL)
        return;
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%s/", output);
    add_brief(screen, &words, path, WORDS_LIMIT);
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
    add_brief(screen, &words, trial->artifact_folder, WORDS_LIMIT);
    text_printf(&words, " (%zu file%s)", trial->artifact_count, plural(trial->artifact_count));
    text_add(out, "    ");
    screen_wrap(screen, out, text_string(&words), 4, 4, screen_columns(screen));
    text_add_char(out, '\n');
}

static int failure_title(const struct result *result, const struct result_trial *trial,
                         const struct screen *screen, struct text *out, struct error *err) {
    add_brief(screen, out, trial->test, NAME_LIMIT);
    text_add(out, " on");
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        _cleanup_(free_pointer) char *version = NULL;
        if (result_version_words(update->candidate_tag, update->candidate_digest, &version, err) <
            0)
            return -1;
        text_add(out, i > 0 ? " + " : " ");
        add_brief(screen, out, reference_familiar(or_empty(update->image)), NAME_LIMIT);
        text_add_char(out, ' ');
        add_brief(screen, out, version, NAME_LIMIT);
    }
    return text_check(out, err);
}

static int add_failure(const struct result *result, const struct result_trial *trial,
                       const struct screen *screen, const char *output, struct text *out,
                       struct error *err) {
    const struct result_command *command = result_failed_command(trial);
    _cleanup_(text_clear) struct text title = {0};
    _cleanup_(text_clear) struct text what = {0};
    char duration[48];
    if (failure_title(result, trial, screen, &title, err) < 0)
        return -1;
    text_add(out, "\n  ");
    screen_paint(screen, out, trial->outcome == OUTCOME_ERROR ? STYLE_WARN : STYLE_BAD,
                 outcome_name(trial->outcome));
    size_t used = 2 + strlen(outcome_name(trial->outcome)) + 2;
    text_add(out, ": ");
    size_t columns = screen_columns(screen);
    screen_wrap(screen, out, text_string(&title), used, 4, columns);
    clock_duration_words(command != NULL ? command->duration_ms : trial->duration_ms, duration,
                         sizeof duration);
    text_add(out, "\n    ");
    if (command != NULL) {
        add_brief(screen, &what, command->text, WORDS_LIMIT);
        text_add(&what, ": ");
    }
    const char *reason = command != NULL ? command->reason : trial->reason;
    add_brief(screen, &what, reason != NULL ? reason : outcome_name(trial->outcome), WORDS_LIMIT);
    if (trial->outcome != OUTCOME_TIMED_OUT) /* its reason tells the time */
        text_printf(&what, ", after %s", duration);
    screen_wrap(screen, out, text_string(&what), 4, 4, columns);
    text_add_char(out, '\n');
    if (command != NULL) {
        add_tail(command, screen, out);
        add_log_path(command, output, screen, out);
    }
    add_artifact_path(trial, output, screen, out);
    return text_check(&what, err);
}

static int add_failures(const struct result *result, const struct screen *screen,
                        const char *output, struct text *out, struct error *err) {
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
        text_printf(out, "\n  and %zu more failed test run%s\n", left, plural(left));
    return 0;
}

/* What comes next: at most three lines, what is wrong first. */

static void add_next(const struct screen *screen, struct text *out, size_t *count,
                     const char *words) {
    static const char title[] = "next:";
    if (++*count > 3)
        return;
    if (*count == 1)
        screen_paint(screen, out, STYLE_BOLD, title);
    text_add(out, *count == 1 ? "    " : "         ");
    screen_wrap(screen, out, words, 9, 9, screen_columns(screen));
    text_add_char(out, '\n');
}

/* "redis, postgres and 2 more" of those with this code; "" when there is none. */
static void names_with(const struct result *result, const struct screen *screen,
                       enum verdict verdict, enum verdict_code code, struct text *out) {
    size_t count = 0;
    for (size_t i = 0; i < result->update_count; i++) {
        const struct result_update *update = &result->updates[i];
        if (update->verdict != verdict || (code != CODE_COUNT && update->code != code))
            continue;
        if (++count <= NAMES_SHOWN) {
            text_add(out, count > 1 ? ", " : "");
            add_brief(screen, out, reference_familiar(or_empty(update->image)), NAME_LIMIT);
        }
    }
    if (count > NAMES_SHOWN)
        text_printf(out, " and %zu more", count - NAMES_SHOWN);
}

static void add_next_steps(const struct result *result, const struct screen *screen,
                           struct text *out) {
    size_t count = 0;
    bool is_run = !string_equal(result->command, "test");
    _cleanup_(text_clear) struct text names = {0};
    if (result->exit_status > EXIT_SIGNAL) {
        add_next(screen, out, &count, "start it again; what this run had made was removed");
        return;
    }
    if (result_count(result, VERDICT_LOOKUP_FAILED) > 0)
        add_next(screen, out, &count,
                 "what could not be looked up was not tested and not moved: `pingate status` tries "
                 "again");
    if (result_count_code(result, CODE_NOT_TESTED) > 0)
        add_next(screen, out, &count, "`pingate doctor` tells whether the engine answers");
    names_with(result, screen, VERDICT_REJECT, CODE_COUNT, &names);
    if (names.length > 0) {
        _cleanup_(text_clear) struct text words = {0};
        text_printf(&words,
                    "report.md has a command that repeats what failed on %s; `pingate run "
                    "--dry-run` tests again",
                    text_string(&names));
        add_next(screen, out, &count, text_string(&words));
    }
    if (is_run && result_count_code(result, CODE_GATE_CLOSED) > 0)
        add_next(screen, out, &count,
                 "`pingate run --promote passing` moves those that pass together");
    text_clear(&names);
    names_with(result, screen, VERDICT_HOLD, CODE_NO_TEST, &names);
    if (names.length > 0) {
        _cleanup_(text_clear) struct text words = {0};
        text_printf(&words, "declare a test for %s in pingate.yaml: what none covers never moves",
                    text_string(&names));
        add_next(screen, out, &count, text_string(&words));
    }
    if (result->changed && result->record != NULL)
        add_next(screen, out, &count,
                 "look at `git diff`, then commit the pins together with .pingate/ledger");
    else if (result->record != NULL)
        add_next(screen, out, &count,
                 "commit .pingate/ledger: what was seen and tested counts once it is on the target "
                 "branch");
    else if (result->changed)
        add_next(screen, out, &count, "look at `git diff`, then commit");
    else if (is_run && result->dry_run && result_count(result, VERDICT_PROMOTE) > 0)
        add_next(screen, out, &count, "`pingate run` tests again and moves the pins that pass");
}

static void add_places(const struct result *result, const struct screen *screen, const char *output,
                       struct text *out) {
    _cleanup_(text_clear) struct text words = {0};
    bool artifacts = false;
    for (size_t i = 0; i < result->trial_count; i++)
        artifacts = artifacts || result->trials[i].artifact_folder != NULL;
    text_printf(&words, "%s/report.md, junit.xml, result.json%s%s%s", output,
                or_empty(result->diff)[0] != '\0' ? ", pins.diff" : "",
                result->trial_count > 0 ? ", logs/" : "", artifacts ? ", artifacts/" : "");
    text_add_char(out, '\n');
    screen_paint(screen, out, STYLE_BOLD, "reports:");
    text_add_char(out, ' ');
    screen_wrap(screen, out, text_string(&words), 9, 9, screen_columns(screen));
    text_add_char(out, '\n');
}

static enum style headline_style(const struct result *result) {
    if (result->exit_status == EXIT_GATE_CLOSED || result_count(result, VERDICT_REJECT) > 0)
        return STYLE_BAD;
    return result->exit_status == EXIT_DONE ? STYLE_GOOD : STYLE_WARN;
}

static void add_headline(const struct result *result, const struct screen *screen,
                         const char *headline, struct text *out) {
    _cleanup_(text_clear) struct text wrapped = {0};
    screen_wrap(screen, &wrapped, headline, 0, 0, screen_columns(screen));
    for (const char *line = text_string(&wrapped); *line != '\0';) {
        size_t end = strcspn(line, "\n");
        _cleanup_(text_clear) struct text one = {0};
        text_append(&one, line, end);
        screen_paint(screen, out, headline_style(result), text_string(&one));
        text_add_char(out, '\n');
        line += end + (line[end] == '\n');
    }
}

/* A pass that nobody saw in this run is told. */
static void add_reused(const struct result *result, struct text *out) {
    struct result_tests runs;
    result_count_runs(result, &runs);
    if (runs.reused > 0)
        text_printf(out, "\n  %zu of %zu test run%s passed before and %s not run again (reuse)\n",
                    runs.reused, runs.total, plural(runs.total), runs.reused == 1 ? "was" : "were");
}

static int add_stages(const struct result *result, const struct screen *screen, struct text *out,
                      struct error *err) {
    for (size_t i = 0; i < result->stage_count; i++) {
        const struct result_stage *stage = &result->stages[i];
        _cleanup_(text_clear) struct text words = {0};
        if (result_stage_words(result, stage, &words, err) < 0)
            return -1;
        text_add(out, "  ");
        screen_wrap(screen, out, text_string(&words), 2, 4, screen_columns(screen));
        text_add_char(out, '\n');
    }
    return 0;
}

int summary_draw(const struct result *result, const struct screen *screen, const char *output,
                 bool brief, struct text *out, struct error *err) {
    _cleanup_(free_pointer) char *headline = result_headline(result, err);
    if (headline == NULL)
        return -1;
    if (brief) {
        add_headline(result, screen, headline, out);
        return text_check(out, err);
    }
    text_add_char(out, '\n');
    add_headline(result, screen, headline, out);
    if (add_stages(result, screen, out, err) < 0 || add_updates(result, screen, out, err) < 0 ||
        add_failures(result, screen, output, out, err) < 0)
        return -1;
    add_reused(result, out);
    add_places(result, screen, output, out);
    add_next_steps(result, screen, out);
    return text_check(out, err);
}
