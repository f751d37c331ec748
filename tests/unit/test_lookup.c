#include "pipelines/lookup.h"

#include "tests/unit/answers.h"

#define HEX   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OLD   "sha256:" HEX
#define NEWER "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD(digest)                                                                               \
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: "                                       \
    "application/vnd.oci.image.index.v1+json\r\nDocker-Content-Digest: " digest "\r\n\r\n"
#define LONG_TAG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
#define GONE     "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
#define LIST(length, tags)                                                                         \
    "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n{\"tags\":[" tags "]}"

static void parse_config(const char *rules, struct config *config) {
    struct error err = {0};
    char text[1024];
    snprintf(text, sizeof text, "version: 1\n%s", rules);
    unit_ok(config_parse("pingate.yaml", text, strlen(text), config, &err), &err);
}

/* One update, as it comes from pins. */
static void add_update(struct update_list *updates, const char *image, const char *tag) {
    struct error err = {0};
    struct update *update = array_add(updates, &err);
    ck_assert_ptr_nonnull(update);
    update->image = string_dup(image, &err);
    update->tag = string_dup(tag, &err);
    update->digest = string_dup(OLD, &err);
}

START_TEST(rules) {
    static const struct {
        const char *rules, *image, *tag;
        enum policy_kind policy;
        const char *rule, *follow;
        bool held;
    } rows[] = {
        {"", "docker.io/library/redis", "7", POLICY_DIGEST, "default", "7", false},
        {"", "docker.io/library/redis", NULL, POLICY_DIGEST, "default", NULL, true},
        {"updates:\n  - {images: redis, policy: minor}", "docker.io/library/redis", "7",
         POLICY_MINOR, "pingate.yaml:3", "7", false},
        {"updates:\n  - {images: redis, policy: minor}", "docker.io/library/nginx", "7",
         POLICY_DIGEST, "default", "7", false},
        {"updates:\n  - {images: redis, policy: minor}\n  - {images: \"*\", policy: major}",
         "docker.io/library/redis", "7", POLICY_MINOR, "pingate.yaml:3", "7", false},
        {"updates:\n  - {images: redis, policy: minor}\n  - {images: \"*\", policy: major}",
         "docker.io/library/nginx", "7", POLICY_MAJOR, "pingate.yaml:4", "7", false},
        {"updates:\n  - {images: redis, follow: \"7.2\"}", "docker.io/library/redis", NULL,
         POLICY_DIGEST, "pingate.yaml:3", "7.2", false},
        {"updates:\n  - {images: redis, follow: \"7.2\"}", "docker.io/library/redis", "6",
         POLICY_DIGEST, "pingate.yaml:3", "6", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct config config;
        struct update_list updates = {0};
        parse_config(rows[i].rules, &config);
        add_update(&updates, rows[i].image, rows[i].tag);
        unit_ok(lookup_rules(&config, &updates, &err), &err);
        const struct update *update = &updates.items[0];
        ck_assert_msg(update->policy.kind == rows[i].policy, "row %zu", i);
        ck_assert_msg(strcmp(update->rule, rows[i].rule) == 0, "row %zu: %s", i, update->rule);
        ck_assert_msg(string_equal(update->follow, rows[i].follow), "row %zu: %s", i,
                      update->follow);
        ck_assert_msg(update->decided == rows[i].held, "row %zu", i);
        if (rows[i].held) {
            ck_assert_int_eq(update->verdict, VERDICT_HOLD);
            ck_assert_int_eq(update->code, CODE_NO_TAG);
            ck_assert(strstr(update->reason, "follow: TAG") != NULL);
        }
        update_list_clear(&updates);
        config_clear(&config);
    }
}
END_TEST

/* What a rule's filter says of the followed tag, before anything is asked. */
START_TEST(filters) {
    static const struct {
        const char *rule, *tag;
        const char *follow;
        bool decided;
        enum verdict verdict;
        enum verdict_code code;
        const char *words;
    } rows[] = {
        {"tags: {match: '^7'}, follow: 7.2", NULL, "7.2", false, 0, 0, NULL},
        {"tags: {match: '^7'}, follow: 7.2", "7.1", "7.1", false, 0, 0, NULL},
        {"tags: {match: '^7'}, follow: 7.2", "6", "6", true, VERDICT_HOLD, CODE_TAG_MISMATCH,
         "tags.match, \"^7\", does not match the tag 6 that is followed"},
        {"tags: {match: '^7'}", NULL, NULL, true, VERDICT_HOLD, CODE_NO_TAG, "follow: TAG"},
        {"policy: minor, tags: {match: '^8'}", "7", "7", true, VERDICT_HOLD, CODE_TAG_MISMATCH,
         "does not match the tag 7"},
        {"policy: minor, tags: {ignore: '7'}", "7", "7", false, 0, 0, NULL},
        {"tags: {match: '^(a+)+$'}", LONG_TAG, LONG_TAG, true, VERDICT_LOOKUP_FAILED, CODE_LIMIT,
         "tags.ignore"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct config config;
        struct update_list updates = {0};
        char words[256];
        snprintf(words, sizeof words, "updates: [{images: redis, %s}]", rows[i].rule);
        parse_config(words, &config);
        add_update(&updates, "docker.io/library/redis", rows[i].tag);
        unit_ok(lookup_rules(&config, &updates, &err), &err);
        const struct update *update = &updates.items[0];
        ck_assert_msg(string_equal(update->follow, rows[i].follow), "row %zu", i);
        ck_assert_msg(update->decided == rows[i].decided, "row %zu", i);
        if (rows[i].decided)
            ck_assert_msg(update->verdict == rows[i].verdict && update->code == rows[i].code &&
                              strstr(update->reason, rows[i].words) != NULL,
                          "row %zu: %s", i, update->reason);
        update_list_clear(&updates);
        config_clear(&config);
    }
}
END_TEST

static void count_up(void *context, size_t done, size_t total) {
    size_t *seen = context;
    ck_assert_uint_le(done, total);
    (*seen)++;
}

START_TEST(candidates) {
    static const struct {
        const char *rules, *tag;
        const char *answers[4];
        bool decided;
        enum verdict verdict;
        enum verdict_code code;
        const char *candidate_tag, *candidate_digest, *words;
    } rows[] = {
        {"", "1.0", {HEAD(NEWER)}, false, 0, 0, "1.0", NEWER, NULL},
        {"",
         "1.0",
         {HEAD(OLD)},
         true,
         VERDICT_UP_TO_DATE,
         CODE_NONE,
         NULL,
         NULL,
         "1.0 names this digest, and the policy digest allows nothing newer"},
        {"", "1.0", {GONE}, true, VERDICT_LOOKUP_FAILED, CODE_NOT_FOUND, NULL, NULL, "no such tag"},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "1.0",
         {LIST("28", "\"1.0\",\"1.1\",\"2.0\""), HEAD(NEWER)},
         false,
         0,
         0,
         "1.1",
         NEWER,
         NULL},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "1.0",
         {LIST("28", "\"1.0\",\"1.1\",\"2.0\""), HEAD(OLD)},
         true,
         VERDICT_UP_TO_DATE,
         CODE_NONE,
         NULL,
         NULL,
         "1.1 is another tag of this digest"},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "1.0",
         {LIST("16", "\"1.0\""), HEAD(NEWER)},
         false,
         0,
         0,
         "1.0",
         NEWER,
         NULL},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "1.0",
         {LIST("11", ""), GONE},
         true,
         VERDICT_LOOKUP_FAILED,
         CODE_NOT_FOUND,
         NULL,
         NULL,
         "no such tag"},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "1.0",
         {GONE},
         true,
         VERDICT_LOOKUP_FAILED,
         CODE_NOT_FOUND,
         NULL,
         NULL,
         "no such repository"},
        {"updates:\n  - {images: \"*\", policy: minor, tags: {match: '^r(.*)$', extract: $1}}",
         "r1.0",
         {LIST("37", "\"r1.1\",\"1.2\",\"r2.0\",\"r1.0\""), HEAD(NEWER)},
         false,
         0,
         0,
         "r1.1",
         NEWER,
         NULL},
        {"updates:\n  - {images: \"*\", policy: minor, tags: {match: '^(a+)+$|^1'}}",
         "1.0",
         {LIST("64", "\"1.1\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\",\"1.0\"")},
         true,
         VERDICT_LOOKUP_FAILED,
         CODE_LIMIT,
         NULL,
         NULL,
         "\"^(a+)+$|^1\" cannot be matched with \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\""},
        {"updates:\n  - {images: \"*\", policy: minor}",
         "latest",
         {LIST("16", "\"1.0\"")},
         true,
         VERDICT_HOLD,
         CODE_NOT_A_VERSION,
         NULL,
         NULL,
         "latest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        struct config config;
        struct lookup lookup;
        struct update_list updates = {0};
        char image[64];
        size_t seen = 0;
        struct lookup_progress progress = {count_up, &seen};
        unit_ok(http_global_init(&err), &err);
        answers_start(&answers, rows[i].answers);
        snprintf(image, sizeof image, "127.0.0.1:%u/app", answers.port);
        parse_config(rows[i].rules, &config);
        add_update(&updates, image, rows[i].tag);
        unit_ok(lookup_rules(&config, &updates, &err), &err);
        unit_ok(lookup_open(&config, NULL, &lookup, &err), &err);
        unit_ok(lookup_candidates(&lookup, &updates, &progress, &err), &err);
        lookup_close(&lookup);
        const struct update *update = &updates.items[0];
        ck_assert_msg(update->decided == rows[i].decided, "row %zu: %s", i, update->reason);
        ck_assert_msg(string_equal(update->candidate_tag, rows[i].candidate_tag) &&
                          string_equal(update->candidate_digest, rows[i].candidate_digest),
                      "row %zu: %s@%s", i, update->candidate_tag, update->candidate_digest);
        if (rows[i].decided)
            ck_assert_msg(update->verdict == rows[i].verdict && update->code == rows[i].code &&
                              strstr(update->reason, rows[i].words) != NULL,
                          "row %zu: %s %s: %s", i, verdict_name(update->verdict),
                          verdict_code_name(update->code), update->reason);
        ck_assert_uint_eq(seen, 1);
        update_list_clear(&updates);
        config_clear(&config);
        answers_stop(&answers);
    }
}
END_TEST

