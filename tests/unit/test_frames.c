#include "runners/engine/frames.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

struct heard {
    struct text streams[2];
    size_t calls;
    size_t refuse_at; /* the call that is refused; 0 is none */
};

static int hear(void *context, int stream, const char *bytes, size_t length, struct error *err) {
    struct heard *heard = context;
    ck_assert_int_ge(stream, 1);
    ck_assert_int_le(stream, 2);
    ck_assert_uint_gt(length, 0);
    text_append(&heard->streams[stream - 1], bytes, length);
    return ++heard->calls == heard->refuse_at ? error_set(err, ERROR_LIMIT, "enough") : 0;
}

static void heard_clear(struct heard *heard) {
    text_clear(&heard->streams[0]);
    text_clear(&heard->streams[1]);
    heard->calls = 0;
}

#define BYTES(literal) literal, sizeof(literal) - 1

/* One stream of bytes and what it holds. */
static const struct row {
    const char *what;
    const char *bytes;
    size_t length;
    const char *out, *err; /* of the two streams */
    enum error_kind kind;  /* ERROR_NONE: it is taken */
    const char *words;     /* of the error */
    bool whole;            /* when it ends here; of a taken one */
} rows[] = {
    {"nothing", BYTES(""), "", "", ERROR_NONE, NULL, true},
    {"one frame", BYTES("\1\0\0\0\0\0\0\3one"), "one", "", ERROR_NONE, NULL, true},
    {"type 0 is standard output too", BYTES("\0\0\0\0\0\0\0\3one"), "one", "", ERROR_NONE, NULL,
     true},
    {"both streams", BYTES("\1\0\0\0\0\0\0\1a\2\0\0\0\0\0\0\2bc\1\0\0\0\0\0\0\1d"), "ad", "bc",
     ERROR_NONE, NULL, true},
    {"empty frames", BYTES("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1x"), "x", "",
     ERROR_NONE, NULL, true},
    {"bytes that look like a header", BYTES("\1\0\0\0\0\0\0\x0b\2\1\1\1\1\1\1\3abc"),
     "\2\1\1\1\1\1\1\3abc", "", ERROR_NONE, NULL, true},
    {"ends in a header", BYTES("\1\0\0\0\0\0\0\1a\1\0\0"), "a", "", ERROR_NONE, NULL, false},
    {"ends after a header", BYTES("\1\0\0\0\0\0\0\1a\1\0\0\0\0\0\0\1"), "a", "", ERROR_NONE, NULL,
     false},
    {"ends in a frame", BYTES("\2\0\0\0\0\0\0\5abcd"), "", "abcd", ERROR_NONE, NULL, false},
    {"the largest length", BYTES("\1\0\0\0\xff\xff\xff\xffxyz"), "xyz", "", ERROR_NONE, NULL,
     false},
    {"a length in big end first", BYTES("\1\0\0\0\0\0\1\0xyz"), "xyz", "", ERROR_NONE, NULL, false},
    {"the engine's own error", BYTES("\1\0\0\0\0\0\0\1a\3\0\0\0\0\0\0\4boom"), "a", "",
     ERROR_ENGINE, "broke", false},
    {"the engine's own error without a word", BYTES("\3\0\0\0\0\0\0\0"), "", "", ERROR_ENGINE,
     "broke", false},
    {"an unknown type", BYTES("\4\0\0\0\0\0\0\1a"), "", "", ERROR_PROTOCOL, "no frame", false},
    {"raw text, as of a terminal", BYTES("hello world\n"), "", "", ERROR_PROTOCOL, "no frame",
     false},
    {"padding that is not zero", BYTES("\1\0\1\0\0\0\0\1a"), "", "", ERROR_PROTOCOL, "no frame",
     false},
    {"good, then text", BYTES("\1\0\0\0\0\0\0\1a{\"message\":\"gone\"}"), "a", "", ERROR_PROTOCOL,
     "no frame", false},
};

/* Feeds in pieces of `step` bytes, the first of them `first` bytes long. */
static int feed(const struct row *row, size_t first, size_t step, struct heard *heard,
                struct frames *frames, struct error *err) {
    *frames = (struct frames){.on_bytes = hear, .context = heard};
    for (size_t at = 0; at < row->length;) {
        size_t part = at == 0 && first > 0 ? first : step;
        part = part < row->length - at ? part : row->length - at;
        if (frames_feed(frames, row->bytes + at, part, err) < 0)
            return -1;
        at += part;
    }
    return 0;
}

static void check_row(const struct row *row, size_t first, size_t step) {
    struct error err = {0};
    struct heard heard = {0};
    struct frames frames;
    int result = feed(row, first, step, &heard, &frames, &err);
    const char *const expected[] = {row->out, row->err};
    ck_assert_msg((result < 0 ? err.kind : ERROR_NONE) == row->kind, "%s (%zu, %zu): %s", row->what,
                  first, step, error_message(&err));
    if (result < 0)
        ck_assert_msg(strstr(error_message(&err), row->words) != NULL, "%s: %s", row->what,
                      error_message(&err));
    else
        ck_assert_msg(frames_whole(&frames) == row->whole, "%s (%zu, %zu)", row->what, first, step);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(strcmp(text_string(&heard.streams[i]), expected[i]) == 0,
                      "%s (%zu, %zu): stream %d: \"%s\"", row->what, first, step, i + 1,
                      text_string(&heard.streams[i]));
    heard_clear(&heard);
    error_clear(&err);
}

START_TEST(every_split_gives_the_same) {
    const struct row *row = &rows[_i];
    check_row(row, 0, row->length + 1);
    for (size_t step = 1; step <= row->length; step++)
        check_row(row, 0, step);
    for (size_t first = 1; first < row->length; first++)
        check_row(row, first, row->length);
}
END_TEST

START_TEST(words_of_the_engine_are_told) {
    struct error err = {0};
    struct heard heard = {0};
    struct frames frames = {.on_bytes = hear, .context = &heard};
    unit_fails(frames_feed(&frames, BYTES("\3\0\0\0\0\0\0\4boom"), &err), &err, ERROR_ENGINE,
               "boom");
    heard_clear(&heard);
}
END_TEST

START_TEST(a_flood_of_words_is_cut) {
    struct error err = {0};
    char bytes[8 + 5000] = "\3\0\0\0\0\0\x13\x88";
    memset(bytes + 8, 'x', 5000);
    struct frames frames = {.on_bytes = hear};
    ck_assert_int_eq(frames_feed(&frames, bytes, sizeof bytes, &err), -1);
    ck_assert_uint_lt(strlen(error_message(&err)), 300);
    error_clear(&err);
}
END_TEST

START_TEST(what_the_taker_refuses_ends_it) {
    struct error err = {0};
    struct heard heard = {.refuse_at = 2};
    struct frames frames = {.on_bytes = hear, .context = &heard};
    unit_fails(
        frames_feed(&frames, BYTES("\1\0\0\0\0\0\0\1a\1\0\0\0\0\0\0\1b\1\0\0\0\0\0\0\1c"), &err),
        &err, ERROR_LIMIT, "enough");
    ck_assert_str_eq(text_string(&heard.streams[0]), "ab");
    heard_clear(&heard);
}
END_TEST

UNIT_MAIN("frames", {
    tcase_add_loop_test(cases, every_split_gives_the_same, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, words_of_the_engine_are_told);
    tcase_add_test(cases, a_flood_of_words_is_cut);
    tcase_add_test(cases, what_the_taker_refuses_ends_it);
})
