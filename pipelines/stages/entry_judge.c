#include "pipelines/stages/entry_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "gate/policy/version.h"
#include "pipelines/stages/decision.h"

/* Time alone ends what ends by time; that may begin what did not hold before (an approval that ends): so many looks ahead. */
#define LOOKS_AHEAD 8

/* One snapshot under judgement, at one time. */
struct question {
    struct entry_world *world;
    const struct entry_group *group;
    const struct entry_move *moves; /* of the group, those that are asked about */
    size_t move_count;
    const struct entry_pause_list *pauses;
    int64_t at_ms;
    bool told; /* reasons are wanted */
    char result[HASH_HEX_SIZE];
    bool hurried;                     /* an approval of the set stands in for soak */
    struct entry_word_list set_words; /* what counts of the words on its sets */
    struct entry_judgement *out;
};

/* ---- findings ---- */

void entry_judgement_clear(struct entry_judgement *judgement) {
    for (size_t i = 0; i < judgement->count; i++)
        free(judgement->items[i].reason);
    free(judgement->items);
    *judgement = (struct entry_judgement){0};
}

/* Codes come in the order of the rules, so what was found before is the last. when_ms 0: time does not help. */
static int find(struct question *q, enum verdict_code code, int64_t when_ms, struct error *err,
                const char *reason, ...) _printf_(5, 6);

static int find(struct question *q, enum verdict_code code, int64_t when_ms, struct error *err,
                const char *reason, ...) {
    struct entry_judgement *out = q->out;
    if (out->count > 0 && out->items[out->count - 1].code == code) {
        struct entry_finding *finding = &out->items[out->count - 1];
        finding->count++;
        if (finding->when_ms != 0 && (when_ms == 0 || when_ms > finding->when_ms))
            finding->when_ms = when_ms;
        return 0;
    }
    struct entry_finding *finding = array_add(out, err);
    if (finding == NULL)
        return -1;
    *finding = (struct entry_finding){.code = code, .when_ms = when_ms, .count = 1};
    if (!q->told)
        return 0;
    va_list arguments;
    va_start(arguments, reason);
    int length = vasprintf(&finding->reason, reason, arguments);
    va_end(arguments);
    if (length < 0) {
        finding->reason = NULL;
        return error_no_memory(err);
    }
    return 0;
}

static const char *who(const struct ledger_entry *entry) {
    return entry->actor != NULL ? entry->actor : "somebody";
}

static const char *why(const struct ledger_entry *entry) {
    return entry->reason != NULL ? entry->reason : "no reason given";
}

/* " until 2026-11-25T10:53:00Z", or nothing. */
struct until_words {
    char text[CLOCK_RFC3339_SIZE + 8];
};

static struct until_words until_words(const struct ledger_entry *entry) {
    struct until_words words = {""};
    char time[CLOCK_RFC3339_SIZE];
    if (entry->until_ms != 0) {
        clock_rfc3339(entry->until_ms, time);
        snprintf(words.text, sizeof words.text, " until %s", time);
    }
    return words;
}

static const struct entry_value *value_of(const struct question *q, size_t value) {
    return &q->world->values.items[value];
}

/* ---- what is judged ---- */

static void stamp(struct question *q) {
    struct entry_world *world = q->world;
    const struct entry_move_list *moves = &q->group->moves;
    size_t number = ++world->stamp;
    for (size_t i = 0; i < world->target.count; i++)
        world->values.items[world->target.items[i]].in_result = number;
    for (size_t i = 0; i < moves->count; i++)
        world->values.items[moves->items[i].old].in_result = 0;
    for (size_t i = 0; i < moves->count; i++) {
        world->values.items[moves->items[i].new].in_result = number;
        world->values.items[moves->items[i].new].in_changes = number;
    }
}

