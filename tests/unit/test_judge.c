#include "pipelines/judge.h"

#include "tests/unit/unit.h"

/* A small world of at most four updates, a to d, and four trials. What a trial gives is told by rules, the first that
 * matches decides: "0:a=F" is "trial 0 fails whenever a is moved"; "1:ab=F" needs both moved; "0:=F" always. */
#define UPDATES 4
#define TRIALS  4

struct world {
    /* "ab": participants, all covered; "a+b": covers a, b takes part; NULL: no more */
    const char *trials[TRIALS];
    const char *rules[6]; /* NULL: no more; no rule that matches is a pass */
    size_t asked;         /* questions in all */
};

static enum outcome letter_outcome(char letter) {
    switch (letter) {
    case 'F':
        return OUTCOME_FAILED;
    case 'T':
        return OUTCOME_TIMED_OUT;
    case 'E':
        return OUTCOME_ERROR;
    default:
        ck_abort_msg("no outcome %c", letter);
    }
}

static enum outcome answer(const struct world *world, size_t trial, const bool *moved) {
    for (size_t i = 0; i < 6 && world->rules[i] != NULL; i++) {
        const char *rule = world->rules[i];
        if ((size_t)(rule[0] - '0') != trial)
            continue;
        bool all = true;
        const char *at = rule + 2;
        for (; *at != '='; at++)
            all = all && moved[*at - 'a'];
        if (all)
            return letter_outcome(at[1]);
    }
    return OUTCOME_PASSED;
}

static int ask(void *context, struct judge_question *questions, size_t count, struct error *err) {
    struct world *world = context;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        questions[i].outcome = answer(world, questions[i].trial, questions[i].moved);
        world->asked++;
    }
    return 0;
}

static size_t fill_trial(const char *text, size_t *participants, size_t *covers,
                         size_t *cover_count) {
    size_t count = 0;
    bool covered = true;
    *cover_count = 0;
    for (; *text != '\0'; text++) {
        if (*text == '+') {
            covered = false;
            continue;
        }
        participants[count++] = (size_t)(*text - 'a');
        if (covered)
            covers[(*cover_count)++] = (size_t)(*text - 'a');
    }
    return count;
}

/* verdicts: one letter an update: P promote, R regression, B already broken, T fails together, N not tested, C gate closed,
 * f failed without a baseline, - not eligible */
static char verdict_letter(const struct judge_ruling *ruling) {
    if (ruling->verdict == VERDICT_PROMOTE)
        return 'P';
    switch ((int)ruling->code) {
    case CODE_REGRESSION:
        return 'R';
    case CODE_ALREADY_BROKEN:
        return 'B';
    case CODE_FAILS_TOGETHER:
        return 'T';
    case CODE_NOT_TESTED:
        return 'N';
    case CODE_GATE_CLOSED:
        return 'C';
    case CODE_TEST_FAILED:
        return 'f';
    default:
        return '?';
    }
}

