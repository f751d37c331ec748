#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/gate.h"
#include "pipelines/promotion.h"
#include "pipelines/writable.h"

static bool moves(const struct update *update) {
    return update->decided && update->verdict == VERDICT_PROMOTE;
}

/* The update of each pin, or NULL. */
static const struct update **map_pins(const struct gate *gate, struct error *err) {
    const struct update **owner = calloc(gate->scan.pins.count + 1, sizeof *owner);
    if (owner == NULL) {
        error_no_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < gate->updates.count; i++)
        for (size_t p = 0; p < gate->updates.items[i].pin_count; p++)
            owner[gate->updates.items[i].pins[p]] = &gate->updates.items[i];
    return owner;
}

/* Pins are sorted by file: the edits of one file are queued together. */
static int queue_files(const struct gate *gate, const struct update *const *owner,
                       struct promotion *promotion, size_t *queued, struct error *err) {
    const struct pin_list *pins = &gate->scan.pins;
    *queued = 0;
    for (size_t start = 0, end; start < pins->count; start = end) {
        _cleanup_(edit_list_clear) struct edit_list edits = {0};
        const char *file = pins->items[start].file;
        for (end = start; end < pins->count && strcmp(pins->items[end].file, file) == 0; end++)
            if (owner[end] != NULL && moves(owner[end]) &&
                rewrite_pin(&pins->items[end], owner[end]->candidate_tag,
                            owner[end]->candidate_digest, &edits, err) < 0)
                return -1;
        if (edits.count == 0)
            continue;
        (*queued)++;
        if (promotion_queue(promotion, file, &edits, err) < 0)
            return -1;
    }
    return 0;
}

static int check_pin(const struct pin *before, const struct update *update, const struct pin *after,
                     struct error *err) {
    const char *digest =
        update != NULL && moves(update) ? update->candidate_digest : before->name.digest;
    if (strcmp(before->file, after->file) == 0 &&
        strcmp(after->name.image, before->name.image) == 0 &&
        strcmp(after->name.digest, digest) == 0)
        return 0;
    return error_set(err, ERROR_BUG, "%s:%zu: after writing, %s stands where %s was expected",
                     after->file, after->line, after->reference, digest);
}

/* The pins must be exactly the expected ones, no more and no fewer. */
static int scan_again(const struct gate *gate, const struct update *const *owner,
                      struct error *err) {
    _cleanup_(scan_clear) struct scan after = {0};
    struct scan_options options = {
        .include = &gate->config->include, .exclude = &gate->config->exclude, .cancel = NULL};
    if (scan_tree(gate->options->root, &options, &after, err) < 0)
        return error_wrap(err, "scan after writing");
    const struct pin_list *before = &gate->scan.pins;
    if (after.pins.count != before->count)
        return error_set(err, ERROR_BUG, "after writing there are %zu pins, and there were %zu",
                         after.pins.count, before->count);
    for (size_t i = 0; i < before->count; i++)
        if (check_pin(&before->items[i], owner[i], &after.pins.items[i], err) < 0)
            return -1;
    return 0;
}

/* The files of what may still move. Pins are sorted by file. */
static int list_files(const struct gate *gate, const struct update *const *owner,
                      struct string_list *files, struct error *err) {
    for (size_t i = 0; i < gate->scan.pins.count; i++) {
        const char *file = gate->scan.pins.items[i].file;
        if (owner[i] == NULL || owner[i]->decided ||
            (files->count > 0 && strcmp(files->items[files->count - 1], file) == 0))
            continue;
        if (string_list_add(files, file, err) < 0)
            return -1;
    }
    return 0;
}

/* The refused files are in the order of the pins. */
static int hold_unwritable(struct gate *gate, const struct unwritable_list *refused,
                           struct error *err) {
    for (size_t u = 0; u < gate->updates.count; u++) {
        struct update *update = &gate->updates.items[u];
        size_t r = 0;
        for (size_t i = 0; i < update->pin_count && r < refused->count && !update->decided; i++) {
            const char *file = gate->scan.pins.items[update->pins[i]].file;
            while (r < refused->count && strcmp(refused->items[r].file, file) < 0)
                r++;
            if (r < refused->count && strcmp(refused->items[r].file, file) == 0 &&
                update_decide(update, err, VERDICT_HOLD, CODE_NOT_WRITABLE, "%s",
                              refused->items[r].reason) < 0)
                return -1;
        }
    }
    return 0;
}

