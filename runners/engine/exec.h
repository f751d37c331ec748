/* exec: one more process in a container that runs: for questions whether a service is ready, never for what a test rests on.
 *
 * Nothing ends such a process but its own end and that of its container: who stops waiting leaves it behind there. Its stream ends
 * with the connection, so a cut looks like an end; the engine's word on the process decides, and an exit code that lacks is
 * none.
 *   src  Docker Engine API 1.41, /containers/{id}/exec, /exec/{id}; seen on Docker Engine 20.10 and Podman 4.3
 */
#pragma once

#include "runners/engine/engine.h"

/* of what it prints that is kept: the last; for people */
#define EXEC_TAIL_BYTES 2048u

struct exec_wish {
    const char *container;   /* id */
    const char *const *argv; /* NULL-terminated */
    int64_t timeout_ms;      /* until nobody waits for it any more */
};

struct exec_end {
    int exit_code;    /* 126 and 127 also where there is no such program: `said` tells then */
    struct text said; /* both streams as they came, the last EXEC_TAIL_BYTES; raw, untrusted */
};

/* Runs it to its end.
 *   out  end  cleared by the caller, also on -1
 *   err  timeout    it did not end in that time: no other call gives this here
 *        conflict, not-found  the container does not run, or is gone
 *        engine, protocol, network, cancelled, limit */
int exec_run(struct engine *engine, const struct exec_wish *wish, struct exec_end *end,
             struct error *err) _must_check_;
void exec_end_clear(struct exec_end *end);

/* The last line of what it said that is not blank; "" without one. For people; untrusted. */
void exec_last_line(const struct exec_end *end, char *line, size_t size);

/* The engine itself says that there is no such program in the container: to try again is vain. */
bool exec_lacks_program(const struct exec_end *end);
