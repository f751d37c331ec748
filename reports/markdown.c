#include "reports/markdown.h"

#include <string.h>

#include "gate/base/clock.h"
#include "reports/clean.h"
#include "reports/markdown_parts.h"
#include "reports/report.h"

#define ALL            SIZE_MAX
#define UNTESTED_SHOWN 10u    /* names in the line on what was not tested */
#define DIFF_OPEN      12288u /* bytes; a larger diff is cut, pins.diff has it whole */
#define MESSAGE_LIMIT  1000u  /* bytes of a warning or error */
#define OTHERS_SHOWN   5u     /* culprits, tried candidates of one update */

/* From all to least. Each step keeps what those before it left out out. */
static const struct markdown_detail details[] = {
    {true, true, 40, 8192, ALL, ALL, ALL, true, ALL, 50, NULL},
    {false, true, 40, 8192, ALL, ALL, ALL, true, ALL, 50,
     "the lists of passed commands and artifacts"},
    {false, true, 15, 2048, ALL, ALL, ALL, true, ALL, 20, "logs but for their last 15 lines"},
    {false, false, 15, 2048, ALL, ALL, ALL, true, ALL, 20, "the diff"},
    {false, false, 15, 2048, ALL, ALL, 20, false, 50, 10, "what is up to date"},
    {false, false, 8, 1024, 20, 200, 20, false, 20, 5, "failures but for 20, rows but for 200"},
    {false, false, 8, 1024, 5, 50, 5, false, 5, 3, "failures but for 5, rows but for 50"},
    {false, false, 0, 0, 3, 10, 2, false, 0, 1,
     "all logs, rows but for 10, what changed in images"},
    {false, false, 0, 0, 0, 3, 0, false, 0, 0, "rows but for 3, messages"},
    {false, false, 0, 0, 0, 0, 0, false, 0, 0, "all rows"},
};

static const char *const symbols[VERDICT_COUNT] = {
    [VERDICT_UP_TO_DATE] = "➖",
    [VERDICT_PROMOTE] = "✅",
    [VERDICT_REJECT] = "❌",
    [VERDICT_HOLD] = "⏸️",
    [VERDICT_LOOKUP_FAILED] = "⚠️",
};

/* Worst first. */
static const enum verdict verdict_order[] = {VERDICT_REJECT, VERDICT_LOOKUP_FAILED, VERDICT_HOLD,
                                             VERDICT_PROMOTE};

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

/* Once it does not fit there is no need to draw the rest of this step. */
static bool is_whole(const struct text *out) {
    return out->failed == ERROR_NONE;
}

/* The tests of their JUnit files are people's own, and count apart. */
static void add_inside(struct text *out, const struct result *result) {
    struct result_inside inside;
    result_count_all_inside(result, &inside);
    if (inside.tests == 0)
        return;
    text_printf(out, " JUnit files of theirs hold %zu test%s: %zu failed", inside.tests,
                plural(inside.tests), inside.failed);
    if (inside.skipped > 0)
        text_printf(out, ", %zu skipped", inside.skipped);
    if (inside.flaky > 0)
        text_printf(out, ", %zu flaky", inside.flaky);
    text_add_char(out, '.');
}

static void add_headline(struct text *out, const struct result *result, const char *headline) {
    struct result_tests tests;
    result_count_runs(result, &tests);
    bool closed =
        result->exit_status == EXIT_GATE_CLOSED || result_count(result, VERDICT_REJECT) > 0;
    const char *symbol = closed ? "❌" : result->exit_status == EXIT_DONE ? "✅" : "⚠️";
    text_printf(out, "%s **", symbol);
    markdown_words(out, headline, MESSAGE_LIMIT);
    text_add(out, "**");
    if (tests.total == 0)
        text_add(out, " No test was run");
    else
        text_printf(out, " %zu test run%s: %zu passed", tests.total, plural(tests.total),
                    tests.passed);
    if (tests.flaky > 0)
        text_printf(out, " (%zu flaky)", tests.flaky);
    if (tests.reused > 0)
        text_printf(out, " (%zu on record, not run again)", tests.reused);
    if (tests.failed > 0)
        text_printf(out, ", %zu failed", tests.failed);
    if (tests.errors > 0)
        text_printf(out, ", %zu could not be run", tests.errors);
    if (tests.skipped > 0)
        text_printf(out, ", %zu skipped", tests.skipped);
    text_add(out, ", in ");
    markdown_duration(out, result->finished_ms - result->started_ms);
    text_add(out, ".");
    add_inside(out, result);
    text_add_char(out, '\n');
}

