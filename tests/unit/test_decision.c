/* What counts of what people said; what words name; which set stood before. */
#include "pipelines/stages/decision.h"

#include "gate/base/text.h"
#include "pipelines/stages/earlier.h"
#include "pipelines/stages/subject.h"
#include "tests/unit/unit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D64 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

/* ---- what counts ---- */

/* "TYPE TIME WORD [UNTIL]", the types by their first letter; what counts at time 10, newest first, as "TYPE TIME". */
static const struct {
    const char *entries, *expected;
} countings[] = {
    {"", ""},
    {"h 1 redis", "h1"},
    {"h 1 redis; r 2 redis", ""},
    {"h 1 redis; r 2 nginx", "h1"},
    {"r 1 redis; h 2 redis", "h2"},
    {"h 1 redis; r 2 redis; h 3 redis", "h3"},
    {"h 1 redis; h 2 redis; r 3 redis", ""},
    {"d 1 redis; a 2 redis; h 3 redis", "h3 a2 d1"},
    {"h 1 redis 10", ""},
    {"h 1 redis 11", "h1"},
    {"h 1 redis 0", "h1"},
    {"h 20 redis", "h20"},
    {"h 1 redis; r 20 redis", "h1"},
    {"h 20 redis; r 21 redis", ""},
    {"h 20 redis; r 9 redis", "h20"},
};

static struct ledger_entry *add(struct ledger *ledger, enum ledger_type type, int64_t time_ms) {
    struct error err = {0};
    struct ledger_entry *entry = array_add(ledger, &err);
    ck_assert_ptr_nonnull(entry);
    entry->type = type;
    entry->time_ms = time_ms;
    entry->actor = "ann";
    return entry;
}

static int by_time(const void *a, const void *b) {
    const struct ledger_entry *x = a;
    const struct ledger_entry *y = b;
    return x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms;
}

static void fill(struct ledger *ledger, const char *entries, char words[][16]) {
    size_t count = 0;
    for (const char *at = entries; *at != '\0';) {
        char type;
        long time;
        long until = 0;
        ck_assert_int_ge(sscanf(at, " %c %ld %15s %ld", &type, &time, words[count], &until), 3);
        words[count][strcspn(words[count], ";")] = '\0';
        struct ledger_entry *entry = add(ledger,
                                         type == 'h'   ? LEDGER_HELD
                                         : type == 'd' ? LEDGER_DENIED
                                         : type == 'a' ? LEDGER_APPROVED
                                                       : LEDGER_RELEASED,
                                         time);
        entry->image = words[count++];
        const char *end = strchr(at, ';');
        char last[16];
        if (sscanf(at, " %*c %*d %*15s %15[0-9]", last) == 1)
            entry->until_ms = strtol(last, NULL, 10);
        at = end != NULL ? end + 1 : at + strlen(at);
    }
    if (ledger->count > 0)
        qsort(ledger->items, ledger->count, sizeof *ledger->items, by_time);
}

START_TEST(counting) {
    struct error err = {0};
    struct ledger ledger = {0};
    struct decision_list list;
    char words[8][16];
    struct text got = {0};
    fill(&ledger, countings[_i].entries, words);
    unit_ok(decision_list_read(&ledger, 10, &list, &err), &err);
    for (size_t i = 0; i < list.count; i++)
        text_printf(&got, "%s%c%lld", i > 0 ? " " : "", ledger_type_name(list.items[i]->type)[0],
                    (long long)list.items[i]->time_ms);
    ck_assert_msg(strcmp(text_string(&got), countings[_i].expected) == 0,
                  "%s:\n     got %s\nexpected %s", countings[_i].entries, text_string(&got),
                  countings[_i].expected);
    text_clear(&got);
    decision_list_clear(&list);
    free(ledger.items);
}
END_TEST

/* ---- what words name ---- */

#define REDIS "docker.io/library/redis:7@sha256:"
#define NGINX "docker.io/library/nginx:1@sha256:"

static const char *const past_values[] = {NGINX B64, REDIS A64};
static const char *const now_values[] = {NGINX B64, REDIS D64};

