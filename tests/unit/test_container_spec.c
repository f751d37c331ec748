#include "runners/container_spec.h"

#include "tests/unit/unit.h"

static const char *const argv_shell[] = {"sh", "-ec", "redis-cli ping", NULL};
static const char *const argv_one[] = {"/say", NULL};
static const char *const argv_bad[] = {"sh", "\xff\xfe", NULL};

static const struct labels labels = {.run_id = "00112233aabbccdd",
                                     .host = (char *)"builder-7",
                                     .boot = (char *)"b0076c1d",
                                     .namespace = (char *)"pid:[4026531836]",
                                     .pid = 4711,
                                     .started = (char *)"12345",
                                     .expires = 1700000000};

#define LABELS                                                                                     \
    "\"Labels\":{\"pingate.run\":\"00112233aabbccdd\",\"pingate.host\":\"builder-7\","             \
    "\"pingate.boot\":\"b0076c1d\",\"pingate.namespace\":\"pid:[4026531836]\","                    \
    "\"pingate.pid\":\"4711\",\"pingate.started\":\"12345\",\"pingate.expires\":\"1700000000\"}"
#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IMAGE  "\"Image\":\"docker.io/library/redis@" DIGEST "\""
#define MOUNTS "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"vol-1\",\"Target\":\"/pingate\"}]"
#define HOST(network, memory, cpus, pids)                                                          \
    "\"HostConfig\":{\"Init\":true,\"NetworkMode\":\"" network "\","                               \
    "\"SecurityOpt\":[\"no-new-privileges\"],\"Memory\":" memory ",\"MemorySwap\":" memory         \
    ",\"NanoCpus\":" cpus ",\"PidsLimit\":" pids ",\"LogConfig\":{\"Type\":\"json-file\"}," MOUNTS \
    "}"
#define DEFAULT_HOST HOST("none", "2147483648", "2000000000", "1024")

struct row {
    const char *what;
    const char *const *argv;
    const char *environment; /* one of the test's own */
    const char *user, *workdir;
    bool network, keep_entrypoint;
    int64_t memory_bytes, nano_cpus, pids;
    const char *expected; /* the whole body; NULL: it is refused */
};

static const struct row rows[] = {
    {"the defaults: no network, init, limits, no auto-remove, entrypoint replaced", argv_shell,
     NULL, NULL, NULL, false, false, TEST_MEMORY_BYTES, TEST_NANO_CPUS, TEST_PIDS,
     "{" IMAGE ",\"Entrypoint\":[\"sh\",\"-ec\",\"redis-cli ping\"],"
     "\"Env\":[\"PINGATE_TAG=7.2\"]," LABELS "," DEFAULT_HOST
     ",\"WorkingDir\":\"/pingate/workspace\",\"Tty\":false}"},
    {"a list of one", argv_one, NULL, NULL, NULL, false, false, TEST_MEMORY_BYTES, TEST_NANO_CPUS,
     TEST_PIDS,
     "{" IMAGE ",\"Entrypoint\":[\"/say\"],\"Env\":[\"PINGATE_TAG=7.2\"]," LABELS "," DEFAULT_HOST
     ",\"WorkingDir\":\"/pingate/workspace\",\"Tty\":false}"},
    {"the image's entrypoint is kept", argv_shell, NULL, NULL, NULL, false, true, TEST_MEMORY_BYTES,
     TEST_NANO_CPUS, TEST_PIDS,
     "{" IMAGE ",\"Cmd\":[\"sh\",\"-ec\",\"redis-cli ping\"],\"Env\":[\"PINGATE_TAG=7.2\"]," LABELS
     "," DEFAULT_HOST ",\"WorkingDir\":\"/pingate/workspace\",\"Tty\":false}"},
    {"limits, network, user, folder, environment", argv_one, "A=b=c \"d\" ü", "1000:1000", "/srv",
     true, false, 16777216, 500000000, 7,
     "{" IMAGE
     ",\"Entrypoint\":[\"/say\"],\"Env\":[\"A=b=c \\\"d\\\" ü\",\"PINGATE_TAG=7.2\"]," LABELS
     "," HOST("bridge", "16777216", "500000000",
              "7") ",\"WorkingDir\":\"/srv\",\"Tty\":false,\"User\":\"1000:1000\"}"},
    {"an argument that is not UTF-8", argv_bad, NULL, NULL, NULL, false, false, 1, 1, 1, NULL},
    {"an environment that is not UTF-8", argv_one, "A=\xc3(", NULL, NULL, false, false, 1, 1, 1,
     NULL},
    {"a user that is not UTF-8", argv_one, NULL, "\xff", NULL, false, false, 1, 1, 1, NULL},
    {"a folder that is not UTF-8", argv_one, NULL, NULL, "/\xff", false, false, 1, 1, 1, NULL},
};

static json_t *spec_of(const struct row *row, struct error *err) {
    struct test_command command = {.argv = (char **)row->argv};
    struct trial_step step = {
        .command = &command, .image = (char *)"docker.io/library/redis", .digest = (char *)DIGEST};
    char *own[] = {(char *)row->environment};
    char *added[] = {(char *)"PINGATE_TAG=7.2"};
    struct test test = {.name = (char *)"answers",
                        .user = (char *)row->user,
                        .workdir = (char *)row->workdir,
                        .environment = {own, row->environment != NULL ? 1 : 0, 1},
                        .network = row->network,
                        .entrypoint = row->keep_entrypoint ? ENTRYPOINT_KEEP : ENTRYPOINT_CLEAR,
                        .memory_bytes = row->memory_bytes,
                        .nano_cpus = row->nano_cpus,
                        .pids = row->pids};
    struct trial_spec spec = {
        .test = &test, .steps = &step, .step_count = 1, .environment = {added, 1, 1}};
    struct container_volumes volumes = {.workspace = "vol-1"};
    return container_spec(&spec, 0, &volumes, &labels, err);
}

