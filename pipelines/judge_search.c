/* The search for a smallest set of updates with which a trial fails, in the manner of delta debugging: by halves, so that one
 * culprit of many costs the logarithm, and two that fail only together cost it twice.
 *
 *     needed = {}, list = all that are moved                      fails: needed + list
 *     find the shortest beginning of the list with which needed fails; its last one is needed       log2 n questions
 *     go on with what stands before it, until what is needed fails by itself                        1 question each
 *
 * Each step holds that one beginning fails and the one that is shorter by one does not, as they were answered. So what is
 * found does fail. Where more moved ones can heal a failure it may still hold one too many: each member is left out once at the
 * end, and the set is cut down until none can be. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "pipelines/judge_parts.h"

struct search {
    struct judging *j;
    size_t trial;
    const bool *all; /* with these moved it failed */
    bool *now;       /* scratch: who is moved in the question */
    size_t *list;    /* suspects that stand before the needed ones, ascending */
    size_t list_count;
    bool *needed;
    bool untold;          /* the last question could not be run */
    enum outcome outcome; /* of the last question */
};

static void search_clear(struct search *s) {
    free(s->now);
    free(s->list);
    free(s->needed);
}

void failing_set_clear(struct failing_set *set) {
    free(set->members);
    free(set->frees);
    *set = (struct failing_set){0};
}

static int by_size(const void *left, const void *right) {
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    return (a > b) - (a < b);
}

static int search_begin(struct search *s, struct error *err) {
    size_t updates = s->j->c->update_count;
    const struct judge_trial *t = &s->j->c->trials[s->trial];
    s->now = judge_flags(updates, err);
    s->needed = judge_flags(updates, err);
    s->list = calloc(t->participant_count + 1, sizeof *s->list);
    if (s->now == NULL || s->needed == NULL)
        return -1;
    if (s->list == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < t->participant_count; i++)
        if (s->all[t->participants[i]])
            s->list[s->list_count++] = t->participants[i];
    qsort(s->list, s->list_count, sizeof *s->list, by_size);
    return 0;
}

/* Does it fail with the needed ones and this many of the list? */
static int fails_with(struct search *s, size_t beginning, bool *fails, struct error *err) {
    memcpy(s->now, s->needed, s->j->c->update_count * sizeof *s->now);
    for (size_t i = 0; i < beginning; i++)
        s->now[s->list[i]] = true;
    if (judge_ask_one(s->j, s->trial, s->now, &s->outcome, err) < 0)
        return -1;
    *fails = outcome_is_failure(s->outcome);
    s->untold =
        !*fails && s->outcome != OUTCOME_PASSED && s->outcome != OUTCOME_FLAKY; /* it did pass */
    return 0;
}

/* The needed ones do not fail alone, and do with the whole list: moves the last of its shortest failing beginning to them. */
static int find_needed(struct search *s, struct error *err) {
    size_t passing = 0;
    while (s->list_count - passing > 1) {
        size_t middle = passing + (s->list_count - passing) / 2;
        bool fails;
        if (fails_with(s, middle, &fails, err) < 0)
            return -1;
        if (s->untold)
            return 0;
        if (fails)
            s->list_count = middle;
        else
            passing = middle;
    }
    s->needed[s->list[--s->list_count]] = true;
    return 0;
}

static int find_all_needed(struct search *s, struct error *err) {
    bool fails = false;
    while (!fails) {
        if (find_needed(s, err) < 0 || (!s->untold && fails_with(s, 0, &fails, err) < 0))
            return -1;
        if (s->untold)
            return 0;
    }
    s->list_count = 0;
    return 0;
}

static int keep_members(const struct search *s, struct failing_set *set, struct error *err) {
    size_t updates = s->j->c->update_count;
    set->members = calloc(updates + 1, sizeof *set->members);
    set->frees = judge_flags(updates, err);
    if (set->members == NULL)
        return error_no_memory(err);
    if (set->frees == NULL)
        return -1;
    memcpy(s->now, s->needed, updates * sizeof *s->now);
    for (size_t i = 0; i < s->list_count; i++)
        s->now[s->list[i]] = true;
    for (size_t update = 0; update < updates; update++)
        if (s->now[update])
            set->members[set->count++] = update;
    set->untold = s->untold;
    set->outcome = s->outcome;
    return 0;
}

/* One question a member: these moved, but for it. out: outcomes, one a member */
static int leave_out_each(struct search *s, const bool *moved, const struct failing_set *set,
                          enum outcome *outcomes, struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    size_t updates = s->j->c->update_count;
    memcpy(s->now, moved, updates * sizeof *s->now);
    for (size_t i = 0; i < set->count; i++) {
        s->now[set->members[i]] = false;
        int added = judge_add(s->j, &list, s->trial, s->now, err);
        s->now[set->members[i]] = true;
        if (added < 0)
            return -1;
    }
    if (judge_ask(s->j, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        s->now[set->members[i]] = false;
        outcomes[i] = judge_known(s->j, s->trial, s->now);
        s->now[set->members[i]] = true;
    }
    return 0;
}

static void drop_member(struct search *s, struct failing_set *set, size_t at,
                        enum outcome outcome) {
    s->needed[set->members[at]] = false;
    memmove(&set->members[at], &set->members[at + 1], (set->count - at - 1) * sizeof *set->members);
    set->count--;
    set->outcome = outcome;
}

/* Until it does not fail without any one of them. */
static int cut_down(struct search *s, struct failing_set *set, enum outcome *outcomes,
                    struct error *err) {
    bool again = true;
    while (again && set->count > 1 && !set->untold) {
        if (leave_out_each(s, s->needed, set, outcomes, err) < 0)
            return -1;
        again = false;
        for (size_t i = 0; i < set->count && !again; i++) {
            again = outcome_is_failure(outcomes[i]);
            if (again)
                drop_member(s, set, i, outcomes[i]);
        }
        for (size_t i = 0; i < set->count && !again && !set->untold; i++)
            if (outcomes[i] != OUTCOME_PASSED && outcomes[i] != OUTCOME_FLAKY) {
                set->untold = true;
                set->outcome = outcomes[i];
            }
    }
    return 0;
}

int judge_search(struct judging *j, size_t trial, const bool *moved, struct failing_set *out,
                 struct error *err) {
    *out = (struct failing_set){.trial = trial};
    _cleanup_(search_clear) struct search s = {.j = j, .trial = trial, .all = moved};
    _cleanup_(free_pointer) enum outcome *outcomes =
        calloc(j->c->update_count + 1, sizeof *outcomes);
    if (outcomes == NULL)
        return error_no_memory(err);
    if (search_begin(&s, err) < 0 || find_all_needed(&s, err) < 0 ||
        keep_members(&s, out, err) < 0 || cut_down(&s, out, outcomes, err) < 0)
        return -1;
    if (out->untold)
        return 0;
    if (out->count == 1) {
        out->frees[0] = true;
        return 0;
    }
    if (leave_out_each(&s, moved, out, outcomes, err) < 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        out->frees[i] = outcomes[i] == OUTCOME_PASSED || outcomes[i] == OUTCOME_FLAKY;
    return 0;
}
