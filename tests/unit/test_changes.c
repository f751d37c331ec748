#include "runners/changes.h"

#include "gate/base/json_read.h"
#include "tests/unit/unit.h"

static json_t *parse(const char *text) {
    struct error err = {0};
    json_t *json = NULL;
    unit_ok(json_read(text, strlen(text), 0, &json, NULL, &err), &err);
    ck_assert_msg(json != NULL, "no JSON: %s", text);
    return json;
}

static int read_facts(const char *text, enum image_source source, struct image_facts *facts,
                      struct error *err) {
    json_t *json = parse(text);
    int result = image_facts_read(facts, json, source, err);
    json_decref(json);
    return result;
}

static void add_packages(struct image_facts *facts, const char *bytes) {
    struct error err = {0};
    struct package_list list = {0};
    struct package_reader reader = {.format = PACKAGES_APK, .list = &list};
    unit_ok(package_reader_feed(&reader, bytes, strlen(bytes), &err), &err);
    unit_ok(package_reader_end(&reader, &err), &err);
    unit_ok(image_facts_add_packages(facts, &list, &err), &err);
    package_list_clear(&list);
}

static const struct row {
    const char *what;
    const char *before, *after; /* inside of "Config", or whole documents that begin with "{" */
    const char *all;            /* every change, in words */
    const char *line;           /* in one line */
} rows[] = {
    {"nothing", "", "", "", ""},
    {"no configuration at all", "{}", "{}", "", ""},
    {"null is none", "\"User\":null,\"Env\":null,\"Labels\":null", "", "", ""},
    {"empty is none", "\"User\":\"\",\"Cmd\":[],\"Volumes\":{},\"WorkingDir\":\"\"", "", "", ""},
    {"a user", "\"User\":\"999\"", "", "user 999 → root|", "user 999 → root"},
    {"root by other names", "\"User\":\"0\"", "\"User\":\"root:root\"", "", ""},
    {"a group", "\"User\":\"0\"", "\"User\":\"0:5\"", "user root → 0:5|", "user root → 0:5"},
    {"an entrypoint", "\"Entrypoint\":[\"a\",\"b\"]", "\"Entrypoint\":[\"a b\"]",
     "entrypoint [\"a\",\"b\"] → [\"a b\"]|", "entrypoint changed"},
    {"an entrypoint that goes", "\"Entrypoint\":[\"a\"]", "", "entrypoint is gone|",
     "entrypoint is gone"},
    {"a command that comes", "", "\"Cmd\":[\"a\"]", "command is new: [\"a\"]|", "command is new"},
    {"a working directory", "", "\"WorkingDir\":\"/data\"", "working directory / → /data|",
     "working directory / → /data"},
    {"ports", "\"ExposedPorts\":{\"80/tcp\":{},\"81/tcp\":{}}",
     "\"ExposedPorts\":{\"81/tcp\":{},\"82/udp\":{}}", "port 80/tcp is gone|port 82/udp is new|",
     "port 80/tcp is gone, port 82/udp is new"},
    {"volumes", "\"Volumes\":{\"/a\":{}}", "\"Volumes\":{\"/b\":{}}",
     "volume /a is gone|volume /b is new|", "volume /a is gone, volume /b is new"},
    {"a health check that goes", "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}",
     "\"Healthcheck\":{\"Test\":[\"NONE\"]}", "health check is gone|", "health check is gone"},
    {"a health check's time", "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1}",
     "\"Healthcheck\":{\"Interval\":2,\"Test\":[\"CMD\",\"x\"]}",
     "health check {\"Interval\":1,\"Test\":[\"CMD\",\"x\"]} → "
     "{\"Interval\":2,\"Test\":[\"CMD\",\"x\"]}|",
     "health check changed"},
    {"signal and shell", "\"StopSignal\":\"SIGQUIT\"", "\"Shell\":[\"/bin/sh\"]",
     "stop signal is gone|shell is new: [\"/bin/sh\"]|", "stop signal is gone, shell is new"},
    {"variables", "\"Env\":[\"A=1\",\"B=2\",\"C=3\"]", "\"Env\":[\"C=3\",\"B=3\",\"D\"]",
     "variable A is gone|variable B 2 → 3|variable D is new|",
     "variable A is gone, variable B 2 → 3, variable D is new"},
    {"the last of two holds", "\"Env\":[\"A=1\",\"A=2\"]", "\"Env\":[\"A=2\"]", "", ""},
    {"plenty is counted", "\"Env\":[\"A=1\",\"B=2\",\"X=1\"]", "\"Env\":[\"C=1\",\"D=1\",\"X=2\"]",
     "variable A is gone|variable B is gone|variable C is new: 1|variable D is new: 1|variable X 1 "
     "→ 2|",
     "variable X 1 → 2, 2 variables added, 2 variables removed"},
    {"a secret", "\"Env\":[\"DB_PASSWORD=x\"]", "\"Env\":[\"DB_PASSWORD=y\"]",
     "variable DB_PASSWORD changed|", "variable DB_PASSWORD changed"},
    {"a secret that comes", "", "\"Env\":[\"API_KEY=y\"]", "variable API_KEY is new: (not shown)|",
     "variable API_KEY is new: (not shown)"},
    {"labels", "\"Labels\":{\"org.opencontainers.image.version\":\"1\",\"x\":\"1\",\"y\":\"\"}",
     "\"Labels\":{\"org.opencontainers.image.version\":\"2\",\"x\":\"2\"}",
     "label org.opencontainers.image.version 1 → 2|label x changed|label y is gone|", ""},
    {"platform, times", "{\"Os\":\"linux\",\"Architecture\":\"amd64\",\"Created\":\"2024\"}",
     "{\"Os\":\"linux\",\"Architecture\":\"arm64\",\"Variant\":\"v8\",\"Created\":\"2025\"}",
     "platform linux/amd64 → linux/arm64|created 2024 → 2025|",
     "platform linux/amd64 → linux/arm64"},
    {"a size", "{\"Size\":50000000}", "{\"Size\":62000000}", "size 50.0 MB → 62.0 MB|",
     "12.0 MB larger"},
    {"smaller", "{\"Size\":62000000}", "{\"Size\":50000000}", "size 62.0 MB → 50.0 MB|",
     "12.0 MB smaller"},
};

