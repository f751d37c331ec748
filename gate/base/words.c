#include "gate/base/words.h"

const char *words_find(const struct words *words, const char *bytes, size_t length) {
    const struct index_slot *slot = index_find(&words->index, bytes, length);
    return slot != NULL ? slot->key : NULL;
}

const char *words_add(struct words *words, struct arena *arena, const char *bytes, size_t length,
                      struct error *err) {
    const char *known = words_find(words, bytes, length);
    if (known != NULL)
        return known;
    char *copy = arena_string(arena, bytes, length, err);
    return copy != NULL && index_add(&words->index, copy, length, 0, err) == 0 ? copy : NULL;
}

void words_clear(struct words *words) {
    index_clear(&words->index);
}
