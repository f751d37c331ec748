#include "runners/container_spec.h"

#include <string.h>

#include "runners/container_wish.h"
#include "runners/workspace.h"

/* "NAME=value" of what the caller granted. */
static int granted_environment(const struct trial_spec *trial, struct string_list *out,
                               struct error *err) {
    const struct string_list *wanted = &trial->test->environment_from;
    for (size_t i = 0; i < wanted->count; i++) {
        const char *equals = strchr(wanted->items[i], '=');
        const struct grant *grant = grants_find(trial->grants, equals + 1, false);
        if (grant == NULL)
            return error_set(err, ERROR_BUG, "test \"%s\" gets %s, which nobody granted",
                             trial->test->name, equals + 1);
        _cleanup_(free_pointer) char *both = string_format(
            err, "%.*s=%s", (int)(equals - wanted->items[i]), wanted->items[i], grant->value);
        if (both == NULL || string_list_add(out, both, err) < 0)
            return -1;
    }
    return 0;
}

json_t *container_spec(const struct trial_spec *trial, size_t step,
                       const struct container_volumes *volumes, const struct labels *labels,
                       struct error *err) {
    const struct trial_step *s = &trial->steps[step];
    const struct test *test = trial->test;
    _cleanup_(string_list_clear) struct string_list granted = {0};
    _cleanup_(free_pointer) char *image =
        s->digest != NULL ? string_format(err, "%s@%s", s->image, trial_step_digest(s))
                          : string_dup("", err);
    _cleanup_(free_pointer) char *what = string_format(err, "test \"%s\"", test->name);
    if (image == NULL || what == NULL || granted_environment(trial, &granted, err) < 0)
        return NULL;
    struct container_wish wish = {
        .image = image,
        .entrypoint = test->entrypoint,
        .entrypoint_words = test->entrypoint_words,
        .argv = s->command->argv,
        .environment = {&test->environment, &granted, &trial->environment},
        .user = test->user,
        .workdir = test->workdir != NULL ? test->workdir : WORKSPACE_FOLDER,
        .network = trial->service_count > 0 ? volumes->workspace /* the network is called so, too */
                   : test->network          ? "bridge"
                                            : "none",
        .memory_bytes = test->memory_bytes,
        .nano_cpus = test->nano_cpus,
        .pids = test->pids,
        .shm_bytes = test->shm_bytes,
        .tmpfs = &test->tmpfs,
        .ulimits = &test->ulimits,
        .strict = test->strict,
        .mounts = {{volumes->workspace, WORKSPACE_MOUNT, false},
                   {volumes->secrets, TEST_SECRETS_FOLDER, true}},
    };
    return container_wish_body(&wish, labels, what, err);
}
