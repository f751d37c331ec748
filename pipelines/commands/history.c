#include "pipelines/commands/history.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/promotion.h"
#include "pipelines/stages/compact.h"

#define USUAL_LIMIT 50 /* entries; two screens */

void history_stage_list_clear(struct history_stage_list *stages) {
    for (size_t i = 0; i < stages->count; i++)
        history_stand_list_clear(&stages->items[i].stands);
    free(stages->items);
    *stages = (struct history_stage_list){0};
}

static int take_limit(const char *value, size_t *limit, struct error *err) {
    *limit = USUAL_LIMIT;
    if (value == NULL)
        return 0;
    if (value[strspn(value, "0123456789")] != '\0' || strlen(value) > 9)
        return error_set(err, ERROR_USAGE, "--limit: \"%s\" is not a number of entries", value);
    *limit = strtoul(value, NULL, 10);
    return 0;
}

static int take_type(const char *name, unsigned int *types, struct error *err) {
    const char *names[LEDGER_TYPE_COUNT + 2] = {"all"};
    enum ledger_type type;
    for (int i = 0; i < LEDGER_TYPE_COUNT; i++)
        names[i + 1] = ledger_type_name((enum ledger_type)i);
    if (strcmp(name, "all") == 0)
        *types = (1u << LEDGER_TYPE_COUNT) - 1;
    else if (ledger_type_from_name(name, &type))
        *types |= 1u << type;
    else if (strcmp(name, ledger_type_name(LEDGER_UNKNOWN)) == 0)
        *types |= 1u << LEDGER_UNKNOWN;
    else {
        const char *nearest = string_nearest(name, names);
        return error_set(err, ERROR_USAGE, "--type: there is no type \"%s\"%s%s%s", name,
                         nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "\"?" : "");
    }
    return 0;
}

static int take_types(const char *value, unsigned int *types, struct error *err) {
    if (value == NULL) {
        *types = ((1u << LEDGER_TYPE_COUNT) - 1) & ~(1u << LEDGER_EVIDENCE);
        return 0;
    }
    *types = 0;
    for (;;) {
        size_t length = strcspn(value, ",");
        _cleanup_(free_pointer) char *name = string_dup_length(value, length, err);
        if (name == NULL || take_type(name, types, err) < 0)
            return -1;
        if (value[length] == '\0')
            return 0;
        value += length + 1;
    }
}

/* A stage is one of the configuration, or one that is no more and of which the ledger tells. */
static int check_stage(struct invocation *invocation, const struct ledger *ledger,
                       const char *stage, struct error *err) {
    _cleanup_(string_list_clear) struct string_list stages = {0};
    _cleanup_(config_clear) struct config config = {0};
    if (stage == NULL)
        return 0;
    if (history_stages(ledger, &stages, err) < 0)
        return -1;
    if (string_list_has(&stages, stage))
        return 0;
    if (command_config(invocation, &config, err) < 0)
        return -1;
    for (size_t i = 0; i < config.stages.count; i++)
        if (string_list_add(&stages, config.stages.items[i].name, err) < 0)
            return -1;
    if (string_list_has(&stages, stage))
        return 0;
    const char **names = calloc(stages.count + 1, sizeof *names);
    if (names == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < stages.count; i++)
        names[i] = stages.items[i];
    const char *nearest = string_nearest(stage, names);
    free(names);
    return error_set(err, ERROR_USAGE,
                     "neither the configuration nor the ledger knows a stage \"%s\"%s%s%s", stage,
                     nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?" : "");
}

/* Options that ask for different things at once. */
static int check_options(const struct options *options, struct error *err) {
    static const enum option_id modes[] = {OPTION_AT, OPTION_VERIFY, OPTION_COMPACT};
    static const enum option_id filters[] = {OPTION_SET, OPTION_IMAGE, OPTION_TYPE, OPTION_LIMIT};
    enum option_id mode = OPTION_END;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (!options->given[modes[i]])
            continue;
        if (mode != OPTION_END)
            return error_set(err, ERROR_USAGE, "--%s and --%s do not go together",
                             option_spec(mode)->name, option_spec(modes[i])->name);
        mode = modes[i];
    }
    for (size_t i = 0; mode != OPTION_END && i < sizeof filters / sizeof *filters; i++)
        if (options->given[filters[i]])
            return error_set(err, ERROR_USAGE, "--%s and --%s do not go together",
                             option_spec(mode)->name, option_spec(filters[i])->name);
    if (options->argument_count > 0 && mode != OPTION_END && mode != OPTION_AT)
        return error_set(err, ERROR_USAGE, "--%s reads the whole ledger, not that of one stage",
                         option_spec(mode)->name);
    if (options->given[OPTION_DRY_RUN] && mode != OPTION_COMPACT)
        return error_set(err, ERROR_USAGE,
                         "--dry-run goes with --compact alone: all else only reads");
    if (options->given[OPTION_JSON] && mode == OPTION_COMPACT)
        return error_set(err, ERROR_USAGE, "--compact has no machine form");
    return 0;
}

