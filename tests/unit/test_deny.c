#include "runners/deny.h"

#include "gate/base/json_read.h"
#include "tests/unit/unit.h"

#define USER(name)   "{\"Config\":{\"User\":\"" name "\"}}"
#define CONFIG(part) "{\"Config\":{" part "}}"

static const struct row {
    const char *gate, *argument;
    const char *before, *after; /* of an engine */
    const char *packages[2];    /* of APK; NULL: not known */
    const char *denied, *unknown;
} rows[] = {
    {"user-becomes-root",
     NULL,
     USER("999"),
     USER(""),
     {0},
     "user-becomes-root: user 999 → root",
     ""},
    {"user-becomes-root",
     NULL,
     USER("999"),
     USER("0:5"),
     {0},
     "user-becomes-root: user 999 → 0:5",
     ""},
    {"user-becomes-root",
     NULL,
     USER("999"),
     USER("00"),
     {0},
     "user-becomes-root: user 999 → 00",
     ""},
    {"user-becomes-root", NULL, USER("a"), USER("rooty"), {0}, "", ""},
    {"user-becomes-root", NULL, USER("root"), USER("0"), {0}, "", ""},
    {"user-becomes-root", NULL, USER("0"), USER("999"), {0}, "", ""},
    {"user-becomes-root", NULL, USER("0:5"), USER("root:7"), {0}, "", ""},
    {"user-changed", NULL, USER("0"), USER("999"), {0}, "user-changed: user root → 999", ""},
    {"entrypoint-changed",
     NULL,
     CONFIG("\"Entrypoint\":[\"a\"]"),
     "{}",
     {0},
     "entrypoint-changed: entrypoint is gone",
     ""},
    {"entrypoint-changed", NULL, CONFIG("\"Cmd\":[\"a\"]"), "{}", {0}, "", ""},
    {"command-changed",
     NULL,
     CONFIG("\"Cmd\":[\"a\"]"),
     CONFIG("\"Cmd\":[\"b\"]"),
     {0},
     "command-changed: command [\"a\"] → [\"b\"]",
     ""},
    {"platform-changed",
     NULL,
     "{\"Os\":\"linux\",\"Architecture\":\"amd64\"}",
     "{\"Os\":\"linux\",\"Architecture\":\"386\"}",
     {0},
     "platform-changed: platform linux/amd64 → linux/386",
     ""},
    {"workdir-changed",
     NULL,
     "{}",
     CONFIG("\"WorkingDir\":\"/a\""),
     {0},
     "workdir-changed: working directory / → /a",
     ""},
    {"port-removed",
     NULL,
     CONFIG("\"ExposedPorts\":{\"1/tcp\":{},\"2/tcp\":{}}"),
     "{}",
     {0},
     "port-removed: port 1/tcp is gone, port 2/tcp is gone",
     ""},
    {"port-removed", NULL, "{}", CONFIG("\"ExposedPorts\":{\"1/tcp\":{}}"), {0}, "", ""},
    {"port-added",
     NULL,
     "{}",
     CONFIG("\"ExposedPorts\":{\"1/tcp\":{}}"),
     {0},
     "port-added: port 1/tcp is new",
     ""},
    {"volume-added",
     NULL,
     "{}",
     CONFIG("\"Volumes\":{\"/a\":{}}"),
     {0},
     "volume-added: volume /a is new",
     ""},
    {"volume-removed",
     NULL,
     CONFIG("\"Volumes\":{\"/a\":{}}"),
     "{}",
     {0},
     "volume-removed: volume /a is gone",
     ""},
    {"healthcheck-removed",
     NULL,
     CONFIG("\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}"),
     "{}",
     {0},
     "healthcheck-removed: health check is gone",
     ""},
    {"healthcheck-removed",
     NULL,
     CONFIG("\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}"),
     CONFIG("\"Healthcheck\":{\"Test\":[\"CMD\",\"b\"]}"),
     {0},
     "",
     ""},
    {"healthcheck-changed",
     NULL,
     CONFIG("\"Healthcheck\":{\"Test\":[\"CMD\"]}"),
     "{}",
     {0},
     "healthcheck-changed: health check is gone",
     ""},
    {"stop-signal-changed",
     NULL,
     CONFIG("\"StopSignal\":\"SIGQUIT\""),
     "{}",
     {0},
     "stop-signal-changed: stop signal is gone",
     ""},
    {"variable-removed",
     NULL,
     CONFIG("\"Env\":[\"A=1\",\"B=1\"]"),
     CONFIG("\"Env\":[\"A=2\"]"),
     {0},
     "variable-removed: variable B is gone",
     ""},
    {"package-removed",
     NULL,
     "{}",
     "{}",
     {"P:a\nV:1\n", ""},
     "package-removed: package a is gone",
     ""},
    {"package-removed", NULL, "{}", "{}", {"P:a\nV:1\n", "P:a\nV:2\n"}, "", ""},
    {"package-added",
     NULL,
     "{}",
     "{}",
     {"", "P:a\nV:1\n"},
     "package-added: package a is new: 1",
     ""},
    {"package-added",
     NULL,
     "{}",
     "{}",
     {"", "P:a\nV:1\n\nP:b\nV:1\n\nP:c\nV:1\n\nP:d\nV:1\n\nP:e\nV:1\n\nP:f\nV:1\n\nP:g\nV:1\n"},
     "package-added: package a is new: 1, package b is new: 1, package c is new: 1, "
     "package d is new: 1, package e is new: 1 and 2 more",
     ""},
    {"package-removed",
     NULL,
     "{}",
     "{}",
     {NULL, ""},
     "",
     "package-removed: the packages could not be read: why"},
    {"package-removed",
     NULL,
     "{}",
     "{}",
     {"", NULL},
     "",
     "package-removed: the packages could not be read: why"},
    {"size-grows", "20%", "{\"Size\":100}", "{\"Size\":120}", {0}, "", ""},
    {"size-grows",
     "20%",
     "{\"Size\":100000000}",
     "{\"Size\":120000001}",
     {0},
     "size-grows: size 100.0 MB → 120.1 MB",
     ""},
    {"size-grows", "0%", "{\"Size\":100000000}", "{\"Size\":90000000}", {0}, "", ""},
    {"size-grows",
     "0%",
     "{\"Size\":0}",
     "{\"Size\":9000}",
     {0},
     "size-grows: size 0 kB → 9 kB",
     ""},
    {"size-grows",
     "20%",
     "{}",
     "{\"Size\":120}",
     {0},
     "",
     "size-grows: the sizes could not be read: nobody tells them"},
    {"label-missing", "x", "{}", "{}", {0}, "label-missing: label x is not there", ""},
    {"label-missing",
     "x",
     CONFIG("\"Labels\":{\"x\":\"1\"}"),
     CONFIG("\"Labels\":{\"y\":\"1\"}"),
     {0},
     "label-missing: label x is gone",
     ""},
    {"label-missing", "x", "{}", CONFIG("\"Labels\":{\"x\":\"\"}"), {0}, "", ""},
};

