#include "pipelines/commands/help.h"

#include <config.h>
#include <string.h>

static const struct {
    int status;
    const char *meaning;
} statuses[] = {
    {0, "promoted, or nothing to do (held updates count as that)"},
    {1, "the gate is closed: a candidate failed its tests"},
    {2, "the command line or the configuration is wrong"},
    {3, "could not look or could not test: registry, engine, file system"},
    {4, "updates are there (status --exit-code)"},
    {70, "a bug of pingate"},
};

#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

#define WIDEST       100 /* columns; longer lines are hard to read */
#define USUAL        80  /* columns where the output is no terminal */
#define HANGING      29  /* columns before the words of an option */
#define NARROW       60  /* columns below which an option and its words stand on two lines */

/* Where help is drawn: words first, then as a whole onto the screen. */
struct page {
    const struct screen *screen;
    size_t columns;
    struct text text;
};

static struct page page_on(const struct screen *screen) {
    size_t columns = screen_columns(screen);
    if (columns == SCREEN_ENDLESS)
        columns = USUAL;
    return (struct page){.screen = screen, .columns = columns > WIDEST ? WIDEST : columns};
}

static void end_page(struct page *page) {
    fwrite(text_string(&page->text), 1, page->text.length, page->screen->stream);
    text_clear(&page->text);
}

/* A term in its column, and words behind it that hang below their first. */
static void add_entry(struct page *page, size_t hanging, const char *term, const char *words) {
    size_t used = screen_width(page->screen, term);
    if (page->columns < NARROW)
        hanging = 8;
    text_add(&page->text, term);
    if (used + 1 > hanging) {
        text_add_char(&page->text, '\n');
        used = 0;
    }
    for (; used < hanging; used++)
        text_add_char(&page->text, ' ');
    screen_wrap(page->screen, &page->text, words, hanging, hanging, page->columns);
    text_add_char(&page->text, '\n');
}

static void add_title(struct page *page, const char *title) {
    text_add_char(&page->text, '\n');
    screen_paint(page->screen, &page->text, STYLE_BOLD, title);
    text_add_char(&page->text, '\n');
}

static void add_options(struct page *page, const char *title, const enum option_id *ids) {
    if (*ids == OPTION_END)
        return;
    add_title(page, title);
    for (; *ids != OPTION_END; ids++) {
        const struct option_spec *spec = option_spec(*ids);
        char letter[8] = "   ";
        char term[80];
        if (spec->letter != 0)
            snprintf(letter, sizeof letter, "-%c,", spec->letter);
        snprintf(term, sizeof term, "  %s --%s%s%s", letter, spec->name,
                 spec->argument != NULL ? "=" : "", spec->argument != NULL ? spec->argument : "");
        add_entry(page, HANGING, term, spec->help);
    }
}

static void add_statuses(struct page *page) {
    char term[16];
    add_title(page, "Exit status:");
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        snprintf(term, sizeof term, "  %d", statuses[i].status);
        add_entry(page, 8, term, statuses[i].meaning);
    }
    add_entry(page, 8, "  128+N", "ended by signal N");
}

void help_all(const struct screen *screen) {
    struct page page = page_on(screen);
    screen_wrap(screen, &page.text,
                "pingate - tests newer digests of pinned container images before it writes them\n\n"
                "Usage: pingate COMMAND [OPTION]...",
                0, 0, page.columns);
    text_add_char(&page.text, '\n');
    add_title(&page, "Commands:");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char term[32];
        snprintf(term, sizeof term, "  %s", (*command)->name);
        add_entry(&page, 14, term, (*command)->summary);
    }
    add_options(&page, "Options of every command:", options_common);
    add_statuses(&page);
    text_add_char(&page.text, '\n');
    screen_wrap(screen, &page.text,
                "`pingate COMMAND --help` tells more of one; `man pingate` all.\n"
                "New here? pingate init, then pingate run --dry-run.\n",
                0, 0, page.columns);
    end_page(&page);
}

void help_command(const struct screen *screen, const struct command *command) {
    struct page page = page_on(screen);
    text_printf(&page.text, "Usage: pingate %s [OPTION]...%s%s\n\n", command->name,
                *command->arguments != '\0' ? " " : "", command->arguments);
    screen_wrap(screen, &page.text, command->description, 0, 0, page.columns);
    text_add_char(&page.text, '\n');
    add_options(&page, "Options:", command->options);
    add_options(&page, "Options of every command:", options_common);
    if (command->examples != NULL)
        add_title(&page, "Examples:");
    for (const char *const *line = command->examples; line != NULL && *line != NULL; line += 2) {
        text_printf(&page.text, "  %s\n", line[0]);
        add_entry(&page, 6, "", line[1]);
    }
    end_page(&page);
}

