/* help: what the tables of commands and options say, for people and shells. */
#pragma once

#include <stdio.h>

#include "pipelines/commands/command.h"

void help_all(const struct screen *screen); /* pingate --help */
void help_command(const struct screen *screen, const struct command *command);
void help_man_page(FILE *out); /* docs/pingate.1; a test holds the file to it */
int help_completion(FILE *out, const char *shell,
                    struct error *err) _must_check_; /* bash, zsh, fish */
