#include "reports/report.h"

#include "gate/base/file.h"
#include "gate/base/json_read.h"
#include "pipelines/commands/command.h"
#include "reports/clean.h"

#define RESULT_FILE_LIMIT (256u << 20) /* bytes of a result.json */

static int load(const char *file, struct result *result, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read(file, RESULT_FILE_LIMIT, &bytes, err) < 0)
        return -1;
    json_error_t where;
    json_auto_t *json = NULL;
    if (json_read(text_string(&bytes), bytes.length, JSON_REJECT_DUPLICATES, &json, &where, err) <
        0)
        return -1;
    if (json == NULL)
        return error_set(err, ERROR_INPUT, "%s:%d:%d: %s", file, where.line, where.column,
                         where.text);
    return result_from_json(json, result, err) < 0 ? error_wrap(err, "%s", file) : 0;
}

static int print_report(struct invocation *invocation, const struct result *result,
                        const char *name, struct error *err) {
    const struct report *report = report_find(name);
    if (report == NULL) {
        _cleanup_(text_clear) struct text known = {0};
        for (size_t i = 0; reports[i] != NULL; i++)
            text_printf(&known, "%s%s", i > 0 ? ", " : "", reports[i]->name);
        return error_set(err, ERROR_USAGE, "there is no report \"%s\"; known are %s", name,
                         text_string(&known));
    }
    _cleanup_(text_clear) struct text out = {0};
    if (report->draw(result, &out, err) < 0 || text_check(&out, err) < 0)
        return -1;
    if (!invocation->screen.terminal)
        return command_print(invocation, &out, err);
    _cleanup_(text_clear) struct text cleaned = {.ceiling = RESULT_FILE_LIMIT};
    clean_terminal(&cleaned, text_string(&out), out.length, true); /* a diff may hold anything */
    return command_print(invocation, &cleaned, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    _cleanup_(result_clear) struct result result = {0};
    _cleanup_(free_pointer) char *output = command_output_folder(invocation, err);
    _cleanup_(free_pointer) char *usual =
        output != NULL ? file_join(output, "result.json", err) : NULL;
    const char *from = invocation->options.values[OPTION_FROM];
    if (usual == NULL || load(from != NULL ? from : usual, &result, err) < 0)
        return -1;
    if (invocation->options.argument_count > 0)
        return print_report(invocation, &result, invocation->options.arguments[0], err);
    return report_write_all(&result, output, err);
}

static const enum option_id options[] = {OPTION_FROM, OPTION_OUTPUT, OPTION_END};
static const char *const examples[] = {"pingate report markdown", "prints the last run's report",
                                       "pingate report --from r.json -o out",
                                       "draws every report anew", NULL};

const struct command command_report;
const struct command command_report = {
    .name = "report",
    .arguments = "[NAME]",
    .argument_words = "json junit markdown diff",
    .arguments_most = 1,
    .summary = "draw reports again from result.json",
    .description = "Draws a report (json, junit, markdown, diff) from a run's result.json and "
                   "prints it; without a name draws "
                   "all of them into the output folder.",
    .options = options,
    .examples = examples,
    .run = run,
};
