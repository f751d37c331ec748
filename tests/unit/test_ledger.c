#include "pipelines/stages/ledger.h"

#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

#define HASH_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_A "sha256:" HASH_A
#define DIGEST_B "sha256:" HASH_B
#define REDIS_A  "docker.io/library/redis:7.2@" DIGEST_A
#define APP_B    "ghcr.io/acme/app@" DIGEST_B
#define NOON     1764158400123LL /* 2025-11-26T12:00:00.123Z */

static const char *const values[] = {REDIS_A, APP_B};
static const struct ledger_change changes[] = {
    {.image = "docker.io/library/redis",
     .old_tag = "7.1",
     .old_digest = DIGEST_B,
     .tag = "7.2",
     .digest = DIGEST_A},
    {.image = "ghcr.io/acme/app", .digest = DIGEST_B},
};

#define VALUES  .values = values, .value_count = 2
#define CHANGES .changes = changes, .change_count = 2

/* One of each type, with all that it may have, and with as little as it may have. */
static const struct ledger_entry drafts[] = {
    {LEDGER_EVIDENCE, .actor = "ada", .ci = "https://ci.example.com/1", .test = "smoke",
     .definition = HASH_A, VALUES, .platform = "linux/amd64", .workspace = HASH_B,
     .outcome = OUTCOME_TIMED_OUT, .source = "run", .stage = "staging"},
    {LEDGER_EVIDENCE, .actor = "ada", .test = "smoke", .definition = HASH_A, VALUES,
     .platform = "linux/amd64", .outcome = OUTCOME_PASSED, .source = "record"},
    {LEDGER_OBSERVED, .actor = "ada", .stage = "staging", .set = HASH_A, VALUES, .branch = "main",
     .commit = "0b6ae7c"},
    {LEDGER_OBSERVED, .actor = "ada", .stage = "staging", .set = HASH_A},
    {LEDGER_PROMOTED, .actor = "ada", .stage = "production", .from = "staging", .set = HASH_A,
     .before = HASH_B, VALUES, CHANGES, .forced = true, .overridden = "soaking no-evidence",
     .reason = "CVE"},
    {LEDGER_PROMOTED, .actor = "ada", .stage = "production", .set = HASH_A, .before = HASH_B},
    {LEDGER_ROLLED_BACK, .actor = "ada", .stage = "production", .set = HASH_A, .before = HASH_B,
     VALUES, CHANGES, .reason = "it burns"},
    {LEDGER_APPROVED, .actor = "ada", .stage = "production", .set = HASH_A, .instead_of_soak = true,
     .until_ms = NOON + 1, .reason = "\"quoted\" \\ \n\x01\x7f ä"},
    {LEDGER_APPROVED, .actor = "ada", .stage = "production", .digest = DIGEST_A},
    {LEDGER_DENIED, .actor = "ada", .image = "redis:7.*", .stage = "production",
     .until_ms = NOON + 1, .reason = "broken"},
    {LEDGER_DENIED, .actor = "ada", .digest = DIGEST_A, .reason = "broken"},
    {LEDGER_DENIED, .actor = "ada", .set = HASH_A, .reason = "broken"},
    {LEDGER_HELD, .actor = "ada", .stage = "production", .image = "redis", .until_ms = NOON + 1,
     .reason = "freeze"},
    {LEDGER_RELEASED, .actor = "ada", .stage = "production", .image = "redis", .set = HASH_A,
     .digest = DIGEST_A, .reason = "thawed"},
    {LEDGER_RELEASED, .actor = "ada"},
    {LEDGER_UNKNOWN, .actor = "ada", .unknown = "blessed", .critical = true},
};

#define DRAFT_COUNT (sizeof drafts / sizeof *drafts)

static void check_same(const struct ledger_entry *a, const struct ledger_entry *b, size_t row) {
    const char *const pairs[][2] = {
        {a->actor, b->actor},       {a->ci, b->ci},
        {a->unknown, b->unknown},   {a->stage, b->stage},
        {a->from, b->from},         {a->set, b->set},
        {a->before, b->before},     {a->image, b->image},
        {a->digest, b->digest},     {a->reason, b->reason},
        {a->branch, b->branch},     {a->commit, b->commit},
        {a->test, b->test},         {a->definition, b->definition},
        {a->platform, b->platform}, {a->workspace, b->workspace},
        {a->source, b->source},     {a->overridden, b->overridden},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ck_assert_msg(string_equal(pairs[i][0], pairs[i][1]), "row %zu, string %zu: %s, %s", row, i,
                      pairs[i][0], pairs[i][1]);
    ck_assert_msg(a->type == b->type && a->outcome == b->outcome && a->until_ms == b->until_ms &&
                      a->critical == b->critical && a->forced == b->forced &&
                      a->instead_of_soak == b->instead_of_soak &&
                      a->value_count == b->value_count && a->change_count == b->change_count,
                  "row %zu: differs", row);
    for (size_t i = 0; i < a->value_count; i++)
        ck_assert_str_eq(a->values[i], b->values[i]);
    for (size_t i = 0; i < a->change_count; i++) {
        const struct ledger_change *x = &a->changes[i], *y = &b->changes[i];
        ck_assert(string_equal(x->image, y->image) && string_equal(x->tag, y->tag) &&
                  string_equal(x->digest, y->digest) && string_equal(x->old_tag, y->old_tag) &&
                  string_equal(x->old_digest, y->old_digest));
    }
}

START_TEST(what_is_written_is_read) {
    for (size_t i = 0; i < DRAFT_COUNT; i++) {
        struct error err = {0};
        struct ledger_file file;
        struct ledger ledger = {0};
        unit_ok(ledger_format(&drafts[i], 1, NOON, &file, &err), &err);
        unit_ok(ledger_parse(file.path, file.bytes.bytes, file.bytes.length, &ledger, &err), &err);
        ck_assert_uint_eq(ledger.count, 1);
        const struct ledger_entry *entry = &ledger.items[0];
        check_same(&drafts[i], entry, i);
        ck_assert_int_eq(entry->time_ms, NOON);
        ck_assert_str_eq(entry->file, file.path);
        ck_assert_uint_eq(entry->line, 1);
        ck_assert_ptr_nonnull(strstr(file.bytes.bytes, entry->id));
        ledger_clear(&ledger);
        ledger_file_clear(&file);
    }
}
END_TEST

UNIT_MAIN("ledger", { tcase_add_test(cases, what_is_written_is_read); })
