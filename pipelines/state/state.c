#include "pipelines/state/state.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/beneath.h"
#include "gate/base/process.h"
#include "gate/policy/sightings.h"
#include "pipelines/state/state_parts.h"

#define GIT_TIMEOUT_MS 30000

const struct state_file state_sightings = {"sightings.jsonl", SIGHTINGS_FILE_LIMIT};

/* What is a part of the repository came with it: anybody whose change is merged could have written it. */
static int refuse_tracked(const struct state *state, struct error *err) {
    const char *const argv[] = {"git", "-C", state->root,   "ls-files",
                                "-z",  "--", state->folder, NULL};
    struct process_options options = {
        .argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .cancel = state->cancel};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (process_run(&options, &result, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return error_wrap(err, "state folder %s", state->folder);
        error_clear(err); /* no git: then there is no repository */
        return 0;
    }
    if (result.exit_status != 0 || result.output.length == 0) /* no repository, or not in it */
        return 0;
    return error_set(err, ERROR_CONFIG,
                     "state folder %s: %s is part of the repository, and state must not be: "
                     "whoever changes it there changes what cooldowns count from; `git rm -r "
                     "--cached %s` takes it out",
                     state->folder, text_string(&result.output), state->folder);
}

static int open_configured_folder(struct state *state, const char *folder, struct error *err) {
    state->kind = &state_folder;
    state->beneath = state->may_write = true;
    state->folder = string_dup(folder, err);
    state->words = string_format(err, "folder %s", folder);
    if (state->folder == NULL || state->words == NULL)
        return -1;
    return refuse_tracked(state, err);
}

static int open_branch(struct state *state, const char *branch, const char *remote, bool granted,
                       struct error *err) {
    state->kind = &state_branch;
    state->may_write = granted;
    state->branch = string_dup(branch, err);
    state->remote = string_dup(remote != NULL ? remote : STATE_DEFAULT_REMOTE, err);
    if (state->branch == NULL || state->remote == NULL)
        return -1;
    state->words = string_format(err, "branch %s of %s", state->branch, state->remote);
    return state->words != NULL ? 0 : -1;
}

/* The caller's own word: nobody else could have chosen it. */
static int open_given(struct state *state, const struct state_options *options, struct error *err) {
    const struct state_config *config = options->config;
    const char *given = options->given;
    if (strcmp(given, "branch") == 0 && config->branch == NULL)
        return error_set(err, ERROR_USAGE,
                         "--state branch: pingate.yaml asks for no branch (state: {branch: NAME}); "
                         "name one: --state branch:NAME");
    if (strcmp(given, "branch") == 0)
        return open_branch(state, config->branch, config->remote, true, err);
    if (string_has_prefix(given, "branch:")) {
        const char *name = given + strlen("branch:");
        if (!state_branch_valid(name))
            return error_set(err, ERROR_USAGE, "--state: \"%s\" is no name of a branch", name);
        return open_branch(state, name, config->remote, true, err);
    }
    state->kind = &state_folder;
    state->may_write = true;
    state->folder = string_dup(given, err);
    state->words = string_format(err, "folder %s", given);
    return state->folder != NULL && state->words != NULL ? 0 : -1;
}

int state_open(const struct state_options *options, struct state **out, struct error *err) {
    *out = NULL;
    const struct state_config *config = options->config;
    const char *given = options->given;
    if (given == NULL && config->folder == NULL && config->branch == NULL)
        return 0;
    if (given != NULL && strcmp(given, "none") == 0)
        return 0;
    _cleanup_(state_freep) struct state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return error_no_memory(err);
    state->cancel = options->cancel;
    state->root = string_dup(options->root, err);
    if (state->root == NULL)
        return -1;
    int opened = given != NULL ? open_given(state, options, err)
                 : config->folder != NULL
                     ? open_configured_folder(state, config->folder, err)
                     : open_branch(state, config->branch, config->remote, false, err);
    if (opened < 0)
        return -1;
    *out = steal(state);
    return 0;
}

void state_free(struct state *state) {
    if (state == NULL)
        return;
    free(state->root);
    free(state->folder);
    free(state->branch);
    free(state->remote);
    free(state->words);
    free(state);
}

void state_freep(struct state **state) {
    state_free(*state);
    *state = NULL;
}

const char *state_words(const struct state *state) {
    return state->words;
}

bool state_may_write(const struct state *state) {
    return state->may_write;
}

bool state_branch_valid(const char *name) {
    return name[0] != '-' && strlen(name) <= STATE_NAME_LIMIT && beneath_path_valid(name) &&
           name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-")] ==
               '\0' &&
           strstr(name, "..") == NULL && strstr(name, "/.") == NULL && name[0] != '.' &&
           !string_has_suffix(name, ".") && strstr(name, ".lock") == NULL;
}

bool state_remote_valid(const char *name) {
    return state_branch_valid(name) && strchr(name, '/') == NULL;
}

int state_read(struct state *state, const struct state_file *file, struct text *bytes, bool *absent,
               struct error *err) {
    *absent = true;
    return state->kind->read(state, file, bytes, absent, err) < 0
               ? error_wrap(err, "state: %s", state->words)
               : 0;
}

int state_update(struct state *state, const struct state_file *file, state_merge *merge,
                 void *context, char **aside, struct error *err) {
    *aside = NULL;
    if (!state->may_write)
        return 0;
    return state->kind->update(state, file, merge, context, aside, err) < 0
               ? error_wrap(err, "state: %s", state->words)
               : 0;
}
