#include "pipelines/stages/evidence.h"

#include "tests/unit/unit.h"

#define A64     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define W64     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HOUR_MS 3600000
#define NOW_MS  (1764000000000LL)

/* The definition of a test. */

static void parse(const char *rest, struct config *config) {
    struct error err = {0};
    char *yaml =
        string_format(&err, "version: 1\nstages: [{name: staging, files: [staging/]}]\n%s\n", rest);
    unit_ok(config_parse("c", yaml, strlen(yaml), config, &err), &err);
    free(yaml);
}

static void definition(const char *test, char hex[HASH_HEX_SIZE]) {
    struct error err = {0};
    struct config config;
    char *rest = string_format(&err, "tests: [%s]", test);
    parse(rest, &config);
    unit_ok(test_definition_hash(&config.tests.items[0], hex, &err), &err);
    config_clear(&config);
    free(rest);
}

static const struct {
    const char *key; /* of the configuration, that the row is about */
    const char *one, *other;
    bool differ;
} definitions[] = {
    {"name", "{name: a, run: x}", "{name: b, run: x}", false},
    {"external", "{name: a, run: x}", "{name: a, external: true}", true},
    {"external", "{name: a, run: x}", "{name: a, run: x, external: false}", false},
    {"images", "{name: a, run: x}", "{name: a, run: x, images: redis}", false},
    {"reuse", "{name: a, run: x}", "{name: a, run: x, reuse: 1h}", false},
    {"baseline", "{name: a, run: x}", "{name: a, run: x, baseline: tolerate}", false},
    {"flaky", "{name: a, run: x}", "{name: a, run: x, flaky: promote}", false},
    {"artifacts", "{name: a, run: x}", "{name: a, run: x, artifacts: y}", false},
    {"junit", "{name: a, run: x}", "{name: a, run: x, junit: y}", true},
    {"junit", "{name: a, run: x, junit: y}", "{name: a, run: x, junit: [y]}", false},
    {"junit", "{name: a, run: x, junit: y}", "{name: a, run: x, junit: z}", true},
    {"external", "{name: a, run: x}", "{name: a, external: true}", true},
    {"build", "{name: a, run: x}", "{name: a, run: x, build: .}", true},
    {"build", "{name: a, run: x, build: .}", "{name: a, run: x, build: {}}", false},
    {"context", "{name: a, run: x, build: .}", "{name: a, run: x, build: {context: ./}}", false},
    {"context", "{name: a, run: x, build: .}", "{name: a, run: x, build: app}", true},
    {"dockerfile", "{name: a, run: x, build: .}",
     "{name: a, run: x, build: {dockerfile: Dockerfile}}", false},
    {"dockerfile", "{name: a, run: x, build: .}", "{name: a, run: x, build: {dockerfile: d}}",
     true},
    {"target", "{name: a, run: x, build: .}", "{name: a, run: x, build: {target: t}}", true},
    {"args", "{name: a, run: x, build: .}", "{name: a, run: x, build: {args: {A: b}}}", true},
    {"args", "{name: a, run: x, build: {args: {A: b, C: d}}}",
     "{name: a, run: x, build: {args: {C: d, A: b}}}", false},
    {"args", "{name: a, run: x, build: {args: {A: b}}}", "{name: a, run: x, build: {args: {A: c}}}",
     true},
    {"run", "{name: a, run: x}", "{name: a, run: y}", true},
    {"run", "{name: a, run: x}", "{name: a, run: [x]}", false},
    {"run", "{name: a, run: x}", "{name: a, run: [{command: x}]}", false},
    {"run", "{name: a, run: [x, y]}", "{name: a, run: [y, x]}", true},
    {"run", "{name: a, run: [x, y]}", "{name: a, run: [x]}", true},
    {"run", "{name: a, run: 'x y'}", "{name: a, run: [[x, y]]}", true},
    {"run", "{name: a, run: [[x, y]]}", "{name: a, run: [[x], [y]]}", true},
    {"run", "{name: a, run: [[x, 'y z']]}", "{name: a, run: [[x, y, z]]}", true},
    {"run", "{name: a, run: \"x\\ny\"}", "{name: a, run: 'x y'}", true},
    {"in", "{name: a, run: x}", "{name: a, run: x, in: redis}", true},
    {"in", "{name: a, run: x, in: redis}", "{name: a, run: x, in: 'redis:7'}", true},
    {"in", "{name: a, run: x, in: redis}", "{name: a, run: [{in: redis, command: x}]}", false},
    {"services", "{name: a, run: x}", "{name: a, run: x, services: {redis: }}", true},
    {"services", "{name: a, run: x, services: {redis: }}",
     "{name: a, run: x, services: {redis: {image: redis, entrypoint: keep, within: 60s}}}", false},
    {"services", "{name: a, run: x, services: {redis: , db: }}",
     "{name: a, run: x, services: {db: , redis: }}", true},
    {"services", "{name: a, run: x, services: {redis: {command: a}}}",
     "{name: a, run: x, services: {redis: {health: a}}}", true},
    {"services", "{name: a, run: x, services: {redis: {ready: {tcp: 80}}}}",
     "{name: a, run: x, services: {redis: {ready: {http: 80}}}}", true},
    {"services", "{name: a, run: x, services: {redis: {ready: {http: 80}}}}",
     "{name: a, run: x, services: {redis: {ready: {http: '80/', status: 200}}}}", true},
    {"services", "{name: a, run: x, services: {redis: {ready: {log: a}}}}",
     "{name: a, run: x, services: {redis: {ready: {exec: a}}}}", true},
    {"services", "{name: a, run: x, services: {redis: {ready: {exec: a}}}}",
     "{name: a, run: x, services: {redis: {ready: {exec: b}}}}", true},
    {"services", "{name: a, run: x, services: {redis: {may_end: true}}}",
     "{name: a, run: x, services: {redis: {may_end: false}}}", true},
    {"services",
     "{name: a, run: x, services: {redis: {aliases: [a, b], environment: {A: 1, B: 2}}}}",
     "{name: a, run: x, services: {redis: {aliases: [b, a], environment: {B: 2, A: 1}}}}", false},
    {"timeout", "{name: a, run: x}", "{name: a, run: x, timeout: 5m}", true},
    {"timeout", "{name: a, run: x}", "{name: a, run: x, timeout: 10m}", false},
    {"timeout", "{name: a, run: [x]}", "{name: a, run: [{command: x, timeout: 5m}]}", true},
    {"retries", "{name: a, run: x}", "{name: a, run: x, retries: 1}", true},
    {"retries", "{name: a, run: x}", "{name: a, run: x, retries: 0}", false},
    {"environment", "{name: a, run: x}", "{name: a, run: x, environment: {A: '1'}}", true},
    {"environment", "{name: a, run: x, environment: {A: 1, B: 2}}",
     "{name: a, run: x, environment: {B: 2, A: 1}}", false},
    {"environment", "{name: a, run: x, environment: {A: 1, B: 2}}",
     "{name: a, run: x, environment: {A: 2, B: 1}}", true},
    {"user", "{name: a, run: x}", "{name: a, run: x, user: nobody}", true},
    {"user", "{name: a, run: x, user: /a}", "{name: a, run: x, workdir: /a}", true},
    {"workdir", "{name: a, run: x}", "{name: a, run: x, workdir: /a}", true},
    {"network", "{name: a, run: x}", "{name: a, run: x, network: bridge}", true},
    {"network", "{name: a, run: x}", "{name: a, run: x, network: none}", false},
    {"entrypoint", "{name: a, run: x}", "{name: a, run: x, entrypoint: keep}", true},
    {"memory", "{name: a, run: x}", "{name: a, run: x, memory: 1GiB}", true},
    {"cpus", "{name: a, run: x}", "{name: a, run: x, cpus: 1}", true},
    {"pids", "{name: a, run: x}", "{name: a, run: x, pids: 100}", true},
    {"log_limit", "{name: a, run: x}", "{name: a, run: x, log_limit: 1MiB}", true},
    {"environment", "{name: a, run: x}", "{name: a, run: x, environment: {A: {from: B}}}", true},
    {"environment", "{name: a, run: x, environment: {A: B}}",
     "{name: a, run: x, environment: {A: {from: B}}}", true},
    {"secrets", "{name: a, run: x}", "{name: a, run: x, secrets: A}", true},
    {"secrets", "{name: a, run: x, secrets: A}",
     "{name: a, run: x, secrets: {name: A, file: /run/secrets/A}}", false},
    {"secrets", "{name: a, run: x, secrets: A}", "{name: a, run: x, secrets: {name: A, file: b}}",
     true},
    {"entrypoint", "{name: a, run: x, entrypoint: keep}", "{name: a, run: x, entrypoint: [keep]}",
     true},
    {"entrypoint", "{name: a, run: x, entrypoint: [a, b]}", "{name: a, run: x, entrypoint: [a b]}",
     true},
    {"profile", "{name: a, run: x}", "{name: a, run: x, profile: strict}", true},
    {"profile", "{name: a, run: x}", "{name: a, run: x, profile: default}", false},
    {"platform", "{name: a, run: x}", "{name: a, run: x, platform: linux/arm64}", true},
    {"platform", "{name: a, run: x, platform: linux/aarch64}",
     "{name: a, run: x, platform: linux/arm64}", false},
    {"shm", "{name: a, run: x}", "{name: a, run: x, shm: 1MiB}", true},
    {"tmpfs", "{name: a, run: x}", "{name: a, run: x, tmpfs: /tmp}", true},
    {"tmpfs", "{name: a, run: x, tmpfs: /tmp}", "{name: a, run: x, tmpfs: '/tmp:noexec'}", true},
    {"tmpfs", "{name: a, run: x, tmpfs: [/tmp, /run]}", "{name: a, run: x, tmpfs: [/run, /tmp]}",
     false},
    {"ulimits", "{name: a, run: x}", "{name: a, run: x, ulimits: {nofile: 100}}", true},
    {"ulimits", "{name: a, run: x, ulimits: {nofile: 100, core: 0}}",
     "{name: a, run: x, ulimits: {core: 0, nofile: {soft: 100}}}", false},
};

