#include "gate/base/json_read.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

static long countdown; /* the malloc that fails; 0: none */
static bool all_after; /* and every later one */
static long refused;   /* how many did */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size); /* linked with --wrap=malloc */
void *__wrap_malloc(size_t size) {
    if (countdown > 0 && --countdown == 0) {
        countdown = all_after ? 1 : 0;
        refused++;
        return NULL;
    }
    return __real_malloc(size);
}

/* What lets each buffer of the reader grow: long words, long numbers, wide and deep collections, escapes, pieces. */
static void large_document(struct text *out) {
    text_add(out, "{\"word\":\"");
    for (int i = 0; i < 3000; i++)
        text_printf(out, "%s", i % 7 == 0 ? "\\u00e9" : "x");
    text_add(out, "\",\"empty\":[");
    for (int i = 0; i < 500; i++)
        text_add(out, "{},[],");
    text_add(
        out,
        "null],\"number\":12345678901234567,\"real\":0.12345678901234567890123456789,\"object\":{");
    for (int i = 0; i < 300; i++)
        text_printf(out, "%s\"key %d\":%d", i > 0 ? "," : "", i, i);
    text_add(out, "},\"deep\":");
    for (int i = 0; i < 200; i++)
        text_add(out, "[");
    for (int i = 0; i < 200; i++)
        text_add(out, "]");
    text_add(out, "}");
}

START_TEST(reads_as_jansson_does) {
    static const char *const rows[] = {"{}",
                                       "[1,2,{\"a\":null}]",
                                       "[\"\\u00e9\"]",
                                       "",
                                       "x",
                                       "{",
                                       "[1] x",
                                       "{\"a\":1,\"a\":2}",
                                       "[\"\xff\"]",
                                       "[\"\\u0000\"]"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t flags = 0; flags <= JSON_REJECT_DUPLICATES; flags += JSON_REJECT_DUPLICATES) {
            _cleanup_(error_clear) struct error err = {0};
            json_error_t where, expected_where;
            json_auto_t *expected = json_loadb(rows[i], strlen(rows[i]), flags, &expected_where);
            json_auto_t *read = NULL;
            unit_ok(json_read(rows[i], strlen(rows[i]), flags, &read, &where, &err), &err);
            ck_assert_msg((read == NULL) == (expected == NULL), "%s", rows[i]);
            ck_assert_msg(read == NULL || json_equal(read, expected), "%s", rows[i]);
            if (read == NULL)
                ck_assert_str_eq(where.text, expected_where.text);
        }
}
END_TEST

/* Each allocation fails once, or it and all later ones. Gives how many there are. */
static long refuse_each(const char *bytes, size_t length, bool all) {
    json_auto_t *whole = json_loadb(bytes, length, 0, NULL);
    ck_assert_ptr_nonnull(whole);
    all_after = all;
    for (long failing = 1;; failing++) {
        _cleanup_(error_clear) struct error err = {0};
        json_auto_t *read = NULL;
        refused = 0;
        countdown = failing;
        int result = json_read(bytes, length, 0, &read, NULL, &err);
        countdown = 0;
        if (refused == 0) {
            unit_ok(result, &err);
            ck_assert(json_equal(read, whole));
            return failing - 1;
        }
        ck_assert_msg(result < 0, "allocation %ld was refused, and nobody minded", failing);
        ck_assert_msg(err.kind == ERROR_NO_MEMORY, "%ld: %s", failing, error_message(&err));
        ck_assert_ptr_null(read);
    }
}

START_TEST(memory_ends_in_a_large_document) {
    _cleanup_(text_clear) struct text document = {0};
    large_document(&document);
    ck_assert_int_gt(refuse_each(document.bytes, document.length, false), 2000);
    ck_assert_int_gt(refuse_each(document.bytes, document.length, true), 2000);
}
END_TEST

/* Of each length, since it is the byte at which the buffer must grow that jansson loses: here also the closing quote. */
START_TEST(memory_ends_in_a_word) {
    for (int length = 0; length < 300; length++) {
        char document[320];
        snprintf(document, sizeof document, "[\"%.*s\"]", length,
                 "012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                 "1234567890123456789"
                 "012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                 "1234567890123456789"
                 "012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                 "1234567890123456789");
        refuse_each(document, strlen(document), false);
        refuse_each(document, strlen(document), true);
    }
}
END_TEST

UNIT_MAIN("json_read", {
    tcase_add_test(cases, reads_as_jansson_does);
    tcase_add_test(cases, memory_ends_in_a_large_document);
    tcase_add_test(cases, memory_ends_in_a_word);
})
