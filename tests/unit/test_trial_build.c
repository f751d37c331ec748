#include "runners/trial_build.h"

#include "tests/unit/unit.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The name of a base for an engine that would ask a registry: A becomes tag "t". */
static const struct {
    const char *side, *expected;
} rows[] = {
    {"", ""},
    {"FROM x:1@" B "\n", "FROM x:1@" B "\n"},
    {"FROM x:1@" A "\n", "FROM x:t@" A "\n"},
    {"FROM x@" A, "FROM x:t@" A},
    {"FROM r.example.com:5000/a/x@" A " AS y", "FROM r.example.com:5000/a/x:t@" A " AS y"},
    {"FROM r.example.com:5000/x:1.2-a_b@" A, "FROM r.example.com:5000/x:t@" A},
    {"ARG B=x:1@" A "\nFROM $B", "ARG B=x:t@" A "\nFROM $B"},
    {"COPY --from=x:1@" A " /a /b\nFROM y@" B "\nFROM x@" A "\n",
     "COPY --from=x:t@" A " /a /b\nFROM y@" B "\nFROM x:t@" A "\n"},
    {"RUN --mount=type=bind,from=x@" A ",target=/t x",
     "RUN --mount=type=bind,from=x:t@" A ",target=/t x"},
    {"FROM \"x:1@" A "\"", "FROM \"x:t@" A "\""},
    {"ARG DIGEST=" A "\nFROM x@${DIGEST}",
     "ARG DIGEST=" A "\nFROM x@${DIGEST}"}, /* stays as it is */
};

START_TEST(row) {
    struct text side = {0};
    struct text out = {0};
    struct error err = {0};
    text_add(&side, rows[_i].side);
    unit_ok(side_dockerfile_tag(&side, A, "t", &out, &err), &err);
    ck_assert_str_eq(text_string(&out), rows[_i].expected);
    text_clear(&side);
    text_clear(&out);
}
END_TEST

UNIT_MAIN("trial_build", { tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows); })
