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
     .before = HASH_B, VALUES, CHANGES, .forced = true, .snapshot = HASH_B,
     .overridden = "soaking no-evidence", .reason = "CVE"},
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
        {a->actor, b->actor},
        {a->ci, b->ci},
        {a->unknown, b->unknown},
        {a->stage, b->stage},
        {a->from, b->from},
        {a->set, b->set},
        {a->before, b->before},
        {a->image, b->image},
        {a->digest, b->digest},
        {a->reason, b->reason},
        {a->branch, b->branch},
        {a->commit, b->commit},
        {a->test, b->test},
        {a->definition, b->definition},
        {a->platform, b->platform},
        {a->workspace, b->workspace},
        {a->source, b->source},
        {a->snapshot, b->snapshot},
        {a->overridden, b->overridden},
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

#define ACTOR               "{\"actor\":\"ada\","
#define BEHIND              "\"id\":\"@\",\"time\":\"2026-11-25T10:53:00.123Z\",\"tool\":\"x\","
#define DENIED              "\"type\":\"denied\",\"v\":1}"
#define UNKNOWN             "\"type\":\"blessed\",\"v\":1}"
#define OF_BODY(body, type) ACTOR "\"body\":{" body "}," BEHIND "\"type\":\"" type "\",\"v\":1}"

/* The line with the right id for "@". */
static void complete(const char *template, struct text *out) {
    static const char member[] = "\"id\":\"@\",";
    const char *at = strstr(template, member);
    char id[HASH_HEX_SIZE];
    struct error err = {0};
    struct text bare = {0};
    if (at == NULL) {
        text_add(out, template);
        text_add_char(out, '\n');
        return;
    }
    text_append(&bare, template, (size_t)(at - template));
    text_add(&bare, at + strlen(member));
    unit_ok(hash_hex(bare.bytes, bare.length, id, &err), &err);
    text_append(out, template, (size_t)(at - template));
    text_printf(out, "\"id\":\"%s\",%s\n", id, at + strlen(member));
    text_clear(&bare);
}

START_TEST(lines_that_are_read) {
    static const struct {
        const char *line;
        enum ledger_type type;
        bool critical;
        const char *unknown;
    } rows[] = {
        {OF_BODY("\"image\":\"redis\",\"reason\":\"x\"", "denied"), LEDGER_DENIED, false, NULL},
        /* unknown fields, of any kind and anywhere, change nothing */
        {OF_BODY("\"image\":\"redis\",\"mood\":[1,{\"a\":null}],\"reason\":\"x\"", "denied"),
         LEDGER_DENIED, false, NULL},
        {"{\"Zeal\":-7,\"actor\":\"ada\",\"body\":{\"image\":\"redis\",\"reason\":\"x\"},\"extra\":"
         "{"
         "\"a\":[],\"b\":{}}," BEHIND "\"type\":\"denied\",\"v\":1,\"z\":false}",
         LEDGER_DENIED, false, NULL},
        /* of known types, fields of other types are unknown ones */
        {OF_BODY("\"branch\":7,\"image\":\"redis\",\"reason\":\"x\"", "denied"), LEDGER_DENIED,
         false, NULL},
        /* unknown types: their bodies are nobody's business */
        {ACTOR "\"body\":{}," BEHIND UNKNOWN, LEDGER_UNKNOWN, false, "blessed"},
        {ACTOR "\"body\":{\"stage\":7,\"values\":{}}," BEHIND UNKNOWN, LEDGER_UNKNOWN, false,
         "blessed"},
        {ACTOR "\"body\":{},\"critical\":true," BEHIND UNKNOWN, LEDGER_UNKNOWN, true, "blessed"},
        {OF_BODY("", "unknown"), LEDGER_UNKNOWN, false, "unknown"},
        /* a higher version: nothing of it is believed but when and who */
        {ACTOR "\"body\":{\"reason\":7}," BEHIND "\"type\":\"denied\",\"v\":2}", LEDGER_UNKNOWN,
         true, "denied"},
        {ACTOR "\"body\":{}," BEHIND "\"type\":\"blessed\",\"v\":77}", LEDGER_UNKNOWN, true,
         "blessed"},
        /* characters */
        {OF_BODY("\"image\":\"redis\",\"reason\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/"
                 "ä\xf0\x9f\x98\x80\"",
                 "denied"),
         LEDGER_DENIED, false, NULL},
        {OF_BODY("\"reason\":\"x\"", "released"), LEDGER_RELEASED, false, NULL},
        {OF_BODY("", "released"), LEDGER_RELEASED, false, NULL},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[]", "observed"),
         LEDGER_OBSERVED, false, NULL},
        {OF_BODY("\"definition\":\"" HASH_A
                 "\",\"outcome\":\"flaky\",\"platform\":\"linux/arm64/v8\","
                 "\"source\":\"a new one\",\"test\":\"t\",\"values\":[\"" REDIS_A "\"]",
                 "evidence"),
         LEDGER_EVIDENCE, false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct text bytes = {0};
        struct ledger ledger = {0};
        complete(rows[i].line, &bytes);
        ck_assert_msg(ledger_parse("x", bytes.bytes, bytes.length, &ledger, &err) == 0,
                      "row %zu: %s", i, error_message(&err));
        const struct ledger_entry *entry = &ledger.items[0];
        ck_assert_msg(ledger.count == 1 && entry->type == rows[i].type &&
                          entry->critical == rows[i].critical &&
                          string_equal(entry->unknown, rows[i].unknown),
                      "row %zu: %s, %s", i, ledger_type_name(entry->type), entry->unknown);
        ck_assert_int_eq(entry->time_ms, 1795603980123LL);
        ledger_clear(&ledger);
        text_clear(&bytes);
    }
}
END_TEST

