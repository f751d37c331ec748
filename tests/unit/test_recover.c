/* Recovery from every state that a crash, a person or an attacker can leave of a promotion of files a and d/b, and of one that
 * writes a and creates a file of the ledger. */
#include "pipelines/journal.h"
#include "pipelines/promotion.h"
#include "tests/unit/tree.h"

#define TEMPORARY_A ".a.pingate-aaaaaa"
#define TEMPORARY_B "d/.b.pingate-bbbbbb"

enum { DONE, STOPPED };

static const struct row {
    const char *name;
    const char *journal;         /* state, or NULL: none */
    const char *a, *temporary_a; /* bytes; NULL: not there */
    const char *b, *temporary_b;
    enum promotion_state state;
    int stopped;      /* an error, and nothing touched */
    const char *part; /* of the words or the message */
    const char *a_after, *b_after;
} rows[] = {
    {"clean", NULL, "old", NULL, "old", NULL, PROMOTION_CLEAN, DONE, "", "old", "old"},
    {"a file of the user that looks like ours", NULL, "old", "mine", "old", NULL, PROMOTION_CLEAN,
     DONE, "", "old", "old"},
    {"intent alone", "intent", "old", NULL, "old", NULL, PROMOTION_UNDONE, DONE, "took back", "old",
     "old"},
    {"half a temporary file", "intent", "old", "ne", "old", NULL, PROMOTION_UNDONE, DONE,
     "took back", "old", "old"},
    {"not decided", "intent", "old", "new", "old", "new", PROMOTION_UNDONE, DONE, "took back",
     "old", "old"},
    {"not decided, and changed since", "intent", "mine", "new", "old", "new", PROMOTION_UNDONE,
     DONE, "took back", "mine", "old"},
    {"decided", "decided", "old", "new", "old", "new", PROMOTION_FINISHED, DONE, "finished", "new",
     "new"},
    {"one is new", "decided", "new", NULL, "old", "new", PROMOTION_FINISHED, DONE, "finished",
     "new", "new"},
    {"both are new", "decided", "new", NULL, "new", NULL, PROMOTION_FINISHED, DONE, "finished",
     "new", "new"},
    {"new, with a temporary file", "decided", "new", "new", "old", "new", PROMOTION_FINISHED, DONE,
     "finished", "new", "new"},
    {"none is new, one was changed", "decided", "old", "new", "mine", "new", PROMOTION_UNDONE, DONE,
     "d/b was changed since", "old", "mine"},
    {"none is new, one temporary file is lost", "decided", "old", NULL, "old", "new",
     PROMOTION_UNDONE, DONE, "took back", "old", "old"},
    {"none is new, one temporary file is damaged", "decided", "old", "ne", "old", "new",
     PROMOTION_UNDONE, DONE, "took back", "old", "old"},
    {"all were in place, one was changed", "decided", "new", NULL, "mine", NULL, PROMOTION_FINISHED,
     DONE, "d/b was changed since", "new", "mine"},
    {"one is new, the other was changed before", "decided", "new", NULL, "mine", "new",
     PROMOTION_CLEAN, STOPPED, "d/b was changed", "new", "mine"},
    {"one was changed when it was new, the other is old", "decided", "mine", NULL, "old", "new",
     PROMOTION_CLEAN, STOPPED, "a was changed", "mine", "old"},
    {"one is new, the other lost its temporary file", "decided", "new", NULL, "old", NULL,
     PROMOTION_CLEAN, STOPPED, "d/b lost its temporary file", "new", "old"},
    {"one is new, the other was removed", "decided", "new", NULL, NULL, "new", PROMOTION_CLEAN,
     STOPPED, "d/b was changed", "new", NULL},
};

#define LEDGER           ".pingate/ledger/2026-11/x.jsonl"
#define TEMPORARY_LEDGER ".pingate/ledger/2026-11/.x.jsonl.pingate-bbbbbb"