static void facts_of(const char *text, const char *packages, struct image_facts *facts) {
    struct error err = {0};
    json_t *json = NULL;
    unit_ok(json_read(text, strlen(text), 0, &json, NULL, &err), &err);
    unit_ok(image_facts_read(facts, json, IMAGE_FROM_ENGINE, &err), &err);
    json_decref(json);
    if (packages == NULL)
        return;
    struct package_list list = {0};
    struct package_reader reader = {.format = PACKAGES_APK, .list = &list};
    unit_ok(package_reader_feed(&reader, packages, strlen(packages), &err), &err);
    unit_ok(package_reader_end(&reader, &err), &err);
    unit_ok(image_facts_add_packages(facts, &list, &err), &err);
    package_list_clear(&list);
}

static size_t denied_count(const struct changes *changes) {
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++)
        count += changes->items[i].denied ? 1 : 0;
    return count;
}

START_TEST(gates) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    struct image_facts before = {0};
    struct image_facts after = {0};
    struct changes changes = {0};
    struct deny_list list = {0};
    struct deny_answer answer = {0};
    facts_of(row->before, row->packages[0], &before);
    facts_of(row->after, row->packages[1], &after);
    unit_ok(changes_compare(&before, &after, &changes, &err), &err);
    unit_ok(deny_make(row->gate, row->argument, array_add(&list, &err), &err), &err);
    ck_assert_int_eq(deny_needs_packages(&list), strncmp(row->gate, "package", 7) == 0);
    unit_ok(deny_check(&list, &after, &changes, "why", &answer, &err), &err);
    ck_assert_msg(strcmp(text_string(&answer.denied), row->denied) == 0, "row %d %s: %s", _i,
                  row->gate, text_string(&answer.denied));
    ck_assert_msg(strcmp(text_string(&answer.unknown), row->unknown) == 0, "row %d %s: %s", _i,
                  row->gate, text_string(&answer.unknown));
    bool marks = row->denied[0] != '\0' && strstr(row->denied, "not there") == NULL;
    ck_assert_msg((denied_count(&changes) > 0) == marks, "row %d %s", _i, row->gate);
    deny_answer_clear(&answer);
    deny_list_clear(&list);
    changes_clear(&changes);
    image_facts_clear(&before);
    image_facts_clear(&after);
}
END_TEST

