/* command: the table of commands. A new command is one file with one `const struct command`, and one line in command.c. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "gate/base/cancel.h"
#include "pipelines/commands/options.h"
#include "pipelines/config.h"
#include "reports/terminal.h"

struct invocation {
    const struct command *command;
    struct options options;
    struct cancel *cancel;
    struct terminal *terminal; /* progress and messages; standard error */
    FILE *out;                 /* results; standard output */
    struct screen screen;      /* what standard output can show */
    const char *root;          /* folder of the project */
};

struct command {
    const char *name;
    const char *arguments;      /* "[NAME…]"; "" where it takes none */
    const char *argument_words; /* "bash zsh": what shells offer; NULL for nothing */
    size_t arguments_least, arguments_most;
    const char *summary;           /* one line of the list */
    const char *description;       /* paragraphs of its help and of the man page */
    const enum option_id *options; /* its own; ends with OPTION_END */
    const char *const *examples;   /* pairs: a command line, what it does; ends with NULL */
    /* *exit_status is EXIT_DONE before. err: main prints it and exits by its kind. */
    int (*run)(struct invocation *invocation, int *exit_status, struct error *err);
};

extern const struct command *const commands[]; /* NULL-terminated, in the order of the help */
const struct command *command_find(const char *name);

/* The configuration that --config names, else pingate.yaml in the root; without either, an empty one. Warnings go to
 * the terminal. */
int command_config(struct invocation *invocation, struct config *config,
                   struct error *err) _must_check_;

/* Prints on invocation->out at once, after taking live lines away: standard output and error may be one screen. */
int command_print(struct invocation *invocation, const struct text *text,
                  struct error *err) _must_check_;

/* Prints JSON on invocation->out with a newline behind; take_json is freed. NULL gives -1 (err is set already). */
int command_print_json(struct invocation *invocation, json_t *take_json,
                       struct error *err) _must_check_;

/* --state, else $PINGATE_STATE, else NULL. */
const char *command_state(const struct invocation *invocation);

/* --output, else pingate-out in the root. NULL with *err set. */
char *command_output_folder(const struct invocation *invocation, struct error *err) _must_check_;
