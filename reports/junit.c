/* junit.xml for CI systems. One suite for the run itself, one for each (update, platform), one for each combination of
 * updates that was tried together.
 *
 * Names are keys of the history that CI systems keep: classname and name hold neither tag nor digest, and no two cases of a
 * file are equal. classname is "pingate.IMAGE[.PLATFORM]", dots of the image become "_", since Jenkins splits at the last
 * dot. failure: a test said no; error: could not tell; skipped: not run, and why. What makes a file valid is in
 * tests/data/junit.xsd: no properties and no file within testcase, three decimals of a second. */
#include <string.h>

#include "gate/base/clock.h"
#include "gate/reference.h"
#include "reports/clean.h"
#include "reports/junit_case.h"

/* bytes of each stream of a failed command; Jenkins keeps 100 000 */
#define TAIL_FAILED    (16u << 10)
#define TAIL_PASSED    1000u /* bytes of each stream of a passed command; Jenkins keeps no more */
#define KEY_LIMIT      255u  /* bytes of an image or file in a classname: what GitLab keeps */
#define WARNING_LIMIT  1000u /* bytes of one */
#define CHANGES_SHOWN  50u   /* of an update; result.json has all */
#define JUNIT_BYTES    28000000u  /* of the file: below the 30 MB of GitLab */
#define STREAMS_BUDGET (4u << 20) /* bytes of all streams: with escapes below the 30 MB of GitLab */

static void end_suite(struct drawing *drawing, struct suite *suite, const char *name,
                      const struct text *head, int64_t started_ms) {
    const struct counts *counts = &suite->counts;
    char timestamp[CLOCK_RFC3339_SIZE];
    clock_rfc3339(started_ms, timestamp);
    timestamp[strcspn(timestamp, "Z")] = '\0'; /* consumers expect no zone and take it for UTC */
    junit_end_suite(drawing->out, suite, name, head, timestamp);
    drawing->counts.tests += counts->tests;
    drawing->counts.failures += counts->failures;
    drawing->counts.errors += counts->errors;
    drawing->counts.duration_ms += counts->duration_ms;
}

static void add_warnings(struct text *out, const struct string_list *warnings) {
    if (warnings->count == 0)
        return;
    text_add(out, "    <system-out>");
    for (size_t i = 0; i < warnings->count; i++) {
        text_add(out, "warning: ");
        clean_xml(out, warnings->items[i], strnlen(warnings->items[i], WARNING_LIMIT), false);
        text_add_char(out, '\n');
    }
    text_add(out, "</system-out>\n");
}

/* The run's own suite, so that a run that could not look is never an empty green file. */
static int add_run_suite(struct drawing *drawing) {
    const struct result *result = drawing->result;
    _cleanup_(suite_clear) struct suite suite = {0};
    _cleanup_(text_clear) struct text head = {0};
    _cleanup_(text_clear) struct text all = {0};
    text_add(&head, "    <properties>\n");
    junit_property(&head, "pingate", result->program_version);
    junit_property(&head, "command", result->command);
    junit_property(&head, "engine", result->engine);
    junit_property(&head, "promote", result->promote);
    junit_property(&head, "set", result->set);
    for (size_t i = 0; i < result->stage_count; i++) {
        _cleanup_(text_clear) struct text name = {0};
        _cleanup_(text_clear) struct text words = {0};
        text_printf(&name, "stage.%s", result->stages[i].name);
        if (result_stage_words(result, &result->stages[i], &words, drawing->err) < 0)
            return -1;
        junit_property(&head, text_string(&name), text_string(&words));
        text_follow(&head, &name);
        text_follow(&head, &words);
    }
    junit_property(&head, "dry-run", result->dry_run ? "true" : "false");
    text_printf(&head, "      <property name=\"exit-status\" value=\"%d\"/>\n    </properties>\n",
                result->exit_status);
    for (size_t i = 0; i < result->errors.count; i++)
        text_printf(&all, "%s\n", result->errors.items[i]);
    text_follow(&head, &all);
    bool broken = result->errors.count > 0 ||
                  (result->exit_status != EXIT_DONE && result->exit_status != EXIT_GATE_CLOSED);
    _cleanup_(free_pointer) char *headline = result_headline(result, drawing->err);
    if (headline == NULL)
        return -1;
    struct test_case run = {.classname = "pingate.run",
                            .name = "run",
                            .outcome = broken ? OUTCOME_ERROR : OUTCOME_PASSED,
                            .type = "error",
                            .message = headline,
                            .more = text_string(&all)};
    if (junit_case(drawing, &suite, &run) < 0)
        return -1;
    add_warnings(&suite.body, &result->warnings);
    end_suite(drawing, &suite, "pingate", &head, result->started_ms);
    return 0;
}

