#include "runners/engine/labels.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gate/base/text.h"

#define EXPIRES_AFTER 86400 /* seconds: what is older than a day belongs to no living run */

static char *read_line(const char *path, struct error *err) {
    char step[4096];
    FILE *file = fopen(path, "re");
    size_t got = file != NULL ? fread(step, 1, sizeof step, file) : 0;
    if (file != NULL)
        fclose(file);
    const char *end = memchr(step, '\n', got);
    return string_dup_length(step, end != NULL ? (size_t)(end - step) : got, err);
}

/* When the process of this line of /proc/PID/stat started: field 22, where the command in brackets may hold spaces. NULL where
 * there is none. */
static const char *start_field(const char *line) {
    const char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? at + 1 : NULL;
}

static char *start_time(struct error *err) {
    _cleanup_(free_pointer) char *line = read_line("/proc/self/stat", err);
    if (line == NULL)
        return NULL;
    const char *at = start_field(line);
    return at != NULL ? string_dup_length(at, strcspn(at, " "), err) : string_dup("0", err);
}

/* The pid namespace, when /proc is its own: else pids of /proc are not ours to judge by, and it stays empty. */
static void find_namespace(char *out, size_t size) {
    char self[32] = {0};
    ssize_t length = readlink("/proc/self", self, sizeof self - 1);
    if (length <= 0 || strtol(self, NULL, 10) != (long)getpid())
        return;
    length = readlink("/proc/self/ns/pid", out, size - 1);
    out[length > 0 ? length : 0] = '\0';
}

int labels_init(struct labels *labels, const char *run_id, struct error *err) {
    char pid_namespace[64] = {0};
    find_namespace(pid_namespace, sizeof pid_namespace);
    char host[256] = {0};
    gethostname(host, sizeof host - 1);
    *labels = (struct labels){
        .run_id = run_id, .pid = (long)getpid(), .expires = (int64_t)time(NULL) + EXPIRES_AFTER};
    labels->host = string_dup(host, err);
    labels->boot = read_line("/proc/sys/kernel/random/boot_id", err);
    labels->namespace = string_dup(pid_namespace, err);
    labels->started = start_time(err);
    if (labels->host != NULL && labels->boot != NULL && labels->namespace != NULL &&
        labels->started != NULL)
        return 0;
    labels_clear(labels);
    return error_no_memory(err);
}

void labels_clear(struct labels *labels) {
    free(labels->host);
    free(labels->boot);
    free(labels->namespace);
    free(labels->started);
    *labels = (struct labels){0};
}

static int set_text(json_t *object, const char *key, const char *value) {
    return json_object_set_new(object, key, json_string(value));
}

static int set_number(json_t *object, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return set_text(object, key, text);
}

json_t *labels_to_json(const struct labels *labels) {
    json_t *object = json_object();
    if (object == NULL || set_text(object, LABEL_RUN, labels->run_id) < 0 ||
        set_text(object, "pingate.host", labels->host) < 0 ||
        set_text(object, "pingate.boot", labels->boot) < 0 ||
        set_text(object, "pingate.namespace", labels->namespace) < 0 ||
        set_number(object, "pingate.pid", labels->pid) < 0 ||
        set_text(object, "pingate.started", labels->started) < 0 ||
        set_number(object, "pingate.expires", labels->expires) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

const char *labels_text(const json_t *labels, const char *name) {
    const char *value = json_string_value(json_object_get(labels, name));
    return value != NULL ? value : "";
}

/* What cannot be told is not called dead: /proc may hide the processes of others. */
bool labels_process_alive(long pid, const char *started) {
    if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
        return false;
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = '\0';
    const char *state = strrchr(line, ')');
    if (state != NULL && state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X'))
        return false; /* ended, and not yet waited for */
    const char *at = start_field(line);
    size_t length = strlen(started);
    return at == NULL || (strncmp(at, started, length) == 0 && strchr(" ", at[length]) != NULL);
}

/* Known and the same. */
static bool same(const json_t *labels, const char *name, const char *ours) {
    return *ours != '\0' && strcmp(labels_text(labels, name), ours) == 0;
}

bool labels_of_dead_run(const json_t *theirs, const struct labels *ours, int64_t now_seconds,
                        bool (*alive)(long pid, const char *started)) {
    const char *run = labels_text(theirs, LABEL_RUN);
    if (*run == '\0' || strcmp(run, ours->run_id) == 0)
        return false;
    bool near = same(theirs, "pingate.host", ours->host) &&
                same(theirs, "pingate.boot", ours->boot) &&
                same(theirs, "pingate.namespace", ours->namespace);
    long pid = strtol(labels_text(theirs, "pingate.pid"), NULL, 10);
    if (near && pid > 0 && pid <= INT_MAX)
        return !alive(pid, labels_text(theirs, "pingate.started"));
    int64_t expires = strtoll(labels_text(theirs, "pingate.expires"), NULL, 10);
    return expires > 0 && expires < now_seconds;
}
