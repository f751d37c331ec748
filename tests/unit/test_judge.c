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
    case 'K':
        return OUTCOME_FLAKY;
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
 * f failed without a baseline, K flaky, U nothing is proven (held), - not eligible */
static char verdict_letter(const struct judge_ruling *ruling) {
    if (ruling->verdict == VERDICT_PROMOTE)
        return 'P';
    if (ruling->verdict == VERDICT_HOLD && ruling->code == CODE_ALREADY_BROKEN)
        return 'U';
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
    case CODE_FLAKY:
        return 'K';
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
    enum baseline baseline;
    bool flaky_passes;
    const char *culprits; /* of the first that fails together: "a:bc"; NULL: not looked at */
} rows[] = {
    {"one passes", "a", {{"a"}, {0}, 0}, "P---", "P---", 1, 0, 0, NULL},
    {"one fails", "a", {{"a"}, {"0:a=F"}, 0}, "R---", "R---", 2, 0, 0, NULL},
    {"one was broken already", "a", {{"a"}, {"0:=F"}, 0}, "B---", "B---", 2, 0, 0, NULL},
    {"times out", "a", {{"a"}, {"0:a=T"}, 0}, "R---", "R---", 2, 0, 0, NULL},
    {"baseline cannot be run", "a", {{"a"}, {"0:a=F", "0:=E"}, 0}, "f---", "f---", 2, 0, 0, NULL},
    {"cannot be run", "a", {{"a"}, {"0:a=E"}, 0}, "N---", "N---", 1, 0, 0, NULL},
    {"one bad of three", "abc", {{"a", "b", "c"}, {"1:b=F"}, 0}, "PRP-", "CRC-", 4, 0, 0, NULL},
    {"two bad of three",
     "abc",
     {{"a", "b", "c"}, {"1:b=F", "2:c=F"}, 0},
     "PRR-",
     "CRR-",
     5,
     0,
     0,
     NULL},
    {"one untested of two", "ab", {{"a", "b"}, {"0:a=E"}, 0}, "NP--", "NC--", 2, 0, 0, NULL},
    {"two tests of one, second fails",
     "a",
     {{"a", "a"}, {"1:a=F"}, 0},
     "R---",
     "R---",
     3,
     0,
     0,
     NULL},
    {"two tests fail, the first decides",
     "a",
     {{"a", "a"}, {"0:a=F", "0:=F", "1:a=F"}, 0},
     "B---",
     "B---",
     4,
     0,
     0,
     NULL},
    {"pair passes", "ab", {{"ab"}, {0}, 0}, "PP--", "PP--", 1, 0, 0, NULL},
    /* ab, nobody; a; then b is tried as left */
    {"pair, one of it bad", "ab", {{"ab"}, {"0:a=F"}, 0}, "RP--", "RC--", 4, 0, 0, NULL},
    {"pair, both bad", "ab", {{"ab"}, {"0:a=F", "0:b=F"}, 0}, "RR--", "RR--", 4, 0, 0, NULL},
    {"pair fails only together", "ab", {{"ab"}, {"0:ab=F"}, 0}, "PT--", "CT--", 4, 0, 0, "b:a"},
    {"pair always broken", "ab", {{"ab"}, {"0:=F"}, 0}, "BB--", "BB--", 2, 0, 0, NULL},
    {"pair could not be run", "ab", {{"ab"}, {"0:ab=E"}, 0}, "NN--", "NN--", 1, 0, 0, NULL},
    {"pair, and the search could not be run",
     "ab",
     {{"ab"}, {"0:ab=F", "0:a=E"}, 0},
     "NN--",
     "NN--",
     3,
     0,
     0,
     NULL},
    {"pair with own tests, fails together",
     "ab",
     {{"a", "b", "ab"}, {"2:ab=F"}, 0},
     "PT--",
     "CT--",
     6,
     0,
     0,
     "b:a"},
    {"bad one is found by its own test first",
     "ab",
     {{"ab", "a"}, {"0:a=F", "1:a=F"}, 0},
     "RP--",
     "RC--",
     5,
     0,
     0,
     NULL},
    {"three, two of them clash", "abc", {{"abc"}, {"0:ac=F"}, 0}, "PPT-", "CCT-", 7, 0, 0, "c:a"},
    {"three, the middle clashes with both: it alone is rejected",
     "abc",
     {{"abc"}, {"0:ab=F", "0:bc=F"}, 0},
     "PTP-",
     "CTC-",
     7,
     0,
     0,
     "b:a"},
    {"three, each pair clashes",
     "abc",
     {{"abc"}, {"0:ab=F", "0:bc=F", "0:ac=F"}, 0},
     "PTT-",
     "CTT-",
     8,
     0,
     0,
     "b:a"},
    {"two clashes of four",
     "abcd",
     {{"ab", "cd"}, {"0:ab=F", "1:cd=F"}, 0},
     "PTPT",
     "CTCT",
     8,
     0,
     0,
     "b:a"},
    {"only with three", "abc", {{"abc"}, {"0:abc=F"}, 0}, "PPT-", "CCT-", 7, 0, 0, "c:ab"},
    {"an update that is in two clashes goes, whatever stands first",
     "abc",
     {{"ab", "bc"}, {"0:ab=F", "1:bc=F"}, 0},
     "PTP-",
     "CTC-",
     8,
     0,
     0,
     "b:a"},
    {"an ineligible one stays as it is",
     "b",
     {{"ab"}, {"0:a=F"}, 0},
     "-P--",
     "-P--",
     1,
     0,
     0,
     NULL},
    {"covered by a test that another takes part in",
     "ab",
     {{"a+b", "b"}, {"0:ab=F"}, 0},
     "PT--",
     "CT--",
     5,
     0,
     0,
     "b:a"},
    {"who only takes part starts no trial",
     "b",
     {{"a+b", "b"}, {"0:=F"}, 0},
     "-P--",
     "-P--",
     1,
     0,
     0,
     NULL},
    {"who only takes part in a broken test is not blamed",
     "ab",
     {{"a+b", "b"}, {"0:=F"}, 0},
     "BP--",
     "BC--",
     3,
     0,
     0,
     NULL},
    {"a test of one whose partner is bad there",
     "ab",
     {{"a+b", "b"}, {"0:b=F"}, 0},
     "PR--",
     "CR--",
     5,
     0,
     0,
     NULL},
    {"untested beside bad",
     "ab",
     {{"a", "b"}, {"0:a=E", "1:b=F"}, 0},
     "NR--",
     "NR--",
     3,
     0,
     0,
     NULL},
    {"off: nothing is compared",
     "a",
     {{"a"}, {"0:=F"}, 0},
     "f---",
     "f---",
     1,
     BASELINE_OFF,
     0,
     NULL},
    {"off: a broken pair is found one by one",
     "ab",
     {{"ab"}, {"0:=F"}, 0},
     "ff--",
     "ff--",
     3,
     BASELINE_OFF,
     0,
     NULL},
    {"always: a pass is compared too",
     "a",
     {{"a"}, {"0:a=F"}, 0},
     "R---",
     "R---",
     2,
     BASELINE_ALWAYS,
     0,
     NULL},
    {"always: what is fixed promotes",
     "a",
     {{"a"}, {0}, 0},
     "P---",
     "P---",
     2,
     BASELINE_ALWAYS,
     0,
     NULL},
    {"tolerate: nothing is proven",
     "ab",
     {{"a", "b"}, {"0:=F"}, 0},
     "UP--",
     "UP--",
     3,
     BASELINE_TOLERATE,
     0,
     NULL},
    {"tolerate: another test proves it",
     "a",
     {{"a", "a"}, {"0:=F"}, 0},
     "P---",
     "P---",
     3,
     BASELINE_TOLERATE,
     0,
     NULL},
    {"tolerate: a regression is none",
     "a",
     {{"a", "a"}, {"0:a=F"}, 0},
     "R---",
     "R---",
     3,
     BASELINE_TOLERATE,
     0,
     NULL},
    {"tolerate: who is held for it is tried no more with the others",
     "ab",
     {{"a", "b+a"}, {"0:=F", "1:=F", "1:ab=F"}, 0},
     "UU--",
     "UU--",
     4,
     BASELINE_TOLERATE,
     0,
     NULL},
    {"flaky rejects", "ab", {{"a", "b"}, {"0:a=K"}, 0}, "KP--", "KC--", 2, 0, false, NULL},
    {"flaky promotes", "ab", {{"a", "b"}, {"0:a=K"}, 0}, "PP--", "PP--", 2, 0, true, NULL},
    {"a flaky pair has no culprit",
     "ab",
     {{"ab"}, {"0:ab=K"}, 0},
     "KK--",
     "KK--",
     1,
     0,
     false,
     NULL},
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
        *trial = (struct judge_trial){.baseline = row->baseline, .flaky_passes = row->flaky_passes};
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
                           .ask = ask,
                           .context = &world};
    unit_ok(judge(&c, rulings, &err), &err);
    char got[UPDATES + 1] = "----";
    for (size_t i = 0; i < UPDATES; i++)
        if (eligible[i])
            got[i] = verdict_letter(&rulings[i]);
    ck_assert_msg(strcmp(got, expected) == 0, "%s (%s): got %s, expected %s", row->name,
                  passing ? "passing" : "all", got, expected);
    char culprits[2 * UPDATES + 2] = "";
    for (size_t i = 0; i < UPDATES && *culprits == '\0'; i++) {
        for (size_t k = 0; k < rulings[i].culprit_count; k++)
            snprintf(culprits + strlen(culprits), sizeof culprits - strlen(culprits), "%s%c",
                     k == 0 ? (char[]){(char)('a' + i), ':', '\0'} : "",
                     (char)('a' + rulings[i].culprits[k]));
    }
    ck_assert_msg(row->culprits == NULL || strcmp(culprits, row->culprits) == 0,
                  "%s: culprits %s, expected %s", row->name, culprits, row->culprits);
    judge_rulings_clear(rulings, UPDATES);
    if (passing)
        ck_assert_msg(world.asked == row->asked_passing, "%s: %zu questions, expected %zu",
                      row->name, world.asked, row->asked_passing);
}