/* The id of the set that the stage would hold. */
static int name_result(struct question *q, struct error *err) {
    const struct entry_world *world = q->world;
    const struct entry_move_list *moves = &q->group->moves;
    _cleanup_(free_pointer) const char **lines =
        calloc(world->target.count + moves->count + 1, sizeof *lines);
    if (lines == NULL)
        return error_no_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < world->target.count; i++) {
        const struct entry_value *value = value_of(q, world->target.items[i]);
        if (value->in_result == world->stamp && value->in_changes != world->stamp)
            lines[count++] = value->line;
    }
    for (size_t i = 0; i < moves->count; i++)
        lines[count++] = value_of(q, moves->items[i].new)->line;
    struct set result;
    int made = set_of_lines(lines, count, &result, err);
    if (made == 0)
        memcpy(q->result, result.id, sizeof q->result);
    set_clear(&result);
    return made;
}

static int add_set_words(struct question *q, const char *set, struct error *err) {
    for (const struct entry_word_link *link = entry_said(q->world, set); link != NULL;
         link = link->next) {
        if (!decision_counts(link->entry, q->at_ms))
            continue;
        const struct ledger_entry **place = array_add(&q->set_words, err);
        if (place == NULL)
            return -1;
        *place = link->entry;
        if (link->entry->type == LEDGER_APPROVED && link->entry->instead_of_soak)
            q->hurried = true;
    }
    return 0;
}

static int read_set_words(struct question *q, struct error *err) {
    if (q->world->words.count == 0)
        return 0;
    if (name_result(q, err) < 0 || add_set_words(q, q->result, err) < 0)
        return -1;
    for (size_t i = 0; i < q->group->sets.count; i++)
        if (strcmp(q->group->sets.items[i], q->result) != 0 &&
            add_set_words(q, q->group->sets.items[i], err) < 0)
            return -1;
    return 0;
}

/* ---- the rules, in their order ---- */

static int judge_unknown(struct question *q, struct error *err) {
    const struct ledger_entry *entry = q->world->unknown;
    if (entry == NULL)
        return 0;
    return find(q, CODE_UNKNOWN_ENTRY, 0, err,
                "%s:%zu: a critical entry of type \"%s\", which this pingate does not know, blocks "
                "every promotion; use the newer one that wrote it (%s)",
                entry->file != NULL ? entry->file : LEDGER_FOLDER, entry->line,
                entry->unknown != NULL ? entry->unknown : "",
                entry->tool != NULL ? entry->tool : "pingate");
}

static int judge_denied(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->set_words.count; i++) {
        const struct ledger_entry *entry = q->set_words.items[i];
        if (entry->type == LEDGER_DENIED &&
            find(q, CODE_DENIED, entry->until_ms, err, "%s denied set %.*s%s: %s", who(entry),
                 SET_SHORT_LENGTH, entry->set, until_words(entry).text, why(entry)) < 0)
            return -1;
    }
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        const struct ledger_entry *entry = entry_value_denial(q->world, move->new, move->source);
        if (entry == NULL || !decision_counts(entry, q->at_ms))
            continue;
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->new, err);
        if (words == NULL || find(q, CODE_DENIED, entry->until_ms, err, "%s denied %s%s: %s",
                                  who(entry), words, until_words(entry).text, why(entry)) < 0)
            return -1;
    }
    return 0;
}

static int judge_held(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->world->holds.count; i++) {
        const struct ledger_entry *entry = q->world->holds.items[i];
        if (decision_counts(entry, q->at_ms) &&
            find(q, CODE_ON_HOLD, entry->until_ms, err, "%s holds %s%s: %s", who(entry),
                 q->world->stage->name, until_words(entry).text, why(entry)) < 0)
            return -1;
    }
    return 0;
}

static int judge_revoked_by_test(struct question *q, const struct entry_move *move,
                                 const char *words, struct error *err) {
    for (const struct entry_trial_link *link = value_of(q, move->new)->trials; link != NULL;
         link = link->next) {
        const struct entry_trial *trial = link->trial;
        if (trial->failed <= trial->passed || !entry_trial_lies_in_result(q->world, trial) ||
            !entry_trial_revokes(q->world, trial))
            continue;
        char time[CLOCK_RFC3339_SIZE];
        clock_rfc3339(trial->failure->time_ms, time);
        if (find(q, CODE_REVOKED, 0, err, "test \"%s\" %s on %s at %s, and has not passed since",
                 trial->test, outcome_name(trial->failure->outcome), words, time) < 0)
            return -1;
    }
    return 0;
}