static enum outcome lookup_outcome(const struct result_update *update) {
    if (update->verdict == VERDICT_LOOKUP_FAILED)
        return OUTCOME_ERROR;
    bool looked = update->candidate_digest != NULL || update->verdict == VERDICT_UP_TO_DATE;
    return looked ? OUTCOME_PASSED : OUTCOME_SKIPPED;
}

/* A failure or error that a test already tells is not counted twice. */
static enum outcome verdict_outcome(const struct result *result, size_t index) {
    const struct result_update *update = &result->updates[index];
    struct result_tests tests;
    result_count_update_tests(result, index, &tests);
    if (update->verdict == VERDICT_REJECT)
        return tests.failed > 0 ? OUTCOME_SKIPPED : OUTCOME_FAILED;
    if (update->verdict == VERDICT_HOLD && update->code == CODE_NOT_TESTED)
        return tests.errors > 0 ? OUTCOME_SKIPPED : OUTCOME_ERROR;
    bool good = update->verdict == VERDICT_PROMOTE || update->verdict == VERDICT_UP_TO_DATE;
    return good ? OUTCOME_PASSED : OUTCOME_SKIPPED;
}

static int add_update_cases(struct drawing *drawing, struct suite *suite, size_t index) {
    const struct result_update *update = &drawing->result->updates[index];
    const char *type =
        update->code != CODE_NONE ? verdict_code_name(update->code) : verdict_name(update->verdict);
    struct test_case lookup = {.classname = drawing->keys.items[index],
                               .name = "look-up",
                               .outcome = lookup_outcome(update),
                               .type = type,
                               .message = update->reason};
    struct test_case verdict = lookup;
    verdict.name = "verdict";
    verdict.outcome = verdict_outcome(drawing->result, index);
    bool looks_up = !string_equal(drawing->result->command, "test");
    if (looks_up && junit_case(drawing, suite, &lookup) < 0)
        return -1;
    return junit_case(drawing, suite, &verdict);
}

static bool is_alone(const struct result_trial *trial, size_t update) {
    return result_trial_counts(trial) && trial->update_count == 1 && trial->updates[0] == update;
}

/* Those trials of a suite that were not run again. */
static int add_reused(struct text *out, const struct result_trial *trial, struct error *err) {
    if (trial->reused == NULL)
        return 0;
    _cleanup_(free_pointer) char *words = junit_reused_words(trial, err);
    if (words == NULL)
        return -1;
    junit_property(out, "reused", words);
    return 0;
}

/* What changed in the image. */
static int add_changes(struct text *out, const struct result_update *update, struct error *err) {
    const struct result_changes *changes = update->changes;
    for (size_t i = 0; changes != NULL && i < changes->count && i < CHANGES_SHOWN; i++) {
        _cleanup_(text_clear) struct text words = {0};
        result_change_line(&changes->items[i], "→", &words);
        if (text_check(&words, err) < 0)
            return -1;
        junit_property(out, changes->items[i].denied ? "change-denied" : "changed",
                       text_string(&words));
    }
    _cleanup_(text_clear) struct text words = {0};
    if (changes != NULL && result_size_words(changes, "→", &words))
        junit_property(out, "size", text_string(&words));
    return text_check(&words, err);
}

/* Which newer ones failed, and with whom this one fails. */
static int add_candidates(struct text *out, const struct result *result,
                          const struct result_update *update, struct error *err) {
    for (size_t i = 0; i < update->tried_count && i < CHANGES_SHOWN; i++) {
        _cleanup_(text_clear) struct text words = {0};
        result_tried_words(&update->tried[i], &words);
        if (text_check(&words, err) < 0)
            return -1;
        junit_property(out, "tried", text_string(&words));
    }
    for (size_t i = 0; i < update->culprit_count && i < CHANGES_SHOWN; i++)
        junit_property(out, "fails-together-with", result->updates[update->culprits[i]].image);
    if (update->flaky)
        junit_property(out, "flaky", "true");
    return 0;
}

static int add_update_head(struct text *out, const struct result *result, size_t index,
                           const char *platform, struct error *err) {
    const struct result_update *update = &result->updates[index];
    text_add(out, "    <properties>\n");
    junit_property(out, "image", update->image);
    junit_property(out, "tag", update->tag);
    junit_property(out, "digest", update->digest);
    junit_property(out, "candidate-tag", update->candidate_tag);
    junit_property(out, "candidate-digest", update->candidate_digest);
    junit_property(out, "policy", update->policy);
    junit_property(out, "rule", update->rule);
    junit_property(out, "stage", update->stage);
    junit_property(out, "verdict", verdict_name(update->verdict));
    junit_property(out, "code", verdict_code_name(update->code));
    junit_property(out, "reason", update->reason);
    junit_property(out, "platform", platform);
    junit_property(out, "engine", result->engine);
    if (add_changes(out, update, err) < 0 || add_candidates(out, result, update, err) < 0)
        return -1;
    for (size_t i = 0; i < update->pin_count; i++) {
        text_add(out, "      <property name=\"pin\" value=\"");
        clean_xml(out, update->pins[i].file, strnlen(update->pins[i].file, KEY_LIMIT), true);
        text_printf(out, ":%zu\"/>\n", update->pins[i].line);
    }
    for (size_t i = 0; i < result->trial_count; i++)
        if (is_alone(&result->trials[i], index) &&
            string_equal(result->trials[i].platform, platform) &&
            add_reused(out, &result->trials[i], err) < 0)
            return -1;
    text_add(out, "    </properties>\n");
    return 0;
}

