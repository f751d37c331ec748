/* The tests of pingate.yaml. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "pipelines/config_services.h"
#include "pipelines/config_surroundings.h"
#include "pipelines/config_tables.h"
#include "runners/artifact_names.h"

#define TESTS_LIMIT 1000 /* names are compared each with each */

/* tests */

static int check_test_name(const char *name, struct error *err) {
    size_t length = strlen(name);
    if (length == 0 || length > 64 || name[0] == '.' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-") !=
            length)
        return error_set(
            err, ERROR_CONFIG,
            "\"%.64s\": a test's name is 1 to 64 letters, digits, spaces, \".\", \"_\" or \"-\"",
            name);
    return 0;
}

static int read_name(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return check_test_name(node->text, err) < 0 ? config_place(file, node, err) : 0;
}

static int read_network(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"none", "bridge", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(bool *)field = chosen == 1;
    return 0;
}

/* The engine refuses any other. */
static int read_workdir(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return node->text[0] == '/'
               ? 0
               : config_complain(file, node, err,
                                 "\"%s\": a path that begins with \"/\" was expected; without "
                                 "workdir, commands begin in the workspace",
                                 node->text);
}

/* Nothing but blank lines and comments: a shell does nothing with it, and succeeds. */
static bool is_idle(const char *script) {
    while (*script != '\0') {
        script += strspn(script, " \t\r\n");
        if (*script != '#' && *script != '\0')
            return false;
        script += strcspn(script, "\n");
    }
    return true;
}

static int add_word(struct test_command *command, size_t at, const char *word, struct error *err) {
    command->argv[at] = string_dup(word, err);
    return command->argv[at] != NULL ? 0 : -1;
}

static int fill_words(const char *file, const struct yaml_node *node, struct test_command *command,
                      struct error *err) {
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *word = node->items[i];
        if (!yaml_is_scalar(word))
            return config_complain(file, word, err,
                                   "a word of the command was expected here, and this is %s",
                                   yaml_kind_name(word->kind));
        if (i == 0 && word->text[0] == '\0')
            return config_complain(file, word, err,
                                   "the first word is the program to run, and this one is empty");
        if (add_word(command, i, word->text, err) < 0)
            return -1;
    }
    return 0;
}

/* On one line, for reports. */
static int fill_text(const struct yaml_node *node, struct test_command *command,
                     struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    if (yaml_is_scalar(node))
        text_add(&words, node->text);
    for (size_t i = 0; !yaml_is_scalar(node) && i < node->count; i++)
        text_printf(&words, "%s%s", i > 0 ? " " : "", node->items[i]->text);
    while (words.length > 0 && words.bytes[words.length - 1] == '\n')
        text_truncate(&words, words.length - 1);
    for (size_t i = 0; i < words.length; i++)
        if (words.bytes[i] == '\n')
            words.bytes[i] = ' ';
    command->text = text_steal(&words, err);
    return command->text != NULL ? 0 : -1;
}

/* A string goes to a shell, a list is run as it is. */
static int fill_command(const char *file, const struct yaml_node *node,
                        struct test_command *command, struct error *err) {
    bool shell = yaml_is_scalar(node) && !yaml_is_null(node);
    if (!shell && (node->kind != YAML_SEQUENCE || node->count == 0))
        return config_complain(file, node, err,
                               "a command is a text for the shell, or a list of words that needs "
                               "none; this is %s",
                               yaml_is_scalar(node)          ? "empty"
                               : node->kind == YAML_SEQUENCE ? "an empty list"
                                                             : yaml_kind_name(node->kind));
    if (shell && is_idle(node->text))
        return config_complain(file, node, err,
                               "this command does nothing, so it would pass by itself");
    command->line = (int)node->line;
    command->argv = calloc((shell ? 3 : node->count) + 1, sizeof *command->argv);
    if (command->argv == NULL)
        return error_no_memory(err);
    int filled = shell
                     ? (add_word(command, 0, "sh", err) < 0 || add_word(command, 1, "-ec", err) < 0
                            ? -1
                            : add_word(command, 2, node->text, err))
                     : fill_words(file, node, command, err);
    return filled == 0 ? fill_text(node, command, err) : -1;
}

int config_read_command(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    return fill_command(file, node, field, err);
}

