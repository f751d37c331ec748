/* What stages are in a run: whose pins it writes, what has to wait, and what enters from the stage before. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/gate.h"

bool gate_promotes_passing(const struct gate *gate, size_t stage) {
    const struct stage *of = stage_at(&gate->config->stages, stage);
    if (of != NULL && of->from != NULL)
        return false; /* a set enters whole */
    if (gate->options->promote != NULL)
        return strcmp(gate->options->promote, "passing") == 0;
    return of != NULL && of->promote_is_given ? of->promote_passing : gate->config->promote_passing;
}

bool gate_enters(const struct gate_options *options) {
    return options->stage != NULL || options->every_stage;
}

bool gate_writes(const struct gate_options *options, const struct stage *stage) {
    if (options->standing != NULL)
        return stage != NULL && strcmp(stage->name, options->standing) == 0;
    if (options->back != NULL)
        return stage != NULL && strcmp(stage->name, options->back) == 0;
    if (!gate_enters(options))
        return stage == NULL || stage->from == NULL;
    return stage != NULL && stage->from != NULL &&
           (options->every_stage || strcmp(stage->name, options->stage) == 0);
}

int gate_find_stages(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    const struct pin_list *pins = &gate->scan.pins;
    gate->stage_of = stage_of_pins(stages, pins, err);
    _cleanup_(free_pointer) size_t *of = calloc(pins->count + 1, sizeof *of);
    if (gate->stage_of == NULL)
        return -1;
    if (of == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < pins->count; i++)
        of[i] = gate_writes(gate->options, stage_at(stages, gate->stage_of[i])) ? gate->stage_of[i]
                                                                                : UPDATE_LEFT_OUT;
    return updates_collect(pins, of, &gate->updates, err);
}

/* Of `run`: a candidate waits while the value that stands there soaks for a later stage. */

static int pause_update(struct update *update, const struct entry_pause_list *pauses,
                        struct error *err) {
    if (update->decided || update->candidate_digest == NULL || update->urgent)
        return 0;
    _cleanup_(free_pointer) char *line =
        reference_text(update->image, update->tag, update->digest, err);
    if (line == NULL)
        return -1;
    const struct entry_pause *pause = entry_pause_find(pauses, line);
    if (pause == NULL)
        return 0;
    char until[CLOCK_RFC3339_SIZE] = "it was observed for long enough";
    if (pause->until_ms != 0)
        clock_rfc3339(pause->until_ms, until);
    return update_decide(update, err, VERDICT_HOLD, CODE_PAUSED,
                         "what stands here soaks for stage \"%s\" until %s, and a newer one would "
                         "begin anew; --urgent %s goes over it",
                         pause->later->name, until, reference_familiar(update->image));
}

