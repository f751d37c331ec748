#include "runners/workspace_open.h"

#include <string.h>

#include "runners/engine/container.h"
#include "runners/inside.h"
#include "runners/trial_container.h"
#include "runners/user.h"

#define WAIT_CALLS 10 /* times what one call may take: a large workspace, a slow disk */

static bool is_needed(const struct trial_run *run, const struct trial_spec *spec, size_t step) {
    return run->workspace != NULL && step > 0 && spec->test->user == NULL &&
           strcmp(trial_step_image(run, spec, step), trial_step_image(run, spec, step - 1)) != 0;
}

/* Waits for its end. */
static int run_helper(const struct trial_run *run, const char *id, struct error *err) {
    long status;
    struct container_state state;
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/wait", id);
    if (path == NULL || container_start(run->engine, id, err) < 0)
        return -1;
    struct engine_call call = {
        .method = "POST", .path = path, .timeout_ms = WAIT_CALLS * engine_timeout_ms(run->engine)};
    if (engine_call(run->engine, &call, &status, NULL, err) < 0 ||
        container_inspect(run->engine, id, &state, err) < 0)
        return -1;
    if (state.running || !state.started || state.exit_code != 0)
        return error_set(err, ERROR_ENGINE, "the helper container ended with %d", state.exit_code);
    return 0;
}

int workspace_open(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                   const char *id, struct error *err) {
    static const char *const words[] = {"open", WORKSPACE_FOLDER, NULL};
    int64_t user;
    if (!is_needed(run, spec, step))
        return 0;
    if (user_of_container(run->engine, id, &user, err) < 0)
        return -1;
    if (user == 0 && !spec->test->strict)
        return 0;
    _cleanup_(free_pointer) char *name = string_format(err, "%s-open", run->name);
    _cleanup_(free_pointer) char *helper = NULL;
    json_auto_t *mounts = json_pack("[{s:s, s:s, s:s}]", "Type", "volume", "Source", run->name,
                                    "Target", WORKSPACE_MOUNT);
    if (name == NULL || inside_check(run->platform, err) < 0)
        return -1;
    if (mounts == NULL)
        return error_no_memory(err);
    struct inside_wish wish = {.engine = run->engine,
                               .cleaner = run->cleaner,
                               .labels = run->labels,
                               .name = name,
                               .image = trial_step_image(run, spec, step),
                               .platform = spec->test->platform,
                               .network = "none",
                               .words = words,
                               .mounts = mounts,
                               .root = true};
    int result = inside_make(&wish, &helper, err);
    if (result == 0)
        result = run_helper(run, helper, err);
    trial_container_remove(run, name);
    return result == 0 ? 0 : error_wrap(err, "open the workspace for another user");
}