static const struct key command_keys[] = {
    {"in", config_read_selector, offsetof(struct test_command, in)},
    {"command", config_read_command, 0},
    {"timeout", config_read_duration, offsetof(struct test_command, timeout_ms)},
    {0},
};

const struct key_table config_command_table = {"a command", "tests.run.", command_keys, NULL};

static int add_command(const char *file, const struct yaml_node *node, struct test *test,
                       struct error *err) {
    struct test_command *grown = realloc(test->commands, (test->command_count + 1) * sizeof *grown);
    if (grown == NULL)
        return error_no_memory(err);
    test->commands = grown;
    struct test_command *command = &grown[test->command_count++];
    *command = (struct test_command){0};
    if (node->kind != YAML_MAPPING)
        return fill_command(file, node, command, err);
    if (config_read_mapping(file, node, &config_command_table, command, err) < 0)
        return -1;
    if (command->argv == NULL)
        return config_complain(file, node, err, "this command lacks \"command\": what to run");
    return 0;
}

static int read_run(const char *file, const struct yaml_node *node, void *target,
                    struct error *err) {
    struct test *test = target;
    if (yaml_is_scalar(node) && !yaml_is_null(node))
        return add_command(file, node, test, err);
    if (node->kind == YAML_MAPPING)
        return config_complain(
            file, node, err,
            "run is a command or a list of commands, and this is a mapping; write "
            "it as an entry of a list");
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return config_complain(
            file, node, err,
            "run needs at least one command: a test without one would pass by itself");
    for (size_t i = 0; i < node->count; i++)
        if (add_command(file, node->items[i], test, err) < 0)
            return -1;
    return 0;
}

int config_read_reuse(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    int64_t *out = field;
    *out = 0;
    if (yaml_is_plain(node) && strcmp(node->text, "0") == 0)
        return 0;
    return config_read_duration(file, node, field, err);
}

static int read_retries(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    bool number = yaml_is_plain(node) && node->text[0] != '\0' && strlen(node->text) <= 2 &&
                  node->text[strspn(node->text, "0123456789")] == '\0';
    long retries = number ? strtol(node->text, NULL, 10) : -1;
    if (retries < 0 || retries > TEST_RETRIES_LIMIT)
        return config_complain(file, node, err,
                               "a whole number from 0 to %d was expected here: how often a trial "
                               "that failed is run again",
                               TEST_RETRIES_LIMIT);
    *(unsigned int *)field = (unsigned int)retries;
    return 0;
}

static int read_artifacts(const char *file, const struct yaml_node *node, void *field,
                          struct error *err) {
    struct string_list *patterns = field;
    if (config_read_texts(file, node, patterns, artifact_pattern_check, err) < 0)
        return -1;
    return patterns->count <= ARTIFACT_PATTERNS_LIMIT
               ? 0
               : config_complain(file, node, err,
                                 "more than %u patterns; a folder takes all that is below it",
                                 ARTIFACT_PATTERNS_LIMIT);
}

static const struct key test_keys[] = {
    {"name", read_name, offsetof(struct test, name)},
    {"images", config_read_selectors, offsetof(struct test, images)},
    {"in", config_read_selector, offsetof(struct test, in)},
    {"build", config_read_build, offsetof(struct test, build)},
    {"run", read_run, 0},
    {"services", config_read_services, 0},
    {"timeout", config_read_duration, offsetof(struct test, timeout_ms)},
    {"retries", read_retries, offsetof(struct test, retries)},
    {"environment", config_read_test_environment, 0},
    {"secrets", config_read_secrets, offsetof(struct test, secrets)},
    {"user", config_read_text, offsetof(struct test, user)},
    {"workdir", read_workdir, offsetof(struct test, workdir)},
    {"network", read_network, offsetof(struct test, network)},
    {"profile", config_read_profile, offsetof(struct test, strict)},
    {"platform", config_read_platform, offsetof(struct test, platform)},
    {"entrypoint", config_read_test_entrypoint, 0},
    {"memory", config_read_memory, offsetof(struct test, memory_bytes)},
    {"cpus", config_read_cpus, offsetof(struct test, nano_cpus)},
    {"pids", config_read_count, offsetof(struct test, pids)},
    {"shm", config_read_size, offsetof(struct test, shm_bytes)},
    {"tmpfs", config_read_tmpfs, offsetof(struct test, tmpfs)},
    {"ulimits", config_read_ulimits, offsetof(struct test, ulimits)},
    {"log_limit", config_read_size, offsetof(struct test, log_limit_bytes)},
    {"reuse", config_read_reuse, offsetof(struct test, reuse_ms)},
    {"baseline", config_read_baseline, offsetof(struct test, baseline)},
    {"flaky", config_read_flaky, offsetof(struct test, flaky)},
    {"artifacts", read_artifacts, offsetof(struct test, artifacts)},
    {"junit", read_artifacts, offsetof(struct test, junit)},
    {"external", config_read_flag, offsetof(struct test, external)},
    {0},
};

