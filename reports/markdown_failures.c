#include <string.h>

#include "reports/clean.h"
#include "reports/markdown_parts.h"

/* bytes of a line for a shell; a longer one is left out, as half of one is no use */
#define REPRODUCE_LIMIT 4000u

#define SHELL_COLUMNS   100 /* of a line for a shell, where it can be broken */

static bool is_told(const struct result *result, const struct result_trial *trial) {
    bool broke = trial->outcome == OUTCOME_ERROR && !result_is_interrupted(result);
    return result_trial_counts(trial) && (outcome_is_failure(trial->outcome) || broke);
}

static const char *outcome_words(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_TIMED_OUT:
        return "timed out";
    case OUTCOME_OOM:
        return "ran out of memory";
    case OUTCOME_ERROR:
        return "could not be run";
    case OUTCOME_PASSED:
    case OUTCOME_FLAKY:
    case OUTCOME_SKIPPED:
    case OUTCOME_COUNT:
        break;
    }
    return outcome_name(outcome);
}

static void add_heading(struct text *out, const struct result *result,
                        const struct result_trial *trial) {
    text_printf(out, "\n### %s Test ", trial->outcome == OUTCOME_ERROR ? "⚠️" : "❌");
    markdown_code(out, trial->test, MARKDOWN_NAME_LIMIT);
    text_printf(out, " %s on ", outcome_words(trial->outcome));
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        bool last = i + 1 == trial->update_count;
        text_add(out, i == 0 ? "" : last ? " together with " : ", ");
        markdown_image(out, update);
        text_add_char(out, ' ');
        markdown_version(out, update->candidate_tag, update->candidate_digest);
    }
    text_add(out, "\n\n");
}

/* " (linux/amd64, after 2.3 s)" */
static void add_circumstances(struct text *out, const struct result_trial *trial,
                              const struct result_command *command) {
    bool timed = trial->outcome != OUTCOME_TIMED_OUT; /* its reason tells the time */
    if (!timed && trial->platform == NULL)
        return;
    text_add(out, " (");
    if (trial->platform != NULL)
        markdown_words(out, trial->platform, MARKDOWN_NAME_LIMIT);
    if (timed) {
        text_add(out, trial->platform != NULL ? ", after " : "after ");
        markdown_duration(out, command != NULL ? command->duration_ms : trial->duration_ms);
    }
    text_add_char(out, ')');
}

/* What the verdict made of it; for several updates the reason of each is in its row. */
static void add_comparison(struct text *out, const struct result *result,
                           const struct result_trial *trial) {
    if (trial->update_count != 1)
        return;
    const struct result_update *update = &result->updates[trial->updates[0]];
    if (update->code == CODE_REGRESSION)
        text_add(out, " On the current digest the same test passes: **a regression**.");
    else if (update->code == CODE_ALREADY_BROKEN)
        text_add(out,
                 " On the current digest it fails, too: **already broken** before this update.");
    else if (update->code == CODE_TEST_FAILED)
        text_add(out, " The current digest could not be tried for comparison.");
}

static void add_stream(struct text *out, const struct markdown_detail *detail, const char *title,
                       const char *tail, int64_t bytes, const char *path) {
    tail = or_empty(tail);
    if (detail->tail_lines == 0 || tail[0] == '\0')
        return;
    size_t length;
    const char *lines =
        clean_tail(tail, strlen(tail), detail->tail_lines, detail->tail_bytes, &length);
    text_printf(out, "\n%s%s", title,
                (int64_t)length < bytes || length < strlen(tail) ? ", last lines" : "");
    if (path != NULL) {
        text_add(out, " (all of it in ");
        markdown_code(out, path, MARKDOWN_NAME_LIMIT);
        text_add_char(out, ')');
    }
    text_add(out, ":\n\n");
    clean_markdown_block(out, "", lines, length);
}

