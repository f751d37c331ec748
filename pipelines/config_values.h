/* config_values: reads values of pingate.yaml into fields, by tables of keys; knows no key itself.
 *
 * A reader takes a node and the field that its key names, and gives 0, or -1 with "file:line:column: what was expected, what
 * to do". The messages are part of the interface: tests/golden/config holds each of them.
 */
#pragma once

#include "gate/base/array.h"
#include "gate/base/yaml.h"

typedef int read_value(const char *file, const struct yaml_node *value, void *field,
                       struct error *err);

struct key {
    const char *name;
    read_value *read;
    size_t offset; /* of the field in the mapping's struct */
};

/* The keys of one kind of mapping. */
struct key_table {
    const char *what;          /* "a test": for messages */
    const char *prefix;        /* "tests.": for config_each_key */
    const struct key *keys;    /* ends with {0} */
    const char *const *future; /* keys that are planned and not built; NULL-terminated, or NULL */
};

/* target: the struct whose fields the keys name. */
int config_read_mapping(const char *file, const struct yaml_node *node,
                        const struct key_table *table, void *target, struct error *err);

/* Raises with the node's place. Always -1. */
#define config_complain(file, node, err, ...)                                                      \
    error_minus_one(config_complain_at((file), (node), (err), __VA_ARGS__))
int config_complain_at(const char *file, const struct yaml_node *node, struct error *err,
                       const char *format, ...) _printf_(4, 5);

/* Gives an error of another module, such as "is no duration", the node's place. Always -1. */
int config_place(const char *file, const struct yaml_node *node, struct error *err);

/* "pingate 0.1.0 does not know …: it is planned". Always -1. */
int config_refuse_future(const char *file, const struct yaml_node *node, const char *word,
                         const char *what, struct error *err);

/* One of the words; NULL-terminated. */
int config_read_choice(const char *file, const struct yaml_node *node, const char *const *words,
                       size_t *chosen, struct error *err);

/* field: struct string_list; check gives a text's error, without its place. */
int config_read_texts(const char *file, const struct yaml_node *node, struct string_list *list,
                      int (*check)(const char *text, struct error *err), struct error *err);

/* Fields: char *, bool, string_list of selectors, of globs, char * of one selector, int64_t of milliseconds,
 * of bytes, of a count, of billionths of a processor. */
read_value config_read_text, config_read_flag, config_read_selectors, config_read_globs,
    config_read_selector, config_read_duration, config_read_size, config_read_count,
    config_read_cpus;