START_TEST(definitions_differ) {
    char one[HASH_HEX_SIZE];
    char other[HASH_HEX_SIZE];
    definition(definitions[_i].one, one);
    definition(definitions[_i].other, other);
    ck_assert_msg((strcmp(one, other) != 0) == definitions[_i].differ, "%s and %s: %s, %s",
                  definitions[_i].one, definitions[_i].other, one, other);
}
END_TEST

/* A key that is new must say whether it is part of the definition: with a row above. */
static int find_key(void *context, const char *prefix, const char *name) {
    bool *all = context;
    if (strcmp(prefix, "tests.") != 0)
        return 0;
    bool found = false;
    for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++)
        found = found || strcmp(definitions[i].key, name) == 0;
    if (!found)
        fprintf(stderr, "test_evidence: no row tells whether \"%s\" is part of the definition\n",
                name);
    *all = *all && found;
    return 0;
}

START_TEST(every_key_is_thought_of) {
    bool all = true;
    ck_assert_int_eq(config_each_key(find_key, &all), 0);
    ck_assert(all);
}
END_TEST

/* Evidence that is on record stays good: another program gives the same hash. */
START_TEST(definition_stays) {
    char hex[HASH_HEX_SIZE];
    definition("{name: a, run: [x, [y, z]], in: redis, environment: {B: '2', A: '1'}}", hex);
    ck_assert_str_eq(hex, "9ba7f1799c656302fd75ef6f498085d3a62028e7b8830bf0806226de29b2a182");
}
END_TEST