static const char *const test_future[] = {NULL};

const struct key_table config_test_table = {"a test", "tests.", test_keys, test_future};

/* A limit that cannot be reached says something else than its author means. */
static int check_limits(const char *file, const struct yaml_node *node, const struct test *test,
                        struct error *err) {
    for (size_t i = 0; i < test->command_count; i++) {
        if (test->commands[i].timeout_ms <= test->timeout_ms)
            continue;
        char own[64];
        char whole[64];
        clock_duration_words(test->commands[i].timeout_ms, own, sizeof own);
        clock_duration_words(test->timeout_ms, whole, sizeof whole);
        return config_complain(file, node, err,
                               "test \"%s\": the command of line %d may take %s, and all commands "
                               "of the test together %s; give the test a longer \"timeout\"",
                               test->name, test->commands[i].line, own, whole);
    }
    return 0;
}

/* A test from outside: pingate runs nothing, so whatever says how to run it would be obeyed by nobody. */
static int check_external(const char *file, const struct yaml_node *node, struct error *err) {
    static const char *const good[] = {"name", "images", "external", NULL};
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        bool known = false;
        for (size_t g = 0; good[g] != NULL && !known; g++)
            known = strcmp(good[g], key->text) == 0;
        if (!known)
            return config_complain(file, key, err,
                                   "\"%s\" does not go with \"external: true\": pingate does not "
                                   "run that test, `pingate record` tells its outcome",
                                   key->text);
    }
    return 0;
}

static int add_test(const char *file, const struct yaml_node *node, struct test_list *tests,
                    struct error *err) {
    struct test *test = array_add(tests, err);
    if (test == NULL)
        return -1;
    *test = (struct test){.timeout_ms = TEST_TIMEOUT_MS,
                          .memory_bytes = TEST_MEMORY_BYTES,
                          .nano_cpus = TEST_NANO_CPUS,
                          .pids = TEST_PIDS,
                          .log_limit_bytes = TEST_LOG_LIMIT_BYTES,
                          .reuse_ms = REUSE_NOT_GIVEN,
                          .line = (int)node->line};
    if (config_read_mapping(file, node, &config_test_table, test, err) < 0)
        return -1;
    if (test->name == NULL)
        return config_complain(file, node, err,
                               "this test lacks a \"name\", by which reports call it");
    if (test->external && check_external(file, node, err) < 0)
        return -1;
    if (check_limits(file, node, test, err) < 0)
        return -1;
    if (test->command_count == 0 && !test->external)
        return config_complain(
            file, node, err,
            "test \"%s\" lacks \"run\": a test without a command would pass by itself", test->name);
    if (test->build != NULL && test->in != NULL)
        return config_complain(
            file, node, err,
            "test \"%s\" has both \"build\" and \"in\": its commands run in what is "
            "built; one that shall run elsewhere has an `in` of its own",
            test->name);
    for (size_t i = 0; i + 1 < tests->count; i++)
        if (strcasecmp(tests->items[i].name, test->name) == 0)
            return config_complain(file, node, err,
                                   "a test named \"%s\" stands on line %d already; each needs a "
                                   "name of its own",
                                   test->name, tests->items[i].line);
    return 0;
}

int config_read_tests(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    if (node->kind != YAML_SEQUENCE || node->count == 0)
        return config_complain(file, node, err,
                               "tests must be a list of at least one test, and this is %s",
                               yaml_is_null(node)            ? "empty"
                               : node->kind == YAML_SEQUENCE ? "an empty list"
                                                             : yaml_kind_name(node->kind));
    if (node->count > TESTS_LIMIT)
        return config_complain(file, node->items[TESTS_LIMIT], err, "more than %d tests",
                               TESTS_LIMIT);
    for (size_t i = 0; i < node->count; i++)
        if (add_test(file, node->items[i], field, err) < 0)
            return -1;
    return 0;
}