static void judge_world(struct world *world, char got[UPDATES + 1]) {
    struct error err = {0};
    size_t participants[TRIALS][UPDATES];
    size_t covers[TRIALS][UPDATES];
    struct judge_trial trials[TRIALS] = {0};
    for (size_t i = 0; i < TRIALS; i++) {
        trials[i].participants = participants[i];
        trials[i].covers = covers[i];
        trials[i].participant_count =
            fill_trial(world->trials[i], participants[i], covers[i], &trials[i].cover_count);
    }
    bool eligible[UPDATES] = {true, true, true, true};
    struct judge_ruling rulings[UPDATES] = {0};
    struct judge_case c = {.update_count = UPDATES,
                           .eligible = eligible,
                           .trials = trials,
                           .trial_count = TRIALS,
                           .promote_passing = true,
                           .ask = ask,
                           .context = world};
    unit_ok(judge(&c, rulings, &err), &err);
    memset(got, 0, UPDATES + 1);
    for (size_t i = 0; i < UPDATES; i++)
        got[i] = verdict_letter(&rulings[i]);
    judge_rulings_clear(rulings, UPDATES);
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
    struct judge_trial trial = {
        .participants = all, .participant_count = 4, .covers = all, .cover_count = 4};
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
    ck_assert_int_eq(rulings[1].code, CODE_REGRESSION);
    ck_assert_int_eq(rulings[2].verdict, VERDICT_PROMOTE);
    ck_assert_int_eq(rulings[3].code, CODE_FAILS_TOGETHER);
    judge_rulings_clear(rulings, UPDATES);
    bool seen = false;
    for (size_t i = 0; i < 64; i++)
        seen = seen || (kept_questions[i] != NULL && strcmp(kept_questions[i], "0:ac") == 0);
    ck_assert_msg(seen, "a and c were promoted and not tried together");
}
END_TEST