/* The suite of one update on one platform; platform NULL when it has no trials of its own. */
static int add_update_suite(struct drawing *drawing, size_t index, const char *platform,
                            bool first) {
    const struct result *result = drawing->result;
    const char *key = drawing->keys.items[index];
    _cleanup_(suite_clear) struct suite suite = {0};
    _cleanup_(text_clear) struct text head = {0};
    _cleanup_(free_pointer) char *classname =
        string_format(drawing->err, "%s%s%s", key, platform != NULL ? "." : "", or_empty(platform));
    if (classname == NULL)
        return -1;
    if (add_update_head(&head, result, index, platform, drawing->err) < 0)
        return -1;
    if (first && add_update_cases(drawing, &suite, index) < 0)
        return -1;
    int64_t started_ms = result->started_ms;
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *trial = &result->trials[i];
        if (!is_alone(trial, index) || !string_equal(trial->platform, platform))
            continue;
        started_ms = suite.counts.duration_ms == 0 ? trial->started_ms : started_ms;
        if (junit_trial(drawing, &suite, classname, trial) < 0)
            return -1;
    }
    end_suite(drawing, &suite, classname, &head, started_ms);
    return 0;
}

static int add_update_suites(struct drawing *drawing, size_t index) {
    const struct result *result = drawing->result;
    bool first = true;
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *trial = &result->trials[i];
        bool drawn = !is_alone(trial, index);
        for (size_t k = 0; !drawn && k < i; k++)
            drawn = is_alone(&result->trials[k], index) &&
                    string_equal(result->trials[k].platform, trial->platform);
        if (drawn)
            continue;
        if (add_update_suite(drawing, index, trial->platform, first) < 0)
            return -1;
        first = false;
    }
    return first ? add_update_suite(drawing, index, NULL, true) : 0;
}

/* Combinations. */

static bool same_combination(const struct result_trial *a, const struct result_trial *b) {
    if (!result_trial_counts(a) || !result_trial_counts(b) || a->update_count != b->update_count ||
        !string_equal(a->platform, b->platform))
        return false;
    for (size_t i = 0; i < a->update_count; i++)
        if (!result_trial_covers(b, a->updates[i]))
            return false;
    return true;
}

static int add_combination(struct drawing *drawing, const struct result_trial *of) {
    const struct result *result = drawing->result;
    _cleanup_(suite_clear) struct suite suite = {0};
    _cleanup_(text_clear) struct text head = {0};
    _cleanup_(text_clear) struct text classname = {0};
    text_add(&head, "    <properties>\n");
    text_add(&classname, "pingate.together.");
    for (size_t i = 0; i < of->update_count; i++) {
        const struct result_update *update = &result->updates[of->updates[i]];
        text_printf(&classname, "%s%s", i > 0 ? " + " : "",
                    drawing->keys.items[of->updates[i]] + strlen("pingate."));
        junit_property(&head, "image", update->image);
        junit_property(&head, "candidate-tag", update->candidate_tag);
        junit_property(&head, "candidate-digest", update->candidate_digest);
    }
    if (of->platform != NULL)
        text_printf(&classname, ".%s", of->platform);
    junit_property(&head, "platform", of->platform);
    for (size_t i = 0; i < result->trial_count; i++)
        if (same_combination(of, &result->trials[i]) &&
            add_reused(&head, &result->trials[i], drawing->err) < 0)
            return -1;
    text_add(&head, "    </properties>\n");
    if (text_check(&classname, drawing->err) < 0)
        return -1;
    for (size_t i = 0; i < result->trial_count; i++)
        if (same_combination(of, &result->trials[i]) &&
            junit_trial(drawing, &suite, text_string(&classname), &result->trials[i]) < 0)
            return -1;
    end_suite(drawing, &suite, text_string(&classname), &head, of->started_ms);
    return 0;
}

static int add_combinations(struct drawing *drawing) {
    const struct result *result = drawing->result;
    for (size_t i = 0; i < result->trial_count; i++) {
        const struct result_trial *trial = &result->trials[i];
        bool drawn = !result_trial_counts(trial) || trial->update_count == 1;
        for (size_t k = 0; !drawn && k < i; k++)
            drawn = same_combination(trial, &result->trials[k]);
        if (!drawn && add_combination(drawing, trial) < 0)
            return -1;
    }
    return 0;
}

