#include "pipelines/gate.h"
#include "pipelines/trial_junit.h"

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/hash.h"
#include "gate/selector.h"

#define WORKSPACE_LARGE                                                                            \
    (100                                                                                           \
     << 20) /* bytes of the copy that each trial gets; a larger one takes seconds, and is told */

/* Each selector must name something, or it is a typo. */
static int check_selectors(const struct gate *gate, const char *option,
                           const struct string_list *wanted, struct error *err) {
    for (size_t w = 0; w < wanted->count; w++) {
        bool any = false;
        for (size_t i = 0; i < gate->updates.count && !any; i++)
            any = selector_matches(wanted->items[w], gate->updates.items[i].image,
                                   gate->updates.items[i].tag);
        if (!any)
            return error_set(err, ERROR_USAGE,
                             "%s: \"%s\" is no pinned image here; `pingate scan` lists them",
                             option, wanted->items[w]);
    }
    return 0;
}

/* --urgent, as if their rules said so. */
static int mark_urgent(struct gate *gate, const struct string_list *urgent, struct error *err) {
    if (urgent == NULL || urgent->count == 0)
        return 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        update->urgent =
            update->urgent || selector_list_matches(urgent, update->image, update->tag);
    }
    return check_selectors(gate, "--urgent", urgent, err);
}

