#include "gate/policy/cooldown.h"

#include "tests/unit/unit.h"

#define DAY_MS  (24LL * 3600 * 1000)
#define HOUR_MS (3600LL * 1000)
#define BASE_MS (20000 * DAY_MS) /* day 0 of the rows */
#define IMAGE   "docker.io/library/redis"

static const char *digest_of_letter(char letter) {
    static char digests[26][72];
    char *digest = digests[letter - 'A'];
    memcpy(digest, "sha256:", 7);
    memset(digest + 7, letter - 'A' + 'a', 64);
    return digest;
}

/* "A1 B5.5 pC8": A was seen on day 1, B at noon of day 5, and a file had C pinned on day 8. */
static void add_history(struct sighting_list *list, const char *words) {
    struct error err = {0};
    while (*words != '\0') {
        bool pinned = *words == 'p';
        words += pinned;
        char letter = *words++;
        char *end;
        int64_t time_ms = BASE_MS + (int64_t)(strtod(words, &end) * (double)DAY_MS);
        unit_ok(sightings_add(list, IMAGE, "7.2", digest_of_letter(letter), time_ms, pinned, &err),
                &err);
        words = end + strspn(end, " ");
    }
    /* What must not count: the same digests under other names. */
    unit_ok(
        sightings_add(list, IMAGE, "7", digest_of_letter('Z'), BASE_MS - 900 * DAY_MS, false, &err),
        &err);
    unit_ok(sightings_add(list, "docker.io/library/redi", "7.2", digest_of_letter('Z'),
                          BASE_MS - 900 * DAY_MS, false, &err),
            &err);
    sightings_sort(list);
}

