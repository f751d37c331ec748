#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "gate/base/process.h"
#include "gate/pins/scan.h"
#include "pipelines/commands/doctor_parts.h"
#include "pipelines/gate.h"
#include "pipelines/promotion.h"
#include "pipelines/writable.h"
#include "reports/clean.h"

#define REGISTRY_TIMEOUT_MS 20000 /* for one registry; an answer takes a second */
#define GIT_TIMEOUT_MS      20000 /* for its version, and for a look at the repository */
#define FILES_SHOWN         5     /* files that may not be written; the rest is counted */

void doctor_say(struct doctor *doctor, enum finding finding, const char *what, const char *format,
                ...) {
    static const char *const names[] = {"ok", "note", "PROBLEM"};
    char words[DOCTOR_WORDS_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    _cleanup_(text_clear) struct text cleaned = {0};
    clean_terminal(&cleaned, words, strlen(words), false);
    fprintf(doctor->invocation->out, "%-7s %-13s %s\n", names[finding], what,
            text_string(&cleaned));
    doctor->something_off = doctor->something_off || finding == PROBLEM;
}

static void check_config(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(free_pointer) char *usual = file_join(doctor->invocation->root, CONFIG_FILE, &err);
    bool named = doctor->invocation->options.values[OPTION_CONFIG] != NULL;
    const struct config *config = &doctor->config;
    doctor->config_wrong = true;
    if (command_config(doctor->invocation, &doctor->config, &err) < 0) {
        doctor_say(doctor, PROBLEM, "configuration", "%s", error_message(&err));
        return;
    }
    doctor->configured = true;
    if (!named && usual != NULL && !file_exists(usual))
        doctor_say(
            doctor, PROBLEM, "configuration",
            "%s lacks, so nothing is tested and no pin can ever move; `pingate init` writes a "
            "first one",
            usual);
    else if (config->tests.count == 0)
        doctor_say(
            doctor, PROBLEM, "configuration",
            "%s declares no tests, so no pin can ever move; declare what an image must do under "
            "\"tests\"",
            config->file);
    else
        doctor->config_wrong = false;
    if (!doctor->config_wrong)
        doctor_say(doctor, GOOD, "configuration", "%s: %zu rule%s, %zu test%s, promote: %s",
                   config->file, config->rules.count, config->rules.count == 1 ? "" : "s",
                   config->tests.count, config->tests.count == 1 ? "" : "s",
                   config->promote_passing ? "passing" : "all");
}

static int run_git(struct doctor *doctor, const char *const *argv, struct process_result *result,
                   struct error *err) {
    struct process_options options = {
        .argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .cancel = doctor->invocation->cancel};
    return process_run(&options, result, err);
}

static void check_git(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(process_result_clear) struct process_result version = {0};
    _cleanup_(process_result_clear) struct process_result inside = {0};
    const char *root = doctor->invocation->root;
    const char *const ask_version[] = {"git", "--version", NULL};
    /* in plain English, since its words are looked at */
    const char *const ask_inside[] = {
        "env", "LC_ALL=C", "git", "-C", root, "rev-parse", "--is-inside-work-tree", NULL};
    if (run_git(doctor, ask_version, &version, &err) < 0 ||
        run_git(doctor, ask_inside, &inside, &err) < 0) {
        doctor_say(
            doctor, NOTE, "git",
            "%s: every file is scanned, also what .gitignore names, and `test --since` does not "
            "work",
            error_message(&err));
        return;
    }
    int length = (int)strcspn(text_string(&version.output), "\n");
    _cleanup_(free_pointer) char *why = process_result_why(&inside, &err);
    if (inside.exit_status == 0)
        doctor_say(doctor, GOOD, "git", "%.*s; scanned is what git would add", length,
                   text_string(&version.output));
    else if (why != NULL && strstr(why, "not a git repository") != NULL)
        doctor_say(
            doctor, NOTE, "git",
            "%.*s; no repository here: every file is scanned, and `test --since` does not work",
            length, text_string(&version.output));
    else
        doctor_say(doctor, PROBLEM, "git", "%s", why != NULL ? why : error_message(&err));
}

static void check_pins(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    struct scan_options options = {.include = &doctor->config.include,
                                   .exclude = &doctor->config.exclude,
                                   .cancel = doctor->invocation->cancel};
    _cleanup_(free_pointer) size_t *stages = NULL;
    if (scan_tree(doctor->invocation->root, &options, &doctor->scan, &err) == 0)
        stages = stage_of_pins(&doctor->config.stages, &doctor->scan.pins, &err);
    if (stages == NULL || updates_collect(&doctor->scan.pins, stages, &doctor->updates, &err) < 0) {
        doctor_say(doctor, PROBLEM, "pins", "%s", error_message(&err));
        return;
    }
    if (doctor->scan.pins.count == 0)
        doctor_say(doctor, NOTE, "pins",
                   "none in %zu files; a pin is written name:tag@sha256:…, as in \"FROM "
                   "redis:7@sha256:…\"",
                   doctor->scan.files);
    else
        doctor_say(doctor, GOOD, "pins", "%zu of %zu version%s in %zu of %zu file%s",
                   doctor->scan.pins.count, doctor->updates.count,
                   doctor->updates.count == 1 ? "" : "s", scan_files_with_pins(&doctor->scan),
                   doctor->scan.files, doctor->scan.files == 1 ? "" : "s");
    if (doctor->scan.skipped.count > 0)
        doctor_say(doctor, NOTE, "pins", "%zu places are left alone; `pingate scan -v` says why",
                   doctor->scan.skipped.count);
}

/* What no test covers, and rules and tests that match nothing. */
static void check_plan(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(plan_clear) struct plan plan = {0};
    _cleanup_(plan_builds_clear) struct plan_builds builds = {0};
    if (!doctor->configured || doctor->config.tests.count == 0 || doctor->updates.count == 0)
        return;
    if (plan_builds_find(&doctor->config, doctor->invocation->root, &doctor->scan.pins, &builds,
                         &err) < 0 ||
        plan_make(&doctor->config, &doctor->updates, &builds, false, &plan, &err) < 0) {
        doctor_say(doctor, PROBLEM, "tests", "%s", error_message(&err));
        doctor->config_wrong = true;
        return;
    }
    for (size_t i = 0; i < plan.warnings.count; i++)
        doctor_say(doctor, NOTE, "tests", "%s", plan.warnings.items[i]);
    size_t covered = 0;
    size_t asked = 0;
    for (size_t i = 0; i < doctor->updates.count; i++) {
        const struct stage *stage =
            stage_at(&doctor->config.stages, doctor->updates.items[i].stage);
        if (stage != NULL && stage->from != NULL)
            continue; /* what enters there was tested in the stage before */
        asked++;
        _cleanup_(free_pointer) char *words = update_words(&doctor->updates.items[i], &err);
        covered += plan_covers(&plan, i) ? 1 : 0;
        if (!plan_covers(&plan, i) && words != NULL)
            doctor_say(doctor, NOTE, "tests", "none covers %s, so it never moves", words);
    }
    doctor_say(doctor, GOOD, "tests", "%zu of %zu version%s covered", covered, asked,
               asked == 1 ? " is" : "s are");
}

static void check_files(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(string_list_clear) struct string_list files = {0};
    _cleanup_(unwritable_list_clear) struct unwritable_list refused = {0};
    _cleanup_(text_clear) struct text words = {0};
    enum promotion_state state;
    const struct pin_list *pins = &doctor->scan.pins;
    for (size_t i = 0; i < pins->count; i++)
        if ((i == 0 || strcmp(pins->items[i].file, pins->items[i - 1].file) != 0) &&
            string_list_add(&files, pins->items[i].file, &err) < 0) {
            doctor_say(doctor, PROBLEM, "files", "%s", error_message(&err));
            return;
        }
    const char *root = doctor->invocation->root;
    if (promotion_recover(root, false, &state, &words, &err) < 0 ||
        writable_check(root, &files, false, &refused, &err) < 0) {
        doctor_say(doctor, PROBLEM, "files", "%s", error_message(&err));
        return;
    }
    if (words.length > 0)
        doctor_say(doctor, NOTE, "files", "%s", text_string(&words));
    for (size_t i = 0; i < refused.count && i < FILES_SHOWN; i++)
        doctor_say(doctor, NOTE, "files", "never written: %s", refused.items[i].reason);
    doctor_say(doctor, GOOD, "files", "%zu of %zu with pins may be written",
               files.count - refused.count, files.count);
}

/* The folder of reports need not be there; the one above it must let us make it. */
static void check_output(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(free_pointer) char *output = command_output_folder(doctor->invocation, &err);
    struct stat status;
    if (output == NULL || lstat(output, &status) < 0)
        return;
    if (!S_ISDIR(status.st_mode))
        doctor_say(doctor, PROBLEM, "reports", "%s is no folder: remove it", output);
    else if (access(output, W_OK | X_OK) < 0)
        doctor_say(doctor, PROBLEM, "reports", "%s may not be written: change its owner or mode",
                   output);
    else
        doctor_say(doctor, GOOD, "reports", "%s", output);
}

/* One registry: its domain, and what came back for one pin of it. */
struct asked {
    struct doctor *doctor;
    struct reference name;
    char *domain;
    char *source; /* of the credential; NULL: none */
};

static int on_answer(void *context, const struct registry_digest *answer, const struct error *why,
                     struct error *fatal) {
    (void)answer;
    (void)fatal;
    const struct asked *asked = context;
    _cleanup_(text_clear) struct text credential = {0};
    if (asked->source != NULL)
        text_printf(&credential, "with the credential of %s", asked->source);
    const char *how = asked->source != NULL ? text_string(&credential) : "anonymously";
    if (why == NULL)
        doctor_say(asked->doctor, GOOD, "registry", "%s answers, asked %s", asked->domain, how);
    else if (why->kind == ERROR_NOT_FOUND)
        doctor_say(asked->doctor, NOTE, "registry",
                   "%s answers, asked %s, and does not have %s any more: the pin cannot be pulled",
                   asked->domain, how, asked->name.image);
    else
        doctor_say(asked->doctor, PROBLEM, "registry", "%s, asked %s: %s", asked->domain, how,
                   error_message(why));
    return 0;
}

static int ask(struct doctor *doctor, const struct update *update, struct credentials *credentials,
               struct registry *registry, struct asked *asked, struct error *err) {
    struct credential credential = {0};
    asked->doctor = doctor;
    asked->domain = string_dup_length(update->image, strcspn(update->image, "/"), err);
    if (asked->domain == NULL)
        return -1;
    _cleanup_(error_clear) struct error why = {0};
    if (credentials_find(credentials, asked->domain, &credential, &why) < 0)
        doctor_say(doctor, PROBLEM, "credentials", "%s: %s", asked->domain, error_message(&why));
    if (!credential_empty(&credential))
        asked->source = string_dup(credential.source, err);
    credential_clear(&credential);
    _cleanup_(free_pointer) char *text = reference_text(update->image, NULL, update->digest, err);
    if (text == NULL || reference_parse(text, &asked->name, err) < 0)
        return -1;
    return registry_resolve(registry, &asked->name, on_answer, asked, err);
}

/* Updates are sorted by image, so those of one registry stand together. */
static int ask_all(struct doctor *doctor, struct credentials *credentials,
                   struct registry *registry, struct asked *asked, struct error *err) {
    size_t count = 0;
    for (size_t i = 0; i < doctor->updates.count; i++) {
        const char *image = doctor->updates.items[i].image;
        size_t length = strcspn(image, "/") + 1;
        if (i > 0 && strncmp(image, doctor->updates.items[i - 1].image, length) == 0)
            continue;
        if (ask(doctor, &doctor->updates.items[i], credentials, registry, &asked[count++], err) < 0)
            return -1;
    }
    return registry_run(registry, err);
}

static void check_registries(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(credentials_freep) struct credentials *credentials = NULL;
    _cleanup_(registry_freep) struct registry *registry = NULL;
    if (credentials_load(doctor->invocation->cancel, &credentials, &err) < 0) {
        doctor_say(doctor, PROBLEM, "credentials", "%s", error_message(&err));
        return;
    }
    _cleanup_(text_clear) struct text known = {0};
    const char *const *hosts = credentials_hosts(credentials);
    for (size_t i = 0; hosts[i] != NULL; i++)
        text_printf(&known, "%s%s", i > 0 ? ", " : "for ", hosts[i]);
    doctor_say(doctor, GOOD, "credentials", "%s",
               known.length > 0 ? text_string(&known) : "none: registries are asked anonymously");
    _cleanup_(string_list_clear) struct string_list problems = {0};
    if (credentials_problems(credentials, &problems, &err) < 0) {
        doctor_say(doctor, PROBLEM, "credentials", "%s", error_message(&err));
        return;
    }
    for (size_t i = 0; i < problems.count; i++)
        doctor_say(doctor, PROBLEM, "credentials", "%s", problems.items[i]);
    struct registry_options options = {.hosts = doctor->config.registries.items,
                                       .host_count = doctor->config.registries.count,
                                       .credentials = credentials,
                                       .timeout_ms = REGISTRY_TIMEOUT_MS};
    struct asked *asked = calloc(doctor->updates.count + 1, sizeof *asked);
    if (asked == NULL || registry_new(&options, doctor->invocation->cancel, &registry, &err) < 0 ||
        ask_all(doctor, credentials, registry, asked, &err) < 0)
        doctor_say(doctor, PROBLEM, "registry", "%s",
                   asked == NULL ? "out of memory" : error_message(&err));
    for (size_t i = 0; asked != NULL && i < doctor->updates.count; i++) {
        reference_clear(&asked[i].name);
        free(asked[i].domain);
        free(asked[i].source);
    }
    free(asked);
}

static void tell_state(struct doctor *doctor, struct state *state, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(sightings_clear) struct sighting_list known = {0};
    _cleanup_(free_pointer) char *damage = NULL;
    bool absent;
    if (state_read(state, &state_sightings, &bytes, &absent, err) < 0 ||
        (!absent && sightings_parse(text_string(&bytes), bytes.length, &known, &damage, err) < 0)) {
        doctor_say(doctor, PROBLEM, "state", "%s", error_message(err));
        return;
    }
    const char *only_read =
        state_may_write(state) ? "" : "; only read, without the caller's word: --state branch";
    if (absent)
        doctor_say(doctor, NOTE, "state", "%s: nothing is there yet%s", state_words(state),
                   only_read);
    else if (damage != NULL)
        doctor_say(doctor, PROBLEM, "state", "%s: %s is damaged: %s", state_words(state),
                   state_sightings.name, damage);
    else
        doctor_say(doctor, GOOD, "state", "%s: %zu sighting%s%s", state_words(state), known.count,
                   known.count == 1 ? "" : "s", only_read);
}

/* Where sightings are kept, which cooldowns count from; nothing is said where nobody wants them. */
static void check_state(struct doctor *doctor) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(state_freep) struct state *state = NULL;
    struct state_options options = {.root = doctor->invocation->root,
                                    .config = &doctor->config.state,
                                    .given = command_state(doctor->invocation),
                                    .cancel = doctor->invocation->cancel};
    if (!doctor->configured)
        return;
    if (state_open(&options, &state, &err) < 0) {
        doctor_say(doctor, PROBLEM, "state", "%s", error_message(&err));
        return;
    }
    if (state != NULL) {
        tell_state(doctor, state, &err);
        return;
    }
    for (size_t i = 0; i < doctor->config.rules.count; i++)
        if (doctor->config.rules.items[i].cooldown_ms > 0 &&
            !doctor->config.rules.items[i].urgent) {
            doctor_say(doctor, PROBLEM, "state",
                       "%s:%d has a cooldown, and without a state none ever ends: write \"state: "
                       "{folder: .pingate/state}\", or give --state DIR",
                       doctor->config.file, doctor->config.rules.items[i].line);
            return;
        }
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    static void (*const checks[])(struct doctor * doctor) = {
        check_config, check_git,     check_pins,       check_plan, check_files,
        check_output, doctor_engine, check_registries, check_state};
    struct doctor doctor = {.invocation = invocation};
    int result = 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && result == 0; i++) {
        checks[i](&doctor);
        result = cancel_check(invocation->cancel, err);
    }
    if (doctor.config_wrong)
        *exit_status = EXIT_USAGE;
    else if (doctor.something_off)
        *exit_status = EXIT_COULD_NOT;
    config_clear(&doctor.config);
    scan_clear(&doctor.scan);
    update_list_clear(&doctor.updates);
    return result;
}

static const enum option_id options[] = {OPTION_ENGINE, OPTION_OUTPUT, OPTION_STATE, OPTION_END};
static const char *const examples[] = {"pingate doctor", "when something does not work", NULL};

const struct command command_doctor;
const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "tell what works here, what is off, and why",
    .description =
        "Checks the configuration, git, the pins and whether their files may be written, which of "
        "them tests cover, the engine and what it can limit, the credentials (which are never "
        "shown), and each registry that a pin names (with one request). Says of each what works "
        "and what is off, with the remedy. Writes nothing. Exits with 2 when the configuration is "
        "wrong or no test is declared, else with 3 when something does not work.",
    .options = options,
    .examples = examples,
    .run = run,
};
