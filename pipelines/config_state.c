/* The state that pingate.yaml asks for. Where it leads is bounded here: a fork can edit the file. */
#include <stddef.h>
#include <string.h>

#include "gate/base/beneath.h"
#include "gate/base/text.h"
#include "pipelines/config_tables.h"

static int read_folder(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return beneath_path_valid(node->text) && !string_has_prefix(node->text, ".git/") &&
                   strcmp(node->text, ".git") != 0
               ? 0
               : config_complain(
                     file, node, err,
                     "\"%.100s\": a folder below the project was expected here, such as "
                     ".pingate/state; one elsewhere is for the caller to name: --state "
                     "DIR, or " STATE_ENVIRONMENT,
                     node->text);
}

static int read_branch(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    if (!state_branch_valid(node->text))
        return config_complain(file, node, err, "\"%.100s\" is no name of a branch", node->text);
    return string_has_prefix(node->text, STATE_BRANCH_PREFIX)
               ? 0
               : config_complain(
                     file, node, err,
                     "\"%.100s\": a state branch's name begins with \"pingate\", so that "
                     "no change of this file leads to a push elsewhere; another one is "
                     "for the caller to name: --state branch:NAME",
                     node->text);
}

static int read_remote(const char *file, const struct yaml_node *node, void *field,
                       struct error *err) {
    if (config_read_text(file, node, field, err) < 0)
        return -1;
    return state_remote_valid(node->text)
               ? 0
               : config_complain(file, node, err,
                                 "\"%.100s\": the name of a remote was expected here, such as "
                                 "origin, and no address",
                                 node->text);
}

static const struct key state_keys[] = {
    {"folder", read_folder, offsetof(struct state_config, folder)},
    {"branch", read_branch, offsetof(struct state_config, branch)},
    {"remote", read_remote, offsetof(struct state_config, remote)},
    {0},
};

const struct key_table config_state_table = {"state", "state.", state_keys, NULL};

int config_read_state(const char *file, const struct yaml_node *node, void *field,
                      struct error *err) {
    struct state_config *state = field;
    if (config_read_mapping(file, node, &config_state_table, state, err) < 0)
        return -1;
    if ((state->folder != NULL) == (state->branch != NULL))
        return config_complain(file, node, err,
                               "state is kept in one place: write \"folder\" or \"branch\"");
    if (state->remote != NULL && state->branch == NULL)
        return config_complain(file, node, err, "\"remote\" goes with \"branch\"");
    return 0;
}
