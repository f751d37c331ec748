/* What the trials of a run prove for later, and what was proven before, so that a trial need not be run. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/gate.h"

int gate_evidence_key(const struct gate *gate, const struct judge_question *question,
                      const struct trial_spec *spec, struct evidence_key *key, struct error *err) {
    const struct plan_trial *trial = &gate->plan.items[question->trial];
    size_t stage = gate->updates.items[trial->participants[0]].stage;
    struct evidence_facts facts = {
        .platform = gate_platform(gate, trial->test),
        .workspace = gate->workspace.hash,
        .source = gate->options->command,
        .stage = stage_name(&gate->config->stages, stage),
    };
    return evidence_key_of(trial, spec, &gate->updates, question->moved, &facts, key, err);
}

/* `test` asks how it is now: a pull request can bring entries of its own, and what stands is tested to see whether it still
 * passes. */
const struct ledger_entry *gate_reusable(const struct gate *gate, const struct test *test,
                                         const struct evidence_key *key) {
    if (test->reuse_ms == 0 || gate->options->no_reuse || gate->options->since != NULL ||
        gate->options->standing != NULL)
        return NULL;
    return evidence_reusable(&gate->ledger, key, test->reuse_ms, clock_now_ms());
}

int gate_keep_evidence(struct gate *gate, const struct evidence_key *key,
                       const struct trial_result *result, struct error *err) {
    if (gate->config->stages.count == 0)
        return 0;
    return evidence_add(&gate->evidence, key, result->outcome,
                        result->started_ms + result->duration_ms, err);
}

int gate_draft_evidence(struct gate *gate, struct error *err) {
    for (size_t i = 0; i < gate->evidence.count; i++) {
        struct ledger_entry *draft = gate_draft(gate, LEDGER_EVIDENCE, err);
        if (draft == NULL)
            return -1;
        const char *actor = draft->actor;
        const char *ci = draft->ci;
        *draft = gate->evidence.items[i];
        draft->actor = actor;
        draft->ci = ci;
    }
    return 0;
}

void gate_show_reused(struct gate *gate, const char *title, const struct ledger_entry *entry) {
    char age[64];
    int64_t age_ms = clock_now_ms() - entry->time_ms;
    clock_duration_words(age_ms > 0 ? age_ms : 0, age, sizeof age);
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%s (reused: passed %s ago)", title, age);
    terminal_end(gate->terminal, entry->id, STYLE_GOOD, "passed:", text_string(&words));
}
