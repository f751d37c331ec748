#include "pipelines/commands/help.h"

#include <string.h>

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    const char *what = invocation->options.arguments[0];
    if (strcmp(what, "man") != 0)
        return help_completion(invocation->out, what, err);
    help_man_page(invocation->out);
    return 0;
}

static const enum option_id options[] = {OPTION_END};
static const char *const examples[] = {"source <(pingate completion bash)",
                                       "completes in this shell", NULL};

const struct command command_completion;
const struct command command_completion = {
    .name = "completion",
    .arguments = "SHELL",
    .argument_words = "bash zsh fish man",
    .arguments_least = 1,
    .arguments_most = 1,
    .summary = "print the completion for bash, zsh or fish",
    .description = "Prints what makes a shell complete commands and options: bash, zsh or fish; "
                   "`man` prints the man page.",
    .options = options,
    .examples = examples,
    .run = run,
};