/* Keys. */

struct world {
    struct config config;
    struct update_list updates;
    struct plan plan;
    bool moved[2];
};

static void add_update(struct world *world, const char *image, const char *tag,
                       const char *candidate_tag) {
    struct error err = {0};
    struct update *update = array_add(&world->updates, &err);
    update->image = string_dup(image, &err);
    update->tag = string_dup(tag, &err);
    update->digest = string_dup("sha256:" A64, &err);
    update->candidate_tag = string_dup(candidate_tag, &err);
    update->candidate_digest = string_dup("sha256:" B64, &err);
    update->stage = UPDATE_NO_STAGE;
}

static struct world make_world(const char *tests) {
    struct error err = {0};
    struct world world = {0};
    char *rest = string_format(&err, "tests: %s", tests);
    parse(rest, &world.config);
    free(rest);
    add_update(&world, "docker.io/library/python", "3", "4");
    add_update(&world, "docker.io/library/redis", "7", "7");
    unit_ok(plan_make(&world.config, &world.updates, NULL, false, &world.plan, &err), &err);
    return world;
}

static void end_world(struct world *world) {
    plan_clear(&world->plan);
    update_list_clear(&world->updates);
    config_clear(&world->config);
}

static const struct evidence_facts facts = {
    .platform = "linux/amd64", .workspace = W64, .source = "run", .stage = "staging"};

