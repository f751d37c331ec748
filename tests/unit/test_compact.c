#include "pipelines/stages/compact.h"

#include <dirent.h>
#include <sys/wait.h>

#include "gate/base/clock.h"
#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

#define DAY   86400000LL
#define NOW   1795603980123LL /* 2026-11-25T10:53:00.123Z */
#define D(c)  "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define A     "docker.io/library/redis:7.2@" D("aa")
#define B     "ghcr.io/acme/app:1@" D("bb")
#define HASH1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HASH2 "2222222222222222222222222222222222222222222222222222222222222222"

static const char *const only_a[] = {A};
static const char *const only_b[] = {B};
static const char *const both[] = {A, B};

/* One entry in a word: "e" of evidence passed, "f" failed; "p" promoted, "o" observed in production; "a" approved. Behind it
 * how old it is, in days; then what differs: "B" its value is B and not A, "X" both; "d" the definition, "w" a workspace, "s" the
 * source, "t" the test, "l" the platform, "g" a stage; of "o" and "p" "S" another stage, "H" another set. */
static struct ledger_entry draft_of(const char *word) {
    struct ledger_entry draft = {.actor = "ada"};
    char *end;
    draft.time_ms = NOW - strtoll(word + 1, &end, 10) * DAY;
    bool has[128] = {0};
    for (; *end != '\0' && *end != ' '; end++)
        has[*end & 127] = true;
    if (has['X']) {
        draft.values = both;
        draft.value_count = 2;
    } else {
        draft.values = has['B'] ? only_b : only_a;
        draft.value_count = 1;
    }
    if (*word == 'e' || *word == 'f') {
        draft.type = LEDGER_EVIDENCE;
        draft.outcome = *word == 'e' ? OUTCOME_PASSED : OUTCOME_FAILED;
        draft.definition = has['d'] ? HASH2 : HASH1;
        draft.workspace = has['w'] ? HASH2 : NULL;
        draft.source = has['s'] ? "record" : "run";
        draft.test = has['t'] ? "api" : "smoke";
        draft.platform = has['l'] ? "linux/arm64" : "linux/amd64";
        draft.stage = has['g'] ? "staging" : NULL;
        return draft;
    }
    draft.stage = has['S'] ? "staging" : "production";
    draft.set = has['H'] ? HASH2 : HASH1;
    draft.before = HASH2;
    draft.type = *word == 'p' ? LEDGER_PROMOTED : *word == 'o' ? LEDGER_OBSERVED : LEDGER_APPROVED;
    if (*word == 'u') {
        draft.type = LEDGER_UNKNOWN;
        draft.unknown = "blessed";
    }
    return draft;
}

static size_t drafts_of(const char *words, struct ledger_entry *drafts) {
    size_t count = 0;
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        drafts[count++] = draft_of(at);
        at += strcspn(at, " ");
    }
    return count;
}

