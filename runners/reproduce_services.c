#include "runners/reproduce_parts.h"

/* Names are [a-z0-9._-] and need no quotes. */
static void add_name(struct text *line, const struct test_service *service) {
    text_printf(line, " " REPRODUCE_NETWORK "-%s", service->name);
}

static void add_words(struct text *line, char *const *words) {
    for (; words != NULL && *words != NULL; words++) {
        text_add_char(line, ' ');
        reproduce_quote(line, *words);
    }
}

static void add_surroundings(struct text *line, const struct test_service *service) {
    for (size_t i = 0; i < service->aliases.count; i++)
        reproduce_add_option(line, "--network-alias", service->aliases.items[i]);
    if (service->user != NULL)
        reproduce_add_option(line, "-u", service->user);
    text_printf(line, " --memory %lld --memory-swap %lld", (long long)service->memory_bytes,
                (long long)service->memory_bytes);
    if (service->shm_bytes > 0)
        text_printf(line, " --shm-size %lld", (long long)service->shm_bytes);
    for (size_t i = 0; i < service->tmpfs.count; i++)
        reproduce_add_option(line, "--tmpfs", service->tmpfs.items[i]);
    for (size_t i = 0; i < service->environment.count; i++)
        reproduce_add_option(line, "-e", service->environment.items[i]);
}

static void add_run(struct text *line, const struct trial_service *of) {
    const struct test_service *service = of->service;
    char *const *argv = service->command.argv;
    char *const *words =
        service->entrypoint == ENTRYPOINT_REPLACE ? service->entrypoint_words : NULL;
    text_add(line,
             "docker run -d --init --security-opt no-new-privileges --network " REPRODUCE_NETWORK
             " --name");
    add_name(line, service);
    reproduce_add_option(line, "--network-alias", service->name);
    add_surroundings(line, service);
    if (words != NULL)
        reproduce_add_option(line, "--entrypoint", *words++);
    else if (service->entrypoint == ENTRYPOINT_CLEAR && argv != NULL)
        reproduce_add_option(line, "--entrypoint", *argv++);
    text_printf(line, " %s@%s", of->image, of->digest);
    add_words(line, words);
    add_words(line, argv);
    text_add(line, "; ");
}

/* True for what the docker CLI can wait for. */
static bool add_wait(struct text *line, const struct test_service *service,
                     const struct test_ready *ready) {
    if (ready->kind == READY_EXIT) {
        text_add(line, "docker wait");
        add_name(line, service);
        text_add(line, "; ");
    } else if (ready->kind == READY_EXEC) {
        text_add(line, "until docker exec");
        add_name(line, service);
        add_words(line, ready->command.argv);
        text_add(line, "; do sleep 1; done; ");
    } else if (ready->kind == READY_LOG) {
        text_add(line, "until docker logs");
        add_name(line, service);
        text_add(line, " 2>&1 | grep -qP -e ");
        reproduce_quote(line, ready->text);
        text_add(line, "; do sleep 1; done; ");
    } else {
        return ready->kind == READY_NONE;
    }
    return true;
}

static void add_service(struct text *line, const struct trial_service *of) {
    bool all = of->service->ready_count > 0;
    add_run(line, of);
    for (size_t i = 0; i < of->service->ready_count; i++)
        all = add_wait(line, of->service, &of->service->ready[i]) && all;
    if (!all)
        text_add(line, "sleep 5; ");
}

void reproduce_services_before(struct text *line, const struct trial_spec *spec) {
    text_add(line, "(trap 'docker rm -f -v");
    for (size_t i = 0; i < spec->service_count; i++)
        add_name(line, spec->services[i].service);
    text_printf(line, "; docker network rm %s' EXIT; docker network create %s%s; ",
                REPRODUCE_NETWORK, spec->test->network ? "" : "--internal ", REPRODUCE_NETWORK);
    for (size_t i = 0; i < spec->service_count; i++)
        add_service(line, &spec->services[i]);
}

void reproduce_services_behind(struct text *line, const struct trial_spec *spec) {
    (void)spec;
    text_add_char(line, ')');
}