START_TEST(table) {
    static const struct {
        const char *history;
        char seen, pinned; /* pinned 0: none */
        double now, cooldown;
        const char *choices;
        char young;
        double first, ends; /* of the young one */
    } rows[] = {
        /* the plain way */
        {"", 'B', 'A', 9, 3, "", 'B', 9, 12},
        {"pA9", 'B', 'A', 9, 3, "", 'B', 9, 12},
        {"B6", 'B', 'A', 9, 3, "B", 0, 0, 0},
        {"B6", 'B', 'A', 8.99, 3, "", 'B', 6, 9},
        {"B6", 'B', 'A', 9.01, 3, "B", 0, 0, 0},
        {"A1 B6", 'B', 'A', 9, 3, "B", 0, 0, 0},
        {"A1 B7", 'B', 'A', 9, 3, "", 'B', 7, 10},
        {"pA1 B7", 'B', 'A', 9, 3, "", 'B', 7, 10},
        {"A1", 'A', 'A', 9, 3, "", 0, 0, 0},
        {"", 'A', 'A', 9, 3, "", 0, 0, 0},
        {"A1 B2", 'A', 'A', 9, 3, "", 0, 0, 0},
        /* rebuilt each night: three days behind, never starved */
        {"A1 B2 C3 D4 E5 F6 G7", 'G', 'A', 7, 3, "DCB", 'E', 5, 8},
        {"A1 B2 C3 D4 E5 F6 G7", 'G', 'D', 7, 3, "", 'E', 5, 8},
        {"A1 B2 C3 D4 E5 F6 G7", 'G', 'C', 7, 3, "D", 'E', 5, 8},
        {"A1 B2 C3 D4 E5 F6 G7", 'H', 'A', 8, 3, "EDCB", 'F', 6, 9},
        {"A1 B2 C3 D4 E5 F6 G7", 'G', 'G', 7, 3, "", 0, 0, 0},
        {"A1 B2 C3 D4 E5 F6 G7", 'G', 'F', 7, 3, "", 'G', 7, 10},
        /* the pin is none that we saw at the tag */
        {"B2 C3 pX4 D5", 'D', 'X', 9, 3, "D", 0, 0, 0},
        {"B2 C3 pX8 D8.5", 'D', 'X', 9, 3, "", 'D', 8.5, 11.5},
        {"B2 C3", 'C', 0, 9, 3, "CB", 0, 0, 0},
        {"B2 C8", 'C', 0, 9, 3, "B", 'C', 8, 11},
        /* a pin never counts as a candidate, nor as a first sighting */
        {"pB1 A2", 'C', 'A', 9, 3, "", 'C', 9, 12},
        {"A1 pB2", 'C', 'A', 9, 3, "", 'C', 9, 12},
        {"A1 pB2 C8", 'C', 'A', 9, 3, "", 'C', 8, 11},
        {"A1 pB2 B8", 'B', 'A', 9, 3, "", 'B', 8, 11},
        {"A1 pB2", 'B', 'A', 9, 3, "", 'B', 9, 12},
        {"pA1 A1 pB1 B6", 'B', 'A', 9, 3, "B", 0, 0, 0},
        /* the tag went back to an earlier digest */
        {"A1 B5 A6", 'A', 'B', 9, 3, "A", 0, 0, 0},
        {"A1 B5 A6", 'A', 'A', 9, 3, "", 0, 0, 0},
        {"A1 B5 A6 C8", 'C', 'A', 9, 3, "", 'C', 8, 11},
        {"A1 B5 A6 C8", 'C', 'B', 9, 3, "A", 'C', 8, 11},
        {"A1 B2 C3 B4", 'B', 'A', 9, 3, "BC", 0, 0, 0},
        {"A1 B2 C3 B8", 'B', 'A', 9, 3, "BC", 0, 0, 0},
        {"A1 B7 C8 B8.5", 'B', 'A', 9, 3, "", 'B', 7, 10},
        {"A1 B2 A3 B4 A5 B6", 'B', 'A', 9, 3, "B", 0, 0, 0},
        /* back to one that was seen just now and was not in the history's end yet */
        {"A1 B2 C8", 'B', 'A', 9, 3, "B", 'C', 8, 11},
        /* clocks: what lies in the future counts as not made */
        {"A1 B20", 'B', 'A', 9, 3, "", 'B', 9, 12},
        {"A1 B6 B20", 'B', 'A', 9, 3, "B", 0, 0, 0},
        {"A1 B20", 'C', 'A', 9, 3, "", 'C', 9, 12},
        {"A1 B4 C20", 'D', 'A', 9, 3, "B", 'D', 9, 12},
        {"A1 B4 B20", 'C', 'A', 9, 3, "B", 'C', 9, 12},
        {"A1 B4 C5 B20", 'D', 'A', 9, 3, "CB", 'D', 9, 12},
        {"A30 B40", 'B', 'A', 9, 3, "", 'B', 9, 12},
        /* … but a pin stands in the files whatever the time of its line: nothing behind it follows */
        {"B2 C3 pX20", 'D', 'X', 9, 3, "", 'D', 9, 12},
        /* set back: older than the sightings' own order says */
        {"A1 B8 C9", 'C', 'A', 2, 3, "", 'C', 2, 5},
        {"A1 B2", 'B', 'A', 1, 3, "", 'B', 1, 4},
        {"A1 B2", 'B', 'A', 0, 3, "", 'B', 0, 3},
        /* the cooldown was changed: it counts from the same sightings */
        {"A1 B5 C8", 'C', 'A', 9, 1, "CB", 0, 0, 0},
        {"A1 B5 C8", 'C', 'A', 9, 2, "B", 'C', 8, 10},
        {"A1 B5 C8", 'C', 'A', 9, 5, "", 'B', 5, 10},
        {"A1 B5 C8", 'C', 'A', 9, 30, "", 'B', 5, 35},
        {"A1 B5 C8", 'C', 'A', 9, 3650, "", 'B', 5, 3655},
        {"A1 B5 C8", 'C', 'A', 9, 0, "CB", 0, 0, 0},
        {"", 'B', 'A', 9, 0, "B", 0, 0, 0},
        {"A1 pB2", 'C', 'A', 9, 0, "C", 0, 0, 0},
        /* more than are worth a question */
        {"A1 B2 C3 D4 E5 F6 G7 H8 I9 J10 K11", 'K', 'A', 30, 3, "KJIHGFED", 0, 0, 0},
        /* two of one second: the one that stands behind by its bytes is the newer */
        {"A1 C5 B5", 'D', 'A', 9, 3, "CB", 'D', 9, 12},
    };
    ck_assert_uint_ge(sizeof rows / sizeof *rows, 40);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sighting_list known = {0};
        struct cooldown_answer answer;
        add_history(&known, rows[i].history);
        struct cooldown_case c = {.known = &known,
                                  .image = IMAGE,
                                  .tag = "7.2",
                                  .seen = digest_of_letter(rows[i].seen),
                                  .pinned =
                                      rows[i].pinned != 0 ? digest_of_letter(rows[i].pinned) : NULL,
                                  .cooldown_ms = (int64_t)(rows[i].cooldown * (double)DAY_MS),
                                  .now_ms = BASE_MS + (int64_t)(rows[i].now * (double)DAY_MS)};
        cooldown_choose(&c, &answer);
        char choices[COOLDOWN_CHOICES + 1] = "";
        for (size_t n = 0; n < answer.count; n++)
            choices[n] = (char)(answer.choices[n][7] - 'a' + 'A');
        ck_assert_msg(strcmp(choices, rows[i].choices) == 0, "row %zu (%s): chose \"%s\"", i,
                      rows[i].history, choices);
        char young = answer.young != NULL ? (char)(answer.young[7] - 'a' + 'A') : 0;
        ck_assert_msg(young == rows[i].young, "row %zu (%s): young is %c", i, rows[i].history,
                      young != 0 ? young : '-');
        int64_t first = young != 0 ? answer.young_first_ms - BASE_MS : 0;
        int64_t ends = young != 0 ? answer.ends_ms - BASE_MS : 0;
        ck_assert_msg(first == (int64_t)(rows[i].first * (double)DAY_MS) &&
                          ends == (int64_t)(rows[i].ends * (double)DAY_MS) &&
                          (young != 0) == (answer.ends_ms != 0),
                      "row %zu (%s): first %g, ends %g", i, rows[i].history,
                      (double)first / (double)DAY_MS, (double)ends / (double)DAY_MS);
        sightings_clear(&known);
    }
}
END_TEST

