/* Builds of a run: their contexts, each copied once, and what of a build the result tells. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "pipelines/gate.h"
#include "runners/build_context.h"

static struct build_context *find_context(struct gate *gate, const struct plan_built *built,
                                          struct error *err) {
    for (size_t i = 0; i < gate->contexts.count; i++) {
        struct build_context *context = gate->contexts.items[i];
        if (strcmp(context->folder, built->folder) == 0 &&
            strcmp(context->dockerfile, built->dockerfile) == 0)
            return context;
    }
    struct build_context *context = calloc(1, sizeof *context);
    struct build_context **place = context != NULL ? array_add(&gate->contexts, err) : NULL;
    if (place == NULL) {
        free(context);
        error_no_memory(err);
        return NULL;
    }
    *place = context;
    if (build_context_make(gate->options->root, built->folder, built->dockerfile, &gate->scan.pins,
                           gate->cancel, context, err) == 0)
        return context;
    free(context);
    gate->contexts.count--;
    return NULL;
}

int gate_build_spec(struct gate *gate, const struct plan_trial *trial, const bool *moved,
                    struct trial_spec *spec, struct error *err) {
    if (trial->built == NULL)
        return 0;
    struct plan_build_question question = {.built = trial->built,
                                           .pins = &gate->scan.pins,
                                           .updates = &gate->updates,
                                           .moved = moved,
                                           .covers = trial->covers,
                                           .cover_count = trial->cover_count};
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(free_pointer) char *path =
        file_join(gate->options->root, trial->built->dockerfile, err);
    if (path == NULL || file_read(path, DOCKERFILE_LIMIT, &bytes, err) < 0 ||
        plan_build_spec(&question, &bytes, spec, err) < 0)
        return error_wrap(err, "test \"%s\": build", trial->test->name);
    spec->build->context = find_context(gate, trial->built, err);
    return spec->build->context != NULL ? 0 : error_wrap(err, "test \"%s\"", trial->test->name);
}

void gate_clear_contexts(struct gate *gate) {
    for (size_t i = 0; i < gate->contexts.count; i++) {
        build_context_clear(gate->contexts.items[i]);
        free(gate->contexts.items[i]);
    }
    free(gate->contexts.items);
    gate->contexts = (struct gate_contexts){0};
}