/* The file. */

static void add_key_words(struct text *key, const char *words) {
    for (const char *end = words + strnlen(words, KEY_LIMIT); words < end; words++)
        text_add_char(key, *words == '.' ? '_' : *words);
}

static size_t count_equal(const struct string_list *list, const char *string) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += strcmp(list->items[i], string) == 0;
    return count;
}

/* Several updates of one image, such as redis:6 and redis:7, are told apart by the file of their first pin, then by number.
 * bases: the keys so far, without numbers. */
static int add_key(struct drawing *drawing, struct string_list *bases,
                   const struct result_update *update) {
    _cleanup_(text_clear) struct text key = {0};
    text_add(&key, "pingate.");
    add_key_words(&key, reference_familiar(or_empty(update->image)));
    if (string_list_has(bases, text_string(&key)) && update->pin_count > 0) {
        text_add(&key, " (");
        add_key_words(&key, update->pins[0].file);
        text_add(&key, ")");
    }
    size_t copies = count_equal(bases, text_string(&key));
    if (text_check(&key, drawing->err) < 0 ||
        string_list_add(bases, text_string(&key), drawing->err) < 0)
        return -1;
    if (copies > 0)
        text_printf(&key, " (%zu)", copies + 1);
    if (text_check(&key, drawing->err) < 0)
        return -1;
    return string_list_add(&drawing->keys, text_string(&key), drawing->err);
}

static int add_keys(struct drawing *drawing) {
    _cleanup_(string_list_clear) struct string_list bases = {0};
    for (size_t i = 0; i < drawing->result->update_count; i++)
        if (add_key(drawing, &bases, &drawing->result->updates[i]) < 0)
            return -1;
    return 0;
}

/* What each stream may hold, so that a thousand failures still give a file that CI systems take. */
static void set_tails(struct drawing *drawing) {
    struct result_tests tests;
    result_count_tests(drawing->result, &tests);
    size_t cases = tests.total + 1;
    for (size_t i = 0; i < drawing->result->trial_count; i++)
        if (drawing->result->trials[i].outcome != OUTCOME_PASSED)
            cases += drawing->result->trials[i].service_count + 1;
    size_t streams = 4 * cases; /* two of each case, within the failure once more */
    size_t budget = STREAMS_BUDGET / drawing->divisor / streams;
    drawing->tail_failed = budget < TAIL_FAILED ? budget : TAIL_FAILED;
    drawing->tail_passed = drawing->tail_failed < TAIL_PASSED ? drawing->tail_failed : TAIL_PASSED;
}

static int add_suites(struct drawing *drawing) {
    const struct result *result = drawing->result;
    set_tails(drawing);
    if (add_keys(drawing) < 0 || add_run_suite(drawing) < 0)
        return -1;
    for (size_t i = 0; i < result->update_count; i++)
        if (add_update_suites(drawing, i) < 0)
            return -1;
    return add_combinations(drawing);
}

static int draw_step(const struct result *result, size_t divisor, struct drawing *drawing,
                     struct error *err) {
    *drawing = (struct drawing){.result = result,
                                .out = drawing->out,
                                .names = json_object(),
                                .divisor = divisor,
                                .err = err};
    int drawn = drawing->names != NULL ? add_suites(drawing) : error_no_memory(err);
    string_list_clear(&drawing->keys);
    json_decref(drawing->names);
    return drawn < 0 ? -1 : text_check(drawing->out, err);
}

/* Escapes make six bytes of one, and there are many other texts: what is too large is drawn again with less of the streams and of
 * the tests from inside. */
static int draw(const struct result *result, struct text *out, struct error *err) {
    static const size_t divisors[] = {1, 4, 16, 1024};
    _cleanup_(text_clear) struct text suites = {.ceiling = out->ceiling};
    struct drawing drawing = {.out = &suites};
    for (size_t i = 0; i < sizeof divisors / sizeof *divisors; i++) {
        text_truncate(&suites, 0);
        if (draw_step(result, divisors[i], &drawing, err) < 0)
            return -1;
        if (suites.length <= JUNIT_BYTES)
            break;
    }
    const struct counts *counts = &drawing.counts;
    text_printf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pingate\" "
                "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"",
                counts->tests, counts->failures, counts->errors);
    junit_time(out, result->finished_ms - result->started_ms);
    text_add(out, ">\n");
    text_append(out, text_string(&suites), suites.length);
    text_add(out, "</testsuites>\n");
    return text_check(out, err);
}

const struct report report_junit = {"junit", "junit.xml", "test results for CI systems", draw};