/* The man page: hyphens and backslashes as roff wants them, no line that begins with a dot. */
static void roff(FILE *out, const char *text) {
    bool start = true;
    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void roff_option(FILE *out, enum option_id id) {
    const struct option_spec *spec = option_spec(id);
    fprintf(out, ".TP\n");
    if (spec->letter != 0)
        fprintf(out, "\\fB\\-%c\\fR, ", spec->letter);
    fprintf(out, "\\fB\\-\\-");
    roff(out, spec->name);
    fprintf(out, "\\fR");
    if (spec->argument != NULL)
        fprintf(out, "=\\fI%s\\fR", spec->argument);
    fprintf(out, "\n");
    roff(out, spec->help);
    fprintf(out, "\n");
}

void help_man_page(FILE *out) {
    fprintf(out,
            ".\\\" made from the tables of commands and options by `make man`\n"
            ".TH PINGATE 1 \"\" \"pingate " PINGATE_VERSION "\" \"User Commands\"\n.SH NAME\n"
            "pingate \\- tests newer digests of pinned container images before it writes them\n"
            ".SH SYNOPSIS\n\\fBpingate\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n");
    roff(out,
         "pingate finds the container images that a project pins by digest, asks their registries "
         "for newer ones that the "
         "update policy allows, runs the project's declared tests against each candidate in "
         "containers, writes reports, "
         "and moves the pins only when the tests passed on exactly the digests that it writes.\n");
    fprintf(out, ".SH COMMANDS\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, ".SS \"%s %s\"\n", (*command)->name, (*command)->arguments);
        roff(out, (*command)->description);
        fprintf(out, "\n");
        for (const enum option_id *id = (*command)->options; *id != OPTION_END; id++)
            roff_option(out, *id);
    }
    fprintf(out, ".SH OPTIONS OF EVERY COMMAND\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        roff_option(out, *id);
    fprintf(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        fprintf(out, ".TP\n\\fB%d\\fR\n", statuses[i].status);
        roff(out, statuses[i].meaning);
        fprintf(out, "\n");
    }
    fprintf(out, ".TP\n\\fB128+N\\fR\nended by signal N\n.SH ENVIRONMENT\n");
    fprintf(
        out,
        ".TP\n\\fBDOCKER_HOST\\fR\nthe engine, where \\-\\-engine does not name one\n"
        ".TP\n\\fBPINGATE_ENGINE_TIMEOUT\\fR\nhow long the engine may take to answer one call, "
        "such as "
        "5m (default: 60s)\n"
        ".TP\n\\fBDOCKER_CONFIG\\fR\nthe folder of config.json with the credentials of registries\n"
        ".TP\n\\fBNO_COLOR\\fR, \\fBFORCE_COLOR\\fR\nno colours at all; colours also where the "
        "output is "
        "no terminal\n"
        ".TP\n\\fBCI\\fR\nplain lines, also on a terminal, unless it is \"false\"\n"
        ".TP\n\\fBPINGATE_TRACE\\fR\nwhat is traced: http, engine, scan, gate, all\n"
        ".SH FILES\n.TP\n\\fBpingate.yaml\\fR\nthe configuration\n"
        ".TP\n\\fBpingate\\-out/\\fR\nreports and logs of the last run\n");
}

static void print_words(FILE *out, const struct command *command) {
    const enum option_id *lists[] = {options_common, command->options};
    for (size_t l = 0; l < 2; l++)
        for (const enum option_id *id = lists[l]; *id != OPTION_END; id++)
            fprintf(out, " --%s", option_spec(*id)->name);
}

static void complete_bash(FILE *out) {
    fprintf(out, "_pingate() {\n    local word=${COMP_WORDS[COMP_CWORD]} words\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    for (const struct command *const *command = commands; *command != NULL; command++)
        fprintf(out, "%s%s", command != commands ? " " : "", (*command)->name);
    fprintf(out, " --help --version\"\n    else\n        case ${COMP_WORDS[1]} in\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "        %s) words=\"", (*command)->name);
        print_words(out, *command);
        fprintf(out, "\" ;;\n");
    }
    fprintf(out, "        esac\n    fi\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
                 "\"$word\")\n}\n"
                 "complete -o default -F _pingate pingate\n");
}

/* zsh and fish take one-line descriptions in quotes. */
static void quoted(FILE *out, const char *text, const char *avoid) {
    for (; *text != '\0'; text++)
        fputc(strchr(avoid, *text) != NULL ? ' ' : *text, out);
}

static void complete_zsh(FILE *out) {
    fprintf(out, "#compdef pingate\n_pingate() {\n    local -a commands\n    commands=(\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "        '%s:", (*command)->name);
        quoted(out, (*command)->summary, "':");
        fprintf(out, "'\n");
    }
    fprintf(out, "    )\n    if (( CURRENT == 2 )); then _describe command commands; return; fi\n  "
                 "  case $words[2] in\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "    %s) _arguments", (*command)->name);
        const enum option_id *lists[] = {options_common, (*command)->options};
        for (size_t l = 0; l < 2; l++)
            for (const enum option_id *id = lists[l]; *id != OPTION_END; id++) {
                fprintf(out, " '--%s%s[", option_spec(*id)->name,
                        option_spec(*id)->argument != NULL ? "=" : "");
                quoted(out, option_spec(*id)->help, "'[]:");
                fprintf(out, "]%s'", option_spec(*id)->argument != NULL ? ":value:_files" : "");
            }
        fprintf(out, " '*:file:_files' ;;\n");
    }
    fprintf(out, "    esac\n}\n_pingate \"$@\"\n");
}

static void complete_fish(FILE *out) {
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "complete -c pingate -n __fish_use_subcommand -a %s -d '", (*command)->name);
        quoted(out, (*command)->summary, "'");
        fprintf(out, "'\n");
        const enum option_id *lists[] = {options_common, (*command)->options};
        for (size_t l = 0; l < 2; l++)
            for (const enum option_id *id = lists[l]; *id != OPTION_END; id++) {
                fprintf(out, "complete -c pingate -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
                        (*command)->name, option_spec(*id)->name,
                        option_spec(*id)->argument != NULL ? " -r" : "");
                quoted(out, option_spec(*id)->help, "'");
                fprintf(out, "'\n");
            }
    }
}

int help_completion(FILE *out, const char *shell, struct error *err) {
    if (strcmp(shell, "bash") == 0)
        complete_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        complete_zsh(out);
    else if (strcmp(shell, "fish") == 0)
        complete_fish(out);
    else
        return error_set(err, ERROR_USAGE, "no completion for \"%s\"; known are bash, zsh and fish",
                         shell);
    return 0;
}
