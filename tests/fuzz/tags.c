#include "gate/registry/tags.h"

#include <jansson.h>
#include <string.h>

#include "gate/base/json_walk.h"
#include "gate/reference.h"
#include "tests/fuzz/fuzz.h"

/* What jansson takes for JSON, the walk does as well, and finds the same tags (of equal keys jansson keeps the last, so
 * those are refused here). */
static void compare(const char *bytes, size_t size, const struct string_list *tags, bool read) {
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    const json_t *list = json_object_get(root, "tags");
    if (json_is_object(root) && (json_is_array(list) || json_is_null(list))) {
        size_t index;
        size_t count = 0;
        const json_t *tag;
        fuzz_require(read);
        json_array_foreach(list, index, tag) {
            const char *word = json_string_value(tag);
            if (word == NULL || !reference_tag_valid(word))
                continue;
            fuzz_require(count < tags->count && strcmp(tags->items[count], word) == 0);
            count++;
        }
        fuzz_require(count == tags->count);
    }
    json_decref(root);
}

/* Deeper than a walk goes, or with a NUL, which jansson overlooks behind a word such as `true` and the walk refuses: only
 * the walk is run. */
static bool comparable(const char *bytes, size_t size) {
    size_t depth = 0;
    for (size_t i = 0; i < size; i++)
        depth += bytes[i] == '[' || bytes[i] == '{';
    return depth < JSON_WALK_DEPTH && memchr(bytes, '\0', size) == NULL;
}

FUZZ_TARGET(tags) {
    const char *text = (const char *)bytes;
    struct string_list tags = {0};
    struct error err = {0};
    bool read = tags_read(text, size, 1000000, &tags, &err) == 0;
    fuzz_require(read || err.kind == ERROR_PROTOCOL);
    for (size_t i = 0; i < tags.count; i++)
        fuzz_require(reference_tag_valid(tags.items[i]));
    if (comparable(text, size))
        compare(text, size, &tags, read);
    string_list_clear(&tags);
    error_clear(&err);
}