START_TEST(nothing_known) {
    struct cooldown_case c = {.image = IMAGE,
                              .tag = "7.2",
                              .seen = digest_of_letter('B'),
                              .pinned = digest_of_letter('A'),
                              .cooldown_ms = 3 * DAY_MS,
                              .now_ms = BASE_MS};
    struct cooldown_answer answer;
    cooldown_choose(&c, &answer);
    ck_assert_uint_eq(answer.count, 0);
    ck_assert_int_eq(answer.ends_ms, BASE_MS + 3 * DAY_MS);
}
END_TEST

/* A year of nightly rebuilds, looked at each morning: the pin follows, always at least the cooldown behind, never more than a
 * day more, and never backwards. */
START_TEST(nightly_rebuilds_do_not_starve) {
    struct error err = {0};
    struct sighting_list known = {0};
    char pinned[72], seen[72];
    int64_t pinned_day = 0;
    snprintf(pinned, sizeof pinned, "sha256:%064d", 0);
    for (int day = 1; day <= 365; day++) {
        int64_t now_ms = BASE_MS + day * DAY_MS + (day * 7 % 5) * HOUR_MS / 10;
        struct sighting_list now_seen = {0};
        bool changed;
        snprintf(seen, sizeof seen, "sha256:%064d", day);
        unit_ok(sightings_add(&now_seen, IMAGE, "7.2", pinned, 0, true, &err), &err);
        unit_ok(sightings_add(&now_seen, IMAGE, "7.2", seen, 0, false, &err), &err);
        sightings_sort(&now_seen);
        unit_ok(sightings_record(&known, &now_seen, now_ms, &changed, &err), &err);
        struct cooldown_case c = {.known = &known,
                                  .image = IMAGE,
                                  .tag = "7.2",
                                  .seen = seen,
                                  .pinned = pinned,
                                  .cooldown_ms = 3 * DAY_MS - HOUR_MS,
                                  .now_ms = now_ms};
        struct cooldown_answer answer;
        cooldown_choose(&c, &answer);
        if (day > 3)
            ck_assert_msg(answer.count > 0, "day %d: nothing", day);
        if (answer.count > 0) {
            int64_t chosen = strtoll(answer.choices[0] + 7, NULL, 10);
            ck_assert_msg(chosen > pinned_day, "day %d: back to %lld", day, (long long)chosen);
            ck_assert_msg(chosen == day - 3, "day %d: %lld", day, (long long)chosen);
            pinned_day = chosen;
            snprintf(pinned, sizeof pinned, "%s", answer.choices[0]);
        }
        sightings_clear(&now_seen);
    }
    sightings_clear(&known);
}
END_TEST

UNIT_MAIN("cooldown", {
    tcase_add_test(cases, table);
    tcase_add_test(cases, nothing_known);
    tcase_add_test(cases, nightly_rebuilds_do_not_starve);
})
