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

static void print_option(FILE *out, enum option_id id) {
    const struct option_spec *spec = option_spec(id);
    char words[64];
    snprintf(words, sizeof words, "--%s%s%s", spec->name, spec->argument != NULL ? "=" : "",
             spec->argument != NULL ? spec->argument : "");
    if (spec->letter != 0)
        fprintf(out, "  -%c, %-22s %s\n", spec->letter, words, spec->help);
    else
        fprintf(out, "      %-22s %s\n", words, spec->help);
}

static void print_statuses(FILE *out) {
    fprintf(out, "\nExit status:\n");
    for (size_t i = 0; i < STATUS_COUNT; i++)
        fprintf(out, "  %-4d %s\n", statuses[i].status, statuses[i].meaning);
    fprintf(out, "  128+N ended by signal N\n");
}

void help_all(FILE *out) {
    fprintf(out,
            "pingate - tests newer digests of pinned container images before it writes them\n\n"
            "Usage: pingate COMMAND [OPTION…]\n\nCommands:\n");
    for (const struct command *const *command = commands; *command != NULL; command++)
        fprintf(out, "  %-11s %s\n", (*command)->name, (*command)->summary);
    fprintf(out, "\nOptions of every command:\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        print_option(out, *id);
    print_statuses(out);
    fprintf(out, "\n`pingate COMMAND --help` tells more of one; `man pingate` all.\n");
}

void help_command(FILE *out, const struct command *command) {
    fprintf(out, "Usage: pingate %s [OPTION…]%s%s\n\n%s\n", command->name,
            *command->arguments != '\0' ? " " : "", command->arguments, command->description);
    if (*command->options != OPTION_END)
        fprintf(out, "\nOptions:\n");
    for (const enum option_id *id = command->options; *id != OPTION_END; id++)
        print_option(out, *id);
    fprintf(out, "\nOptions of every command:\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        print_option(out, *id);
    if (command->examples != NULL)
        fprintf(out, "\nExamples:\n");
    for (const char *const *line = command->examples; line != NULL && *line != NULL; line += 2)
        fprintf(out, "  %-42s %s\n", line[0], line[1]);
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
        ".TP\n\\fBNO_COLOR\\fR\nno colours\n"
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
