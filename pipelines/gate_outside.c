/* Tests whose outcome comes from outside (`external: true`): `pingate record` writes it down, no run asks for it. What only they
 * cover may enter the first stage, since they can say nothing of it before it is there; the rule for entering the next one
 * asks for their pass as for any other. */
#include "pipelines/gate.h"

/* The first such test that covers it in its stage, or NULL. */
static const struct test *test_from_outside(const struct gate *gate, const struct update *update) {
    const struct config *config = gate->config;
    const struct stage *stage =
        update->stage != STAGE_NONE ? &config->stages.items[update->stage] : NULL;
    for (size_t i = 0; i < config->tests.count; i++) {
        const struct test *test = &config->tests.items[i];
        if (test->external && stage_runs_test(&config->stages, stage, test->name) &&
            plan_test_covers(test, update->image, update->tag))
            return test;
    }
    return NULL;
}

bool gate_is_covered_outside(const struct gate *gate, const struct update *update) {
    return gate->options->since == NULL && gate->options->standing == NULL &&
           test_from_outside(gate, update) != NULL;
}

int gate_take_outside(struct gate *gate, struct error *err) {
    if (gate_enters(gate->options))
        return 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        const struct test *test = test_from_outside(gate, update);
        if (!plan_moves(update) || plan_covers(&gate->plan, i) || test == NULL ||
            !gate_is_covered_outside(gate, update))
            continue;
        int result;
        if (!gate_promotes_passing(gate, update->stage) && gate_stage_failed(gate, update->stage))
            result = update_decide(update, err, VERDICT_HOLD, CODE_GATE_CLOSED,
                                   "another update did not pass, and promote is \"all\"");
        else
            result = update_decide(update, err, VERDICT_PROMOTE, CODE_NONE,
                                   "nothing was run on it: only test \"%s\" covers it, whose "
                                   "outcome comes from outside (`pingate record`)",
                                   test->name);
        if (result < 0)
            return -1;
    }
    return 0;
}
