/* What was asked and answered; nothing is asked twice. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/text.h"
#include "gate/base/trace.h"
#include "pipelines/judge_parts.h"

bool *judge_flags(size_t count, struct error *err) {
    bool *flags = calloc(count + 1, sizeof *flags);
    if (flags == NULL)
        error_no_memory(err);
    return flags;
}

void judge_answers_clear(struct answer_list *answers) {
    for (size_t i = 0; i < answers->count; i++)
        free(answers->items[i].moved);
    free(answers->items);
    *answers = (struct answer_list){0};
}

void question_list_clear(struct question_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free((bool *)list->items[i].moved);
    free(list->items);
    *list = (struct question_list){0};
}

/* Whether the two are the same for this trial: of others than its participants nothing is asked. */
static bool same_moved(const struct judging *j, size_t trial, const bool *a, const bool *b) {
    const struct judge_trial *t = &j->c->trials[trial];
    for (size_t i = 0; i < t->participant_count; i++)
        if (a[t->participants[i]] != b[t->participants[i]])
            return false;
    return true;
}

static const struct answer *find_answer(const struct judging *j, size_t trial, const bool *moved) {
    for (size_t i = 0; i < j->answers.count; i++)
        if (j->answers.items[i].trial == trial &&
            same_moved(j, trial, j->answers.items[i].moved, moved))
            return &j->answers.items[i];
    return NULL;
}

enum outcome judge_known(const struct judging *j, size_t trial, const bool *moved) {
    const struct answer *known = find_answer(j, trial, moved);
    return known != NULL ? known->outcome : OUTCOME_SKIPPED;
}

static bool asks_already(const struct judging *j, const struct question_list *list, size_t trial,
                         const bool *moved) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].trial == trial && same_moved(j, trial, list->items[i].moved, moved))
            return true;
    return false;
}

int judge_add(const struct judging *j, struct question_list *list, size_t trial, const bool *moved,
              struct error *err) {
    if (find_answer(j, trial, moved) != NULL || asks_already(j, list, trial, moved))
        return 0;
    bool *participating = judge_flags(j->c->update_count, err);
    if (participating == NULL)
        return -1;
    const struct judge_trial *t = &j->c->trials[trial];
    for (size_t i = 0; i < t->participant_count; i++)
        participating[t->participants[i]] = moved[t->participants[i]];
    struct judge_question *question = array_add(list, err);
    if (question == NULL) {
        free(participating);
        return -1;
    }
    *question = (struct judge_question){trial, participating, OUTCOME_ERROR};
    return 0;
}

static int keep_answer(struct judging *j, struct judge_question *question, struct error *err) {
    struct answer *answer = array_add(&j->answers, err);
    if (answer == NULL)
        return -1;
    *answer = (struct answer){question->trial, (bool *)question->moved, question->outcome};
    question->moved = NULL; /* the answer's now */
    return 0;
}

int judge_ask(struct judging *j, struct question_list *list, struct error *err) {
    size_t limit = j->c->limit > 0 ? j->c->limit : JUDGE_TRIALS_LIMIT;
    if (j->answers.count + list->count > limit) {
        trace(TRACE_GATE, "%zu questions are not asked: the limit is %zu", list->count, limit);
        return 0;
    }
    if (list->count > 0 && j->c->ask(j->c->context, list->items, list->count, err) < 0)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (keep_answer(j, &list->items[i], err) < 0)
            return -1;
    return 0;
}

int judge_ask_one(struct judging *j, size_t trial, const bool *moved, enum outcome *out,
                  struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    if (judge_add(j, &list, trial, moved, err) < 0 || judge_ask(j, &list, err) < 0)
        return -1;
    *out = judge_known(j, trial, moved);
    return 0;
}
