#include "gate/base/redact.h"

#include "tests/unit/unit.h"

#define PLAIN  "hunter2-Zq"
#define QUOTED "a\"b'c\\d&e<f>g h/i$j"
#define LINES  "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\n-----END KEY-----\n"
#define WIDE   "p\xc3\xa4ss\xf0\x9f\x94\x91"

/* What other programs made of it, and what is left. */
static const struct row {
    const char *what, *secret, *text, *expected;
} rows[] = {
    {"as it is", PLAIN, "a " PLAIN " b", "a *** b"},
    {"at both ends", PLAIN, PLAIN " and " PLAIN, "*** and ***"},
    {"one behind the other", PLAIN, PLAIN PLAIN, "***"},
    {"a beginning only", PLAIN, "hunter2-Z hunter2", "hunter2-Z hunter2"},
    {"a beginning, and then all", PLAIN, "hunthunter2-Zq", "hunt***"},
    {"a broken line", PLAIN, "x hunter\r\n2-Zq y", "x *** y"},
    {"two line ends are none", PLAIN, "x hunter\n\n\n2-Zq y", "x hunter\n\n\n2-Zq y"},
    {"base64", PLAIN, "auth: aHVudGVyMi1acQ==.", "auth: ***."},
    {"base64 without padding", PLAIN, "auth: aHVudGVyMi1acQ.", "auth: ***."},
    /* "u:hunter2-Zq", "us:hunter2-Zq", "use:hunter2-Zq"; what is shared with the neighbour stays */
    {"base64 behind two bytes", PLAIN, "dTpodW50ZXIyLVpx", "dTp***"},
    {"base64 behind three bytes", PLAIN, "dXM6aHVudGVyMi1acQ==", "dXM6***"},
    {"base64 behind four bytes", PLAIN, "dXNlOmh1bnRlcjItWnE=", "dXNlOm***"},
    {"base64 in lines", LINES,
     "LS0tLS1CRUdJTiBLRVktLS0tLQpNSUlFb3dJ\nQkFBS0NBUUVBCi0tLS0tRU5EIEtFWS0tLS0tCg==", "***Cg=="},
    {"hex", PLAIN, "68756e746572322d5a71 68756E746572322D5A71", "*** ***"},
    {"percent-encoded", QUOTED, "q=a%22b%27c%5Cd%26e%3Cf%3Eg%20h%2Fi%24j&", "q=***&"},
    {"percent-encoded in small letters", QUOTED, "a%22b%27c%5cd%26e%3cf%3eg%20h%2fi%24j", "***"},
    {"of encodeURIComponent", QUOTED, "a%22b'c%5Cd%26e%3Cf%3Eg%20h%2Fi%24j", "***"},
    {"of a form", QUOTED, "a%22b%27c%5Cd%26e%3Cf%3Eg+h%2Fi%24j", "***"},
    {"JSON", QUOTED, "{\"k\":\"a\\\"b'c\\\\d&e<f>g h/i$j\"}", "{\"k\":\"***\"}"},
    {"JSON with slashes", QUOTED, "a\\\"b'c\\\\d&e<f>g h\\/i$j", "***"},
    {"JSON of Go", QUOTED, "a\\\"b'c\\\\d\\u0026e\\u003cf\\u003eg h/i$j", "***"},
    {"JSON of lines", LINES, "-----BEGIN KEY-----\\nMIIEowIBAAKCAQEA\\n-----END KEY-----\\n",
     "***\\n"},
    {"JSON of Python", WIDE, "\"p\\u00e4ss\\ud83d\\udd11\"", "\"***\""},
    {"XML", QUOTED, "<a>a\"b'c\\d&amp;e&lt;f&gt;g h/i$j</a>", "<a>***</a>"},
    {"XML of Python", QUOTED, "a&quot;b&#x27;c\\d&amp;e&lt;f&gt;g h/i$j", "***"},
    {"XML of Go", QUOTED, "a&#34;b&#39;c\\d&amp;e&lt;f&gt;g h/i$j", "***"},
    {"within single quotes", QUOTED, "+ x 'a\"b'\\''c\\d&e<f>g h/i$j'", "+ x '***'"},
    {"within double quotes", QUOTED, "\"a\\\"b'c\\\\d&e<f>g h/i\\$j\"", "\"***\""},
    {"of printf %q", QUOTED, "a\\\"b\\'c\\\\d\\&e\\<f\\>g\\ h/i\\$j", "***"},
    {"all lines", LINES, "key:\n" LINES "end", "key:\n***\nend"},
    {"one of its lines", LINES, "got MIIEowIBAAKCAQEA of it", "got *** of it"},
    {"nothing to hide", "", "anything", "anything"},
};

