#include <stdlib.h>
#include <string.h>

#include "pipelines/gate.h"

static int fill_pins(const struct gate *gate, const struct update *from, struct result_update *to,
                     struct error *err) {
    to->pins = calloc(from->pin_count + 1, sizeof *to->pins);
    if (to->pins == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < from->pin_count; i++) {
        const struct pin *pin = &gate->scan.pins.items[from->pins[i]];
        if (string_copy(pin->file, &to->pins[i].file, err) < 0)
            return -1;
        if (string_copy(pin->format, &to->pins[i].format, err) < 0) {
            free(steal(to->pins[i].file)); /* the reports draw whole ones */
            return -1;
        }
        to->pins[i].line = pin->line;
        to->pin_count++;
    }
    return 0;
}

static int fill_tried(const struct update *from, struct result_update *to, struct error *err) {
    to->tried = calloc(from->tried.count + 1, sizeof *to->tried);
    if (to->tried == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < from->tried.count; i++) {
        const struct update_tried *tried = &from->tried.items[i];
        struct result_tried *out = &to->tried[to->tried_count++];
        out->outcome = tried->outcome;
        if (string_copy(tried->tag, &out->tag, err) < 0 ||
            string_copy(tried->digest, &out->digest, err) < 0 ||
            string_copy(tried->test, &out->test, err) < 0 ||
            string_copy(tried->reason, &out->reason, err) < 0)
            return -1;
    }
    return 0;
}

static int fill_judged(const struct gate *gate, size_t number, struct result_update *to,
                       struct error *err) {
    const struct update *from = &gate->updates.items[number];
    to->culprits = calloc(from->culprit_count + 1, sizeof *to->culprits);
    if (to->culprits == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < from->culprit_count; i++)
        to->culprits[to->culprit_count++] = from->culprits[i];
    for (size_t i = 0; i < gate->result->trial_count; i++) {
        const struct result_trial *trial = &gate->result->trials[i];
        to->flaky = to->flaky || (trial->outcome == OUTCOME_FLAKY && result_trial_counts(trial) &&
                                  result_trial_covers(trial, number));
    }
    return fill_tried(from, to, err);
}

/* A run that ended early leaves updates without a verdict: nothing is known of them, and that is said. */
static int fill_update(const struct gate *gate, size_t number, struct result_update *to,
                       struct error *err) {
    const struct update *from = &gate->updates.items[number];
    to->verdict = from->decided ? from->verdict : VERDICT_HOLD;
    to->code = from->decided ? from->code : CODE_NOT_TESTED;
    if (string_copy(from->image, &to->image, err) < 0 ||
        string_copy(from->tag, &to->tag, err) < 0 ||
        string_copy(from->digest, &to->digest, err) < 0 ||
        string_copy(from->candidate_tag, &to->candidate_tag, err) < 0 ||
        string_copy(from->candidate_digest, &to->candidate_digest, err) < 0 ||
        string_copy(from->rule, &to->rule, err) < 0 ||
        string_copy(policy_name(from->policy.kind), &to->policy, err) < 0 ||
        string_copy(stage_name(&gate->config->stages, from->stage), &to->stage, err) < 0 ||
        string_copy(from->decided ? from->reason : "the run ended before it was tested",
                    &to->reason, err) < 0)
        return -1;
    to->reproduce =
        string_format(err, "pingate run --dry-run --image %s%s%s", reference_familiar(from->image),
                      from->tag != NULL ? ":" : "", from->tag != NULL ? from->tag : "");
    return to->reproduce != NULL && fill_pins(gate, from, to, err) == 0 &&
                   fill_judged(gate, number, to, err) == 0
               ? gate_fill_changes(gate, number, to, err)
               : -1;
}

/* The id of what was promoted: the hash of its sorted lines. */
static int fill_set(struct gate *gate, struct error *err) {
    if (gate->sets != NULL)
        return 0; /* each stage has its own */
    _cleanup_(text_clear) struct text lines = {0};
    for (size_t i = 0; i < gate->updates.count; i++) { /* sorted already */
        const struct update *update = &gate->updates.items[i];
        if (!update->decided || update->verdict != VERDICT_PROMOTE)
            continue;
        _cleanup_(free_pointer) char *line =
            reference_text(update->image, update->candidate_tag, update->candidate_digest, err);
        if (line == NULL)
            return -1;
        text_printf(&lines, "%s\n", line);
    }
    if (lines.length == 0)
        return 0;
    char digest[DIGEST_SIZE];
    if (text_check(&lines, err) < 0 || digest_of(lines.bytes, lines.length, digest, err) < 0)
        return -1;
    return string_copy(digest, &gate->result->set, err);
}

/* Trials and culprits name updates by their place: where the updates could not be filled in, none of them may stay behind. */
static void forget_beyond(size_t *updates, size_t *count, size_t limit) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (updates[i] < limit)
            updates[kept++] = updates[i];
    *count = kept;
}

static void forget_updates(struct result *result) {
    for (size_t i = 0; i < result->trial_count; i++)
        forget_beyond(result->trials[i].updates, &result->trials[i].update_count,
                      result->update_count);
    for (size_t i = 0; i < result->update_count; i++)
        forget_beyond(result->updates[i].culprits, &result->updates[i].culprit_count,
                      result->update_count);
}

static int fill_updates(struct gate *gate, struct error *err) {
    struct result *result = gate->result;
    if (result->diff == NULL && string_copy("", &result->diff, err) < 0)
        return -1;
    result->updates = calloc(gate->updates.count + 1, sizeof *result->updates);
    if (result->updates == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < gate->updates.count; i++) {
        result->update_count = i + 1;
        if (fill_update(gate, i, &result->updates[i], err) < 0)
            return -1;
    }
    return fill_set(gate, err);
}

int gate_fill_result(struct gate *gate, struct error *err) {
    int filled = fill_updates(gate, err);
    if (filled == 0)
        filled = gate_fill_stages(gate, err);
    if (filled < 0)
        forget_updates(gate->result);
    return filled;
}
