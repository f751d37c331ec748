/* What a result comes to: counts and the one line above all reports. */
#include <string.h>

#include "gate/base/error.h"
#include "gate/base/text.h"
#include "gate/digest.h"
#include "reports/result.h"

bool result_is_interrupted(const struct result *result) {
    return result->exit_status > EXIT_SIGNAL;
}

size_t result_count(const struct result *result, enum verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < result->update_count; i++)
        count += result->updates[i].verdict == verdict;
    return count;
}

size_t result_count_code(const struct result *result, enum verdict_code code) {
    size_t count = 0;
    for (size_t i = 0; i < result->update_count; i++)
        count += result->updates[i].code == code;
    return count;
}

bool result_trial_counts(const struct result_trial *trial) {
    return !trial->baseline && !trial->given_up;
}

bool result_trial_covers(const struct result_trial *trial, size_t update) {
    for (size_t i = 0; i < trial->update_count; i++)
        if (trial->updates[i] == update)
            return true;
    return false;
}

static bool has_passed(enum outcome outcome) {
    return outcome == OUTCOME_PASSED || outcome == OUTCOME_FLAKY;
}

bool result_trial_speaks_alone(const struct result_trial *trial) {
    if (trial->command_count == 0)
        return true;
    if (has_passed(trial->outcome) || trial->outcome == OUTCOME_SKIPPED)
        return false;
    for (size_t i = 0; i < trial->command_count; i++)
        if (outcome_is_failure(trial->commands[i].outcome) ||
            trial->commands[i].outcome == OUTCOME_ERROR)
            return false;
    return true;
}

static void count_outcome(struct result_tests *tests, enum outcome outcome) {
    tests->total++;
    tests->passed += has_passed(outcome);
    tests->flaky += outcome == OUTCOME_FLAKY;
    tests->failed += outcome_is_failure(outcome);
    tests->errors += outcome == OUTCOME_ERROR;
    tests->skipped += outcome == OUTCOME_SKIPPED;
}

static void count_run(const struct result_trial *trial, struct result_tests *tests) {
    count_outcome(tests, trial->outcome);
    tests->reused += trial->reused != NULL && has_passed(trial->outcome);
}

static void count_trial(const struct result_trial *trial, struct result_tests *tests) {
    if (!result_trial_counts(trial))
        return;
    for (size_t i = 0; i < trial->command_count; i++)
        count_outcome(tests, trial->commands[i].outcome);
    if (result_trial_speaks_alone(trial))
        count_run(trial, tests);
}

void result_count_tests(const struct result *result, struct result_tests *tests) {
    *tests = (struct result_tests){0};
    for (size_t i = 0; i < result->trial_count; i++)
        count_trial(&result->trials[i], tests);
}

void result_count_runs(const struct result *result, struct result_tests *runs) {
    *runs = (struct result_tests){0};
    for (size_t i = 0; i < result->trial_count; i++)
        if (result_trial_counts(&result->trials[i]))
            count_run(&result->trials[i], runs);
}

/* Does the trial tell of this update? A combination that failed tells of those alone that were rejected for it. */
static bool tells_of(const struct result *result, const struct result_trial *trial, size_t update) {
    bool rejected = result->updates[update].verdict == VERDICT_REJECT;
    bool others_fault = trial->update_count > 1 && !rejected && !has_passed(trial->outcome);
    return result_trial_covers(trial, update) && !others_fault;
}

void result_count_update_tests(const struct result *result, size_t update,
                               struct result_tests *tests) {
    *tests = (struct result_tests){0};
    for (size_t i = 0; i < result->trial_count; i++)
        if (tells_of(result, &result->trials[i], update))
            count_trial(&result->trials[i], tests);
}

void result_count_update_runs(const struct result *result, size_t update,
                              struct result_tests *runs) {
    *runs = (struct result_tests){0};
    for (size_t i = 0; i < result->trial_count; i++)
        if (result_trial_counts(&result->trials[i]) && tells_of(result, &result->trials[i], update))
            count_run(&result->trials[i], runs);
}

void result_count_inside(const struct result_trial *trial, struct result_inside *inside) {
    for (size_t i = 0; i < trial->suite_count; i++) {
        inside->tests += trial->suites[i].tests;
        inside->failed += trial->suites[i].failed + trial->suites[i].errors;
        inside->skipped += trial->suites[i].skipped;
        inside->flaky += trial->suites[i].flaky;
    }
}

void result_count_all_inside(const struct result *result, struct result_inside *inside) {
    *inside = (struct result_inside){0};
    for (size_t i = 0; i < result->trial_count; i++)
        if (!result->trials[i].baseline)
            result_count_inside(&result->trials[i], inside);
}

const struct result_command *result_failed_command(const struct result_trial *trial) {
    for (size_t i = 0; i < trial->command_count; i++)
        if (outcome_is_failure(trial->commands[i].outcome) ||
            trial->commands[i].outcome == OUTCOME_ERROR)
            return &trial->commands[i];
    return NULL;
}

const char *result_unmoved_words(const struct result *result) {
    return string_equal(result->command, "test") ? "unchanged" : "up to date";
}

