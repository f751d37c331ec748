/* help: what the tables of commands and options say, for people (help.c), for man (man.c) and for shells (shells.c). */
#pragma once

#include <stdio.h>

#include "pipelines/commands/command.h"

void help_all(const struct screen *screen); /* pingate --help */
void help_command(const struct screen *screen, const struct command *command);
void help_man_page(FILE *out); /* docs/pingate.1; a test holds the file to it */
/* bash, zsh, fish; also below docs */
int help_completion(FILE *out, const char *shell, struct error *err) _must_check_;

/* The exit statuses of every command; ends with a NULL meaning. 128+N is not among them. */
struct help_status {
    int status;
    const char *meaning;
};
extern const struct help_status help_statuses[];
#define HELP_SIGNAL_MEANING "ended by signal N"
