#include "pipelines/stages/history.h"

#include "gate/base/clock.h"
#include "gate/set.h"
#include "tests/unit/unit.h"

#define HOUR    3600000LL
#define D(c)    "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define DA      D("aa")
#define DB      D("bb")
#define DC      D("cc")
#define DEF     "1111111111111111111111111111111111111111111111111111111111111111"

#define REDIS_A "docker.io/library/redis:7.2@" DA
#define REDIS_C "docker.io/library/redis:7.3@" DC
#define APP_B   "ghcr.io/acme/app:1@" DB
#define PROD_B  "registry.example.com/prod/app:1@" DB

static const char *const one[] = {REDIS_A, APP_B};    /* in staging and production */
static const char *const two[] = {REDIS_C, APP_B};    /* the next */
static const char *const three[] = {REDIS_C, PROD_B}; /* as production names it */

static char one_id[HASH_HEX_SIZE], two_id[HASH_HEX_SIZE], three_id[HASH_HEX_SIZE];

static void name_set(const char *const *lines, char id[HASH_HEX_SIZE]) {
    struct error err = {0};
    struct set set;
    unit_ok(set_of_lines(lines, 2, &set, &err), &err);
    snprintf(id, HASH_HEX_SIZE, "%s", set.id);
    set_clear(&set);
}

#define VALUES(list) .values = list, .value_count = 2
#define EVIDENCE(v, t, o)                                                                          \
    LEDGER_EVIDENCE, .test = t, .definition = DEF, .platform = "linux/amd64", .source = "run",     \
                     .outcome = OUTCOME_##o, .values = v, .value_count = sizeof(v) / sizeof *(v)

static const char *const redis_a[] = {REDIS_A};
static const char *const redis_c[] = {REDIS_C};
static const char *const app_b[] = {APP_B};
static const struct ledger_change to_c = {.image = "docker.io/library/redis",
                                          .old_tag = "7.2",
                                          .old_digest = DA,
                                          .tag = "7.3",
                                          .digest = DC};