static struct evidence_key make_key(const struct world *world, size_t trial,
                                    const struct evidence_facts *with) {
    struct error err = {0};
    struct evidence_key key;
    struct trial_spec spec = {0};
    unit_ok(
        plan_spec(&world->plan.items[trial], &world->updates, world->moved, "/logs", &spec, &err),
        &err);
    unit_ok(evidence_key_of(&world->plan.items[trial], &spec, &world->updates, world->moved, with,
                            &key, &err),
            &err);
    trial_spec_clear(&spec);
    return key;
}

#define REUSABLE_TEST                                                                              \
    "[{name: both, run: [x, {in: python, command: y}, {in: redis, command: z}], images: '*'}]"

/* Values are those of all who take part, sorted, on the candidate or as pinned. */
START_TEST(keys) {
    struct world world = make_world(REUSABLE_TEST);
    ck_assert_uint_eq(world.plan.count, 2);
    world.moved[1] = true;
    struct evidence_key python = make_key(&world, 0, &facts);
    struct evidence_key redis = make_key(&world, 1, &facts);
    ck_assert_str_eq(python.test, "both");
    ck_assert_uint_eq(python.values.lines.count, 2);
    ck_assert_str_eq(python.values.lines.items[0], "docker.io/library/python:3@sha256:" A64);
    ck_assert_str_eq(python.values.lines.items[1], "docker.io/library/redis:7@sha256:" B64);
    ck_assert_str_eq(python.definition, redis.definition);
    ck_assert_str_eq(python.values.id, redis.values.id);
    ck_assert_str_ne(python.trial, redis.trial); /* "x" runs in another image */
    struct evidence_key again = make_key(&world, 1, &facts);
    ck_assert_str_eq(again.trial, redis.trial);
    evidence_key_clear(&again);
    free(world.updates.items[1].digest); /* as PINGATE_OLD_DIGEST tells */
    struct error err = {0};
    world.updates.items[1].digest =
        string_dup("sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", &err);
    again = make_key(&world, 1, &facts);
    ck_assert_str_eq(again.values.id, redis.values.id);
    ck_assert_str_ne(again.trial, redis.trial);
    evidence_key_clear(&again);
    evidence_key_clear(&python);
    evidence_key_clear(&redis);
    end_world(&world);
}
END_TEST

/* Drafts. */

static void write_and_read(const struct evidence *evidence, struct ledger *ledger) {
    struct error err = {0};
    struct ledger_file file;
    for (size_t i = 0; i < evidence->count; i++)
        evidence->items[i].actor = "somebody";
    unit_ok(ledger_format(evidence->items, evidence->count, NOW_MS, &file, &err), &err);
    unit_ok(ledger_parse(file.path, file.bytes.bytes, file.bytes.length, ledger, &err), &err);
    ledger_sort(ledger);
    ledger_file_clear(&file);
}

