#include "runners/reproduce.h"

#include "runners/workspace.h"

static void quote(struct text *out, const char *word) {
    text_add_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_add_char(out, *word);
    }
    text_add_char(out, '\'');
}

char *reproduce_command(const struct trial_spec *spec, size_t step, struct error *err) {
    const struct test *test = spec->test;
    const struct trial_step *s = &spec->steps[step];
    struct text line = {0};
    text_printf(&line,
                "docker run --rm --init --security-opt no-new-privileges --network %s --memory "
                "%lld --memory-swap %lld --pids-limit %lld",
                test->network ? "bridge" : "none", (long long)test->memory_bytes,
                (long long)test->memory_bytes, (long long)test->pids);
    text_printf(&line, " --cpus %lld.%02lld -v \"$PWD:%s\" -w ",
                (long long)test->nano_cpus / 1000000000,
                (long long)test->nano_cpus / 10000000 % 100, WORKSPACE_FOLDER);
    quote(&line, test->workdir != NULL ? test->workdir : WORKSPACE_FOLDER);
    if (test->user != NULL) {
        text_add(&line, " -u ");
        quote(&line, test->user);
    }
    const struct string_list *both[] = {&test->environment, &spec->environment};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < both[l]->count; i++) {
            text_add(&line, " -e ");
            quote(&line, both[l]->items[i]);
        }
    if (test->entrypoint == ENTRYPOINT_CLEAR) {
        text_add(&line, " --entrypoint ");
        quote(&line, s->command->argv[0]);
    }
    text_printf(&line, " %s@%s", s->image, s->digest);
    for (char **argument = s->command->argv + (test->entrypoint == ENTRYPOINT_KEEP ? 0 : 1);
         *argument != NULL; argument++) {
        text_add_char(&line, ' ');
        quote(&line, *argument);
    }
    return text_steal(&line, err);
}