/* Two days of a team; times in hours. */
static void load(struct ledger *ledger) {
    const struct ledger_entry drafts[] = {
        {EVIDENCE(redis_a, "smoke", PASSED), .time_ms = 1 * HOUR, .stage = "staging"},
        {EVIDENCE(one, "api", FLAKY), .time_ms = 2 * HOUR},
        {LEDGER_OBSERVED, .time_ms = 3 * HOUR, .stage = "production", .set = one_id, VALUES(one)},
        {LEDGER_OBSERVED, .time_ms = 4 * HOUR, .stage = "staging", .set = one_id, VALUES(one)},
        {EVIDENCE(redis_c, "smoke", FAILED), .time_ms = 5 * HOUR, .stage = "staging"},
        {EVIDENCE(redis_c, "smoke", PASSED), .time_ms = 6 * HOUR, .stage = "staging"},
        {LEDGER_PROMOTED, .time_ms = 7 * HOUR, .stage = "staging", .set = two_id, .before = one_id,
         VALUES(two), .changes = &to_c, .change_count = 1},
        {LEDGER_APPROVED, .time_ms = 8 * HOUR, .stage = "production", .set = two_id},
        {LEDGER_APPROVED, .time_ms = 8 * HOUR, .stage = "production", .digest = DC, .actor = "bob"},
        {LEDGER_APPROVED, .time_ms = 8 * HOUR, .stage = "production", .digest = DA, .actor = "eve"},
        {LEDGER_APPROVED, .time_ms = 8 * HOUR, .stage = "elsewhere", .digest = DC, .actor = "eve"},
        {LEDGER_APPROVED, .time_ms = 8 * HOUR, .stage = "production", .digest = DC, .actor = "eve",
         .until_ms = 9 * HOUR},
        {LEDGER_OBSERVED, .time_ms = 9 * HOUR, .stage = "staging", .set = two_id, VALUES(two)},
        {LEDGER_PROMOTED, .time_ms = 10 * HOUR, .stage = "production", .from = "staging",
         .set = three_id, .before = one_id, .snapshot = two_id, VALUES(three), .changes = &to_c,
         .change_count = 1},
        {LEDGER_APPROVED, .time_ms = 11 * HOUR, .stage = "production", .digest = DC,
         .actor = "eve"},
        {EVIDENCE(redis_c, "smoke", FAILED), .time_ms = 12 * HOUR},
        {EVIDENCE(redis_c, "smoke", PASSED), .time_ms = 12 * HOUR + 1},
        {LEDGER_ROLLED_BACK, .time_ms = 13 * HOUR, .stage = "production", .set = one_id,
         .before = three_id, VALUES(one), .changes = &to_c, .change_count = 1},
        {LEDGER_HELD, .time_ms = 13 * HOUR, .stage = "production", .reason = "rolled back"},
        {EVIDENCE(app_b, "smoke", FAILED), .time_ms = 14 * HOUR},
        {LEDGER_DENIED, .time_ms = 15 * HOUR, .image = "redis:7.3", .reason = "crashes"},
        {LEDGER_DENIED, .time_ms = 16 * HOUR, .image = "ghcr.io/acme/*", .reason = "freeze"},
        {LEDGER_DENIED, .time_ms = 17 * HOUR, .set = two_id, .stage = "staging", .reason = "no"},
        {LEDGER_UNKNOWN, .time_ms = 18 * HOUR, .unknown = "blessed"},
    };
    enum { COUNT = sizeof drafts / sizeof *drafts };
    struct ledger_entry signed_drafts[COUNT];
    struct error err = {0};
    struct ledger_file file;
    name_set(one, one_id);
    name_set(two, two_id);
    name_set(three, three_id);
    for (size_t i = 0; i < COUNT; i++) {
        signed_drafts[i] = drafts[i];
        if (drafts[i].actor == NULL)
            signed_drafts[i].actor = "ada";
    }
    *ledger = (struct ledger){0};
    unit_ok(ledger_format(signed_drafts, COUNT, 1, &file, &err), &err);
    unit_ok(ledger_parse(file.path, file.bytes.bytes, file.bytes.length, ledger, &err), &err);
    ledger_sort(ledger);
    ledger_file_clear(&file);
}

/* The times, in hours, newest first: "13 10 7 ". Two in one hour differ by milliseconds or ids, and are told twice. */
static const char *hours(const struct history_entries *entries) {
    static char words[512];
    size_t used = 0;
    words[0] = '\0';
    for (size_t i = 0; i < entries->count && used < sizeof words - 8; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%lld ",
                                 (long long)(entries->items[i]->time_ms / HOUR));
    return words;
}

