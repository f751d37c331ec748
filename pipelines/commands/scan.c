#include "gate/pins/scan.h"

#include <string.h>

#include "gate/pins/scan_json.h"
#include "pipelines/commands/command.h"
#include "pipelines/writable.h"
#include "reports/clean.h"

static void print_clean(FILE *out, const char *text) {
    struct text cleaned = {0};
    clean_terminal(&cleaned, text, strlen(text), false);
    fputs(text_string(&cleaned), out);
    text_clear(&cleaned);
}

static void print_pins(struct invocation *invocation, const struct scan *scan) {
    for (size_t i = 0; i < scan->pins.count; i++) {
        const struct pin *pin = &scan->pins.items[i];
        char digest[DIGEST_SIZE];
        digest_short(pin->name.digest, digest);
        print_clean(invocation->out, pin->file);
        fprintf(invocation->out, ":%zu: %s%s%s@%s (%s)\n", pin->line,
                reference_familiar(pin->name.image), pin->name.tag != NULL ? ":" : "",
                pin->name.tag != NULL ? pin->name.tag : "", digest, pin->format);
    }
}

static void print_skipped(struct invocation *invocation, const struct scan *scan) {
    for (size_t i = 0; i < scan->skipped.count; i++) {
        const struct skipped *skipped = &scan->skipped.items[i];
        terminal_line(invocation->terminal, "left alone: %s:%zu: %s%s%s", skipped->file,
                      skipped->line, skipped->text != NULL ? skipped->text : "",
                      skipped->text != NULL ? ": " : "", skipped->reason);
    }
}

/* What a run would refuse to write is told where pins are looked at first. */
static int warn_of_unwritable(struct invocation *invocation, const struct scan *scan,
                              struct error *err) {
    _cleanup_(string_list_clear) struct string_list files = {0};
    _cleanup_(unwritable_list_clear) struct unwritable_list refused = {0};
    for (size_t i = 0; i < scan->pins.count; i++)
        if ((i == 0 || strcmp(scan->pins.items[i].file, scan->pins.items[i - 1].file) != 0) &&
            string_list_add(&files, scan->pins.items[i].file, err) < 0)
            return -1;
    if (writable_check(invocation->root, &files, false, &refused, err) < 0)
        return -1;
    for (size_t i = 0; i < refused.count; i++)
        terminal_warning(invocation->terminal, "its pins are never moved: %s",
                         refused.items[i].reason);
    return 0;
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    _cleanup_(config_clear) struct config config = {0};
    _cleanup_(scan_clear) struct scan scan = {0};
    if (command_config(invocation, &config, err) < 0)
        return -1;
    struct scan_options options = {
        .include = &config.include, .exclude = &config.exclude, .cancel = invocation->cancel};
    if (scan_tree(invocation->root, &options, &scan, err) < 0)
        return error_wrap(err, "scan %s", invocation->root);
    if (invocation->options.given[OPTION_JSON])
        return command_print_json(invocation, scan_to_json(&scan, err), err);
    print_pins(invocation, &scan);
    if (warn_of_unwritable(invocation, &scan, err) < 0)
        return -1;
    if (invocation->options.given[OPTION_VERBOSE])
        print_skipped(invocation, &scan);
    terminal_line(invocation->terminal, "%zu pins in %zu files; %zu places left alone%s",
                  scan.pins.count, scan.files, scan.skipped.count,
                  scan.skipped.count > 0 && !invocation->options.given[OPTION_VERBOSE]
                      ? " (-v says why)"
                      : "");
    return 0;
}

static const enum option_id options[] = {OPTION_JSON, OPTION_END};
static const char *const examples[] = {"pingate scan", "every pin with its file and line",
                                       "pingate scan --json", "the same for programs", NULL};

const struct command command_scan;
const struct command command_scan = {
    .name = "scan",
    .arguments = "",
    .summary = "list the pins: file, line, image, tag, digest",
    .description = "Lists every image that is pinned by digest in the files that git would add, or "
                   "in all files where there is "
                   "no git. With -v also says what was left alone, and why.",
    .options = options,
    .examples = examples,
    .run = run,
};
