#include <ctype.h>
#include <string.h>

#include "gate/base/file.h"
#include "gate/pins/scan.h"
#include "gate/update.h"
#include "pipelines/commands/command.h"

#define NAME_FROM_IMAGE 50u /* bytes: a test's name has 64 at most */

/* "grafana-grafana starts", and "grafana-grafana starts 2" where that is taken: what a test's name may hold. */
static char *test_name(const char *image, struct string_list *taken, struct error *err) {
    _cleanup_(free_pointer) char *base =
        string_dup_length(image, strnlen(image, NAME_FROM_IMAGE), err);
    if (base == NULL)
        return NULL;
    for (char *c = base; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
            *c = '-';
    for (size_t number = 1;; number++) {
        _cleanup_(free_pointer) char *name =
            number == 1 ? string_format(err, "%s starts", base)
                        : string_format(err, "%s starts %zu", base, number);
        if (name == NULL)
            return NULL;
        if (string_list_has(taken, name))
            continue;
        return string_list_add(taken, name, err) == 0 ? steal(name) : NULL;
    }
}

static int add_test(struct text *out, const struct update *update, struct string_list *taken,
                    struct error *err) {
    const char *image = reference_familiar(update->image);
    _cleanup_(free_pointer) char *name = test_name(image, taken, err);
    if (name == NULL)
        return -1;
    text_printf(out,
                "  - name: \"%s\"\n    images: [\"%s\"]\n    run:\n      - \"true\"\n"
                "    timeout: 5m\n\n",
                name, image);
    return 0;
}

static int write_config(const struct update_list *updates, struct text *out, struct error *err) {
    _cleanup_(string_list_clear) struct string_list taken = {0};
    text_add(out, "# pingate: tests newer digests of pinned images before it writes them. `pingate "
                  "run --dry-run` tries it.\n"
                  "version: 1\n\n"
                  "# Which tags may follow: digest (the same tag, default), patch, minor or major. "
                  "The first rule that matches an\n"
                  "# image applies.\n"
                  "updates:\n  - images: [\"*\"]\n    policy: digest\n\n"
                  "# all: nothing is written unless every test of every candidate passed.\n"
                  "# passing: what passes together is written, and what fails is left as it is.\n"
                  "promote: all\n\n");
    if (updates->count == 0)
        text_add(out, "# No pinned image was found. Pin one (name:tag@sha256:...) and declare a "
                      "test:\n# tests:\n"
                      "#   - name: answers\n#     images: [\"redis\"]\n#     run: [\"redis-server "
                      "--version\"]\n");
    else
        text_add(
            out,
            "# Each entry of run is one command in a fresh container of the candidate, with your "
            "files in its working folder.\n"
            "# A text goes to `sh -ec`; a list such as [\"/app\", \"--version\"] needs no "
            "shell. `true` proves only that a shell\n"
            "# starts: replace it by what your project relies on.\n"
            "tests:\n");
    for (size_t i = 0; i < updates->count; i++)
        if ((i == 0 || !string_equal(updates->items[i].image, updates->items[i - 1].image)) &&
            add_test(out, &updates->items[i], &taken, err) < 0)
            return -1;
    return text_check(out, err);
}

static int print_next(struct invocation *invocation, const char *file, const struct scan *scan,
                      const struct update_list *updates, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    _cleanup_(text_clear) struct text out = {0};
    text_printf(&words, "Wrote %s: %zu pin%s of %zu version%s.\n",
                string_has_prefix(file, "./") ? file + 2 : file, scan->pins.count,
                scan->pins.count == 1 ? "" : "s", updates->count, updates->count == 1 ? "" : "s");
    if (updates->count == 0)
        text_add(&words,
                 "Next: pin an image (name:tag@sha256:...) and declare a test for it there.");
    else
        text_add(&words, "Next:\n"
                         "  1. edit its tests: `true` proves only that a shell starts\n"
                         "  2. pingate status           shows what is newer\n"
                         "  3. pingate run --dry-run    tests it, and writes no pin");
    for (const char *line = text_string(&words); *line != '\0';) {
        size_t end = strcspn(line, "\n");
        _cleanup_(text_clear) struct text one = {0};
        text_append(&one, line, end);
        screen_fit(&invocation->screen, &out, text_string(&one), SCREEN_ENDLESS);
        text_add_char(&out, '\n');
        line += end + (line[end] == '\n');
    }
    return invocation->options.given[OPTION_QUIET] ? 0 : command_print(invocation, &out, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    _cleanup_(scan_clear) struct scan scan = {0};
    _cleanup_(update_list_clear) struct update_list updates = {0};
    _cleanup_(text_clear) struct text out = {0};
    struct scan_options options = {.cancel = invocation->cancel};
    if (scan_tree(invocation->root, &options, &scan, err) < 0 ||
        updates_collect(&scan.pins, NULL, &updates, err) < 0 ||
        write_config(&updates, &out, err) < 0)
        return -1;
    if (invocation->options.given[OPTION_PRINT]) {
        fputs(text_string(&out), invocation->out);
        return 0;
    }
    _cleanup_(free_pointer) char *file = file_join(invocation->root, CONFIG_FILE, err);
    if (file == NULL)
        return -1;
    if (file_exists(file) && !invocation->options.given[OPTION_FORCE])
        return error_set(err, ERROR_USAGE,
                         "%s is there already; --force replaces it, --print only shows", file);
    if (file_replace(file, text_string(&out), out.length, err) < 0)
        return -1;
    return print_next(invocation, file, &scan, &updates, err);
}

static const enum option_id options[] = {OPTION_PRINT, OPTION_FORCE, OPTION_END};
static const char *const examples[] = {"pingate init --print", "shows what would be written", NULL};

const struct command command_init;
const struct command command_init = {
    .name = "init",
    .arguments = "",
    .summary = "find the pins and write a first pingate.yaml",
    .description = "Finds the pinned images and writes a first pingate.yaml with comments, and "
                   "with a test for each image to be "
                   "filled in.",
    .options = options,
    .examples = examples,
    .run = run,
};
