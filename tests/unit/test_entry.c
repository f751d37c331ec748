/* The rule for entering a stage, as a table: each row is a story.
 *
 * Times are hours since the beginning. Values are short: r1 is redis:7 with the digest 111…, n is nginx:1, p is python:3,
 * a is registry.test/team/app:1; others are written out, "redis:7.2@4", and without a tag "redis@4". A set is "{r1 n1}", a
 * digest "#1". Events, parted by ";":
 *
 *     0 see staging r1 n1               observed
 *     0 proven r1 n1                    observed in staging, and test "answers" passed on each alone
 *     0 pass answers r1 n1 [on arm64]   evidence: pass, fail, flaky, error, skip, timeout, oom; recorded-pass, recorded-fail
 *     0 promote staging r1>r2           promoted, rollback: rolled back; in production with all values: "r1>r2 n1"
 *     0 ann approves {r1 n1} [soak] [until 9]     or #1; for production
 *     0 ann denies redis [in staging] [until 9]   or #1, {r1}
 *     0 ann holds [redis] [until 9]               production, or `in staging`
 *     0 ann releases redis                        what was held in production; `all`: in no stage
 *     0 unknown, 0 critical             an entry of a type that is not known
 */
#include "pipelines/stages/entry.h"

#include "gate/base/text.h"
#include "gate/reference.h"
#include "tests/unit/unit.h"

#define HOUR  3600000LL
#define BEGIN 1760000000000LL /* the hour 0, since 1970 */

struct row {
    const char *title;
    const char *
        rule; /* of production: "soak 24, approvals 1, map FROM>TO, tests NAME, later 24" (stage region behind it) */
    const char *events;
    const char *staging, *production; /* what stands there */
    const char *region;               /* and in the stage behind, with `later` */
    const char *tests, *updates;      /* of the configuration; default: one test that covers all */
    double now;                       /* hours */
    bool force;
    const char *expected;
};

#include "tests/unit/entry_rows.h"

/* ---- values ---- */

static const struct {
    char letter;
    const char *image;
} short_names[] = {{'r', "redis:7"},
                   {'n', "nginx:1"},
                   {'p', "python:3"},
                   {'a', "registry.test/team/app:1"},
                   {'b', "prod.test/app:1"}};

#define SHORT_NAMES (sizeof short_names / sizeof *short_names)

/* The line of a value. Kept in the arena. */
static char *line_of(struct arena *arena, const char *word) {
    struct error err = {0};
    char image[128];
    const char *at = strchr(word, '@');
    if (at != NULL) {
        snprintf(image, sizeof image, "%.*s", (int)(at - word), word);
        at++;
    } else {
        image[0] = '\0';
        for (size_t i = 0; i < SHORT_NAMES; i++)
            if (short_names[i].letter == word[0])
                snprintf(image, sizeof image, "%s", short_names[i].image);
        at = word + 1;
    }
    ck_assert_msg(image[0] != '\0' && strlen(at) == 1, "bad value \"%s\"", word);
    struct reference name = {0};
    unit_ok(reference_parse(image, &name, &err), &err);
    char digest[72] = "sha256:";
    memset(digest + 7, at[0], 64);
    char *text = reference_text(name.image, name.tag, digest, &err);
    char *kept = arena_string(arena, text, strlen(text), &err);
    free(text);
    reference_clear(&name);
    return kept;
}

/* And back. */
static void add_word(struct text *out, const char *line) {
    struct error err = {0};
    struct set_value value;
    unit_ok(set_value_parse(line, &value, &err), &err);
    char image[128];
    snprintf(image, sizeof image, "%s%s%s", reference_familiar(value.image),
             value.tag != NULL ? ":" : "", value.tag != NULL ? value.tag : "");
    for (size_t i = 0; i < SHORT_NAMES; i++)
        if (strcmp(short_names[i].image, image) == 0)
            snprintf(image, sizeof image, "%c", short_names[i].letter);
    text_printf(out, "%s%s%c", image, image[1] != '\0' ? "@" : "", value.digest[7]);
    set_value_clear(&value);
}

/* ---- the story ---- */

