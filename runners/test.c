#include "runners/test.h"

#include <jansson.h>
#include <stdlib.h>

#include "gate/base/json_write.h"
#include "runners/test_service.h"

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

static json_t *words_of(char *const *words) {
    size_t count = 0;
    while (words != NULL && words[count] != NULL)
        count++;
    return list_of((const char *const *)words, count);
}

static json_t *command_definition(const struct test *test, const struct test_command *command) {
    json_t *definition = json_pack("{s:o, s:s?}", "command", words_of(command->argv), "in",
                                   command->in != NULL ? command->in : test->in);
    if (definition != NULL && command->timeout_ms > 0 &&
        json_object_set_new(definition, "timeout_ms", json_integer(command->timeout_ms)) < 0) {
        json_decref(definition);
        return NULL;
    }
    return definition;
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

static json_t *build_definition(const struct test_build *build, struct error *err) {
    _cleanup_(string_list_clear) struct string_list sorted = {0};
    for (size_t i = 0; i < build->args.count; i++)
        if (string_list_add(&sorted, build->args.items[i], err) < 0)
            return NULL;
    string_list_sort(&sorted);
    return json_pack("{s:s, s:s, s:s?, s:o}", "context", build->context, "dockerfile",
                     build->dockerfile, "target", build->target, "args",
                     list_of((const char *const *)sorted.items, sorted.count));
}

static json_t *sorted_definition(const struct string_list *list, struct error *err) {
    _cleanup_(string_list_clear) struct string_list sorted = {0};
    for (size_t i = 0; i < list->count; i++)
        if (string_list_add(&sorted, list->items[i], err) < 0)
            return NULL;
    string_list_sort(&sorted);
    return list_of((const char *const *)sorted.items, sorted.count);
}

static json_t *ulimits_definition(const struct ulimit_list *list) {
    json_t *all = json_object();
    for (size_t i = 0; all != NULL && i < list->count; i++)
        if (json_object_set_new(all, list->items[i].name,
                                json_pack("[I, I]", (json_int_t)list->items[i].soft,
                                          (json_int_t)list->items[i].hard)) < 0) {
            json_decref(all);
            all = NULL;
        }
    return all;
}

static json_t *secrets_definition(const struct test_secret_list *list) {
    json_t *all = json_object();
    for (size_t i = 0; all != NULL && i < list->count; i++)
        if (json_object_set_new(all, list->items[i].file, json_string(list->items[i].name)) < 0) {
            json_decref(all);
            all = NULL;
        }
    return all;
}

/* What is not given is left out: tests that do without these keys keep their hash. */
static int add_surroundings(json_t *definition, const struct test *test, struct error *err) {
    const struct {
        const char *key;
        json_t *value; /* NULL: without memory */
        bool given;
    } parts[] = {
        {"environment_from", sorted_definition(&test->environment_from, err),
         test->environment_from.count > 0},
        {"secrets", secrets_definition(&test->secrets), test->secrets.count > 0},
        {"junit", list_of((const char *const *)test->junit.items, test->junit.count),
         test->junit.count > 0},
        {"tmpfs", sorted_definition(&test->tmpfs, err), test->tmpfs.count > 0},
        {"ulimits", ulimits_definition(&test->ulimits), test->ulimits.count > 0},
        {"entrypoint", words_of(test->entrypoint_words), test->entrypoint == ENTRYPOINT_REPLACE},
        {"shm", json_integer(test->shm_bytes), test->shm_bytes > 0},
        {"strict", json_true(), test->strict},
        {"services", test_services_definition(test, err), test->service_count > 0},
        {"retries", json_integer(test->retries), test->retries > 0},
        {"platform", json_string(test->platform != NULL ? test->platform : ""),
         test->platform != NULL},
    };
    int result = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].given && result == 0)
            result = json_object_set_new(definition, parts[i].key, parts[i].value);
        else
            json_decref(parts[i].value);
    }
    return result == 0 ? 0 : error_no_memory(err);
}

int test_definition_hash(const struct test *test, char hex[HASH_HEX_SIZE], struct error *err) {
    json_t *definition = json_pack(
        "{s:i, s:o, s:o, s:s?, s:s?, s:b, s:b, s:I, s:I, s:I, s:I, s:I}", "v", DEFINITION_VERSION,
        "run", commands_definition(test), "environment", sorted_definition(&test->environment, err),
        "user", test->user, "workdir", test->workdir, "network", test->network, "keep_entrypoint",
        test->entrypoint == ENTRYPOINT_KEEP, "timeout_ms", (json_int_t)test->timeout_ms, "memory",
        (json_int_t)test->memory_bytes, "nano_cpus", (json_int_t)test->nano_cpus, "pids",
        (json_int_t)test->pids, "log_limit", (json_int_t)test->log_limit_bytes);
    _cleanup_(text_clear) struct text bytes = {0};
    if (definition != NULL &&
        test->build != NULL && /* without one, evidence of before stays good */
        json_object_set_new(definition, "build", build_definition(test->build, err)) < 0) {
        json_decref(definition);
        definition = NULL;
    }
    if (definition == NULL)
        return error_no_memory(err);
    int result = add_surroundings(definition, test, err);
    if (result == 0)
        result = json_write(definition, JSON_COMPACT | JSON_SORT_KEYS, &bytes, err);
    json_decref(definition);
    return result == 0 ? hash_hex(text_string(&bytes), bytes.length, hex, err) : -1;
}

void test_command_clear(struct test_command *command) {
    for (char **argument = command->argv; argument != NULL && *argument != NULL; argument++)
        free(*argument);
    free(command->argv);
    free(command->text);
    free(command->in);
}

void test_build_clear(struct test_build *build) {
    free(build->context);
    free(build->dockerfile);
    free(build->target);
    string_list_clear(&build->args);
    string_list_clear(&build->images);
    *build = (struct test_build){0};
}

void ulimit_list_clear(struct ulimit_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    *list = (struct ulimit_list){0};
}

static void secret_list_clear(struct test_secret_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].file);
    }
    free(list->items);
    *list = (struct test_secret_list){0};
}

void test_clear(struct test *test) {
    if (test->build != NULL)
        test_build_clear(test->build);
    free(test->build);
    for (size_t i = 0; i < test->command_count; i++)
        test_command_clear(&test->commands[i]);
    free(test->commands);
    free(test->name);
    free(test->in);
    free(test->user);
    free(test->workdir);
    free(test->platform);
    for (size_t i = 0; i < test->service_count; i++)
        test_service_clear(&test->services[i]);
    free(test->services);
    for (char **word = test->entrypoint_words; word != NULL && *word != NULL; word++)
        free(*word);
    free(test->entrypoint_words);
    string_list_clear(&test->images);
    string_list_clear(&test->environment);
    string_list_clear(&test->environment_from);
    string_list_clear(&test->tmpfs);
    ulimit_list_clear(&test->ulimits);
    secret_list_clear(&test->secrets);
    string_list_clear(&test->artifacts);
    string_list_clear(&test->junit);
    *test = (struct test){0};
}