static const struct {
    const char *word;
    bool images, unseen;
    const char *expected; /* "set PREFIX", "digest PREFIX", "image WORD"; "!" begins an error */
} words[] = {
    {"$past", false, false, "set"},
    {"$now", false, false, "set"},
    {"$past8", false, false, "set"},
    {"aaaa", false, false, "digest sha256:" A64},
    {"sha256:aaaa", false, false, "digest sha256:" A64},
    {"sha256:" B64, false, false, "digest sha256:" B64},
    {"aaa", false, false, "!\"aaa\" names no set or digest"},
    {"cccc", false, false,
     "!\"cccc\" names no set or digest that this project has seen; the newest sets are "},
    {"sha256:" C64, false, false, "!"},
    {"sha256:" C64, false, true, "digest sha256:" C64 " unseen"},
    {"sha256:cccc", false, true, "!"},
    {"redis", true, false, "image redis"},
    {"redis", false, false, "!"},
    {"redis:7", true, false, "image redis:7"},
    {"red*", true, false, "image red*"},
    {"rediss", true, false,
     "!\"rediss\" names no set, digest or image that this project has seen; did you mean redis?"},
    {"redis@sha256:" A64, true, false, "!"},
    {"aaaa", true, false, "digest sha256:" A64},
    {"", true, false, "!"},
};

static struct ledger_entry *observe(struct ledger *ledger, int64_t time_ms,
                                    const char *const *values, struct set *set) {
    struct error err = {0};
    unit_ok(set_of_lines(values, 2, set, &err), &err);
    struct ledger_entry *entry = add(ledger, LEDGER_OBSERVED, time_ms);
    entry->stage = "staging";
    entry->values = values;
    entry->value_count = 2;
    entry->set = set->id;
    return entry;
}

START_TEST(naming) {
    struct error err = {0};
    struct ledger ledger = {0};
    struct set past;
    struct set now;
    struct subject subject;
    char expected[256];
    char word[128];
    observe(&ledger, 1, past_values, &past);
    unit_ok(set_of_lines(now_values, 2, &now, &err), &err);
    snprintf(word, sizeof word, "%s", words[_i].word);
    const struct set *meant = strncmp(word, "$now", 4) == 0 ? &now : &past;
    if (word[0] == '$')
        snprintf(word, sizeof word, "%.*s", strchr(words[_i].word, '8') != NULL ? 8 : 64,
                 meant->id);
    const struct subject_question question = {.ledger = &ledger,
                                              .sets = &now,
                                              .set_count = 1,
                                              .images = words[_i].images,
                                              .unseen = words[_i].unseen};
    int result = subject_find(&question, word, &subject, &err);
    snprintf(expected, sizeof expected, "%s", words[_i].expected);
    if (strcmp(expected, "set") == 0)
        snprintf(expected, sizeof expected, "set %s", meant->id);
    if (expected[0] == '!') {
        ck_assert_msg(result == -1 && err.kind == ERROR_USAGE, "%s", words[_i].word);
        ck_assert_msg(string_has_prefix(error_message(&err), expected + 1), "%s: %s",
                      words[_i].word, error_message(&err));
    } else {
        static const char *const kinds[] = {"set", "digest", "image"};
        ck_assert_msg(result == 0, "%s: %s", words[_i].word, error_message(&err));
        char *got = string_format(&err, "%s %s%s", kinds[subject.kind], subject.word,
                                  subject.unseen ? " unseen" : "");
        ck_assert_msg(strcmp(got, expected) == 0, "%s: got %s, expected %s", words[_i].word, got,
                      expected);
        free(got);
    }
    error_clear(&err);
    subject_clear(&subject);
    set_clear(&past);
    set_clear(&now);
    free(ledger.items);
}
END_TEST

