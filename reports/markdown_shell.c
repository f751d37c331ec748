/* Lines for a shell: broken where they are long, and still fit to be pasted. */
#include <string.h>

#include "reports/clean.h"
#include "reports/markdown_parts.h"

/* bytes of a line for a shell; a longer one is left out, as half of one is no use */
#define REPRODUCE_LIMIT 4000u
#define SHELL_COLUMNS   100 /* of a line for a shell, where it can be broken */

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
void markdown_reproduce(struct text *out, const struct result_trial *trial,
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

void markdown_verdict_again(struct text *out, const char *reproduce) {
    if (reproduce == NULL || strlen(reproduce) > REPRODUCE_LIMIT)
        return;
    _cleanup_(text_clear) struct text lines = {0};
    break_shell_line(&lines, reproduce);
    add_shell_block(out, "To see the whole verdict again", &lines);
}
