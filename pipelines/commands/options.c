#include "pipelines/commands/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "gate/selector.h"

#define JOBS_LIMIT 64  /* trials at once; an engine gains nothing from more */
#define LONG_BASE  256 /* getopt gives LONG_BASE + id for long options, letters stay below */

static const struct option_spec specs[OPTION_COUNT] = {
    [OPTION_DIRECTORY] = {"directory", 'C', "DIR",
                          "the root of the project (default: where you are)"},
    [OPTION_CONFIG] = {"config", 'c', "FILE",
                       "the configuration (default: pingate.yaml in the root)"},
    [OPTION_QUIET] = {"quiet", 'q', NULL, "say only warnings and errors"},
    [OPTION_VERBOSE] = {"verbose", 'v', NULL,
                        "say more: what was left alone, where an error was raised"},
    [OPTION_HELP] = {"help", 'h', NULL, "show this help"},
    [OPTION_ALL] = {"all", 0, NULL, "every stage that comes from another one, in their order"},
    [OPTION_ALLOW_ENV] = {"allow-env", 0, "NAME",
                          "tests that ask for this variable of your environment get it; may be "
                          "repeated"},
    [OPTION_ALLOW_GENERATED] = {"allow-generated", 0, NULL,
                                "also write files that a generator owns (DO NOT EDIT)"},
    [OPTION_ALLOW_SECRET] =
        {"allow-secret", 0, "NAME[=FILE]",
         "tests that ask for this secret get it, as a file in memory: the variable NAME of your "
         "environment, or what FILE holds; may be repeated"},
    [OPTION_AT] = {"at", 0, "TIME",
                   "what stood there then: a day of UTC, such as 2026-11-24, or a time with its "
                   "zone, such as 2026-11-24T10:53Z"},
    [OPTION_COMPACT] =
        {"compact", 0, NULL,
         "merge the files of past months into one a month, and drop old evidence that "
         "nothing rests on"},
    [OPTION_DRY_RUN] = {"dry-run", 'n', NULL, "look up and test, and write no pins"},
    [OPTION_ENGINE] =
        {"engine", 0, "ADDRESS",
         "the Docker Engine: unix:///run/docker.sock, tcp://host:port, ssh://user@host or "
         "context:NAME (default: DOCKER_HOST, DOCKER_CONTEXT, docker's current context, the usual "
         "sockets)"},
    [OPTION_EXIT_CODE] = {"exit-code", 0, NULL, "exit with 4 when there are updates"},
    [OPTION_FORCE] = {"force", 'f', NULL, "replace a file that is there"},
    [OPTION_FROM] = {"from", 0, "FILE",
                     "the result to draw from (default: pingate-out/result.json)"},
    [OPTION_IMAGE] = {"image", 'i', "IMAGE",
                      "only updates of this image, such as redis; may be repeated"},
    [OPTION_INSTEAD_OF_SOAK] = {"instead-of-soak", 0, NULL,
                                "it need not stand in the stage before for the soak time"},
    [OPTION_JOBS] = {"jobs", 'j', "N", "trials at once (default: 4)"},
    [OPTION_JSON] = {"json", 0, NULL, "print the machine form on standard output"},
    [OPTION_JUNIT] = {"junit", 0, "FILE", "the JUnit file in which the test tells its outcome"},
    [OPTION_KEEP] = {"keep", 0, NULL,
                     "leave the containers, volumes and networks of failed trials for a look, and "
                     "say how"},
    [OPTION_KEEP_IMAGES] = {"keep-images", 0, NULL, "leave the images that were pulled for trials"},
    [OPTION_LIMIT] = {"limit", 0, "N", "the newest N entries (default: 50); 0 is all"},
    [OPTION_NO_REUSE] = {"no-reuse", 0, NULL,
                         "run every trial, also where a pass on record could stand in for it"},
    [OPTION_OUTPUT] = {"output", 'o', "DIR",
                       "where reports and logs go (default: pingate-out in the root)"},
    [OPTION_OVERRIDE] = {"force", 0, NULL,
                         "go over what keeps the set out, or was not proved; it is recorded"},
    [OPTION_PLAN] = {"plan", 0, NULL, "show updates, trials and bytes to pull; needs no engine"},
    [OPTION_PLATFORM] = {"platform", 0, "PLATFORM",
                         "on which it ran, such as linux/arm64 (default: this machine's)"},
    [OPTION_PRINT] = {"print", 0, NULL, "print it instead of writing the file"},
    [OPTION_PROMOTE] =
        {"promote", 0, "MODE",
         "all: nothing moves unless every test passes; passing: what passes together moves "
         "(default: as configured, else all)",
         "all passing"},
    [OPTION_REASON] = {"reason", 0, "WORDS", "why, for the record"},
    [OPTION_SET] = {"set", 0, "ID", "the set with this id, or these first digits of it"},
    [OPTION_UNTIL] = {"until", 0, "WHEN",
                      "when it ends: 7d, 2026-12-24 or 2026-12-24T18:00Z (default: never)"},
    [OPTION_STAGE] = {"stage", 0, "STAGE", "the stage that it is about"},
    [OPTION_SINCE] = {"since", 0, "REF", "the commit or branch to compare the pins with"},
    [OPTION_STATE] = {"state", 0, "WHERE",
                      "where first sightings are kept: DIR, branch, branch:NAME or none (default: "
                      "$PINGATE_STATE, else as configured, and a branch is then only read)"},
    [OPTION_TIME_LIMIT] =
        {"time-limit", 0, "DURATION",
         "how long the whole run may take, such as 45m: then running trials are ended, and what "
         "was not tested does not move (default: as configured, else no limit)"},
    [OPTION_TO] =
        {"to", 0, "SET|DIGEST",
         "the set that goes back, or the newest that holds this digest (default: the one before)"},
    [OPTION_TYPE] = {"type", 0, "TYPES",
                     "entries of these types, with commas between them; or all (default: all but "
                     "evidence)",
                     "all evidence observed promoted rolled-back approved denied held released "
                     "unknown"},
    [OPTION_URGENT] = {"urgent", 0, "IMAGE",
                       "goes over the cooldown of this image, and over waiting for a later stage; "
                       "may be repeated"},
    [OPTION_VALUE] = {"value", 0, "REF",
                      "IMAGE[:TAG]@DIGEST on which the test ran; may be repeated"},
    [OPTION_VERIFY] = {"verify", 0, NULL,
                       "read every file, and name each that is damaged and what is odd"},
};

