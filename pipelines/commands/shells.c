/* The completions of bash, zsh and fish. After an option with an argument, and for arguments, they offer the words that are
 * known, else files. `make man` writes them below docs. */
#include <string.h>

#include "pipelines/commands/help.h"

/* Calls visit for the options that every command takes, then for the command's own. */
static void each_option(const struct command *command,
                        void (*visit)(FILE *out, const struct option_spec *spec), FILE *out) {
    const enum option_id *lists[] = {options_common, command->options};
    for (size_t l = 0; l < 2; l++)
        for (const enum option_id *id = lists[l]; *id != OPTION_END; id++)
            visit(out, option_spec(*id));
}

static void bash_option(FILE *out, const struct option_spec *spec) {
    fprintf(out, " --%s", spec->name);
}

/* A case of the word before the one that is completed. */
static void bash_arguments(FILE *out) {
    fprintf(out, "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n");
    for (int id = OPTION_END + 1; id < OPTION_COUNT; id++) {
        const struct option_spec *spec = option_spec((enum option_id)id);
        if (spec->argument == NULL)
            continue;
        fprintf(out, "    --%s", spec->name);
        if (spec->letter != 0)
            fprintf(out, " | -%c", spec->letter);
        fprintf(out,
                ")\n        mapfile -t COMPREPLY < <(compgen -W \"%s\" -- \"$word\")\n"
                "        return ;;\n",
                spec->choices != NULL ? spec->choices : "");
    }
    fprintf(out, "    esac\n");
}

static void complete_bash(FILE *out) {
    fprintf(out, "# bash completion for pingate, made by `make man`\n"
                 "_pingate() {\n    local word=${COMP_WORDS[COMP_CWORD]} words= options=\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    for (const struct command *const *command = commands; *command != NULL; command++)
        fprintf(out, "%s ", (*command)->name);
    fprintf(out, "--help --version\"\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                 "        return\n    fi\n");
    bash_arguments(out);
    fprintf(out, "    case ${COMP_WORDS[1]} in\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "    %s)\n        options=\"", (*command)->name);
        each_option(*command, bash_option, out);
        fprintf(out, "\"\n");
        if ((*command)->argument_words != NULL)
            fprintf(out, "        words=\"%s\"\n", (*command)->argument_words);
        fprintf(out, "        ;;\n");
    }
    fprintf(out, "    esac\n    [[ $word != -* ]] || words=$options\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
                 "complete -o default -F _pingate pingate\n");
}

/* zsh and fish take one-line descriptions in quotes. */
static void quoted(FILE *out, const char *text, const char *avoid) {
    for (; *text != '\0'; text++)
        fputc(strchr(avoid, *text) != NULL ? ' ' : *text, out);
}

static void zsh_option(FILE *out, const struct option_spec *spec) {
    char action[128] = "";
    if (spec->argument != NULL && spec->choices != NULL)
        snprintf(action, sizeof action, ":%s:(%s)", spec->argument, spec->choices);
    else if (spec->argument != NULL)
        snprintf(action, sizeof action, ":%s:_files", spec->argument);
    const char *names[2] = {spec->name, NULL};
    for (size_t i = 0; i < (spec->letter != 0 ? 2 : 1); i++) {
        fprintf(out, " \\\n            '");
        if (names[i] != NULL)
            fprintf(out, "--%s%s[", names[i], spec->argument != NULL ? "=" : "");
        else
            fprintf(out, "-%c%s[", spec->letter, spec->argument != NULL ? "+" : "");
        quoted(out, spec->help, "'[]:");
        fprintf(out, "]%s'", action);
    }
}

static void complete_zsh(FILE *out) {
    fprintf(out, "#compdef pingate\n# zsh completion for pingate, made by `make man`\n"
                 "_pingate() {\n    local -a commands\n    commands=(\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "        '%s:", (*command)->name);
        quoted(out, (*command)->summary, "':");
        fprintf(out, "'\n");
    }
    fprintf(out, "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
                 "        return\n    fi\n    local command=$words[2]\n    shift words\n"
                 "    (( CURRENT-- ))\n    case $command in\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "    %s)\n        _arguments", (*command)->name);
        each_option(*command, zsh_option, out);
        if ((*command)->argument_words != NULL)
            fprintf(out, " \\\n            '*:word:(%s)'", (*command)->argument_words);
        fprintf(out, "\n        ;;\n");
    }
    fprintf(out, "    esac\n}\n\n_pingate \"$@\"\n");
}

static const struct command *fish_command; /* each_option has no room for it */

static void fish_option(FILE *out, const struct option_spec *spec) {
    fprintf(out, "complete -c pingate -n '__fish_seen_subcommand_from %s' -l %s",
            fish_command->name, spec->name);
    if (spec->letter != 0)
        fprintf(out, " -s %c", spec->letter);
    if (spec->choices != NULL)
        fprintf(out, " -x -a '%s'", spec->choices);
    else if (spec->argument != NULL)
        fprintf(out, " -r -F");
    fprintf(out, " -d '");
    quoted(out, spec->help, "'\\");
    fprintf(out, "'\n");
}

static void complete_fish(FILE *out) {
    fprintf(out, "# fish completion for pingate, made by `make man`\ncomplete -c pingate -f\n");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        fprintf(out, "complete -c pingate -n __fish_use_subcommand -a %s -d '", (*command)->name);
        quoted(out, (*command)->summary, "'\\");
        fprintf(out, "'\n");
        if ((*command)->argument_words != NULL)
            fprintf(out, "complete -c pingate -n '__fish_seen_subcommand_from %s' -a '%s'\n",
                    (*command)->name, (*command)->argument_words);
        fish_command = *command;
        each_option(*command, fish_option, out);
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
