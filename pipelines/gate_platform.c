/* Tests on another platform than the engine's.
 *
 * A candidate's digest is that of an index, usually, and engines keep one image under a digest: to pull the index for another platform
 * would take the first image's name away. So it is the child that is pulled, proved and run: the index names it by its sha256, and
 * the index is verified by its own. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/gate.h"

/* What a registry has for a platform, or why that is not known. */
struct gate_child {
    char *image, *digest, *platform;
    char *child;          /* NULL: see reason */
    char *reason;         /* untrusted; NULL */
    enum outcome outcome; /* of a trial that needs it, where there is none */
};

const char *gate_platform(const struct gate *gate, const struct test *test) {
    return test->platform != NULL ? test->platform : schedule_platform(gate->schedule);
}

static struct gate_child *find(const struct gate *gate, const struct trial_step *step,
                               const char *platform) {
    for (size_t i = 0; i < gate->children.count; i++) {
        struct gate_child *child = &gate->children.items[i];
        if (strcmp(child->image, step->image) == 0 && strcmp(child->digest, step->digest) == 0 &&
            strcmp(child->platform, platform) == 0)
            return child;
    }
    return NULL;
}

static int on_child(void *context, const struct registry_digest *answer, const struct error *why,
                    struct error *fatal) {
    struct gate_child *child = context;
    if (why == NULL)
        return string_copy(answer->digest, &child->child, fatal);
    if (why->kind == ERROR_CANCELLED || why->kind == ERROR_NO_MEMORY)
        return error_set(fatal, why->kind, "%s", error_message(why));
    /* the index lacks it, or is not there itself: ask tells them apart; or nobody could read it */
    child->outcome = why->kind == ERROR_NOT_FOUND ? OUTCOME_FAILED : OUTCOME_ERROR;
    child->reason =
        string_format(fatal, "for the platform %s: %s", child->platform, error_message(why));
    return child->reason != NULL ? 0 : -1;
}

static int on_index(void *context, const struct registry_digest *answer, const struct error *why,
                    struct error *fatal) {
    struct gate_child *child = context;
    (void)answer;
    (void)fatal;
    if (why != NULL)
        child->outcome = OUTCOME_ERROR;
    return 0;
}

static int ask(struct gate *gate, struct gate_child *child, struct error *err) {
    _cleanup_(lookup_close) struct lookup lookup = {0};
    struct platform platform;
    struct reference name = {0};
    _cleanup_(free_pointer) char *text = reference_text(child->image, NULL, child->digest, err);
    if (text == NULL || reference_parse(text, &name, err) < 0)
        return -1;
    platform_parse(child->platform, &platform);
    int result = lookup_open(gate->config, gate->cancel, &lookup, err);
    if (result == 0)
        result = registry_child(lookup.registry, &name, &platform, on_child, child, err);
    if (result == 0)
        result = registry_run(lookup.registry, err);
    if (result == 0 && child->reason != NULL && child->outcome == OUTCOME_FAILED &&
        (result = registry_resolve(lookup.registry, &name, on_index, child, err)) == 0)
        result = registry_run(lookup.registry, err);
    reference_clear(&name);
    return result;
}

static struct gate_child *find_or_ask(struct gate *gate, const struct trial_step *step,
                                      const char *platform, struct error *err) {
    struct gate_child *known = find(gate, step, platform);
    if (known != NULL)
        return known;
    struct gate_child *child = array_add(&gate->children, err);
    if (child == NULL)
        return NULL;
    child->image = string_dup(step->image, err);
    child->digest = string_dup(step->digest, err);
    child->platform = string_dup(platform, err);
    return child->image != NULL && child->digest != NULL && child->platform != NULL &&
                   ask(gate, child, err) == 0
               ? child
               : NULL;
}

int gate_choose_children(struct gate *gate, struct trial_spec *spec, struct error *err) {
    const char *platform = spec->test->platform;
    for (size_t i = 0; platform != NULL && spec->unfit == NULL && i < spec->step_count; i++) {
        struct trial_step *step = &spec->steps[i];
        const struct gate_child *child =
            step->digest != NULL ? find_or_ask(gate, step, platform, err) : NULL;
        if (step->digest == NULL)
            continue;
        if (child == NULL)
            return -1;
        spec->unfit_outcome = child->outcome;
        if (string_copy(child->reason, &spec->unfit, err) < 0)
            return -1;
        bool other = child->child != NULL && strcmp(child->child, step->digest) != 0;
        if (other && string_copy(child->child, &step->child, err) < 0)
            return -1;
    }
    return 0;
}

void gate_children_clear(struct gate *gate) {
    for (size_t i = 0; i < gate->children.count; i++) {
        struct gate_child *child = &gate->children.items[i];
        free(child->image);
        free(child->digest);
        free(child->platform);
        free(child->child);
        free(child->reason);
    }
    free(gate->children.items);
    gate->children = (struct gate_children){0};
}