START_TEST(selection) {
    static const unsigned int all = (1u << LEDGER_TYPE_COUNT) - 1;
    static const unsigned int decisions = 1u << LEDGER_APPROVED | 1u << LEDGER_DENIED;
    const struct {
        const char *stage, *image, *set;
        unsigned int types;
        int64_t first, last; /* hours */
        const char *hours;
    } rows[] = {
        {NULL, NULL, NULL, all & ~(1u << LEDGER_EVIDENCE), 0, 0,
         "18 17 16 15 13 13 11 10 9 8 8 8 8 8 7 4 3 "},
        {NULL, NULL, NULL, 1u << LEDGER_EVIDENCE, 0, 0, "14 12 12 6 5 2 1 "},
        {NULL, NULL, NULL, 0, 9, 12, "12 11 10 9 "},
        {NULL, NULL, NULL, 1u << LEDGER_UNKNOWN, 0, 0, "18 "},
        /* of a stage, and what holds for all */
        {"staging", NULL, NULL, all, 0, 0, "18 17 16 15 9 7 6 5 4 1 "},
        {"elsewhere", NULL, NULL, all, 0, 0, "18 16 15 8 "},
        /* of an image: what moved it, what it took part in, and what names it */
        {NULL, "redis", NULL, 1u << LEDGER_PROMOTED | 1u << LEDGER_ROLLED_BACK, 0, 0, "13 10 7 "},
        {NULL, "redis:7.2", NULL, 1u << LEDGER_PROMOTED, 0, 0, "10 7 "},
        {NULL, "redis:7.1", NULL, 1u << LEDGER_PROMOTED, 0, 0, ""},
        {NULL, "ghcr.io/acme/app", NULL, 1u << LEDGER_PROMOTED, 0, 0, ""},
        {NULL, "redis", NULL, 1u << LEDGER_EVIDENCE, 0, 0, "12 12 6 5 2 1 "},
        {NULL, "redis:7.3", NULL, 1u << LEDGER_EVIDENCE, 0, 0, "12 12 6 5 "},
        {NULL, "ghcr.io/acme/*", NULL, 1u << LEDGER_EVIDENCE, 0, 0, "14 2 "},
        {NULL, "redis", NULL, decisions, 0, 0, "17 16 15 11 8 8 8 8 8 "},
        {NULL, "redis:7.3", NULL, decisions, 0, 0, "17 16 15 11 8 8 8 8 "},
        {NULL, "redis:7.2", NULL, decisions, 0, 0, "16 8 "},
        {NULL, "ghcr.io/acme/app", NULL, decisions, 0, 0, "17 16 8 "},
        {NULL, "nginx", NULL, decisions, 0, 0, "16 "},
        {NULL, "nginx", NULL, 1u << LEDGER_HELD, 0, 0, "13 "},
        {NULL, "redis", NULL, 1u << LEDGER_OBSERVED, 0, 0, "9 4 3 "},
        {"production", "redis:7.2", NULL, 1u << LEDGER_OBSERVED, 0, 0, "3 "},
        /* of a set: what names it, and evidence that lies in it */
        {NULL, NULL, two_id, all, 0, 0, "17 14 12 12 11 10 9 8 8 8 8 7 6 5 "},
        {NULL, NULL, one_id, all, 0, 0, "14 13 10 8 7 4 3 2 1 "},
    };
    struct ledger ledger;
    load(&ledger);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct history_entries entries;
        struct string_list images = {0};
        if (rows[i].image != NULL)
            unit_ok(string_list_add(&images, rows[i].image, &err), &err);
        struct history_query query = {.stage = rows[i].stage,
                                      .images = &images,
                                      .set = rows[i].set,
                                      .types = rows[i].types,
                                      .first_ms = rows[i].first * HOUR,
                                      .last_ms = rows[i].last * HOUR};
        unit_ok(history_select(&ledger, &query, &entries, &err), &err);
        ck_assert_msg(strcmp(hours(&entries), rows[i].hours) == 0, "row %zu: %s", i,
                      hours(&entries));
        history_entries_clear(&entries);
        string_list_clear(&images);
    }
    ledger_clear(&ledger);
}
END_TEST

START_TEST(what_stood) {
    static const struct {
        const char *stage;
        int64_t first, last; /* hours */
        const char *stood;   /* set, since, until, how it came */
    } rows[] = {
        {"production", 0, 2, ""},
        {"production", 3, 3, "one 3-10 ?; "},
        {"production", 5, 5, "one 3-10 ?; "},
        {"production", 10, 10, "three 10-13 10; "},
        {"production", 11, 12, "three 10-13 10; "},
        {"production", 0, 24, "one 3-10 ?; three 10-13 10; one 13-0 13; "},
        {"production", 9, 11, "one 3-10 ?; three 10-13 10; "},
        {"production", 20, 44, "one 13-0 13; "},
        {"staging", 5, 5, "one 4-7 ?; "},
        {"staging", 8, 8, "two 7-0 7; "},
        {"staging", 20, 20, "two 7-0 7; "},
        {"elsewhere", 0, 24, ""},
    };
    struct ledger ledger;
    load(&ledger);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct history_stand_list stands;
        struct text words = {0};
        unit_ok(history_stood(&ledger, rows[i].stage, rows[i].first * HOUR, rows[i].last * HOUR,
                              &stands, &err),
                &err);
        for (size_t j = 0; j < stands.count; j++) {
            const struct history_stand *stand = &stands.items[j];
            ck_assert_str_eq(stand->stage, rows[i].stage);
            const char *set = strcmp(stand->first->set, one_id) == 0   ? "one"
                              : strcmp(stand->first->set, two_id) == 0 ? "two"
                                                                       : "three";
            text_printf(&words, "%s %lld-%lld ", set, (long long)(stand->since_ms / HOUR),
                        (long long)(stand->until_ms / HOUR));
            if (stand->carrier == NULL)
                text_add(&words, "?; ");
            else
                text_printf(&words, "%lld; ", (long long)(stand->carrier->time_ms / HOUR));
        }
        ck_assert_msg(strcmp(text_string(&words), rows[i].stood) == 0, "row %zu: %s", i,
                      text_string(&words));
        text_clear(&words);
        history_stand_list_clear(&stands);
    }
    ledger_clear(&ledger);
}
END_TEST

