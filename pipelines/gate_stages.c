/* What stages are in a run: whose pins it writes, what is seen and recorded of them. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/gate.h"

bool gate_promotes_passing(const struct gate *gate, size_t stage) {
    const struct stage *of = stage_at(&gate->config->stages, stage);
    if (gate->options->promote != NULL)
        return strcmp(gate->options->promote, "passing") == 0;
    return of != NULL && of->promote_is_given ? of->promote_passing : gate->config->promote_passing;
}

/* `run` looks up for the stages that come from no other one. */
int gate_find_stages(struct gate *gate, struct error *err) {
    const struct stage_list *stages = &gate->config->stages;
    const struct pin_list *pins = &gate->scan.pins;
    gate->stage_of = stage_of_pins(stages, pins, err);
    _cleanup_(free_pointer) size_t *of = calloc(pins->count + 1, sizeof *of);
    if (gate->stage_of == NULL)
        return -1;
    if (of == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < pins->count; i++) {
        const struct stage *stage = stage_at(stages, gate->stage_of[i]);
        of[i] = stage != NULL && stage->from != NULL ? UPDATE_LEFT_OUT : gate->stage_of[i];
    }
    return updates_collect(pins, of, &gate->updates, err);
}