/* What the ledger says of one trial. */
START_TEST(drafts) {
    struct error err = {0};
    struct world world = make_world("[{name: answers, images: redis, run: x}]");
    struct evidence evidence = {0};
    struct ledger ledger = {0};
    for (int moved = 0; moved <= 1; moved++) { /* the baseline too */
        world.moved[1] = moved == 1;
        struct evidence_key key = make_key(&world, 0, &facts);
        unit_ok(evidence_add(&evidence, &key, moved ? OUTCOME_FAILED : OUTCOME_PASSED,
                             NOW_MS - 1000 * (1 - moved), &err),
                &err);
        evidence_key_clear(&key);
    }
    end_world(&world); /* drafts hold what they tell */
    write_and_read(&evidence, &ledger);
    ck_assert_uint_eq(ledger.count, 2);
    const struct ledger_entry *entry = &ledger.items[0];
    ck_assert_int_eq(entry->type, LEDGER_EVIDENCE);
    ck_assert_int_eq(entry->time_ms, NOW_MS - 1000);
    ck_assert_int_eq(entry->outcome, OUTCOME_PASSED);
    ck_assert_str_eq(entry->test, "answers");
    ck_assert_str_eq(entry->platform, "linux/amd64");
    ck_assert_str_eq(entry->workspace, W64);
    ck_assert_str_eq(entry->source, "run");
    ck_assert_str_eq(entry->stage, "staging");
    ck_assert_uint_eq(entry->value_count, 1);
    ck_assert_str_eq(entry->values[0], "docker.io/library/redis:7@sha256:" A64);
    ck_assert_uint_eq(strlen(entry->definition), 64);
    ck_assert_uint_eq(strlen(entry->trial), 64);
    ck_assert_int_eq(ledger.items[1].outcome, OUTCOME_FAILED);
    ck_assert_str_eq(ledger.items[1].values[0], "docker.io/library/redis:7@sha256:" B64);
    ledger_clear(&ledger);
    evidence_clear(&evidence);
}
END_TEST

START_TEST(what_proves_something) {
    static const struct {
        enum outcome outcome;
        size_t drafts;
    } rows[] = {{OUTCOME_PASSED, 1},    {OUTCOME_FAILED, 1}, {OUTCOME_FLAKY, 1},
                {OUTCOME_TIMED_OUT, 1}, {OUTCOME_OOM, 1},    {OUTCOME_ERROR, 0},
                {OUTCOME_SKIPPED, 0}};
    ck_assert_uint_eq(sizeof rows / sizeof *rows, OUTCOME_COUNT);
    struct world world = make_world("[{name: answers, images: redis, run: x}]");
    struct evidence_key key = make_key(&world, 0, &facts);
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        struct error err = {0};
        struct evidence evidence = {0};
        unit_ok(evidence_add(&evidence, &key, rows[i].outcome, NOW_MS, &err), &err);
        ck_assert_msg(evidence.count == rows[i].drafts, "%s", outcome_name(rows[i].outcome));
        ck_assert(evidence.count == 0 || evidence.items[0].outcome == rows[i].outcome);
        evidence_clear(&evidence);
    }
    evidence_key_clear(&key);
    end_world(&world);
}
END_TEST

