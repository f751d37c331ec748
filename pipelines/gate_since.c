/* The updates of `test`: with --since REF, pins of the tree whose value differs from the one they had in REF; with --stage, what
 * stands in that stage. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/process.h"
#include "pipelines/gate.h"

#define GIT_TIMEOUT_MS 60000
#define GIT_FILE_LIMIT (256u << 20) /* bytes of one file of the commit */

static int run_git(const struct gate *gate, const char *const *arguments,
                   struct process_result *result, struct error *err) {
    const char *argv[16] = {"git", "-C", gate->options->root};
    for (size_t i = 0; i < 12 && arguments[i] != NULL; i++)
        argv[3 + i] = arguments[i];
    struct process_options options = {.argv = argv,
                                      .timeout_ms = GIT_TIMEOUT_MS,
                                      .output_limit = GIT_FILE_LIMIT,
                                      .cancel = gate->cancel};
    return process_run(&options, result, err) < 0 ? error_wrap(err, "git %s", arguments[0]) : 0;
}

/* The commit that --since names; a word that begins with "-" could be an option. */
static char *find_commit(const struct gate *gate, struct error *err) {
    _cleanup_(process_result_clear) struct process_result result = {0};
    _cleanup_(free_pointer) char *word = string_format(err, "%s^{commit}", gate->options->since);
    const char *const arguments[] = {"rev-parse",        "--verify", "--quiet",
                                     "--end-of-options", word,       NULL};
    if (word == NULL || run_git(gate, arguments, &result, err) < 0)
        return NULL;
    if (result.exit_status != 0) {
        const char *why = text_string(&result.error_output); /* --quiet: of an unknown name, none */
        if (why[0] != '\0')
            error_set(err, ERROR_USAGE, "--since needs git's history: %.*s",
                      (int)strcspn(why, "\n"), why);
        else
            error_set(err, ERROR_USAGE,
                      "--since: \"%s\" is no commit here; in CI, fetch the target branch first",
                      gate->options->since);
        return NULL;
    }
    return string_dup_length(text_string(&result.output),
                             strcspn(text_string(&result.output), "\n"), err);
}

/* The pins that one file of the tree had in that commit; a file that was not there had none. */
static int scan_old_file(const struct gate *gate, const char *commit, const char *file,
                         struct scan *old, struct error *err) {
    _cleanup_(process_result_clear) struct process_result result = {0};
    _cleanup_(free_pointer) char *name = string_format(err, "%s:./%s", commit, file);
    const char *const arguments[] = {"show", "--end-of-options", name, NULL};
    if (name == NULL || run_git(gate, arguments, &result, err) < 0)
        return -1;
    if (result.exit_status != 0) {
        _cleanup_(process_result_clear) struct process_result there = {0};
        const char *const exists[] = {"cat-file", "-e", name, NULL};
        if (run_git(gate, exists, &there, err) < 0)
            return -1;
        if (there.exit_status != 0)
            return 0;
        return error_set(err, ERROR_IO, "git show %s: %s", name, text_string(&result.error_output));
    }
    return scan_bytes(file, text_string(&result.output), result.output.length, old, err);
}

static bool same_place(const struct pin *a, const struct pin *b) {
    return strcmp(a->file, b->file) == 0 && strcmp(a->format, b->format) == 0 &&
           string_equal(a->path, b->path) && a->ordinal == b->ordinal;
}

/* What stood at this pin's place; else, for a place that is new, the value that the image had elsewhere if it had only one. */
static const struct pin *old_pin(const struct scan *old, const struct pin *pin) {
    const struct pin *elsewhere = NULL;
    bool several = false;
    for (size_t i = 0; i < old->pins.count; i++) {
        const struct pin *candidate = &old->pins.items[i];
        if (strcmp(candidate->name.image, pin->name.image) != 0)
            continue;
        if (same_place(candidate, pin))
            return candidate;
        several = several || (elsewhere != NULL &&
                              strcmp(elsewhere->name.digest, candidate->name.digest) != 0);
        elsewhere = candidate;
    }
    return several ? NULL : elsewhere;
}

