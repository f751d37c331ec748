#include "runners/engine/labels.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define NOW 1700000000

static const struct labels ours = {.run_id = "ours",
                                   .host = (char *)"h",
                                   .boot = (char *)"b",
                                   .namespace = (char *)"pid:[1]",
                                   .pid = 5,
                                   .started = (char *)"50"};

static const struct labels unknown = {.run_id = "ours",
                                      .host = (char *)"h",
                                      .boot = (char *)"b",
                                      .namespace = (char *)"",
                                      .pid = 5,
                                      .started = (char *)"50"};

static const struct row {
    const char *what;
    const char *run, *host, *boot, *namespace, *pid, *started, *expires;
    const struct labels *own;
    bool dead;
} rows[] = {
    /* alive: pid 10 with start time 100, and no other */
    {"its process lives", "x", "h", "b", "pid:[1]", "10", "100", "1", &ours, false},
    {"its process is gone", "x", "h", "b", "pid:[1]", "11", "100", "9999999999", &ours, true},
    {"its pid is another process now", "x", "h", "b", "pid:[1]", "10", "99", "9999999999", &ours,
     true},
    {"our own, whatever it says", "ours", "h", "b", "pid:[1]", "11", "1", "1", &ours, false},
    {"other host, not expired", "x", "h2", "b", "pid:[1]", "11", "1", "1700000001", &ours, false},
    {"other host, expired", "x", "h2", "b", "pid:[1]", "10", "100", "1699999999", &ours, true},
    {"other boot, not expired", "x", "h", "b2", "pid:[1]", "11", "1", "1700000001", &ours, false},
    {"other boot, expired", "x", "h", "b2", "pid:[1]", "10", "100", "1699999999", &ours, true},
    {"other pid namespace, same number", "x", "h", "b", "pid:[2]", "11", "1", "1700000001", &ours,
     false},
    {"other pid namespace, expired", "x", "h", "b", "pid:[2]", "11", "1", "1699999999", &ours,
     true},
    {"expires now", "x", "h2", "b", "pid:[1]", "11", "1", "1700000000", &ours, false},
    {"its namespace is not known", "x", "h", "b", "", "11", "1", "1700000001", &ours, false},
    {"ours is not known", "x", "h", "b", "pid:[1]", "11", "1", "1700000001", &unknown, false},
    {"neither is known", "x", "h", "b", "", "11", "1", "1700000001", &unknown, false},
    {"neither is known, expired", "x", "h", "b", "", "11", "1", "1", &unknown, true},
    {"no run: not ours to judge", NULL, "h", "b", "pid:[1]", "11", "1", "1", &ours, false},
    {"an empty run", "", "h", "b", "pid:[1]", "11", "1", "1", &ours, false},
    {"no pid, not expired", "x", "h", "b", "pid:[1]", NULL, "1", "1700000001", &ours, false},
    {"a pid that is none", "x", "h", "b", "pid:[1]", "-1", "1", "1700000001", &ours, false},
    {"a huge pid", "x", "h", "b", "pid:[1]", "99999999999999999999", "1", "1700000001", &ours,
     false},
    {"no host and no expiry", "x", NULL, "b", "pid:[1]", "11", "1", NULL, &ours, false},
    {"an expiry that is no number", "x", "h2", "b", "pid:[1]", "11", "1", "soon", &ours, false},
    {"a negative expiry", "x", "h2", "b", "pid:[1]", "11", "1", "-5", &ours, false},
};

static bool fake_alive(long pid, const char *started) {
    return pid == 10 && strcmp(started, "100") == 0;
}

static void set(json_t *object, const char *key, const char *value) {
    if (value != NULL)
        json_object_set_new(object, key, json_string(value));
}

START_TEST(judgements) {
    const struct row *row = &rows[_i];
    json_t *labels = json_object();
    set(labels, "pingate.run", row->run);
    set(labels, "pingate.host", row->host);
    set(labels, "pingate.boot", row->boot);
    set(labels, "pingate.namespace", row->namespace);
    set(labels, "pingate.pid", row->pid);
    set(labels, "pingate.started", row->started);
    set(labels, "pingate.expires", row->expires);
    ck_assert_msg(labels_of_dead_run(labels, row->own, NOW, fake_alive) == row->dead, "%s",
                  row->what);
    json_decref(labels);
}
END_TEST

START_TEST(labels_of_others_are_left_alone) {
    ck_assert(!labels_of_dead_run(NULL, &ours, NOW, fake_alive));
    json_t *odd =
        json_loads("[{\"pingate.run\": 7, \"pingate.expires\": 1}, [], \"x\", null]", 0, NULL);
    for (size_t i = 0; i < json_array_size(odd); i++)
        ck_assert(!labels_of_dead_run(json_array_get(odd, i), &ours, NOW, fake_alive));
    json_decref(odd);
}
END_TEST

static void start_of(pid_t pid, char out[32]) {
    char path[64];
    char line[1024] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(line, 1, sizeof line - 1, file), 0);
    fclose(file);
    char *at = strrchr(line, ')');
    for (int field = 2; field < 22; field++)
        at = strchr(at + 1, ' ');
    snprintf(out, 32, "%.*s", (int)strcspn(at + 1, " "), at + 1);
}

START_TEST(processes) {
    struct error err = {0};
    struct labels self = {0};
    unit_ok(labels_init(&self, "run", &err), &err);
    ck_assert(labels_process_alive(getpid(), self.started));
    ck_assert(!labels_process_alive(getpid(), "1"));
    char longer[64];
    snprintf(longer, sizeof longer, "%s0", self.started);
    ck_assert(!labels_process_alive(getpid(), longer));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t ended;
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    char started[32];
    start_of(child, started);
    ck_assert_msg(!labels_process_alive(child, started), "a zombie does no work any more");
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(!labels_process_alive(child, started));
    labels_clear(&self);
}
END_TEST

START_TEST(labels_tell_this_process) {
    struct error err = {0};
    struct labels own = {0};
    unit_ok(labels_init(&own, "run-1", &err), &err);
    char host[256] = {0};
    gethostname(host, sizeof host - 1);
    ck_assert_str_eq(own.run_id, "run-1");
    ck_assert_str_eq(own.host, host);
    ck_assert_int_eq(own.pid, getpid());
    ck_assert_uint_eq(strlen(own.boot), 36);
    ck_assert_msg(strncmp(own.namespace, "pid:[", 5) == 0, "%s", own.namespace);
    ck_assert_uint_gt(strlen(own.started), 0);
    ck_assert_uint_eq(strspn(own.started, "0123456789"), strlen(own.started));
    json_t *object = labels_to_json(&own);
    ck_assert_uint_eq(json_object_size(object), 7);
    ck_assert_str_eq(json_string_value(json_object_get(object, "pingate.started")), own.started);
    json_decref(object);
    labels_clear(&own);
    ck_assert_ptr_null(own.host);
}
END_TEST

UNIT_MAIN("labels", {
    tcase_add_loop_test(cases, judgements, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, labels_of_others_are_left_alone);
    tcase_add_test(cases, processes);
    tcase_add_test(cases, labels_tell_this_process);
})
