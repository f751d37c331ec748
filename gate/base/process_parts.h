/* process_parts: what the files that start programs share; nobody else includes it.
 *
 *     process.c        runs a program to its end
 *     process_link.c   a program that carries a connection
 *     process_spawn.c  the start of either
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "gate/base/error.h"

#define NO_CHILD (-1)

struct process_start {
    const char *const *argv;        /* see process.h */
    const char *const *environment; /* NULL is ours */
    int ends[3];                    /* its standard input, output and error */
    bool session; /* a session of its own, without a terminal, instead of a process group alone */
};

/* Default signal handlers, an empty signal mask, no descriptor of ours but its three. *pid is untouched on -1.
 *   err  not-found  no such program;  io, no-memory */
int process_spawn(const struct process_start *start, pid_t *pid, struct error *err) _must_check_;