START_TEST(on_what_evidence) {
    static const struct {
        const char *stage;
        int64_t at, last;   /* hours */
        const char *proofs; /* value: hour, ! for one that came later */
        const char *approvals;
    } rows[] = {
        /* the newest of each test when it came in; and the one that covers both images for both */
        {"production", 5, 5, "0:2 0:1 1:2 ", ""},
        /* 7.3 passed in the end, after a failure; the app only ever with 7.2, which is not in the set */
        {"staging", 8, 8, "0:6 ", ""},
        /* by digest: production has another name for the app. The failure after it came in, though it passed once more */
        {"production", 12, 12, "0:12! 0:6 ", "8 8 "},
        {"production", 11, 11, "0:6 ", "8 8 "},
        {"production", 12, 13, "0:12! 0:6 ", "8 8 "},
        /* what failed later than asked for does not show */
        {"production", 20, 20, "0:2 0:1 1:14! 1:2 ", "8 "},
        {"production", 13, 13, "0:2 0:1 1:2 ", "8 "},
    };
    struct ledger ledger;
    load(&ledger);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct history_stand_list stands;
        struct history_proof_list proofs;
        struct history_entries approvals;
        struct text words = {0};
        unit_ok(history_stood(&ledger, rows[i].stage, rows[i].at * HOUR, rows[i].at * HOUR, &stands,
                              &err),
                &err);
        ck_assert_uint_eq(stands.count, 1);
        unit_ok(history_proofs(&ledger, &stands.items[0], rows[i].last * HOUR, &proofs, &err),
                &err);
        unit_ok(history_approvals(&ledger, &stands.items[0], &approvals, &err), &err);
        for (size_t j = 0; j < proofs.count; j++)
            text_printf(&words, "%zu:%lld%s ", proofs.items[j].value,
                        (long long)(proofs.items[j].entry->time_ms / HOUR),
                        !proofs.items[j].later                               ? ""
                        : outcome_is_failure(proofs.items[j].entry->outcome) ? "!"
                                                                             : "?");
        ck_assert_msg(strcmp(text_string(&words), rows[i].proofs) == 0, "row %zu: %s", i,
                      text_string(&words));
        ck_assert_msg(strcmp(hours(&approvals), rows[i].approvals) == 0, "row %zu: %s", i,
                      hours(&approvals));
        text_clear(&words);
        history_entries_clear(&approvals);
        history_proof_list_clear(&proofs);
        history_stand_list_clear(&stands);
    }
    ledger_clear(&ledger);
}
END_TEST

