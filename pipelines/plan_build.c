#include "pipelines/plan_build.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/pins/diff.h"
#include "gate/pins/rewrite.h"
#include "runners/build_context.h"

void plan_builds_clear(struct plan_builds *builds) {
    for (size_t i = 0; i < builds->count; i++) {
        free(builds->items[i].folder);
        free(builds->items[i].dockerfile);
    }
    free(builds->items);
    *builds = (struct plan_builds){0};
}

static void find_pins(const struct pin_list *pins, struct plan_built *built) {
    size_t at = 0;
    while (at < pins->count && strcmp(pins->items[at].file, built->dockerfile) != 0)
        at++;
    built->first_pin = at;
    while (at < pins->count && strcmp(pins->items[at].file, built->dockerfile) == 0)
        at++;
    built->pin_count = at - built->first_pin;
}

static int note_images(const struct pin_list *pins, const struct plan_built *built,
                       struct error *err) {
    struct string_list *images = &built->test->build->images;
    string_list_clear(images);
    for (size_t i = 0; i < built->pin_count; i++)
        if (string_list_add(images, pins->items[built->first_pin + i].name.image, err) < 0)
            return -1;
    return 0;
}

int plan_builds_find(const struct config *config, const char *root, const struct pin_list *pins,
                     struct plan_builds *builds, struct error *err) {
    for (size_t i = 0; i < config->tests.count; i++) {
        const struct test *test = &config->tests.items[i];
        if (test->build == NULL)
            continue;
        struct plan_built *built = array_add(builds, err);
        if (built == NULL)
            return -1;
        built->test = test;
        if (build_context_find(root, test->build->context, test->build->dockerfile, &built->folder,
                               &built->dockerfile, err) < 0)
            return error_wrap(err, "%s:%d: test \"%s\": build", config->file, test->build->line,
                              test->name);
        find_pins(pins, built);
        if (note_images(pins, built, err) < 0)
            return -1;
    }
    return 0;
}

const struct plan_built *plan_built_of(const struct plan_builds *builds, const struct test *test) {
    for (size_t i = 0; builds != NULL && i < builds->count; i++)
        if (builds->items[i].test == test)
            return &builds->items[i];
    return NULL;
}

bool plan_built_has(const struct plan_built *built, const struct update *update) {
    for (size_t i = 0; built != NULL && i < update->pin_count; i++)
        if (update->pins[i] >= built->first_pin &&
            update->pins[i] - built->first_pin < built->pin_count)
            return true;
    return false;
}

/* The update that a pin belongs to; of a stage that this command does not write, none. */
static size_t update_of(const struct update_list *updates, size_t pin) {
    for (size_t u = 0; u < updates->count; u++)
        for (size_t i = 0; i < updates->items[u].pin_count; i++)
            if (updates->items[u].pins[i] == pin)
                return u;
    return updates->count;
}

/* What shall stand there. */
struct value {
    const char *tag, *digest;
    bool needed;
};

static struct value value_of(const struct plan_build_question *question, size_t pin) {
    const struct reference *name = &question->pins->items[pin].name;
    size_t at = update_of(question->updates, pin);
    if (at == question->updates->count)
        return (struct value){name->tag, name->digest, false};
    const struct update *update = &question->updates->items[at];
    bool new_one = question->moved[at] || update->digest == NULL;
    struct value value = {new_one ? update->candidate_tag : update->tag,
                          new_one ? update->candidate_digest : update->digest, false};
    for (size_t i = 0; i < question->cover_count; i++)
        value.needed = value.needed || question->covers[i] == at;
    return value;
}

static int add_base(const struct pin *pin, const struct value *value, struct trial_build *build,
                    struct error *err) {
    for (size_t i = 0; i < build->base_count; i++) {
        struct trial_base *base = &build->bases[i];
        if (strcmp(base->image.image, pin->name.image) == 0 &&
            strcmp(base->image.digest, value->digest) == 0) {
            base->needed = base->needed || value->needed;
            return 0;
        }
    }
    struct trial_base *base = &build->bases[build->base_count++];
    base->needed = value->needed;
    base->line = pin->line;
    return string_copy(pin->name.image, &base->image.image, err) == 0 &&
                   string_copy(value->tag, &base->image.tag, err) == 0
               ? string_copy(value->digest, &base->image.digest, err)
               : -1;
}

static int fill_build(const struct plan_build_question *question, const struct text *bytes,
                      struct edit_list *edits, struct trial_build *build, struct error *err) {
    const struct plan_built *built = question->built;
    for (size_t i = 0; i < built->pin_count; i++) {
        const struct pin *pin = &question->pins->items[built->first_pin + i];
        struct value value = value_of(question, built->first_pin + i);
        if (value.digest == NULL)
            return error_set(err, ERROR_BUG, "a build on %s without a digest was asked for",
                             pin->name.image);
        if (rewrite_pin(pin, value.tag, value.digest, edits, err) < 0 ||
            add_base(pin, &value, build, err) < 0)
            return -1;
    }
    struct text diff = {0};
    if (edits_apply(text_string(bytes), bytes->length, edits, &build->side, err) < 0 ||
        diff_unified(built->dockerfile, (struct diff_side){text_string(bytes), bytes->length},
                     (struct diff_side){text_string(&build->side), build->side.length}, &diff,
                     err) < 0) {
        text_clear(&diff);
        return -1;
    }
    build->diff = text_steal(&diff, err);
    return build->diff != NULL ? 0 : -1;
}

int plan_build_spec(const struct plan_build_question *question, const struct text *bytes,
                    struct trial_spec *spec, struct error *err) {
    spec->build = calloc(1, sizeof *spec->build);
    if (spec->build == NULL)
        return error_no_memory(err);
    spec->build->build = question->built->test->build;
    spec->build->bases = calloc(question->built->pin_count + 1, sizeof *spec->build->bases);
    if (spec->build->bases == NULL)
        return error_no_memory(err);
    struct edit_list edits = {0};
    int result = fill_build(question, bytes, &edits, spec->build, err);
    edit_list_clear(&edits);
    return result < 0 ? error_wrap(err, "%s", question->built->dockerfile) : 0;
}
