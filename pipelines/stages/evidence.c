#include "pipelines/stages/evidence.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/json_write.h"
#include "gate/reference.h"

static int fill_values(const struct plan_trial *trial, const struct update_list *updates,
                       const bool *moved, struct set *out, struct error *err) {
    _cleanup_(string_list_clear) struct string_list lines = {0};
    for (size_t i = 0; i < trial->participant_count; i++) {
        size_t at = trial->participants[i];
        const struct update *update = &updates->items[at];
        const char *digest = moved[at] ? update->candidate_digest : update->digest;
        if (digest == NULL)
            return error_set(err, ERROR_BUG, "evidence of a trial without a digest: %s",
                             update->image);
        _cleanup_(free_pointer) char *line = reference_text(
            update->image, moved[at] ? update->candidate_tag : update->tag, digest, err);
        if (line == NULL || string_list_add(&lines, line, err) < 0)
            return -1;
    }
    return set_of_lines((const char *const *)lines.items, lines.count, out, err);
}

/* The commands themselves are in the test's definition. */
static json_t *steps_of(const struct trial_spec *spec) {
    json_t *steps = json_array();
    for (size_t i = 0; steps != NULL && i < spec->step_count; i++) {
        const struct trial_step *step = &spec->steps[i];
        if (json_array_append_new(steps, json_pack("{s:s, s:s?, s:s}", "image", step->image, "tag",
                                                   step->tag, "digest", step->digest)) < 0) {
            json_decref(steps);
            steps = NULL;
        }
    }
    return steps;
}

/* So are the services, but for what they run. */
static int add_services(const struct trial_spec *spec, json_t *given) {
    json_t *services = json_array();
    for (size_t i = 0; services != NULL && i < spec->service_count; i++) {
        const struct trial_service *service = &spec->services[i];
        if (json_array_append_new(services,
                                  json_pack("{s:s, s:s?, s:s}", "image", service->image, "tag",
                                            service->tag, "digest", service->digest)) < 0) {
            json_decref(services);
            services = NULL;
        }
    }
    return json_object_set_new(given, "services", services);
}