/* Here b is the ledger's file, which is created. */
static const struct row created_rows[] = {
    {"intent alone", "intent", "old", NULL, NULL, NULL, PROMOTION_UNDONE, DONE, "took back", "old",
     NULL},
    {"half a temporary file", "intent", "old", "new", NULL, "ne", PROMOTION_UNDONE, DONE,
     "took back", "old", NULL},
    {"not decided", "intent", "old", "new", NULL, "new", PROMOTION_UNDONE, DONE, "took back", "old",
     NULL},
    {"not decided, and another one stands there", "intent", "old", "new", "mine", "new",
     PROMOTION_UNDONE, DONE, "took back", "old", "mine"},
    {"decided", "decided", "old", "new", NULL, "new", PROMOTION_FINISHED, DONE, "finished", "new",
     "new"},
    {"the pin is new", "decided", "new", NULL, NULL, "new", PROMOTION_FINISHED, DONE, "finished",
     "new", "new"},
    {"both are new", "decided", "new", NULL, "new", NULL, PROMOTION_FINISHED, DONE, "finished",
     "new", "new"},
    {"the pin was taken back by hand", "decided", "old", NULL, NULL, "new", PROMOTION_UNDONE, DONE,
     "took back", "old", NULL},
    {"none is new, another one stands there", "decided", "old", "new", "mine", "new",
     PROMOTION_UNDONE, DONE, "was changed since", "old", "mine"},
    {"both were new, and the pin was changed", "decided", "mine", NULL, "new", NULL,
     PROMOTION_FINISHED, DONE, "a was changed since", "mine", "new"},
    {"both were new, and the pin was taken back", "decided", "old", NULL, "new", NULL,
     PROMOTION_CLEAN, STOPPED, "git checkout, and remove " LEDGER ")", "old", "new"},
    {"the pin is new, and the ledger's file was removed", "decided", "new", NULL, NULL, NULL,
     PROMOTION_CLEAN, STOPPED, LEDGER " lost its temporary file", "new", NULL},
};

static void put(const struct tree *tree, const char *file, const char *bytes) {
    if (bytes != NULL)
        tree_write(tree, file, bytes);
}

static void put_journal(const struct tree *tree, const char *state, bool created) {
    struct error err = {0};
    struct journal_file files[] = {
        {.file = (char *)"a", .temporary = (char *)TEMPORARY_A},
        {.file = (char *)"d/b", .temporary = (char *)strchr(TEMPORARY_B, '.')}};
    for (size_t i = 0; i < 2; i++) {
        unit_ok(hash_hex("old", 3, files[i].old_hash, &err), &err);
        unit_ok(hash_hex("new", 3, files[i].new_hash, &err), &err);
    }
    if (created) {
        files[1].file = (char *)LEDGER;
        files[1].temporary = (char *)strrchr(TEMPORARY_LEDGER, '/') + 1;
        files[1].old_hash[0] = '\0';
    }
    struct journal journal = {.state =
                                  strcmp(state, "intent") == 0 ? JOURNAL_INTENT : JOURNAL_DECIDED,
                              .items = files,
                              .count = 2};
    unit_ok(journal_write(tree->fd, &journal, &err), &err);
}

static struct tree make_tree(const struct row *row) {
    struct tree tree = tree_new();
    tree_write(&tree, "d/other", "other");
    put(&tree, "a", row->a);
    put(&tree, TEMPORARY_A, row->temporary_a);
    put(&tree, "d/b", row->b);
    put(&tree, TEMPORARY_B, row->temporary_b);
    if (row->journal != NULL)
        put_journal(&tree, row->journal, false);
    return tree;
}

static void expect_call(const struct row *row, const struct tree *tree, bool write) {
    struct error err = {0};
    struct text words = {0};
    enum promotion_state state;
    int result = promotion_recover(tree->root, write, &state, &words, &err);
    ck_assert_msg(result == (row->stopped == STOPPED ? -1 : 0) && state == row->state,
                  "%s: %d, state %d, %s", row->name, result, (int)state, error_message(&err));
    const char *said = row->stopped == STOPPED ? error_message(&err) : text_string(&words);
    if (write || row->stopped == STOPPED)
        ck_assert_msg(strstr(said, row->part) != NULL, "%s: %s", row->name, said);
    else
        ck_assert_msg((words.length > 0) == (row->journal != NULL), "%s: %s", row->name, said);
    if (row->stopped == STOPPED)
        ck_assert_msg(err.kind == ERROR_CONFLICT && strstr(said, JOURNAL_FILE) != NULL, "%s: %s",
                      row->name, said);
    error_clear(&err);
    text_clear(&words);
}

static void expect_file(const struct row *row, const struct tree *tree, const char *file,
                        const char *bytes) {
    if (bytes != NULL)
        tree_expect(tree, file, bytes);
    else
        ck_assert_msg(faccessat(tree->fd, file, F_OK, AT_SYMLINK_NOFOLLOW) != 0, "%s: %s is there",
                      row->name, file);
}