/* Updates of which nothing was proven, though something may be newer. The other codes say that it was tested, that somebody
 * decided, or that it waits for its time. */
static const char *why_untested(const struct result_update *update) {
    static const char *const why[CODE_COUNT] = {
        [CODE_NO_TEST] = "no test covers it",
        [CODE_NOT_TESTED] = "its tests could not be run",
        [CODE_NOT_WRITABLE] = "one of its files may not be written",
        [CODE_NO_TAG] = "no tag to follow",
        [CODE_NOT_A_VERSION] = "its tag is no version",
        [CODE_TAG_MISMATCH] = "its tag does not match the rule",
        [CODE_NO_EVIDENCE] = "a test of it never passed",
    };
    return update->verdict == VERDICT_LOOKUP_FAILED ? "look-up failed" : why[update->code];
}

static void add_untested(struct text *out, const struct result *result, size_t shown) {
    size_t count = 0;
    for (size_t i = 0; i < result->update_count; i++) {
        const struct result_update *update = &result->updates[i];
        const char *why = why_untested(update);
        if (why == NULL || count++ >= shown)
            continue;
        text_add(out, count == 1 ? "\n> ⚠️ **Not tested:** " : ", ");
        markdown_image(out, update);
        text_printf(out, " (%s)", why);
    }
    if (count > shown)
        text_printf(out, "%s%zu %supdate%s", shown > 0 ? " and " : "\n> ⚠️ **Not tested:** ",
                    count - shown, shown > 0 ? "more " : "", plural(count - shown));
    text_add(out, count > 0 ? ".\n" : "");
}

static void add_messages(struct text *out, const char *title, const struct string_list *messages,
                         size_t shown) {
    if (messages->count == 0)
        return;
    text_printf(out, "\n### %s\n\n", title);
    for (size_t i = 0; i < messages->count && i < shown; i++) {
        text_add(out, "- ");
        markdown_words(out, messages->items[i], MESSAGE_LIMIT);
        text_add_char(out, '\n');
    }
    if (messages->count > shown)
        text_printf(out, "- %s%zu%s\n", shown > 0 ? "… and " : "", messages->count - shown,
                    shown > 0 ? " more" : "");
}

/* The table. */

static void add_change(struct text *out, const struct result_update *update) {
    markdown_version(out, update->tag, update->digest);
    if (update->candidate_tag == NULL && update->candidate_digest == NULL)
        return;
    text_add(out, " →&nbsp;");
    markdown_version(out, update->candidate_tag, update->candidate_digest);
}

static void add_test_counts(struct text *out, const struct result *result, size_t index) {
    struct result_tests tests;
    result_count_update_runs(result, index, &tests);
    if (tests.total == 0)
        text_add(out, result->updates[index].code == CODE_NO_TEST ? "**none**" : "–");
    else
        text_printf(out, "%zu/%zu%s", tests.passed, tests.total, tests.flaky > 0 ? " flaky" : "");
    if (tests.reused > 0)
        text_printf(out, ", %zu reused", tests.reused);
}

/* With whom it fails, what was tried before it, and that its tests did not pass at once. */
static void add_others(struct text *out, const struct result *result,
                       const struct result_update *update) {
    for (size_t i = 0; i < update->culprit_count && i < OTHERS_SHOWN; i++) {
        text_add(out, i == 0 ? ". Fails together with " : ", ");
        markdown_image(out, &result->updates[update->culprits[i]]);
    }
    if (update->culprit_count > OTHERS_SHOWN)
        text_printf(out, " and %zu more", update->culprit_count - OTHERS_SHOWN);
    for (size_t i = 0; i < update->tried_count && i < OTHERS_SHOWN; i++) {
        const struct result_tried *tried = &update->tried[i];
        text_add(out, i == 0 ? ". Tried before: " : ", ");
        markdown_version(out, tried->tag, tried->digest);
        text_printf(out, " %s (", outcome_name(tried->outcome));
        markdown_words(out, tried->test != NULL ? tried->test : tried->reason, MARKDOWN_NAME_LIMIT);
        text_add_char(out, ')');
    }
    if (update->tried_count > OTHERS_SHOWN)
        text_printf(out, " and %zu more", update->tried_count - OTHERS_SHOWN);
    if (update->tried_count > 0 && update->verdict == VERDICT_PROMOTE) {
        text_add(out, "; ");
        markdown_version(out, update->candidate_tag, update->candidate_digest);
        text_add(out, " was taken");
    }
    if (update->flaky && update->code != CODE_FLAKY)
        text_add(out, ". **Flaky**");
}

