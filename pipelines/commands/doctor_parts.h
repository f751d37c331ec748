/* doctor_parts: what the checks of `doctor` share; nobody else includes it.
 *
 *     doctor.c         the command, and what lies in the project and in registries
 *     doctor_engine.c  the engine: where it was found, what it is, what it can do and what not, and why
 */
#pragma once

#include "gate/pins/scan.h"
#include "gate/update.h"
#include "pipelines/commands/command.h"
#include "pipelines/config.h"

#define DOCTOR_WORDS_LIMIT 2048 /* bytes of one finding */

/* What is found, for the checks behind. */
struct doctor {
    struct invocation *invocation;
    struct config config;
    bool configured; /* the configuration could be read */
    struct scan scan;
    struct update_list updates;
    bool config_wrong, something_off; /* what the exit status tells */
};

enum finding {
    GOOD,
    NOTE,    /* works; worth to know */
    PROBLEM, /* does not work */
};

/* One line. The words may be anybody's: they are cleaned here. */
void doctor_say(struct doctor *doctor, enum finding finding, const char *what, const char *format,
                ...) _printf_(4, 5);

void doctor_engine(struct doctor *doctor);