static int judge_revoked(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->new, err);
        if (words == NULL || judge_revoked_by_test(q, move, words, err) < 0)
            return -1;
        const struct ledger_entry *entry = value_of(q, move->source)->reverted;
        if (entry == NULL)
            continue;
        char time[CLOCK_RFC3339_SIZE];
        clock_rfc3339(entry->time_ms, time);
        if (find(q, CODE_REVOKED, 0, err, "%s went back from %s at %s%s%s", q->world->from->name,
                 words, time, entry->reason != NULL ? ": " : "",
                 entry->reason != NULL ? entry->reason : "") < 0)
            return -1;
    }
    return 0;
}

static bool has_evidence(struct question *q, const struct entry_move *move, size_t test) {
    for (const struct entry_trial_link *link = value_of(q, move->new)->trials; link != NULL;
         link = link->next)
        if (link->trial->test_number == test && link->trial->passed >= 0 &&
            link->trial->passed > link->trial->failed &&
            entry_trial_lies_in_result(q->world, link->trial))
            return true;
    return false;
}

static int judge_evidence(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        if (entry_tests_of(q->world, move->source, err) < 0)
            return -1;
        const struct entry_value *source = value_of(q, move->source);
        for (size_t t = 0; t < source->test_count; t++) {
            if (has_evidence(q, move, source->tests[t]))
                continue;
            _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->source, err);
            if (words == NULL ||
                find(q, CODE_NO_EVIDENCE, 0, err,
                     "test \"%s\" covers %s and has no pass on record with what %s would hold",
                     q->world->config->tests.items[source->tests[t]].name, words,
                     q->world->stage->name) < 0)
                return -1;
        }
    }
    return 0;
}

static int judge_tests(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        if (value_of(q, move->source)->test_count > 0)
            continue;
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->source, err);
        if (words == NULL || find(q, CODE_NO_TEST, 0, err, "no test of %s covers %s",
                                  q->world->tested->name, words) < 0)
            return -1;
    }
    return 0;
}

static int judge_observed(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        if (value_of(q, move->source)->seen_ms != ENTRY_NEVER)
            continue;
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->source, err);
        if (words == NULL ||
            find(q, CODE_NOT_OBSERVED, 0, err, "%s was not yet observed in %s on the target branch",
                 words, q->world->from->name) < 0)
            return -1;
    }
    return 0;
}

/* Whether somebody approved the digest itself instead of its soak. */
static bool is_hurried(const struct question *q, size_t value) {
    for (const struct entry_word_link *link =
             entry_said(q->world, value_of(q, value)->parts.digest);
         link != NULL; link = link->next)
        if (link->entry->type == LEDGER_APPROVED && link->entry->instead_of_soak &&
            decision_counts(link->entry, q->at_ms))
            return true;
    return q->hurried;
}

static int judge_one_soak(struct question *q, size_t source, struct error *err) {
    int64_t soak_ms = q->world->stage->soak_ms;
    int64_t soaked_ms = entry_soaked_ms(q->world, source, q->at_ms);
    const struct entry_value *value = value_of(q, source);
    if (value->seen_ms == ENTRY_NEVER || soaked_ms >= soak_ms || is_hurried(q, source))
        return 0;
    bool goes_on = value->open_ms != ENTRY_NEVER && entry_stands(q->world, source);
    int64_t when_ms = goes_on ? value->open_ms + soak_ms : 0;
    _cleanup_(free_pointer) char *words = entry_value_words(q->world, source, err);
    char time[CLOCK_RFC3339_SIZE];
    char stood[32];
    char wanted[32];
    clock_rfc3339(when_ms, time);
    clock_duration_words(soaked_ms, stood, sizeof stood);
    clock_duration_words(soak_ms, wanted, sizeof wanted);
    return words == NULL
               ? -1
               : find(q, CODE_SOAKING, when_ms, err, "%s stood in %s for %s of %s%s%s", words,
                      q->world->from->name, stood, wanted,
                      goes_on ? ", which ends at " : " and no longer does", goes_on ? time : "");
}