static void add_verdict(struct text *out, const struct result *result,
                        const struct result_update *update) {
    text_printf(out, "**%s**", result_verdict_words(result, update));
    if (update->code != CODE_NONE) {
        text_add(out, " (");
        markdown_words(out, verdict_code_name(update->code), MARKDOWN_NAME_LIMIT);
        text_add_char(out, ')');
    }
    if (or_empty(update->reason)[0] != '\0') {
        text_add(out, ": ");
        markdown_words(out, update->reason, MARKDOWN_REASON_LIMIT);
    }
    add_others(out, result, update);
}

static void add_row(struct text *out, const struct result *result, size_t index) {
    const struct result_update *update = &result->updates[index];
    text_printf(out, "| %s | ", symbols[update->verdict]);
    markdown_image(out, update);
    text_add(out, " | ");
    add_change(out, update);
    text_add(out, " | ");
    add_test_counts(out, result, index);
    text_add(out, " | ");
    add_verdict(out, result, update);
    text_add(out, " |\n");
}

/* Rows that are folded: nothing is to be decided there. */
static bool is_quiet(const struct result_update *update) {
    return update->verdict == VERDICT_UP_TO_DATE || update->code == CODE_NOT_SELECTED;
}

static const char table_head[] = "| | Image | Current → candidate | Tests | Verdict |\n"
                                 "|---|---|---|---|---|\n";

static void add_table(struct text *out, const struct result *result, size_t limit) {
    size_t count = 0;
    size_t rows = 0;
    for (size_t i = 0; i < result->update_count; i++)
        count += is_quiet(&result->updates[i]) ? 0 : 1;
    if (count > 0 && limit > 0)
        text_printf(out, "\n%s", table_head);
    for (size_t v = 0; v < sizeof verdict_order / sizeof *verdict_order; v++)
        for (size_t i = 0; i < result->update_count && rows < limit && is_whole(out); i++)
            if (result->updates[i].verdict == verdict_order[v] && !is_quiet(&result->updates[i])) {
                add_row(out, result, i);
                rows++;
            }
    if (count > rows)
        text_printf(out, "\n%s%zu%s update%s.\n", rows > 0 ? "… and " : "", count - rows,
                    rows > 0 ? " more" : "", plural(count - rows));
}

static void add_quiet_words(struct text *out, const struct result *result, size_t current,
                            size_t left_out) {
    if (current > 0)
        text_printf(out, "%zu %s", current, result_unmoved_words(result));
    if (left_out > 0)
        text_printf(out, "%s%zu not asked for", current > 0 ? ", " : "", left_out);
}

static void add_quiet(struct text *out, const struct result *result, bool listed) {
    size_t current = result_count(result, VERDICT_UP_TO_DATE);
    size_t left_out = result_count_code(result, CODE_NOT_SELECTED);
    if (current + left_out == 0)
        return;
    text_add(out, listed ? "\n<details><summary>" : "\n");
    add_quiet_words(out, result, current, left_out);
    text_add(out, listed ? "</summary>\n\n" : ".\n");
    if (!listed)
        return;
    text_add(out, table_head);
    for (size_t i = 0; i < result->update_count && is_whole(out); i++)
        if (is_quiet(&result->updates[i]))
            add_row(out, result, i);
    text_add(out, "\n</details>\n");
}

/* Passes. */

static bool is_pass(const struct result_trial *trial, const struct result_command *command) {
    return result_trial_counts(trial) &&
           (command->outcome == OUTCOME_PASSED || command->outcome == OUTCOME_FLAKY);
}

static void add_reused(struct text *out, const struct result_reused *reused) {
    char time[CLOCK_RFC3339_SIZE];
    clock_rfc3339(reused->time_ms, time);
    text_printf(out, "reused: passed %s, entry ", time);
    markdown_version(out, NULL, reused->entry);
    text_add(out, " |\n");
}

