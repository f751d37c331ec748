#include "runners/trial_container.h"

#include <stdio.h>

#include "gate/base/trace.h"
#include "runners/container_spec.h"
#include "runners/engine/container.h"
#include "runners/engine/network.h"
#include "runners/engine/volume.h"

#define CONTAINER_ID_BRIEF 12 /* digits, as the engines' own clients show them */
#include "runners/secrets.h"

/* The next run's sweep finds what could not be removed; whoever reads the report should know. */
static void tell_left(const struct trial_run *run, const char *what, const char *name,
                      const struct error *why) {
    char words[800];
    snprintf(words, sizeof words, "%s %s could not be removed: %s", what, name, error_message(why));
    if (run->on_left != NULL)
        run->on_left(run->context, words);
}

void trial_container_remove(const struct trial_run *run, const char *id) {
    _cleanup_(error_clear) struct error why = {0};
    if (container_remove(run->cleaner, id, &why) < 0)
        tell_left(run, "container", id, &why);
}

void trial_container_leave(const struct trial_run *run, const char *id) {
    _cleanup_(error_clear) struct error ignored = {0};
    char brief[CONTAINER_ID_BRIEF + 1];
    snprintf(brief, sizeof brief, "%s", id);
    if (container_kill(run->cleaner, id, &ignored) < 0)
        error_clear(&ignored);
    if (run->on_kept != NULL)
        run->on_kept(run->context, "container", brief);
}

bool trial_may_have_worked(const struct error *err) {
    return err->kind != ERROR_NOT_FOUND && err->kind != ERROR_CONFLICT && err->kind != ERROR_ENGINE;
}

/* The quick way to be without a network. What refuses it may take the plain one, which says the better word if not. */
static int create_alone(const struct trial_run *run, const char *platform, size_t step,
                        const char *name, const json_t *body, char **id, struct error *err) {
    _cleanup_(free_pointer) char *hosts = alone_hosts(run->alone, run->alone_first + step, err);
    json_auto_t *quick = json_deep_copy(body);
    if (hosts == NULL)
        return -1;
    if (quick == NULL)
        return error_no_memory(err);
    if (alone_apply(quick, hosts, err) < 0)
        return -1;
    if (container_create_for(run->cleaner, name, platform, quick, id, err) == 0)
        return 0;
    if (*id != NULL || err->kind != ERROR_ENGINE)
        return -1;
    trace(TRACE_ENGINE, "the engine makes the namespace: %s", error_message(err));
    error_clear(err);
    return container_create_for(run->cleaner, name, platform, body, id, err);
}

const char *trial_step_image(const struct trial_run *run, const struct trial_spec *spec,
                             size_t step) {
    return spec->steps[step].digest != NULL ? run->image_ids[step] : run->built;
}

int trial_container_make(const struct trial_run *run, const struct trial_spec *spec, size_t step,
                         char **id, struct error *err) {
    _cleanup_(free_pointer) char *name = string_format(err, "%s-%zu", run->name, step + 1);
    _cleanup_(free_pointer) char *secrets =
        spec->test->secrets.count > 0 ? secrets_volume(run, err) : NULL;
    if (spec->test->secrets.count > 0 && secrets == NULL)
        return -1;
    struct container_volumes volumes = {.workspace = run->name, .secrets = secrets};
    json_auto_t *body = container_spec(spec, step, &volumes, run->labels, err);
    if (name == NULL || body == NULL || cancel_check(run->cancel, err) < 0)
        return -1;
    if (spec->steps[step].digest == NULL && /* what was built has no name */
        json_object_set_new(body, "Image", json_string(run->built)) < 0)
        return error_no_memory(err);
    const char *platform = spec->test->platform;
    bool quick = run->alone != NULL && !spec->test->network && spec->service_count == 0;
    if ((quick ? create_alone(run, platform, step, name, body, id, err)
               : container_create_for(run->cleaner, name, platform, body, id, err)) == 0)
        return 0;
    if (*id != NULL)
        trial_container_remove(run, *id);
    else if (trial_may_have_worked(err))
        trial_container_remove(run, name);
    return -1;
}

void trial_volume_remove(const struct trial_run *run, const char *name) {
    _cleanup_(error_clear) struct error why = {0};
    if (volume_remove(run->cleaner, name, &why) < 0)
        tell_left(run, "volume", name, &why);
}

void trial_network_remove(const struct trial_run *run, const char *id) {
    _cleanup_(error_clear) struct error why = {0};
    if (network_remove(run->cleaner, id, &why) < 0)
        tell_left(run, "network", id, &why);
}
