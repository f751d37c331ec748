#include "gate/registry/tags.h"

#include <string.h>

#include "gate/base/json_walk.h"
#include "gate/reference.h"

static int read_tag(struct json_walk *walk, size_t limit, struct text *tag,
                    struct string_list *tags, struct error *err) {
    if (json_walk_peek(walk) != JSON_WALK_STRING) {
        json_walk_skip(walk);
        return 0;
    }
    if (!json_walk_string(walk, tag) || !reference_tag_valid(text_string(tag)))
        return 0;
    if (tags->count >= limit)
        return error_set(err, ERROR_LIMIT, "the repository has more than %zu tags", limit);
    return string_list_add(tags, text_string(tag), err);
}

int tags_read(const char *bytes, size_t length, size_t limit, struct string_list *tags,
              struct error *err) {
    struct json_walk walk;
    _cleanup_(text_clear) struct text word = {0};
    bool known = false;
    json_walk_start(&walk, bytes, length);
    for (bool in = json_walk_object(&walk); in && json_walk_key(&walk, &word);) {
        bool is_tags = strcmp(text_string(&word), "tags") == 0;
        known = known || is_tags || strcmp(text_string(&word), "name") == 0;
        bool is_null = json_walk_peek(&walk) == JSON_WALK_WORD && *walk.at == 'n';
        if (!is_tags || is_null) {
            json_walk_skip(&walk);
            continue;
        }
        for (bool list = json_walk_array(&walk); list && json_walk_item(&walk);)
            if (read_tag(&walk, limit, &word, tags, err) < 0)
                return -1;
    }
    if (word.failed == ERROR_NO_MEMORY)
        return error_no_memory(err);
    return json_walk_done(&walk) && known
               ? 0
               : error_set(err, ERROR_PROTOCOL, "the answer is no list of tags");
}