/* ---- many updates, and what is not known before ---- */

#define MANY 64

/* One trial of many updates. It fails with each set of `fails`; with healing, not where more than that many are moved. */
struct many {
    size_t count; /* of updates */
    uint64_t fails[3];
    size_t fail_count;
    uint64_t random; /* not 0: any set may fail, by its hash; a set of none passes */
    size_t asked;
    uint64_t passed[4096]; /* what was asked and passed */
    size_t passed_count;
};

static uint64_t mix(uint64_t value) {
    value ^= value >> 31;
    value *= 0x9e3779b97f4a7c15u;
    value ^= value >> 29;
    value *= 0xbf58476d1ce4e5b9u;
    return value ^ (value >> 32);
}

static bool many_fails(const struct many *many, uint64_t moved) {
    if (many->random != 0)
        return moved != 0 && mix(many->random ^ moved) % 4 != 0;
    for (size_t i = 0; i < many->fail_count; i++)
        if ((moved & many->fails[i]) == many->fails[i])
            return true;
    return false;
}

static int ask_many(void *context, struct judge_question *questions, size_t count,
                    struct error *err) {
    struct many *many = context;
    (void)err;
    for (size_t i = count; i > 0; i--) { /* in any order */
        struct judge_question *question = &questions[i - 1];
        uint64_t moved = 0;
        for (size_t u = 0; u < many->count; u++)
            moved |= question->moved[u] ? (uint64_t)1 << u : 0;
        bool fails = many_fails(many, moved);
        question->outcome = fails ? OUTCOME_FAILED : OUTCOME_PASSED;
        many->asked++;
        ck_assert_uint_lt(many->passed_count, 4096);
        if (!fails)
            many->passed[many->passed_count++] = moved;
    }
    return 0;
}