static const struct row {
    const char *name;
    const char *eligible; /* "abcd" or fewer */
    struct world world;
    const char *passing;  /* verdicts with promote: passing */
    const char *all;      /* … with promote: all */
    size_t asked_passing; /* questions with promote: passing, baselines included */
} rows[] = {
    {"one passes", "a", {{"a"}, {0}, 0}, "P---", "P---", 1},
    {"one fails", "a", {{"a"}, {"0:a=F"}, 0}, "R---", "R---", 2},
    {"one was broken already", "a", {{"a"}, {"0:=F"}, 0}, "B---", "B---", 2},
    {"times out", "a", {{"a"}, {"0:a=T"}, 0}, "R---", "R---", 2},
    {"baseline cannot be run", "a", {{"a"}, {"0:a=F", "0:=E"}, 0}, "f---", "f---", 2},
    {"cannot be run", "a", {{"a"}, {"0:a=E"}, 0}, "N---", "N---", 1},
    {"one bad of three", "abc", {{"a", "b", "c"}, {"1:b=F"}, 0}, "PRP-", "CRC-", 4},
    {"two bad of three", "abc", {{"a", "b", "c"}, {"1:b=F", "2:c=F"}, 0}, "PRR-", "CRR-", 5},
    {"all bad", "abc", {{"a", "b", "c"}, {"0:a=F", "1:b=F", "2:c=F"}, 0}, "RRR-", "RRR-", 6},
    {"one untested of two", "ab", {{"a", "b"}, {"0:a=E"}, 0}, "NP--", "NC--", 2},
    {"two tests of one, second fails", "a", {{"a", "a"}, {"1:a=F"}, 0}, "R---", "R---", 3},
    {"two tests fail, the first decides",
     "a",
     {{"a", "a"}, {"0:a=F", "0:=F", "1:a=F"}, 0},
     "B---",
     "B---",
     3},
    {"pair passes", "ab", {{"ab"}, {0}, 0}, "PP--", "PP--", 1},
    /* ab fails; a alone, b alone; then b is tried as left (known); a's baseline */
    {"pair, one of it bad", "ab", {{"ab"}, {"0:a=F"}, 0}, "RP--", "RC--", 4},
    {"pair, both bad", "ab", {{"ab"}, {"0:a=F", "0:b=F"}, 0}, "RR--", "RR--", 4},
    {"pair fails only together", "ab", {{"ab"}, {"0:ab=F"}, 0}, "PT--", "CT--", 3},
    {"pair always broken", "ab", {{"ab"}, {"0:=F"}, 0}, "BB--", "BB--", 4},
    {"pair could not be run", "ab", {{"ab"}, {"0:ab=E"}, 0}, "NN--", "NN--", 1},
    {"pair with own tests, fails together",
     "ab",
     {{"a", "b", "ab"}, {"2:ab=F"}, 0},
     "PT--",
     "CT--",
     5},
    {"bad one is found by its own test first",
     "ab",
     {{"ab", "a"}, {"0:a=F", "1:a=F"}, 0},
     "RP--",
     "RC--",
     4},
    {"three, two of them clash", "abc", {{"abc"}, {"0:ac=F"}, 0}, "PPT-", "CCT-", 5},
    {"three, each pair clashes",
     "abc",
     {{"abc"}, {"0:ab=F", "0:bc=F", "0:ac=F"}, 0},
     "PTT-",
     "CTT-",
     6},
    {"two clashes of four", "abcd", {{"ab", "cd"}, {"0:ab=F", "1:cd=F"}, 0}, "PTPT", "CTCT", 6},
    {"only with three", "abc", {{"abc"}, {"0:abc=F"}, 0}, "PPT-", "CCT-", 5},
    {"an ineligible one stays as it is", "b", {{"ab"}, {"0:a=F"}, 0}, "-P--", "-P--", 1},
    {"covered by a test that another takes part in",
     "ab",
     {{"a+b", "b"}, {"0:ab=F"}, 0},
     "PT--",
     "CT--",
     4},
    {"who only takes part starts no trial", "b", {{"a+b", "b"}, {"0:=F"}, 0}, "-P--", "-P--", 1},
    {"a test of one whose partner is bad there",
     "ab",
     {{"a+b", "b"}, {"0:b=F"}, 0},
     "PR--",
     "CR--",
     5},
    {"untested beside bad", "ab", {{"a", "b"}, {"0:a=E", "1:b=F"}, 0}, "NR--", "NR--", 3},
};

static void run_row(const struct row *row, bool passing, const char *expected) {
    struct error err = {0};
    struct world world = row->world;
    size_t participants[TRIALS][UPDATES];
    size_t covers[TRIALS][UPDATES];
    struct judge_trial trials[TRIALS];
    size_t trial_count = 0;
    for (; trial_count < TRIALS && world.trials[trial_count] != NULL; trial_count++) {
        struct judge_trial *trial = &trials[trial_count];
        trial->participants = participants[trial_count];
        trial->covers = covers[trial_count];
        trial->participant_count = fill_trial(world.trials[trial_count], participants[trial_count],
                                              covers[trial_count], &trial->cover_count);
    }
    bool eligible[UPDATES] = {0};
    for (const char *letter = row->eligible; *letter != '\0'; letter++)
        eligible[*letter - 'a'] = true;
    struct judge_ruling rulings[UPDATES] = {0};
    struct judge_case c = {.update_count = UPDATES,
                           .eligible = eligible,
                           .trials = trials,
                           .trial_count = trial_count,
                           .promote_passing = passing,
                           .baselines = true,
                           .ask = ask,
                           .context = &world};
    unit_ok(judge(&c, rulings, &err), &err);
    char got[UPDATES + 1] = "----";
    for (size_t i = 0; i < UPDATES; i++)
        if (eligible[i])
            got[i] = verdict_letter(&rulings[i]);
    ck_assert_msg(strcmp(got, expected) == 0, "%s (%s): got %s, expected %s", row->name,
                  passing ? "passing" : "all", got, expected);
    if (passing)
        ck_assert_msg(world.asked == row->asked_passing, "%s: %zu questions, expected %zu",
                      row->name, world.asked, row->asked_passing);
}