static int judge_soak(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count && q->world->stage->soak_ms > 0; i++)
        if (judge_one_soak(q, q->moves[i].source, err) < 0)
            return -1;
    return 0;
}

/* ---- approvals ---- */

struct people {
    const char *names[STAGE_APPROVALS_LIMIT];
    size_t count;
};

static void add_person(struct people *people, const struct ledger_entry *entry) {
    const char *name = entry->actor != NULL ? entry->actor : "";
    if (entry->type != LEDGER_APPROVED || people->count == STAGE_APPROVALS_LIMIT)
        return;
    for (size_t i = 0; i < people->count; i++)
        if (strcmp(people->names[i], name) == 0)
            return;
    people->names[people->count++] = name;
}

static void count_people(const struct question *q, size_t source, struct people *people) {
    people->count = 0;
    for (size_t i = 0; i < q->set_words.count; i++)
        add_person(people, q->set_words.items[i]);
    for (const struct entry_word_link *link =
             entry_said(q->world, value_of(q, source)->parts.digest);
         link != NULL; link = link->next)
        if (decision_counts(link->entry, q->at_ms))
            add_person(people, link->entry);
}

static int judge_approved(struct question *q, struct error *err) {
    const struct stage *stage = q->world->stage;
    for (size_t i = 0; i < q->move_count && stage->approvals > 0; i++) {
        struct people people;
        const struct entry_move *move = &q->moves[i];
        count_people(q, move->source, &people);
        if ((int64_t)people.count >= stage->approvals)
            continue;
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->source, err);
        if (words == NULL || find(q, CODE_NOT_APPROVED, 0, err,
                                  "%zu of %lld approvals for %s: `pingate approve %s %.*s`",
                                  people.count, (long long)stage->approvals, words, stage->name,
                                  SET_SHORT_LENGTH, q->group->set) < 0)
            return -1;
    }
    return 0;
}

/* ---- which way ---- */

static bool is_older(const struct set_value *new, const struct set_value *old) {
    struct version a;
    struct version b;
    return new->tag != NULL && old->tag != NULL &&version_parse(new->tag, &a) &&
           version_parse(old->tag, &b) && a.count == b.count &&version_same_kind(&a, &b) &&
           strcmp(version_suffix(&a), version_suffix(&b)) == 0 && version_compare(&a, &b) < 0;
}

static int judge_direction(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count; i++) {
        const struct entry_move *move = &q->moves[i];
        bool older = is_older(&value_of(q, move->new)->parts, &value_of(q, move->old)->parts);
        if (!older && !entry_is_backwards(q->world, move))
            continue;
        _cleanup_(free_pointer) char *new = entry_value_words(q->world, move->new, err);
        _cleanup_(free_pointer) char *old = entry_value_words(q->world, move->old, err);
        const char *stage = q->world->stage->name;
        if (new == NULL || old == NULL ||
            find(q, CODE_DOWNGRADE, 0, err,
                 "%s %s %s, which stands in %s; to go back, say so: `pingate rollback %s`", new,
                 older ? "is an older version than" : "was left behind for", old, stage, stage) < 0)
            return -1;
    }
    return 0;
}

static int judge_paused(struct question *q, struct error *err) {
    for (size_t i = 0; i < q->move_count && q->pauses != NULL; i++) {
        const struct entry_move *move = &q->moves[i];
        const struct entry_pause *pause = entry_pause_find(q->pauses, value_of(q, move->old)->line);
        if (pause == NULL || (pause->until_ms != 0 && q->at_ms >= pause->until_ms) ||
            is_hurried(q, move->source))
            continue;
        _cleanup_(free_pointer) char *words = entry_value_words(q->world, move->old, err);
        char time[CLOCK_RFC3339_SIZE] = "it was observed for long enough";
        if (pause->until_ms != 0)
            clock_rfc3339(pause->until_ms, time);
        if (words == NULL || find(q, CODE_PAUSED, pause->until_ms, err, "%s soaks for %s until %s",
                                  words, pause->later->name, time) < 0)
            return -1;
    }
    return 0;
}

