#include "pipelines/config_services.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/regex.h"
#include "gate/base/text.h"
#include "gate/selector.h"
#include "pipelines/config_surroundings.h"
#include "pipelines/config_tables.h"
#include "runners/ready.h"

#define NAME_LIMIT    63 /* bytes; of a name that others look up */
#define ALIASES_LIMIT 16 /* of one service */
#define READY_LIMIT   16 /* of one service */
#define EXIT_MOST     255
#define PORT_MOST     65535

/* what it is waited for */

struct ready_reading {
    struct test_ready ready;
    const char *kind; /* key that chose it; NULL: none yet */
    bool status;      /* is given */
};

static int choose(const char *file, const struct yaml_node *node, struct ready_reading *reading,
                  const char *key, enum ready_kind kind, struct error *err) {
    if (reading->kind != NULL)
        return config_complain(file, node, err,
                               "\"%s\" and \"%s\" are two things to wait for; write them as two "
                               "entries of a list: both must hold then",
                               reading->kind, key);
    reading->kind = key;
    reading->ready.kind = kind;
    return 0;
}

/* A whole number in these bounds; plain, or at the front of a text that goes on with `rest`. */
static int64_t number_at(const char *text, int64_t least, int64_t most, const char **rest) {
    size_t digits = strspn(text, "0123456789");
    *rest = text + digits;
    if (digits == 0 || digits > 6)
        return -1;
    int64_t number = strtol(text, NULL, 10);
    return number >= least && number <= most ? number : -1;
}

static int read_tcp(const char *file, const struct yaml_node *node, void *field,
                    struct error *err) {
    struct ready_reading *reading = field;
    const char *rest = "";
    int64_t port = yaml_is_scalar(node) ? number_at(node->text, 1, PORT_MOST, &rest) : -1;
    if (port < 0 || *rest != '\0')
        return config_complain(file, node, err, "a port from 1 to %d was expected here", PORT_MOST);
    reading->ready.number = port;
    return choose(file, node, reading, "tcp", READY_TCP, err);
}

static bool is_path(const char *text) {
    if (*text != '/')
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '#')
            return false;
    return true;
}

static int read_http(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct ready_reading *reading = field;
    const char *rest = "";
    int64_t port = yaml_is_scalar(node) ? number_at(node->text, 1, PORT_MOST, &rest) : -1;
    if (port < 0 || (*rest != '\0' && !is_path(rest)))
        return config_complain(file, node, err,
                               "a port, and a path behind it, were expected here, such as "
                               "\"8080/health\"");
    reading->ready.number = port;
    if (choose(file, node, reading, "http", READY_HTTP, err) < 0)
        return -1;
    return string_copy(*rest != '\0' ? rest : "/", &reading->ready.text, err);
}

static int read_status(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    struct ready_reading *reading = field;
    const char *rest = "";
    int64_t status = yaml_is_scalar(node) ? number_at(node->text, 100, 599, &rest) : -1;
    if (status < 0 || *rest != '\0')
        return config_complain(file, node, err, "a status from 100 to 599 was expected here");
    reading->ready.status = status;
    reading->status = true;
    return 0;
}

static int read_log(const char *file, const struct yaml_node *node, void *field,
                    struct error *err) {
    struct ready_reading *reading = field;
    _cleanup_(regex_freep) struct regex *regex = NULL;
    if (choose(file, node, reading, "log", READY_LOG, err) < 0 ||
        config_read_text(file, node, &reading->ready.text, err) < 0)
        return -1;
    return regex_compile(reading->ready.text, &regex, err) < 0 ? config_place(file, node, err) : 0;
}

static int read_exec(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct ready_reading *reading = field;
    return choose(file, node, reading, "exec", READY_EXEC, err) < 0
               ? -1
               : config_read_command(file, node, &reading->ready.command, err);
}

static int read_exit(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct ready_reading *reading = field;
    const char *rest = "";
    int64_t code = yaml_is_scalar(node) ? number_at(node->text, 0, EXIT_MOST, &rest) : -1;
    if (code < 0 || *rest != '\0')
        return config_complain(file, node, err, "an exit code from 0 to %d was expected here",
                               EXIT_MOST);
    reading->ready.number = code;
    return choose(file, node, reading, "exit", READY_EXIT, err);
}

static const struct key ready_keys[] = {
    {"tcp", read_tcp, 0},
    {"http", read_http, 0},
    {"status", read_status, 0},
    {"log", read_log, 0},
    {"exec", read_exec, 0},
    {"exit", read_exit, 0},
    {0},
};

