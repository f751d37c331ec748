#include <string.h>

#include "reports/clean.h"
#include "reports/markdown_parts.h"

#define SERVICES_SHOWN 10u /* of a trial, those that failed first */
#define ATTEMPTS_SHOWN 5u

static bool is_told(const struct result *result, const struct result_trial *trial) {
    bool broke = trial->outcome == OUTCOME_ERROR && !result_is_interrupted(result);
    return result_trial_counts(trial) && (outcome_is_failure(trial->outcome) || broke);
}

static const char *outcome_words(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_TIMED_OUT:
        return "timed out";
    case OUTCOME_OOM:
        return "ran out of memory";
    case OUTCOME_ERROR:
        return "could not be run";
    case OUTCOME_PASSED:
    case OUTCOME_FLAKY:
    case OUTCOME_SKIPPED:
    case OUTCOME_COUNT:
        break;
    }
    return outcome_name(outcome);
}

static void add_heading(struct text *out, const struct result *result,
                        const struct result_trial *trial) {
    text_printf(out, "\n### %s Test ", trial->outcome == OUTCOME_ERROR ? "⚠️" : "❌");
    markdown_code(out, trial->test, MARKDOWN_NAME_LIMIT);
    text_printf(out, " %s on ", outcome_words(trial->outcome));
    for (size_t i = 0; i < trial->update_count; i++) {
        const struct result_update *update = &result->updates[trial->updates[i]];
        bool last = i + 1 == trial->update_count;
        text_add(out, i == 0 ? "" : last ? " together with " : ", ");
        markdown_image(out, update);
        text_add_char(out, ' ');
        markdown_version(out, update->candidate_tag, update->candidate_digest);
    }
    text_add(out, "\n\n");
}

/* " (linux/amd64, after 2.3 s)" */
static void add_circumstances(struct text *out, const struct result_trial *trial,
                              const struct result_command *command) {
    bool timed = trial->outcome != OUTCOME_TIMED_OUT; /* its reason tells the time */
    if (!timed && trial->platform == NULL)
        return;
    text_add(out, " (");
    if (trial->platform != NULL)
        markdown_words(out, trial->platform, MARKDOWN_NAME_LIMIT);
    if (timed) {
        text_add(out, trial->platform != NULL ? ", after " : "after ");
        markdown_duration(out, command != NULL ? command->duration_ms : trial->duration_ms);
    }
    int64_t limit_ms =
        command != NULL && command->limit_ms > 0 ? command->limit_ms : trial->limit_ms;
    if (limit_ms > 0) {
        text_add(out, timed ? " of " : ", limit ");
        markdown_duration(out, limit_ms);
    }
    text_add_char(out, ')');
}

static void add_class(struct text *out, const char *class) {
    if (string_equal(class, "regression"))
        text_add(out, " On the current digests the same test passes: **a regression**.");
    else if (string_equal(class, "already-broken"))
        text_add(out,
                 " On the current digests it fails, too: **already broken** before this update.");
    else if (class != NULL) {
        text_add(out, " Against the current digests: ");
        markdown_words(out, class, MARKDOWN_NAME_LIMIT);
        text_add_char(out, '.');
    }
}

/* What the verdict made of it; for several updates the reason of each is in its row. */
static void add_comparison(struct text *out, const struct result *result,
                           const struct result_trial *trial) {
    if (trial->update_count != 1 || trial->class != NULL) {
        add_class(out, trial->class);
        return;
    }
    const struct result_update *update = &result->updates[trial->updates[0]];
    if (update->code == CODE_REGRESSION)
        text_add(out, " On the current digest the same test passes: **a regression**.");
    else if (update->code == CODE_ALREADY_BROKEN)
        text_add(out,
                 " On the current digest it fails, too: **already broken** before this update.");
    else if (update->code == CODE_TEST_FAILED)
        text_add(out, " The current digest could not be tried for comparison.");
}

static void add_stream(struct text *out, const struct markdown_detail *detail, const char *title,
                       const char *tail, int64_t bytes, const char *path) {
    tail = or_empty(tail);
    if (detail->tail_lines == 0 || tail[0] == '\0')
        return;
    size_t length;
    const char *lines =
        clean_tail(tail, strlen(tail), detail->tail_lines, detail->tail_bytes, &length);
    text_printf(out, "\n%s%s", title,
                (int64_t)length < bytes || length < strlen(tail) ? ", last lines" : "");
    if (path != NULL) {
        text_add(out, " (all of it in ");
        markdown_code(out, path, MARKDOWN_NAME_LIMIT);
        text_add_char(out, ')');
    }
    text_add(out, ":\n\n");
    clean_markdown_block(out, "", lines, length);
}

static void add_command(struct text *out, const struct markdown_detail *detail,
                        const struct result_command *command) {
    if (command->difference != NULL) {
        text_add(out, "\nFirst difference of the output: ");
        markdown_words(out, command->difference, 2 * MARKDOWN_REASON_LIMIT);
        text_add(out, "\n");
    }
    add_stream(out, detail, "Standard error", command->err_tail, command->err_bytes,
               command->err_path);
    add_stream(out, detail, "Standard output", command->out_tail, command->out_bytes,
               command->out_path);
}

static void add_attempts(struct text *out, const struct result_trial *trial) {
    size_t count = trial->attempt_reasons.count;
    if (count == 0)
        return;
    text_printf(out, "\nRun %zu times; before the last: ", count + 1);
    for (size_t i = 0; i < count && i < ATTEMPTS_SHOWN; i++) {
        text_add(out, i > 0 ? "; " : "");
        markdown_words(out, trial->attempt_reasons.items[i], MARKDOWN_REASON_LIMIT);
    }
    text_add(out, count > ATTEMPTS_SHOWN ? "; …\n" : ".\n");
}