const char *result_verdict_words(const struct result *result, const struct result_update *update) {
    switch (update->verdict) {
    case VERDICT_UP_TO_DATE:
        return result_unmoved_words(result);
    case VERDICT_PROMOTE:
        return result->changed ? "promoted" : "passed";
    case VERDICT_REJECT:
        return "rejected";
    case VERDICT_HOLD:
        return "held";
    case VERDICT_LOOKUP_FAILED:
        return "look-up failed";
    case VERDICT_COUNT:
        break;
    }
    return "";
}

int result_version_words(const char *tag, const char *digest, char **out, struct error *err) {
    const char *hex = digest != NULL ? strchr(digest, ':') : NULL;
    hex = hex != NULL ? hex + 1 : or_empty(digest);
    *out = string_format(err, "%s%s%.*s", or_empty(tag), tag != NULL && *hex != '\0' ? "@" : "",
                         (int)DIGEST_SHORT_LENGTH, hex);
    return *out != NULL ? 0 : -1;
}

int result_change_words(const char *tag, const char *digest, const char *candidate_tag,
                        const char *candidate_digest, const char *arrow, char **out,
                        struct error *err) {
    _cleanup_(free_pointer) char *now = NULL;
    _cleanup_(free_pointer) char *then = NULL;
    if (result_version_words(tag, digest, &now, err) < 0 ||
        result_version_words(candidate_tag, candidate_digest, &then, err) < 0)
        return -1;
    if (*then == '\0' || strcmp(now, then) == 0)
        *out = steal(now);
    else
        *out = string_format(err, "%s %s %s", now, arrow, then);
    return *out != NULL ? 0 : -1;
}

bool result_stage_moves(const struct result_stage *stage) {
    return stage->set != NULL && !string_equal(stage->set, stage->before);
}

int result_stage_words(const struct result *result, const struct result_stage *stage,
                       struct text *out, struct error *err) {
    const char *from = or_empty(stage->from);
    if (result_stage_moves(stage)) {
        text_printf(out, "%s %s the set %.*s", stage->name,
                    string_equal(result->command, "rollback")
                        ? (result->changed ? "is back at" : "would go back to")
                    : result->changed ? "takes"
                                      : "would take",
                    RESULT_SET_SHORT, stage->set);
        if (*from != '\0')
            text_printf(out, " from %s", from);
        text_printf(out, " (before: %.*s)", RESULT_SET_SHORT, or_empty(stage->before));
    } else if (stage->reason != NULL) {
        text_printf(out, "%s: nothing enters from %s: %s", stage->name, from, stage->reason);
    } else {
        text_printf(out, "%s %s the set %.*s", stage->name,
                    string_equal(result->command, "test") ? "holds" : "keeps", RESULT_SET_SHORT,
                    or_empty(stage->set));
        if (*from != '\0' && !string_equal(result->command, "test"))
            text_printf(out, ": nothing newer waits in %s", from);
    }
    if (stage->overridden != NULL)
        text_printf(out, "; FORCED over %s: %s", stage->overridden, or_empty(stage->forced));
    return text_check(out, err);
}

/* What the run came to, by number of updates. */
struct tally {
    size_t all;   /* that were asked for */
    size_t newer; /* all but those that are up to date */
    size_t promoted, rejected, held, current, unknown;
    size_t untested; /* held because their tests could not be run */
    size_t left_out; /* not asked for */
};