/* command: NULL for a trial that was not run again. */
static void add_pass(struct text *out, const struct result *result,
                     const struct result_trial *trial, const struct result_command *command) {
    text_add(out, "| ");
    markdown_words(out, trial->test, MARKDOWN_NAME_LIMIT);
    text_add(out, " | ");
    if (command != NULL)
        markdown_code(out, command->text, MARKDOWN_NAME_LIMIT);
    else
        text_add(out, "–");
    text_add(out, " | ");
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        text_add(out, i > 0 ? " + " : "");
        markdown_image(out, update);
        text_add_char(out, ' ');
        markdown_version(out, update->candidate_tag, update->candidate_digest);
    }
    text_add(out, " | ");
    if (command == NULL) {
        add_reused(out, trial->reused);
        return;
    }
    markdown_duration(out, command->duration_ms);
    text_add(out, command->outcome == OUTCOME_FLAKY ? ", flaky |\n" : " |\n");
}

static void add_passes(struct text *out, const struct result *result) {
    struct result_tests tests;
    result_count_tests(result, &tests);
    if (tests.passed == 0)
        return;
    text_printf(out, "\n<details><summary>%zu passed command%s", tests.passed - tests.reused,
                plural(tests.passed - tests.reused));
    if (tests.reused > 0)
        text_printf(out, ", %zu reused test run%s", tests.reused, plural(tests.reused));
    text_add(out, "</summary>\n\n| Test | Command | On | Time |\n|---|---|---|---|\n");
    for (size_t i = 0; i < result->trial_count && is_whole(out); i++) {
        const struct result_trial *trial = &result->trials[i];
        if (trial->reused != NULL && trial->command_count == 0 && result_trial_counts(trial))
            add_pass(out, result, trial, NULL);
        for (size_t k = 0; k < trial->command_count; k++)
            if (is_pass(trial, &trial->commands[k]))
                add_pass(out, result, trial, &trial->commands[k]);
    }
    text_add(out, "\n</details>\n");
}

static void add_artifacts(struct text *out, const struct result *result) {
    size_t count = 0;
    for (size_t i = 0; i < result->trial_count; i++)
        count += result->trials[i].artifact_folder != NULL;
    if (count == 0)
        return;
    text_printf(out, "\n<details><summary>Artifacts of %zu test run%s</summary>\n\n", count,
                plural(count));
    for (size_t i = 0; i < result->trial_count && is_whole(out); i++) {
        const struct result_trial *trial = &result->trials[i];
        if (trial->artifact_folder == NULL)
            continue;
        text_add(out, "- ");
        markdown_code(out, trial->test, MARKDOWN_NAME_LIMIT);
        text_printf(out, "%s: ", trial->baseline ? " (as pinned)" : "");
        markdown_artifacts(out, trial);
        text_add_char(out, '\n');
    }
    text_add(out, "\n</details>\n");
}

/* The diff and the end. */

static void add_diff(struct text *out, const struct result *result) {
    const char *diff = or_empty(result->diff);
    size_t length = strlen(diff);
    if (length == 0)
        return;
    size_t shown = length;
    if (length > DIFF_OPEN) {
        const char *newline = memrchr(diff, '\n', DIFF_OPEN);
        shown = newline != NULL ? (size_t)(newline - diff) + 1 : 0;
    }
    text_printf(out, "\n<details%s><summary>%s</summary>\n\n", length <= 2048 ? " open" : "",
                result->changed ? "What was written" : "What would be written");
    clean_markdown_block(out, "diff", diff, shown);
    if (shown < length)
        text_add(out, "\n… the rest is in `pins.diff`.\n");
    text_add(out, "\n</details>\n");
}

static void add_footer(struct text *out, const struct result *result) {
    char started[CLOCK_RFC3339_SIZE];
    clock_rfc3339(result->started_ms, started);
    text_add(out, "\n<sub>pingate ");
    markdown_code(out, result->program_version, MARKDOWN_NAME_LIMIT);
    text_printf(out, " · %s", started);
    if (result->engine != NULL) {
        text_add(out, " · ");
        markdown_words(out, result->engine, MARKDOWN_NAME_LIMIT);
    }
    if (result->set != NULL) {
        text_add(out, " · set ");
        markdown_version(out, NULL, result->set);
    }
    text_add(out, "</sub>\n");
}

