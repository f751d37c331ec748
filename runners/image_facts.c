#include "runners/image_facts.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/json_write.h"
#include "gate/platform.h"

static const char *const kind_names[FACT_COUNT] = {
    [FACT_USER] = "user",
    [FACT_ENTRYPOINT] = "entrypoint",
    [FACT_COMMAND] = "command",
    [FACT_PLATFORM] = "platform",
    [FACT_WORKDIR] = "working directory",
    [FACT_PORT] = "port",
    [FACT_VOLUME] = "volume",
    [FACT_HEALTH_CHECK] = "health check",
    [FACT_STOP_SIGNAL] = "stop signal",
    [FACT_SHELL] = "shell",
    [FACT_VARIABLE] = "variable",
    [FACT_PACKAGE] = "package",
    [FACT_SIZE] = "size",
    [FACT_LABEL] = "label",
    [FACT_CREATED] = "created",
};

const char *fact_kind_name(enum fact_kind kind) {
    return kind_names[kind];
}

static int add(struct image_facts *facts, enum fact_kind kind, const char *name, const char *value,
               struct error *err) {
    if (kind != FACT_PACKAGE && facts->list.count >= IMAGE_FACTS_LIMIT)
        return error_set(err, ERROR_LIMIT, "the configuration of the image has more than %u parts",
                         IMAGE_FACTS_LIMIT);
    size_t order = facts->list.count;
    struct fact *fact = array_add(&facts->list, err);
    if (fact == NULL)
        return -1;
    fact->kind = kind;
    fact->order = order;
    fact->name = string_dup(name, err);
    fact->value = string_dup(value, err);
    return fact->name != NULL && fact->value != NULL ? 0 : -1;
}

/* ---- members of the documents ---- */

/* The member, NULL where it lacks or is null. */
static int member(const json_t *object, const char *name, json_type type, const json_t **out,
                  struct error *err) {
    const json_t *found = json_object_get(object, name);
    *out = json_is_null(found) ? NULL : found;
    return *out == NULL || json_typeof(*out) == type
               ? 0
               : error_set(err, ERROR_PROTOCOL,
                           "the configuration of the image: %s is of a wrong type", name);
}

static int text_member(const json_t *object, const char *name, const char **out,
                       struct error *err) {
    const json_t *found;
    if (member(object, name, JSON_STRING, &found, err) < 0)
        return -1;
    *out = found != NULL ? json_string_value(found) : "";
    return 0;
}

static int add_text(struct image_facts *facts, const json_t *object, const char *name,
                    enum fact_kind kind, struct error *err) {
    const char *value;
    if (text_member(object, name, &value, err) < 0)
        return -1;
    return value[0] != '\0' ? add(facts, kind, "", value, err) : 0;
}

static int add_json(struct image_facts *facts, enum fact_kind kind, const json_t *json,
                    struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    if (json_write(json, JSON_COMPACT | JSON_SORT_KEYS, &words, err) < 0)
        return -1;
    return add(facts, kind, "", text_string(&words), err);
}

static int check_texts(const json_t *list, const char *name, struct error *err) {
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) {
        if (!json_is_string(item))
            return error_set(err, ERROR_PROTOCOL,
                             "the configuration of the image: %s holds what is no text", name);
    }
    return 0;
}

/* An empty list is none. */
static int texts_member(const json_t *object, const char *name, const json_t **out,
                        struct error *err) {
    if (member(object, name, JSON_ARRAY, out, err) < 0 || check_texts(*out, name, err) < 0)
        return -1;
    if (json_array_size(*out) == 0)
        *out = NULL;
    return 0;
}

static int add_texts(struct image_facts *facts, const json_t *object, const char *name,
                     enum fact_kind kind, struct error *err) {
    const json_t *list;
    if (texts_member(object, name, &list, err) < 0)
        return -1;
    return list != NULL ? add_json(facts, kind, list, err) : 0;
}

/* ---- the parts ---- */