struct story {
    struct arena arena;
    struct ledger ledger;
    struct config config;
    struct set sets[3];
    int64_t now_ms;
};

/* The words of a text, parted by one of the separators. */
static size_t split(struct arena *arena, const char *text, const char *separators, char **out,
                    size_t limit) {
    struct error err = {0};
    size_t count = 0;
    for (const char *at = text; *at != '\0';) {
        at += strspn(at, separators);
        size_t length = strcspn(at, separators);
        if (length == 0)
            break;
        ck_assert_uint_lt(count, limit);
        out[count++] = arena_string(arena, at, length, &err);
        at += length;
    }
    return count;
}

static void make_set(struct arena *arena, const char *words, struct set *out) {
    struct error err = {0};
    char *items[64];
    size_t count = split(arena, words != NULL ? words : "", " {}", items, 64);
    for (size_t i = 0; i < count; i++)
        items[i] = line_of(arena, items[i]);
    unit_ok(set_of_lines((const char *const *)items, count, out, &err), &err);
}

static struct ledger_entry *add_entry(struct story *story, enum ledger_type type, double hours) {
    struct error err = {0};
    struct ledger_entry *entry = array_add(&story->ledger, &err);
    ck_assert_ptr_nonnull(entry);
    char id[65];
    snprintf(id, sizeof id, "%064zx", story->ledger.count);
    entry->id = arena_string(&story->arena, id, 64, &err);
    entry->type = type;
    entry->time_ms = BEGIN + (int64_t)(hours * (double)HOUR);
    entry->tool = "pingate 9";
    entry->file = "a.jsonl";
    entry->line = story->ledger.count;
    return entry;
}

static void set_values(struct story *story, struct ledger_entry *entry, char **words,
                       size_t count) {
    struct error err = {0};
    const char **values = arena_take(&story->arena, (count + 1) * sizeof *values, &err);
    for (size_t i = 0; i < count; i++)
        values[i] = line_of(&story->arena, words[i]);
    struct set set;
    unit_ok(set_of_lines(values, count, &set, &err), &err);
    for (size_t i = 0; i < set.lines.count; i++) {
        const char *line = set.lines.items[i];
        values[i] = arena_string(&story->arena, line, strlen(line), &err);
    }
    entry->values = values;
    entry->value_count = set.lines.count;
    entry->set = arena_string(&story->arena, set.id, 64, &err);
    set_clear(&set);
}

static void see(struct story *story, double hours, const char *stage, char **words, size_t count) {
    struct ledger_entry *entry = add_entry(story, LEDGER_OBSERVED, hours);
    entry->stage = stage;
    set_values(story, entry, words, count);
}

static const struct {
    const char *word;
    enum outcome outcome;
    const char *source;
} outcomes[] = {
    {"pass", OUTCOME_PASSED, "run"},
    {"fail", OUTCOME_FAILED, "run"},
    {"flaky", OUTCOME_FLAKY, "run"},
    {"error", OUTCOME_ERROR, "run"},
    {"skip", OUTCOME_SKIPPED, "run"},
    {"timeout", OUTCOME_TIMED_OUT, "run"},
    {"oom", OUTCOME_OOM, "run"},
    {"recorded-pass", OUTCOME_PASSED, "record"},
    {"recorded-fail", OUTCOME_FAILED, "record"},
};

static bool add_evidence(struct story *story, double hours, char **words, size_t count) {
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        if (strcmp(outcomes[i].word, words[0]) != 0)
            continue;
        struct ledger_entry *entry = add_entry(story, LEDGER_EVIDENCE, hours);
        entry->outcome = outcomes[i].outcome;
        entry->source = outcomes[i].source;
        entry->platform = "linux/amd64";
        entry->test = words[1];
        if (count > 3 && strcmp(words[count - 2], "on") == 0) {
            entry->platform = words[count - 1];
            count -= 2;
        }
        set_values(story, entry, words + 2, count - 2);
        entry->set = NULL;
        return true;
    }
    return false;
}

