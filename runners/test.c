#include "runners/test.h"

#include <jansson.h>
#include <stdlib.h>

#include "gate/base/json_write.h"

/* of what is hashed: another one makes all evidence be gathered anew */
#define DEFINITION_VERSION 1

/* NULL without memory, as all that is built of JSON here. */
static json_t *list_of(const char *const *items, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        if (json_array_append_new(list, json_string(items[i])) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *command_definition(const struct test *test, const struct test_command *command) {
    size_t count = 0;
    while (command->argv[count] != NULL)
        count++;
    return json_pack("{s:o, s:s?}", "command", list_of((const char *const *)command->argv, count),
                     "in", command->in != NULL ? command->in : test->in);
}

static json_t *commands_definition(const struct test *test) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < test->command_count; i++)
        if (json_array_append_new(list, command_definition(test, &test->commands[i])) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *environment_definition(const struct test *test, struct error *err) {
    _cleanup_(string_list_clear) struct string_list sorted = {0};
    for (size_t i = 0; i < test->environment.count; i++)
        if (string_list_add(&sorted, test->environment.items[i], err) < 0)
            return NULL;
    string_list_sort(&sorted);
    return list_of((const char *const *)sorted.items, sorted.count);
}

/* Where there is none it is left out, so that evidence of tests without it goes on to count. */
static int add_junit(const struct test *test, json_t *definition) {
    return test->junit.count == 0
               ? 0
               : json_object_set_new(
                     definition, "junit",
                     list_of((const char *const *)test->junit.items, test->junit.count));
}

int test_definition_hash(const struct test *test, char hex[HASH_HEX_SIZE], struct error *err) {
    json_t *definition = json_pack(
        "{s:i, s:o, s:o, s:s?, s:s?, s:b, s:b, s:I, s:I, s:I, s:I, s:I}", "v", DEFINITION_VERSION,
        "run", commands_definition(test), "environment", environment_definition(test, err), "user",
        test->user, "workdir", test->workdir, "network", test->network, "keep_entrypoint",
        test->keep_entrypoint, "timeout_ms", (json_int_t)test->timeout_ms, "memory",
        (json_int_t)test->memory_bytes, "nano_cpus", (json_int_t)test->nano_cpus, "pids",
        (json_int_t)test->pids, "log_limit", (json_int_t)test->log_limit_bytes);
    _cleanup_(text_clear) struct text bytes = {0};
    if (definition == NULL || add_junit(test, definition) < 0) {
        json_decref(definition);
        return error_no_memory(err);
    }
    int result = json_write(definition, JSON_COMPACT | JSON_SORT_KEYS, &bytes, err);
    json_decref(definition);
    return result == 0 ? hash_hex(text_string(&bytes), bytes.length, hex, err) : -1;
}

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
    string_list_clear(&test->junit);
    *test = (struct test){0};
}
