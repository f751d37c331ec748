#include "runners/service_spec.h"

#include "runners/container_wish.h"

json_t *service_spec(const struct trial_spec *trial, size_t index, const char *network,
                     const struct labels *labels, struct error *err) {
    const struct trial_service *of = &trial->services[index];
    const struct test_service *service = of->service;
    const struct test *test = trial->test;
    _cleanup_(string_list_clear) struct string_list aliases = {0};
    _cleanup_(free_pointer) char *image = string_format(err, "%s@%s", of->image, of->digest);
    _cleanup_(free_pointer) char *what =
        string_format(err, "test \"%s\", service %s", test->name, service->name);
    if (image == NULL || what == NULL || string_list_add(&aliases, service->name, err) < 0)
        return NULL;
    for (size_t i = 0; i < service->aliases.count; i++)
        if (string_list_add(&aliases, service->aliases.items[i], err) < 0)
            return NULL;
    struct container_wish wish = {
        .image = image,
        .entrypoint = service->entrypoint,
        .entrypoint_words = service->entrypoint_words,
        .argv = service->command.argv,
        .environment = {&service->environment},
        .user = service->user,
        .network = network,
        .aliases = &aliases,
        .memory_bytes = service->memory_bytes,
        .nano_cpus = test->nano_cpus,
        .pids = test->pids,
        .shm_bytes = service->shm_bytes,
        .tmpfs = &service->tmpfs,
    };
    return container_wish_body(&wish, labels, what, err);
}
