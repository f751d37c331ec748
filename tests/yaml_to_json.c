/* yaml_to_json FILE: prints a YAML file of one document as JSON, for tests/schemas.py. Exit status 1: it is no such file.
 *
 * Plain scalars are what YAML 1.2 calls them: null, true, numbers; all else is a text. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "gate/base/yaml.h"

static json_t *scalar(const struct yaml_node *node) {
    if (yaml_is_null(node))
        return json_null();
    if (yaml_is_plain(node) &&
        (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
        return json_boolean(node->text[0] == 't');
    char *end;
    bool number = yaml_is_plain(node) && node->text[strspn(node->text, "0123456789.eE+-")] == '\0';
    double real = number ? strtod(node->text, &end) : 0;
    if (!number || *end != '\0')
        return json_string(node->text);
    if (strspn(node->text, "0123456789-") == node->text_length)
        return json_integer(atoll(node->text));
    return json_real(real);
}

static json_t *convert(const struct yaml_node *node) {
    if (yaml_is_scalar(node))
        return scalar(node);
    json_t *json = node->kind == YAML_SEQUENCE ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        json_t *value = NULL;
        if (node->kind == YAML_SEQUENCE)
            value = convert(node->items[i]);
        else if (yaml_is_scalar(node->pairs[i].key))
            value = convert(node->pairs[i].value);
        if (value == NULL ||
            (node->kind == YAML_SEQUENCE
                 ? json_array_append_new(json, value)
                 : json_object_set_new(json, node->pairs[i].key->text, value)) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

int main(int count, char **words) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(yaml_clear) struct yaml_file yaml = {0};
    struct yaml_options options = {.strict = true};
    if (count != 2 || file_read(words[1], YAML_SIZE_LIMIT, &bytes, &err) < 0) {
        fprintf(stderr, "yaml_to_json: %s\n", error_message(&err));
        return 2;
    }
    if (yaml_parse(text_string(&bytes), bytes.length, &options, &yaml, &err) < 0 || yaml.count != 1)
        return 1;
    json_auto_t *json = convert(yaml.roots[0]);
    return json == NULL || json_dumpf(json, stdout, JSON_ENCODE_ANY) < 0 ? 1 : 0;
}
