/* options: the one table of options. The parser, `--help`, the man page and the completions of shells all read it, so they
 * cannot disagree.
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"

enum option_id {
    OPTION_END = 0, /* ends a command's list */
    /* every command takes these */
    OPTION_DIRECTORY,
    OPTION_CONFIG,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_HELP,
    /* some take these */
    OPTION_ALL,
    OPTION_ALLOW_ENV,
    OPTION_ALLOW_GENERATED,
    OPTION_ALLOW_SECRET,
    OPTION_AT,
    OPTION_COMPACT,
    OPTION_DRY_RUN,
    OPTION_ENGINE,
    OPTION_EXIT_CODE,
    OPTION_FORCE,
    OPTION_FROM,
    OPTION_IMAGE,
    OPTION_INSTEAD_OF_SOAK,
    OPTION_JOBS,
    OPTION_JSON,
    OPTION_JUNIT,
    OPTION_KEEP,
    OPTION_KEEP_IMAGES,
    OPTION_LIMIT,
    OPTION_NO_REUSE,
    OPTION_OUTPUT,
    OPTION_OVERRIDE,
    OPTION_PLAN,
    OPTION_PLATFORM,
    OPTION_PRINT,
    OPTION_PROMOTE,
    OPTION_REASON,
    OPTION_SET,
    OPTION_SINCE,
    OPTION_STAGE,
    OPTION_STATE,
    OPTION_TIME_LIMIT,
    OPTION_TO,
    OPTION_TYPE,
    OPTION_UNTIL,
    OPTION_URGENT,
    OPTION_VALUE,
    OPTION_VERIFY,
    OPTION_COUNT
};

struct option_spec {
    const char *name;     /* "dry-run" */
    char letter;          /* 'n'; 0 where it has none */
    const char *argument; /* "DIR"; NULL where it takes none */
    const char *help;     /* one sentence fragment */
    const char *choices;  /* "all passing": the arguments there are; NULL for any */
};

const struct option_spec *option_spec(enum option_id id);
extern const enum option_id options_common[]; /* what every command takes; ends with OPTION_END */

struct options {
    bool given[OPTION_COUNT];         /* which were given at all */
    const char *values[OPTION_COUNT]; /* the last argument of each; borrowed from argv */
    struct string_list images;        /* every --image */
    struct string_list urgent;        /* every --urgent */
    struct string_list references;    /* every --value */
    struct string_list allow_env;     /* every --allow-env: NAME */
    struct string_list allow_secrets; /* every --allow-secret: NAME or NAME=FILE */
    size_t jobs;                      /* --jobs, 0 when not given */
    int64_t time_limit_ms;            /* --time-limit, 0 when not given */
    const char *const *arguments;     /* what is left of argv; NULL-terminated */
    size_t argument_count;
};

/* in   argv      from the word of the command on; permuted by this
 *      accepted  the command's own options, ends with OPTION_END
 * err  usage, with the near name for a typo
 */
int options_parse(int argc, char **argv, const enum option_id *accepted, struct options *out,
                  struct error *err) _must_check_;
void options_clear(struct options *options);