static void tell_entries(struct invocation *invocation, const struct ledger *ledger,
                         const struct history_entries *entries, size_t limit) {
    size_t evidence = 0;
    for (size_t i = 0; i < ledger->count; i++)
        evidence += ledger->items[i].type == LEDGER_EVIDENCE;
    if (ledger->count == 0)
        terminal_line(invocation->terminal, "the ledger is empty: nothing stands in %s",
                      LEDGER_FOLDER);
    else if (limit != 0 && entries->count > limit)
        terminal_line(invocation->terminal, "the newest %zu of %zu entries; --limit 0 shows all",
                      limit, entries->count);
    else
        terminal_line(invocation->terminal, "%zu entr%s", entries->count,
                      entries->count == 1 ? "y" : "ies");
    if (evidence > 0 && !invocation->options.given[OPTION_TYPE])
        terminal_line(invocation->terminal, "%zu entr%s of evidence left out; --type all shows all",
                      evidence, evidence == 1 ? "y" : "ies");
}

static int show_entries(struct invocation *invocation, const struct ledger *ledger,
                        struct error *err) {
    const struct options *options = &invocation->options;
    struct history_query query = {.stage =
                                      options->argument_count > 0 ? options->arguments[0] : NULL,
                                  .images = &options->images};
    _cleanup_(history_entries_clear) struct history_entries entries = {0};
    size_t limit;
    if (take_limit(options->values[OPTION_LIMIT], &limit, err) < 0 ||
        take_types(options->values[OPTION_TYPE], &query.types, err) < 0 ||
        (options->given[OPTION_SET] &&
         history_find_set(ledger, options->values[OPTION_SET], &query.set, err) < 0) ||
        history_select(ledger, &query, &entries, err) < 0)
        return -1;
    if (options->given[OPTION_JSON])
        return command_print_json(invocation, history_entries_to_json(&entries, limit, err), err);
    if (history_print_entries(invocation, &entries, limit, err) < 0)
        return -1;
    tell_entries(invocation, ledger, &entries, limit);
    return 0;
}

static int find_stages(const struct ledger *ledger, const char *stage, int64_t first_ms,
                       int64_t last_ms, struct string_list *names, struct history_stage_list *out,
                       struct error *err) {
    if (stage != NULL ? string_list_add(names, stage, err) < 0
                      : history_stages(ledger, names, err) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++) {
        struct history_stage *item = array_add(out, err);
        if (item == NULL)
            return -1;
        item->name = names->items[i];
        if (history_stood(ledger, item->name, first_ms, last_ms, &item->stands, err) < 0)
            return -1;
    }
    return 0;
}

