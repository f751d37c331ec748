#include "runners/reproduce_parts.h"

#include <string.h>

#include "runners/build_context.h"
#include "runners/container_wish.h"
#include "runners/trial_build.h"
#include "runners/workspace.h"

void reproduce_quote(struct text *out, const char *word) {
    text_add_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_add_char(out, *word);
    }
    text_add_char(out, '\'');
}

void reproduce_add_option(struct text *line, const char *option, const char *value) {
    text_printf(line, " %s ", option);
    reproduce_quote(line, value);
}

static void add_limits(struct text *line, const struct test *test) {
    text_printf(line, " --memory %lld --memory-swap %lld --pids-limit %lld --cpus %lld.%02lld",
                (long long)test->memory_bytes, (long long)test->memory_bytes, (long long)test->pids,
                (long long)test->nano_cpus / 1000000000,
                (long long)test->nano_cpus / 10000000 % 100);
    if (test->shm_bytes > 0)
        text_printf(line, " --shm-size %lld", (long long)test->shm_bytes);
    for (size_t i = 0; i < test->ulimits.count; i++)
        text_printf(line, " --ulimit %s=%lld:%lld", test->ulimits.items[i].name,
                    (long long)test->ulimits.items[i].soft, (long long)test->ulimits.items[i].hard);
}

/* The shell says what to set where nothing is. */
static void add_secret(struct text *line, const struct test_secret *secret) {
    text_printf(line, " -v \"${%s_FILE:?is to name a file that holds this secret}:%s/\"",
                secret->name, TEST_SECRETS_FOLDER);
    reproduce_quote(line, secret->file);
    text_add(line, ":ro");
}

static void add_places(struct text *line, const struct test *test) {
    bool tmp = false;
    if (test->strict)
        text_add(line, " --cap-drop ALL --read-only");
    for (size_t i = 0; i < test->tmpfs.count; i++) {
        reproduce_add_option(line, "--tmpfs", test->tmpfs.items[i]);
        tmp = tmp || string_has_prefix(test->tmpfs.items[i], CONTAINER_TMP ":");
    }
    if (test->strict && !tmp)
        reproduce_add_option(line, "--tmpfs", CONTAINER_TMP ":" CONTAINER_TMP_OPTIONS);
    text_printf(line, " -v \"$PWD:%s\"", WORKSPACE_FOLDER);
    for (size_t i = 0; i < test->secrets.count; i++)
        add_secret(line, &test->secrets.items[i]);
    reproduce_add_option(line, "-w", test->workdir != NULL ? test->workdir : WORKSPACE_FOLDER);
}

static void add_environment(struct text *line, const struct trial_spec *spec) {
    const struct test *test = spec->test;
    for (size_t i = 0; i < test->environment.count; i++)
        reproduce_add_option(line, "-e", test->environment.items[i]);
    for (size_t i = 0; i < test->environment_from.count; i++) {
        const char *both = test->environment_from.items[i];
        const char *outside = strchr(both, '=') + 1;
        _cleanup_(error_clear) struct error ignored = {0};
        _cleanup_(free_pointer) char *inside =
            string_dup_length(both, (size_t)(outside - both), &ignored);
        reproduce_add_option(line, "-e", inside != NULL ? inside : "");
        text_printf(line, "\"${%s?is not set}\"", outside);
    }
    for (size_t i = 0; i < spec->environment.count; i++)
        reproduce_add_option(line, "-e", spec->environment.items[i]);
}

/* As a word of the line that runs it. */
static void add_build(struct text *line, const struct trial_spec *spec) {
    const struct trial_build *build = spec->build;
    text_add(line, " \"$(docker build -q -f ");
    _cleanup_(text_clear) struct text file = {0};
    text_printf(&file, "%s/" TRIAL_DOCKERFILE, spec->log_folder);
    reproduce_quote(line, text_string(&file));
    if (spec->test->platform != NULL)
        reproduce_add_option(line, "--platform", spec->test->platform);
    if (build->build->target != NULL)
        reproduce_add_option(line, "--target", build->build->target);
    for (size_t i = 0; i < build->build->args.count; i++)
        reproduce_add_option(line, "--build-arg", build->build->args.items[i]);
    text_add_char(line, ' ');
    reproduce_quote(line, build->context->folder);
    text_add(line, ")\"");
}

/* The first word of what is run is an option, the others follow the image. */
static void add_command(struct text *line, const struct trial_spec *spec,
                        const struct trial_step *step) {
    const struct test *test = spec->test;
    char *const *argv = step->command->argv;
    char *const *words = test->entrypoint == ENTRYPOINT_REPLACE ? test->entrypoint_words : NULL;
    if (words != NULL)
        reproduce_add_option(line, "--entrypoint", *words++);
    else if (test->entrypoint == ENTRYPOINT_CLEAR)
        reproduce_add_option(line, "--entrypoint", *argv++);
    if (step->digest != NULL)
        text_printf(line, " %s@%s", step->image, trial_step_digest(step));
    else
        add_build(line, spec);
    for (; words != NULL && *words != NULL; words++) {
        text_add_char(line, ' ');
        reproduce_quote(line, *words);
    }
    for (; *argv != NULL; argv++) {
        text_add_char(line, ' ');
        reproduce_quote(line, *argv);
    }
}

char *reproduce_command(const struct trial_spec *spec, size_t step, struct error *err) {
    const struct test *test = spec->test;
    struct text line = {0};
    if (spec->service_count > 0)
        reproduce_services_before(&line, spec);
    text_printf(&line, "docker run --rm --init --security-opt no-new-privileges --network %s",
                spec->service_count > 0 ? REPRODUCE_NETWORK
                : test->network         ? "bridge"
                                        : "none");
    if (test->platform != NULL)
        reproduce_add_option(&line, "--platform", test->platform);
    add_limits(&line, test);
    add_places(&line, test);
    if (test->user != NULL)
        reproduce_add_option(&line, "-u", test->user);
    add_environment(&line, spec);
    add_command(&line, spec, &spec->steps[step]);
    if (spec->service_count > 0)
        reproduce_services_behind(&line, spec);
    return text_steal(&line, err);
}