/* "r1>r2 n1": what moves, and what else stands there. */
static void move(struct story *story, double hours, enum ledger_type type, char **words,
                 size_t count) {
    struct error err = {0};
    struct ledger_change *changes = arena_take(&story->arena, (count + 1) * sizeof *changes, &err);
    size_t change_count = 0;
    for (size_t i = 1; i < count; i++) {
        char *arrow = strchr(words[i], '>');
        if (arrow == NULL)
            continue;
        *arrow = '\0';
        struct set_value old;
        struct set_value new;
        unit_ok(set_value_parse(line_of(&story->arena, words[i]), &old, &err), &err);
        unit_ok(set_value_parse(line_of(&story->arena, arrow + 1), &new, &err), &err);
        words[i] = arrow + 1;
        changes[change_count++] = (struct ledger_change){
            .image = arena_string(&story->arena, new.image, strlen(new.image), &err),
            .old_tag = old.tag == NULL
                           ? NULL
                           : arena_string(&story->arena, old.tag, strlen(old.tag), &err),
            .old_digest = arena_string(&story->arena, old.digest, strlen(old.digest), &err),
            .tag = new.tag == NULL ? NULL
                                   : arena_string(&story->arena, new.tag, strlen(new.tag), &err),
            .digest = arena_string(&story->arena, new.digest, strlen(new.digest), &err),
        };
        set_value_clear(&old);
        set_value_clear(&new);
    }
    struct ledger_entry *entry = add_entry(story, type, hours);
    entry->stage = words[0];
    entry->reason = type == LEDGER_ROLLED_BACK ? "it leaked" : NULL;
    set_values(story, entry, words + 1, count - 1);
    entry->changes = changes;
    entry->change_count = change_count;
}

/* Who does what to which thing; options behind. */
static bool decide(struct story *story, double hours, char **words, size_t count) {
    static const struct {
        const char *word;
        enum ledger_type type;
    } verbs[] = {{"approves", LEDGER_APPROVED},
                 {"denies", LEDGER_DENIED},
                 {"holds", LEDGER_HELD},
                 {"releases", LEDGER_RELEASED}};
    for (size_t i = 0; i < 4 && count > 1; i++) {
        if (strcmp(verbs[i].word, words[1]) != 0)
            continue;
        struct ledger_entry *entry = add_entry(story, verbs[i].type, hours);
        entry->actor = words[0];
        entry->reason = "because";
        entry->stage = entry->type == LEDGER_DENIED ? NULL : "production";
        for (size_t w = 2; w < count; w++) {
            struct error err = {0};
            if (strcmp(words[w], "soak") == 0) {
                entry->instead_of_soak = true;
            } else if (strcmp(words[w], "all") == 0) {
                entry->stage = NULL;
            } else if (strcmp(words[w], "in") == 0) {
                entry->stage = words[++w];
            } else if (strcmp(words[w], "until") == 0) {
                entry->until_ms = BEGIN + (int64_t)(strtod(words[++w], NULL) * (double)HOUR);
            } else if (words[w][0] == '#') {
                char digest[72] = "sha256:";
                memset(digest + 7, words[w][1], 64);
                entry->digest = arena_string(&story->arena, digest, 71, &err);
            } else if (words[w][0] == '{') {
                struct set set;
                size_t last = w;
                struct text all = {0};
                while (strchr(words[last], '}') == NULL)
                    text_printf(&all, "%s ", words[last++]);
                text_add(&all, words[last]);
                make_set(&story->arena, text_string(&all), &set);
                entry->set = arena_string(&story->arena, set.id, 64, &err);
                set_clear(&set);
                text_clear(&all);
                w = last;
            } else {
                entry->image = words[w];
            }
        }
        return true;
    }
    return false;
}

