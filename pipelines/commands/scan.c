#include "gate/pins/scan.h"

#include "gate/pins/scan_json.h"
#include "pipelines/commands/command.h"
#include "reports/result.h"
#include "reports/table.h"

static int add_pin(struct table *table, const struct pin *pin, struct error *err) {
    struct table_row *row = table_add(table, err);
    _cleanup_(free_pointer) char *place = string_format(err, "%s:%zu", pin->file, pin->line);
    _cleanup_(free_pointer) char *digest = NULL;
    if (row == NULL || place == NULL ||
        result_version_words(NULL, pin->name.digest, &digest, err) < 0 ||
        table_cell(row, STYLE_PLAIN, place, err) < 0 ||
        table_cell(row, STYLE_BOLD, reference_familiar(pin->name.image), err) < 0 ||
        table_cell(row, STYLE_PLAIN, pin->name.tag != NULL ? pin->name.tag : "-", err) < 0 ||
        table_cell(row, STYLE_PLAIN, digest, err) < 0)
        return -1;
    return table_cell(row, STYLE_DIM, pin->format, err);
}

static int print_pins(struct invocation *invocation, const struct scan *scan, struct error *err) {
    _cleanup_(table_clear) struct table table = {0};
    _cleanup_(text_clear) struct text out = {0};
    for (size_t i = 0; i < scan->pins.count; i++)
        if (add_pin(&table, &scan->pins.items[i], err) < 0)
            return -1;
    table_draw(&table, &invocation->screen, &out);
    return command_print(invocation, &out, err);
}

static void print_skipped(struct invocation *invocation, const struct scan *scan) {
    for (size_t i = 0; i < scan->skipped.count; i++) {
        const struct skipped *skipped = &scan->skipped.items[i];
        terminal_line(invocation->terminal, "left alone: %s:%zu: %s%s%s", skipped->file,
                      skipped->line, skipped->text != NULL ? skipped->text : "",
                      skipped->text != NULL ? ": " : "", skipped->reason);
    }
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
    if (print_pins(invocation, &scan, err) < 0)
        return -1;
    if (invocation->options.given[OPTION_VERBOSE])
        print_skipped(invocation, &scan);
    terminal_line(
        invocation->terminal, "%zu pin%s; %zu file%s looked at; %zu place%s left alone%s",
        scan.pins.count, scan.pins.count == 1 ? "" : "s", scan.files, scan.files == 1 ? "" : "s",
        scan.skipped.count, scan.skipped.count == 1 ? "" : "s",
        scan.skipped.count > 0 && !invocation->options.given[OPTION_VERBOSE] ? " (-v says why)"
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