const enum option_id options_common[] = {OPTION_DIRECTORY, OPTION_CONFIG, OPTION_QUIET,
                                         OPTION_VERBOSE,   OPTION_HELP,   OPTION_END};

const struct option_spec *option_spec(enum option_id id) {
    return &specs[id];
}

static bool accepts(const enum option_id *list, enum option_id id) {
    for (; *list != OPTION_END; list++)
        if (*list == id)
            return true;
    return false;
}

/* getopt's own form of what this command accepts. */
static void fill_getopt(const enum option_id *accepted, struct option *longs, char *shorts,
                        const char **names) {
    size_t count = 0;
    *shorts++ = ':';
    for (int id = OPTION_END + 1; id < OPTION_COUNT; id++) {
        if (!accepts(options_common, (enum option_id)id) && !accepts(accepted, (enum option_id)id))
            continue;
        const struct option_spec *spec = &specs[id];
        names[count] = spec->name;
        longs[count++] =
            (struct option){spec->name, spec->argument != NULL ? required_argument : no_argument,
                            NULL, LONG_BASE + id};
        if (spec->letter == 0)
            continue;
        *shorts++ = spec->letter;
        if (spec->argument != NULL)
            *shorts++ = ':';
    }
    *shorts = '\0';
    longs[count] = (struct option){0};
    names[count] = NULL;
}

/* got: what getopt gave, or optopt */
static enum option_id id_of_answer(int got) {
    if (got >= LONG_BASE)
        return (enum option_id)(got - LONG_BASE);
    for (int id = OPTION_END + 1; id < OPTION_COUNT; id++)
        if (specs[id].letter == got)
            return (enum option_id)id;
    return OPTION_END;
}

static int refuse(const char *word, const char *const *names, struct error *err) {
    if (!string_has_prefix(word, "--"))
        return error_set(err, ERROR_USAGE, "unknown option %s", word);
    _cleanup_(free_pointer) char *name = string_dup_length(word + 2, strcspn(word + 2, "="), err);
    if (name == NULL)
        return -1;
    const char *nearest = string_nearest(name, names);
    if (nearest != NULL)
        return error_set(err, ERROR_USAGE, "unknown option --%s; did you mean --%s?", name,
                         nearest);
    return error_set(err, ERROR_USAGE, "unknown option --%s", name);
}