/* Two trials of one test on the same digests are one entry, with the worse outcome, in whatever order they came. */
START_TEST(two_that_look_the_same) {
    static const struct {
        enum outcome one, other, told;
    } rows[] = {{OUTCOME_PASSED, OUTCOME_PASSED, OUTCOME_PASSED},
                {OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_FAILED},
                {OUTCOME_FAILED, OUTCOME_PASSED, OUTCOME_FAILED},
                {OUTCOME_FLAKY, OUTCOME_PASSED, OUTCOME_FLAKY},
                {OUTCOME_FLAKY, OUTCOME_OOM, OUTCOME_OOM},
                {OUTCOME_FAILED, OUTCOME_TIMED_OUT, OUTCOME_FAILED},
                {OUTCOME_PASSED, OUTCOME_ERROR, OUTCOME_PASSED}};
    struct error err = {0};
    struct evidence evidence = {0};
    struct world world = make_world(REUSABLE_TEST);
    struct evidence_key python = make_key(&world, 0, &facts);
    struct evidence_key redis = make_key(&world, 1, &facts);
    unit_ok(evidence_add(&evidence, &python, rows[_i].one, NOW_MS - 1, &err), &err);
    unit_ok(evidence_add(&evidence, &redis, rows[_i].other, NOW_MS, &err), &err);
    ck_assert_uint_eq(evidence.count, 1);
    ck_assert_int_eq(evidence.items[0].outcome, rows[_i].told);
    bool both = rows[_i].other != OUTCOME_ERROR;
    ck_assert_int_eq(evidence.items[0].time_ms, both ? NOW_MS : NOW_MS - 1);
    ck_assert((evidence.items[0].trial == NULL) == both); /* it answers neither of the two */
    struct ledger ledger = {0};
    write_and_read(&evidence, &ledger);
    ck_assert((evidence_reusable(&ledger, &python, HOUR_MS, NOW_MS) != NULL) == !both);
    ledger_clear(&ledger);
    evidence_clear(&evidence);
    evidence_key_clear(&python);
    evidence_key_clear(&redis);
    end_world(&world);
}
END_TEST

/* Reuse. Entries are "OUTCOME AGE", newest last, for a trial that is answered by a pass younger than an hour. */

#define MINUTE_MS 60000
enum { NONE = -1 };

static const struct reuse_row {
    const char *name;
    struct {
        enum outcome outcome;
        int age_minutes;
        char change; /* how its key differs: see changed_key; 0: not at all */
    } entries[3];
    int count;
    int reused; /* index of the entry; NONE */
} reuse_rows[] = {
    {"nothing is on record", {{0}}, 0, NONE},
    {"a pass", {{OUTCOME_PASSED, 30, 0}}, 1, 0},
    {"a pass of this moment", {{OUTCOME_PASSED, 0, 0}}, 1, 0},
    {"a pass just young enough", {{OUTCOME_PASSED, 59, 0}}, 1, 0},
    {"a pass too old by nothing", {{OUTCOME_PASSED, 60, 0}}, 1, NONE},
    {"a pass from the future", {{OUTCOME_PASSED, -1, 0}}, 1, NONE},
    {"a failure", {{OUTCOME_FAILED, 30, 0}}, 1, NONE},
    {"a flaky pass", {{OUTCOME_FLAKY, 30, 0}}, 1, NONE},
    {"the newest of two", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_PASSED, 20, 0}}, 2, 1},
    {"an older failure", {{OUTCOME_FAILED, 30, 0}, {OUTCOME_PASSED, 20, 0}}, 2, 1},
    {"a later failure", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FAILED, 20, 0}}, 2, NONE},
    {"a failure at the same time", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FAILED, 30, 0}}, 2, NONE},
    {"a later time-out", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_TIMED_OUT, 20, 0}}, 2, NONE},
    {"a later flaky pass", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FLAKY, 20, 0}}, 2, NONE},
    {"a failure from the future", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FAILED, -5, 0}}, 2, NONE},
    {"a later failure of another trial of the test",
     {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FAILED, 20, 'g'}},
     2,
     NONE},
    {"a later failure elsewhere", {{OUTCOME_PASSED, 30, 0}, {OUTCOME_FAILED, 20, 'p'}}, 2, 0},
    {"a pass, a failure, a pass",
     {{OUTCOME_PASSED, 50, 0}, {OUTCOME_FAILED, 40, 0}, {OUTCOME_PASSED, 30, 0}},
     3,
     2},
    {"another test", {{OUTCOME_PASSED, 30, 't'}}, 1, NONE},
    {"another definition", {{OUTCOME_PASSED, 30, 'd'}}, 1, NONE},
    {"other values", {{OUTCOME_PASSED, 30, 'v'}}, 1, NONE},
    {"more values", {{OUTCOME_PASSED, 30, 'm'}}, 1, NONE},
    {"another workspace", {{OUTCOME_PASSED, 30, 'w'}}, 1, NONE},
    {"an unknown workspace", {{OUTCOME_PASSED, 30, 'u'}}, 1, NONE},
    {"another platform", {{OUTCOME_PASSED, 30, 'p'}}, 1, NONE},
    {"another image for its command", {{OUTCOME_PASSED, 30, 'g'}}, 1, NONE},
    {"another source and stage", {{OUTCOME_PASSED, 30, 's'}}, 1, 0},
};