static void judge_many(struct many *many, const size_t *order, bool passing, size_t limit,
                       struct judge_ruling *rulings) {
    struct error err = {0};
    bool eligible[MANY] = {0};
    for (size_t i = 0; i < many->count; i++)
        eligible[i] = true;
    struct judge_trial trial = {.participants = order,
                                .participant_count = many->count,
                                .covers = order,
                                .cover_count = many->count};
    struct judge_case c = {.update_count = many->count,
                           .eligible = eligible,
                           .trials = &trial,
                           .trial_count = 1,
                           .promote_passing = passing,
                           .limit = limit,
                           .ask = ask_many,
                           .context = many};
    unit_ok(judge(&c, rulings, &err), &err);
}

static uint64_t promoted(const struct many *many, const struct judge_ruling *rulings) {
    uint64_t set = 0;
    for (size_t i = 0; i < many->count; i++)
        set |= rulings[i].verdict == VERDICT_PROMOTE ? (uint64_t)1 << i : 0;
    return set;
}

static bool did_pass(const struct many *many, uint64_t set) {
    for (size_t i = 0; i < many->passed_count; i++)
        if (many->passed[i] == set)
            return true;
    return false;
}

static uint64_t next_random(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15u;
    return mix(*state);
}

static uint64_t random_set(uint64_t *state, size_t updates, size_t size) {
    uint64_t set = 0;
    while ((size_t)__builtin_popcountll(set) < size)
        set |= (uint64_t)1 << (next_random(state) % updates);
    return set;
}

/* The order in which participants are listed is nobody's business. */
static void shuffled(uint64_t *state, size_t count, size_t *order) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t other = next_random(state) % i;
        size_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static uint64_t named_set(const struct judge_ruling *ruling, size_t update) {
    uint64_t set = (uint64_t)1 << update;
    for (size_t i = 0; i < ruling->culprit_count; i++)
        set |= (uint64_t)1 << ruling->culprits[i];
    return set;
}