static void add_event(struct story *story, const char *event) {
    char *all[64];
    size_t count = split(&story->arena, event, " ", all, 64);
    double hours = strtod(all[0], NULL);
    char **words = all + 1;
    count--;
    if (strcmp(words[0], "see") == 0) {
        see(story, hours, words[1], words + 2, count - 2);
    } else if (strcmp(words[0], "proven") == 0) {
        see(story, hours, "staging", words + 1, count - 1);
        for (size_t i = 1; i < count; i++) {
            char *evidence[] = {(char *)"pass", (char *)"answers", words[i]};
            ck_assert(add_evidence(story, hours, evidence, 3));
        }
    } else if (strcmp(words[0], "promote") == 0) {
        move(story, hours, LEDGER_PROMOTED, words + 1, count - 1);
    } else if (strcmp(words[0], "rollback") == 0) {
        move(story, hours, LEDGER_ROLLED_BACK, words + 1, count - 1);
    } else if (strcmp(words[0], "unknown") == 0 || strcmp(words[0], "critical") == 0) {
        struct ledger_entry *entry = add_entry(story, LEDGER_UNKNOWN, hours);
        entry->unknown = "quarantined";
        entry->critical = words[0][0] == 'c';
    } else if (!decide(story, hours, words, count)) {
        ck_assert_msg(add_evidence(story, hours, words, count), "unknown event \"%s\"", event);
    }
}

