/* What an engine or a registry tells of two images: the first byte chooses the sources, a NUL parts the documents. */
#include <string.h>

#include "gate/base/json_read.h"
#include "runners/deny.h"
#include "tests/fuzz/fuzz.h"

static bool facts_of(const char *bytes, size_t size, enum image_source source,
                     struct image_facts *facts) {
    struct error err = {0};
    json_t *json = NULL;
    fuzz_require(json_read(bytes, size, 0, &json, NULL, &err) == 0);
    bool read = json != NULL && image_facts_read(facts, json, source, &err) == 0;
    fuzz_require(read || json == NULL || err.kind == ERROR_PROTOCOL || err.kind == ERROR_LIMIT);
    json_decref(json);
    error_clear(&err);
    return read;
}

static void ask_gates(const struct image_facts *after, struct changes *changes) {
    struct deny_list list = {0};
    struct deny_answer answer = {0};
    struct error err = {0};
    const char *help;
    enum deny_argument argument;
    for (size_t n = 0; deny_name(n, &help, &argument) != NULL; n++)
        fuzz_require(deny_make(deny_name(n, &help, &argument),
                               argument == DENY_PERCENT ? "5%"
                               : argument == DENY_NAME  ? "a"
                                                        : NULL,
                               array_add(&list, &err), &err) == 0);
    fuzz_require(deny_check(&list, after, changes, "why", &answer, &err) == 0);
    bool marked = false;
    for (size_t i = 0; i < changes->count; i++)
        marked = marked || changes->items[i].denied;
    fuzz_require(!marked || answer.denied.length > 0);
    deny_answer_clear(&answer);
    deny_list_clear(&list);
}

/* An image differs from itself in nothing; what is shown has no more bytes than may be. */
FUZZ_TARGET(image_facts) {
    if (size < 1)
        return;
    struct image_facts before = {0};
    struct image_facts after = {0};
    struct changes changes = {0};
    struct text words = {0};
    struct error err = {0};
    const char *text = (const char *)bytes + 1;
    const char *end = memchr(text, '\0', size - 1);
    size_t first = end != NULL ? (size_t)(end - text) : size - 1;
    size_t second = end != NULL ? size - 2 - first : 0;
    if (facts_of(text, first, bytes[0] & 1 ? IMAGE_FROM_ENGINE : IMAGE_FROM_REGISTRY, &before)) {
        fuzz_require(changes_compare(&before, &before, &changes, &err) == 0 && changes.count == 0);
        changes_clear(&changes);
        if (end != NULL &&
            facts_of(end + 1, second, bytes[0] & 2 ? IMAGE_FROM_ENGINE : IMAGE_FROM_REGISTRY,
                     &after)) {
            fuzz_require(changes_compare(&before, &after, &changes, &err) == 0);
            for (size_t i = 0; i < changes.count; i++) {
                const struct change *change = &changes.items[i];
                fuzz_require(change->before != NULL || change->after != NULL);
                fuzz_require(change->before == NULL ||
                             strlen(change->before) <= CHANGE_VALUE_LIMIT + 3);
                fuzz_require(change->after == NULL ||
                             strlen(change->after) <= CHANGE_VALUE_LIMIT + 3);
            }
            ask_gates(&after, &changes);
            changes_words(&changes, " → ", &words);
            fuzz_require(words.failed == ERROR_NONE);
        }
    }
    text_clear(&words);
    changes_clear(&changes);
    image_facts_clear(&before);
    image_facts_clear(&after);
}