/* --image: the others are held. */
static int select_images(struct gate *gate, const struct string_list *wanted, struct error *err) {
    if (check_selectors(gate, "--image", wanted, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        if (!selector_list_matches(wanted, update->image, update->tag) &&
            update_decide(update, err, VERDICT_HOLD, CODE_NOT_SELECTED, "--image names others") < 0)
            return -1;
    }
    return 0;
}

int gate_scan(struct gate *gate, struct error *err) {
    struct scan_options options = {.include = &gate->config->include,
                                   .exclude = &gate->config->exclude,
                                   .cancel = gate->cancel};
    if (scan_tree(gate->options->root, &options, &gate->scan, err) < 0)
        return error_wrap(err, "scan %s", gate->options->root);
    /* a rollback tests nothing, and shall not wait for a Dockerfile */
    return gate->options->back == NULL ? plan_builds_find(gate->config, gate->options->root,
                                                          &gate->scan.pins, &gate->builds, err)
                                       : 0;
}

int gate_find(struct gate *gate, struct error *err) {
    if (gate_scan(gate, err) < 0 || gate_find_stages(gate, err) < 0 ||
        (!gate_enters(gate->options) && gate->options->back == NULL &&
         lookup_rules(gate->config, &gate->updates, err) < 0))
        return -1;
    size_t pins = gate->scan.pins.count;
    terminal_line(gate->terminal, "found %zu pin%s of %zu version%s in %zu of %zu file%s", pins,
                  pins == 1 ? "" : "s", gate->updates.count, gate->updates.count == 1 ? "" : "s",
                  scan_files_with_pins(&gate->scan), gate->scan.files,
                  gate->scan.files == 1 ? "" : "s");
    if (mark_urgent(gate, gate->options->urgent, err) < 0)
        return -1;
    const struct string_list *wanted = gate->options->images;
    if (wanted == NULL || wanted->count == 0)
        return 0;
    return select_images(gate, wanted, err);
}

static void show_count(void *context, size_t done, size_t total) {
    struct gate *gate = context;
    terminal_count(gate->terminal, "looked up", done, total);
}

int gate_look_up(struct gate *gate, struct error *err) {
    struct lookup_progress progress = {.looked_up = show_count, .context = gate};
    if (lookup_open(gate->config, gate->cancel, &gate->lookup, err) < 0 ||
        gate_recall(gate, err) < 0 ||
        lookup_candidates(&gate->lookup, &gate->updates, &progress, err) < 0)
        return -1;
    return gate_record(gate, err);
}

int gate_plan(struct gate *gate, struct error *err) {
    if (plan_make(gate->config, &gate->updates, &gate->builds, gate_asks_every_test(gate),
                  &gate->plan, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->plan.warnings.count; i++) {
        terminal_warning(gate->terminal, "%s", gate->plan.warnings.items[i]);
        if (string_list_add(&gate->result->warnings, gate->plan.warnings.items[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        if (update->decided || plan_covers(&gate->plan, i) || gate_enters(gate->options) ||
            gate_is_covered_outside(gate, update))
            continue;
        if (update_decide(update, err, VERDICT_HOLD, CODE_NO_TEST,
                          "no test covers it: declare one in %s, or it never moves",
                          CONFIG_FILE) < 0)
            return -1;
    }
    return 0;
}

int gate_size(struct gate *gate, struct error *err) {
    platform_host(&gate->pull.platform);
    if (pull_plan(&gate->plan, &gate->updates, &gate->pull, err) < 0)
        return -1;
    return pull_look_up(&gate->pull, gate->lookup.registry, err);
}

/* Copies of a large project are most of a run's time, and nothing else would say so. */
static int warn_of_size(struct gate *gate, struct error *err) {
    const struct workspace *workspace = &gate->workspace;
    if (workspace->size_bytes < WORKSPACE_LARGE)
        return 0;
    _cleanup_(free_pointer) char *words = string_format(
        err,
        "each trial gets a copy of the project, and that is %lld MB in %zu files: what tests do "
        "not need is left out where git ignores it",
        (long long)(workspace->size_bytes / 1000000), workspace->files);
    if (words == NULL)
        return -1;
    terminal_warning(gate->terminal, "%s", words);
    return string_list_add(&gate->result->warnings, words, err);
}

static int start_engine(struct gate *gate, struct credentials *credentials,
                        void (*on_event)(void *context, const struct schedule_event *event),
                        struct error *err) {
    _cleanup_(string_list_clear) struct string_list files = {0};
    struct scan_options everything = {.cancel = gate->cancel};
    if (scan_list_files(gate->options->root, &everything, &files, err) < 0 ||
        workspace_make(gate->options->root, &files, &gate->scan.pins, &gate->workspace, err) < 0 ||
        warn_of_size(gate, err) < 0)
        return -1;
    struct schedule_options options = {.engine_address = gate->options->engine,
                                       .jobs = gate->options->jobs,
                                       .credentials = credentials,
                                       .workspace = &gate->workspace,
                                       .cancel = gate->cancel,
                                       .end_ms = gate->end_ms,
                                       .over = gate->over,
                                       .keep = gate->options->keep,
                                       .keep_images = gate->options->keep_images,
                                       .run_id = gate->run_id,
                                       .check = trial_junit_check,
                                       .on_event = on_event,
                                       .context = gate};
    if (schedule_new(&options, &gate->schedule, err) < 0)
        return -1;
    gate->result->engine = string_dup(schedule_engine_words(gate->schedule), err);
    return gate->result->engine != NULL ? 0 : -1;
}

void gate_show_event(void *context, const struct schedule_event *event);

/* Of a run that was stopped, the call that noticed it first says nothing to anybody. */
static int hold_untested(struct gate *gate, const bool *eligible, const struct error *why,
                         struct error *err) {
    int signal = why->kind == ERROR_CANCELLED ? gate->cancel->signal : 0;
    const char *name = signal != 0 ? sigabbrev_np(signal) : NULL;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (eligible[i] && !gate->updates.items[i].decided &&
            update_decide(&gate->updates.items[i], err, VERDICT_HOLD, CODE_NOT_TESTED,
                          "could not be tested: %s%s",
                          name != NULL ? "the run was stopped by SIG" : "",
                          name != NULL ? name : error_message(why)) < 0)
            return -1;
    return 0;
}

/* From the start of the run on; look-ups have limits of their own. */
static void set_time_limit(struct gate *gate) {
    int64_t limit_ms = gate->options->time_limit_ms;
    char words[64];
    if (limit_ms == 0)
        limit_ms = gate->config->time_limit_ms;
    if (limit_ms == 0)
        return;
    gate->end_ms = clock_monotonic_ms() + limit_ms;
    clock_duration_words(limit_ms, words, sizeof words);
    snprintf(gate->over, sizeof gate->over, "the run's time (%s) was over", words);
}

/* Verdicts tell it of their updates; this tells it of the run, and of comparisons that no verdict needs. */
static int tell_cut(struct gate *gate, struct error *err) {
    if (gate->cut == 0)
        return 0;
    _cleanup_(text_clear) struct text words = {0};
    text_printf(&words, "%s: %zu trial%s not run to the end", gate->over, gate->cut,
                gate->cut == 1 ? " was" : "s were");
    if (gate->cut_baselines > 0)
        text_printf(&words, ", of them %zu on the current digests", gate->cut_baselines);
    text_add(&words,
             "; give the run more time (time_limit, --time-limit), or fewer updates at once "
             "(--image)");
    terminal_warning(gate->terminal, "%s", text_string(&words));
    return text_check(&words, err) < 0
               ? -1
               : string_list_add(&gate->result->warnings, text_string(&words), err);
}

/* What is denied is not tested. tested: what is. */
static int test_allowed(struct gate *gate, bool asks, bool *eligible,
                        struct credentials *credentials, struct error *err) {
    if (asks && gate_deny_candidates(gate, credentials, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        eligible[i] = eligible[i] && !gate->updates.items[i].decided;
    return gate_judge(gate, eligible, asks ? credentials : NULL, err) < 0 ||
                   gate_close_for_denied(gate, err) < 0 ||
                   gate_compare(gate, eligible, credentials, err) < 0 ||
                   gate_tell_differences(gate, err) < 0
               ? -1
               : tell_cut(gate, err);
}

static void finish_engine(struct gate *gate) {
    _cleanup_(error_clear) struct error why = {0};
    if (gate->schedule != NULL && gate_show_kept(gate, &why) < 0)
        error_clear(&why);
    if (gate->schedule == NULL || schedule_finish(steal(gate->schedule), &why) == 0)
        return;
    terminal_warning(gate->terminal, "clean-up: %s", error_message(&why));
    struct error more = {0};
    if (string_list_add(&gate->result->warnings, error_message(&why), &more) < 0)
        error_clear(&more);
}

int gate_test(struct gate *gate, struct error *err) {
    _cleanup_(free_pointer) bool *eligible = calloc(gate->updates.count + 1, sizeof *eligible);
    if (eligible == NULL)
        return error_no_memory(err);
    bool engine;
    bool asks = gate_asks_changes(gate, &engine);
    for (size_t i = 0; i < gate->updates.count; i++) {
        eligible[i] = plan_moves(&gate->updates.items[i]) && plan_covers(&gate->plan, i);
        engine = engine || eligible[i];
    }
    if (!engine && !asks)
        return 0;
    _cleanup_(credentials_freep) struct credentials *credentials = NULL;
    if (credentials_load(gate->cancel, &credentials, err) < 0)
        return -1;
    int result = engine ? start_engine(gate, credentials, gate_show_event, err) : 0;
    if (result == 0)
        result = test_allowed(gate, asks, eligible, credentials, err);
    if (result < 0) {
        struct error more = {0};
        if (hold_untested(gate, eligible, err, &more) < 0)
            error_clear(&more);
    }
    finish_engine(gate);
    return result;
}

void gate_clear(struct gate *gate) {
    scan_clear(&gate->scan);
    free(steal(gate->stage_of));
    update_list_clear(&gate->updates);
    gate_close_ledger(gate);
    lookup_close(&gate->lookup);
    state_freep(&gate->state);
    pull_clear(&gate->pull);
    plan_clear(&gate->plan);
    plan_builds_clear(&gate->builds);
    gate_clear_contexts(gate);
    gate_forget_answers(gate);
    grants_clear(&gate->grants);
    gate_children_clear(gate);
    gate_changes_freep(&gate->changes);
    schedule_freep(&gate->schedule);
    workspace_clear(&gate->workspace);
}

static bool has_verdict(const struct gate *gate, enum verdict verdict) {
    for (size_t i = 0; i < gate->updates.count; i++)
        if (gate->updates.items[i].decided && gate->updates.items[i].verdict == verdict)
            return true;
    return false;
}

static bool has_code(const struct gate *gate, enum verdict_code code) {
    for (size_t i = 0; i < gate->updates.count; i++)
        if (gate->updates.items[i].decided && gate->updates.items[i].code == code)
            return true;
    return false;
}

/* Where several hold: 2, then 3, then 1. */
static int exit_status_of(const struct gate *gate) {
    bool stuck = gate->options->back != NULL &&
                 (has_code(gate, CODE_DIGEST_GONE) || has_code(gate, CODE_NOT_WRITABLE));
    if (stuck || has_verdict(gate, VERDICT_LOOKUP_FAILED) || has_code(gate, CODE_NOT_TESTED))
        return EXIT_COULD_NOT;
    if (has_verdict(gate, VERDICT_REJECT) ||
        (gate->config->untested_fails && has_code(gate, CODE_NO_TEST)))
        return EXIT_GATE_CLOSED;
    return EXIT_DONE;
}

static bool stage_has_untested(const struct gate *gate, size_t stage) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (update->stage == stage && update->decided && update->code == CODE_NO_TEST)
            return true;
    }
    return false;
}

/* untested: fail. What would move is held: with promote "all" nothing may be written then. */
static int close_for_untested(struct gate *gate, struct error *err) {
    if (!gate->config->untested_fails)
        return 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        if (update->decided && update->verdict == VERDICT_PROMOTE &&
            !gate_promotes_passing(gate, update->stage) &&
            stage_has_untested(gate, update->stage) &&
            update_decide(update, err, VERDICT_HOLD, CODE_GATE_CLOSED,
                          "its tests passed, but no test covers another update, and \"untested: "
                          "fail\" closes the gate") < 0)
            return -1;
    }
    return 0;
}

static int make_run_id(struct gate *gate, struct error *err) {
    unsigned char bytes[8];
    if (hash_random(bytes, sizeof bytes, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(&gate->run_id[2 * i], 3, "%02x", bytes[i]);
    return 0;
}

/* Nothing is looked up and nothing tested: at three in the morning, what stood there before goes back. */
static int run_back(struct gate *gate, struct error *err) {
    if (gate_check_stage(gate->config, gate->options->back, err) < 0 || gate_find(gate, err) < 0 ||
        gate_open_ledger(gate, err) < 0 || gate_go_back(gate, err) < 0 ||
        (!gate->options->force && gate_prove(gate, err) < 0))
        return -1;
    lookup_close(&gate->lookup);
    return gate_check_files(gate, err) < 0 || gate_settle_back(gate, err) < 0
               ? -1
               : gate_promote(gate, err);
}

static int run_steps(struct gate *gate, struct error *err) {
    if (make_run_id(gate, err) < 0)
        return -1;
    if (gate->options->since != NULL) {
        if (gate_find_since(gate, err) < 0)
            return -1;
    } else if (gate->options->standing != NULL) {
        if (gate_find_standing(gate, err) < 0 || gate_open_ledger(gate, err) < 0)
            return -1;
    } else if (gate->options->back != NULL) {
        return run_back(gate, err);
    } else if (gate_enters(gate->options)) {
        if (gate_find(gate, err) < 0 || gate_open_ledger(gate, err) < 0 ||
            gate_enter(gate, err) < 0 || gate_prove(gate, err) < 0)
            return -1;
    } else if (gate_find(gate, err) < 0 || gate_open_ledger(gate, err) < 0 ||
               gate_look_up(gate, err) < 0 || gate_obey(gate, err) < 0 ||
               gate_pause(gate, err) < 0) {
        return -1;
    }
    lookup_close(&gate->lookup);
    if (gate_plan(gate, err) < 0 || gate_take_grants(gate, err) < 0 ||
        gate_check_files(gate, err) < 0 || gate_test(gate, err) < 0 ||
        gate_take_outside(gate, err) < 0 || gate_enter_untested(gate, err) < 0 ||
        close_for_untested(gate, err) < 0)
        return -1;
    return gate_promote(gate, err);
}

int gate_run(const struct gate_options *options, const struct config *config, struct cancel *cancel,
             struct terminal *terminal, struct result *result, struct error *err) {
    _cleanup_(gate_clear) struct gate gate = {.options = options,
                                              .config = config,
                                              .cancel = cancel,
                                              .terminal = terminal,
                                              .result = result,
                                              .workspace = {.fd = -1}};
    result->promote = string_dup(gate_promotes_passing(&gate, STAGE_NONE) ? "passing" : "all", err);
    if (result->promote == NULL)
        return -1;
    set_time_limit(&gate);
    int outcome = run_steps(&gate, err);
    result->exit_status = outcome == 0 ? exit_status_of(&gate) : error_exit_status(err->kind);
    struct error why = {0};
    if ((gate_fill_result(&gate, &why) < 0 ||
         result_redact(result, gate.grants.redact, &why) < 0) &&
        outcome == 0)
        outcome = error_move(err, &why);
    error_clear(&why);
    return outcome;
}