static json_t *variables_of(const struct trial_spec *spec) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < spec->environment.count; i++)
        if (json_array_append_new(list, json_string(spec->environment.items[i])) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static int hash_trial(const struct trial_spec *spec, char hex[HASH_HEX_SIZE], struct error *err) {
    json_t *given = json_pack("{s:i, s:o, s:o}", "v", LEDGER_VERSION, "steps", steps_of(spec),
                              "environment", variables_of(spec));
    if (given == NULL || (spec->service_count > 0 && add_services(spec, given) < 0)) {
        json_decref(given);
        return error_no_memory(err);
    }
    _cleanup_(text_clear) struct text bytes = {0};
    int result = json_write(given, JSON_COMPACT | JSON_SORT_KEYS, &bytes, err);
    json_decref(given);
    return result == 0 ? hash_hex(text_string(&bytes), bytes.length, hex, err) : -1;
}

int evidence_key_of(const struct plan_trial *trial, const struct trial_spec *spec,
                    const struct update_list *updates, const bool *moved,
                    const struct evidence_facts *facts, struct evidence_key *key,
                    struct error *err) {
    *key = (struct evidence_key){.test = trial->test->name, .facts = *facts};
    if (facts->workspace != NULL && *facts->workspace == '\0')
        key->facts.workspace = NULL;
    if (test_definition_hash(trial->test, key->definition, err) < 0 ||
        hash_trial(spec, key->trial, err) < 0)
        return -1;
    return fill_values(trial, updates, moved, &key->values, err);
}

void evidence_key_clear(struct evidence_key *key) {
    set_clear(&key->values);
    *key = (struct evidence_key){0};
}

/* Of the ledger: values are sorted there. */
static bool same_values(const struct ledger_entry *entry, const struct evidence_key *key) {
    if (entry->value_count != key->values.lines.count)
        return false;
    for (size_t i = 0; i < entry->value_count; i++)
        if (strcmp(entry->values[i], key->values.lines.items[i]) != 0)
            return false;
    return true;
}

/* The same but for what the trial was given. */
static bool is_about(const struct ledger_entry *entry, const struct evidence_key *key) {
    return entry->type == LEDGER_EVIDENCE && strcmp(entry->test, key->test) == 0 &&
           strcmp(entry->definition, key->definition) == 0 &&
           strcmp(entry->platform, key->facts.platform) == 0 &&
           string_equal(entry->workspace, key->facts.workspace) && same_values(entry, key);
}

const struct ledger_entry *evidence_reusable(const struct ledger *ledger,
                                             const struct evidence_key *key, int64_t reuse_ms,
                                             int64_t now_ms) {
    if (key->facts.workspace == NULL)
        return NULL;
    const struct ledger_entry *pass = NULL;
    const struct ledger_entry *other = NULL;     /* the newest that is no pass */
    for (size_t i = 0; i < ledger->count; i++) { /* ascending by time */
        const struct ledger_entry *entry = &ledger->items[i];
        if (!is_about(entry, key))
            continue;
        if (entry->outcome != OUTCOME_PASSED)
            other = entry;
        else if (string_equal(entry->trial, key->trial) && entry->time_ms <= now_ms)
            pass = entry;
    }
    if (pass == NULL || (other != NULL && other->time_ms >= pass->time_ms))
        return NULL;
    return now_ms - pass->time_ms < reuse_ms ? pass : NULL;
}

static const char *keep(struct evidence *evidence, const char *string, struct error *err) {
    return arena_string(&evidence->arena, string, strlen(string), err);
}

static int keep_values(struct evidence *evidence, const struct set *set, struct ledger_entry *draft,
                       struct error *err) {
    const char **values =
        arena_take(&evidence->arena, (set->lines.count + 1) * sizeof *values, err);
    if (values == NULL)
        return -1;
    for (size_t i = 0; i < set->lines.count; i++) {
        values[i] = keep(evidence, set->lines.items[i], err);
        if (values[i] == NULL)
            return -1;
    }
    draft->values = values;
    draft->value_count = set->lines.count;
    return 0;
}

/* One after the other in the text, NULL where there is none. */
static int keep_all(struct evidence *evidence, const struct evidence_key *key,
                    struct ledger_entry *draft, struct error *err) {
    const struct {
        const char *from;
        const char **to;
    } fields[] = {{key->test, &draft->test},
                  {key->definition, &draft->definition},
                  {key->trial, &draft->trial},
                  {key->facts.platform, &draft->platform},
                  {key->facts.workspace, &draft->workspace},
                  {key->facts.source, &draft->source},
                  {key->facts.stage, &draft->stage}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].from == NULL)
            continue;
        *fields[i].to = keep(evidence, fields[i].from, err);
        if (*fields[i].to == NULL)
            return -1;
    }
    return keep_values(evidence, &key->values, draft, err);
}

/* From the best to the worst; 0 is none at all. */
static int rank(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_PASSED:
        return 1;
    case OUTCOME_FLAKY:
        return 2;
    case OUTCOME_TIMED_OUT:
        return 3;
    case OUTCOME_OOM:
        return 4;
    case OUTCOME_FAILED:
        return 5;
    case OUTCOME_ERROR:
    case OUTCOME_SKIPPED:
    case OUTCOME_COUNT:
        break;
    }
    return 0;
}

static void make_worse(struct ledger_entry *draft, const struct evidence_key *key,
                       enum outcome outcome, int64_t time_ms) {
    if (rank(outcome) > rank(draft->outcome))
        draft->outcome = outcome;
    if (time_ms > draft->time_ms)
        draft->time_ms = time_ms;
    if (!string_equal(draft->trial, key->trial))
        draft->trial = NULL; /* of several: no single trial can be answered by it */
}

int evidence_add(struct evidence *evidence, const struct evidence_key *key, enum outcome outcome,
                 int64_t time_ms, struct error *err) {
    if (rank(outcome) == 0)
        return 0;
    for (size_t i = 0; i < evidence->count; i++)
        if (is_about(&evidence->items[i], key)) {
            make_worse(&evidence->items[i], key, outcome, time_ms);
            return 0;
        }
    struct ledger_entry draft = {.type = LEDGER_EVIDENCE, .outcome = outcome, .time_ms = time_ms};
    if (keep_all(evidence, key, &draft, err) < 0)
        return -1;
    struct ledger_entry *added = array_add(evidence, err);
    if (added == NULL)
        return -1;
    *added = draft;
    return 0;
}

void evidence_clear(struct evidence *evidence) {
    free(evidence->items);
    arena_clear(&evidence->arena);
    *evidence = (struct evidence){0};
}
