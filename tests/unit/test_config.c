#include "pipelines/config.h"

#include <config.h>
#include <dirent.h>
#include <jansson.h>

#include "gate/base/file.h"
#include "tests/unit/tree.h"

static char *path_in_source(const char *name) {
    struct error err = {0};
    const char *source = getenv("PINGATE_TEST_SOURCE");
    char *path = file_join(source != NULL ? source : ".", name, &err);
    ck_assert_ptr_nonnull(path);
    return path;
}

static char *read_whole(const char *folder, const char *name) {
    struct error err = {0};
    struct text bytes = {0};
    char *path = file_join(folder, name, &err);
    unit_ok(file_read(path, 1 << 20, &bytes, &err), &err);
    free(path);
    return text_steal(&bytes, &err);
}

/* "@VERSION@" of an expected message, so that a release changes no case. */
static char *with_version(const char *expected) {
    struct error err = {0};
    const char *mark = strstr(expected, "@VERSION@");
    return mark == NULL ? string_dup(expected, &err)
                        : string_format(&err, "%.*s%s%s", (int)(mark - expected), expected,
                                        PINGATE_VERSION, mark + strlen("@VERSION@"));
}

static void check_case(const char *folder, const char *name) {
    struct error err = {0};
    struct config config;
    struct text bytes = {0};
    char *path = file_join(folder, "pingate.yaml", &err);
    unit_ok(file_read(path, 1 << 20, &bytes, &err), &err);
    char *raw = read_whole(folder, "expect");
    char *expected = with_version(raw);
    int result = config_parse("pingate.yaml", text_string(&bytes), bytes.length, &config, &err);
    ck_assert_msg(strcmp(expected, "ok\n") == 0 || err.kind == ERROR_CONFIG, "%s: kind %s", name,
                  error_kind_name(err.kind));
    char *got = string_format(&err, "%s\n", result == 0 ? "ok" : error_message(&err));
    ck_assert_msg(strcmp(got, expected) == 0, "%s:\n     got %sexpected %s", name, got, expected);
    config_clear(&config);
    error_clear(&err);
    text_clear(&bytes);
    free(path);
    free(raw);
    free(expected);
    free(got);
}

/* Each folder of tests/golden/config: pingate.yaml, and in `expect` the whole message, or "ok". */
START_TEST(golden) {
    char *all = path_in_source("tests/golden/config");
    DIR *folder = opendir(all);
    ck_assert_msg(folder != NULL, "%s", all);
    size_t count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct error err = {0};
        if (entry->d_name[0] == '.')
            continue;
        char *one = file_join(all, entry->d_name, &err);
        check_case(one, entry->d_name);
        free(one);
        count++;
    }
    closedir(folder);
    free(all);
    ck_assert_uint_ge(count, 100);
}
END_TEST

static void load_golden(const char *name, struct config *config) {
    struct error err = {0};
    char *path = path_in_source(name);
    unit_ok(config_load(path, config, &err), &err);
    free(path);
}