static bool value_stood(const struct scan *old, const struct pin *pin) {
    for (size_t i = 0; i < old->pins.count; i++)
        if (strcmp(old->pins.items[i].name.image, pin->name.image) == 0 &&
            strcmp(old->pins.items[i].name.digest, pin->name.digest) == 0)
            return true;
    return false;
}

/* Turns the tree's value into the candidate, and the commit's into the current one. */
static int compare(struct gate *gate, const struct scan *old, struct update *update,
                   struct error *err) {
    const struct pin *pin = &gate->scan.pins.items[update->pins[0]];
    const struct pin *before = NULL;
    for (size_t i = 0; i < update->pin_count && before == NULL; i++)
        before = old_pin(old, &gate->scan.pins.items[update->pins[i]]);
    update->policy = (struct policy){.kind = POLICY_DIGEST};
    update->rule = string_format(err, "since %s", gate->options->since);
    if (update->rule == NULL)
        return -1;
    if (value_stood(old, pin))
        return update_decide(update, err, VERDICT_UP_TO_DATE, CODE_NONE, "as it was in %s",
                             gate->options->since);
    update->candidate_tag = steal(update->tag);
    update->candidate_digest = steal(update->digest);
    if (before == NULL)
        return 0; /* a new pin: there is no baseline */
    update->tag = string_dup(before->name.tag, err);
    update->digest = string_dup(before->name.digest, err);
    return update->digest != NULL && (before->name.tag == NULL || update->tag != NULL) ? 0 : -1;
}

int gate_find_since(struct gate *gate, struct error *err) {
    _cleanup_(free_pointer) char *commit = find_commit(gate, err);
    _cleanup_(scan_clear) struct scan old = {0};
    if (commit == NULL || gate_scan(gate, err) < 0)
        return -1;
    const struct pin_list *pins = &gate->scan.pins;
    for (size_t i = 0; i < pins->count; i++)
        if ((i == 0 || strcmp(pins->items[i].file, pins->items[i - 1].file) != 0) &&
            scan_old_file(gate, commit, pins->items[i].file, &old, err) < 0)
            return error_wrap(err, "read the pins of %s", gate->options->since);
    if (updates_collect(pins, NULL, &gate->updates, err) < 0)
        return -1;
    size_t changed = 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        if (compare(gate, &old, &gate->updates.items[i], err) < 0)
            return -1;
        changed += gate->updates.items[i].decided ? 0 : 1;
    }
    terminal_line(gate->terminal, "found %zu pin%s of %zu version%s, of which %zu differ%s from %s",
                  pins->count, pins->count == 1 ? "" : "s", gate->updates.count,
                  gate->updates.count == 1 ? "" : "s", changed, changed == 1 ? "s" : "",
                  gate->options->since);
    return 0;
}

/* What stands there is the candidate, and there is nothing to measure it by. */
static int stand(struct update *update, const char *stage, struct error *err) {
    update->policy = (struct policy){.kind = POLICY_DIGEST};
    update->rule = string_format(err, "stands in %s", stage);
    update->candidate_tag = steal(update->tag);
    update->candidate_digest = steal(update->digest);
    return update->rule != NULL ? 0 : -1;
}

int gate_find_standing(struct gate *gate, struct error *err) {
    const char *name = gate->options->standing;
    if (gate_check_stage(gate->config, name, err) < 0 || gate_scan(gate, err) < 0 ||
        gate_find_stages(gate, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (stand(&gate->updates.items[i], name, err) < 0)
            return -1;
    size_t count = gate->updates.count;
    terminal_line(gate->terminal, "found %zu version%s in stage %s", count, count == 1 ? "" : "s",
                  name);
    return 0;
}

/* A stage that has no tests of its own is asked all there are. */
bool gate_asks_every_test(const struct gate *gate) {
    const struct gate_options *options = gate->options;
    const struct stage *stage =
        options->standing != NULL ? stage_find(&gate->config->stages, options->standing) : NULL;
    return options->since != NULL ||
           (stage != NULL && stage->from != NULL && stage->tests.count == 0);
}