static int document(const char *part, struct image_facts *facts, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    if (part[0] != '{')
        text_printf(&words, "{\"Config\":{%s}}", part);
    return read_facts(part[0] == '{' ? part : text_string(&words), IMAGE_FROM_ENGINE, facts, err);
}

static void check_words(const struct row *row, const struct changes *changes) {
    _cleanup_(text_clear) struct text all = {0};
    _cleanup_(text_clear) struct text line = {0};
    for (size_t i = 0; i < changes->count; i++) {
        change_words(&changes->items[i], " → ", &all);
        text_add(&all, "|");
    }
    changes_words(changes, " → ", &line);
    ck_assert_msg(strcmp(text_string(&all), row->all) == 0, "%s: %s", row->what, text_string(&all));
    ck_assert_msg(strcmp(text_string(&line), row->line) == 0, "%s: %s", row->what,
                  text_string(&line));
}

START_TEST(compares) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct image_facts before = {0};
    struct image_facts after = {0};
    struct changes changes = {0};
    unit_ok(document(row->before, &before, &err), &err);
    unit_ok(document(row->after, &after, &err), &err);
    unit_ok(changes_compare(&before, &after, &changes, &err), &err);
    check_words(row, &changes);
    changes_clear(&changes);
    unit_ok(changes_compare(&before, &before, &changes, &err), &err);
    ck_assert_uint_eq(changes.count, 0);
    changes_clear(&changes);
    image_facts_clear(&before);
    image_facts_clear(&after);
}
END_TEST