static void check_list(const struct string_list *list, const char *const *expected) {
    size_t count = 0;
    for (; expected[count] != NULL; count++) {
        ck_assert_uint_lt(count, list->count);
        ck_assert_str_eq(list->items[count], expected[count]);
    }
    ck_assert_uint_eq(list->count, count);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(every_value_arrives) {
    struct config config;
    load_golden("tests/golden/config/ok-everything/pingate.yaml", &config);
    check_list(&config.include, LIST("deploy/", "*.yaml"));
    check_list(&config.exclude, LIST("vendor/"));
    ck_assert_uint_eq(config.registries.count, 3);
    ck_assert_str_eq(config.registries.items[0].domain, "registry.example.com");
    /* beside the configuration, wherever the program stands */
    ck_assert(string_has_suffix(config.registries.items[0].ca_file, "/ok-everything/certs/ca.pem"));
    ck_assert(!config.registries.items[0].plain_http);
    ck_assert_str_eq(config.registries.items[1].domain, "localhost:5000");
    ck_assert(config.registries.items[1].plain_http);
    ck_assert_ptr_null(config.registries.items[2].ca_file);
    ck_assert_uint_eq(config.rules.count, 2);
    check_list(&config.rules.items[0].images, LIST("redis", "ghcr.io/acme/web-*", "redis:7.*"));
    ck_assert_int_eq(config.rules.items[0].policy, POLICY_MINOR);
    check_list(&config.rules.items[0].tags.ignore, LIST("*-rc*", "edge?"));
    ck_assert_str_eq(config.rules.items[0].follow, "7.2");
    ck_assert_int_eq(config.rules.items[0].line, 8);
    ck_assert_int_eq(config.rules.items[1].policy, POLICY_DIGEST);
    ck_assert(config.promote_passing && config.untested_fails);
    ck_assert_int_eq(config.time_limit_ms, 2 * 60 * 60 * 1000);
    config_clear(&config);
}
END_TEST

START_TEST(every_value_of_a_test_arrives) {
    struct config config;
    load_golden("tests/golden/config/ok-everything/pingate.yaml", &config);
    ck_assert_uint_eq(config.tests.count, 1);
    const struct test *test = &config.tests.items[0];
    ck_assert_str_eq(test->name, "answers");
    check_list(&test->images, LIST("redis"));
    ck_assert_str_eq(test->in, "python:3.12");
    ck_assert_int_eq(test->timeout_ms, 90 * 60 * 1000);
    ck_assert_uint_eq(test->retries, 2);
    ck_assert_int_eq(test->commands[3].timeout_ms, 30000);
    ck_assert_int_eq(test->commands[2].timeout_ms, 0);
    check_list(&test->environment, LIST("LANG=C", "EMPTY=", "NUMBER=7"));
    ck_assert_str_eq(test->user, "1000:1000");
    ck_assert_str_eq(test->workdir, "/srv");
    ck_assert(test->network && test->entrypoint == ENTRYPOINT_KEEP);
    ck_assert_int_eq(test->memory_bytes, 512LL << 20);
    ck_assert_int_eq(test->nano_cpus, 500000000);
    ck_assert_int_eq(test->pids, 100);
    ck_assert_int_eq(test->log_limit_bytes, 1LL << 30);
    check_list(&test->artifacts, LIST("build/report/**", "./out.txt", "7"));
    static const struct {
        const char *text, *in;
        const char *argv[4];
    } commands[] = {
        {"redis-server --version", NULL, {"sh", "-ec", "redis-server --version"}},
        {"/bin/true -x ", NULL, {"/bin/true", "-x", ""}},
        {"pytest -q", "python", {"sh", "-ec", "pytest -q"}},
        {"/app --help", NULL, {"/app", "--help"}},
        {"# two lines one two", NULL, {"sh", "-ec", "# two lines\none\ntwo\n"}},
    };
    ck_assert_uint_eq(test->command_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct test_command *command = &test->commands[i];
        ck_assert_str_eq(command->text, commands[i].text);
        ck_assert_pstr_eq(command->in, commands[i].in);
        size_t words = 0;
        for (; command->argv[words] != NULL; words++)
            ck_assert_pstr_eq(command->argv[words], commands[i].argv[words]);
        ck_assert_ptr_null(commands[i].argv[words]);
    }
    config_clear(&config);
}
END_TEST

/* Of the top level, or of the first rule that matches and says something, also nothing. */
START_TEST(gates_on_changes) {
    struct config config;
    const char *help;
    enum deny_argument argument;
    load_golden("tests/golden/config/ok-deny/pingate.yaml", &config);
    ck_assert_int_eq(config.changes, CHANGES_PACKAGES);
    ck_assert_uint_eq(config.deny.list.count, 3);
    ck_assert_int_eq(config.deny.list.items[1].percent, 20);
    ck_assert_str_eq(config.deny.list.items[2].name, "org.opencontainers.image.source");
    ck_assert_str_eq(deny_name(0, &help, &argument), "user-becomes-root");
    ck_assert_uint_eq(config_deny_for(&config, "docker.io/library/redis", "7")->count, 0);
    const struct deny_list *other = config_deny_for(&config, "docker.io/library/nginx", "1");
    ck_assert_uint_eq(other->count, 1);
    ck_assert(deny_needs_packages(other) && !deny_needs_packages(&config.deny.list));
    config_clear(&config);
    load_golden("tests/golden/config/ok-everything/pingate.yaml", &config);
    ck_assert_int_eq(config.changes, CHANGES_AUTO);
    ck_assert_uint_eq(config_deny_for(&config, "docker.io/library/redis", "7")->count, 0);
    config_clear(&config);
}
END_TEST

START_TEST(every_value_of_a_build_arrives) {
    struct config config;
    load_golden("tests/golden/config/ok-build/pingate.yaml", &config);
    ck_assert_uint_eq(config.tests.count, 4);
    static const struct {
        const char *context, *dockerfile, *target;
    } expected[] = {{".", "Dockerfile", NULL},
                    {"app", "docker/app.Dockerfile", "test"},
                    {".", "Dockerfile", NULL},
                    {"7", "Dockerfile", NULL}};
    for (size_t i = 0; i < 4; i++) {
        const struct test_build *build = config.tests.items[i].build;
        ck_assert_ptr_nonnull(build);
        ck_assert_str_eq(build->context, expected[i].context);
        ck_assert_str_eq(build->dockerfile, expected[i].dockerfile);
        ck_assert_pstr_eq(build->target, expected[i].target);
    }
    check_list(&config.tests.items[1].build->args, LIST("NAME=value", "EMPTY=", "NUMBER=7"));
    ck_assert_uint_eq(config.tests.items[0].build->args.count, 0);
    ck_assert_int_eq(config.tests.items[1].build->line, 6);
    config_clear(&config);
}
END_TEST

START_TEST(surroundings_arrive) {
    struct config config;
    load_golden("tests/golden/config/ok-surroundings/pingate.yaml", &config);
    const struct test *test = &config.tests.items[0];
    ck_assert_uint_eq(test->secrets.count, 2);
    ck_assert_str_eq(test->secrets.items[0].name, "A");
    ck_assert_str_eq(test->secrets.items[0].file, "A");
    ck_assert_str_eq(test->secrets.items[1].name, "B");
    ck_assert_str_eq(test->secrets.items[1].file, "b");
    check_list(&test->environment, LIST("A=1"));
    check_list(&test->environment_from, LIST("B=C"));
    check_list(&test->tmpfs,
               LIST("/tmp:rw,nosuid,nodev,exec,mode=1777",
                    "/run:rw,nosuid,nodev,size=67108864,noexec,mode=755,uid=5,gid=5"));
    ck_assert_int_eq(test->shm_bytes, 1 << 30);
    ck_assert_uint_eq(test->ulimits.count, 3);
    ck_assert_str_eq(test->ulimits.items[0].name, "core");
    ck_assert_int_eq(test->ulimits.items[0].soft, -1);
    ck_assert_int_eq(test->ulimits.items[0].hard, -1);
    ck_assert_str_eq(test->ulimits.items[2].name, "nproc");
    ck_assert_int_eq(test->ulimits.items[2].soft, 100);
    ck_assert_int_eq(test->ulimits.items[2].hard, 200);
    ck_assert_str_eq(test->platform, "linux/arm64");
    ck_assert(test->strict && test->entrypoint == ENTRYPOINT_REPLACE);
    ck_assert_str_eq(test->entrypoint_words[0], "tini");
    ck_assert_str_eq(test->entrypoint_words[1], "--");
    ck_assert_ptr_null(test->entrypoint_words[2]);
    config_clear(&config);
}
END_TEST

START_TEST(judging_arrives) {
    struct config config;
    load_golden("tests/golden/config/ok-judging/pingate.yaml", &config);
    ck_assert_int_eq(config.rules.items[0].candidates, 5);
    ck_assert_int_eq(config.rules.items[1].candidates, 0);
    ck_assert_int_eq(config.tests.items[0].baseline, BASELINE_OFF);
    ck_assert_int_eq(config.tests.items[0].flaky, FLAKY_REJECT);
    ck_assert_int_eq(config.tests.items[1].baseline, BASELINE_TOLERATE);
    ck_assert_int_eq(config.tests.items[1].flaky, FLAKY_PROMOTE);
    config_clear(&config);
}
END_TEST

START_TEST(defaults) {
    struct config config;
    load_golden("tests/golden/config/ok-scalars-as-lists/pingate.yaml", &config);
    ck_assert(!config.promote_passing && !config.untested_fails);
    ck_assert_uint_eq(config.include.count, 0);
    const struct test *test = &config.tests.items[0];
    ck_assert_int_eq(test->timeout_ms, TEST_TIMEOUT_MS);
    ck_assert_int_eq(test->memory_bytes, TEST_MEMORY_BYTES);
    ck_assert_int_eq(test->nano_cpus, TEST_NANO_CPUS);
    ck_assert_int_eq(test->pids, TEST_PIDS);
    ck_assert_int_eq(test->log_limit_bytes, TEST_LOG_LIMIT_BYTES);
    ck_assert(!test->network && test->entrypoint == ENTRYPOINT_CLEAR);
    ck_assert_ptr_null(test->user);
    check_list(&config.rules.items[0].images, LIST("redis"));
    check_list(&test->images, LIST("redis"));
    check_list(&test->artifacts, LIST("**"));
    config_clear(&config);
}
END_TEST

START_TEST(first_rule_that_matches) {
    static const char yaml[] = "version: 1\nupdates:\n"
                               "  - {images: 'redis:6*', policy: patch}\n"
                               "  - {images: [redis, 'ghcr.io/**'], policy: minor}\n"
                               "  - {images: '*', policy: major}\n";
    static const struct {
        const char *image, *tag;
        enum policy_kind policy;
    } rows[] = {
        {"docker.io/library/redis", "6.2", POLICY_PATCH},
        {"docker.io/library/redis", "7", POLICY_MINOR},
        {"docker.io/library/redis", NULL, POLICY_MINOR},
        {"ghcr.io/a/b/c", NULL, POLICY_MINOR},
        {"quay.io/a/b", "1", POLICY_MAJOR},
    };
    struct error err = {0};
    struct config config;
    unit_ok(config_parse("p", yaml, sizeof yaml - 1, &config, &err), &err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_int_eq(config_rule_for(&config, rows[i].image, rows[i].tag)->policy,
                         rows[i].policy);
    config.rules.count = 2;
    ck_assert_ptr_null(config_rule_for(&config, "quay.io/a/b", "1"));
    config.rules.count = 3;
    config_clear(&config);
}
END_TEST

/* Files that are no configuration, and ones that would take long. */
START_TEST(files) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct config config;
    char path[128];
    snprintf(path, sizeof path, "%s/pingate.yaml", tree.root);
    unit_fails(config_load(path, &config, &err), &err, ERROR_NOT_FOUND, "no such file");
    unit_fails(config_load(tree.root, &config, &err), &err, ERROR_CONFIG, "not a regular file");
    size_t size = CONFIG_FILE_LIMIT + 1;
    char *large = malloc(size + 1);
    memset(large, '#', size);
    large[size] = '\0';
    tree_write(&tree, "pingate.yaml", large);
    unit_fails(config_load(path, &config, &err), &err, ERROR_CONFIG, "larger than");
    free(large);
    tree_free(&tree);
}
END_TEST

/* Names are compared each with each: their number is bounded. */
START_TEST(very_many) {
    struct error err = {0};
    for (size_t count = 1000; count <= 50000; count += 49000) {
        struct text yaml = {0};
        struct config config;
        text_add(&yaml, "version: 1\ntests:\n");
        for (size_t i = 0; i < count; i++)
            text_printf(&yaml, "- {name: t%zu, run: x}\n", i);
        int result = config_parse("p", text_string(&yaml), yaml.length, &config, &err);
        if (count == 1000)
            unit_ok(result, &err);
        else
            unit_fails(result, &err, ERROR_CONFIG, "p:1003:3: more than 1000 tests");
        config_clear(&config);
        text_clear(&yaml);
    }
}
END_TEST

/* Where the keys of each prefix stand in the schema. */
static const struct {
    const char *prefix, *definition;
} places[] = {{"", NULL},
              {"files.", "files"},
              {"registries.", "registry"},
              {"updates.", "rule"},
              {"updates.tags.", "tags"},
              {"tests.", "test"},
              {"tests.build.", "build"},
              {"tests.run.", "command"},
              {"tests.secrets.", "secret"},
              {"tests.services.", "service"},
              {"tests.services.ready.", "ready"},
              {"stages.", "stage"},
              {"state.", "state"}};

#define PLACES (sizeof places / sizeof *places)

static json_t *properties_of(json_t *schema, size_t place) {
    json_t *definition =
        places[place].definition == NULL
            ? schema
            : json_object_get(json_object_get(schema, "$defs"), places[place].definition);
    ck_assert_ptr_nonnull(definition);
    ck_assert(json_is_false(json_object_get(definition, "additionalProperties")));
    return json_object_get(definition, "properties");
}

/* Takes each key of the parser out of the schema: nothing may lack, and nothing may be left. */
static int take_out(void *context, const char *prefix, const char *name) {
    for (size_t i = 0; i < PLACES; i++) {
        if (strcmp(places[i].prefix, prefix) != 0)
            continue;
        ck_assert_msg(json_object_del(properties_of(context, i), name) == 0,
                      "pingate.schema.json lacks %s%s", prefix, name);
        return 0;
    }
    ck_abort_msg("no place in the schema is known for %s%s", prefix, name);
}

START_TEST(schema_has_the_same_keys) {
    char *path = path_in_source("schemas/pingate.schema.json");
    json_error_t where;
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    ck_assert_msg(schema != NULL, "%s:%d: %s", path, where.line, where.text);
    size_t objects = 0;
    const char *name;
    json_t *definition;
    json_object_foreach(json_object_get(schema, "$defs"), name, definition) objects +=
        json_object_get(definition, "properties") != NULL;
    ck_assert_uint_eq(objects + 1, PLACES);

    json_t *words = json_object_get(json_object_get(properties_of(schema, 3), "policy"), "enum");
    const char *const *policies = policy_names();
    for (size_t i = 0; i < json_array_size(words) || policies[i] != NULL; i++)
        ck_assert_pstr_eq(json_string_value(json_array_get(words, i)), policies[i]);

    ck_assert_int_eq(config_each_key(take_out, schema), 0);
    for (size_t i = 0; i < PLACES; i++)
        json_object_foreach(properties_of(schema, i), name, definition) ck_abort_msg(
            "the parser does not know %s%s of pingate.schema.json", places[i].prefix, name);
    json_decref(schema);
    free(path);
}
END_TEST

UNIT_MAIN("config", {
    tcase_set_timeout(cases, 60); /* seconds; for sanitizers on a busy machine */
    tcase_add_test(cases, golden);
    tcase_add_test(cases, every_value_arrives);
    tcase_add_test(cases, every_value_of_a_test_arrives);
    tcase_add_test(cases, every_value_of_a_build_arrives);
    tcase_add_test(cases, gates_on_changes);
    tcase_add_test(cases, surroundings_arrive);
    tcase_add_test(cases, judging_arrives);
    tcase_add_test(cases, defaults);
    tcase_add_test(cases, first_rule_that_matches);
    tcase_add_test(cases, files);
    tcase_add_test(cases, very_many);
    tcase_add_test(cases, schema_has_the_same_keys);
})