int gate_check_files(struct gate *gate, struct error *err) {
    if (gate->options->since != NULL || gate->options->standing != NULL)
        return 0; /* no pin is written */
    _cleanup_(string_list_clear) struct string_list files = {0};
    _cleanup_(unwritable_list_clear) struct unwritable_list refused = {0};
    _cleanup_(free_pointer) const struct update **owner = map_pins(gate, err);
    if (owner == NULL || list_files(gate, owner, &files, err) < 0 ||
        writable_check(gate->options->root, &files, gate->options->allow_generated, &refused, err) <
            0)
        return -1;
    return hold_unwritable(gate, &refused, err);
}

/* What passed and is not in the files is not called promoted. */
static void hold_unwritten(struct gate *gate, const struct error *why) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct error ignored = {0}; /* the reason of before stays then; the error is told anyway */
        if (moves(&gate->updates.items[i]) &&
            update_decide(&gate->updates.items[i], &ignored, VERDICT_HOLD, CODE_NOT_WRITTEN,
                          "its tests passed, and it was not written: %s", error_message(why)) < 0)
            error_clear(&ignored);
    }
}

/* What is recorded becomes visible together with the pins, or not at all. */
static int queue_ledger(struct gate *gate, struct promotion *promotion, struct error *err) {
    if (gate->options->standing == NULL && gate_draft_promotions(gate, err) < 0)
        return -1;
    if (gate->drafts.count == 0)
        return 0;
    _cleanup_(ledger_file_clear) struct ledger_file file = {0};
    if (ledger_format(gate->drafts.items, gate->drafts.count, clock_now_ms(), &file, err) < 0)
        return error_wrap(err, "record what was done");
    if (promotion_create(promotion, file.path, text_string(&file.bytes), file.bytes.length, err) <
        0)
        return -1;
    return gate->options->dry_run ? 0 : string_copy(file.path, &gate->result->record, err);
}

static int prepare(struct gate *gate, const struct update *const *owner,
                   struct promotion *promotion, size_t *queued, struct error *err) {
    _cleanup_(text_clear) struct text diff = {0};
    *queued = 0;
    if ((gate->options->standing == NULL && queue_files(gate, owner, promotion, queued, err) < 0) ||
        queue_ledger(gate, promotion, err) < 0 || promotion_prepare(promotion, err) < 0 ||
        promotion_diff(promotion, &diff, err) < 0)
        return -1;
    free(gate->result->diff);
    gate->result->diff = text_steal(&diff, err);
    return gate->result->diff != NULL ? 0 : -1;
}

/* A signal is obeyed before the first file is written, and again when the last one is. */
static int write_files(struct gate *gate, const struct update *const *owner, struct error *err) {
    struct promotion_options options = {.allow_generated = gate->options->allow_generated,
                                        .dry_run = gate->options->dry_run};
    _cleanup_(promotion_freep) struct promotion *promotion = NULL;
    size_t queued;
    if (cancel_check(gate->cancel, err) < 0 ||
        promotion_new(gate->options->root, &options, &promotion, err) < 0 ||
        prepare(gate, owner, promotion, &queued, err) < 0 || cancel_check(gate->cancel, err) < 0) {
        free(steal(gate->result->record)); /* it was only prepared */
        return -1;
    }
    if (gate->options->dry_run || (queued == 0 && gate->drafts.count == 0))
        return 0;
    if (promotion_commit(promotion, err) == 0) {
        gate->result->changed = queued > 0;
        return 0;
    }
    gate->result->changed = queued > 0 && promotion_decided(promotion);
    if (!promotion_decided(promotion))
        free(steal(gate->result->record));
    return -1;
}

int gate_promote(struct gate *gate, struct error *err) {
    if (gate->options->since != NULL)
        return 0; /* the files hold the tested pins already */
    if (gate_draft_evidence(gate, err) < 0)
        return -1;
    bool any = false;
    for (size_t i = 0; i < gate->updates.count; i++)
        any = any || moves(&gate->updates.items[i]);
    if (!any && gate->drafts.count == 0)
        return 0;
    _cleanup_(free_pointer) const struct update **owner = map_pins(gate, err);
    if (owner == NULL)
        return -1;
    if (write_files(gate, owner, err) < 0) {
        error_wrap(err, "write the pins");
        if (!gate->result->changed)
            hold_unwritten(gate, err);
        return -1;
    }
    if (!gate->result->changed)
        return 0;
    if (scan_again(gate, owner, err) < 0)
        return -1;
    return cancel_check(gate->cancel, err) < 0 ? error_wrap(err, "all pins are written") : 0;
}
