/* What a rollback puts back, and what keeps the next run from undoing it; and what people decided, for `run`. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/selector.h"
#include "pipelines/gate.h"
#include "pipelines/stages/decision.h"
#include "pipelines/stages/earlier.h"
#include "pipelines/stages/subject.h"

/* ---- which set ---- */

static size_t stage_back(const struct gate *gate) {
    return (size_t)(stage_find(&gate->config->stages, gate->options->back) -
                    gate->config->stages.items);
}

/* The names of the images that are asked for. */
static int name_images(const struct gate *gate, struct string_list *out, struct error *err) {
    const struct string_list *wanted = gate->options->images;
    for (size_t i = 0; wanted != NULL && wanted->count > 0 && i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (selector_list_matches(wanted, update->image, update->tag) &&
            !string_list_has(out, update->image) && string_list_add(out, update->image, err) < 0)
            return -1;
    }
    return 0;
}

static int find_named(const struct gate *gate, const struct earlier_question *q,
                      const struct ledger_entry **out, struct error *err) {
    const struct subject_question question = {.ledger = q->ledger,
                                              .sets = q->standing,
                                              .set_count = 1,
                                              .stage = q->stage,
                                              .stage_set = q->standing};
    struct subject subject;
    if (subject_find(&question, gate->options->to, &subject, err) < 0)
        return error_wrap(err, "--to");
    *out = subject.kind == SUBJECT_SET ? earlier_with_set(q, subject.word)
                                       : earlier_with_digest(q, subject.word);
    if (*out == NULL)
        error_set(err, ERROR_USAGE, "--to: no earlier set of %s is or holds %s on record", q->stage,
                  subject.word);
    subject_clear(&subject);
    return *out != NULL ? 0 : -1;
}

static int find_entry(const struct gate *gate, const struct earlier_question *q,
                      const struct ledger_entry **out, struct error *err) {
    if (gate->options->to != NULL)
        return find_named(gate, q, out, err);
    *out = earlier_set(q);
    if (*out != NULL)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "no set is on record that stood in %s before%s; `pingate history %s` "
                     "lists them, --to names one",
                     q->stage, q->images->count > 0 ? " with another value of this image" : "",
                     q->stage);
}

/* ---- what becomes of each value ---- */

static int give_earlier(struct update *update, const char *line, struct error *err) {
    struct set_value value;
    if (set_value_parse(line, &value, err) < 0)
        return -1;
    update->candidate_tag = steal(value.tag);
    update->candidate_digest = steal(value.digest);
    set_value_clear(&value);
    return 0;
}

static int go_back(const struct earlier_question *q, const struct ledger_entry *entry,
                   struct update *update, struct error *err) {
    _cleanup_(free_pointer) char *line =
        reference_text(update->image, update->tag, update->digest, err);
    const char *earlier;
    bool ambiguous;
    if (line == NULL || earlier_value(q, entry, line, &earlier, &ambiguous, err) < 0)
        return -1;
    if (ambiguous)
        return update_decide(update, err, VERDICT_HOLD, CODE_AMBIGUOUS,
                             "several values became this one, and which pin held which is not on "
                             "record: it stays, to be put back by hand");
    if (earlier == NULL)
        return update_decide(update, err, VERDICT_HOLD, CODE_AMBIGUOUS,
                             "the set %.*s has no counterpart of it: it stays as it is",
                             SET_SHORT_LENGTH, entry->set);
    if (strcmp(earlier, line) == 0)
        return update_decide(update, err, VERDICT_UP_TO_DATE, CODE_NONE,
                             "it stands as in the set %.*s", SET_SHORT_LENGTH, entry->set);
    update->policy = (struct policy){.kind = POLICY_DIGEST};
    update->rule = string_format(err, "rollback to %.*s", SET_SHORT_LENGTH, entry->set);
    return update->rule != NULL ? give_earlier(update, earlier, err) : -1;
}

int gate_go_back(struct gate *gate, struct error *err) {
    if (gate_check_stage(gate->config, gate->options->back, err) < 0)
        return -1;
    _cleanup_(string_list_clear) struct string_list images = {0};
    if (name_images(gate, &images, err) < 0)
        return -1;
    const struct earlier_question question = {.ledger = &gate->ledger,
                                              .stage = gate->options->back,
                                              .standing = &gate->sets[stage_back(gate)],
                                              .images = &images};
    const struct ledger_entry *entry = NULL;
    if (find_entry(gate, &question, &entry, err) < 0)
        return -1;
    gate->back_to = entry->set;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (!gate->updates.items[i].decided &&
            go_back(&question, entry, &gate->updates.items[i], err) < 0)
            return -1;
    return 0;
}