static int by_time(const void *a, const void *b) {
    const struct ledger_entry *x = a;
    const struct ledger_entry *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void add_events(struct story *story, const char *events) {
    char *items[64];
    size_t count = split(&story->arena, events != NULL ? events : "", ";", items, 64);
    for (size_t i = 0; i < count; i++)
        if (items[i][strspn(items[i], " ")] != '\0')
            add_event(story, items[i]);
    if (story->ledger.count > 0)
        qsort(story->ledger.items, story->ledger.count, sizeof *story->ledger.items, by_time);
}

/* ---- the rule ---- */

static struct stage *add_stage(struct config *config, const char *name, const char *from) {
    struct error err = {0};
    struct stage *stage = array_add(&config->stages, &err);
    stage->name = string_dup(name, &err);
    stage->from = string_dup(from, &err);
    return stage;
}

static void add_rule(struct story *story, const char *rule) {
    struct error err = {0};
    struct config *config = &story->config;
    add_stage(config, "staging", NULL);
    add_stage(config, "production", "staging");
    char *words[32];
    size_t count = split(&story->arena, rule != NULL ? rule : "", ", ", words, 32);
    for (size_t i = 0; i + 1 < count; i += 2) {
        struct stage *stage = &config->stages.items[1];
        const char *value = words[i + 1];
        if (strcmp(words[i], "soak") == 0) {
            stage->soak_ms = (int64_t)(strtod(value, NULL) * (double)HOUR);
        } else if (strcmp(words[i], "approvals") == 0) {
            stage->approvals = strtol(value, NULL, 10);
        } else if (strcmp(words[i], "tests") == 0) {
            unit_ok(string_list_add(&stage->tests, value, &err), &err);
        } else if (strcmp(words[i], "map") == 0) {
            const char *arrow = strchr(value, '>');
            struct stage_map *map = array_add(&stage->map, &err);
            map->from = string_dup_length(value, (size_t)(arrow - value), &err);
            map->to = string_dup(arrow + 1, &err);
        } else if (strcmp(words[i], "later") == 0) {
            add_stage(config, "region", "production")->soak_ms =
                (int64_t)(strtod(value, NULL) * (double)HOUR);
        } else {
            ck_abort_msg("unknown rule \"%s\"", words[i]);
        }
    }
}

static void begin(struct story *story, const struct row *row) {
    struct error err = {0};
    *story = (struct story){.now_ms = BEGIN + (int64_t)(row->now * (double)HOUR)};
    char *yaml = string_format(&err, "version: 1\ntests: %s\n%s%s\n",
                               row->tests != NULL ? row->tests : "[{name: answers, run: x}]",
                               row->updates != NULL ? "updates: " : "",
                               row->updates != NULL ? row->updates : "");
    unit_ok(config_parse("c", yaml, strlen(yaml), &story->config, &err), &err);
    free(yaml);
    add_rule(story, row->rule);
    make_set(&story->arena, row->staging, &story->sets[0]);
    make_set(&story->arena, row->production, &story->sets[1]);
    make_set(&story->arena, row->region, &story->sets[2]);
    add_events(story, row->events);
}

static void end(struct story *story) {
    for (size_t i = 0; i < 3; i++)
        set_clear(&story->sets[i]);
    config_clear(&story->config);
    free(story->ledger.items);
    arena_clear(&story->arena);
}

static void answer(const struct story *story, bool force, struct entry_answer *out) {
    struct error err = {0};
    const struct entry_case c = {.ledger = &story->ledger,
                                 .config = &story->config,
                                 .stage = &story->config.stages.items[1],
                                 .from = &story->sets[0],
                                 .target = &story->sets[1],
                                 .sets = story->sets,
                                 .now_ms = story->now_ms,
                                 .force = force};
    unit_ok(entry_decide(&c, out, &err), &err);
}

/* "fits r1>r2 over soaking keeps n1 on-hold", "soaking at 24 r1>r2", "up-to-date". */
static char *describe(const struct entry_answer *answer) {
    struct error err = {0};
    struct text out = {0};
    text_add(&out, answer->fits         ? "fits"
                   : answer->up_to_date ? "up-to-date"
                                        : verdict_code_name(answer->code));
    if (answer->when_ms != 0)
        text_printf(&out, " at %g", (double)(answer->when_ms - BEGIN) / (double)HOUR);
    for (size_t i = 0; i < answer->changes.count; i++) {
        text_add(&out, " ");
        add_word(&out, answer->changes.items[i].line);
        text_add(&out, ">");
        add_word(&out, answer->changes.items[i].candidate);
    }
    if (answer->overridden != NULL)
        text_printf(&out, " over %s", answer->overridden);
    for (size_t i = 0; i < answer->kept.count; i++) {
        text_add(&out, i == 0 ? " keeps " : ", ");
        add_word(&out, answer->kept.items[i].line);
        text_printf(&out, " %s", verdict_code_name(answer->kept.items[i].code));
    }
    return text_steal(&out, &err);
}

/* ---- tests ---- */

#define ROWS (sizeof rows / sizeof *rows)

START_TEST(table) {
    const struct row *row = &rows[_i];
    struct story story;
    struct entry_answer got;
    begin(&story, row);
    answer(&story, row->force, &got);
    char *words = describe(&got);
    ck_assert_msg(strcmp(words, row->expected) == 0,
                  "%s:\n  rule %s\n  events %s\n  staging %s, production %s, hour %g\n"
                  "     got %s (%s)\nexpected %s",
                  row->title, row->rule, row->events, row->staging, row->production, row->now,
                  words, got.reason != NULL ? got.reason : "", row->expected);
    ck_assert_msg((got.code == CODE_NONE) == (got.fits || got.up_to_date), "%s", row->title);
    ck_assert_msg((got.reason == NULL) == (got.code == CODE_NONE), "%s", row->title);
    free(words);
    entry_answer_clear(&got);
    end(&story);
}
END_TEST

/* What is told of the future is true: then it fits, and one millisecond before it does not. */
static void check_when_is_true(const struct row *row) {
    struct story story;
    struct entry_answer got;
    begin(&story, row);
    answer(&story, false, &got);
    int64_t when_ms = got.when_ms;
    if (when_ms != 0) {
        entry_answer_clear(&got);
        story.now_ms = when_ms;
        answer(&story, false, &got);
        ck_assert_msg(got.fits, "%s: %s", row->title, got.reason);
        ck_assert_msg(!got.considered.items[0].code, "%s: an older one fits", row->title);
        entry_answer_clear(&got);
        story.now_ms = when_ms - 1;
        answer(&story, false, &got);
        ck_assert_msg(got.considered.items[0].code != CODE_NONE, "%s: it fits before", row->title);
    }
    entry_answer_clear(&got);
    end(&story);
}

START_TEST(when_is_true) {
    for (size_t i = 0; i < ROWS; i++)
        check_when_is_true(&rows[i]);
}
END_TEST

static void expect_fits(const struct row *row, const struct story *story, bool before,
                        bool may_rise, const char *what) {
    struct entry_answer got;
    answer(story, false, &got);
    ck_assert_msg(may_rise ? (got.fits || !before) : (before || !got.fits), "%s: %s", row->title,
                  what);
    entry_answer_clear(&got);
}

static void check_a_denial_never_makes_fit(const struct row *row) {
    if (row->region != NULL) /* a denial of what soaks ends a pause */
        return;
    static const char *const denials[] = {"redis", "#1", "#2", "#3", "{r1 n1}", "{r2 n1}", "nginx"};
    for (size_t i = 0; i < sizeof denials / sizeof *denials; i++) {
        struct story story;
        struct entry_answer got;
        begin(&story, row);
        answer(&story, false, &got);
        bool before = got.fits;
        entry_answer_clear(&got);
        char event[64];
        snprintf(event, sizeof event, "%g eve denies %s", row->now, denials[i]);
        add_events(&story, event);
        expect_fits(row, &story, before, false, event);
        end(&story);
    }
}

START_TEST(a_denial_never_makes_fit) {
    for (size_t i = 0; i < ROWS; i++)
        check_a_denial_never_makes_fit(&rows[i]);
}
END_TEST

static void check_time_alone_never_unfits(const struct row *row) {
    if (row->events != NULL && strstr(row->events, "until") != NULL)
        return;
    struct story story;
    struct entry_answer got;
    begin(&story, row);
    answer(&story, false, &got);
    bool before = got.fits;
    entry_answer_clear(&got);
    for (int i = 1; i <= 8; i++) {
        story.now_ms += 7 * HOUR;
        expect_fits(row, &story, before, true, "some hours later");
    }
    end(&story);
}

START_TEST(time_alone_never_unfits) {
    for (size_t i = 0; i < ROWS; i++)
        check_time_alone_never_unfits(&rows[i]);
}
END_TEST

/* The same said twice says no more. */
static void check_twice_is_once(const struct row *row) {
    struct story once;
    struct story twice;
    struct entry_answer a;
    struct entry_answer b;
    begin(&once, row);
    begin(&twice, row);
    add_events(&twice, row->events);
    answer(&once, row->force, &a);
    answer(&twice, row->force, &b);
    char *x = describe(&a);
    char *y = describe(&b);
    ck_assert_msg(strcmp(x, y) == 0, "%s: once %s, twice %s", row->title, x, y);
    free(x);
    free(y);
    entry_answer_clear(&a);
    entry_answer_clear(&b);
    end(&once);
    end(&twice);
}

START_TEST(twice_is_once) {
    for (size_t i = 0; i < ROWS; i++)
        check_twice_is_once(&rows[i]);
}
END_TEST

/* A hundred thousand entries: three years of a large project. Whoever loops over the ledger within a loop over the ledger
 * meets the time limit of Check. */
START_TEST(a_large_ledger) {
    static const struct row row = {.rule = "soak 24, approvals 1, later 24",
                                   .staging = "r8 n8",
                                   .production = "r0 n0",
                                   .region = "r9",
                                   .now = 100000};
    struct story story;
    struct entry_answer got;
    begin(&story, &row);
    for (int i = 0; i < 16000; i++) {
        char event[128];
        char a = (char)('1' + i % 8);
        char b = (char)('1' + i / 8 % 8);
        snprintf(event, sizeof event, "%d see staging r%c n%c", i, a, b);
        add_event(&story, event);
        snprintf(event, sizeof event, "%d pass answers r%c n%c", i, a, b);
        add_event(&story, event);
        snprintf(event, sizeof event, "%d fail answers r%c", i, a);
        add_event(&story, event);
        snprintf(event, sizeof event, "%d person%d approves #%c", i, i, a);
        add_event(&story, event);
        snprintf(event, sizeof event, "%d person%d denies redis:%d", i, i, i);
        add_event(&story, event);
        snprintf(event, sizeof event, "%d person%d releases redis:%d all", i, i, i);
        add_event(&story, event);
    }
    add_events(&story, "99999 see staging r8 n8");
    ck_assert_uint_gt(story.ledger.count, 96000);
    answer(&story, false, &got);
    ck_assert_msg(got.code == CODE_REVOKED, "%s", got.reason);
    entry_answer_clear(&got);
    end(&story);
}
END_TEST

UNIT_MAIN("entry", {
    tcase_add_test(cases, a_large_ledger);
    tcase_add_loop_test(cases, table, 0, ROWS);
    tcase_add_test(cases, when_is_true);
    tcase_add_test(cases, a_denial_never_makes_fit);
    tcase_add_test(cases, time_alone_never_unfits);
    tcase_add_test(cases, twice_is_once);
})
