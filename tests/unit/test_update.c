#include "gate/update.h"

#include "gate/pins/scan.h"
#include "tests/unit/unit.h"

#define D(digit) "@sha256:" R16(digit) R16(digit) R16(digit) R16(digit)
#define R16(digit)                                                                                 \
    digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit

START_TEST(equal_values_are_one) {
    static const char file[] = "image: redis:7" D(
        "1") "\n" /* 0 */
             "image: nginx" D(
                 "2") "\n" /* 1 */
                      "image: docker.io/library/redis:7" D(
                          "1") "\n" /* 2: the same */
                               "image: redis:6" D(
                                   "1") "\n" /* 3: another tag */
                                        "image: redis:7" D(
                                            "3") "\n" /* 4: another digest */
                                                 "image: redis" D(
                                                     "1") "\n" /* 5: no tag */
                                                          "image: ghcr.io/a/redis:7" D(
                                                              "1") "\n" /* 6: another image */;
    static const struct {
        const char *words, *pins;
    } expected[] = {{"nginx", "1"},    {"redis", "5"},   {"redis:6", "3"},
                    {"redis:7", "02"}, {"redis:7", "4"}, {"ghcr.io/a/redis:7", "6"}};
    struct error err = {0};
    struct scan scan = {0};
    struct update_list updates = {0};
    unit_ok(scan_bytes("a.yaml", file, sizeof file - 1, &scan, &err), &err);
    unit_ok(updates_collect(&scan.pins, NULL, &updates, &err), &err);
    ck_assert_uint_eq(updates.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < updates.count; i++) {
        char *words = update_words(&updates.items[i], &err);
        ck_assert_str_eq(words, expected[i].words);
        ck_assert_uint_eq(updates.items[i].pin_count, strlen(expected[i].pins));
        for (size_t p = 0; p < updates.items[i].pin_count; p++)
            ck_assert_uint_eq(updates.items[i].pins[p], (size_t)(expected[i].pins[p] - '0'));
        ck_assert(!updates.items[i].decided);
        free(words);
    }
    update_list_clear(&updates);
    scan_clear(&scan);
}
END_TEST

START_TEST(nothing) {
    struct error err = {0};
    struct pin_list pins = {0};
    struct update_list updates = {0};
    unit_ok(updates_collect(&pins, NULL, &updates, &err), &err);
    ck_assert_uint_eq(updates.count, 0);
    update_list_clear(&updates);
}
END_TEST

START_TEST(last_decision_holds) {
    struct error err = {0};
    struct update update = {0};
    unit_ok(update_decide(&update, &err, VERDICT_PROMOTE, CODE_NONE, "all %d passed", 3), &err);
    ck_assert(update.decided);
    ck_assert_str_eq(update.reason, "all 3 passed");
    unit_ok(
        update_decide(&update, &err, VERDICT_HOLD, CODE_GATE_CLOSED, "because: %s", update.reason),
        &err);
    ck_assert_int_eq(update.verdict, VERDICT_HOLD);
    ck_assert_int_eq(update.code, CODE_GATE_CLOSED);
    ck_assert_str_eq(update.reason, "because: all 3 passed");
    free(update.reason);
}
END_TEST

UNIT_MAIN("update", {
    tcase_add_test(cases, equal_values_are_one);
    tcase_add_test(cases, nothing);
    tcase_add_test(cases, last_decision_holds);
})