/* Nothing is tested: what stood there before goes back as it was. */
int gate_settle_back(struct gate *gate, struct error *err) {
    bool stuck = false;
    for (size_t i = 0; i < gate->updates.count; i++)
        stuck = stuck || (gate->updates.items[i].decided &&
                          gate->updates.items[i].code == CODE_NOT_WRITABLE);
    for (size_t i = 0; i < gate->updates.count && stuck; i++)
        if (!gate->updates.items[i].decided &&
            update_decide(&gate->updates.items[i], err, VERDICT_HOLD, CODE_GATE_CLOSED,
                          "the set goes back whole, and a file of it may not be written") < 0)
            return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (!gate->updates.items[i].decided &&
            update_decide(&gate->updates.items[i], err, VERDICT_PROMOTE, CODE_NONE,
                          "it goes back to what stood in %s", gate->options->back) < 0)
            return -1;
    return 0;
}

/* The hold: on the stage, or on the images that were named. */
static int draft_hold(struct gate *gate, const char *image, struct error *err) {
    struct ledger_entry *draft = gate_draft(gate, LEDGER_HELD, err);
    if (draft == NULL)
        return -1;
    draft->stage = gate->options->back;
    draft->image = image;
    draft->reason = gate->options->reason;
    if (draft->reason != NULL)
        return 0;
    char words[64];
    int length =
        snprintf(words, sizeof words, "rolled back to set %.*s", SET_SHORT_LENGTH, gate->back_to);
    draft->reason = arena_string(&gate->words, words, (size_t)length, err);
    return draft->reason != NULL ? 0 : -1;
}

int gate_draft_holds(struct gate *gate, struct error *err) {
    const struct string_list *images = gate->options->images;
    if (images == NULL || images->count == 0)
        return draft_hold(gate, NULL, err);
    for (size_t i = 0; i < images->count; i++)
        if (draft_hold(gate, images->items[i], err) < 0)
            return -1;
    return 0;
}

/* ---- what people decided, in `run` ---- */

static bool names_update(const char *selector, const struct update *update) {
    return selector_matches(selector, update->image, update->tag) ||
           selector_matches(selector, update->image, update->candidate_tag);
}

static bool concerns(const struct ledger_entry *entry, const struct update *update,
                     const char *stage) {
    bool here = stage != NULL && string_equal(entry->stage, stage);
    if (entry->type == LEDGER_HELD)
        return here && (entry->image == NULL || names_update(entry->image, update));
    if (entry->type != LEDGER_DENIED || (entry->stage != NULL && !here))
        return false;
    if (entry->digest != NULL)
        return strcmp(entry->digest, update->candidate_digest) == 0;
    return entry->image != NULL &&
           selector_matches(entry->image, update->image, update->candidate_tag);
}

/* A denial is told before a hold. */
static const struct ledger_entry *find_word(const struct decision_list *words,
                                            const struct update *update, const char *stage) {
    const struct ledger_entry *found = NULL;
    for (size_t i = 0; i < words->count; i++)
        if (concerns(words->items[i], update, stage) &&
            (found == NULL ||
             (found->type == LEDGER_HELD && words->items[i]->type == LEDGER_DENIED)))
            found = words->items[i];
    return found;
}

static int obey(struct gate *gate, const struct decision_list *words, struct update *update,
                struct error *err) {
    const struct stage *stage = stage_at(&gate->config->stages, update->stage);
    const struct ledger_entry *entry = find_word(words, update, stage != NULL ? stage->name : NULL);
    if (entry == NULL)
        return 0;
    bool held = entry->type == LEDGER_HELD;
    char until[CLOCK_RFC3339_SIZE] = "";
    if (entry->until_ms != 0)
        clock_rfc3339(entry->until_ms, until);
    return update_decide(update, err, VERDICT_HOLD, held ? CODE_ON_HOLD : CODE_DENIED,
                         "%s %s it%s%s: %s", or_empty(entry->actor), held ? "holds" : "denied",
                         *until != '\0' ? " until " : "", until, or_empty(entry->reason));
}

static int obey_all(struct gate *gate, const struct decision_list *words, struct error *err) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        if (!update->decided && update->candidate_digest != NULL &&
            obey(gate, words, update, err) < 0)
            return -1;
    }
    return 0;
}

/* A version that somebody refused bars no other. */
static int pass_over_denied(struct gate *gate, bool *any, struct error *err) {
    _cleanup_(free_pointer) struct gate_failure *failures =
        calloc(gate->updates.count + 1, sizeof *failures);
    if (failures == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        failures[i].failed = update->decided && update->code == CODE_DENIED;
        failures[i].untested = true;
        failures[i].outcome = OUTCOME_SKIPPED;
    }
    return gate_fall_back(gate, failures, any, err);
}

int gate_obey(struct gate *gate, struct error *err) {
    if (gate->sets == NULL)
        return 0;
    _cleanup_(decision_list_clear) struct decision_list words = {0};
    if (decision_list_read(&gate->ledger, clock_now_ms(), &words, err) < 0)
        return -1;
    bool again = true;
    while (again)
        if (obey_all(gate, &words, err) < 0 || pass_over_denied(gate, &again, err) < 0)
            return -1;
    return 0;
}