static void change_key(struct evidence_key *key, char how) {
    struct error err = {0};
    static const char *const other[] = {"ghcr.io/a/b:1@sha256:" A64,
                                        "docker.io/library/redis:7@sha256:" B64};
    if (how == 't')
        key->test = "other";
    if (how == 'd')
        key->definition[0] = key->definition[0] == '0' ? '1' : '0';
    if (how == 'g')
        key->trial[0] = key->trial[0] == '0' ? '1' : '0';
    if (how == 'w')
        key->facts.workspace = A64;
    if (how == 'u')
        key->facts.workspace = NULL;
    if (how == 'p')
        key->facts.platform = "linux/arm64";
    if (how == 's') {
        key->facts.source = "promote";
        key->facts.stage = NULL;
    }
    if (how == 'v' || how == 'm') {
        set_clear(&key->values);
        unit_ok(set_of_lines(other, how == 'v' ? 1 : 2, &key->values, &err), &err);
    }
}

START_TEST(reuse) {
    const struct reuse_row *row = &reuse_rows[_i];
    struct error err = {0};
    struct ledger ledger = {0};
    struct world world = make_world("[{name: answers, images: redis, run: x}]");
    world.moved[1] = true;
    struct evidence_key asked = make_key(&world, 0, &facts);
    for (int i = 0; i < row->count; i++) {
        struct evidence evidence = {0};
        struct evidence_key key = make_key(&world, 0, &facts);
        change_key(&key, row->entries[i].change);
        unit_ok(evidence_add(&evidence, &key, row->entries[i].outcome,
                             NOW_MS - (int64_t)row->entries[i].age_minutes * MINUTE_MS, &err),
                &err);
        write_and_read(&evidence, &ledger);
        evidence_clear(&evidence);
        evidence_key_clear(&key);
    }
    const struct ledger_entry *found = evidence_reusable(&ledger, &asked, HOUR_MS, NOW_MS);
    ck_assert_msg((found != NULL) == (row->reused != NONE), "%s", row->name);
    if (found != NULL)
        ck_assert_msg(found->time_ms ==
                          NOW_MS - (int64_t)row->entries[row->reused].age_minutes * MINUTE_MS,
                      "%s", row->name);
    ck_assert_ptr_null(evidence_reusable(&ledger, &asked, 0, NOW_MS));
    asked.facts.workspace = NULL;
    ck_assert_ptr_null(evidence_reusable(&ledger, &asked, HOUR_MS, NOW_MS));
    evidence_key_clear(&asked);
    ledger_clear(&ledger);
    end_world(&world);
}
END_TEST

UNIT_MAIN("evidence", {
    tcase_add_loop_test(cases, definitions_differ, 0, sizeof definitions / sizeof *definitions);
    tcase_add_test(cases, every_key_is_thought_of);
    tcase_add_test(cases, definition_stays);
    tcase_add_test(cases, keys);
    tcase_add_test(cases, drafts);
    tcase_add_test(cases, what_proves_something);
    tcase_add_loop_test(cases, two_that_look_the_same, 0, 7);
    tcase_add_loop_test(cases, reuse, 0, sizeof reuse_rows / sizeof *reuse_rows);
})