static int take_jobs(const char *value, size_t *jobs, struct error *err) {
    long number = value[strspn(value, "0123456789")] == '\0' ? strtol(value, NULL, 10) : 0;
    if (number < 1 || number > JOBS_LIMIT)
        return error_set(err, ERROR_USAGE, "--jobs: \"%s\" is not a number from 1 to %d", value,
                         JOBS_LIMIT);
    *jobs = (size_t)number;
    return 0;
}

static int take_time_limit(const char *value, int64_t *limit_ms, struct error *err) {
    if (clock_parse_duration(value, limit_ms, err) == 0 && *limit_ms > 0)
        return 0;
    if (err->kind == ERROR_NO_MEMORY)
        return -1;
    return error_set(err, ERROR_USAGE,
                     "--time-limit: \"%s\" is no duration above zero, such as 45m or 1h30m", value);
}

static int take_image(enum option_id id, const char *value, struct string_list *list,
                      struct error *err) {
    if (selector_check(value, err) < 0) {
        err->kind = ERROR_USAGE;
        return error_wrap(err, "--%s", specs[id].name);
    }
    return string_list_add(list, value, err);
}

static int take_value(enum option_id id, const char *value, struct options *out,
                      struct error *err) {
    out->given[id] = true;
    out->values[id] = value;
    if (value == NULL)
        return 0;
    if (*value == '\0')
        return error_set(err, ERROR_USAGE, "--%s: %s is empty", specs[id].name, specs[id].argument);
    if (id == OPTION_IMAGE)
        return take_image(id, value, &out->images, err);
    if (id == OPTION_ALLOW_ENV && strchr(value, '=') != NULL)
        return error_set(err, ERROR_USAGE,
                         "--allow-env: \"%s\" is no name: it grants a variable as it is in your "
                         "environment",
                         value);
    if (id == OPTION_ALLOW_ENV)
        return string_list_add(&out->allow_env, value, err);
    if (id == OPTION_ALLOW_SECRET)
        return string_list_add(&out->allow_secrets, value, err);
    if (id == OPTION_VALUE)
        return string_list_add(&out->references, value, err);
    if (id == OPTION_URGENT)
        return take_image(id, value, &out->urgent, err);
    if (id == OPTION_PROMOTE && strcmp(value, "all") != 0 && strcmp(value, "passing") != 0)
        return error_set(err, ERROR_USAGE, "--promote: \"%s\" is neither all nor passing", value);
    if (id == OPTION_TIME_LIMIT)
        return take_time_limit(value, &out->time_limit_ms, err);
    return id == OPTION_JOBS ? take_jobs(value, &out->jobs, err) : 0;
}

int options_parse(int argc, char **argv, const enum option_id *accepted, struct options *out,
                  struct error *err) {
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 2];
    const char *names[OPTION_COUNT + 1];
    *out = (struct options){0};
    fill_getopt(accepted, longs, shorts, names);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        int before = optind > 0 ? optind : 1;
        int got = getopt_long(argc, argv, shorts, longs, NULL);
        if (got == -1)
            break;
        if (got == '?' && optopt > 0 && optopt < LONG_BASE)
            return error_set(err, ERROR_USAGE, "unknown option -%c", optopt);
        if (got == '?' && optopt >= LONG_BASE)
            return error_set(err, ERROR_USAGE, "--%s takes no argument",
                             specs[optopt - LONG_BASE].name);
        if (got == '?')
            return refuse(argv[optind > before ? optind - 1 : before], names, err);
        enum option_id id = id_of_answer(got == ':' ? optopt : got);
        if (got == ':')
            return error_set(err, ERROR_USAGE, "--%s needs an argument: %s", specs[id].name,
                             specs[id].argument);
        if (take_value(id, optarg, out, err) < 0)
            return -1;
    }
    out->arguments = (const char *const *)argv + optind;
    out->argument_count = (size_t)(argc - optind);
    return 0;
}

void options_clear(struct options *options) {
    string_list_clear(&options->images);
    string_list_clear(&options->urgent);
    string_list_clear(&options->references);
    string_list_clear(&options->allow_env);
    string_list_clear(&options->allow_secrets);
    *options = (struct options){0};
}