START_TEST(an_ambiguous_prefix) {
    struct error err = {0};
    static const char *const values[] = {
        NGINX A64, REDIS "aaaa"
                         "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"};
    struct set set;
    struct ledger ledger = {0};
    struct subject subject;
    const struct subject_question question = {.ledger = &ledger, .sets = &set, .set_count = 1};
    char line[160];
    snprintf(line, sizeof line, "%.*s", (int)strlen(REDIS) + 64, values[1]);
    const char *fixed[] = {values[0], line};
    size_t length = strlen(line);
    while (length < strlen(REDIS) + 64)
        line[length++] = 'd';
    line[length] = '\0';
    unit_ok(set_of_lines(fixed, 2, &set, &err), &err);
    unit_fails(subject_find(&question, "aaaa", &subject, &err), &err, ERROR_USAGE,
               "begins more than one");
    unit_ok(subject_find(&question, "aaaad", &subject, &err), &err);
    subject_clear(&subject);
    set_clear(&set);
}
END_TEST

START_TEST(same_image) {
    ck_assert(subject_same_image("redis", "docker.io/library/redis"));
    ck_assert(subject_same_image("red*", "red*"));
    ck_assert(!subject_same_image("redis", "redis:7"));
    ck_assert(!subject_same_image("redis:6", "redis:7"));
}
END_TEST

/* ---- what stood before ---- */

/* Sets as letters: "A" is redis a, nginx b; each is observed in turn, and the last stands. */
static const struct {
    const char *seen;
    const char *image; /* NULL: all */
    char before;       /* '-' for none */
} befores[] = {
    {"A", NULL, '-'},
    {"AB", NULL, 'A'},
    {"ABC", NULL, 'B'},
    {"ABA", NULL, '-'},
    {"ABCB", NULL, 'A'},
    {"AAB", NULL, 'A'},
    {"ABBB", NULL, 'A'},
    /* D is A with another nginx */
    {"AD", "docker.io/library/redis", '-'},
    {"AD", "docker.io/library/nginx", 'A'},
    {"ADB", "docker.io/library/redis", 'D'},
    {"BAD", "docker.io/library/redis", 'B'},
};

static void letter_values(char letter, char lines[2][160]) {
    char redis = letter == 'D' ? 'a' : (char)(letter - 'A' + 'a');
    char nginx = letter == 'D' ? 'e' : 'f';
    char digits[65] = "";
    memset(digits, nginx, 64);
    snprintf(lines[0], 160, "%s%s", NGINX, digits);
    memset(digits, redis, 64);
    snprintf(lines[1], 160, "%s%s", REDIS, digits);
}

START_TEST(before) {
    struct error err = {0};
    struct ledger ledger = {0};
    struct set sets[8];
    char lines[8][2][160];
    const char *values[8][2];
    struct string_list images = {0};
    size_t count = strlen(befores[_i].seen);
    for (size_t i = 0; i < count; i++) {
        letter_values(befores[_i].seen[i], lines[i]);
        values[i][0] = lines[i][0];
        values[i][1] = lines[i][1];
        observe(&ledger, (int64_t)i, values[i], &sets[i]);
    }
    if (befores[_i].image != NULL)
        unit_ok(string_list_add(&images, befores[_i].image, &err), &err);
    const struct earlier_question q = {&ledger, "staging", &sets[count - 1], &images};
    const struct ledger_entry *entry = earlier_set(&q);
    char got = '-';
    for (size_t i = 0; i < count && entry != NULL; i++)
        if (strcmp(sets[i].id, entry->set) == 0)
            got = befores[_i].seen[i];
    ck_assert_msg(got == befores[_i].before, "%s: got %c, expected %c", befores[_i].seen, got,
                  befores[_i].before);
    const struct earlier_question elsewhere = {&ledger, "production", &sets[count - 1], &images};
    ck_assert_ptr_null(earlier_set(&elsewhere));
    string_list_clear(&images);
    for (size_t i = 0; i < count; i++)
        set_clear(&sets[i]);
    free(ledger.items);
}
END_TEST

