#include "gate/update.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

static int compare_words(const char *a, const char *b) {
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare_names(const struct reference *a, const struct reference *b) {
    int order = strcmp(a->image, b->image);
    if (order == 0)
        order = compare_words(a->tag, b->tag);
    return order != 0 ? order : compare_words(a->digest, b->digest);
}

struct keyed {
    const struct reference *name;
    size_t stage;
    size_t index;
};

static int compare_values(const struct keyed *x, const struct keyed *y) {
    int order = compare_names(x->name, y->name);
    if (order != 0 || x->stage == y->stage)
        return order;
    return x->stage < y->stage ? -1 : 1;
}

static int compare_keyed(const void *a, const void *b) {
    const struct keyed *x = a;
    const struct keyed *y = b;
    int order = compare_values(x, y);
    if (order != 0)
        return order;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int add_group(const struct keyed *group, size_t count, struct update_list *out,
                     struct error *err) {
    struct update *update = array_add(out, err);
    if (update == NULL)
        return -1;
    const struct reference *name = group->name;
    update->image = string_dup(name->image, err);
    update->tag = string_dup(name->tag, err);
    update->digest = string_dup(name->digest, err);
    update->pins = malloc(count * sizeof *update->pins);
    if (update->pins == NULL || update->image == NULL ||
        (name->tag != NULL && update->tag == NULL) ||
        (name->digest != NULL && update->digest == NULL))
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        update->pins[i] = group[i].index;
    update->pin_count = count;
    update->stage = group->stage;
    return 0;
}

int updates_collect(const struct pin_list *pins, const size_t *stages, struct update_list *out,
                    struct error *err) {
    _cleanup_(free_pointer) struct keyed *keyed = calloc(pins->count + 1, sizeof *keyed);
    if (keyed == NULL)
        return error_no_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < pins->count; i++)
        if (stages == NULL || stages[i] != UPDATE_LEFT_OUT)
            keyed[count++] = (struct keyed){&pins->items[i].name,
                                            stages != NULL ? stages[i] : UPDATE_NO_STAGE, i};
    qsort(keyed, count, sizeof *keyed, compare_keyed);
    for (size_t start = 0, end; start < count; start = end) {
        end = start + 1;
        while (end < count && compare_values(&keyed[start], &keyed[end]) == 0)
            end++;
        if (add_group(&keyed[start], end - start, out, err) < 0) {
            update_list_clear(out); /* its last one is half made */
            return -1;
        }
    }
    return 0;
}

int update_decide(struct update *update, struct error *err, enum verdict verdict,
                  enum verdict_code code, const char *reason, ...) {
    char *words = NULL;
    va_list arguments;
    va_start(arguments, reason);
    int length = vasprintf(&words, reason, arguments);
    va_end(arguments);
    if (length < 0)
        return error_no_memory(err);
    free(update->reason);
    update->reason = words;
    update->decided = true;
    update->verdict = verdict;
    update->code = code;
    return 0;
}

int update_give_up(struct update *update, const char *test, const char *reason,
                   enum outcome outcome, struct error *err) {
    struct update_tried *tried = array_add(&update->tried, err);
    if (tried == NULL)
        return -1;
    tried->tag = steal(update->candidate_tag);
    tried->digest = steal(update->candidate_digest);
    tried->outcome = outcome;
    update->decided = false;
    free(steal(update->reason));
    free(steal(update->culprits));
    update->culprit_count = 0;
    return string_copy(test, &tried->test, err) < 0 ? -1 : string_copy(reason, &tried->reason, err);
}

bool update_gave_up(const struct update *update, const char *digest) {
    for (size_t i = 0; i < update->tried.count; i++)
        if (string_equal(update->tried.items[i].digest, digest))
            return true;
    return false;
}

char *update_words(const struct update *update, struct error *err) {
    const char *image = reference_familiar(update->image);
    if (update->tag == NULL)
        return string_dup(image, err);
    return string_format(err, "%s:%s", image, update->tag);
}

void update_list_clear(struct update_list *updates) {
    for (size_t i = 0; i < updates->count; i++) {
        struct update *update = &updates->items[i];
        free(update->image);
        free(update->tag);
        free(update->digest);
        free(update->pins);
        free(update->rule);
        free(update->follow);
        free(update->candidate_tag);
        free(update->candidate_digest);
        free(update->reason);
        free(update->culprits);
        string_list_clear(&update->further);
        for (size_t t = 0; t < update->tried.count; t++) {
            free(update->tried.items[t].tag);
            free(update->tried.items[t].digest);
            free(update->tried.items[t].test);
            free(update->tried.items[t].reason);
        }
        free(update->tried.items);
    }
    free(updates->items);
    *updates = (struct update_list){0};
}
