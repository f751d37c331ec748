/* A build's stream, whole and in pieces. */
#include "runners/engine/build_stream.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

struct told {
    struct text output;
    size_t steps, uses;
};

static int on_output(void *context, const char *bytes, size_t length, struct error *err) {
    struct told *told = context;
    (void)err;
    text_append(&told->output, bytes, length);
    return 0;
}

static int on_step(void *context, const char *name, struct error *err) {
    struct told *told = context;
    (void)err;
    fuzz_require(strlen(name) <= BUILD_STEP_WORDS);
    told->steps++;
    return 0;
}

static int on_use(void *context, const char *words, struct error *err) {
    struct told *told = context;
    (void)err;
    fuzz_require(*words != '\0');
    told->uses++;
    return 0;
}

static void feed(const uint8_t *bytes, size_t size, size_t step, struct told *told,
                 struct error *err) {
    struct build_stream stream = {
        .on_output = on_output, .on_step = on_step, .on_use = on_use, .context = told};
    int result = 0;
    for (size_t at = 0; result == 0 && at < size; at += step)
        result = build_stream_feed(&stream, (const char *)bytes + at,
                                   step < size - at ? step : size - at, err);
    if (result == 0)
        result = build_stream_end(&stream, err);
    fuzz_require(result == 0 || err->kind == ERROR_LIMIT || err->kind == ERROR_PROTOCOL ||
                 err->kind == ERROR_ENGINE);
    fuzz_require(stream.image_id == NULL || strlen(stream.image_id) == 71);
    fuzz_require(stream.steps.count <= BUILD_STEPS && stream.between.count <= BUILD_LEFT);
    (void)build_stream_blames_step(&stream);
    build_stream_clear(&stream);
}

FUZZ_TARGET(build) {
    struct error errors[2] = {{0}, {0}};
    struct told told[2] = {{.steps = 0}, {.steps = 0}};
    size_t step = size > 0 ? 1 + bytes[size - 1] % 23 : 1;
    feed(bytes, size, size + 1, &told[0], &errors[0]);
    feed(bytes, size, step, &told[1], &errors[1]);
    fuzz_require(errors[0].kind == errors[1].kind);
    fuzz_require(told[0].steps == told[1].steps && told[0].uses == told[1].uses);
    fuzz_require(strcmp(text_string(&told[0].output), text_string(&told[1].output)) == 0);
    for (size_t i = 0; i < 2; i++) {
        error_clear(&errors[i]);
        text_clear(&told[i].output);
    }
}