int gate_pause(struct gate *gate, struct error *err) {
    const struct config *config = gate->config;
    for (size_t s = 0; s < config->stages.count; s++) {
        const struct stage *stage = &config->stages.items[s];
        if (!gate_writes(gate->options, stage))
            continue;
        struct entry_pause_list pauses = {0};
        int result =
            entry_pauses(&gate->ledger, config, stage, gate->sets, clock_now_ms(), &pauses, err);
        for (size_t i = 0; i < gate->updates.count && result == 0; i++)
            if (gate->updates.items[i].stage == s)
                result = pause_update(&gate->updates.items[i], &pauses, err);
        entry_pause_list_clear(&pauses);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* Of `promote`: the candidates are the values of the stage before. */

static int give_candidate(struct update *update, const struct entry_change *change,
                          struct error *err) {
    struct set_value value;
    if (set_value_parse(change->candidate, &value, err) < 0)
        return -1;
    update->candidate_tag = steal(value.tag);
    update->candidate_digest = steal(value.digest);
    set_value_clear(&value);
    return 0;
}

static const struct entry_kept *find_kept(const struct entry_answer *answer, const char *line) {
    for (size_t i = 0; i < answer->kept.count; i++)
        if (strcmp(answer->kept.items[i].line, line) == 0)
            return &answer->kept.items[i];
    return NULL;
}

static int enter_update(struct update *update, const struct stage *stage,
                        const struct entry_answer *answer, struct error *err) {
    _cleanup_(free_pointer) char *line =
        reference_text(update->image, update->tag, update->digest, err);
    if (line == NULL)
        return -1;
    update->policy = (struct policy){.kind = POLICY_DIGEST};
    update->rule = string_format(err, "from %s", stage->from);
    if (update->rule == NULL)
        return -1;
    for (size_t i = 0; i < answer->changes.count; i++) {
        const struct entry_change *change = &answer->changes.items[i];
        if (strcmp(change->line, line) != 0)
            continue;
        if (give_candidate(update, change, err) < 0)
            return -1;
        return answer->fits
                   ? 0
                   : update_decide(update, err, VERDICT_HOLD, answer->code, "%s", answer->reason);
    }
    const struct entry_kept *kept = find_kept(answer, line);
    if (kept != NULL)
        return update_decide(update, err, VERDICT_HOLD, kept->code, "%s", kept->reason);
    return update_decide(update, err, VERDICT_UP_TO_DATE, CODE_NONE,
                         "stage \"%s\" has nothing newer for it", stage->from);
}

static int answer_stage(struct gate *gate, size_t s, struct error *err) {
    const struct stage *stage = &gate->config->stages.items[s];
    const struct stage *from = stage_find(&gate->config->stages, stage->from);
    struct entry_case c = {.ledger = &gate->ledger,
                           .config = gate->config,
                           .stage = stage,
                           .from = &gate->sets[from - gate->config->stages.items],
                           .target = &gate->sets[s],
                           .sets = gate->sets,
                           .now_ms = clock_now_ms(),
                           .force = gate->options->force};
    return entry_decide(&c, &gate->answers[s], err) < 0 ? error_wrap(err, "stage %s", stage->name)
                                                        : 0;
}

int gate_answer_stages(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    if (stages->count == 0)
        return 0;
    gate->answers = calloc(stages->count, sizeof *gate->answers);
    if (gate->answers == NULL)
        return error_no_memory(err);
    for (size_t s = 0; s < stages->count; s++)
        if (stages->items[s].from != NULL && answer_stage(gate, s, err) < 0)
            return -1;
    return 0;
}

static int enter_stage(struct gate *gate, size_t s, struct error *err) {
    const struct stage *stage = &gate->config->stages.items[s];
    const struct entry_answer *answer = &gate->answers[s];
    for (size_t i = 0; i < gate->updates.count; i++)
        if (gate->updates.items[i].stage == s &&
            enter_update(&gate->updates.items[i], stage, answer, err) < 0)
            return -1;
    return 0;
}

int gate_check_stage(const struct config *config, const char *name, struct error *err) {
    const char *names[STAGE_LIMIT + 1] = {0};
    for (size_t i = 0; i < config->stages.count; i++)
        names[i] = config->stages.items[i].name;
    if (names[0] == NULL)
        return error_set(err, ERROR_USAGE,
                         "no stages are configured: `stages:` in " CONFIG_FILE
                         " names them and the rule for entering each");
    if (name == NULL || stage_find(&config->stages, name) != NULL)
        return 0;
    const char *nearest = string_nearest(name, names);
    return error_set(err, ERROR_USAGE, "\"%s\" is no stage of " CONFIG_FILE "%s%s%s", name,
                     nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?" : "");
}

static int check_entered(const struct gate *gate, struct error *err) {
    const char *name = gate->options->stage;
    if (gate_check_stage(gate->config, name, err) < 0)
        return -1;
    if (name == NULL || stage_find(&gate->config->stages, name)->from != NULL)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "stage \"%s\" comes from no other stage: `pingate run` writes it", name);
}

int gate_enter(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    if (check_entered(gate, err) < 0 || gate_answer_stages(gate, err) < 0)
        return -1;
    for (size_t s = 0; s < stages->count; s++)
        if (gate_writes(gate->options, &stages->items[s]) && enter_stage(gate, s, err) < 0)
            return -1;
    return 0;
}

/* A set enters whole: what is gone, or cannot be asked for, holds the others of its stage. */
static int hold_rest(struct gate *gate, size_t stage, struct error *err) {
    const struct update *first = NULL;
    for (size_t i = 0; i < gate->updates.count && first == NULL; i++) {
        const struct update *update = &gate->updates.items[i];
        if (update->stage == stage && update->decided &&
            (update->code == CODE_DIGEST_GONE || update->verdict == VERDICT_LOOKUP_FAILED))
            first = update;
    }
    for (size_t i = 0; i < gate->updates.count && first != NULL; i++) {
        struct update *update = &gate->updates.items[i];
        if (update->stage == stage && plan_moves(update) &&
            update_decide(update, err, VERDICT_HOLD, CODE_GATE_CLOSED,
                          "the set enters whole, and %s %s", reference_familiar(first->image),
                          first->code == CODE_DIGEST_GONE ? "is gone from its registry"
                                                          : "could not be looked up") < 0)
            return -1;
    }
    return 0;
}

int gate_prove(struct gate *gate, struct error *err) {
    bool any = false;
    for (size_t i = 0; i < gate->updates.count; i++)
        any = any || plan_moves(&gate->updates.items[i]);
    if (!any)
        return 0;
    if (lookup_open(gate->config, gate->cancel, &gate->lookup, err) < 0 ||
        lookup_proofs(&gate->lookup, &gate->updates, NULL, err) < 0)
        return -1;
    for (size_t s = 0; s < gate->config->stages.count; s++)
        if (hold_rest(gate, s, err) < 0)
            return -1;
    return 0;
}

bool gate_stage_failed(const struct gate *gate, size_t stage) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (update->stage == stage && update->decided && update->candidate_digest != NULL &&
            (update->verdict == VERDICT_REJECT || update->code == CODE_NOT_TESTED ||
             update->code == CODE_NOT_WRITABLE))
            return true;
    }
    return false;
}

int gate_enter_untested(struct gate *gate, struct error *err) {
    if (gate->answers == NULL)
        return 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        bool closed = gate_stage_failed(gate, update->stage);
        int result = 0;
        if (closed && (!update->decided || update->verdict == VERDICT_PROMOTE))
            result = update_decide(update, err, VERDICT_HOLD, CODE_GATE_CLOSED,
                                   "the set enters whole, and another of its images may not");
        else if (!update->decided)
            result = update_decide(update, err, VERDICT_PROMOTE, CODE_NONE,
                                   "it may enter from stage \"%s\"",
                                   gate->config->stages.items[update->stage].from);
        if (result < 0)
            return -1;
    }
    return 0;
}

void gate_describe_entry(const struct gate *gate, size_t stage, struct ledger_entry *draft) {
    draft->reason = gate->options->reason;
    if (gate->answers == NULL)
        return;
    draft->snapshot = gate->answers[stage].set;
    draft->overridden = gate->answers[stage].overridden;
    draft->forced = draft->overridden != NULL;
}