static void add_build(struct text *out, const struct markdown_detail *detail,
                      const struct result_build *build) {
    if (build == NULL || build->outcome == OUTCOME_PASSED)
        return;
    text_add(out, "\nBuild of ");
    markdown_code(out, build->dockerfile, MARKDOWN_NAME_LIMIT);
    if (build->target != NULL) {
        text_add(out, ", target ");
        markdown_code(out, build->target, MARKDOWN_NAME_LIMIT);
    }
    if (build->step != NULL) {
        text_add(out, ", stopped at ");
        markdown_code(out, build->step, 2 * MARKDOWN_NAME_LIMIT);
    }
    text_add(out, ".\n");
    add_stream(out, detail, "Its log", build->tail, build->bytes, build->path);
}

static void add_service(struct text *out, const struct markdown_detail *detail,
                        const struct result_service *service) {
    text_add(out, "\nService ");
    markdown_code(out, service->name, MARKDOWN_NAME_LIMIT);
    if (outcome_is_failure(service->outcome) || service->outcome == OUTCOME_ERROR) {
        text_printf(out, " **%s**: ", outcome_words(service->outcome));
        markdown_words(out, or_empty(service->reason), MARKDOWN_REASON_LIMIT);
    } else if (service->ready_ms >= 0) {
        text_add(out, " was ready after ");
        markdown_duration(out, service->ready_ms);
    }
    text_add(out, ".\n");
    add_stream(out, detail, "Its standard error", service->err_tail, service->err_bytes,
               service->err_path);
    add_stream(out, detail, "Its standard output", service->out_tail, service->out_bytes,
               service->out_path);
}

/* Those that failed first, since they tell most. */
static void add_services(struct text *out, const struct markdown_detail *detail,
                         const struct result_trial *trial) {
    size_t shown = 0;
    for (int bad = 1; bad >= 0; bad--)
        for (size_t i = 0; i < trial->service_count; i++) {
            const struct result_service *service = &trial->services[i];
            bool is_bad = outcome_is_failure(service->outcome) || service->outcome == OUTCOME_ERROR;
            if (is_bad != (bad == 1) || shown == SERVICES_SHOWN)
                continue;
            add_service(out, detail, service);
            shown++;
        }
    if (trial->service_count > shown)
        text_printf(out, "\n… and %zu more services.\n", trial->service_count - shown);
}

/* "2 of 16 tests in its JUnit files failed:", and which. */
static void add_inside(struct text *out, const struct markdown_detail *detail,
                       const struct result_trial *trial) {
    struct result_inside inside = {0};
    size_t named = 0;
    result_count_inside(trial, &inside);
    if (inside.tests == 0)
        return;
    text_printf(out, "\n%zu of %zu test%s in its JUnit files failed%s\n", inside.failed,
                inside.tests, inside.tests == 1 ? "" : "s",
                inside.failed > 0 && detail->cases > 0 ? ":\n" : ".");
    for (size_t i = 0; i < trial->suite_count; i++)
        for (size_t k = 0; k < trial->suites[i].case_count && named < detail->cases; k++)
            if (result_case_is_bad(&trial->suites[i].cases[k])) {
                text_add(out, "- ");
                markdown_case(out, &trial->suites[i].cases[k]);
                text_add_char(out, '\n');
                named++;
            }
    if (named < inside.failed && detail->cases > 0)
        text_printf(out, "- … and %zu more\n", inside.failed - named);
}

static void add_failure(struct text *out, const struct result *result,
                        const struct markdown_detail *detail, const struct result_trial *trial) {
    const struct result_command *command = result_failed_command(trial);
    const char *reason = command != NULL ? command->reason : trial->reason;
    add_heading(out, result, trial);
    if (command != NULL) {
        markdown_code(out, command->text, 2 * MARKDOWN_NAME_LIMIT);
        text_add(out, ": ");
    }
    markdown_words(out, reason != NULL ? reason : outcome_words(trial->outcome),
                   2 * MARKDOWN_REASON_LIMIT);
    add_circumstances(out, trial, command);
    text_add_char(out, '.');
    add_comparison(out, result, trial);
    text_add_char(out, '\n');
    if (trial->artifact_folder != NULL) {
        text_add(out, "\nArtifacts: ");
        markdown_artifacts(out, trial);
        text_add(out, ".\n");
    }
    add_attempts(out, trial);
    add_inside(out, detail, trial);
    if (command != NULL)
        add_command(out, detail, command);
    if (detail->tail_lines > 0) {
        add_build(out, detail, trial->build);
        add_services(out, detail, trial);
    }
    if (detail->tail_lines > 0 && command != NULL)
        markdown_reproduce(out, trial, command);
    if (detail->tail_lines > 0 && trial->update_count == 1)
        markdown_verdict_again(out, result->updates[trial->updates[0]].reproduce);
}

void markdown_failures(const struct result *result, const struct markdown_detail *detail,
                       struct text *out) {
    size_t told = 0;
    size_t left_out = 0;
    for (size_t i = 0; i < result->trial_count && out->failed == ERROR_NONE; i++) {
        const struct result_trial *trial = &result->trials[i];
        if (!is_told(result, trial))
            continue;
        if (told < detail->failures) {
            add_failure(out, result, detail, trial);
            told++;
        } else
            left_out++;
    }
    if (left_out > 0)
        text_printf(out, "\n%s%zu more failed test run%s.\n", told > 0 ? "… and " : "", left_out,
                    left_out == 1 ? "" : "s");
}