/* ---- all of them ---- */

static int (*const rules[])(struct question *q, struct error *err) = {
    judge_unknown, judge_denied,   judge_held, judge_direction, judge_revoked, judge_evidence,
    judge_tests,   judge_observed, judge_soak, judge_approved,  judge_paused,
};

static int judge_at(struct entry_world *world, const struct entry_group *group,
                    const struct entry_pause_list *pauses, int64_t at_ms, bool told,
                    struct entry_judgement *out, struct error *err) {
    struct question q = {.world = world,
                         .group = group,
                         .moves = group->moves.items,
                         .move_count = group->moves.count,
                         .pauses = pauses,
                         .at_ms = at_ms,
                         .told = told,
                         .out = out};
    stamp(&q);
    int result = read_set_words(&q, err);
    for (size_t i = 0; i < sizeof rules / sizeof *rules && result == 0; i++)
        result = rules[i](&q, err);
    free(q.set_words.items);
    for (size_t i = 0; i < out->count && result == 0; i++) {
        const struct entry_finding *finding = &out->items[i];
        if (finding->when_ms == 0) {
            out->when_ms = 0;
            return 0;
        }
        if (finding->when_ms > out->when_ms)
            out->when_ms = finding->when_ms;
    }
    return result;
}

/* Until nothing is left that time has to end. */
static int look_ahead(struct entry_world *world, const struct entry_group *group,
                      const struct entry_pause_list *pauses, int64_t *when_ms, struct error *err) {
    for (int i = 0; i < LOOKS_AHEAD && *when_ms != 0; i++) {
        struct entry_judgement then = {0};
        int result = judge_at(world, group, pauses, *when_ms, false, &then, err);
        bool fit = then.count == 0;
        int64_t next_ms = then.when_ms;
        entry_judgement_clear(&then);
        if (result < 0)
            return -1;
        if (fit)
            return 0;
        *when_ms = next_ms;
    }
    *when_ms = 0;
    return 0;
}

static int tell_others(struct entry_finding *finding, struct error *err) {
    if (finding->count < 2)
        return 0;
    char *longer = string_format(err, "%s (and %zu more)", finding->reason, finding->count - 1);
    if (longer == NULL)
        return -1;
    free(finding->reason);
    finding->reason = longer;
    return 0;
}

int entry_judge(struct entry_world *world, const struct entry_group *group,
                const struct entry_pause_list *pauses, struct entry_judgement *out,
                struct error *err) {
    if (judge_at(world, group, pauses, world->now_ms, true, out, err) < 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (tell_others(&out->items[i], err) < 0)
            return -1;
    return look_ahead(world, group, pauses, &out->when_ms, err);
}

/* ---- one value that soaks ---- */

static bool has_soaked(const struct question *q, size_t source) {
    return entry_soaked_ms(q->world, source, q->at_ms) >= q->world->stage->soak_ms ||
           is_hurried(q, source);
}

int entry_soaks(struct entry_world *world, const struct entry_group *group, size_t move,
                bool *soaks, int64_t *until_ms, struct error *err) {
    struct entry_judgement found = {0};
    struct question q = {.world = world,
                         .group = group,
                         .moves = &group->moves.items[move],
                         .move_count = 1,
                         .at_ms = world->now_ms,
                         .out = &found};
    static int (*const hopeless[])(struct question *, struct error *) = {
        judge_denied, judge_held, judge_revoked, judge_evidence, judge_tests, judge_direction,
    };
    stamp(&q);
    int result = read_set_words(&q, err);
    for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless && result == 0; i++)
        result = hopeless[i](&q, err);
    int64_t open_ms = value_of(&q, q.moves->source)->open_ms;
    *soaks = result == 0 && found.count == 0 && !has_soaked(&q, q.moves->source);
    *until_ms = *soaks && open_ms != ENTRY_NEVER ? open_ms + world->stage->soak_ms : 0;
    free(q.set_words.items);
    entry_judgement_clear(&found);
    return result;
}