static const struct package_row {
    const char *what, *before, *after; /* NULL: not known */
    const char *line;
} package_rows[] = {
    {"the same", "P:a\nV:1\n", "P:a\nV:1\n", ""},
    {"one", "P:openssl\nV:3.0.14\n", "P:openssl\nV:3.0.15\n", "openssl 3.0.14 → 3.0.15"},
    {"added, removed, changed", "P:a\nV:1\n\nP:b\nV:1\n", "P:a\nV:2\n\nP:c\nV:1\n\nP:d\nV:1\n",
     "a 1 → 2, 2 packages added, 1 package removed"},
    {"many", "P:a\nV:1\n\nP:b\nV:1\n\nP:c\nV:1\n\nP:d\nV:1\n\nP:e\nV:1\n",
     "P:a\nV:2\n\nP:b\nV:2\n\nP:c\nV:2\n\nP:d\nV:2\n\nP:e\nV:2\n",
     "a 1 → 2, b 1 → 2, c 1 → 2, 2 packages more changed"},
    {"none left", "P:a\nV:1\n", "", "1 package removed"},
    {"not known before", NULL, "P:a\nV:1\n", ""},
    {"not known after", "P:a\nV:1\n", NULL, ""},
};

START_TEST(compares_packages) {
    const struct package_row *row = &package_rows[_i];
    struct error err = {0};
    struct image_facts before = {0};
    struct image_facts after = {0};
    struct changes changes = {0};
    _cleanup_(text_clear) struct text line = {0};
    unit_ok(document("", &before, &err), &err);
    unit_ok(document("", &after, &err), &err);
    if (row->before != NULL)
        add_packages(&before, row->before);
    if (row->after != NULL)
        add_packages(&after, row->after);
    unit_ok(changes_compare(&before, &after, &changes, &err), &err);
    ck_assert_int_eq(changes.packages_known, row->before != NULL && row->after != NULL);
    changes_words(&changes, " → ", &line);
    ck_assert_msg(strcmp(text_string(&line), row->line) == 0, "%s: %s", row->what,
                  text_string(&line));
    changes_clear(&changes);
    image_facts_clear(&before);
    image_facts_clear(&after);
}
END_TEST

static const struct bad_row {
    const char *what;
    enum image_source source;
    const char *json, *message;
    enum error_kind kind;
} bad_rows[] = {
    {"a list", IMAGE_FROM_ENGINE, "[]", "no JSON object", ERROR_PROTOCOL},
    {"a configuration that is none", IMAGE_FROM_ENGINE, "{\"Config\":7}", "Config", ERROR_PROTOCOL},
    {"a user that is a number", IMAGE_FROM_ENGINE, "{\"Config\":{\"User\":0}}", "User",
     ERROR_PROTOCOL},
    {"an entrypoint that is a text", IMAGE_FROM_REGISTRY, "{\"config\":{\"Entrypoint\":\"a\"}}",
     "Entrypoint", ERROR_PROTOCOL},
    {"an entrypoint of numbers", IMAGE_FROM_REGISTRY, "{\"config\":{\"Entrypoint\":[1]}}",
     "Entrypoint holds what is no text", ERROR_PROTOCOL},
    {"ports in a list", IMAGE_FROM_ENGINE, "{\"Config\":{\"ExposedPorts\":[\"80/tcp\"]}}",
     "ExposedPorts", ERROR_PROTOCOL},
    {"a label that is a number", IMAGE_FROM_ENGINE, "{\"Config\":{\"Labels\":{\"a\":1}}}",
     "a label is no text", ERROR_PROTOCOL},
    {"a health check in a list", IMAGE_FROM_ENGINE, "{\"Config\":{\"Healthcheck\":[]}}",
     "Healthcheck", ERROR_PROTOCOL},
    {"a platform of escapes", IMAGE_FROM_REGISTRY,
     "{\"os\":\"linux\",\"architecture\":\"\\u001b[2J\"}", "no platform", ERROR_PROTOCOL},
    {"layers that are a number", IMAGE_FROM_REGISTRY, "{\"rootfs\":{\"diff_ids\":3}}", "diff_ids",
     ERROR_PROTOCOL},
    {"a size that is a text", IMAGE_FROM_ENGINE, "{\"Size\":\"3\"}", "Size", ERROR_PROTOCOL},
};

START_TEST(refuses) {
    const struct bad_row *row = &bad_rows[_i];
    struct error err = {0};
    struct image_facts facts = {0};
    ck_assert_msg(read_facts(row->json, row->source, &facts, &err) < 0, "%s", row->what);
    ck_assert_msg(err.kind == row->kind && strstr(error_message(&err), row->message) != NULL,
                  "%s: %s", row->what, error_message(&err));
    error_clear(&err);
    image_facts_clear(&facts);
}
END_TEST

