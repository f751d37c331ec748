#include "runners/container_spec.h"

#include "runners/workspace.h"

static json_t *environment(const struct trial_spec *trial) {
    json_t *list = json_array();
    const struct string_list *both[] = {&trial->test->environment, &trial->environment};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < both[l]->count; i++)
            if (json_array_append_new(list, json_string(both[l]->items[i])) < 0) {
                json_decref(list);
                return NULL;
            }
    return list;
}

static json_t *arguments(const struct test_command *command) {
    json_t *list = json_array();
    for (char **argument = command->argv; *argument != NULL; argument++)
        if (json_array_append_new(list, json_string(*argument)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *host_config(const struct test *test, const char *volume) {
    return json_pack("{s:b, s:s, s:[s], s:I, s:I, s:I, s:I, s:{s:s}, s:[{s:s, s:s, s:s}]}", "Init",
                     1, "NetworkMode", test->network ? "bridge" : "none", "SecurityOpt",
                     "no-new-privileges", "Memory", (json_int_t)test->memory_bytes, "MemorySwap",
                     (json_int_t)test->memory_bytes, "NanoCpus", (json_int_t)test->nano_cpus,
                     "PidsLimit", (json_int_t)test->pids, "LogConfig", "Type", "json-file",
                     "Mounts", "Type", "volume", "Source", volume, "Target", WORKSPACE_MOUNT);
}

json_t *container_spec(const struct trial_spec *trial, size_t step, const char *volume,
                       const struct labels *labels, struct error *err) {
    const struct trial_step *s = &trial->steps[step];
    const struct test *test = trial->test;
    _cleanup_(free_pointer) char *image =
        s->digest != NULL ? string_format(err, "%s@%s", s->image, s->digest) : string_dup("", err);
    if (image == NULL)
        return NULL;
    /* the command as the entrypoint, without Cmd, clears the image's own on every engine; an empty list does not */
    const char *place = test->keep_entrypoint ? "Cmd" : "Entrypoint";
    json_t *spec =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:b}", "Image", image, place,
                  arguments(s->command), "Env", environment(trial), "Labels",
                  labels_to_json(labels), "HostConfig", host_config(test, volume), "WorkingDir",
                  test->workdir != NULL ? test->workdir : WORKSPACE_FOLDER, "Tty", 0);
    if (spec != NULL && test->user != NULL &&
        json_object_set_new(spec, "User", json_string(test->user)) < 0) {
        json_decref(spec);
        spec = NULL;
    }
    if (spec == NULL)
        error_set(err, ERROR_INPUT, "test \"%s\" holds bytes that are not UTF-8", test->name);
    return spec;
}
