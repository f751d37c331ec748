#include "runners/engine/progress.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

struct told {
    int64_t done, total;
    size_t times;
};

static void on_bytes(void *context, int64_t done, int64_t total) {
    struct told *told = context;
    fuzz_require(done >= 0 && total >= 0);
    *told = (struct told){done, total, told->times + 1};
}

static void feed(const uint8_t *bytes, size_t size, size_t step, struct told *told, bool *fed,
                 struct error *err) {
    struct progress progress = {.on_bytes = on_bytes, .context = told};
    int result = 0;
    for (size_t at = 0; result == 0 && at < size; at += step)
        result = progress_feed(&progress, (const char *)bytes + at,
                               step < size - at ? step : size - at, err);
    fuzz_require(result == 0 || err->kind == ERROR_LIMIT);
    *fed = result == 0;
    if (result == 0) {
        result = progress_end(&progress, err);
        fuzz_require((result < 0) == (progress.failure != NULL));
        fuzz_require(result == 0 || err->kind == ERROR_ENGINE);
        fuzz_require(progress.failure == NULL ||
                     (*progress.failure != '\0' && strlen(progress.failure) <= PROGRESS_WORDS));
    }
    fuzz_require(progress.layers.count <= PROGRESS_LAYERS);
    progress_clear(&progress);
}

/* However the stream is cut into reads, the same comes of it. */
FUZZ_TARGET(progress) {
    struct error errors[2] = {{0}, {0}};
    struct told told[2] = {{0}, {0}};
    bool fed[2];
    size_t step = size > 0 ? 1 + bytes[size - 1] % 23 : 1;
    feed(bytes, size, size + 1, &told[0], &fed[0], &errors[0]);
    feed(bytes, size, step, &told[1], &fed[1], &errors[1]);
    fuzz_require(fed[0] == fed[1] && errors[0].kind == errors[1].kind);
    fuzz_require(strcmp(error_message(&errors[0]), error_message(&errors[1])) == 0);
    fuzz_require(told[0].done == told[1].done && told[0].total == told[1].total &&
                 told[0].times == told[1].times);
    error_clear(&errors[0]);
    error_clear(&errors[1]);
}