static bool is_minimal(const struct many *many, uint64_t set) {
    for (size_t i = 0; i < many->fail_count; i++)
        if ((many->fails[i] & set) == many->fails[i] && many->fails[i] != set)
            return false;
    return true;
}

static size_t log_of(size_t count) {
    size_t log = 0;
    while (((size_t)1 << log) < count)
        log++;
    return log;
}

/* The bound of judge.h, for one trial. */
static size_t bound(const struct many *many, const struct judge_ruling *rulings) {
    size_t rejected = 0;
    size_t searches = 0;
    for (size_t i = 0; i < many->count; i++)
        if (rulings[i].verdict == VERDICT_REJECT) {
            rejected++;
            searches += (rulings[i].culprit_count + 1) * (log_of(many->count) + 4);
        }
    return rejected + 2 + searches;
}

static void same_rulings(const struct many *many, const struct judge_ruling *a,
                         const struct judge_ruling *b, size_t seed) {
    for (size_t i = 0; i < many->count; i++) {
        ck_assert_msg(a[i].verdict == b[i].verdict && a[i].code == b[i].code, "seed %zu", seed);
        ck_assert_msg(named_set(&a[i], i) == named_set(&b[i], i), "seed %zu", seed);
    }
}

START_TEST(monotone_failures) {
    for (size_t seed = 1; seed <= 1000; seed++) {
        uint64_t state = seed;
        struct many many = {.count = 1 + next_random(&state) % MANY};
        many.fail_count = 1 + next_random(&state) % 3;
        for (size_t i = 0; i < many.fail_count; i++) {
            size_t size = 1 + next_random(&state) % 4;
            many.fails[i] = random_set(&state, many.count, size < many.count ? size : many.count);
        }
        size_t order[MANY], other[MANY];
        shuffled(&state, many.count, order);
        shuffled(&state, many.count, other);
        struct judge_ruling rulings[MANY] = {0}, again[MANY] = {0};
        judge_many(&many, order, true, 0, rulings);
        uint64_t set = promoted(&many, rulings);
        ck_assert_msg(!many_fails(&many, set), "seed %zu: what promotes fails", seed);
        ck_assert_msg(set == 0 || did_pass(&many, set), "seed %zu: never tried together", seed);
        size_t rejected = 0;
        for (size_t i = 0; i < many.count; i++) {
            if (rulings[i].verdict != VERDICT_REJECT)
                continue;
            rejected++;
            uint64_t named = named_set(&rulings[i], i);
            ck_assert_msg(many_fails(&many, named), "seed %zu: what is named passes", seed);
            ck_assert_msg(is_minimal(&many, named), "seed %zu: too much is named", seed);
            ck_assert_msg((rulings[i].culprit_count > 0) ==
                              (rulings[i].code == CODE_FAILS_TOGETHER),
                          "seed %zu", seed);
        }
        ck_assert_msg(rejected >= 1 && rejected <= many.fail_count, "seed %zu: %zu rejected", seed,
                      rejected);
        ck_assert_msg(many.asked <= bound(&many, rulings), "seed %zu: %zu questions, bound %zu",
                      seed, many.asked, bound(&many, rulings));
        judge_many(&many, other, true, 0, again);
        same_rulings(&many, rulings, again, seed);
        judge_rulings_clear(rulings, many.count);
        judge_rulings_clear(again, many.count);
    }
}
END_TEST