START_TEST(what_is_dropped) {
    static const struct {
        const char *entries; /* oldest first */
        const char *drop;    /* 1 for each that is */
    } rows[] = {
        {"", ""},
        {"e200", "0"},
        {"e200 e10", "10"},
        {"e200 e150", "10"},
        {"e200 e150 e120 e5", "1110"},
        {"f200 f150", "10"},
        /* not old enough */
        {"e90 e10", "00"},
        {"e91 e10", "10"},
        {"e89 e80 e70", "000"},
        /* of each run of equal outcomes the newest stays */
        {"e200 f150", "00"},
        {"e200 f150 e120", "000"},
        {"e210 e200 f190 f150 e130 e120", "101010"},
        /* all else must be equal */
        {"e200 e10B", "00"},
        {"e200 e10X", "00"},
        {"e200 e10d", "00"},
        {"e200 e10w", "00"},
        {"e200 e10s", "00"},
        {"e200 e10t", "00"},
        {"e200 e10l", "00"},
        {"e200 e10g", "00"},
        {"e200w e190 e10w e5", "1100"},
        /* on which a promotion rests: the newest at its time */
        {"e200 p190 e10", "000"},
        {"e210 e200 p190 e150 e10", "10010"},
        {"e200 e190B p180 e10 e5B", "01000"},
        {"e200X p180 e10X", "100"}, /* not within its values */
        {"e200X p180X e10X", "000"},
        {"e200 p180X e10", "000"},
        {"e200B p180 e10B", "100"},
        /* a later promotion rests on what was the newest then */
        {"e300 p290 e200 p190 e150 e10", "000010"},
        {"e300 e200 p190 p100 e10", "10000"},
        /* and what a stage holds, however it came */
        {"e200 o190 e10", "000"},
        {"e200 o190 o180HB e10", "1000"}, /* left long ago, and was never promoted */
        {"e300 o290H e200 o190 e150 o140 e10",
         "1000000"}, /* since it came, and each time it was seen */
        {"e200 o190S o180H e10", "0000"},
        /* decisions and what nobody knows */
        {"a300 a299 u298 u297 o296 o295", "000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct ledger_entry drafts[16];
        size_t count = drafts_of(rows[i].entries, drafts);
        struct ledger ledger = {.items = drafts, .count = count};
        bool drop[17];
        char words[17] = "";
        unit_ok(compact_choose(&ledger, NOW, drop, &err), &err);
        for (size_t j = 0; j < count; j++)
            words[j] = drop[j] ? '1' : '0';
        words[count] = '\0';
        ck_assert_msg(strcmp(words, rows[i].drop) == 0, "row %zu (%s): %s", i, rows[i].entries,
                      words);
    }
}
END_TEST

/* Only of the newest hundred promotions. */
START_TEST(old_promotions_hold_nothing) {
    struct error err = {0};
    enum { COUNT = COMPACT_PROMOTIONS + 3 };
    struct ledger_entry items[COUNT];
    bool drop[COUNT];
    items[0] = draft_of("e400");
    for (int i = 1; i < COUNT - 1; i++) {
        items[i] = draft_of("p300");
        items[i].time_ms += i;
        items[i].stage = "gone";
        items[i].set = i == COUNT - 2 ? HASH2 : HASH1; /* what the stage holds is another set */
        items[i].values = i == 1 ? only_a : only_b;
    }
    items[COUNT - 1] = draft_of("e10");
    struct ledger ledger = {.items = items, .count = COUNT};
    unit_ok(compact_choose(&ledger, NOW, drop, &err), &err);
    ck_assert(drop[0]);
    items[2].values = only_a; /* the hundredth */
    unit_ok(compact_choose(&ledger, NOW, drop, &err), &err);
    ck_assert(!drop[0]);
}
END_TEST

static void write_file(const struct tree *tree, const char *words) {
    struct error err = {0};
    struct ledger_file file;
    struct ledger_entry drafts[16];
    size_t count = drafts_of(words, drafts);
    unit_ok(ledger_format(drafts, count, drafts[0].time_ms, &file, &err), &err);
    tree_write(tree, file.path, file.bytes.bytes);
    ledger_file_clear(&file);
}

/* The names of a month's files. */
static struct string_list list_month(const struct tree *tree, const char *month) {
    struct error err = {0};
    struct string_list names = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/.pingate/ledger/%s", tree->root, month);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            unit_ok(string_list_add(&names, entry->d_name, &err), &err);
    closedir(folder);
    string_list_sort(&names);
    return names;
}

static size_t count_files(const struct tree *tree, const char *month) {
    struct string_list names = list_month(tree, month);
    size_t count = names.count;
    string_list_clear(&names);
    return count;
}

/* The ids of all entries, one a line. */
static char *ids(const struct tree *tree) {
    struct error err = {0};
    struct ledger ledger;
    struct text out = {0};
    unit_ok(ledger_load(tree->root, &ledger, &err), &err);
    for (size_t i = 0; i < ledger.count; i++)
        text_printf(&out, "%s\n", ledger.items[i].id);
    ledger_clear(&ledger);
    return text_steal(&out, &err);
}

static void expect_ids(const struct tree *tree, const char *wanted, const char *when) {
    char *now = ids(tree);
    ck_assert_msg(strcmp(now, wanted) == 0, "%s: wanted\n%sgot\n%s", when, wanted, now);
    free(now);
}

START_TEST(months_become_one_file) {
    struct error err = {0};
    struct compact_report report;
    struct tree tree = tree_new();
    write_file(&tree, "a25 a24"); /* 2026-10-31: the month before the one that runs */
    write_file(&tree, "a10");
    write_file(&tree, "a60 e59"); /* September */
    write_file(&tree, "a58 u57 e56B");
    write_file(&tree, "a57 o56");
    write_file(&tree, "a90"); /* August: one file */
    tree_write(&tree, ".pingate/ledger/2026-09/README", "not ours\n");
    char *before = ids(&tree);
    char *picture = tree_picture(&tree);
    unit_ok(compact_run(tree.root, NOW, true, &report, &err), &err);
    tree_same(&tree, picture, "a dry run");
    ck_assert_uint_eq(report.months, 1);
    unit_ok(compact_run(tree.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.months, 1);
    ck_assert_uint_eq(report.files_before, 3);
    ck_assert_uint_eq(report.files_after, 1);
    ck_assert_uint_eq(report.entries_before, 7);
    ck_assert_uint_eq(report.entries_after, 7);
    expect_ids(&tree, before, "after");
    struct string_list names = list_month(&tree, "2026-09");
    ck_assert_uint_eq(names.count, 2);
    ck_assert(string_has_prefix(names.items[1], "compacted-"));
    string_list_clear(&names);
    ck_assert_uint_eq(count_files(&tree, "2026-10"), 1);
    ck_assert_uint_eq(count_files(&tree, "2026-11"), 1);
    ck_assert_uint_eq(count_files(&tree, "2026-08"), 1);
    picture = tree_picture(&tree);
    unit_ok(compact_run(tree.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.months, 0);
    tree_same(&tree, picture, "a second time");
    /* what comes later goes in as well */
    write_file(&tree, "a61");
    free(before);
    before = ids(&tree);
    unit_ok(compact_run(tree.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.months, 1);
    ck_assert_uint_eq(count_files(&tree, "2026-09"), 2);
    expect_ids(&tree, before, "a third time");
    free(before);
    tree_free(&tree);
}
END_TEST

START_TEST(dropped_evidence_goes) {
    struct error err = {0};
    struct compact_report report;
    struct tree tree = tree_new();
    write_file(&tree, "e200 e199 a198"); /* May, one file */
    write_file(&tree, "e10");
    unit_ok(compact_run(tree.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.entries_before, 3);
    ck_assert_uint_eq(report.entries_after, 1);
    char *after = ids(&tree);
    ck_assert_uint_eq(strlen(after), 2 * 65);
    free(after);
    /* a month of which nothing stays has no file */
    write_file(&tree, "e170"); /* June */
    unit_ok(compact_run(tree.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.files_after, 0);
    ck_assert_uint_eq(count_files(&tree, "2026-06"), 0);
    tree_free(&tree);
}
END_TEST

static void copy_tree(const struct tree *from, const struct tree *to) {
    char command[512];
    snprintf(command, sizeof command, "cp -r %s/.pingate %s/", from->root, to->root);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* Two branches that compacted on their own: after a merge (files that either removed are gone, files that either made are
 * there) no decision is lost, and one more compaction makes of it what it would have made of all files. */
START_TEST(two_branches) {
    struct error err = {0};
    struct compact_report report;
    struct tree one = tree_new(), two = tree_new(), all = tree_new();
    write_file(&one, "e200 e190 a180");
    write_file(&one, "a199 f198B e197t");
    write_file(&one, "p195 o194 a193");
    copy_tree(&one, &two);
    write_file(&one, "a196 e189"); /* each got one more, of that month, by a late merge */
    write_file(&two, "a192 u191");
    copy_tree(&one, &all);
    copy_tree(&two, &all);
    unit_ok(compact_run(one.root, NOW, false, &report, &err), &err);
    unit_ok(compact_run(two.root, NOW + 40 * DAY, false, &report, &err), &err);
    copy_tree(&two, &one); /* the merge */
    struct ledger ledger;
    unit_ok(ledger_load(one.root, &ledger, &err), &err);
    size_t evidence = 0;
    for (size_t i = 0; i < ledger.count; i++)
        evidence += ledger.items[i].type == LEDGER_EVIDENCE;
    ck_assert_uint_eq(ledger.count - evidence, 8);
    ck_assert_uint_eq(evidence, 5);
    ledger_clear(&ledger);
    ck_assert_uint_eq(count_files(&one, "2026-05"), 2);
    unit_ok(compact_run(one.root, NOW, false, &report, &err), &err);
    unit_ok(compact_run(all.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.entries_after, 12);
    ck_assert_uint_eq(count_files(&one, "2026-05"), 1);
    char *wanted = ids(&all);
    expect_ids(&one, wanted, "after the merge");
    free(wanted);
    tree_free(&one);
    tree_free(&two);
    tree_free(&all);
}
END_TEST

/* Whoever compacts the same lines makes the same file, however they were spread. */
START_TEST(the_same_lines_make_the_same_file) {
    struct error err = {0};
    struct compact_report report;
    struct tree one = tree_new(), two = tree_new();
    write_file(&one, "a200 a199");
    write_file(&one, "a198 a197");
    write_file(&two, "a198");
    write_file(&two, "a200 a198 a197");
    write_file(&two, "a199 a197");
    unit_ok(compact_run(one.root, NOW, false, &report, &err), &err);
    unit_ok(compact_run(two.root, NOW, false, &report, &err), &err);
    ck_assert_uint_eq(report.entries_before, 6);
    ck_assert_uint_eq(report.entries_after, 4);
    struct string_list a = list_month(&one, "2026-05"), b = list_month(&two, "2026-05");
    ck_assert(a.count == 1 && b.count == 1);
    ck_assert_str_eq(a.items[0], b.items[0]);
    string_list_clear(&a);
    string_list_clear(&b);
    tree_free(&one);
    tree_free(&two);
}
END_TEST

/* What a kill leaves: the new file beside old ones, all or some; a temporary one. */
START_TEST(after_a_crash) {
    struct error err = {0};
    struct compact_report report;
    struct tree whole = tree_new(), half = tree_new();
    write_file(&whole, "a200 a199");
    write_file(&whole, "a198 a197");
    copy_tree(&whole, &half);
    char *before = ids(&whole);
    unit_ok(compact_run(whole.root, NOW, false, &report, &err), &err);
    copy_tree(&whole, &half);
    tree_write(&half, ".pingate/ledger/2026-05/.compacting", "{\"half");
    ck_assert_uint_eq(count_files(&half, "2026-05"), 4);
    expect_ids(&half, before, "half way");
    unit_ok(compact_run(half.root, NOW, false, &report, &err), &err);
    expect_ids(&half, before, "finished");
    struct string_list names = list_month(&half, "2026-05");
    ck_assert_uint_eq(names.count, 1);
    string_list_clear(&names);
    free(before);
    tree_free(&whole);
    tree_free(&half);
}
END_TEST

START_TEST(damage_stops_it) {
    struct error err = {0};
    struct compact_report report;
    struct tree tree = tree_new();
    write_file(&tree, "a200 a199");
    write_file(&tree, "a198 a197");
    tree_write(&tree, ".pingate/ledger/2026-11/x.jsonl", "");
    char *picture = tree_picture(&tree);
    unit_fails(compact_run(tree.root, NOW, false, &report, &err), &err, ERROR_IO, "x.jsonl");
    tree_same(&tree, picture, "damage");
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("compact", {
    tcase_add_test(cases, what_is_dropped);
    tcase_add_test(cases, old_promotions_hold_nothing);
    tcase_add_test(cases, months_become_one_file);
    tcase_add_test(cases, dropped_evidence_goes);
    tcase_add_test(cases, two_branches);
    tcase_add_test(cases, the_same_lines_make_the_same_file);
    tcase_add_test(cases, after_a_crash);
    tcase_add_test(cases, damage_stops_it);
})