START_TEST(damage) {
    static const struct {
        const char *line;
        const char *why;
    } rows[] = {
        /* the file as a whole */
        {"", "line 2: is no canonical JSON"},
        {"<<<<<<< HEAD", "marks of a merge conflict"},
        {OF_BODY("", "released") "\n=======\n>>>>>>> other", "marks of a merge conflict"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:" HASH_A "\nsize 12", "Git LFS"},
        {OF_BODY("", "released") "\r", "Windows line ends"},
        /* the form */
        {"{}", "lacks one of actor"},
        {"[]", "an object was expected"},
        {"7", "an object was expected"},
        {" {}", "no canonical JSON"},
        {"{} ", "no canonical JSON"},
        {"{}{}", "no canonical JSON"},
        {"{", "no canonical JSON"},
        {"{\"a\": 1}", "no canonical JSON"},
        {"{\"a\":1,}", "no canonical JSON"},
        {"{\"a\":1 ,\"b\":2}", "no canonical JSON"},
        {"{\"b\":1,\"a\":2}", "no canonical JSON"},
        {"{\"a\":1,\"a\":2}", "no canonical JSON"},
        {"{\"ab\":1,\"a\":2}", "no canonical JSON"},
        {"{\"a\\u0062\":1}", "no canonical JSON"},
        {"{\"a\":1.0}", "no canonical JSON"},
        {"{\"a\":1e3}", "no canonical JSON"},
        {"{\"a\":01}", "no canonical JSON"},
        {"{\"a\":-0}", "no canonical JSON"},
        {"{\"a\":+1}", "no canonical JSON"},
        {"{\"a\":-}", "no canonical JSON"},
        {"{\"a\":True}", "no canonical JSON"},
        {"{\"a\":\"\\/\"}", "no canonical JSON"},
        {"{\"a\":\"\\u0041\"}", "no canonical JSON"},
        {"{\"a\":\"\\u000a\"}", "no canonical JSON"},
        {"{\"a\":\"\\u0022\"}", "no canonical JSON"},
        {"{\"a\":\"\\u001F\"}", "no canonical JSON"},
        {"{\"a\":\"\\u0000\"}", "no canonical JSON"},
        {"{\"a\":\"\\ud83d\\ude00\"}", "no canonical JSON"},
        {"{\"a\":\"\t\"}", "no canonical JSON"},
        {"{\"a\":\"\xff\"}", "no canonical JSON"},
        {"{\"a\":\"\xed\xa0\x80\"}", "no canonical JSON"},
        {"{\"a\":\"", "no canonical JSON"},
        {"{\"a\":\"\\", "no canonical JSON"},
        {"{\"a\":\"\\u00", "no canonical JSON"},
        {"{'a':1}", "no canonical JSON"},
        {"nul", "no canonical JSON"},
        /* members */
        {"{\"body\":{}," BEHIND UNKNOWN, "lacks one of actor"},
        {ACTOR BEHIND UNKNOWN, "lacks one of actor"},
        {ACTOR "\"body\":{},\"time\":\"2026-11-25T10:53:00.123Z\",\"tool\":\"x\"," UNKNOWN,
         "lacks one of actor"},
        {ACTOR "\"body\":{},\"id\":\"@\",\"tool\":\"x\"," UNKNOWN, "lacks one of actor"},
        {ACTOR "\"body\":{},\"id\":\"@\",\"time\":\"2026-11-25T10:53:00.123Z\"," UNKNOWN,
         "lacks one of actor"},
        {ACTOR "\"body\":{}," BEHIND "\"v\":1}", "lacks one of actor"},
        {ACTOR "\"body\":{}," BEHIND "\"type\":\"blessed\"}", "lacks one of actor"},
        {ACTOR "\"body\":[]," BEHIND UNKNOWN, "body: an object was expected"},
        {"{\"actor\":\"\",\"body\":{}," BEHIND UNKNOWN, "actor: is empty"},
        {"{\"actor\":7,\"body\":{}," BEHIND UNKNOWN, "actor: a string was expected"},
        {ACTOR "\"body\":{},\"ci\":null," BEHIND UNKNOWN, "ci: a string was expected"},
        {ACTOR "\"body\":{},\"critical\":false," BEHIND UNKNOWN, "critical: only true"},
        {ACTOR "\"body\":{},\"critical\":1," BEHIND UNKNOWN, "critical: only true"},
        {ACTOR "\"body\":{}," BEHIND "\"type\":\"\",\"v\":1}", "type: is empty"},
        {ACTOR "\"body\":{}," BEHIND "\"type\":\"blessed\",\"v\":0}", "v: a version"},
        {ACTOR "\"body\":{}," BEHIND "\"type\":\"blessed\",\"v\":\"1\"}", "v: a version"},
        /* the id */
        {ACTOR "\"body\":{},\"id\":\"" HASH_A
               "\",\"time\":\"2026-11-25T10:53:00.123Z\",\"tool\":\"x\"," UNKNOWN,
         "its id is not that of its bytes"},
        {ACTOR
         "\"body\":{},\"id\":\"abc\",\"time\":\"2026-11-25T10:53:00.123Z\",\"tool\":\"x\"," UNKNOWN,
         "id: 64 hex digits"},
        {ACTOR "\"body\":{},\"id\":7,\"time\":\"2026-11-25T10:53:00.123Z\",\"tool\":\"x\"," UNKNOWN,
         "id: 64 hex digits"},
        /* times */
        {ACTOR "\"body\":{},\"id\":\"@\",\"time\":\"2026-11-25T10:53:00Z\",\"tool\":\"x\"," UNKNOWN,
         "time: no time"},
        {ACTOR "\"body\":{},\"id\":\"@\",\"time\":\"2026-11-25T10:53:00.123+00:00\",\"tool\":"
               "\"x\"," UNKNOWN,
         "time: no time"},
        {ACTOR
         "\"body\":{},\"id\":\"@\",\"time\":\"2026-02-29T10:53:00.123Z\",\"tool\":\"x\"," UNKNOWN,
         "time: no time"},
        {ACTOR "\"body\":{},\"id\":\"@\",\"time\":1795603980123,\"tool\":\"x\"," UNKNOWN,
         "time: no time"},
        {OF_BODY("\"image\":\"redis\",\"reason\":\"x\",\"until\":\"tomorrow\"", "denied"),
         "until: no time"},
        /* bodies of known types */
        {OF_BODY("\"image\":\"redis\"", "denied"), "\"denied\" lacks its reason"},
        {OF_BODY("\"reason\":\"x\"", "denied"), "\"denied\" names nothing that it is about"},
        {OF_BODY("\"stage\":\"production\"", "approved"), "\"approved\" names nothing"},
        {OF_BODY("\"set\":\"" HASH_A "\"", "approved"), "\"approved\" lacks its stage"},
        {OF_BODY("\"reason\":\"x\"", "held"), "\"held\" lacks its stage"},
        {OF_BODY("\"stage\":\"s\"", "held"), "\"held\" lacks its reason"},
        {OF_BODY("\"stage\":\"s\",\"values\":[]", "observed"), "\"observed\" lacks its set"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\"", "observed"), "lacks its values"},
        {OF_BODY("\"before\":\"" HASH_A "\",\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "lacks its changes"},
        {OF_BODY("\"image\":\"redis\",\"reason\":7", "denied"), "reason: a string was expected"},
        {OF_BODY("\"image\":\"redis\",\"reason\":\"\"", "denied"), "reason: is empty"},
        {OF_BODY("\"image\":\"Not A Name\",\"reason\":\"x\"", "denied"), "image: "},
        {OF_BODY("\"image\":\"redis@" DIGEST_A "\",\"reason\":\"x\"", "denied"), "image: "},
        {OF_BODY("\"digest\":\"sha256:1\",\"reason\":\"x\"", "denied"), "digest: no digest"},
        {OF_BODY("\"reason\":\"x\",\"set\":\"abc\"", "denied"), "set: 64 hex digits"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"soak\":false,\"stage\":\"s\"", "approved"),
         "soak: only true"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":{}", "observed"),
         "values: a list"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[7]", "observed"),
         "values: a string"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[\"redis\"]", "observed"),
         "is no value of a set"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[\"redis:7@" DIGEST_A "\"]",
                 "observed"),
         "is no value of a set"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[\"" APP_B "\",\"" REDIS_A
                 "\"]",
                 "observed"),
         "values: are not sorted"},
        {OF_BODY("\"set\":\"" HASH_A "\",\"stage\":\"s\",\"values\":[\"" APP_B "\",\"" APP_B "\"]",
                 "observed"),
         "values: are not sorted"},
        {OF_BODY("\"definition\":\"" HASH_A "\",\"outcome\":\"great\",\"platform\":\"p\","
                 "\"source\":\"run\",\"test\":\"t\",\"values\":[]",
                 "evidence"),
         "outcome: no outcome that this version knows"},
        {OF_BODY("\"before\":\"" HASH_A "\",\"changes\":{},\"set\":\"" HASH_A
                 "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "changes: a list"},
        {OF_BODY("\"before\":\"" HASH_A "\",\"changes\":[7],\"set\":\"" HASH_A
                 "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "changes: an object"},
        {OF_BODY("\"before\":\"" HASH_A "\",\"changes\":[{\"image\":\"a\"}],\"set\":\"" HASH_A
                 "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "changes: one lacks its image or digest"},
        {OF_BODY("\"before\":\"" HASH_A
                 "\",\"changes\":[{\"digest\":\"x\",\"image\":\"a\"}],\"set\":\"" HASH_A
                 "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "changes: one has a digest that is none"},
        {OF_BODY("\"before\":\"" HASH_A "\",\"changes\":[{\"digest\":\"" DIGEST_A
                 "\",\"image\":\"a\",\"old_tag\":7}],\"set\":\"" HASH_A
                 "\",\"stage\":\"s\",\"values\":[]",
                 "promoted"),
         "old_tag: a string was expected"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct text bytes = {0};
        struct ledger ledger = {0};
        complete(OF_BODY("", "released"), &bytes); /* a good one before it is not kept either */
        size_t good = bytes.length;
        complete(rows[i].line, &bytes);
        const char *whole = bytes.bytes;
        ck_assert_msg(ledger_parse("a/b.jsonl", whole, bytes.length, &ledger, &err) == -1,
                      "row %zu: no error", i);
        ck_assert_msg(err.kind == ERROR_INPUT && strstr(err.message, rows[i].why) != NULL &&
                          string_has_prefix(err.message, "a/b.jsonl: "),
                      "row %zu: %s", i, error_message(&err));
        ck_assert_uint_eq(ledger.count, 0);
        error_clear(&err);
        ck_assert_int_eq(ledger_parse("x", whole + good, bytes.length - good, &ledger, &err), -1);
        error_clear(&err);
        ledger_clear(&ledger);
        text_clear(&bytes);
    }
}
END_TEST

/* Any byte that is changed, left out or added is found, whatever the name of the file. */
START_TEST(every_byte_counts) {
    struct error err = {0};
    struct ledger_file file;
    unit_ok(ledger_format(drafts, DRAFT_COUNT, NOON, &file, &err), &err);
    struct text bytes = {0};
    for (size_t i = 0; i < file.bytes.length; i++) {
        for (int how = 0; how < 3; how++) {
            struct ledger ledger = {0};
            text_truncate(&bytes, 0);
            text_append(&bytes, file.bytes.bytes, i);
            if (how == 0)
                text_add_char(&bytes, (char)(file.bytes.bytes[i] ^ 1));
            if (how == 2)
                text_append(&bytes, file.bytes.bytes + i, 1);
            if (how == 2)
                text_append(&bytes, file.bytes.bytes + i, 1);
            text_append(&bytes, file.bytes.bytes + i + 1, file.bytes.length - i - 1);
            int result = ledger_parse("x", bytes.bytes, bytes.length, &ledger, &err);
            /* but for a line that is lost with its end, which only the name of the file tells */
            ck_assert_msg(result == -1, "byte %zu, %d", i, how);
            error_clear(&err);
            result = ledger_parse(file.path, bytes.bytes, bytes.length, &ledger, &err);
            ck_assert_msg(result == -1 && ledger.count == 0, "byte %zu, %d", i, how);
            error_clear(&err);
            ledger_clear(&ledger);
        }
    }
    text_clear(&bytes);
    ledger_file_clear(&file);
}
END_TEST

/* Lines that are left out, moved or doubled are found by the name alone. */
START_TEST(the_name_is_of_the_bytes) {
    struct error err = {0};
    struct ledger_file one, two;
    struct ledger ledger = {0};
    unit_ok(ledger_format(drafts, 2, NOON, &two, &err), &err);
    unit_ok(ledger_format(drafts, 1, NOON, &one, &err), &err);
    ck_assert_int_eq(strncmp(one.path, ".pingate/ledger/2025-11/20251126T120000Z-", 41), 0);
    unit_ok(ledger_parse("named otherwise", one.bytes.bytes, one.bytes.length, &ledger, &err),
            &err);
    unit_fails(ledger_parse(two.path, one.bytes.bytes, one.bytes.length, &ledger, &err), &err,
               ERROR_INPUT, "not those that its name was made of");
    char *compacted = string_format(&err, "c/compacted-%s", strrchr(two.path, '-') + 1);
    unit_fails(ledger_parse(compacted, one.bytes.bytes, one.bytes.length, &ledger, &err), &err,
               ERROR_INPUT, "not those that its name was made of");
    unit_ok(ledger_parse(compacted, two.bytes.bytes, two.bytes.length, &ledger, &err), &err);
    free(compacted);
    /* blanks stand before lines in a compacted file alone */
    struct text shifted = {0};
    char sum[HASH_HEX_SIZE];
    text_printf(&shifted, "  %s", one.bytes.bytes);
    unit_fails(ledger_parse("x", shifted.bytes, shifted.length, &ledger, &err), &err, ERROR_INPUT,
               "no canonical JSON");
    unit_ok(hash_hex(shifted.bytes, shifted.length, sum, &err), &err);
    compacted = string_format(&err, "c/compacted-%.16s.jsonl", sum);
    unit_ok(ledger_parse(compacted, shifted.bytes, shifted.length, &ledger, &err), &err);
    ck_assert_str_eq(ledger.items[ledger.count - 1].id, ledger.items[0].id);
    free(compacted);
    text_clear(&shifted);
    unit_fails(ledger_parse("empty", "", 0, &ledger, &err), &err, ERROR_INPUT, "is empty");
    unit_fails(ledger_parse("cut", one.bytes.bytes, one.bytes.length - 1, &ledger, &err), &err,
               ERROR_INPUT, "its end is missing");
    ledger_clear(&ledger);
    ledger_file_clear(&one);
    ledger_file_clear(&two);
}
END_TEST

START_TEST(order_and_duplicates) {
    struct error err = {0};
    struct ledger_file file;
    struct ledger ledger = {0};
    struct ledger_entry many[6];
    static const int64_t times[] = {5000, 1000, 5000, 3000, 9000, 3000};
    static const char *const actors[] = {"e", "a", "d", "c", "f", "c"};
    for (size_t i = 0; i < 6; i++)
        many[i] = (struct ledger_entry){LEDGER_RELEASED, .time_ms = times[i], .actor = actors[i]};
    unit_ok(ledger_format(many, 6, NOON, &file, &err), &err);
    unit_ok(ledger_parse("b", file.bytes.bytes, file.bytes.length, &ledger, &err), &err);
    unit_ok(ledger_parse("a", file.bytes.bytes, file.bytes.length, &ledger, &err), &err);
    ck_assert_uint_eq(ledger.count, 12);
    ledger_sort(&ledger);
    ck_assert_uint_eq(ledger.count, 5);
    for (size_t i = 1; i < ledger.count; i++) {
        const struct ledger_entry *before = &ledger.items[i - 1], *entry = &ledger.items[i];
        ck_assert(before->time_ms < entry->time_ms ||
                  (before->time_ms == entry->time_ms && strcmp(before->id, entry->id) < 0));
    }
    for (size_t i = 0; i < ledger.count; i++)
        ck_assert_str_eq(ledger.items[i].file, "a");
    ck_assert_str_eq(ledger.items[1].actor, "c");
    ck_assert_uint_eq(ledger.items[1].line, 4);
    /* equal strings are one */
    ck_assert_ptr_eq(ledger.items[0].tool, ledger.items[4].tool);
    ledger_sort(&ledger);
    ck_assert_uint_eq(ledger.count, 5);
    ledger_clear(&ledger);
    ledger_file_clear(&file);
}
END_TEST

START_TEST(drafts_that_nobody_could_read) {
    static const struct {
        struct ledger_entry draft;
        const char *why;
    } rows[] = {
        {{.type = LEDGER_RELEASED}, "actor: is empty"},
        {{LEDGER_RELEASED, .actor = "ada", .reason = ""}, "reason: is empty"},
        {{LEDGER_DENIED, .actor = "ada", .reason = "x"}, "names nothing"},
        {{LEDGER_DENIED, .actor = "ada", .image = "redis"}, "lacks its reason"},
        {{LEDGER_DENIED, .actor = "ada", .reason = "x", .image = "A b"}, "image: "},
        {{LEDGER_DENIED, .actor = "ada", .reason = "x", .digest = "7"}, "no digest"},
        {{LEDGER_HELD, .actor = "ada", .reason = "x"}, "lacks its stage"},
        {{LEDGER_OBSERVED, .actor = "ada", .stage = "s", .set = "x"}, "64 hex digits"},
        {{LEDGER_EVIDENCE, .actor = "ada", .test = "t", .definition = HASH_A},
         "lacks its platform"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct ledger_file file;
        unit_fails(ledger_format(&rows[i].draft, 1, NOON, &file, &err), &err, ERROR_BUG,
                   rows[i].why);
        ck_assert_ptr_null(file.path);
    }
    struct error err = {0};
    struct ledger_file file;
    unit_fails(ledger_format(NULL, 0, NOON, &file, &err), &err, ERROR_BUG, "no entry");
}
END_TEST

START_TEST(drafts_are_put_in_form) {
    static const char *const unsorted[] = {APP_B, REDIS_A, APP_B};
    const struct ledger_entry rough[] = {
        {LEDGER_OBSERVED, .actor = "a\xff\xc3z", .stage = "s", .set = HASH_A, .values = unsorted,
         .value_count = 3, .time_ms = 1},
        {LEDGER_OBSERVED, .actor = "b", .stage = "s", .set = HASH_A, .values = values,
         .value_count = 2, .time_ms = 2, .tool = "other 2"}};
    struct error err = {0};
    struct ledger_file file, again;
    struct ledger ledger = {0};
    unit_ok(ledger_format(rough, 2, NOON, &file, &err), &err);
    unit_ok(ledger_format(rough, 2, NOON, &again, &err), &err);
    ck_assert_str_eq(file.path, again.path);
    unit_ok(ledger_parse(file.path, file.bytes.bytes, file.bytes.length, &ledger, &err), &err);
    ledger_sort(&ledger);
    ck_assert_uint_eq(ledger.items[0].value_count, 2);
    ck_assert_str_eq(ledger.items[0].values[0], REDIS_A);
    ck_assert_str_eq(ledger.items[0].values[1], APP_B);
    ck_assert_ptr_eq(ledger.items[0].values[0], ledger.items[1].values[0]);
    ck_assert_str_eq(ledger.items[0].actor, "a\xef\xbf\xbd\xef\xbf\xbdz");
    ck_assert_ptr_nonnull(strstr(ledger.items[0].tool, "pingate "));
    ck_assert_str_eq(ledger.items[1].tool, "other 2");
    ledger_clear(&ledger);
    ledger_file_clear(&file);
    ledger_file_clear(&again);
}
END_TEST

/* A line of exactly these bytes, which are part of what other programs may rely on. */
START_TEST(the_form_is_fixed) {
    static const char wanted[] =
        "{\"actor\":\"ada\",\"body\":{\"image\":\"redis\",\"reason\":\"freeze\",\"stage\":"
        "\"production\","
        "\"until\":\"2025-11-26T12:00:00.124Z\"},\"id\":"
        "\"9328421e66c07bd24a4959fd76ebc11b27315e3ab2b5dff51146c1fa88f52308\",\"time\":"
        "\"2025-11-26T12:00:00.123Z\",\"tool\":\"pingate 9\",\"type\":\"held\",\"v\":1}\n";
    struct error err = {0};
    struct ledger_file file;
    struct ledger_entry draft = drafts[12];
    draft.tool = "pingate 9";
    unit_ok(ledger_format(&draft, 1, NOON, &file, &err), &err);
    ck_assert_str_eq(file.bytes.bytes, wanted);
    ledger_file_clear(&file);
}
END_TEST

START_TEST(sizes_are_bounded) {
    struct error err = {0};
    struct ledger_file file;
    struct ledger ledger = {0};
    struct text long_reason = {0};
    while (long_reason.length <= LEDGER_LINE_LIMIT)
        text_add(&long_reason, "a reason that goes on and on, ");
    struct ledger_entry draft = {LEDGER_RELEASED, .actor = "ada", .reason = long_reason.bytes};
    unit_fails(ledger_format(&draft, 1, NOON, &file, &err), &err, ERROR_LIMIT, "released");
    text_add_char(&long_reason, '\n');
    unit_fails(ledger_parse("x", long_reason.bytes, long_reason.length, &ledger, &err), &err,
               ERROR_LIMIT, "an entry may have 4194304 bytes");
    /* deep nesting neither breaks the stack nor is believed */
    text_truncate(&long_reason, 0);
    for (int i = 0; i < 1000000; i++)
        text_add_char(&long_reason, '[');
    text_add_char(&long_reason, '\n');
    unit_fails(ledger_parse("x", long_reason.bytes, long_reason.length, &ledger, &err), &err,
               ERROR_INPUT, "no canonical JSON");
    text_clear(&long_reason);
    ledger_clear(&ledger);
}
END_TEST

START_TEST(type_names) {
    for (int i = 0; i < LEDGER_UNKNOWN; i++) {
        enum ledger_type type = LEDGER_UNKNOWN;
        ck_assert(ledger_type_from_name(ledger_type_name((enum ledger_type)i), &type));
        ck_assert_int_eq(type, i);
    }
    enum ledger_type type;
    ck_assert(!ledger_type_from_name("unknown", &type));
    ck_assert(!ledger_type_from_name("", &type));
}
END_TEST

UNIT_MAIN("ledger", {
    tcase_add_test(cases, what_is_written_is_read);
    tcase_add_test(cases, lines_that_are_read);
    tcase_add_test(cases, damage);
    tcase_add_test(cases, every_byte_counts);
    tcase_add_test(cases, the_name_is_of_the_bytes);
    tcase_add_test(cases, order_and_duplicates);
    tcase_add_test(cases, drafts_that_nobody_could_read);
    tcase_add_test(cases, drafts_are_put_in_form);
    tcase_add_test(cases, the_form_is_fixed);
    tcase_add_test(cases, sizes_are_bounded);
    tcase_add_test(cases, type_names);
})
