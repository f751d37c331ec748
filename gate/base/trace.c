#include "gate/base/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"

static const struct {
    const char *name;
    enum trace_subject subject;
} subjects[] = {
    {"http", TRACE_HTTP}, {"engine", TRACE_ENGINE}, {"scan", TRACE_SCAN}, {"gate", TRACE_GATE}};

#define SUBJECT_COUNT (sizeof subjects / sizeof *subjects)

static unsigned int enabled; /* set once at start, before any thread */

static bool enable(const char *name, size_t length) {
    bool all = length == 3 && memcmp(name, "all", 3) == 0;
    bool known = all;
    for (size_t i = 0; i < SUBJECT_COUNT; i++) {
        bool named =
            strlen(subjects[i].name) == length && memcmp(subjects[i].name, name, length) == 0;
        if (all || named)
            enabled |= (unsigned int)subjects[i].subject;
        known = known || named;
    }
    return known;
}

int trace_init(struct error *err) {
    const char *list = getenv("PINGATE_TRACE");
    enabled = 0;
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");
        if (length > 0 && !enable(list, length))
            return error_set(
                err, ERROR_USAGE,
                "PINGATE_TRACE: unknown subject \"%.*s\"; known are http, engine, scan, gate, all",
                (int)length, list);
        list += length + (list[length] == ',');
    }
    return 0;
}

bool trace_on(enum trace_subject subject) {
    return (enabled & (unsigned int)subject) != 0;
}

void trace_line(enum trace_subject subject, const char *format, ...) {
    const char *name = "?";
    for (size_t i = 0; i < SUBJECT_COUNT; i++)
        if (subjects[i].subject == subject)
            name = subjects[i].name;
    _cleanup_(free_pointer) char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        line = NULL;
    va_end(arguments);
    for (char *c = line; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) /* untrusted bytes may hold terminal escapes */
            *c = '?';
    fprintf(stderr, "trace %lld %s: %s\n", (long long)clock_monotonic_ms(), name,
            line != NULL ? line : "(no memory)");
}
