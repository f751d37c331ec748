#include "reports/summary.h"

#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "reports/clean.h"
#include "reports/summary_parts.h"
#include "reports/table.h"

#define ROWS_SHOWN  40 /* updates; the report has the rest */
#define NAMES_SHOWN 3  /* images in a line on what to do next */

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

static int add_cell(struct table_row *row, const struct screen *screen, enum style style,
                    const char *words, size_t limit, struct error *err) {
    _cleanup_(text_clear) struct text brief = {0};
    summary_brief(screen, &brief, words, limit);
    return table_cell(row, style, text_string(&brief), err);
}

/* With whom it fails, and which newer ones failed. */
static void add_others(const struct result *result, const struct result_update *update,
                       const struct screen *screen, struct text *out) {
    for (size_t i = 0; i < update->culprit_count && i < NAMES_SHOWN; i++) {
        text_add(out, i == 0 ? "; fails together with " : ", ");
        summary_brief(screen, out,
                      reference_familiar(or_empty(result->updates[update->culprits[i]].image)),
                      SUMMARY_NAME_LIMIT);
    }
    for (size_t i = 0; i < update->tried_count && i < NAMES_SHOWN; i++) {
        _cleanup_(text_clear) struct text words = {0};
        result_tried_words(&update->tried[i], &words);
        text_add(out, i == 0 ? "; tried before: " : ", ");
        summary_brief(screen, out, text_string(&words), SUMMARY_NAME_LIMIT);
        text_follow(out, &words);
    }
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
        add_cell(row, screen, STYLE_BOLD, reference_familiar(or_empty(update->image)),
                 SUMMARY_NAME_LIMIT, err) < 0 ||
        add_cell(row, screen, STYLE_PLAIN, change, SUMMARY_WORDS_LIMIT, err) < 0)
        return -1;
    _cleanup_(text_clear) struct text reason = {0};
    summary_brief(screen, &reason, update->reason, SUMMARY_WORDS_LIMIT);
    add_others(result, update, screen, &reason);
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
            summary_brief(screen, out, reference_familiar(or_empty(update->image)),
                          SUMMARY_NAME_LIMIT);
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
                    runs.reused, runs.total, summary_plural(runs.total),
                    runs.reused == 1 ? "was" : "were");
}

/* People's own tests, which count apart. */
static void add_inside(const struct result *result, const struct screen *screen, struct text *out) {
    struct result_inside inside;
    result_count_all_inside(result, &inside);
    if (inside.tests == 0)
        return;
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%zu test%s in JUnit files: %zu failed", inside.tests,
                summary_plural(inside.tests), inside.failed);
    if (inside.skipped > 0)
        text_printf(&words, ", %zu skipped", inside.skipped);
    text_add(out, "\n  ");
    screen_wrap(screen, out, text_string(&words), 2, 4, screen_columns(screen));
    text_add_char(out, '\n');
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
        summary_failures(result, screen, output, out, err) < 0)
        return -1;
    add_reused(result, out);
    summary_flaky(result, screen, out);
    add_inside(result, screen, out);
    add_places(result, screen, output, out);
    add_next_steps(result, screen, out);
    return text_check(out, err);
}