/* All that a test can say of its surroundings. */
START_TEST(surroundings) {
    struct error err = {0};
    struct test_command command = {.argv = (char **)argv_one};
    struct trial_step step = {
        .command = &command, .image = (char *)"docker.io/library/redis", .digest = (char *)DIGEST};
    char *own[] = {(char *)"A=1"};
    char *from[] = {(char *)"B=OUTSIDE"};
    char *tmpfs[] = {(char *)"/run:rw,exec", (char *)"/var/tmp"};
    char *words[] = {(char *)"tini", (char *)"--", NULL};
    struct ulimit limits[] = {{(char *)"core", -1, -1}, {(char *)"nofile", 100, 200}};
    struct grants grants = {0};
    unit_ok(grants_add(&grants, "OUTSIDE", "x y", 3, false, &err), &err);
    struct test test = {.name = (char *)"answers",
                        .environment = {own, 1, 1},
                        .environment_from = {from, 1, 1},
                        .entrypoint = ENTRYPOINT_REPLACE,
                        .entrypoint_words = words,
                        .strict = true,
                        .memory_bytes = 16777216,
                        .nano_cpus = 500000000,
                        .pids = 7,
                        .shm_bytes = 1048576,
                        .tmpfs = {tmpfs, 2, 2},
                        .ulimits = {limits, 2, 2}};
    struct trial_spec spec = {.test = &test, .steps = &step, .step_count = 1, .grants = &grants};
    struct container_volumes volumes = {.workspace = "vol-1", .secrets = "sec-1"};
    json_t *body = container_spec(&spec, 0, &volumes, &labels, &err);
    ck_assert_msg(body != NULL, "%s", error_message(&err));
    json_t *expected = json_loads(
        "{" IMAGE
        ",\"Entrypoint\":[\"tini\",\"--\"],\"Cmd\":[\"/say\"],\"Env\":[\"A=1\",\"B=x y\"],"
        "" LABELS ",\"HostConfig\":{\"Init\":true,\"NetworkMode\":\"none\",\"SecurityOpt\":["
        "\"no-new-privileges\"],\"Memory\":16777216,\"MemorySwap\":16777216,\"NanoCpus\":500000000,"
        "\"PidsLimit\":7,\"LogConfig\":{\"Type\":\"json-file\"},\"Mounts\":[{\"Type\":\"volume\","
        "\"Source\":\"vol-1\",\"Target\":\"/pingate\"},{\"Type\":\"volume\",\"Source\":\"sec-1\","
        "\"Target\":\"/run/secrets\",\"ReadOnly\":true}],\"ShmSize\":1048576,\"CapDrop\":[\"ALL\"],"
        "\"ReadonlyRootfs\":true,\"Tmpfs\":{\"/run\":\"rw,exec\",\"/var/tmp\":\"\",\"/tmp\":"
        "\"rw,exec,nosuid,nodev,mode=1777\"},\"Ulimits\":[{\"Name\":\"core\",\"Soft\":-1,\"Hard\":-"
        "1},"
        "{\"Name\":\"nofile\",\"Soft\":100,\"Hard\":200}]},\"WorkingDir\":\"/pingate/workspace\","
        "\"Tty\":false}",
        0, NULL);
    ck_assert_ptr_nonnull(expected);
    char *text = json_dumps(body, JSON_COMPACT);
    ck_assert_msg(json_equal(body, expected), "%s", text);
    free(text);
    json_decref(body);
    json_decref(expected);
    spec.grants = NULL; /* what nobody granted is not given, whatever asked for it */
    ck_assert_ptr_null(container_spec(&spec, 0, &volumes, &labels, &err));
    ck_assert_int_eq(err.kind, ERROR_BUG);
    error_clear(&err);
    grants_clear(&grants);
}
END_TEST

START_TEST(specs) {
    const struct row *row = &rows[_i];
    struct error err = {0};
    json_t *spec = spec_of(row, &err);
    if (row->expected == NULL) {
        ck_assert_msg(spec == NULL && err.kind == ERROR_INPUT, "%s", row->what);
        ck_assert_msg(strstr(error_message(&err), "\"answers\"") != NULL, "%s",
                      error_message(&err));
        error_clear(&err);
        return;
    }
    ck_assert_msg(spec != NULL, "%s: %s", row->what, error_message(&err));
    char *text = json_dumps(spec, JSON_COMPACT);
    json_t *expected = json_loads(row->expected, 0, NULL);
    ck_assert_msg(expected != NULL, "%s: the row is not JSON", row->what);
    ck_assert_msg(json_equal(spec, expected), "%s:\n%s\n%s", row->what, text, row->expected);
    json_decref(expected);
    json_decref(spec);
    free(text);
}
END_TEST

UNIT_MAIN("container_spec", {
    tcase_add_loop_test(cases, specs, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, surroundings);
})