START_TEST(any_failures) {
    for (size_t seed = 1; seed <= 1000; seed++) {
        uint64_t state = seed;
        struct many many = {.count = 1 + next_random(&state) % MANY, .random = seed};
        size_t order[MANY];
        shuffled(&state, many.count, order);
        struct judge_ruling rulings[MANY] = {0};
        judge_many(&many, order, true, 0, rulings);
        uint64_t set = promoted(&many, rulings);
        ck_assert_msg(set == 0 || did_pass(&many, set), "seed %zu: never passed together", seed);
        for (size_t i = 0; i < many.count; i++) {
            if (rulings[i].verdict != VERDICT_REJECT)
                continue;
            uint64_t named = named_set(&rulings[i], i);
            ck_assert_msg(many_fails(&many, named), "seed %zu: what is named passes", seed);
            for (size_t u = 0; rulings[i].culprit_count > 0 && u < many.count; u++)
                ck_assert_msg((named >> u & 1) == 0 ||
                                  !many_fails(&many, named & ~((uint64_t)1 << u)),
                              "seed %zu: fails with fewer as well", seed);
        }
        judge_rulings_clear(rulings, many.count);
    }
}
END_TEST

/* With promote: all nothing promotes where something failed, and with the limit reached nothing that was not tried. */
START_TEST(limited) {
    size_t held = 0;
    for (size_t seed = 1; seed <= 300; seed++) {
        uint64_t state = seed;
        struct many many = {.count = 8 + next_random(&state) % 50, .fail_count = 2};
        many.fails[0] = random_set(&state, many.count, 2);
        many.fails[1] = random_set(&state, many.count, 3);
        size_t order[MANY];
        shuffled(&state, many.count, order);
        struct judge_ruling rulings[MANY] = {0};
        size_t limit = 1 + next_random(&state) % 30;
        judge_many(&many, order, seed % 2 == 0, limit, rulings);
        ck_assert_msg(many.asked <= limit, "seed %zu: %zu questions", seed, many.asked);
        uint64_t set = promoted(&many, rulings);
        ck_assert_msg(set == 0 || did_pass(&many, set), "seed %zu: never tried together", seed);
        ck_assert_msg(seed % 2 == 0 || set == 0, "seed %zu: all or nothing", seed);
        for (size_t i = 0; i < many.count; i++)
            held += rulings[i].code == CODE_NOT_TESTED && rulings[i].outcome == OUTCOME_SKIPPED;
        judge_rulings_clear(rulings, many.count);
    }
    ck_assert_uint_gt(held, 0);
}
END_TEST

/* The order in which trials stand changes nothing but which of them is named. */
START_TEST(trials_in_any_order) {
    for (size_t seed = 1; seed <= 300; seed++) {
        uint64_t state = seed;
        struct world world = {{"ab", "bcd", "abc+d", "a"}, {0}, 0};
        char words[5][12];
        size_t rules = 1 + next_random(&state) % 5;
        char swapped[5][12];
        for (size_t i = 0; i < rules; i++) {
            unsigned int trial = (unsigned int)(next_random(&state) % 4);
            uint64_t moved = 1 + next_random(&state) % 15;
            int length = snprintf(words[i], sizeof words[i], "%u:", trial);
            for (size_t u = 0; u < UPDATES; u++)
                if (moved >> u & 1)
                    words[i][length++] = (char)('a' + u);
            snprintf(words[i] + length, sizeof words[i] - (size_t)length, "=%s", "F");
            world.rules[i] = words[i];
            memcpy(swapped[i], words[i], sizeof swapped[i]);
            swapped[i][0] = (char)('3' - (swapped[i][0] - '0'));
        }
        struct world turned = {{"a", "abc+d", "bcd", "ab"}, {0}, 0};
        for (size_t i = 0; i < rules; i++)
            turned.rules[i] = swapped[i];
        char first[UPDATES + 1], second[UPDATES + 1];
        judge_world(&world, first);
        judge_world(&turned, second);
        ck_assert_msg(strcmp(first, second) == 0, "seed %zu: %s and %s", seed, first, second);
    }
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
    struct judge_trial trial = {
        .participants = first, .participant_count = 1, .covers = first, .cover_count = 1};
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
    tcase_add_test(cases, monotone_failures);
    tcase_add_test(cases, any_failures);
    tcase_add_test(cases, limited);
    tcase_add_test(cases, trials_in_any_order);
    tcase_add_test(cases, what_ask_refuses_ends_it);
})
