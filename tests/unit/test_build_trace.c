#include "runners/engine/build_trace.h"

#include "gate/base/base64.h"
#include "tests/unit/unit.h"

/* As Docker Engine 20.10 sent it. */
static const char recorded_vertex[] = "CosBCkdzaGEyNTY6MWVmYzIzY2U5ZDU3NzBjY2E2YjVlMDdkMWYzMmJkNDcz"
                                      "MTcyZTU2NjEyMWQ5ZDcwNjkzMGJmZjJjYjll"
                                      "ZmM4MRokW2ludGVybmFsXSBsb2FkIHJlbW90ZSBidWlsZCBjb250ZXh0KgwI"
                                      "zYqc2AYQ6oCz4QEyDAjNipzYBhCA7vuOAg==";
static const char recorded_log[] = "GmAKR3NoYTI1NjplOWNlYTIwNDdhMTYyZWNhMTRjMmMwN2EzMzY0MzZkNDA5NjF"
                                   "kNDRjMzc3Njc2MDRhNzk0OWMxYTc3OWFi"
                                   "OTEyEgsIn42c2AYQv5aiARgBIgZoZWxsbwo=";
static const char recorded_error[] = "CvgBCkdzaGEyNTY6ZTZhZjI5NmY5NjIwZjI3NzA3NmVkMjdiMTU4YmE2NmUyN"
                                     "zM1YjIwM2FmMDc1M2IwNWFkMjcyNzczYWU5"
                                     "NTU1NRJHc2hhMjU2OjJjOTE5NWNmMDlkMTU2ZjczYmZkNTg1NTMwMWJmNTgwO"
                                     "TcxOTYyNzI1NWE0NzFkN2RlNzMxNmJmZmVh"
                                     "YjU3YTMaD1syLzJdIFJVTiBmYWxzZSoLCKCNnNgGEKXp9AcyDAigjZzYBhDd/"
                                     "9ykAjo4ZXhlY3V0b3IgZmFpbGVkIHJ1bm5p"
                                     "bmcgWy9iaW4vc2ggLWMgZmFsc2VdOiBleGl0IGNvZGU6IDE=";

struct seen {
    struct text words;
    int fail_at; /* callbacks until one fails; 0: none does */
};

static int count(struct seen *seen, struct error *err) {
    return seen->fail_at > 0 && --seen->fail_at == 0 ? error_set(err, ERROR_LIMIT, "enough") : 0;
}

static int on_vertex(void *context, const struct build_vertex *vertex, struct error *err) {
    struct seen *seen = context;
    text_printf(&seen->words, "V%s%s%s %.*s", vertex->cached ? "c" : "", vertex->started ? "s" : "",
                vertex->completed ? "d" : "", (int)vertex->name.length,
                vertex->name.length > 0 ? vertex->name.bytes : "");
    if (vertex->error.length > 0)
        text_printf(&seen->words, " !%.*s", (int)vertex->error.length, vertex->error.bytes);
    text_add(&seen->words, ";");
    return count(seen, err);
}

static int on_log(void *context, const struct build_log *log, struct error *err) {
    struct seen *seen = context;
    text_printf(&seen->words, "L%d %.*s;", (int)log->stream, (int)log->bytes.length,
                log->bytes.length > 0 ? log->bytes.bytes : "");
    return count(seen, err);
}

static int read_bytes(struct seen *seen, const void *bytes, size_t length, struct error *err) {
    struct build_trace trace = {on_vertex, on_log, seen};
    return build_trace_read(&trace, bytes, length, err);
}