START_TEST(states) {
    const struct row *row = &rows[_i];
    struct tree tree = make_tree(row);
    char *before = tree_picture(&tree);
    expect_call(row, &tree, false);
    tree_same(&tree, before, row->name);
    before = tree_picture(&tree);
    expect_call(row, &tree, true);
    if (row->stopped == STOPPED) {
        tree_same(&tree, before, row->name);
    } else {
        free(before);
        expect_file(row, &tree, "a", row->a_after);
        expect_file(row, &tree, "d/b", row->b_after);
        expect_file(row, &tree, ".pingate", NULL);
        expect_file(row, &tree, TEMPORARY_A, row->journal == NULL ? row->temporary_a : NULL);
        expect_file(row, &tree, TEMPORARY_B, NULL);
        before = tree_picture(&tree);
        expect_call(&rows[0], &tree, true); /* a second time there is nothing left to do */
        tree_same(&tree, before, row->name);
    }
    tree_free(&tree);
}
END_TEST

START_TEST(created_states) {
    const struct row *row = &created_rows[_i];
    struct tree tree = tree_new();
    put(&tree, "a", row->a);
    put(&tree, TEMPORARY_A, row->temporary_a);
    put(&tree, LEDGER, row->b);
    put(&tree, TEMPORARY_LEDGER, row->temporary_b);
    put_journal(&tree, row->journal, true);
    char *before = tree_picture(&tree);
    expect_call(row, &tree, false);
    tree_same(&tree, before, row->name);
    before = tree_picture(&tree);
    expect_call(row, &tree, true);
    if (row->stopped == STOPPED) {
        tree_same(&tree, before, row->name);
    } else {
        free(before);
        expect_file(row, &tree, "a", row->a_after);
        expect_file(row, &tree, row->b_after != NULL ? LEDGER : ".pingate", row->b_after);
        expect_file(row, &tree, ".pingate/local", NULL);
        expect_file(row, &tree, TEMPORARY_A, NULL);
        expect_file(row, &tree, TEMPORARY_LEDGER, NULL);
    }
    tree_free(&tree);
}
END_TEST

/* What came before the first journal: our own folder, and a journal that was not in place yet. */
START_TEST(before_the_journal) {
    struct tree tree = tree_new();
    char *before = tree_picture(&tree);
    tree_write(&tree, ".pingate/local/.gitignore", _i == 0 ? "" : "*\n");
    tree_write(&tree, ".pingate/local/journal.json.new", "{\"ver");
    expect_call(&rows[0], &tree, true);
    tree_same(&tree, before, "before the journal");
    tree_free(&tree);
}
END_TEST

/* A folder of the journal's path became a link: nothing outside is written or removed. */
START_TEST(through_a_link) {
    struct tree outside = tree_new();
    struct tree tree = make_tree(&rows[6]);
    struct error err = {0};
    struct text words = {0};
    enum promotion_state state;
    tree_write(&outside, "b", "old");
    tree_write(&outside, strchr(TEMPORARY_B, '.'), "new");
    char *before = tree_picture(&outside);
    ck_assert_int_eq(renameat(tree.fd, "d", tree.fd, "e"), 0);
    ck_assert_int_eq(symlinkat(outside.root, tree.fd, "d"), 0);
    ck_assert_int_eq(promotion_recover(tree.root, true, &state, &words, &err), -1);
    tree_same(&outside, before, "through a link");
    tree_expect(&tree, "a", "old");
    error_clear(&err);
    text_clear(&words);
    tree_free(&tree);
    tree_free(&outside);
}
END_TEST

/* A link or folder under a temporary file's name is not ours. */
START_TEST(no_file_of_ours) {
    struct tree tree = make_tree(&rows[2]);
    struct error err = {0};
    struct text words = {0};
    enum promotion_state state;
    ck_assert_int_eq(symlinkat("a", tree.fd, TEMPORARY_A), 0);
    unit_fails(promotion_recover(tree.root, true, &state, &words, &err), &err, ERROR_CONFLICT,
               "no file of ours");
    tree_expect(&tree, "a", "old");
    ck_assert_int_eq(faccessat(tree.fd, TEMPORARY_A, F_OK, AT_SYMLINK_NOFOLLOW), 0);
    text_clear(&words);
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("recover", {
    tcase_add_loop_test(cases, states, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, created_states, 0, sizeof created_rows / sizeof *created_rows);
    tcase_add_loop_test(cases, before_the_journal, 0, 2);
    tcase_add_test(cases, through_a_link);
    tcase_add_test(cases, no_file_of_ours);
})
