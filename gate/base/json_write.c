#include "gate/base/json_write.h"

static int on_piece(const char *bytes, size_t length, void *context) {
    struct text *out = context;
    text_append(out, bytes, length);
    return out->failed == ERROR_NONE ? 0 : -1;
}

int json_write(const json_t *json, size_t flags, struct text *out, struct error *err) {
    int result = json_dump_callback(json, on_piece, out, flags);
    if (text_check(out, err) < 0)
        return -1;
    /* texts that are not UTF-8 never come this far: jansson refuses them when they are added */
    return result == 0 ? 0 : error_no_memory(err);
}