START_TEST(recorded) {
    static const struct {
        const char *base64, *expected;
    } cases[] = {
        {recorded_vertex, "Vsd [internal] load remote build context;"},
        {recorded_log, "L1 hello\n;"},
        {recorded_error,
         "Vsd [2/2] RUN false !executor failed running [/bin/sh -c false]: exit code: 1;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen = {0};
        struct text bytes = {0};
        struct error err = {0};
        ck_assert(base64_decode(&bytes, cases[i].base64, strlen(cases[i].base64)));
        unit_ok(read_bytes(&seen, bytes.bytes, bytes.length, &err), &err);
        ck_assert_str_eq(text_string(&seen.words), cases[i].expected);
        /* Cut anywhere, it is no message, or a shorter one. */
        for (size_t length = 0; length < bytes.length; length++) {
            struct seen part = {0};
            if (read_bytes(&part, bytes.bytes, length, &err) < 0)
                ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
            error_clear(&err);
            text_clear(&part.words);
        }
        text_clear(&seen.words);
        text_clear(&bytes);
    }
}
END_TEST

#define BYTES(string) string, sizeof string - 1

static const struct row {
    const char *what, *bytes;
    size_t length;
    const char *expected; /* NULL: no message */
} rows[] = {
    {"nothing", BYTES(""), ""},
    {"an empty vertex", BYTES("\x0a\x00"), "V ;"},
    {"a name",
     BYTES("\x0a\x05\x1a\x03"
           "abc"),
     "V abc;"},
    {"cached", BYTES("\x0a\x02\x20\x01"), "Vc ;"},
    {"not cached", BYTES("\x0a\x02\x20\x00"), "V ;"},
    {"unknown fields of each kind",
     BYTES("\x10\x07\x0a\x14\x48\x01\x51"
           "12345678"
           "\x5d"
           "1234"
           "\x1a\x01"
           "a"
           "\x9a\x06\x00"),
     NULL},
    {"unknown fields",
     BYTES("\x10\x07\x51"
           "12345678"
           "\x5d"
           "1234"
           "\x12\x02"
           "xy"),
     ""},
    {"known numbers of another kind", BYTES("\x0a\x04\x18\x01\x20\x01"), "Vc ;"},
    {"a number of ten bytes", BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ""},
    {"a number without an end", BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
    {"a tag without its value", BYTES("\x10"), NULL},
    {"a length beyond the end", BYTES("\x0a\x05\x1a"), NULL},
    {"a length beyond the end inside", BYTES("\x0a\x02\x1a\x7f"), NULL},
    {"a huge length", BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), NULL},
    {"eight bytes that are not there",
     BYTES("\x09"
           "1234567"),
     NULL},
    {"a group, which nobody sends", BYTES("\x0b"), NULL},
    {"text", BYTES("hello"), NULL},
    {"a log of a vertex",
     BYTES("\x1a\x09\x0a\x01"
           "d"
           "\x18\x02\x22\x02"
           "hi"),
     "L2 hi;"},
    {"a log of nothing", BYTES("\x1a\x00"), "L0 ;"},
};

START_TEST(row) {
    const struct row *r = &rows[_i];
    struct seen seen = {0};
    struct error err = {0};
    int result = read_bytes(&seen, r->bytes, r->length, &err);
    ck_assert_msg((result == 0) == (r->expected != NULL), "%s: %s", r->what, error_message(&err));
    if (r->expected != NULL)
        ck_assert_msg(strcmp(text_string(&seen.words), r->expected) == 0, "%s: %s", r->what,
                      text_string(&seen.words));
    else
        ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    error_clear(&err);
    text_clear(&seen.words);
}
END_TEST

START_TEST(a_callback_ends_it) {
    for (int at = 1; at <= 2; at++) {
        struct seen seen = {.fail_at = at};
        struct error err = {0};
        unit_fails(read_bytes(&seen, BYTES("\x0a\x00\x1a\x00\x0a\x00"), &err), &err, ERROR_LIMIT,
                   "enough");
        ck_assert_str_eq(text_string(&seen.words), at == 1 ? "V ;" : "V ;L0 ;");
        text_clear(&seen.words);
    }
}
END_TEST

UNIT_MAIN("build_trace", {
    tcase_add_test(cases, recorded);
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, a_callback_ends_it);
})
