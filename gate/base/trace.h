/* trace: what the program does, on standard error, for people who debug.
 *
 *     PINGATE_TRACE=http,engine pingate run
 *     trace(TRACE_HTTP, "GET %s: %ld", url, status);
 *
 * Callers take credentials out before they trace. Costs one test of a bit when it is off.
 */
#pragma once

#include <stdbool.h>

#include "gate/base/error.h"

enum trace_subject {
    TRACE_HTTP = 1 << 0,   /* registries and forges */
    TRACE_ENGINE = 1 << 1, /* the Engine API */
    TRACE_SCAN = 1 << 2,   /* files and pins */
    TRACE_GATE = 1 << 3,   /* plans, verdicts, promotion */
};

/* Reads PINGATE_TRACE (comma-separated names, or "all"); an unknown name is an error that lists the known ones. */
int trace_init(struct error *err) _must_check_;
bool trace_on(enum trace_subject subject);

#define trace(subject, ...)                                                                        \
    do {                                                                                           \
        if (trace_on(subject))                                                                     \
            trace_line((subject), __VA_ARGS__);                                                    \
    } while (0)
void trace_line(enum trace_subject subject, const char *format, ...) _printf_(2, 3);