static const char *plain_user(const char *user) {
    static const char *const roots[] = {"", "0", "root", "0:0", "root:root", "0:root", "root:0"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (strcmp(user, roots[i]) == 0)
            return "root";
    return user;
}

static int read_user(struct image_facts *facts, const json_t *config, struct error *err) {
    const char *user;
    if (text_member(config, "User", &user, err) < 0)
        return -1;
    return add(facts, FACT_USER, "", plain_user(user), err);
}

static int read_workdir(struct image_facts *facts, const json_t *config, struct error *err) {
    const char *folder;
    if (text_member(config, "WorkingDir", &folder, err) < 0)
        return -1;
    return add(facts, FACT_WORKDIR, "", folder[0] != '\0' ? folder : "/", err);
}

static int read_variables(struct image_facts *facts, const json_t *config, struct error *err) {
    const json_t *list;
    const json_t *item;
    size_t index;
    if (texts_member(config, "Env", &list, err) < 0)
        return -1;
    json_array_foreach(list, index, item) {
        const char *text = json_string_value(item);
        size_t length = strcspn(text, "=");
        _cleanup_(free_pointer) char *name = string_dup_length(text, length, err);
        if (name == NULL ||
            add(facts, FACT_VARIABLE, name, text[length] == '=' ? text + length + 1 : "", err) < 0)
            return -1;
    }
    return 0;
}

/* The names of an object whose values say nothing. */
static int read_names(struct image_facts *facts, const json_t *config, const char *name,
                      enum fact_kind kind, struct error *err) {
    const json_t *names;
    const char *key;
    json_t *value;
    if (member(config, name, JSON_OBJECT, &names, err) < 0)
        return -1;
    json_object_foreach((json_t *)names, key, value) {
        if (add(facts, kind, key, "", err) < 0)
            return -1;
    }
    return 0;
}

static int read_labels(struct image_facts *facts, const json_t *config, struct error *err) {
    const json_t *labels;
    const char *key;
    json_t *value;
    if (member(config, "Labels", JSON_OBJECT, &labels, err) < 0)
        return -1;
    json_object_foreach((json_t *)labels, key, value) {
        if (!json_is_string(value))
            return error_set(err, ERROR_PROTOCOL,
                             "the configuration of the image: a label is no text");
        if (add(facts, FACT_LABEL, key, json_string_value(value), err) < 0)
            return -1;
    }
    return 0;
}

static int read_health_check(struct image_facts *facts, const json_t *config, struct error *err) {
    const json_t *check;
    const json_t *test;
    if (member(config, "Healthcheck", JSON_OBJECT, &check, err) < 0 ||
        texts_member(check, "Test", &test, err) < 0)
        return -1;
    const char *first = json_string_value(json_array_get(test, 0));
    return first == NULL || strcmp(first, "NONE") == 0
               ? 0
               : add_json(facts, FACT_HEALTH_CHECK, check, err);
}

static int read_config(struct image_facts *facts, const json_t *config, struct error *err) {
    return read_user(facts, config, err) < 0 ||
                   add_texts(facts, config, "Entrypoint", FACT_ENTRYPOINT, err) < 0 ||
                   add_texts(facts, config, "Cmd", FACT_COMMAND, err) < 0 ||
                   read_workdir(facts, config, err) < 0 ||
                   read_names(facts, config, "ExposedPorts", FACT_PORT, err) < 0 ||
                   read_names(facts, config, "Volumes", FACT_VOLUME, err) < 0 ||
                   read_health_check(facts, config, err) < 0 ||
                   add_text(facts, config, "StopSignal", FACT_STOP_SIGNAL, err) < 0 ||
                   add_texts(facts, config, "Shell", FACT_SHELL, err) < 0 ||
                   read_variables(facts, config, err) < 0 || read_labels(facts, config, err) < 0
               ? -1
               : 0;
}

/* ---- the document ---- */

/* The same things by other names. */
static const struct names {
    const char *config, *os, *architecture, *variant, *created, *root, *layers;
} names_of[] = {
    [IMAGE_FROM_ENGINE] = {"Config", "Os", "Architecture", "Variant", "Created", "RootFS",
                           "Layers"},
    [IMAGE_FROM_REGISTRY] = {"config", "os", "architecture", "variant", "created", "rootfs",
                             "diff_ids"},
};

static int read_platform(struct image_facts *facts, const json_t *json, const struct names *names,
                         struct error *err) {
    const char *os;
    const char *architecture;
    const char *variant;
    struct platform platform;
    char words[PLATFORM_WORDS_SIZE];
    if (text_member(json, names->os, &os, err) < 0 ||
        text_member(json, names->architecture, &architecture, err) < 0 ||
        text_member(json, names->variant, &variant, err) < 0)
        return -1;
    if (os[0] == '\0' && architecture[0] == '\0')
        return 0;
    if (!platform_make(os, architecture, variant, &platform))
        return error_set(err, ERROR_PROTOCOL,
                         "the configuration of the image names no platform that exists");
    platform_words(&platform, words);
    return add(facts, FACT_PLATFORM, "", words, err);
}

static int read_layers(struct image_facts *facts, const json_t *json, const struct names *names,
                       struct error *err) {
    const json_t *root;
    const json_t *layers;
    const json_t *item;
    size_t index;
    if (member(json, names->root, JSON_OBJECT, &root, err) < 0 ||
        texts_member(root, names->layers, &layers, err) < 0)
        return -1;
    if (json_array_size(layers) > IMAGE_LAYERS_LIMIT)
        return error_set(err, ERROR_LIMIT, "the image has more than %u layers", IMAGE_LAYERS_LIMIT);
    json_array_foreach(layers, index, item) {
        if (string_list_add(&facts->layers, json_string_value(item), err) < 0)
            return -1;
    }
    return 0;
}

int image_facts_read(struct image_facts *facts, const json_t *json, enum image_source source,
                     struct error *err) {
    const struct names *names = &names_of[source];
    const json_t *config;
    const json_t *size;
    facts->size_bytes = IMAGE_SIZE_UNKNOWN;
    if (!json_is_object(json))
        return error_set(err, ERROR_PROTOCOL, "the configuration of the image is no JSON object");
    if (member(json, names->config, JSON_OBJECT, &config, err) < 0 ||
        read_config(facts, config, err) < 0 || read_platform(facts, json, names, err) < 0 ||
        add_text(facts, json, names->created, FACT_CREATED, err) < 0 ||
        read_layers(facts, json, names, err) < 0 ||
        (source == IMAGE_FROM_ENGINE && member(json, "Size", JSON_INTEGER, &size, err) < 0))
        return -1;
    if (source == IMAGE_FROM_ENGINE && size != NULL && json_integer_value(size) >= 0)
        facts->size_bytes = json_integer_value(size);
    image_facts_settle(facts);
    return 0;
}

int image_facts_add_packages(struct image_facts *facts, struct package_list *packages,
                             struct error *err) {
    if (package_list_settle(packages, err) < 0)
        return -1;
    for (size_t i = 0; i < packages->count; i++)
        if (add(facts, FACT_PACKAGE, packages->items[i].name, packages->items[i].version, err) < 0)
            return -1;
    facts->packages = PACKAGES_KNOWN;
    image_facts_settle(facts);
    return 0;
}

/* ---- order ---- */

static int by_kind_and_name(const void *a, const void *b) {
    const struct fact *one = a;
    const struct fact *other = b;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int by_key_and_order(const void *a, const void *b) {
    const struct fact *one = a;
    const struct fact *other = b;
    int order = by_kind_and_name(a, b);
    if (order != 0 || one->order == other->order)
        return order;
    return one->order < other->order ? -1 : 1;
}

void image_facts_settle(struct image_facts *facts) {
    struct fact_list *list = &facts->list;
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_key_and_order);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && by_kind_and_name(&list->items[kept - 1], &list->items[i]) == 0) {
            kept--;
            free(list->items[kept].name);
            free(list->items[kept].value);
        }
        list->items[kept++] = list->items[i];
    }
    list->count = kept;
    for (size_t i = 0; i < kept; i++)
        list->items[i].order = i;
}

const struct fact *image_facts_find(const struct image_facts *facts, enum fact_kind kind,
                                    const char *name) {
    const struct fact wanted = {.kind = kind, .name = (char *)name};
    return facts->list.count > 0 ? bsearch(&wanted, facts->list.items, facts->list.count,
                                           sizeof wanted, by_kind_and_name)
                                 : NULL;
}

void image_facts_clear(struct image_facts *facts) {
    for (size_t i = 0; i < facts->list.count; i++) {
        free(facts->list.items[i].name);
        free(facts->list.items[i].value);
    }
    free(facts->list.items);
    string_list_clear(&facts->layers);
    free(facts->packages_reason);
    *facts = (struct image_facts){0};
}