START_TEST(table) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run_row(&rows[i], true, rows[i].passing);
        run_row(&rows[i], false, rows[i].all);
    }
}
END_TEST

/* What is promoted under `passing` was asked for together, with exactly that set moved, and passed. */
static const char *kept_questions[64];

static int ask_and_keep(void *context, struct judge_question *questions, size_t count,
                        struct error *err) {
    static char lines[64][16];
    static size_t used;
    if (context == NULL) {
        used = 0;
        memset(kept_questions, 0, sizeof kept_questions);
        return 0;
    }
    ask(context, questions, count, err);
    for (size_t i = 0; i < count && used < 63; i++, used++) {
        snprintf(lines[used], sizeof lines[used], "%zu:", questions[i].trial);
        for (size_t u = 0; u < UPDATES; u++)
            if (questions[i].moved[u])
                strncat(lines[used], &"abcd"[u], 1);
        if (questions[i].outcome == OUTCOME_PASSED)
            kept_questions[used] = lines[used];
    }
    return 0;
}

START_TEST(promoted_was_tested_together) {
    struct error err = {0};
    struct world world = {{"abcd"}, {"0:b=F", "0:ad=F"}, 0};
    size_t all[] = {0, 1, 2, 3};
    struct judge_trial trial = {all, 4, all, 4};
    bool eligible[] = {true, true, true, true};
    struct judge_ruling rulings[UPDATES] = {0};
    struct judge_case c = {.update_count = UPDATES,
                           .eligible = eligible,
                           .trials = &trial,
                           .trial_count = 1,
                           .promote_passing = true,
                           .ask = ask_and_keep,
                           .context = &world};
    ask_and_keep(NULL, NULL, 0, &err);
    unit_ok(judge(&c, rulings, &err), &err);
    ck_assert_int_eq(rulings[0].verdict, VERDICT_PROMOTE);
    ck_assert_int_eq(rulings[1].code, CODE_TEST_FAILED);
    ck_assert_int_eq(rulings[2].verdict, VERDICT_PROMOTE);
    ck_assert_int_eq(rulings[3].code, CODE_FAILS_TOGETHER);
    bool seen = false;
    for (size_t i = 0; i < 64; i++)
        seen = seen || (kept_questions[i] != NULL && strcmp(kept_questions[i], "0:ac") == 0);
    ck_assert_msg(seen, "a and c were promoted and not tried together");
}
END_TEST

static int refuse(void *context, struct judge_question *questions, size_t count,
                  struct error *err) {
    (void)context;
    (void)questions;
    (void)count;
    return error_set(err, ERROR_CANCELLED, "stopped");
}

START_TEST(what_ask_refuses_ends_it) {
    struct error err = {0};
    size_t first[] = {0};
    struct judge_trial trial = {first, 1, first, 1};
    bool eligible[] = {true};
    struct judge_ruling ruling = {0};
    struct judge_case c = {
        .update_count = 1, .eligible = eligible, .trials = &trial, .trial_count = 1, .ask = refuse};
    unit_fails(judge(&c, &ruling, &err), &err, ERROR_CANCELLED, "stopped");
}
END_TEST

UNIT_MAIN("judge", {
    tcase_add_test(cases, table);
    tcase_add_test(cases, promoted_was_tested_together);
    tcase_add_test(cases, what_ask_refuses_ends_it);
})
