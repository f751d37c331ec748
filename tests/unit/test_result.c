#include "reports/result.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

/* Every field holds something that differs from its empty value, and one text of each kind is hostile. */
static const char whole[] =
    "{\"version\":1,\"program_version\":\"0.1.0\",\"command\":\"run\",\"started_ms\":17000000"
    "00000,\"finished_ms\":1700000012345,\"dry_run\":true,\"promote\":\"passing\",\"changed\""
    ":true,\"exit_status\":1,\"engine\":\"Engine 20.10\",\"set\":\"sha256:aa\",\"updates\":[{"
    "\"image\":\"docker.io/library/redis\",\"tag\":\"7.2.4\",\"digest\":\"sha256:11\",\"candi"
    "date_tag\":\"7.2.5\",\"candidate_digest\":\"sha256:22\",\"policy\":\"minor\",\"rule\":\""
    "pingate.yaml:12\",\"stage\":\"default\",\"verdict\":\"reject\",\"code\":\"regression\","
    "\"reason\":\"it \\u001b[31mbroke\",\"reproduce\":\"docker run x\",\"pins\":[{\"file\":\""
    "a.yaml\",\"line\":3,\"format\":\"yaml\"}],\"tried\":[{\"tag\":\"7.2.6\",\"digest\":\"sha"
    "256:33\",\"test\":\"answers\",\"reason\":\"r\",\"outcome\":\"oom\"}],\"culprits\":[0],\""
    "changes\":{\"items\":[{\"what\":\"user\",\"name\":\"n\",\"before\":\"a\",\"after\":\"b\""
    ",\"denied\":true}],\"more\":3,\"size_before\":5,\"size_after\":-1,\"layers_shared\":2,\""
    "layers\":4},\"flaky\":true}],\"trials\":[{\"test\":\"answers\",\"updates\":[0],\"baselin"
    "e\":true,\"platform\":\"linux/amd64\",\"outcome\":\"failed\",\"reason\":\"exited with 1"
    "\",\"started_ms\":5,\"duration_ms\":6,\"reused\":null,\"commands\":[{\"text\":\"redis-cl"
    "i ping\",\"image\":\"x\",\"outcome\":\"timed-out\",\"reason\":\"timed out\",\"exit_code"
    "\":-1,\"duration_ms\":9007199254740993,\"out_tail\":\"out\\n\",\"err_tail\":\"\\u202eerr"
    "\",\"out_bytes\":7,\"err_bytes\":8,\"out_path\":\"logs/1\",\"err_path\":\"logs/2\",\"rep"
    "roduce\":\"docker run y\",\"limit_ms\":3,\"difference\":\"line 1: \\\"a\\\"\"}],\"artifa"
    "ct_folder\":\"artifacts/001-answers\",\"artifacts\":[\"out.txt\"],\"artifact_count\":2,"
    "\"artifact_bytes\":9007199254740993,\"build\":{\"dockerfile\":\"Dockerfile\",\"target\":"
    "\"t\",\"outcome\":\"failed\",\"reason\":\"r\",\"step\":\"RUN x\",\"duration_ms\":9,\"tai"
    "l\":\"l\",\"bytes\":7,\"path\":\"logs/b\",\"diff\":\"+y\"},\"services\":[{\"name\":\"db"
    "\",\"image\":\"y\",\"outcome\":\"failed\",\"reason\":\"r\",\"exit_code\":1,\"ready_ms\":"
    "-1,\"duration_ms\":4,\"out_tail\":\"o\",\"err_tail\":\"e\",\"out_bytes\":1,\"err_bytes\""
    ":2,\"out_path\":\"p\",\"err_path\":\"q\"}],\"suites\":[{\"file\":\"j.xml\",\"name\":\"s"
    "\",\"tests\":5,\"failed\":1,\"errors\":1,\"skipped\":1,\"flaky\":1,\"duration_ms\":8,\"c"
    "ases\":[{\"classname\":\"c\",\"name\":\"n\",\"outcome\":\"flaky\",\"message\":\"m\",\"de"
    "tail\":\"d\",\"duration_ms\":2}]}],\"attempts\":2,\"attempt_reasons\":[\"first\"],\"limi"
    "t_ms\":60,\"class\":\"regression\",\"given_up\":false},{\"test\":\"b\",\"updates\":[],"
    "\"baseline\":false,\""
    "platform\":null,\"outcome\":\"passed\",\"reason\":null,\"started_ms\":1,\"duration_ms\":"
    "0,\"reused\":{\"time_ms\":7,\"entry\":\"4f\"},\"commands\":[],\"artifact_folder\":null,"
    "\"artifacts\":[],\"artifact_count\":0,\"artifact_bytes\":0,\"build\":null,\"services\":["
    "],\"suites\":[],\"attempts\":0,\"attempt_reasons\":[],\"limit_ms\":0,\"class\":null,\"given_"
    "up\":false}],\""
    "stages\":[{\"name\":\"production\",\"from\":\"staging\",\"before\":\"01\",\"set\":\"23\""
    ",\"source\":\"45\",\"reason\":\"r\",\"overridden\":\"soaking\",\"forced\":\"f\"}],\"warn"
    "ings\":[\"w\"],\"errors\":[\"e\"],\"record\":\"l\",\"diff\":\"+x\\n\"}";