/* The two documents say the same of one image. */
START_TEST(sources_agree) {
    struct error err = {0};
    struct image_facts engine = {0};
    struct image_facts registry = {0};
    struct changes changes = {0};
    unit_ok(read_facts("{\"Config\":{\"User\":\"1\",\"Env\":[\"A=1\"]},\"Os\":\"linux\","
                       "\"Architecture\":\"arm64\",\"Created\":\"x\",\"RootFS\":{\"Layers\":[\"a\","
                       "\"b\"]},\"Size\":7}",
                       IMAGE_FROM_ENGINE, &engine, &err),
            &err);
    unit_ok(read_facts("{\"config\":{\"User\":\"1\",\"Env\":[\"A=1\"]},\"os\":\"linux\","
                       "\"architecture\":\"arm64\",\"variant\":\"v8\",\"created\":\"x\","
                       "\"rootfs\":{\"diff_ids\":[\"a\",\"c\",\"b\"]}}",
                       IMAGE_FROM_REGISTRY, &registry, &err),
            &err);
    unit_ok(changes_compare(&engine, &registry, &changes, &err), &err);
    ck_assert_uint_eq(changes.count, 0);
    ck_assert_uint_eq(changes.layers, 3);
    ck_assert_uint_eq(changes.layers_shared, 1);
    ck_assert_int_eq(changes.size_before, 7);
    ck_assert_int_eq(changes.size_after, IMAGE_SIZE_UNKNOWN);
    changes_clear(&changes);
    image_facts_clear(&engine);
    image_facts_clear(&registry);
}
END_TEST

static const struct secret_row {
    const char *name, *value;
    bool secret;
} secret_rows[] = {
    {"PATH", "/usr/bin", false},
    {"MONKEY", "x", false},
    {"KEYBOARD", "us", false},
    {"AUTHOR", "someone", false},
    {"COMPASS", "x", false},
    {"PASSWORD", "", false},
    {"PASSWORD", "x", true},
    {"REDIS_PASSWORD_FILE", "x", true},
    {"MYSQL_PWD", "x", true},
    {"GPG_KEY", "x", true},
    {"api-key", "x", true},
    {"GITHUB_TOKEN", "x", true},
    {"AWS_SECRET_ACCESS_KEY", "x", true},
    {"db_pass", "x", true},
    {"URL", "https://example.com/a@b:c", false},
    {"URL", "postgres://app:hunter2@db/x", true},
    {"URL", "x http://a http://u:p@h", true},
    {"URL", "http://user@host", false},
    {"NOTE", "-----BEGIN RSA PRIVATE KEY-----", true},
    {"NOTE", "use ghp_0123456789", true},
    {"", "AKIAIOSFODNN7EXAMPLE", true},
};

START_TEST(secrets) {
    const struct secret_row *row = &secret_rows[_i];
    ck_assert_msg(change_is_secret(row->name, row->value) == row->secret, "%s=%s", row->name,
                  row->value);
}
END_TEST

/* A value is cut between two characters. */
START_TEST(cuts) {
    struct error err = {0};
    struct image_facts before = {0};
    struct image_facts after = {0};
    struct changes changes = {0};
    _cleanup_(text_clear) struct text words = {0};
    text_add(&words, "\"WorkingDir\":\"/");
    for (size_t i = 0; i < 400; i++)
        text_add(&words, "ä");
    text_add(&words, "\"");
    unit_ok(document("", &before, &err), &err);
    unit_ok(document(text_string(&words), &after, &err), &err);
    unit_ok(changes_compare(&before, &after, &changes, &err), &err);
    ck_assert_uint_eq(changes.count, 1);
    ck_assert_uint_eq(strlen(changes.items[0].after), 199 + strlen("…"));
    changes_clear(&changes);
    image_facts_clear(&before);
    image_facts_clear(&after);
}
END_TEST

UNIT_MAIN("changes", {
    tcase_add_loop_test(cases, compares, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, compares_packages, 0, sizeof package_rows / sizeof *package_rows);
    tcase_add_loop_test(cases, refuses, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(cases, sources_agree);
    tcase_add_loop_test(cases, secrets, 0, sizeof secret_rows / sizeof *secret_rows);
    tcase_add_test(cases, cuts);
})
