#include "runners/test.h"

#include <stdlib.h>

static void command_clear(struct test_command *command) {
    for (char **argument = command->argv; argument != NULL && *argument != NULL; argument++)
        free(*argument);
    free(command->argv);
    free(command->text);
    free(command->in);
}

void test_clear(struct test *test) {
    for (size_t i = 0; i < test->command_count; i++)
        command_clear(&test->commands[i]);
    free(test->commands);
    free(test->name);
    free(test->in);
    free(test->user);
    free(test->workdir);
    string_list_clear(&test->images);
    string_list_clear(&test->environment);
    string_list_clear(&test->artifacts);
    *test = (struct test){0};
}