#define D1     "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2     "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define DAY_MS (24LL * 3600 * 1000)

/* Three tags of which two are newer than the pinned one, and who may follow after three days. */
START_TEST(cooldown) {
    static const struct {
        const char *rules;
        const char *answers[8];
        struct {
            const char *tag, *digest;
            double age; /* days */
        } known[5];
        bool urgent;
        const char *candidate_tag, *candidate_digest;
        enum verdict_code code; /* of a hold; CODE_NONE: up to date */
        const char *words;
    } rows[] = {
#define DIGEST "updates:\n  - {images: \"*\", cooldown: 3d}"
#define MINOR  "updates:\n  - {images: \"*\", policy: minor, cooldown: 3d}"
#define TAGS   LIST("34", "\"1.0\",\"1.1\",\"1.2\",\"2.0\"")
        /* nothing is known */
        {DIGEST, {HEAD(NEWER)}, {{0}}, false, NULL, NULL, CODE_COOLDOWN, "1.0@sha256:bbbb"},
        {DIGEST, {HEAD(OLD)}, {{0}}, false, NULL, NULL, CODE_NONE, "1.0 names this digest"},
        {DIGEST, {HEAD(NEWER)}, {{0}}, true, "1.0", NEWER, CODE_NONE, NULL},
        /* known for long enough, or not */
        {DIGEST, {HEAD(NEWER)}, {{"1.0", NEWER, 3.1}}, false, "1.0", NEWER, CODE_NONE, NULL},
        {DIGEST, {HEAD(NEWER)}, {{"1.0", NEWER, 2.9}}, false, NULL, NULL, CODE_COOLDOWN, "3 d 0 h"},
        {DIGEST, {HEAD(NEWER)}, {{"1.1", NEWER, 9}}, false, NULL, NULL, CODE_COOLDOWN, "1.0@"},
        /* an older one of the tag, which the registry still has, or not */
        {DIGEST,
         {HEAD(NEWER), HEAD(D1)},
         {{"1.0", OLD, 20}, {"1.0", D1, 5}, {"1.0", NEWER, 1}},
         false,
         "1.0",
         D1,
         CODE_NONE,
         NULL},
        {DIGEST,
         {HEAD(NEWER), GONE},
         {{"1.0", OLD, 20}, {"1.0", D1, 5}, {"1.0", NEWER, 1}},
         false,
         NULL,
         NULL,
         CODE_COOLDOWN,
         "1.0@sha256:bbbb"},
        {DIGEST,
         {HEAD(NEWER), GONE, HEAD(D2)},
         {{"1.0", OLD, 20}, {"1.0", D2, 6}, {"1.0", D1, 5}, {"1.0", NEWER, 1}},
         false,
         "1.0",
         D2,
         CODE_NONE,
         NULL},
        /* nothing behind the pin */
        {DIGEST,
         {HEAD(NEWER)},
         {{"1.0", D1, 9}, {"1.0", OLD, 5}, {"1.0", NEWER, 1}},
         false,
         NULL,
         NULL,
         CODE_COOLDOWN,
         "1.0@sha256:bbbb"},
        {DIGEST,
         {HEAD(NEWER)},
         {{"1.0", D1, 9}, {"1.0", D2, 5}},
         false,
         NULL,
         NULL,
         CODE_COOLDOWN,
         "1.0@sha256:bbbb"},
        /* the newest tag that is old enough */
        {MINOR, {TAGS, HEAD(NEWER)}, {{"1.2", NEWER, 4}}, false, "1.2", NEWER, CODE_NONE, NULL},
        {MINOR,
         {TAGS, HEAD(NEWER), HEAD(D1)},
         {{"1.2", NEWER, 1}, {"1.1", D1, 4}},
         false,
         "1.1",
         D1,
         CODE_NONE,
         NULL},
        {MINOR,
         {TAGS, HEAD(NEWER), HEAD(D1), HEAD(OLD)},
         {{"1.2", NEWER, 1}, {"1.1", D1, 2}},
         false,
         NULL,
         NULL,
         CODE_COOLDOWN,
         "1.1@sha256:1111"},
        {MINOR,
         {TAGS, HEAD(NEWER), HEAD(D1), HEAD(D2)},
         {{"1.2", NEWER, 1}, {"1.1", D1, 2}, {"1.0", OLD, 20}, {"1.0", D2, 4}},
         false,
         "1.0",
         D2,
         CODE_NONE,
         NULL},
        {MINOR,
         {TAGS, HEAD(NEWER), HEAD(OLD)},
         {{"1.2", NEWER, 1}},
         false,
         NULL,
         NULL,
         CODE_COOLDOWN,
         "1.2@sha256:bbbb"},
        {MINOR,
         {TAGS, HEAD(OLD)},
         {{0}},
         false,
         NULL,
         NULL,
         CODE_NONE,
         "1.2 is another tag of this digest"},
        /* the newest tag was built anew, and what it was before is old enough */
        {MINOR,
         {TAGS, HEAD(NEWER), HEAD(D1)},
         {{"1.2", D1, 9}, {"1.2", NEWER, 1}},
         false,
         "1.2",
         D1,
         CODE_NONE,
         NULL},
        {MINOR,
         {TAGS, HEAD(NEWER), GONE, HEAD(D2)},
         {{"1.2", D1, 9}, {"1.2", NEWER, 1}, {"1.1", D2, 9}},
         false,
         "1.1",
         D2,
         CODE_NONE,
         NULL},
        {MINOR, {TAGS, HEAD(NEWER)}, {{0}}, true, "1.2", NEWER, CODE_NONE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        struct config config;
        struct lookup lookup;
        struct update_list updates = {0};
        char image[64];
        unit_ok(http_global_init(&err), &err);
        answers_start(&answers, rows[i].answers);
        snprintf(image, sizeof image, "127.0.0.1:%u/app", answers.port);
        parse_config(rows[i].rules, &config);
        add_update(&updates, image, "1.0");
        unit_ok(lookup_rules(&config, &updates, &err), &err);
        ck_assert_int_eq(updates.items[0].cooldown_ms, 3 * DAY_MS);
        updates.items[0].urgent = rows[i].urgent;
        unit_ok(lookup_open(&config, NULL, &lookup, &err), &err);
        struct lookup_memory *memory = &lookup.memory;
        for (size_t k = 0; k < 5 && rows[i].known[k].tag != NULL; k++)
            unit_ok(sightings_add(&memory->known, image, rows[i].known[k].tag,
                                  rows[i].known[k].digest,
                                  memory->now_ms - (int64_t)(rows[i].known[k].age * (double)DAY_MS),
                                  false, &err),
                    &err);
        unit_ok(lookup_candidates(&lookup, &updates, NULL, &err), &err);
        size_t asked = 0;
        while (rows[i].answers[asked] != NULL)
            asked++;
        ck_assert_msg(answers.count == asked, "row %zu: %zu questions", i, answers.count);
        const struct update *update = &updates.items[0];
        ck_assert_msg(string_equal(update->candidate_tag, rows[i].candidate_tag) &&
                          string_equal(update->candidate_digest, rows[i].candidate_digest),
                      "row %zu: %s@%s %s", i, update->candidate_tag, update->candidate_digest,
                      update->reason);
        ck_assert_msg(update->decided == (rows[i].candidate_tag == NULL), "row %zu", i);
        if (update->decided)
            ck_assert_msg(update->verdict == (rows[i].code == CODE_COOLDOWN ? VERDICT_HOLD
                                                                            : VERDICT_UP_TO_DATE) &&
                              update->code == rows[i].code &&
                              strstr(update->reason, rows[i].words) != NULL,
                          "row %zu: %s %s: %s", i, verdict_name(update->verdict),
                          verdict_code_name(update->code), update->reason);
        /* What registries said of tags is there to be recorded, and the pin. */
        bool pin = false;
        for (size_t k = 0; k < memory->seen.count; k++)
            pin = pin ||
                  (memory->seen.items[k].pinned && string_equal(memory->seen.items[k].digest, OLD));
        ck_assert_msg(pin && memory->seen.count >= 2, "row %zu: %zu seen", i, memory->seen.count);
        lookup_close(&lookup);
        update_list_clear(&updates);
        config_clear(&config);
        answers_stop(&answers);
    }
}
END_TEST

#define LIST_OF_FIVE LIST("40", "\"1.0\",\"1.1\",\"1.2\",\"1.3\",\"2.0\"")

/* Behind a candidate that is given up. The update is pinned to OLD as 1.0; its candidate is D1 as 1.3. */
START_TEST(further_candidates) {
    static const struct {
        const char *answers[6]; /* after those of the first look-up */
        const char *tag, *digest;
        bool failed;
        const char *words; /* of why there is none */
        const char *left;  /* the first tag that is still to ask afterwards */
    } rows[] = {
        {{HEAD(D2)}, "1.2", D2, false, NULL, "1.1"},
        /* another tag of what was given up is no other candidate */
        {{HEAD(D1), HEAD(D2)}, "1.1", D2, false, NULL, "1.0"},
        /* the tag that is pinned may have moved */
        {{HEAD(D1), HEAD(D1), HEAD(D2)}, "1.0", D2, false, NULL, NULL},
        {{HEAD(OLD)}, NULL, NULL, false, "1.2 is another tag of this digest", "1.2"},
        {{HEAD(D1), HEAD(D1), HEAD(OLD)}, NULL, NULL, false, "1.0 names this digest", "1.2"},
        {{HEAD(D1), HEAD(D1), HEAD(D1)}, NULL, NULL, false, "nothing else", "1.2"},
        {{GONE}, NULL, NULL, true, "no such tag", "1.2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        struct config config;
        struct lookup lookup;
        struct update_list updates = {0};
        const char *ready[9] = {LIST_OF_FIVE, HEAD(D1)};
        char image[64];
        size_t expected = 2;
        for (; rows[i].answers[expected - 2] != NULL; expected++)
            ready[expected] = rows[i].answers[expected - 2];
        unit_ok(http_global_init(&err), &err);
        answers_start(&answers, ready);
        snprintf(image, sizeof image, "127.0.0.1:%u/app", answers.port);
        parse_config("updates:\n  - {images: \"*\", policy: minor, candidates: 5}", &config);
        add_update(&updates, image, "1.0");
        unit_ok(lookup_rules(&config, &updates, &err), &err);
        struct update *update = &updates.items[0];
        ck_assert_int_eq(update->candidates, 5);
        unit_ok(lookup_open(&config, NULL, &lookup, &err), &err);
        unit_ok(lookup_candidates(&lookup, &updates, NULL, &err), &err);
        ck_assert_str_eq(update->candidate_tag, "1.3");
        ck_assert_str_eq(update->further.items[0], "1.2");
        ck_assert_msg(answers.count == 2, "nothing more is asked in advance");
        struct lookup_further further = {0};
        unit_ok(lookup_further(&lookup, &updates, &(bool){true}, &further, &err), &err);
        lookup_close(&lookup);
        ck_assert_msg(string_equal(further.tag, rows[i].tag) &&
                          string_equal(further.digest, rows[i].digest) &&
                          further.failed == rows[i].failed,
                      "row %zu: %s@%s %s", i, further.tag, further.digest, further.reason);
        ck_assert_msg(rows[i].words == NULL || strstr(further.reason, rows[i].words) != NULL,
                      "row %zu: %s", i, further.reason);
        ck_assert_msg(answers.count == expected, "row %zu: %zu questions", i, answers.count);
        const char *left = update->further.count > 0 ? update->further.items[0] : NULL;
        ck_assert_msg(string_equal(left, rows[i].left), "row %zu: %s is left", i, left);
        ck_assert_str_eq(update->candidate_digest, D1); /* the caller moves it on */
        ck_assert(!update->decided);
        lookup_further_clear(&further, 1);
        update_list_clear(&updates);
        config_clear(&config);
        answers_stop(&answers);
    }
}
END_TEST

START_TEST(decided_ones_are_not_asked) {
    struct error err = {0};
    struct config config;
    struct lookup lookup;
    struct update_list updates = {0};
    parse_config("", &config);
    add_update(&updates, "127.0.0.1:1/app", NULL);
    unit_ok(lookup_rules(&config, &updates, &err), &err);
    unit_ok(lookup_open(&config, NULL, &lookup, &err), &err);
    unit_ok(lookup_candidates(&lookup, &updates, NULL, &err), &err);
    lookup_close(&lookup);
    ck_assert_int_eq(updates.items[0].code, CODE_NO_TAG);
    update_list_clear(&updates);
    config_clear(&config);
}
END_TEST

UNIT_MAIN("lookup", {
    setenv("HOME", "/nonexistent", 1);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, rules);
    tcase_add_test(cases, filters);
    tcase_add_test(cases, candidates);
    tcase_add_test(cases, cooldown);
    tcase_add_test(cases, further_candidates);
    tcase_add_test(cases, decided_ones_are_not_asked);
})