const struct key_table config_ready_table = {"ready", "tests.services.ready.", ready_keys, NULL};

static int read_ready_word(const char *file, const struct yaml_node *node,
                           struct ready_reading *reading, struct error *err) {
    static const char *const words[] = {"healthy", "none", NULL};
    size_t chosen;
    if (!yaml_is_scalar(node) || yaml_is_null(node) ||
        config_read_choice(file, node, words, &chosen, err) < 0) {
        error_clear(err);
        return config_complain(file, node, err,
                               "healthy, none, {tcp: PORT}, {http: \"PORT/path\"}, {log: PATTERN}, "
                               "{exec: COMMAND} or {exit: 0} was expected here, or a list of them");
    }
    return choose(file, node, reading, words[chosen], chosen == 0 ? READY_HEALTHY : READY_NONE,
                  err);
}

static void reading_clear(struct ready_reading *reading) {
    free(reading->ready.text);
    test_command_clear(&reading->ready.command);
}

static int read_one_ready(const char *file, const struct yaml_node *node,
                          struct ready_reading *reading, struct error *err) {
    if (node->kind != YAML_MAPPING)
        return read_ready_word(file, node, reading, err);
    if (config_read_mapping(file, node, &config_ready_table, reading, err) < 0)
        return -1;
    if (reading->kind == NULL)
        return config_complain(file, node, err,
                               "this does not say what to wait for: tcp, http, log, exec or exit");
    if (reading->status && reading->ready.kind != READY_HTTP)
        return config_complain(file, node, err, "\"status\" goes with \"http\" alone");
    return 0;
}

static int add_ready(const char *file, const struct yaml_node *node, struct test_service *service,
                     struct error *err) {
    struct ready_reading reading = {0};
    if (read_one_ready(file, node, &reading, err) < 0) {
        reading_clear(&reading);
        return -1;
    }
    struct test_ready *grown =
        realloc(service->ready, (service->ready_count + 1) * sizeof *service->ready);
    if (grown == NULL) {
        reading_clear(&reading);
        return error_no_memory(err);
    }
    service->ready = grown;
    service->ready[service->ready_count++] = reading.ready;
    return 0;
}

/* After its end nothing else can come true but what its log holds already; and `none` waits for nothing. */
static int check_ready(const char *file, const struct yaml_node *node,
                       const struct test_service *service, struct error *err) {
    for (size_t i = 0; i < service->ready_count; i++) {
        bool ends = service->ready[i].kind == READY_EXIT;
        if (service->ready[i].kind == READY_NONE && service->ready_count > 1)
            return config_complain(file, node, err, "\"none\" stands alone: it waits for nothing");
        if (ends && i + 1 < service->ready_count)
            return config_complain(
                file, node, err, "\"exit\" stands last: behind its end nothing can be waited for");
    }
    return 0;
}

static int read_ready(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    struct test_service *service = field;
    if (node->kind != YAML_SEQUENCE)
        return add_ready(file, node, service, err);
    if (node->count == 0 || node->count > READY_LIMIT)
        return config_complain(file, node, err,
                               "ready: a list of 1 to %d entries was expected here", READY_LIMIT);
    for (size_t i = 0; i < node->count; i++)
        if (add_ready(file, node->items[i], service, err) < 0)
            return -1;
    return check_ready(file, node, service, err);
}

/* services */

static int check_name(const char *name, struct error *err) {
    size_t length = strlen(name);
    if (length > 0 && length <= NAME_LIMIT && strchr("._-", name[0]) == NULL &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length)
        return 0;
    return error_set(err, ERROR_CONFIG,
                     "\"%.80s\": a service's name, by which others reach it, is 1 to %d lower-case "
                     "letters, digits, \".\", \"_\" or \"-\", and begins with a letter or digit",
                     name, NAME_LIMIT);
}

static int read_aliases(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    struct string_list *list = field;
    if (config_read_texts(file, node, list, check_name, err) < 0)
        return -1;
    return list->count <= ALIASES_LIMIT
               ? 0
               : config_complain(file, node, err, "more than %d aliases", ALIASES_LIMIT);
}

static int read_environment(const char *file, const struct yaml_node *node, void *field,
                            struct error *err) {
    struct test_service *service = field;
    _cleanup_(string_list_clear) struct string_list granted = {0};
    if (config_read_environment(file, node, &service->environment, &granted, err) < 0)
        return -1;
    return granted.count == 0
               ? 0
               : config_complain(file, node, err,
                                 "environment of a service: {from: …} is for a test's own "
                                 "environment; what a service gets stands in pingate.yaml");
}