/* Which value a line came from: "redis:6@a redis:7@b" then, a change or none, and now. */
static const struct {
    const char *then[2], *now[2], *change[2]; /* old, new */
    const char *line, *expected;              /* NULL: none; "?": ambiguous */
} values_back[] = {
    {{"r:7@a"}, {"r:7@b"}, {NULL}, "r:7@b", "r:7@a"},
    {{"r:7@a"}, {"r:8@b"}, {NULL}, "r:8@b", "r:7@a"},
    {{"r:6@a", "r:7@b"}, {"r:6@c", "r:7@d"}, {NULL}, "r:7@d", "r:7@b"},
    {{"r:6@a", "r:7@b"}, {"r:6@c", "r:8@d"}, {NULL}, "r:8@d", NULL},
    {{"r:6@a", "r:7@b"}, {"r:6@c", "r:8@d"}, {"r:7@b", "r:8@d"}, "r:8@d", "r:7@b"},
    {{"n:1@a"}, {"n:1@a", "r:7@b"}, {NULL}, "r:7@b", NULL},
    {{"r@a"}, {"r:7@b"}, {NULL}, "r:7@b", NULL},
    {{"r@a"}, {"r@b"}, {NULL}, "r@b", "r@a"},
    {{"r:7@a"}, {"r:7@a"}, {NULL}, "r:7@a", "r:7@a"},
};

static const char *full(const char *word, char out[160]) {
    const char *at = strchr(word, '@');
    char digits[65] = "";
    memset(digits, at[1], 64);
    snprintf(out, 160, "docker.io/library/%s%.*s@sha256:%s", word[0] == 'r' ? "redis" : "nginx",
             (int)(at - word - 1), word + 1, digits);
    return out;
}

START_TEST(value_back) {
    struct error err = {0};
    struct ledger ledger = {0};
    struct set now;
    struct set then;
    struct string_list none = {0};
    char text[8][160];
    const char *then_lines[2];
    const char *now_lines[2];
    size_t then_count = 0;
    size_t now_count = 0;
    for (size_t i = 0; i < 2; i++) {
        if (values_back[_i].then[i] != NULL)
            then_lines[then_count++] = full(values_back[_i].then[i], text[i]);
        if (values_back[_i].now[i] != NULL)
            now_lines[now_count++] = full(values_back[_i].now[i], text[2 + i]);
    }
    unit_ok(set_of_lines(now_lines, now_count, &now, &err), &err);
    unit_ok(set_of_lines(then_lines, then_count, &then, &err), &err);
    struct ledger_entry *entry = add(&ledger, LEDGER_OBSERVED, 1);
    entry->stage = "staging";
    entry->values = then_lines;
    entry->value_count = then_count;
    entry->set = then.id;
    struct ledger_change change;
    struct set_value parts[2] = {0};
    if (values_back[_i].change[0] != NULL) {
        for (size_t i = 0; i < 2; i++)
            unit_ok(set_value_parse(full(values_back[_i].change[i], text[4]), &parts[i], &err),
                    &err);
        change = (struct ledger_change){parts[1].image, parts[0].tag, parts[0].digest, parts[1].tag,
                                        parts[1].digest};
        struct ledger_entry *moved = add(&ledger, LEDGER_PROMOTED, 2);
        moved->stage = "staging";
        moved->set = now.id;
        moved->values = now_lines;
        moved->value_count = now_count;
        moved->changes = &change;
        moved->change_count = 1;
    }
    const struct earlier_question q = {&ledger, "staging", &now, &none};
    const char *got;
    bool ambiguous;
    unit_ok(earlier_value(&q, &ledger.items[0], full(values_back[_i].line, text[5]), &got,
                          &ambiguous, &err),
            &err);
    const char *expected =
        values_back[_i].expected != NULL ? full(values_back[_i].expected, text[6]) : NULL;
    ck_assert_msg(string_equal(got, expected), "row %d: got %s, expected %s", _i,
                  got != NULL ? got : "none", expected != NULL ? expected : "none");
    ck_assert(!ambiguous);
    for (size_t i = 0; i < 2; i++)
        set_value_clear(&parts[i]);
    set_clear(&now);
    set_clear(&then);
    free(ledger.items);
}
END_TEST

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

UNIT_MAIN("decision", {
    tcase_add_loop_test(cases, counting, 0, COUNT(countings));
    tcase_add_loop_test(cases, naming, 0, COUNT(words));
    tcase_add_test(cases, an_ambiguous_prefix);
    tcase_add_test(cases, same_image);
    tcase_add_loop_test(cases, before, 0, COUNT(befores));
    tcase_add_loop_test(cases, value_back, 0, COUNT(values_back));
})