static const char empty[] =
    "{\"version\":1,\"program_version\":\"\",\"command\":\"\",\"started_ms\":0,\"finished_ms\":0,"
    "\"dry_run\":false,\"promote\":null,\"changed\":false,\"exit_status\":0,\"engine\":null,"
    "\"set\":null,\"updates\":[],\"trials\":[],\"stages\":[],\"warnings\":[],\"errors\":[],"
    "\"record\":null,\"diff\":null}";

static json_t *load(const char *bytes) {
    json_error_t where;
    json_t *json = json_loads(bytes, JSON_REJECT_DUPLICATES, &where);
    ck_assert_msg(json != NULL, "%s at %d", where.text, where.position);
    return json;
}

static void check_round_trip(const char *bytes) {
    struct error err = {0};
    struct result result;
    json_t *json = load(bytes);
    unit_ok(result_from_json(json, &result, &err), &err);
    json_t *again = result_to_json(&result, &err);
    ck_assert_msg(again != NULL, "%s", error_message(&err));
    char *text = json_dumps(again, JSON_COMPACT);
    ck_assert_msg(json_equal(json, again) == 1, "got %s", text);
    free(text);
    json_decref(json);
    json_decref(again);
    result_clear(&result);
}

/* Puts words where a container, or an engine, may have put theirs. */
static void fill_words(json_t *json, const char *key, bool in_suite, const char *words,
                       size_t *count) {
    static const char *const keys[] = {
        "reason",    "text", "out_tail", "err_tail", "difference", "message",        "detail",
        "classname", "step", "tail",     "warnings", "errors",     "attempt_reasons"};
    const char *name;
    json_t *value;
    size_t index;
    bool wanted = in_suite && (strcmp(key, "name") == 0 || strcmp(key, "file") == 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        wanted = wanted || strcmp(key, keys[i]) == 0;
    if (json_is_string(json) && wanted) {
        json_string_set(json, words);
        ++*count;
    }
    json_object_foreach(json, name, value)
        fill_words(value, name, in_suite || strcmp(name, "suites") == 0, words, count);
    json_array_foreach(json, index, value) fill_words(value, key, in_suite, words, count);
}

START_TEST(secrets_are_taken_out) {
    struct error err = {0};
    struct result result;
    struct redact *redact;
    size_t filled = 0;
    size_t expected_filled = 0;
    json_t *json = load(whole);
    json_t *expected = load(whole);
    fill_words(json, "", false, "a SECRET-VALUE b U0VDUkVULVZBTFVF", &filled);
    fill_words(expected, "", false, "a *** b ***", &expected_filled);
    ck_assert_uint_eq(filled, expected_filled);
    ck_assert_uint_ge(filled, 20);
    unit_ok(redact_new(&redact, &err), &err);
    unit_ok(redact_add(redact, "SECRET-VALUE", 12, &err), &err);
    unit_ok(redact_seal(redact, &err), &err);
    unit_ok(result_from_json(json, &result, &err), &err);
    unit_ok(result_redact(&result, NULL, &err), &err);
    unit_ok(result_redact(&result, redact, &err), &err);
    json_t *again = result_to_json(&result, &err);
    char *text = json_dumps(again, JSON_COMPACT);
    ck_assert_msg(json_equal(again, expected) == 1, "got %s", text);
    free(text);
    json_decref(json);
    json_decref(again);
    json_decref(expected);
    redact_freep(&redact);
    result_clear(&result);
}
END_TEST

START_TEST(round_trip) {
    check_round_trip(whole);
    check_round_trip(empty);
}
END_TEST

/* What a program from before there were artifacts wrote. */
START_TEST(without_artifacts) {
    struct error err = {0};
    struct result result;
    json_t *json = load(whole);
    json_t *trial = json_array_get(json_object_get(json, "trials"), 0);
    static const char *const fields[] = {"artifact_folder", "artifacts", "artifact_count",
                                         "artifact_bytes"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(json_object_del(trial, fields[i]), 0);
    unit_ok(result_from_json(json, &result, &err), &err);
    ck_assert_ptr_null(result.trials[0].artifact_folder);
    ck_assert_uint_eq(result.trials[0].artifact_count, 0);
    json_decref(json);
    result_clear(&result);
}
END_TEST

START_TEST(bytes_that_are_no_text) {
    struct error err = {0};
    struct result result = {.promote = string_dup("a\xFF", &err)};
    json_t *json = result_to_json(&result, &err);
    ck_assert_str_eq(json_string_value(json_object_get(json, "promote")), "a\xEF\xBF\xBD");
    json_decref(json);
    result_clear(&result);
}
END_TEST

START_TEST(unknown_fields_are_ignored) {
    struct error err = {0};
    struct result result;
    json_t *json = load(whole);
    json_object_set_new(json, "of_tomorrow", json_true());
    unit_ok(result_from_json(json, &result, &err), &err);
    ck_assert_uint_eq(result.update_count, 1);
    ck_assert_int_eq(result.trials[0].commands[0].outcome, OUTCOME_TIMED_OUT);
    json_decref(json);
    result_clear(&result);
}
END_TEST

/* Puts value at the path ("updates/0/verdict"); NULL takes the field away. */
static json_t *spoil(const char *path, const char *value) {
    json_t *json = load(whole);
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    json_t *at = json;
    char *rest = copy;
    char *name = copy;
    while ((rest = strchr(name, '/')) != NULL) {
        *rest = '\0';
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
        name = rest + 1;
    }
    json_t *new_value = value != NULL ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (value == NULL)
        json_object_del(at, name);
    else if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(name), new_value);
    else
        json_object_set_new(at, name, new_value);
    return json;
}

START_TEST(what_is_wrong_is_told) {
    static const struct {
        const char *path, *value, *message;
    } rows[] = {
        {"version", NULL, "version lacks"},
        {"version", "2", "version 2"},
        {"version", "\"1\"", "version lacks"},
        {"command", NULL, "result: command lacks"},
        {"command", "7", "command must be a string"},
        {"command", "null", "command must be a string"},
        {"engine", "[]", "engine must be a string or null"},
        {"started_ms", "1.5", "started_ms must be a whole number"},
        {"exit_status", "3000000000", "exit_status must be a whole number in its range"},
        {"dry_run", "1", "dry_run must be true or false"},
        {"warnings", "\"w\"", "warnings must be a list of strings"},
        {"warnings/0", "1", "warnings must be a list of strings"},
        {"updates", "{}", "updates must be a list of objects"},
        {"updates/0", "1", "updates[0]: must be an object"},
        {"trials/0/reused", "[]", "trials[0]: reused must be an object or null"},
        {"trials/0/reused", "true", "trials[0]: reused must be an object or null"},
        {"trials/0/reused", "{}", "trials[0]: reused: time_ms lacks"},
        {"trials/0/reused", "{\"time_ms\":1,\"entry\":null}", "reused: entry must be a string"},
        {"trials/0/reused", "{\"time_ms\":\"1\",\"entry\":\"x\"}",
         "time_ms must be a whole number"},
        {"updates/0/verdict", "\"fine\"", "updates[0]: verdict must be the name of a verdict"},
        {"updates/0/verdict", "null", "updates[0]: verdict must be"},
        {"updates/0/code", "\"nope\"", "code must be the name of a code"},
        {"updates/0/pins/0/line", "-1", "updates[0]: pins[0]: line must be"},
        {"trials/0/outcome", "\"\"", "trials[0]: outcome must be"},
        {"trials/0/updates", "[-1]", "updates must be a list of whole numbers"},
        {"trials/0/updates", "[1]", "there is no update 1"},
        {"trials/0/attempts", "-1", "attempts must be a whole number in its range"},
        {"trials/0/suites/0/cases/0/outcome", "\"ok\"", "suites[0]: cases[0]: outcome must be"},
        {"trials/0/services/0/ready_ms", "null", "services[0]: ready_ms must be a whole number"},
        {"updates/0/changes", "{}", "changes: items lacks"},
        {"updates/0/changes/items/0/denied", "0", "items[0]: denied must be true or false"},
        {"updates/0/culprits", "[1]", "updates[0]: culprits: there is no update 1"},
        {"trials/0/commands/0/out_tail", "{}", "trials[0]: commands[0]: out_tail"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct result result;
        json_t *json = spoil(rows[i].path, rows[i].value);
        ck_assert_msg(result_from_json(json, &result, &err) == -1, "row %zu: was read", i);
        ck_assert_msg(err.kind == ERROR_INPUT && strstr(error_message(&err), rows[i].message),
                      "row %zu (%s): \"%s\" lacks \"%s\"", i, rows[i].path, error_message(&err),
                      rows[i].message);
        ck_assert_ptr_null(result.updates);
        error_clear(&err);
        json_decref(json);
    }
}
END_TEST

START_TEST(headlines) {
    enum {
        P = VERDICT_PROMOTE,
        R = VERDICT_REJECT,
        H = VERDICT_HOLD,
        U = VERDICT_UP_TO_DATE,
        L = VERDICT_LOOKUP_FAILED,
        T = 100, /* held: could not be tested */
        D,       /* rejected: a change is denied */
        F,       /* rejected: passed only when run again */
        END = -1
    };
    static const struct {
        int verdicts[6];
        int exit_status;
        bool changed, dry_run;
        const char *headline;
    } rows[] = {
        {{END}, 0, false, false, "Nothing to do: no pins were found."},
        {{U, END}, 0, false, false, "Nothing to do: the 1 pinned version is up to date."},
        {{U, U, END}, 0, false, false, "Nothing to do: all 2 pinned versions are up to date."},
        {{P, END},
         0,
         true,
         false,
         "Gate open: 1 update passed its tests; the pins of 1 update were written."},
        {{P, P, U, END},
         0,
         false,
         true,
         "Gate open: 2 updates passed their tests; nothing was written, as this is a dry run."},
        {{P, H, R, END},
         1,
         false,
         false,
         "Gate partly closed: 1 of 3 updates failed its tests, 1 passed, 1 held; "
         "nothing was written."},
        {{R, H, H, END},
         1,
         false,
         false,
         "Gate closed: 1 of 3 updates failed its tests, 2 held; nothing was written."},
        {{P, P, R, END},
         1,
         true,
         false,
         "Gate partly closed: 1 of 3 updates failed its tests, 2 passed; "
         "the pins of 2 updates were written."},
        {{D, P, END},
         1,
         true,
         false,
         "Gate partly closed: 1 of 2 updates changed what `deny` forbids, 1 passed; the pins of 1 "
         "update were written."},
        {{F, END},
         1,
         false,
         false,
         "Gate closed: 1 of 1 update passed its tests only when run again; nothing was written."},
        {{F, R, D, END},
         1,
         false,
         false,
         "Gate closed: 3 of 3 updates were rejected; nothing was written."},
        {{F, D, END},
         1,
         false,
         false,
         "Gate closed: 2 of 2 updates were rejected; nothing was written."},
        {{R, F, END},
         1,
         false,
         false,
         "Gate closed: 2 of 2 updates were rejected; nothing was written."},
        {{L, P, END},
         3,
         true,
         false,
         "Could not look up 1 of 2 updates, 1 passed; the pins of 1 update were written."},
        {{T, U, END}, 3, false, false, "Could not test 1 of 1 update; nothing was written."},
        {{H, END}, 0, false, false, "Nothing to promote: 1 update is held; nothing was written."},
        {{END},
         2,
         false,
         false,
         "Stopped: the command line or the configuration is wrong; nothing was written."},
        {{END}, 3, false, false, "The run could not be finished; nothing was written."},
        {{P, END}, 143, false, false, "Interrupted by SIGTERM, 1 passed; nothing was written."},
        {{END}, 70, false, false, "Stopped by a bug in pingate; nothing was written."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct result_update updates[6] = {0};
        struct result result = {.updates = updates,
                                .exit_status = rows[i].exit_status,
                                .changed = rows[i].changed,
                                .dry_run = rows[i].dry_run};
        for (; rows[i].verdicts[result.update_count] != END; result.update_count++) {
            int verdict = rows[i].verdicts[result.update_count];
            struct result_update *update = &updates[result.update_count];
            update->verdict = verdict == T   ? VERDICT_HOLD
                              : verdict >= D ? VERDICT_REJECT
                                             : (enum verdict)verdict;
            update->code = verdict == T   ? CODE_NOT_TESTED
                           : verdict == D ? CODE_CHANGE_DENIED
                           : verdict == F ? CODE_FLAKY
                                          : CODE_NONE;
        }
        char *headline = result_headline(&result, &err);
        ck_assert_str_eq(headline, rows[i].headline);
        free(headline);
    }
}
END_TEST

UNIT_MAIN("result", {
    tcase_add_test(cases, round_trip);
    tcase_add_test(cases, secrets_are_taken_out);
    tcase_add_test(cases, without_artifacts);
    tcase_add_test(cases, bytes_that_are_no_text);
    tcase_add_test(cases, unknown_fields_are_ignored);
    tcase_add_test(cases, what_is_wrong_is_told);
    tcase_add_test(cases, headlines);
})