/* Before anybody read them, gates on packages neither say no nor that they cannot tell. */
START_TEST(left_for_later) {
    struct error err = {0};
    struct image_facts facts = {0};
    struct changes changes = {0};
    struct deny_list list = {0};
    struct deny_answer answer = {0};
    facts_of("{}", NULL, &facts);
    unit_ok(changes_compare(&facts, &facts, &changes, &err), &err);
    unit_ok(deny_make("package-removed", NULL, array_add(&list, &err), &err), &err);
    unit_ok(deny_check(&list, &facts, &changes, NULL, &answer, &err), &err);
    ck_assert_uint_eq(answer.denied.length + answer.unknown.length, 0);
    deny_answer_clear(&answer);
    deny_list_clear(&list);
    changes_clear(&changes);
    image_facts_clear(&facts);
}
END_TEST

static const struct bad_row {
    const char *gate, *argument, *message;
} bad_rows[] = {
    {"user-changed", "x", "user-changed takes no value"},
    {"size-grows", NULL, "size-grows needs a percentage: {size-grows: 20%}"},
    {"size-grows", "20", "percentage"},
    {"size-grows", "-5%", "percentage"},
    {"size-grows", "%", "percentage"},
    {"size-grows", "1000000%", "percentage"},
    {"label-missing", NULL, "label-missing needs the label's name"},
    {"label-missing", "", "label-missing needs the label's name"},
};

START_TEST(refuses) {
    struct error err = {0};
    struct deny deny;
    unit_fails(deny_make(bad_rows[_i].gate, bad_rows[_i].argument, &deny, &err), &err, ERROR_CONFIG,
               bad_rows[_i].message);
}
END_TEST

/* Each gate of the table has a row above, so that none is only a name. */
START_TEST(every_gate_is_tested) {
    const char *help;
    enum deny_argument argument;
    for (size_t n = 0; deny_name(n, &help, &argument) != NULL; n++) {
        const char *name = deny_name(n, &help, &argument);
        bool denies = false;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            denies = denies || (strcmp(rows[i].gate, name) == 0 && rows[i].denied[0] != '\0');
        ck_assert_msg(denies && help[0] != '\0', "%s", name);
        ck_assert_str_eq(deny_names()[n], name);
    }
}
END_TEST

UNIT_MAIN("deny", {
    tcase_add_loop_test(cases, gates, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, left_for_later);
    tcase_add_loop_test(cases, refuses, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(cases, every_gate_is_tested);
})