START_TEST(sets_by_their_first_digits) {
    struct ledger ledger;
    struct error err = {0};
    const char *id;
    char digits[HASH_HEX_SIZE];
    load(&ledger);
    snprintf(digits, sizeof digits, "%.12s", three_id);
    unit_ok(history_find_set(&ledger, digits, &id, &err), &err);
    ck_assert_str_eq(id, three_id);
    unit_ok(history_find_set(&ledger, two_id, &id, &err), &err);
    ck_assert_str_eq(id, two_id);
    unit_fails(history_find_set(&ledger, "", &id, &err), &err, ERROR_USAGE, "is no set");
    unit_fails(history_find_set(&ledger, "xyz", &id, &err), &err, ERROR_USAGE, "is no set");
    unit_fails(history_find_set(&ledger, "0000000000000000", &id, &err), &err, ERROR_USAGE,
               "names a set that begins with");
    /* ids that share their first digit: one of 16 ones must be shared by several of many */
    struct ledger_entry items[2] = {{LEDGER_APPROVED, .set = "12aa"},
                                    {LEDGER_DENIED, .set = "12bb"}};
    struct ledger twins = {.items = items, .count = 2};
    unit_fails(history_find_set(&twins, "12", &id, &err), &err, ERROR_USAGE,
               "two sets begin with 12");
    unit_ok(history_find_set(&twins, "12b", &id, &err), &err);
    ck_assert_str_eq(id, "12bb");
    const struct ledger_entry *entry = history_set_entry(&ledger, one_id);
    ck_assert(entry != NULL && entry->type == LEDGER_ROLLED_BACK);
    ck_assert_ptr_null(history_set_entry(&ledger, "12bb"));
    struct string_list stages;
    unit_ok(history_stages(&ledger, &stages, &err), &err);
    ck_assert(stages.count == 3 && strcmp(stages.items[0], "elsewhere") == 0 &&
              strcmp(stages.items[2], "staging") == 0);
    string_list_clear(&stages);
    ledger_clear(&ledger);
}
END_TEST

START_TEST(oddities) {
    struct error err = {0};
    struct ledger ledger;
    struct history_finding_list findings;
    load(&ledger);
    unit_ok(history_findings(&ledger, 100 * HOUR, &findings, &err), &err);
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_str_eq(history_oddity_name(findings.items[0].oddity), "unknown-type");
    history_finding_list_clear(&findings);
    /* the newest two are from later than a clock that says 16:30, but not much later than 17:58 */
    unit_ok(history_findings(&ledger, 16 * HOUR + HOUR / 2, &findings, &err), &err);
    ck_assert_uint_eq(findings.count, 3);
    ck_assert_int_eq(findings.items[0].oddity, HISTORY_FUTURE);
    ck_assert_int_eq(findings.items[0].entry->type, LEDGER_DENIED);
    history_finding_list_clear(&findings);
    unit_ok(history_findings(&ledger, 18 * HOUR - HISTORY_FUTURE_MS, &findings, &err), &err);
    ck_assert_uint_eq(findings.count, 1);
    history_finding_list_clear(&findings);
    for (size_t i = 0; i < ledger.count; i++) {
        struct ledger_entry *entry = &ledger.items[i];
        if (entry->type == LEDGER_UNKNOWN)
            entry->critical = true;
        if (entry->type == LEDGER_DENIED && entry->set != NULL)
            entry->set = DEF;
        if (entry->type == LEDGER_OBSERVED && entry->time_ms == 3 * HOUR)
            entry->set = DEF;
    }
    unit_ok(history_findings(&ledger, 100 * HOUR, &findings, &err), &err);
    /* the observation makes the denial's set known */
    ck_assert_uint_eq(findings.count, 2);
    ck_assert_int_eq(findings.items[0].oddity, HISTORY_OTHER_SET);
    ck_assert_int_eq(findings.items[1].oddity, HISTORY_CRITICAL);
    history_finding_list_clear(&findings);
    for (size_t i = 0; i < ledger.count; i++)
        if (ledger.items[i].type == LEDGER_DENIED && ledger.items[i].set != NULL)
            ledger.items[i].set = "2222";
    unit_ok(history_findings(&ledger, 100 * HOUR, &findings, &err), &err);
    ck_assert_uint_eq(findings.count, 3);
    ck_assert_int_eq(findings.items[1].oddity, HISTORY_UNKNOWN_SET);
    history_finding_list_clear(&findings);
    ledger_clear(&ledger);
}
END_TEST

UNIT_MAIN("history", {
    tcase_add_test(cases, selection);
    tcase_add_test(cases, what_stood);
    tcase_add_test(cases, on_what_evidence);
    tcase_add_test(cases, sets_by_their_first_digits);
    tcase_add_test(cases, oddities);
})