static struct redact *redact_of(const char *secret) {
    struct error err = {0};
    struct redact *redact;
    ck_assert_int_eq(redact_new(&redact, &err), 0);
    ck_assert_int_eq(redact_add(redact, secret, strlen(secret), &err), 0);
    ck_assert_int_eq(redact_seal(redact, &err), 0);
    return redact;
}

START_TEST(forms) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct redact *redact = redact_of(row->secret);
    for (size_t size = 1; size <= strlen(row->text); size++) {
        struct redact_stream stream;
        struct text out = {0};
        ck_assert_int_eq(redact_begin(&stream, redact, &err), 0);
        for (int turn = 0; turn < 2; turn++) { /* a stream that is begun anew is as good */
            text_truncate(&out, 0);
            redact_again(&stream);
            for (size_t at = 0; at < strlen(row->text); at += size) {
                size_t left = strlen(row->text) - at;
                redact_feed(&stream, row->text + at, left < size ? left : size, &out);
            }
            if (turn == 1)
                redact_end(&stream, &out);
        }
        ck_assert_msg(strcmp(text_string(&out), row->expected) == 0,
                      "%s, in pieces of %zu:\n%s\n%s", row->what, size, text_string(&out),
                      row->expected);
        text_clear(&out);
        redact_stream_clear(&stream);
    }
    redact_freep(&redact);
}
END_TEST

START_TEST(many_secrets) {
    struct error err = {0};
    struct redact *redact;
    ck_assert_int_eq(redact_new(&redact, &err), 0);
    static const char *const secrets[] = {"abcd", "cdef", "efgh", "bcdefghi"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(redact_add(redact, secrets[i], strlen(secrets[i]), &err), 0);
    ck_assert_int_eq(redact_seal(redact, &err), 0);
    static const char *const texts[][2] = {
        {"x abcd y", "x *** y"},
        {"xabcdefghx", "x***x"},
        {"bcdefghi", "***"},
        {"bcdefgh", "b***"},
        {"abcabcd", "abc***"},
        {"abcdcdef.efg", "***.efg"},
        {"ab\ncd e\r\nf\ngh", "*** ***"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *string = strdup(texts[i][0]);
        ck_assert_int_eq(redact_string(redact, &string, &err), 0);
        ck_assert_str_eq(string, texts[i][1]);
        free(string);
    }
    redact_freep(&redact);
}
END_TEST

/* What may begin a secret is held back, and no more than the longest form. */
START_TEST(memory) {
    struct error err = {0};
    struct redact *redact = redact_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    struct redact_stream stream;
    ck_assert_int_eq(redact_begin(&stream, redact, &err), 0);
    struct text out = {0};
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    size_t shown = 0;
    for (int i = 0; i < 1000; i++) {
        redact_feed(&stream, piece, sizeof piece, &out);
        shown += out.length;
        text_truncate(&out, 0);
        ck_assert_uint_le(stream.held.capacity, 4096);
        ck_assert_uint_ge(shown, (size_t)i * 1000);
    }
    redact_feed(&stream, "b.", 2, &out);
    redact_end(&stream, &out);
    ck_assert_int_eq(text_check(&out, &err), 0);
    ck_assert_str_eq(out.bytes + out.length - 4, "***.");
    ck_assert_uint_eq(shown + out.length, 1000 * 1000 - 40 + 4);
    text_clear(&out);
    redact_stream_clear(&stream);
    redact_freep(&redact);
}
END_TEST

START_TEST(too_much) {
    struct error err = {0};
    struct redact *redact;
    ck_assert_int_eq(redact_new(&redact, &err), 0);
    char *secret = malloc(1 << 20);
    unsigned int next = 1;
    for (size_t i = 0; i < 1 << 20; i++)
        secret[i] = (char)((next = next * 1103515245 + 12345) >> 16);
    ck_assert_int_eq(redact_add(redact, secret, 1 << 20, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_LIMIT);
    error_clear(&err);
    free(secret);
    redact_freep(&redact);
}
END_TEST

UNIT_MAIN("redact", {
    tcase_add_loop_test(cases, forms, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, many_secrets);
    tcase_add_test(cases, memory);
    tcase_add_test(cases, too_much);
})