/* Up to the next space that is neither quoted nor escaped, as a shell reads it. */
static size_t shell_word(const char *at) {
    size_t length = 0;
    char quote = '\0';
    for (; at[length] != '\0' && (quote != '\0' || at[length] != ' '); length++) {
        char c = at[length];
        if (c == '\\' && quote != '\'' && at[length + 1] != '\0')
            length++;
        else if (quote == '\0' && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = '\0';
    }
    return length;
}

/* A long line for a shell as several, broken before options, so that it can be read and still be pasted. */
static void break_shell_line(struct text *out, const char *line) {
    size_t used = 0;
    while (*line != '\0') {
        size_t length = shell_word(line);
        size_t with_value = length;
        if (line[length] == ' ' && line[length + 1] != '-')
            with_value += 1 + shell_word(line + length + 1);
        bool option = line[*line == '\''] == '-';
        if (used > 2 && option && used + with_value > SHELL_COLUMNS) {
            text_add(out, " \\\n  ");
            used = 2;
        } else if (used > 0)
            text_add_char(out, ' ');
        text_append(out, line, length);
        used += length + 1;
        line += length;
        line += *line == ' ';
    }
}

static void add_shell_block(struct text *out, const char *title, const struct text *lines) {
    text_printf(out, "\n%s:\n\n", title);
    clean_markdown_block(out, "sh", text_string(lines), lines->length);
    text_follow(out, lines);
}

/* The commands before the failed one have made what it found in the workspace, so they come with it. Where all of them are
 * too long, the failed one is shown alone, and the title says so. */
static void add_reproduce(struct text *out, const struct result_trial *trial,
                          const struct result_command *failed) {
    _cleanup_(text_clear) struct text lines = {.ceiling = REPRODUCE_LIMIT};
    const char *title = "To reproduce, in a copy of the project";
    if (failed->reproduce == NULL || strlen(failed->reproduce) > REPRODUCE_LIMIT)
        return;
    for (const struct result_command *one = trial->commands; one <= failed; one++) {
        if (one->reproduce == NULL)
            continue;
        break_shell_line(&lines, one->reproduce);
        text_add(&lines, one < failed ? " &&\n" : "");
    }
    if (lines.failed == ERROR_LIMIT) {
        text_clear(&lines);
        lines.ceiling = 2 * REPRODUCE_LIMIT; /* where a line is broken it grows */
        break_shell_line(&lines, failed->reproduce);
        title = failed > trial->commands
                    ? "To reproduce, after the commands before it, in a copy of the project"
                    : title;
    }
    add_shell_block(out, title, &lines);
}

static void add_verdict_again(struct text *out, const char *reproduce) {
    if (reproduce == NULL || strlen(reproduce) > REPRODUCE_LIMIT)
        return;
    _cleanup_(text_clear) struct text lines = {0};
    break_shell_line(&lines, reproduce);
    add_shell_block(out, "To see the whole verdict again", &lines);
}

static void add_command(struct text *out, const struct markdown_detail *detail,
                        const struct result_trial *trial, const struct result_command *command) {
    add_stream(out, detail, "Standard error", command->err_tail, command->err_bytes,
               command->err_path);
    add_stream(out, detail, "Standard output", command->out_tail, command->out_bytes,
               command->out_path);
    if (detail->tail_lines > 0)
        add_reproduce(out, trial, command);
}

static void add_failure(struct text *out, const struct result *result,
                        const struct markdown_detail *detail, const struct result_trial *trial) {
    const struct result_command *command = result_failed_command(trial);
    const char *reason = command != NULL ? command->reason : trial->reason;
    add_heading(out, result, trial);
    if (command != NULL) {
        markdown_code(out, command->text, 2 * MARKDOWN_NAME_LIMIT);
        text_add(out, ": ");
    }
    markdown_words(out, reason != NULL ? reason : outcome_words(trial->outcome),
                   2 * MARKDOWN_REASON_LIMIT);
    add_circumstances(out, trial, command);
    text_add_char(out, '.');
    add_comparison(out, result, trial);
    text_add_char(out, '\n');
    if (trial->artifact_folder != NULL) {
        text_add(out, "\nArtifacts: ");
        markdown_artifacts(out, trial);
        text_add(out, ".\n");
    }
    if (command != NULL)
        add_command(out, detail, trial, command);
    if (detail->tail_lines > 0 && trial->update_count == 1)
        add_verdict_again(out, result->updates[trial->updates[0]].reproduce);
}

void markdown_failures(const struct result *result, const struct markdown_detail *detail,
                       struct text *out) {
    size_t told = 0;
    size_t left_out = 0;
    for (size_t i = 0; i < result->trial_count && out->failed == ERROR_NONE; i++) {
        const struct result_trial *trial = &result->trials[i];
        if (!is_told(result, trial))
            continue;
        if (told < detail->failures) {
            add_failure(out, result, detail, trial);
            told++;
        } else
            left_out++;
    }
    if (left_out > 0)
        text_printf(out, "\n%s%zu more failed test run%s.\n", told > 0 ? "… and " : "", left_out,
                    left_out == 1 ? "" : "s");
}
