#include "runners/engine/progress.h"

#include "tests/unit/unit.h"

static const struct row {
    const char *what, *bytes;
    int64_t done, total; /* as told last; -1: never told */
    const char *failure; /* NULL: none */
} rows[] = {
    {"nothing", "", -1, -1, NULL},
    {"text", "pulling…\nmore\n", -1, -1, NULL},
    {"one layer",
     "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":5,\"total\":9}}\n",
     5, 9, NULL},
    {"two layers, one of them twice",
     "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":5,\"total\":9}}\n"
     "{\"status\":\"Downloading\",\"id\":\"b\",\"progressDetail\":{\"current\":1,\"total\":100}}\n"
     "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":9,\"total\":9}}\n",
     10, 109, NULL},
    {"the last line has no end",
     "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":5,\"total\":9}}", 5,
     9, NULL},
    {"CRLF and empty lines",
     "\r\n\n{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":5,\"total\":9}"
     "}\r\n\r\n",
     5, 9, NULL},
    {"other states do not count",
     "{\"status\":\"Extracting\",\"id\":\"a\",\"progressDetail\":{\"current\":5}}\n", -1, -1, NULL},
    {"lacking and odd members",
     "{\"status\":\"Downloading\"}\n{\"status\":\"Downloading\",\"id\":\"a\"}\n"
     "{\"status\":\"Downloading\",\"id\":7}\n[]\n7\nnull\n"
     "{\"status\":\"Downloading\",\"id\":\"b\",\"progressDetail\":{\"current\":\"x\",\"total\":-4}}"
     "\n",
     0, 0, NULL},
    {"numbers that would overflow",
     "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":9223372036854775807,"
     "\"total\":9223372036854775807}}\n"
     "{\"status\":\"Downloading\",\"id\":\"b\",\"progressDetail\":{\"current\":9223372036854775807,"
     "\"total\":9223372036854775807}}\n",
     (int64_t)1 << 51, (int64_t)1 << 51, NULL},
    {"errorDetail", "{\"errorDetail\":{\"message\":\"unknown blob\"},\"error\":\"old words\"}\n",
     -1, -1, "unknown blob"},
    {"error alone, as older engines", "{\"error\":\"no space left\"}\n", -1, -1, "no space left"},
    {"errorDetail alone, as newer ones", "{\"errorDetail\":{\"code\":3,\"message\":\"denied\"}}",
     -1, -1, "denied"},
    {"an error with a NUL in it", "{\"errorDetail\":{\"message\":\"bad: \\u0000\\u0000x\"}}\n", -1,
     -1, "bad: "},
    {"an error without words", "{\"errorDetail\":{}}\n", -1, -1, "did not say why"},
    {"an error that is no text", "{\"error\":{\"x\":1}}\n", -1, -1, "did not say why"},
    {"an empty error", "{\"error\":\"\"}\n", -1, -1, "did not say why"},
    {"no error", "{\"error\":null,\"errorDetail\":null}\n", -1, -1, NULL},
    {"the first error counts, and good lines after it change nothing",
     "{\"error\":\"first\"}\n{\"error\":\"second\"}\n{\"status\":\"Download "
     "complete\",\"id\":\"a\"}\n",
     -1, -1, "first"},
    {"an error in the middle of a line of text is none", "so {\"error\":\"x\"}\n", -1, -1, NULL},
    {"two objects on a line: what is not JSON is passed over",
     "{\"error\":\"x\"}{\"error\":\"y\"}\n", -1, -1, NULL},
};

static int64_t told[2];

static void on_bytes(void *context, int64_t done, int64_t total) {
    (void)context;
    told[0] = done;
    told[1] = total;
}

static void check_split(const struct row *row, size_t step) {
    struct error err = {0};
    struct progress progress = {.on_bytes = on_bytes};
    size_t length = strlen(row->bytes);
    told[0] = told[1] = -1;
    for (size_t at = 0; at < length; at += step)
        unit_ok(progress_feed(&progress, row->bytes + at, step < length - at ? step : length - at,
                              &err),
                &err);
    if (row->failure != NULL)
        unit_fails(progress_end(&progress, &err), &err, ERROR_ENGINE, row->failure);
    else
        unit_ok(progress_end(&progress, &err), &err);
    ck_assert_msg(told[0] == row->done && told[1] == row->total, "%s (%zu): %lld of %lld",
                  row->what, step, (long long)told[0], (long long)told[1]);
    progress_clear(&progress);
}

START_TEST(every_split_gives_the_same) {
    for (size_t step = 1; step <= strlen(rows[_i].bytes) + 1; step++)
        check_split(&rows[_i], step);
}
END_TEST

START_TEST(an_endless_line_is_refused) {
    struct error err = {0};
    struct progress progress = {.on_bytes = on_bytes};
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    int result = 0;
    size_t fed = 0;
    while (result == 0 && fed < 8u * PROGRESS_LINE_LIMIT) {
        result = progress_feed(&progress, piece, sizeof piece, &err);
        fed += sizeof piece;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(err.kind, ERROR_LIMIT);
    ck_assert_uint_le(fed, PROGRESS_LINE_LIMIT + sizeof piece);
    error_clear(&err);
    progress_clear(&progress);
}
END_TEST

START_TEST(a_flood_of_layers_is_bounded) {
    struct error err = {0};
    struct progress progress = {.on_bytes = on_bytes};
    char line[128];
    for (int i = 0; i < 10000; i++) {
        int length =
            snprintf(line, sizeof line,
                     "{\"status\":\"Downloading\",\"id\":\"%d\",\"progressDetail\":{\"current\":1,"
                     "\"total\":1}}\n",
                     i);
        unit_ok(progress_feed(&progress, line, (size_t)length, &err), &err);
    }
    ck_assert_uint_eq(progress.layers.count, PROGRESS_LAYERS);
    unit_ok(progress_end(&progress, &err), &err);
    progress_clear(&progress);
}
END_TEST

UNIT_MAIN("progress", {
    tcase_add_loop_test(cases, every_split_gives_the_same, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, an_endless_line_is_refused);
    tcase_add_test(cases, a_flood_of_layers_is_bounded);
})
