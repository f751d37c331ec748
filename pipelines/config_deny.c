/* What changed in an image: `deny` of the configuration and of a rule, and how much is read for it (`changes`). */
#include <string.h>

#include "gate/base/text.h"
#include "pipelines/config_tables.h"

#define DENY_LIMIT 100u /* gates in one list */

/* One that takes a value is a mapping of one pair. */
static int read_gate(const char *file, const struct yaml_node *node, struct deny_list *list,
                     struct error *err) {
    bool pair = node->kind == YAML_MAPPING && node->count == 1;
    const struct yaml_node *name = pair ? node->pairs[0].key : node;
    const struct yaml_node *argument = pair ? node->pairs[0].value : NULL;
    size_t chosen;
    if (node->kind == YAML_MAPPING && !pair)
        return config_complain(file, node, err,
                               "one gate was expected here, such as {size-grows: 20%%}, and this "
                               "mapping has %zu; write each into braces of its own",
                               node->count);
    if (config_read_choice(file, name, deny_names(), &chosen, err) < 0)
        return -1;
    if (argument != NULL && (!yaml_is_scalar(argument) || yaml_is_null(argument)))
        return config_complain(file, argument, err, "%s: a text was expected here, and this is %s",
                               name->text,
                               yaml_is_scalar(argument) ? "empty" : yaml_kind_name(argument->kind));
    if (list->count >= DENY_LIMIT)
        return config_complain(file, node, err, "more than %u gates in one list", DENY_LIMIT);
    struct deny *deny = array_add(list, err);
    if (deny == NULL)
        return -1;
    return deny_make(name->text, argument != NULL ? argument->text : NULL, deny, err) < 0
               ? config_place(file, argument != NULL ? argument : name, err)
               : 0;
}

/* An empty list is a word of its own: a rule allows what the top level denies. */
int config_read_deny(const char *file, const struct yaml_node *node, void *field,
                     struct error *err) {
    struct config_deny *deny = field;
    deny->given = true;
    if (node->kind != YAML_SEQUENCE)
        return read_gate(file, node, &deny->list, err);
    for (size_t i = 0; i < node->count; i++)
        if (read_gate(file, node->items[i], &deny->list, err) < 0)
            return -1;
    return 0;
}

int config_read_changes(const char *file, const struct yaml_node *node, void *field,
                        struct error *err) {
    static const char *const words[] = {"auto", "packages", "config", "off", NULL};
    size_t chosen;
    if (config_read_choice(file, node, words, &chosen, err) < 0)
        return -1;
    *(enum changes_depth *)field = (enum changes_depth)chosen;
    return 0;
}

const struct deny_list *config_deny_for(const struct config *config, const char *image,
                                        const char *tag) {
    const struct config_rule *rule = config_rule_for(config, image, tag);
    return rule != NULL && rule->deny.given ? &rule->deny.list : &config->deny.list;
}