static int read_entrypoint(const char *file, const struct yaml_node *node, void *field,
                           struct error *err) {
    struct test_service *service = field;
    return config_read_entrypoint(file, node, &service->entrypoint, &service->entrypoint_words,
                                  err);
}

static const struct key service_keys[] = {
    {"image", config_read_selector, offsetof(struct test_service, image)},
    {"aliases", read_aliases, offsetof(struct test_service, aliases)},
    {"environment", read_environment, 0},
    {"entrypoint", read_entrypoint, 0},
    {"command", config_read_command, offsetof(struct test_service, command)},
    {"health", config_read_command, offsetof(struct test_service, health)},
    {"user", config_read_text, offsetof(struct test_service, user)},
    {"memory", config_read_memory, offsetof(struct test_service, memory_bytes)},
    {"shm", config_read_size, offsetof(struct test_service, shm_bytes)},
    {"tmpfs", config_read_tmpfs, offsetof(struct test_service, tmpfs)},
    {"ready", read_ready, 0},
    {"within", config_read_duration, offsetof(struct test_service, within_ms)},
    {"may_end", config_read_flag, offsetof(struct test_service, may_end)},
    {0},
};

const struct key_table config_service_table = {"a service", "tests.services.", service_keys, NULL};

static int fill_service(const char *file, const struct yaml_node *key,
                        const struct yaml_node *value, struct test_service *service,
                        struct error *err) {
    if (!yaml_is_scalar(key))
        return config_complain(file, key, err, "the name of a service was expected here");
    if (check_name(key->text, err) < 0)
        return config_place(file, key, err);
    if (string_copy(key->text, &service->name, err) < 0)
        return -1;
    if (value->kind == YAML_MAPPING) {
        if (config_read_mapping(file, value, &config_service_table, service, err) < 0)
            return -1;
    } else if (!yaml_is_null(value) &&
               config_read_selector(file, value, &service->image, err) < 0) {
        return -1;
    }
    if (service->image != NULL)
        return 0;
    if (selector_check(service->name, err) < 0)
        return config_place(file, key, err);
    return string_copy(service->name, &service->image, err);
}

static bool is_called(const struct test_service *service, const char *name) {
    return strcmp(service->name, name) == 0 || string_list_has(&service->aliases, name);
}

/* Two services of one name would answer by turns. */
static int check_names(const char *file, const struct yaml_node *node, const struct test *test,
                       struct error *err) {
    const struct test_service *last = &test->services[test->service_count - 1];
    for (size_t i = 0; last->name != NULL && i + 1 < test->service_count; i++) {
        const struct test_service *other = &test->services[i];
        const char *twice = is_called(other, last->name) ? last->name : NULL;
        for (size_t a = 0; a < last->aliases.count && twice == NULL; a++)
            twice = is_called(other, last->aliases.items[a]) ? last->aliases.items[a] : NULL;
        if (twice != NULL)
            return config_complain(
                file, node, err,
                "\"%s\" is a name of service %s already; each name stands for one service", twice,
                other->name);
    }
    return 0;
}

int config_read_services(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    struct test *test = field;
    if (node->kind != YAML_MAPPING || node->count == 0)
        return config_complain(file, node, err,
                               "services must be a mapping of names to services, such as "
                               "{redis: docker.io/library/redis}, and this is %s",
                               yaml_is_null(node) || node->kind == YAML_MAPPING
                                   ? "empty"
                                   : yaml_kind_name(node->kind));
    if (node->count > TEST_SERVICES_LIMIT)
        return config_complain(file, node, err, "more than %d services", TEST_SERVICES_LIMIT);
    test->services = calloc(node->count, sizeof *test->services);
    if (test->services == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < node->count; i++) {
        struct test_service *service = &test->services[test->service_count++];
        *service = (struct test_service){.entrypoint = ENTRYPOINT_KEEP,
                                         .memory_bytes = TEST_MEMORY_BYTES,
                                         .within_ms = READY_WITHIN_MS,
                                         .line = (int)node->pairs[i].key->line};
        if (fill_service(file, node->pairs[i].key, node->pairs[i].value, service, err) < 0 ||
            check_names(file, node->pairs[i].key, test, err) < 0)
            return -1;
    }
    return 0;
}
