#include "gate/set.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/reference.h"

/* Each line once, sorted, and the id of them. */
static int finish(struct set *set, struct error *err) {
    struct string_list *lines = &set->lines;
    string_list_sort(lines);
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (kept > 0 && strcmp(lines->items[kept - 1], lines->items[i]) == 0)
            free(lines->items[i]);
        else
            lines->items[kept++] = lines->items[i];
    }
    lines->count = kept;
    _cleanup_(hash_freep) struct hash *hash = hash_new(err);
    if (hash == NULL)
        return -1;
    for (size_t i = 0; i < lines->count; i++) {
        hash_update(hash, lines->items[i], strlen(lines->items[i]));
        hash_update(hash, "\n", 1);
    }
    hash_finish_hex(hash, set->id);
    return 0;
}

int set_of_pins(const struct pin_list *pins, const bool *use, struct set *out, struct error *err) {
    *out = (struct set){0};
    for (size_t i = 0; i < pins->count; i++) {
        if (use != NULL && !use[i])
            continue;
        const struct reference *name = &pins->items[i].name;
        _cleanup_(free_pointer) char *line =
            reference_text(name->image, name->tag, name->digest, err);
        if (line == NULL || string_list_add(&out->lines, line, err) < 0)
            return -1;
    }
    return finish(out, err);
}

int set_of_lines(const char *const *lines, size_t count, struct set *out, struct error *err) {
    *out = (struct set){0};
    for (size_t i = 0; i < count; i++) {
        struct set_value value = {0};
        int parsed = set_value_parse(lines[i], &value, err);
        set_value_clear(&value);
        if (parsed < 0 || string_list_add(&out->lines, lines[i], err) < 0)
            return -1;
    }
    return finish(out, err);
}

int set_value_parse(const char *line, struct set_value *out, struct error *err) {
    *out = (struct set_value){0};
    struct reference name = {0};
    if (reference_parse(line, &name, err) < 0)
        return -1;
    _cleanup_(free_pointer) char *again = NULL;
    if (name.digest != NULL) {
        again = reference_text(name.image, name.tag, name.digest, err);
        if (again == NULL) {
            reference_clear(&name);
            return -1;
        }
    }
    int result = 0;
    if (again == NULL || strcmp(again, line) != 0)
        result = error_set(err, ERROR_INPUT,
                           "\"%s\" is no value of a set: image[:tag]@digest, with the image's "
                           "full name, was expected",
                           line);
    else {
        out->image = steal(name.image);
        out->tag = steal(name.tag);
        out->digest = steal(name.digest);
    }
    reference_clear(&name);
    return result;
}

bool set_has(const struct set *set, const char *line) {
    return string_list_has_sorted(&set->lines, line);
}

void set_clear(struct set *set) {
    string_list_clear(&set->lines);
    set->id[0] = '\0';
}

void set_value_clear(struct set_value *value) {
    free(value->image);
    free(value->tag);
    free(value->digest);
    *value = (struct set_value){0};
}
