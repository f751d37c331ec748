/* judge_parts: what judge.c shares with judge_questions.c and judge_search.c; for nobody else. */
#pragma once

#include "pipelines/judge.h"

/* A question that was answered: questions differ by their trial and by who is moved. */
struct answer {
    size_t trial;
    bool *moved;
    enum outcome outcome;
};

struct answer_list {
    struct answer *items;
    size_t count;
    size_t capacity;
};

struct judging {
    const struct judge_case *c;
    struct judge_ruling *rulings;
    bool *left;   /* updates that may still move */
    bool *blamed; /* ruled on: rejected, not tested, not proven */
    struct answer_list answers;
};

bool *judge_flags(size_t count, struct error *err) _must_check_;
void judge_answers_clear(struct answer_list *answers);

/* ---- judge_questions.c ---- */

struct question_list {
    struct judge_question *items;
    size_t count;
    size_t capacity;
};

void question_list_clear(struct question_list *list);

/* Adds the question unless it is answered or asked already; moved is cut down to the trial's participants. */
int judge_add(const struct judging *j, struct question_list *list, size_t trial, const bool *moved,
              struct error *err) _must_check_;

/* Asks all; where the limit is reached, none, and they stay without an answer. */
int judge_ask(struct judging *j, struct question_list *list, struct error *err) _must_check_;

/* What was answered; OUTCOME_SKIPPED where nothing was. */
enum outcome judge_known(const struct judging *j, size_t trial, const bool *moved);

/* Both for one. */
int judge_ask_one(struct judging *j, size_t trial, const bool *moved, enum outcome *out,
                  struct error *err) _must_check_;

/* ---- judge_search.c ---- */

/* A smallest set of updates with which a trial fails. */
struct failing_set {
    size_t trial;
    bool untold;     /* a trial of the search could not be run: the members are the suspects */
    size_t *members; /* ascending, at least one; owned */
    size_t count;
    bool *frees;          /* one a member: the trial passes when that one alone is not moved */
    enum outcome outcome; /* with exactly these moved; of an untold one, of what could not be run */
};

void failing_set_clear(struct failing_set *set);

/* in   moved  with which the trial failed; two or more of its participants */
int judge_search(struct judging *j, size_t trial, const bool *moved, struct failing_set *out,
                 struct error *err) _must_check_;
