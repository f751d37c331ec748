#include "pipelines/commands/help.h"

#include <string.h>

#define NAME_COLUMNS 30 /* for options and their letters; their help stands behind */

const struct help_status help_statuses[] = {
    {EXIT_DONE, "promoted, or nothing to do; held updates count as that"},
    {EXIT_GATE_CLOSED, "the gate is closed: a candidate failed its tests"},
    {EXIT_USAGE, "the command line or the configuration is wrong"},
    {EXIT_COULD_NOT, "could not look or could not test: registry, engine, file system"},
    {EXIT_UPDATES, "updates are there (status --exit-code)"},
    {EXIT_BUG, "a bug of pingate"},
    {0, NULL},
};

/* Characters of UTF-8; the texts of the tables have none that is wide or combines. */
static size_t columns(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Prints words from column `at` on, and further lines at `indent`. A line feed in the text is kept. */
static void print_wrapped(FILE *out, const char *text, size_t at, size_t indent) {
    bool first = true;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        size_t width = columns(text, length);
        if (!first && at + 1 + width > HELP_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)length, text);
        at += width;
        first = false;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        text += *text != '\0' ? 1 : 0;
    }
    fputc('\n', out);
}

/* A name in its column and its help in the next one. */
static void print_row(FILE *out, const char *name, size_t column, const char *help) {
    size_t width = columns(name, strlen(name));
    fputs(name, out);
    if (width + 1 > column) {
        fputc('\n', out);
        width = 0;
    }
    fprintf(out, "%*s", (int)(column - width), "");
    print_wrapped(out, help, column, column);
}

static void print_option(FILE *out, enum option_id id) {
    const struct option_spec *spec = option_spec(id);
    char letter[8] = "    ";
    char name[80];
    if (spec->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    snprintf(name, sizeof name, "  %s--%s%s%s", letter, spec->name,
             spec->argument != NULL ? "=" : "", spec->argument != NULL ? spec->argument : "");
    print_row(out, name, NAME_COLUMNS, spec->help);
}

static void print_statuses(FILE *out) {
    char name[16];
    fprintf(out, "\nExit status:\n");
    for (const struct help_status *status = help_statuses; status->meaning != NULL; status++) {
        snprintf(name, sizeof name, "  %d", status->status);
        print_row(out, name, 10, status->meaning);
    }
    print_row(out, "  128+N", 10, HELP_SIGNAL_MEANING);
}

void help_all(FILE *out) {
    fprintf(out, "pingate - tests newer digests of pinned images before it writes them\n\n"
                 "Usage: pingate COMMAND [OPTION…]\n\nCommands:\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char name[32];
        snprintf(name, sizeof name, "  %s", (*command)->name);
        print_row(out, name, 14, (*command)->summary);
    }
    fprintf(out, "\nOptions of every command:\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        print_option(out, *id);
    print_statuses(out);
    fprintf(out, "\n`pingate COMMAND --help` tells more of one; `man pingate` all.\n");
}

void help_command(FILE *out, const struct command *command) {
    fprintf(out, "Usage: pingate %s [OPTION…]%s%s\n\n", command->name,
            *command->arguments != '\0' ? " " : "", command->arguments);
    print_wrapped(out, command->description, 0, 0);
    if (*command->options != OPTION_END)
        fprintf(out, "\nOptions:\n");
    for (const enum option_id *id = command->options; *id != OPTION_END; id++)
        print_option(out, *id);
    fprintf(out, "\nOptions of every command:\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        print_option(out, *id);
    if (command->examples != NULL)
        fprintf(out, "\nExamples:\n");
    for (const char *const *line = command->examples; line != NULL && *line != NULL; line += 2) {
        char name[80];
        snprintf(name, sizeof name, "  %s", line[0]);
        print_row(out, name, 44, line[1]);
    }
}
