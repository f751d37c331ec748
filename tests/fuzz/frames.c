#include "runners/engine/frames.h"

#include <string.h>

#include "gate/base/text.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    struct text streams[2];
    size_t bytes;
};

static int hear(void *context, int stream, const char *bytes, size_t length, struct error *err) {
    struct heard *heard = context;
    (void)err;
    fuzz_require((stream == 1 || stream == 2) && length > 0);
    text_append(&heard->streams[stream - 1], bytes, length);
    heard->bytes += length;
    return 0;
}

/* 0, or -1; *whole is meant for a good one only. */
static int feed(const uint8_t *bytes, size_t size, size_t step, struct heard *heard, bool *whole,
                enum error_kind *kind) {
    struct error err = {0};
    struct frames frames = {.on_bytes = hear, .context = heard};
    int result = 0;
    for (size_t at = 0; result == 0 && at < size; at += step)
        result = frames_feed(&frames, (const char *)bytes + at, step < size - at ? step : size - at,
                             &err);
    *whole = frames_whole(&frames);
    *kind = err.kind;
    fuzz_require(result == 0 || err.kind == ERROR_PROTOCOL || err.kind == ERROR_ENGINE);
    fuzz_require(heard->bytes <= size);
    error_clear(&err);
    return result;
}

/* However the stream is cut into reads, the same comes of it. */
FUZZ_TARGET(frames) {
    struct heard one = {0};
    struct heard other = {0};
    bool whole[2];
    enum error_kind kinds[2];
    size_t step = size > 0 ? 1 + bytes[size - 1] % 23 : 1;
    int first = feed(bytes, size, size + 1, &one, &whole[0], &kinds[0]);
    int second = feed(bytes, size, step, &other, &whole[1], &kinds[1]);
    fuzz_require(first == second && kinds[0] == kinds[1]);
    fuzz_require(first < 0 || whole[0] == whole[1]);
    for (int i = 0; i < 2; i++) {
        fuzz_require(one.streams[i].length == other.streams[i].length);
        fuzz_require(memcmp(text_string(&one.streams[i]), text_string(&other.streams[i]),
                            one.streams[i].length) == 0);
        text_clear(&one.streams[i]);
        text_clear(&other.streams[i]);
    }
}
