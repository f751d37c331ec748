#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "pipelines/gate.h"
#include "pipelines/trial_junit.h"
#include "reports/clean.h"
#include "runners/build_context.h"
#include "runners/reproduce.h"

/* "logs/012-answers": unique in a run, and a name that every file system takes. kind: "logs", "artifacts" */
static char *numbered_folder(const struct gate *gate, const char *kind, size_t number,
                             const char *test, struct error *err) {
    _cleanup_(free_pointer) char *name = string_format(err, "%s/%03zu-%s", kind, number, test);
    if (name == NULL)
        return NULL;
    for (char *c = name + strlen(kind) + 1; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.' && *c != '_')
            *c = '-';
    return file_join(gate->options->output, name, err);
}

/* The tail of a stream; the whole log is in its file. */
static char *cleaned(struct gate *gate, const struct text *raw, enum outcome outcome,
                     struct error *err) {
    struct text out = {0};
    bool brief = outcome == OUTCOME_PASSED || gate->tail_bytes > RESULT_TAILS_BYTES;
    size_t limit = brief ? RESULT_TAIL_PASSED : RESULT_TAIL_BYTES;
    size_t length = raw->length < limit ? raw->length : limit;
    gate->tail_bytes += length;
    if (length > 0)
        clean_utf8(&out, raw->bytes + raw->length - length, length);
    return text_steal(&out, err);
}

/* Log paths in the result are relative to the output folder, so that the folder can be moved. */
static int relative_path(const struct gate *gate, const char *path, char **out, struct error *err) {
    if (path == NULL)
        return 0;
    size_t length = strlen(gate->options->output);
    if (strncmp(path, gate->options->output, length) == 0 && path[length] == '/')
        path += length + 1;
    *out = string_dup(path, err);
    return *out != NULL ? 0 : -1;
}

static int record_command(struct gate *gate, const struct trial_spec *spec,
                          const struct command_result *from, size_t step, struct result_command *to,
                          struct error *err) {
    const struct trial_step *s = &spec->steps[step];
    to->outcome = from->outcome;
    to->exit_code = from->exit_code;
    to->duration_ms = from->duration_ms;
    to->out_bytes = from->out_bytes;
    to->err_bytes = from->err_bytes;
    to->limit_ms = s->command->timeout_ms;
    to->image = s->digest != NULL
                    ? reference_text(s->image, s->tag, s->digest, err)
                    : string_format(err, "built from %s", spec->build->context->dockerfile);
    to->out_tail = cleaned(gate, &from->out_tail, from->outcome, err);
    to->err_tail = cleaned(gate, &from->err_tail, from->outcome, err);
    to->reproduce = reproduce_command(spec, step, err);
    if (to->image == NULL || to->out_tail == NULL || to->err_tail == NULL ||
        to->reproduce == NULL || string_copy(s->command->text, &to->text, err) < 0 ||
        string_copy(from->reason, &to->reason, err) < 0 ||
        relative_path(gate, from->out_path, &to->out_path, err) < 0)
        return -1;
    return relative_path(gate, from->err_path, &to->err_path, err);
}

static int record_service(struct gate *gate, const struct trial_service *of,
                          const struct service_result *from, struct result_service *to,
                          struct error *err) {
    const struct command_result *end = &from->end;
    to->outcome = end->outcome;
    to->exit_code = end->exit_code;
    to->ready_ms = from->ready_ms;
    to->duration_ms = end->duration_ms;
    to->out_bytes = end->out_bytes;
    to->err_bytes = end->err_bytes;
    to->image = reference_text(of->image, of->tag, of->digest, err);
    to->out_tail = cleaned(gate, &end->out_tail, end->outcome, err);
    to->err_tail = cleaned(gate, &end->err_tail, end->outcome, err);
    if (to->image == NULL || to->out_tail == NULL || to->err_tail == NULL ||
        string_copy(of->service->name, &to->name, err) < 0 ||
        string_copy(end->reason, &to->reason, err) < 0 ||
        relative_path(gate, end->out_path, &to->out_path, err) < 0)
        return -1;
    return relative_path(gate, end->err_path, &to->err_path, err);
}

static int record_services(struct gate *gate, const struct trial_spec *spec,
                           const struct trial_result *from, struct result_trial *to,
                           struct error *err) {
    to->services = calloc(from->service_count + 1, sizeof *to->services);
    if (to->services == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < from->service_count; i++)
        if (record_service(gate, &spec->services[i], &from->services[i],
                           &to->services[to->service_count++], err) < 0)
            return -1;
    return 0;
}

/* Whose candidates took part; of a run on the pinned digests, those it is the measure for. */
static int record_updates(const struct plan_trial *trial, const bool *moved,
                          struct result_trial *to, struct error *err) {
    to->updates = calloc(trial->participant_count + 1, sizeof *to->updates);
    if (to->updates == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < trial->participant_count; i++)
        if (moved[trial->participants[i]])
            to->updates[to->update_count++] = trial->participants[i];
    to->baseline = to->update_count == 0;
    for (size_t i = 0; to->baseline && i < trial->cover_count; i++)
        to->updates[to->update_count++] = trial->covers[i];
    return 0;
}

/* An entry of the result for what was asked, with no outcome yet. NULL with *err set. */
static struct result_trial *begin_record(struct gate *gate, const struct judge_question *question,
                                         struct error *err) {
    struct result *result = gate->result;
    struct result_trial *grown = realloc(result->trials, (result->trial_count + 1) * sizeof *grown);
    if (grown == NULL) {
        error_no_memory(err);
        return NULL;
    }
    result->trials = grown;
    const struct plan_trial *trial = &gate->plan.items[question->trial];
    struct result_trial *to = &grown[result->trial_count++];
    *to = (struct result_trial){.outcome = OUTCOME_ERROR};
    return string_copy(trial->test->name, &to->test, err) == 0 &&
                   string_copy(gate_platform(gate, trial->test), &to->platform, err) == 0 &&
                   record_updates(trial, question->moved, to, err) == 0
               ? to
               : NULL;
}

/* What could not be fetched is a warning of the run: the trial says what it would say without artifacts. */
static int record_artifacts(struct gate *gate, const struct trial_spec *spec,
                            const struct artifacts *from, unsigned int attempt,
                            struct result_trial *to, struct error *err) {
    for (size_t i = 0; i < from->warnings.count; i++) {
        _cleanup_(free_pointer) char *words =
            string_format(err, "artifacts of %s: %s", spec->title, from->warnings.items[i]);
        if (words == NULL || string_list_add(&gate->result->warnings, words, err) < 0)
            return -1;
    }
    if (from->files == 0)
        return 0;
    to->artifact_count = from->files;
    to->artifact_bytes = from->bytes;
    for (size_t i = 0; i < from->count; i++)
        if (string_list_add(&to->artifacts, from->items[i].path, err) < 0)
            return -1;
    _cleanup_(free_pointer) char *folder =
        trial_attempt_folder(spec->artifact_folder, attempt, err);
    return folder != NULL ? relative_path(gate, folder, &to->artifact_folder, err) : -1;
}

static int record_build(struct gate *gate, const struct trial_spec *spec,
                        const struct build_result *from, struct result_trial *to,
                        struct error *err) {
    to->build = calloc(1, sizeof *to->build);
    if (to->build == NULL)
        return error_no_memory(err);
    struct result_build *build = to->build;
    build->outcome = from->outcome;
    build->duration_ms = from->duration_ms;
    build->bytes = from->bytes;
    build->tail = cleaned(gate, &from->tail, from->outcome, err);
    if (build->tail == NULL ||
        string_copy(spec->build->context->dockerfile, &build->dockerfile, err) < 0 ||
        string_copy(spec->build->build->target, &build->target, err) < 0 ||
        string_copy(from->reason, &build->reason, err) < 0 ||
        string_copy(from->step, &build->step, err) < 0 ||
        string_copy(spec->build->diff, &build->diff, err) < 0)
        return -1;
    return relative_path(gate, from->path, &build->path, err);
}

/* Moves what the JUnit files told into the result. */
static int record_junit(struct gate *gate, const struct trial_spec *spec, struct trial_junit *from,
                        struct result_trial *to, struct error *err) {
    if (from == NULL)
        return 0;
    for (size_t i = 0; i < from->warnings.count; i++) {
        _cleanup_(free_pointer) char *words =
            string_format(err, "%s: %s", spec->title, from->warnings.items[i]);
        if (words == NULL || string_list_add(&gate->result->warnings, words, err) < 0)
            return -1;
    }
    if (gate->case_bytes > RESULT_CASES_BYTES)
        junit_keep_counts(&from->kept);
    gate->case_bytes += from->kept.bytes;
    to->suite_count = from->kept.count;
    to->suites = steal(from->kept.items);
    from->kept.count = 0;
    return 0;
}

static int record_trial(struct gate *gate, const struct judge_question *question,
                        const struct trial_spec *spec, const struct trial_result *from,
                        struct error *err) {
    struct result_trial *to = begin_record(gate, question, err);
    if (to == NULL)
        return -1;
    to->outcome = from->outcome;
    to->started_ms = from->started_ms;
    to->duration_ms = from->duration_ms;
    to->limit_ms = spec->test->timeout_ms;
    to->attempts = from->attempts;
    for (size_t i = 0; i < from->attempt_reasons.count; i++)
        if (string_list_add(&to->attempt_reasons, from->attempt_reasons.items[i], err) < 0)
            return -1;
    to->commands = calloc(from->command_count + 1, sizeof *to->commands);
    if (to->commands == NULL)
        return error_no_memory(err);
    if (string_copy(from->reason, &to->reason, err) < 0 ||
        (from->build != NULL && record_build(gate, spec, from->build, to, err) < 0))
        return -1;
    for (size_t i = 0; i < from->command_count; i++, to->command_count++)
        if (record_command(gate, spec, &from->commands[i], i, &to->commands[i], err) < 0) {
            to->command_count++;
            return -1;
        }
    return record_services(gate, spec, from, to, err) < 0 ||
                   record_artifacts(gate, spec, &from->artifacts, from->attempts, to, err) < 0
               ? -1
               : record_junit(gate, spec, from->found, to, err);
}

static int record_reused(struct gate *gate, const struct judge_question *question,
                         const struct ledger_entry *entry, struct error *err) {
    struct result_trial *to = begin_record(gate, question, err);
    if (to == NULL)
        return -1;
    to->outcome = entry->outcome;
    to->started_ms = clock_now_ms();
    to->reused = calloc(1, sizeof *to->reused);
    if (to->reused == NULL)
        return error_no_memory(err);
    to->reused->time_ms = entry->time_ms;
    return string_copy(entry->id, &to->reused->entry, err);
}

const char *gate_trial_reason(const struct gate *gate, const char *test, size_t update,
                              enum outcome outcome) {
    for (size_t i = test != NULL ? gate->result->trial_count : 0; i > 0; i--) {
        const struct result_trial *trial = &gate->result->trials[i - 1];
        if (trial->outcome == outcome && trial->reason != NULL && strcmp(trial->test, test) == 0 &&
            result_trial_covers(trial, update))
            return trial->reason;
    }
    return NULL;
}

static enum style outcome_style(enum outcome outcome) {
    if (outcome == OUTCOME_PASSED)
        return STYLE_GOOD;
    return outcome_is_failure(outcome) ? STYLE_BAD : STYLE_WARN;
}

/* The attempt ends with a line of its own; the trial goes on, with its time from the beginning. */
static void show_again(struct gate *gate, const struct schedule_event *event, const char *key) {
    _cleanup_(text_clear) struct text words = {0};
    _cleanup_(text_clear) struct text next = {0};
    char mark[32];
    struct terminal_amount amount = {.limit_ms = event->spec->test->timeout_ms};
    snprintf(mark, sizeof mark, "%s:", outcome_name(event->result->outcome));
    text_printf(&words, "%s, attempt %u, which is run again: %s", event->spec->title,
                event->attempt, or_empty(event->result->reason));
    text_printf(&next, "%s, attempt %u", event->spec->title, event->attempt + 1);
    terminal_end(gate->terminal, key, STYLE_WARN, mark, text_string(&words));
    terminal_begin(gate->terminal, key, text_string(&next), &amount);
}

static void show_trial(struct gate *gate, const struct schedule_event *event) {
    char key[32];
    char duration[64];
    snprintf(key, sizeof key, "trial %zu", event->trial);
    struct terminal_amount amount = {.limit_ms = event->spec->test->timeout_ms};
    if (event->kind == SCHEDULE_TRIAL_STARTED) {
        terminal_begin(gate->terminal, key, event->spec->title, &amount);
        return;
    }
    _cleanup_(text_clear) struct text words = {0};
    if (event->kind == SCHEDULE_TRIAL_AGAIN) {
        show_again(gate, event, key);
        return;
    }
    if (event->kind == SCHEDULE_COMMAND_STARTED) {
        const struct test_command *command = event->spec->steps[event->command].command;
        text_printf(&words, "%s: %s", event->spec->title, command->text);
        if (command->timeout_ms > 0) {
            clock_duration_words(command->timeout_ms, duration, sizeof duration);
            text_printf(&words, " (may take %s)", duration);
        }
        struct error ignored = {0};
        char *shown = text_steal(&words, &ignored);
        if (shown != NULL && redact_string(gate->grants.redact, &shown, &ignored) == 0)
            terminal_update(gate->terminal, key, shown, &amount);
        free(shown);
        error_clear(&ignored);
        return;
    }
    if (event->kind != SCHEDULE_TRIAL_DONE) {
        text_printf(&words, "%s: build", event->spec->title);
        if (event->kind == SCHEDULE_BUILD_PROGRESS)
            text_printf(&words, ": %s", event->step);
        if (event->kind == SCHEDULE_BUILD_DONE)
            text_printf(&words, ": %s", outcome_name(event->build->outcome));
        terminal_update(gate->terminal, key, text_string(&words), &amount);
        return;
    }
    clock_duration_words(event->result->duration_ms, duration, sizeof duration);
    text_printf(&words, "%s (%s)", event->spec->title, duration);
    if (event->result->reason != NULL)
        text_printf(&words, ": %s", event->result->reason);
    char mark[32];
    snprintf(mark, sizeof mark, "%s:", outcome_name(event->result->outcome));
    terminal_end(gate->terminal, key, outcome_style(event->result->outcome), mark,
                 text_string(&words));
}

static void show_pull(struct gate *gate, const struct schedule_event *event) {
    const char *image = reference_familiar(event->image);
    size_t name_length = strcspn(image, "@");
    const char *hex = strrchr(image + name_length, ':');
    _cleanup_(text_clear) struct text words = {0};
    text_append(&words, image, name_length);
    if (hex != NULL)
        text_printf(&words, "@%.*s", (int)DIGEST_SHORT_LENGTH, hex + 1);
    struct terminal_amount amount = {.done_bytes = event->bytes, .total_bytes = event->bytes_total};
    if (event->kind == SCHEDULE_PULL_DONE && event->error != NULL) {
        text_printf(&words, ": %s", event->error);
        terminal_end(gate->terminal, event->image, STYLE_WARN, "not pulled:", text_string(&words));
    } else if (event->kind == SCHEDULE_PULL_DONE && event->was_there)
        terminal_end(gate->terminal, event->image, STYLE_PLAIN, "was there:", text_string(&words));
    else if (event->kind == SCHEDULE_PULL_DONE)
        terminal_end(gate->terminal, event->image, STYLE_PLAIN, "pulled:", text_string(&words));
    else {
        _cleanup_(text_clear) struct text running = {0};
        text_printf(&running, "pull %s", text_string(&words));
        if (event->kind == SCHEDULE_PULL_STARTED)
            terminal_begin(gate->terminal, event->image, text_string(&running), &amount);
        else
            terminal_update(gate->terminal, event->image, text_string(&running), &amount);
    }
}

void gate_show_event(void *context, const struct schedule_event *event);

void gate_show_event(void *context, const struct schedule_event *event) {
    switch (event->kind) {
    case SCHEDULE_PULL_STARTED:
    case SCHEDULE_PULL_PROGRESS:
    case SCHEDULE_PULL_DONE:
        show_pull(context, event);
        break;
    case SCHEDULE_TRIAL_STARTED:
    case SCHEDULE_BUILD_STARTED:
    case SCHEDULE_BUILD_PROGRESS:
    case SCHEDULE_BUILD_DONE:
    case SCHEDULE_COMMAND_STARTED:
    case SCHEDULE_TRIAL_AGAIN:
    case SCHEDULE_TRIAL_DONE:
        show_trial(context, event);
        break;
    }
}

/* One question on its way: what would be run, and what answered it. */
struct asked {
    struct trial_spec spec;
    struct evidence_key key;
    bool known; /* this run has answered it before, with this: */
    enum outcome outcome;
    const struct ledger_entry *reused; /* a pass on record; NULL: it is run */
};

static bool is_run(const struct asked *asked) {
    return !asked->known && asked->reused == NULL;
}

/* Of a set that is judged again since one of its candidates was given up, most trials are as they were. */
static const struct gate_answer *find_known(const struct gate *gate, size_t trial,
                                            const struct evidence_key *key) {
    for (size_t i = 0; i < gate->asked.count; i++) {
        const struct gate_answer *answer = &gate->asked.items[i];
        if (answer->trial == trial && strcmp(answer->given, key->trial) == 0 &&
            strcmp(answer->values, key->values.id) == 0)
            return answer;
    }
    return NULL;
}

/* What was recorded last answers the question. */
static int keep_answer(struct gate *gate, const struct judge_question *question,
                       const struct evidence_key *key, struct error *err) {
    struct gate_answer *answer = array_add(&gate->asked, err);
    if (answer == NULL)
        return -1;
    *answer = (struct gate_answer){.trial = question->trial,
                                   .outcome = question->outcome,
                                   .record = gate->result->trial_count - 1};
    snprintf(answer->given, sizeof answer->given, "%s", key->trial);
    snprintf(answer->values, sizeof answer->values, "%s", key->values.id);
    return 0;
}

void gate_forget_answers(struct gate *gate) {
    free(gate->asked.items);
    gate->asked = (struct gate_answers){0};
}

/* NULL where the trial was not run on the pinned digests. */
static const struct gate_answer *find_baseline(const struct gate *gate, size_t trial) {
    for (size_t i = 0; i < gate->asked.count; i++)
        if (gate->asked.items[i].trial == trial &&
            gate->result->trials[gate->asked.items[i].record].baseline)
            return &gate->asked.items[i];
    return NULL;
}

static const char *class_of(enum outcome outcome, const struct gate_answer *baseline) {
    if (outcome == OUTCOME_FLAKY)
        return "flaky";
    if (baseline == NULL)
        return NULL;
    bool good = baseline->outcome == OUTCOME_PASSED || baseline->outcome == OUTCOME_FLAKY;
    bool broken = outcome_is_failure(baseline->outcome);
    if (outcome_is_failure(outcome))
        return good ? "regression" : broken ? "already-broken" : NULL;
    return outcome == OUTCOME_PASSED && broken ? "fixed" : NULL;
}

int gate_classify(struct gate *gate, struct error *err) {
    for (size_t i = 0; i < gate->asked.count; i++) {
        const struct gate_answer *answer = &gate->asked.items[i];
        struct result_trial *trial = &gate->result->trials[answer->record];
        if (trial->baseline || trial->class != NULL)
            continue;
        const char *class = class_of(answer->outcome, find_baseline(gate, answer->trial));
        if (string_copy(class, &trial->class, err) < 0)
            return -1;
    }
    return 0;
}

static int prepare_question(struct gate *gate, const struct judge_question *question,
                            struct asked *asked, struct error *err) {
    const struct plan_trial *trial = &gate->plan.items[question->trial];
    _cleanup_(free_pointer) char *folder =
        numbered_folder(gate, "logs", gate->trials_run + 1, trial->test->name, err);
    if (folder == NULL ||
        plan_spec(trial, &gate->updates, question->moved, folder, &asked->spec, err) < 0)
        return -1;
    if (asked->spec.steps[0].digest == NULL && trial->built == NULL)
        return error_set(err, ERROR_BUG, "a trial without a digest was asked for");
    asked->spec.grants = &gate->grants;
    if (gate_build_spec(gate, trial, question->moved, &asked->spec, err) < 0 ||
        gate_choose_children(gate, &asked->spec, err) < 0)
        return -1;
    if (trial->test->artifacts.count + trial->test->junit.count > 0 &&
        (asked->spec.artifact_folder = numbered_folder(gate, "artifacts", gate->trials_run + 1,
                                                       trial->test->name, err)) == NULL)
        return -1;
    if (gate_evidence_key(gate, question, &asked->spec, &asked->key, err) < 0)
        return -1;
    const struct gate_answer *known = find_known(gate, question->trial, &asked->key);
    asked->known = known != NULL;
    asked->outcome = known != NULL ? known->outcome : OUTCOME_ERROR;
    if (!asked->known)
        asked->reused = gate_reusable(gate, trial->test, &asked->key);
    if (asked->reused != NULL)
        gate_show_reused(gate, asked->spec.title, asked->reused);
    else if (!asked->known)
        gate->trials_run++;
    return 0;
}

/* What is not answered is run, side by side. results: one a question that is run, in their order. */
static int run_rest(struct gate *gate, const struct asked *asked, size_t count,
                    struct trial_result *results, struct error *err) {
    _cleanup_(free_pointer) struct trial_spec *specs = calloc(count + 1, sizeof *specs); /* lent */
    if (specs == NULL)
        return error_no_memory(err);
    size_t rest = 0;
    for (size_t i = 0; i < count; i++)
        if (is_run(&asked[i]))
            specs[rest++] = asked[i].spec;
    return rest > 0 ? schedule_run(gate->schedule, specs, results, rest, err) : 0;
}

static bool moves_anything(const struct gate *gate, const struct judge_question *question) {
    for (size_t i = 0; i < gate->updates.count; i++)
        if (question->moved[i])
            return true;
    return false;
}

static int record(struct gate *gate, struct judge_question *question, const struct asked *asked,
                  const struct trial_result *result, struct error *err) {
    if (asked->known) {
        question->outcome = asked->outcome;
        return 0;
    }
    if (asked->reused != NULL) {
        question->outcome = asked->reused->outcome;
        return record_reused(gate, question, asked->reused, err) < 0
                   ? -1
                   : keep_answer(gate, question, &asked->key, err);
    }
    question->outcome = result->outcome;
    gate->cut += result->cut ? 1 : 0;
    gate->cut_baselines += result->cut && !moves_anything(gate, question) ? 1 : 0;
    return record_trial(gate, question, &asked->spec, result, err) == 0 &&
                   keep_answer(gate, question, &asked->key, err) == 0
               ? gate_keep_evidence(gate, &asked->key, result, err)
               : -1;
}

/* All are recorded, also when the run ends here. */
static int run_questions(struct gate *gate, struct judge_question *questions, struct asked *asked,
                         struct trial_result *results, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++)
        if (prepare_question(gate, &questions[i], &asked[i], err) < 0)
            return -1;
    int result = run_rest(gate, asked, count, results, err);
    for (size_t i = 0, rest = 0; i < count; i++) {
        struct error why = {0};
        if (record(gate, &questions[i], &asked[i], &results[rest], &why) < 0) {
            if (result == 0)
                result = error_move(err, &why);
            error_clear(&why);
        }
        rest += is_run(&asked[i]) ? 1 : 0;
    }
    return result;
}

int gate_ask(void *context, struct judge_question *questions, size_t count, struct error *err) {
    struct gate *gate = context;
    struct asked *asked = calloc(count + 1, sizeof *asked);
    struct trial_result *results = calloc(count + 1, sizeof *results);
    int result = asked != NULL && results != NULL
                     ? run_questions(gate, questions, asked, results, count, err)
                     : error_no_memory(err);
    for (size_t i = 0; asked != NULL && results != NULL && i < count; i++) {
        trial_spec_clear(&asked[i].spec);
        evidence_key_clear(&asked[i].key);
        trial_result_clear(&results[i]);
    }
    free(asked);
    free(results);
    return result;
}