static int show_time(struct invocation *invocation, const struct ledger *ledger,
                     struct error *err) {
    const struct options *options = &invocation->options;
    _cleanup_(string_list_clear) struct string_list names = {0};
    _cleanup_(history_stage_list_clear) struct history_stage_list stages = {0};
    int64_t first_ms, last_ms;
    if (clock_parse_time(options->values[OPTION_AT], &first_ms, &last_ms, err) < 0)
        return error_wrap(err, "--at");
    if (find_stages(ledger, options->argument_count > 0 ? options->arguments[0] : NULL, first_ms,
                    last_ms, &names, &stages, err) < 0)
        return -1;
    if (options->given[OPTION_JSON])
        return command_print_json(
            invocation, history_stages_to_json(ledger, &stages, first_ms, last_ms, err), err);
    if (history_print_stages(invocation, ledger, &stages, last_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < stages.count; i++)
        if (stages.items[i].stands.count == 0)
            terminal_line(invocation->terminal,
                          "of what stood in %s then the ledger tells nothing: its first entry is "
                          "later",
                          stages.items[i].name);
    if (stages.count == 0)
        terminal_line(invocation->terminal, "the ledger tells of no stage");
    return 0;
}

static void tell_finding(struct invocation *invocation, const struct history_finding *finding) {
    const struct ledger_entry *entry = finding->entry;
    const char *type = entry->unknown != NULL ? entry->unknown : ledger_type_name(entry->type);
    static const char *const words[HISTORY_ODDITY_COUNT] = {
        [HISTORY_FUTURE] = "is from later than now: it counts from now on, and never as time that "
                           "has passed",
        [HISTORY_UNKNOWN] = "is of a type that this pingate does not know; it is kept",
        [HISTORY_CRITICAL] = "was written by a newer pingate, which said that none may promote "
                             "without knowing it: update pingate",
        [HISTORY_UNKNOWN_SET] =
            "names a set that no entry tells of: it decides nothing that is known",
        [HISTORY_OTHER_SET] = "names a set that is not that of its values",
    };
    terminal_warning(invocation->terminal, "%s:%zu: \"%s\" of %s %s", entry->file, entry->line,
                     type, entry->actor, words[finding->oddity]);
}

static int verify(struct invocation *invocation, int *exit_status, struct error *err) {
    _cleanup_(ledger_clear) struct ledger ledger = {0};
    _cleanup_(ledger_damage_list_clear) struct ledger_damage_list damage = {0};
    _cleanup_(history_finding_list_clear) struct history_finding_list findings = {0};
    if (ledger_verify(invocation->root, &ledger, &damage, err) < 0 ||
        history_findings(&ledger, clock_now_ms(), &findings, err) < 0)
        return -1;
    if (damage.count > 0)
        *exit_status = EXIT_COULD_NOT;
    if (invocation->options.given[OPTION_JSON])
        return command_print_json(invocation,
                                  history_check_to_json(&ledger, &damage, &findings, err), err);
    for (size_t i = 0; i < damage.count; i++)
        terminal_error(invocation->terminal, "%s", damage.items[i].reason);
    for (size_t i = 0; i < findings.count; i++)
        tell_finding(invocation, &findings.items[i]);
    terminal_line(invocation->terminal, "%zu file%s with %zu entr%s %s as written; %zu damaged",
                  ledger.files, ledger.files == 1 ? "" : "s", ledger.count,
                  ledger.count == 1 ? "y" : "ies", ledger.files == 1 ? "is" : "are", damage.count);
    return 0;
}

/* What a crash left of a promotion comes first: it may hold a file of the ledger. */
static int recover(struct invocation *invocation, bool write, struct error *err) {
    enum promotion_state state;
    _cleanup_(text_clear) struct text words = {0};
    if (promotion_recover(invocation->root, write, &state, &words, err) < 0)
        return -1;
    if (words.length > 0)
        terminal_warning(invocation->terminal, "%s", text_string(&words));
    return 0;
}

static int compact(struct invocation *invocation, struct error *err) {
    bool dry_run = invocation->options.given[OPTION_DRY_RUN];
    struct compact_report report;
    if (recover(invocation, !dry_run, err) < 0 ||
        compact_run(invocation->root, clock_now_ms(), dry_run, &report, err) < 0)
        return -1;
    if (report.months == 0)
        terminal_line(invocation->terminal, "nothing to compact: only months before the last whole "
                                            "one are, and of these none has several files");
    else
        terminal_line(invocation->terminal,
                      "%s %zu file%s of %zu month%s into %zu: %zu of %zu entries stay%s",
                      dry_run ? "would make" : "made", report.files_before,
                      report.files_before == 1 ? "" : "s", report.months,
                      report.months == 1 ? "" : "s", report.files_after, report.entries_after,
                      report.entries_before,
                      dry_run ? "" : "; commit all of " LEDGER_FOLDER " together");
    return 0;
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    const struct options *options = &invocation->options;
    _cleanup_(ledger_clear) struct ledger ledger = {0};
    if (check_options(options, err) < 0)
        return -1;
    if (options->given[OPTION_VERIFY])
        return verify(invocation, exit_status, err);
    if (options->given[OPTION_COMPACT])
        return compact(invocation, err);
    if (ledger_load(invocation->root, &ledger, err) < 0 ||
        check_stage(invocation, &ledger, options->argument_count > 0 ? options->arguments[0] : NULL,
                    err) < 0)
        return -1;
    return options->given[OPTION_AT] ? show_time(invocation, &ledger, err)
                                     : show_entries(invocation, &ledger, err);
}

static const enum option_id options[] = {
    OPTION_IMAGE,  OPTION_SET,     OPTION_TYPE,    OPTION_LIMIT, OPTION_AT,
    OPTION_VERIFY, OPTION_COMPACT, OPTION_DRY_RUN, OPTION_JSON,  OPTION_END};
static const char *const examples[] = {"pingate history",
                                       "what was promoted, decided and seen, newest first",
                                       "pingate history production --at 2026-11-20",
                                       "what ran there on that day, on what evidence",
                                       "pingate history --image redis --type all",
                                       "all about one image, its tests too",
                                       "pingate history --verify",
                                       "whether every file is as it was written",
                                       NULL};

const struct command command_history;
const struct command command_history = {
    .name = "history",
    .arguments = "[STAGE]",
    .arguments_most = 1,
    .summary = "show what was promoted where and when, by whom, on what evidence",
    .description =
        "Shows the entries of the ledger (.pingate/ledger), newest first, of one stage or of all. "
        "With --at it tells which set stood there then, on what evidence each of its images came "
        "in, who approved it, and what failed afterwards.\nA file that is damaged is an error that "
        "names it; --verify goes on, names all of them, and exits with 3 when there is one. "
        "--compact merges the files of past months, but for the last whole one, into one a month; "
        "run it on the branch that all others are merged into. With --dry-run it only tells.",
    .options = options,
    .examples = examples,
    .run = run,
};