static struct tally tally_of(const struct result *result) {
    struct tally tally = {
        .left_out = result_count_code(result, CODE_NOT_SELECTED),
        .promoted = result_count(result, VERDICT_PROMOTE),
        .rejected = result_count(result, VERDICT_REJECT),
        .held = result_count(result, VERDICT_HOLD),
        .current = result_count(result, VERDICT_UP_TO_DATE),
        .unknown = result_count(result, VERDICT_LOOKUP_FAILED),
        .untested = result_count_code(result, CODE_NOT_TESTED),
    };
    size_t apart = tally.untested + tally.left_out;
    tally.all = result->update_count - tally.left_out;
    tally.newer = tally.all > tally.current ? tally.all - tally.current : 0;
    tally.held -= apart < tally.held ? apart : tally.held;
    return tally;
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

enum lead {
    LEAD_STOPPED,
    LEAD_CLOSED,
    LEAD_UNKNOWN,
    LEAD_UNTESTED,
    LEAD_OPEN,
    LEAD_HELD,
    LEAD_NONE
};

/* "production", "staging and production" */
static void add_entered(struct text *out, const struct result *result) {
    size_t count = 0;
    for (size_t i = 0; i < result->stage_count; i++)
        if (result_stage_moves(&result->stages[i]))
            text_printf(out, "%s%s", count++ > 0 ? " and " : "", result->stages[i].name);
}

/* What went wrong comes before what went well. */
/* What those did that were rejected, where all did the same. */
static void add_rejected(struct text *out, const struct result *result, size_t rejected) {
    const char *their = rejected == 1 ? "its" : "their";
    size_t denied = result_count_code(result, CODE_CHANGE_DENIED);
    size_t flaky = result_count_code(result, CODE_FLAKY);
    if (denied + flaky == 0)
        text_printf(out, "failed %s tests", their);
    else if (flaky == rejected)
        text_printf(out, "passed %s tests only when run again", their);
    else if (denied == rejected)
        text_printf(out, "changed what `deny` forbids");
    else
        text_printf(out, "%s rejected", rejected == 1 ? "was" : "were");
}

static enum lead add_lead(struct text *out, const struct result *result,
                          const struct tally *tally) {
    if (result->exit_status > EXIT_SIGNAL) {
        const char *name = sigabbrev_np(result->exit_status - EXIT_SIGNAL);
        if (name != NULL)
            text_printf(out, "Interrupted by SIG%s", name);
        else
            text_printf(out, "Interrupted by signal %d", result->exit_status - EXIT_SIGNAL);
        return LEAD_STOPPED;
    }
    if (result->exit_status == EXIT_USAGE) {
        text_add(out, "Stopped: the command line or the configuration is wrong");
        return LEAD_STOPPED;
    }
    if (result->exit_status == EXIT_BUG) {
        text_add(out, "Stopped by a bug in pingate");
        return LEAD_STOPPED;
    }
    if (tally->rejected > 0) {
        text_printf(out, "%s: %zu of %zu update%s ",
                    tally->promoted > 0 ? "Gate partly closed" : "Gate closed", tally->rejected,
                    tally->newer, plural(tally->newer));
        add_rejected(out, result, tally->rejected);
        return LEAD_CLOSED;
    }
    if (tally->unknown > 0) {
        text_printf(out, "Could not look up %zu of %zu update%s", tally->unknown, tally->all,
                    plural(tally->all));
        return LEAD_UNKNOWN;
    }
    if (tally->untested > 0) {
        text_printf(out, "Could not test %zu of %zu update%s", tally->untested, tally->newer,
                    plural(tally->newer));
        return LEAD_UNTESTED;
    }
    if (result->exit_status == EXIT_COULD_NOT) {
        text_add(out, "The run could not be finished");
        return LEAD_STOPPED;
    }
    if (tally->promoted > 0 && string_equal(result->command, "promote")) {
        text_printf(out, "Gate open: %zu update%s fit to enter ", tally->promoted,
                    tally->promoted == 1 ? " is" : "s are");
        add_entered(out, result);
        return LEAD_OPEN;
    }
    if (tally->promoted > 0) {
        text_printf(out, "Gate open: %zu update%s passed %s tests", tally->promoted,
                    plural(tally->promoted), tally->promoted == 1 ? "its" : "their");
        return LEAD_OPEN;
    }
    if (tally->held > 0) {
        text_printf(out, "Nothing to promote: %zu update%s held", tally->held,
                    tally->held == 1 ? " is" : "s are");
        return LEAD_HELD;
    }
    if (string_equal(result->command, "test") && result->update_count > 0)
        text_add(out, "Nothing to test: no pin differs from the commit it is compared with");
    else if (tally->all > 0)
        text_printf(out, "Nothing to do: %s%zu pinned version%s up to date",
                    tally->all == 1 ? "the " : "all ", tally->all,
                    tally->all == 1 ? " is" : "s are");
    else
        text_add(out, tally->left_out > 0 ? "Nothing to do" : "Nothing to do: no pins were found");
    return LEAD_NONE;
}

static void add_rest(struct text *out, const struct tally *tally, enum lead lead) {
    if (tally->promoted > 0 && lead != LEAD_OPEN)
        text_printf(out, ", %zu passed", tally->promoted);
    if (tally->rejected > 0 && lead != LEAD_CLOSED)
        text_printf(out, ", %zu failed", tally->rejected);
    if (tally->unknown > 0 && lead != LEAD_UNKNOWN)
        text_printf(out, ", %zu could not be looked up", tally->unknown);
    if (tally->untested > 0 && lead != LEAD_UNTESTED)
        text_printf(out, ", %zu could not be tested", tally->untested);
    if (tally->held > 0 && lead != LEAD_HELD)
        text_printf(out, ", %zu held", tally->held);
    if (tally->left_out > 0)
        text_printf(out, ", %zu not asked for", tally->left_out);
}

static void add_writing(struct text *out, const struct result *result, const struct tally *tally,
                        enum lead lead) {
    if (result->changed)
        text_printf(out, "; the pins of %zu update%s were written", tally->promoted,
                    plural(tally->promoted));
    else if (result->dry_run && tally->promoted > 0)
        text_add(out, "; nothing was written, as this is a dry run");
    else if (lead != LEAD_NONE && !string_equal(result->command, "test"))
        text_add(out, "; nothing was written");
}

char *result_headline(const struct result *result, struct error *err) {
    _cleanup_(text_clear) struct text out = {0};
    struct tally tally = tally_of(result);
    enum lead lead = add_lead(&out, result, &tally);
    add_rest(&out, &tally, lead);
    add_writing(&out, result, &tally, lead);
    text_add_char(&out, '.');
    return text_steal(&out, err);
}
