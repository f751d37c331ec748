#include "pipelines/config_values.h"

#include <config.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"
#include "gate/base/glob.h"
#include "gate/base/text.h"
#include "gate/selector.h"

#define KEYS_LIMIT 32          /* of one mapping, for the "did you mean" */
#define SIZE_MOST  (1LL << 50) /* bytes; no container and no log is larger */
#define COUNT_MOST 1000000     /* of processes; Linux has no more than four times that */

int config_complain_at(const char *file, const struct yaml_node *node, struct error *err,
                       const char *format, ...) {
    char words[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_CONFIG, "%s:%zu:%zu: %s", file, node->line, node->column, words);
}

/* What a reader below said gets its place in the file. */
int config_place(const char *file, const struct yaml_node *node, struct error *err) {
    if (err->kind == ERROR_NO_MEMORY)
        return -1;
    err->kind = ERROR_CONFIG;
    return error_wrap(err, "%s:%zu:%zu", file, node->line, node->column);
}

int config_refuse_future(const char *file, const struct yaml_node *node, const char *word,
                         const char *what, struct error *err) {
    return config_complain(file, node, err,
                           "\"%s\" in %s is planned and not built: pingate " PINGATE_VERSION
                           " cannot obey it, so remove it",
                           word, what);
}

static bool is_one_of(const char *word, const char *const *words) {
    for (; words != NULL && *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static int refuse_key(const char *file, const struct yaml_node *node, const struct key_table *table,
                      struct error *err) {
    if (is_one_of(node->text, table->future))
        return config_refuse_future(file, node, node->text, table->what, err);
    if (strcmp(node->text, "<<") == 0)
        return config_complain(
            file, node, err, "merge keys (<<) are not read; write the keys out in %s", table->what);
    const char *names[KEYS_LIMIT + 1];
    _cleanup_(text_clear) struct text known = {0};
    size_t count = 0;
    for (; count < KEYS_LIMIT && table->keys[count].name != NULL; count++) {
        names[count] = table->keys[count].name;
        text_printf(&known, "%s%s", count > 0 ? ", " : "", names[count]);
    }
    names[count] = NULL;
    const char *nearest = string_nearest(node->text, names);
    if (nearest != NULL)
        return config_complain(file, node, err, "unknown key \"%s\" in %s; did you mean \"%s\"?",
                               node->text, table->what, nearest);
    return config_complain(file, node, err, "unknown key \"%s\" in %s; known are %s", node->text,
                           table->what, text_string(&known));
}

static const struct key *find_key(const struct key *keys, const char *name) {
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

int config_read_mapping(const char *file, const struct yaml_node *node,
                        const struct key_table *table, void *target, struct error *err) {
    if (node->kind != YAML_MAPPING)
        return config_complain(
            file, node, err, "%s must be a mapping of keys to values, and this is %s", table->what,
            yaml_is_null(node) ? "empty" : yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        if (!yaml_is_scalar(key))
            return config_complain(file, key, err, "a key of %s must be a word, and this is %s",
                                   table->what, yaml_kind_name(key->kind));
        const struct key *known = find_key(table->keys, key->text);
        if (known == NULL)
            return refuse_key(file, key, table, err);
        if (known->read(file, node->pairs[i].value, (char *)target + known->offset, err) < 0)
            return -1;
    }
    return 0;
}

int config_read_text(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    char **out = field;
    if (!yaml_is_scalar(node) || yaml_is_null(node))
        return config_complain(file, node, err, "a text was expected here, and this is %s",
                               yaml_is_scalar(node) ? "empty" : yaml_kind_name(node->kind));
    if (node->text[0] == '\0')
        return config_complain(file, node, err, "a text was expected here, and this one is empty");
    free(*out);
    *out = string_dup(node->text, err);
    return *out != NULL ? 0 : -1;
}

int config_read_flag(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    bool *out = field;
    if (yaml_is_plain(node) &&
        (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        *out = node->text[0] == 't';
        return 0;
    }
    return config_complain(file, node, err, "true or false was expected here, without quotes");
}

int config_read_choice(const char *file, const struct yaml_node *node, const char *const *words,
                       size_t *chosen, struct error *err) {
    _cleanup_(text_clear) struct text known = {0};
    for (size_t i = 0; words[i] != NULL; i++) {
        if (yaml_is_scalar(node) && strcmp(words[i], node->text) == 0) {
            *chosen = i;
            return 0;
        }
        text_printf(&known, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    if (!yaml_is_scalar(node) || yaml_is_null(node))
        return config_complain(file, node, err, "one of %s was expected here, and this is %s",
                               text_string(&known),
                               yaml_is_scalar(node) ? "empty" : yaml_kind_name(node->kind));
    const char *nearest = string_nearest(node->text, words);
    return config_complain(file, node, err, "\"%s\": one of %s was expected here%s%s%s", node->text,
                           text_string(&known), nearest != NULL ? "; did you mean \"" : "",
                           nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

int config_read_texts(const char *file, const struct yaml_node *node, struct string_list *list,
                      int (*check)(const char *text, struct error *err), struct error *err) {
    bool one = yaml_is_scalar(node) && !yaml_is_null(node);
    if (!one && (node->kind != YAML_SEQUENCE || node->count == 0))
        return config_complain(file, node, err,
                               "a text or a list of texts was expected here, and this is %s",
                               yaml_is_scalar(node)          ? "empty"
                               : node->kind == YAML_SEQUENCE ? "an empty list"
                                                             : yaml_kind_name(node->kind));
    for (size_t i = 0; i < (one ? 1 : node->count); i++) {
        const struct yaml_node *item = one ? node : node->items[i];
        if (!yaml_is_scalar(item) || yaml_is_null(item))
            return config_complain(file, item, err,
                                   "a text was expected in this list, and this is %s",
                                   yaml_is_scalar(item) ? "empty" : yaml_kind_name(item->kind));
        if (check(item->text, err) < 0)
            return config_place(file, item, err);
        if (string_list_add(list, item->text, err) < 0)
            return -1;
    }
    return 0;
}

int config_read_selectors(const char *file, const struct yaml_node *node, void *field,
                          struct error *err) {
    return config_read_texts(file, node, field, selector_check, err);
}

int config_read_globs(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    return config_read_texts(file, node, field, glob_check, err);
}

int config_read_selector(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return selector_check(node->text, err) < 0 ? config_place(file, node, err) : 0;
}

int config_read_duration(const char *file, const struct yaml_node *node, void *field,
                         struct error *err) {
    int64_t *out = field;
    if (!yaml_is_scalar(node) || yaml_is_null(node))
        return config_complain(file, node, err,
                               "a duration such as 90s or 5m was expected here, and this is %s",
                               yaml_is_scalar(node) ? "empty" : yaml_kind_name(node->kind));
    if (clock_parse_duration(node->text, out, err) < 0)
        return config_place(file, node, err);
    return *out > 0 ? 0
                    : config_complain(file, node, err, "a duration above zero was expected here");
}

/* The number at the front of a scalar; -1 without one, INT64_MAX for one that is too large. */
static int64_t leading_number(const struct yaml_node *node, const char **rest) {
    if (!yaml_is_scalar(node) || !isdigit((unsigned char)node->text[0]))
        return -1;
    char *end;
    long long number = strtoll(node->text, &end, 10);
    *rest = end;
    return number;
}

int config_read_size(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const char *unit = "";
    int64_t number = leading_number(node, &unit);
    if (number < 0)
        return config_complain(file, node, err, "a size such as 512MiB or 2GiB was expected here");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (number < 1 || number > SIZE_MOST >> units[i].shift)
            return config_complain(file, node, err,
                                   "\"%s\": a size from 1KiB to 1048576GiB was expected here",
                                   node->text);
        *(int64_t *)field = number << units[i].shift;
        return 0;
    }
    return config_complain(file, node, err,
                           "\"%s\" is no size; write a number and KiB, MiB or GiB, such as 512MiB",
                           node->text);
}

int config_read_count(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    const char *rest = "";
    int64_t number = leading_number(node, &rest);
    if (number < 1 || number > COUNT_MOST || *rest != '\0')
        return config_complain(file, node, err, "a whole number from 1 to %d was expected here",
                               COUNT_MOST);
    *(int64_t *)field = number;
    return 0;
}

int config_read_cpus(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    char *end = NULL;
    bool decimal = yaml_is_scalar(node) && node->text[0] != '\0' &&
                   node->text[strspn(node->text, "0123456789.")] == '\0';
    double cpus = decimal ? strtod(node->text, &end) : 0;
    if (end == NULL || *end != '\0' || !(cpus >= 0.01 && cpus <= 1024))
        return config_complain(file, node, err,
                               "a number of processors from 0.01 to 1024 was expected here");
    *(int64_t *)field = (int64_t)(cpus * 1e9);
    return 0;
}
