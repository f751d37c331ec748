#include "gate/pins/scan.h"
#include "pipelines/commands/command.h"
#include "runners/engine/engine.h"

static void line(struct invocation *invocation, bool good, const char *what, const char *words) {
    fprintf(invocation->out, "%-7s %-14s %s\n", good ? "ok" : "PROBLEM", what, words);
}

static bool check_config(struct invocation *invocation) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(config_clear) struct config config = {0};
    char words[128];
    if (command_config(invocation, &config, &err) < 0) {
        line(invocation, false, "configuration", error_message(&err));
        return false;
    }
    snprintf(words, sizeof words, "%s: %zu rules, %zu tests", config.file, config.rules.count,
             config.tests.count);
    line(invocation, config.tests.count > 0, "configuration",
         config.tests.count > 0
             ? words
             : "no tests are declared, so no pin can ever move; `pingate init` writes a first one");
    return config.tests.count > 0;
}

static bool check_pins(struct invocation *invocation) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(scan_clear) struct scan scan = {0};
    struct scan_options options = {.cancel = invocation->cancel};
    char words[128];
    if (scan_tree(invocation->root, &options, &scan, &err) < 0) {
        line(invocation, false, "pins", error_message(&err));
        return false;
    }
    snprintf(words, sizeof words, "%zu pins in %zu files", scan.pins.count, scan.files);
    line(invocation, true, "pins", words);
    return true;
}

static bool check_engine(struct invocation *invocation) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(engine_freep) struct engine *engine = NULL;
    _cleanup_(free_pointer) char *platform = NULL;
    _cleanup_(free_pointer) char *words = NULL;
    if (engine_open(invocation->options.values[OPTION_ENGINE], invocation->cancel, &engine, &err) ==
        0)
        words = engine_describe(engine, &platform, &err);
    line(invocation, words != NULL, "engine", words != NULL ? words : error_message(&err));
    return words != NULL;
}

static bool check_credentials(struct invocation *invocation) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(credentials_freep) struct credentials *credentials = NULL;
    if (credentials_load(invocation->cancel, &credentials, &err) < 0) {
        line(invocation, false, "credentials", error_message(&err));
        return false;
    }
    _cleanup_(text_clear) struct text words = {0};
    const char *const *hosts = credentials_hosts(credentials);
    for (size_t i = 0; hosts[i] != NULL; i++)
        text_printf(&words, "%s%s", i > 0 ? ", " : "for ", hosts[i]);
    line(invocation, true, "credentials",
         words.length > 0 ? text_string(&words) : "none: registries are asked anonymously");
    _cleanup_(string_list_clear) struct string_list problems = {0};
    if (credentials_problems(credentials, &problems, &err) < 0) {
        line(invocation, false, "credentials", error_message(&err));
        return false;
    }
    for (size_t i = 0; i < problems.count; i++)
        line(invocation, false, "credentials", problems.items[i]);
    return problems.count == 0;
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)err;
    bool config = check_config(invocation);
    bool pins = check_pins(invocation);
    bool engine = check_engine(invocation);
    bool credentials = check_credentials(invocation);
    if (!config)
        *exit_status = EXIT_USAGE;
    else if (!pins || !engine || !credentials)
        *exit_status = EXIT_COULD_NOT;
    return 0;
}

static const enum option_id options[] = {OPTION_ENGINE, OPTION_END};

const struct command command_doctor;
const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "tell what works here, what is off, and why",
    .description = "Checks the configuration, the pins, the engine and the credentials (which are "
                   "never shown), and says of each "
                   "what works and what is off. Exits with 2 or 3 when something is.",
    .options = options,
    .run = run,
};
