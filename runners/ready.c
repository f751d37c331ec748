#include <poll.h>
#include <stdio.h>

#include "gate/base/clock.h"
#include "runners/engine/exec.h"
#include "runners/ready_parts.h"

static void words_of_port(const struct test_ready *ready, struct text *out) {
    text_printf(out, "tcp port %lld", (long long)ready->number);
}

static void words_of_http(const struct test_ready *ready, struct text *out) {
    text_printf(out, "http on port %lld, GET %s", (long long)ready->number, ready->text);
    if (ready->status != 0)
        text_printf(out, ", status %lld", (long long)ready->status);
}

static void words_of_log(const struct test_ready *ready, struct text *out) {
    text_printf(out, "a line of its log that matches \"%s\"", ready->text);
}

static void words_of_exec(const struct test_ready *ready, struct text *out) {
    text_printf(out, "exec \"%s\"", ready->command.text);
}

static void words_of_exit(const struct test_ready *ready, struct text *out) {
    text_printf(out, "its end with %lld", (long long)ready->number);
}

/* In the order of enum ready_kind. */
static const struct kind {
    const char *words; /* where nothing else is to be told */
    void (*tell)(const struct test_ready *ready, struct text *out);
    ready_kind_wait *wait;
    bool needs_probe;
} kinds[] = {
    [READY_HEALTHY] = {"its health check", NULL, ready_wait_healthy, false},
    [READY_TCP] = {NULL, words_of_port, ready_wait_tcp, true},
    [READY_HTTP] = {NULL, words_of_http, ready_wait_http, true},
    [READY_LOG] = {NULL, words_of_log, ready_wait_log, false},
    [READY_EXEC] = {NULL, words_of_exec, ready_wait_exec, false},
    [READY_EXIT] = {NULL, words_of_exit, ready_wait_exit, false},
    [READY_NONE] = {"its start", NULL, ready_wait_none, false},
};

bool ready_needs_probe(enum ready_kind kind) {
    return kinds[kind].needs_probe;
}

int ready_wait(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    wait->said[0] = '\0';
    wait->state = READY_LATE;
    return kinds[ready->kind].wait(wait, ready, err);
}

void ready_default(const struct container_facts *facts, struct test_ready *out) {
    *out = (struct test_ready){.kind = READY_NONE};
    if (facts->health.count > 0)
        out->kind = READY_HEALTHY;
    else if (facts->port > 0)
        *out = (struct test_ready){.kind = READY_TCP, .number = facts->port};
}

void ready_words(const struct test_ready *ready, struct text *out) {
    const struct kind *kind = &kinds[ready->kind];
    if (kind->words != NULL)
        text_add(out, kind->words);
    else
        kind->tell(ready, out);
}

int ready_look(struct ready_wait *wait, bool *ended, struct error *err) {
    struct container_state state;
    *ended = false;
    if (container_inspect(wait->other, wait->id, &state, err) < 0)
        return -1;
    if (state.running)
        return 0;
    *ended = true;
    wait->state = READY_ENDED;
    wait->end = state;
    return 0;
}

int ready_pause(struct ready_wait *wait, bool *late, struct error *err) {
    struct pollfd one = {.fd = cancel_fd(wait->cancel), .events = POLLIN};
    *late = false;
    if (cancel_check(wait->cancel, err) < 0)
        return -1;
    if (clock_monotonic_ms() >= wait->deadline_ms) {
        wait->state = READY_LATE;
        *late = true;
        return 0;
    }
    poll(&one, 1, READY_PAUSE_MS); /* a descriptor of -1 is passed over */
    return cancel_check(wait->cancel, err);
}

/* A process cannot be started in a container that has ended. In any other it is the engine's fault. */
static int ended_meanwhile(struct ready_wait *wait, bool *done, struct error *err) {
    _cleanup_(error_clear) struct error why = {0};
    if ((err->kind != ERROR_CONFLICT && err->kind != ERROR_NOT_FOUND) ||
        ready_look(wait, done, &why) < 0 || !*done)
        return -1;
    error_clear(err);
    return 0;
}

/* One try. *done: there is an answer that stands. What failed in a container that has ended meanwhile says nothing. */
static int try_once(struct ready_wait *wait, const struct exec_wish *wish, bool *done,
                    struct error *err) {
    _cleanup_(exec_end_clear) struct exec_end end = {0};
    char line[READY_SAID_SIZE - 100];
    if (exec_run(wait->engine, wish, &end, err) < 0) {
        /* a try that the end of the time cut short saw less than the one before it */
        if (err->kind == ERROR_TIMEOUT && wait->said[0] != '\0')
            ;
        else if (err->kind == ERROR_TIMEOUT)
            snprintf(wait->said, sizeof wait->said, "it did not end within its time");
        else
            return ended_meanwhile(wait, done, err);
        error_clear(err);
        return 0;
    }
    if (end.exit_code == 0) {
        wait->state = READY_YES;
        *done = true;
        return 0;
    }
    exec_last_line(&end, line, sizeof line);
    snprintf(wait->said, sizeof wait->said, "exit code %d%s%s", end.exit_code,
             line[0] != '\0' ? ": " : "", line);
    if (exec_lacks_program(&end)) {
        wait->state = READY_NEVER;
        *done = true;
    }
    return 0;
}

int ready_try_exec(struct ready_wait *wait, const char *container, const char *const *argv,
                   int64_t try_ms, struct error *err) {
    for (;;) {
        bool done = false;
        int64_t left_ms = wait->deadline_ms - clock_monotonic_ms();
        struct exec_wish wish = {.container = container, .argv = argv, .timeout_ms = left_ms};
        bool ends_itself = container == wait->probe; /* and then it tells what it saw */
        if (try_ms > 0 && (try_ms < left_ms || ends_itself))
            wish.timeout_ms = try_ms;
        if (wish.timeout_ms < 1)
            wish.timeout_ms = 1;
        if (ready_look(wait, &done, err) < 0)
            return -1;
        if (!done && try_once(wait, &wish, &done, err) < 0)
            return -1;
        if (!done && ready_pause(wait, &done, err) < 0)
            return -1;
        if (done)
            return wait->state == READY_LATE ? ready_look(wait, &done, err) : 0;
    }
}