/* Of an id what people type; "?" for what is none. */
static void add_id(struct text *out, const char *id) {
    size_t length = strspn(or_empty(id), "0123456789abcdef");
    if (length < RESULT_SET_SHORT)
        text_add(out, "`?`");
    else
        text_printf(out, "`%.*s`", RESULT_SET_SHORT, id);
}

/* A stage that was forced is told before all else, at each length of the report. */
static void add_stage(struct text *out, const struct result *result,
                      const struct result_stage *stage) {
    text_add(out, stage->overridden != NULL ? "\n> ⚠️ **" : "\n> **");
    markdown_words(out, stage->name, MESSAGE_LIMIT);
    text_add(out, "**");
    if (result_stage_moves(stage)) {
        if (string_equal(result->command, "rollback"))
            text_add(out, result->changed ? " is back at the set " : " would go back to the set ");
        else
            text_add(out, result->changed ? " takes the set " : " would take the set ");
        add_id(out, stage->set);
        if (stage->from != NULL) {
            text_add(out, " from ");
            markdown_words(out, stage->from, MESSAGE_LIMIT);
        }
        text_add(out, " (before: ");
        add_id(out, stage->before);
        text_add_char(out, ')');
    } else if (stage->reason != NULL) {
        text_add(out, ": nothing enters from ");
        markdown_words(out, or_empty(stage->from), MESSAGE_LIMIT);
        text_add(out, ": ");
        markdown_words(out, stage->reason, MESSAGE_LIMIT);
    } else {
        text_add(out, " holds the set ");
        add_id(out, stage->set);
    }
    if (stage->overridden != NULL) {
        text_add(out, ". **FORCED** over ");
        markdown_words(out, stage->overridden, MESSAGE_LIMIT);
        text_add(out, ": ");
        markdown_words(out, or_empty(stage->forced), MESSAGE_LIMIT);
    }
    text_add_char(out, '\n');
}

static void add_stages(struct text *out, const struct result *result, size_t shown) {
    for (size_t i = 0; i < result->stage_count; i++)
        if (i < shown || result->stages[i].overridden != NULL)
            add_stage(out, result, &result->stages[i]);
}

static void add_cuts(struct text *out, size_t step) {
    if (step == 0)
        return;
    text_add(out, "\n> ✂️ Shortened to fit; left out: ");
    for (size_t i = 1; i <= step; i++)
        text_printf(out, "%s%s", i > 1 ? "; " : "", details[i].cut);
    text_add(out, ". All of it is in `result.json` and `junit.xml`.\n");
}

static void draw_step(const struct result *result, const char *headline, size_t step,
                      struct text *out) {
    const struct markdown_detail *detail = &details[step];
    add_headline(out, result, headline);
    add_stages(out, result, detail->messages);
    add_untested(out, result,
                 detail->messages < UNTESTED_SHOWN ? detail->messages : UNTESTED_SHOWN);
    add_cuts(out, step);
    add_messages(out, "⚠️ Errors", &result->errors, detail->messages);
    add_table(out, result, detail->rows);
    markdown_changes(result, detail->changes, out);
    markdown_failures(result, detail, out);
    markdown_flaky(result, detail->messages, out);
    add_messages(out, "Warnings", &result->warnings, detail->messages);
    if (detail->passes)
        add_passes(out, result);
    if (detail->passes)
        add_artifacts(out, result);
    if (detail->diff)
        add_diff(out, result);
    add_quiet(out, result, detail->current);
    add_footer(out, result);
}

int markdown_draw(const struct result *result, size_t limit, struct text *out, struct error *err) {
    _cleanup_(free_pointer) char *headline = result_headline(result, err);
    if (headline == NULL)
        return -1;
    _cleanup_(text_clear) struct text draft = {.ceiling = limit};
    for (size_t step = 0; step < sizeof details / sizeof *details; step++) {
        text_clear(&draft);
        draw_step(result, headline, step, &draft);
        if (draft.failed == ERROR_LIMIT)
            continue;
        if (text_check(&draft, err) < 0)
            return -1;
        text_append(out, text_string(&draft), draft.length);
        return text_check(out, err);
    }
    return error_set(err, ERROR_LIMIT, "the shortest report is larger than %zu bytes", limit);
}

static int draw(const struct result *result, struct text *out, struct error *err) {
    return markdown_draw(result, MARKDOWN_LIMIT_GITHUB, out, err);
}

const struct report report_markdown = {
    "markdown", "report.md", "for people, and short enough for a comment on GitHub", draw};
