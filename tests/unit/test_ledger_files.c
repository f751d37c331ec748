#include "pipelines/stages/ledger.h"

#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

#define NOON 1764158400123LL /* 2025-11-26T12:00:00.123Z */

/* Writes one file of the ledger, with as many entries as told. Gives its path, in a buffer that is used again. */
static const char *write_file(const struct tree *tree, const char *actor, size_t count) {
    static char path[256];
    struct error err = {0};
    struct ledger_file file;
    struct ledger_entry drafts[8];
    for (size_t i = 0; i < count; i++)
        drafts[i] = (struct ledger_entry){
            .type = LEDGER_RELEASED, .actor = actor, .time_ms = NOON + (int64_t)i};
    unit_ok(ledger_format(drafts, count, NOON, &file, &err), &err);
    tree_write(tree, file.path, file.bytes.bytes);
    snprintf(path, sizeof path, "%s", file.path);
    ledger_file_clear(&file);
    return path;
}

START_TEST(no_ledger_is_an_empty_one) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct ledger ledger;
    unit_ok(ledger_load(tree.root, &ledger, &err), &err);
    ck_assert_uint_eq(ledger.count, 0);
    ledger_clear(&ledger);
    tree_write(&tree, ".pingate/ledger/README", "what this is\n");
    unit_ok(ledger_load(tree.root, &ledger, &err), &err);
    ck_assert_uint_eq(ledger.count, 0);
    ck_assert_uint_eq(ledger.files, 0);
    ledger_clear(&ledger);
    unit_fails(ledger_load("/nonexistent", &ledger, &err), &err, ERROR_IO, "/nonexistent");
    tree_free(&tree);
}
END_TEST

START_TEST(files_in_any_order) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct ledger ledger;
    write_file(&tree, "ada", 3);
    write_file(&tree, "bob", 2);
    tree_write(&tree, ".pingate/ledger/README", "what this is\n");
    tree_write(&tree, ".pingate/ledger/.gitattributes", "* -text\n");
    tree_write(&tree, ".pingate/ledger/2025-11/.gitkeep", "");
    tree_write(&tree, ".pingate/ledger/2025-11/x.jsonl.orig", "left by a merge\n");
    tree_write(&tree, ".pingate/ledger/old/notes.txt", "harmless\n");
    unit_ok(ledger_load(tree.root, &ledger, &err), &err);
    ck_assert_uint_eq(ledger.count, 5);
    ck_assert_uint_eq(ledger.files, 2);
    for (size_t i = 1; i < ledger.count; i++)
        ck_assert_int_le(ledger.items[i - 1].time_ms, ledger.items[i].time_ms);
    ledger_clear(&ledger);
    tree_free(&tree);
}
END_TEST

static void make_link(const struct tree *tree, const char *to, const char *at) {
    ck_assert_int_eq(symlinkat(to, tree->fd, at), 0);
}

static void make_folder(const struct tree *tree, const char *at) {
    ck_assert_int_eq(mkdirat(tree->fd, at, 0755), 0);
}

/* What stands in the way of one good file in 2025-11; {} is its path. */
START_TEST(what_hides_entries_is_damage) {
    static const struct {
        enum { BYTES, LINK, FOLDER, PIPE } kind;
        const char *at;
        const char *bytes;
        const char *why;
    } rows[] = {
        {BYTES, ".pingate/ledger/a.jsonl", "{}\n", "stands in no month's folder"},
        {BYTES, ".pingate/ledger/old/a.jsonl", "{}\n", "stands in no month's folder"},
        {BYTES, ".pingate/ledger/2025-11-x/20251126T120000Z-4f0c2a91d3b87e65.jsonl", "{}\n",
         "stands in no month's folder"},
        {BYTES, ".pingate/ledger/2025-11/a.jsonl", "{}\n", "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/.jsonl", "{}\n", "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/20251126T120000Z-4F0C2A91D3B87E65.jsonl", "{}\n",
         "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e65 (1).jsonl", "{}\n",
         "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e6.jsonl", "{}\n",
         "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/compacted-4f0c2a91d3b87e6.jsonl", "{}\n",
         "its name is none"},
        {BYTES, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e65.jsonl", "{}\n",
         "its bytes are not those"},
        {BYTES, ".pingate/ledger/2025-11/compacted-4f0c2a91d3b87e65.jsonl", "{}\n",
         "its bytes are not those"},
        {BYTES, ".pingate/ledger/2025-11/compacted-4f0c2a91d3b87e65.jsonl", "", "is empty"},
        {BYTES, ".pingate/ledger/2025-11/compacted-ca3d163bab055381.jsonl", "{}\n",
         "line 1: lacks one of actor"},
        {LINK, ".pingate/ledger/2025-12", "2025-11", "is a link"},
        {LINK, ".pingate/ledger/README", "../../README", "is a link"},
        {LINK, ".pingate/ledger/2025-11/notes", "/etc/passwd", "is a link"},
        {LINK, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e65.jsonl", "/dev/zero",
         "is a link"},
        {FOLDER, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e65.jsonl", NULL,
         "is no plain file"},
        {FOLDER, ".pingate/ledger/2025-11/more", NULL, "is a folder"},
        {FOLDER, ".pingate/ledger/old/more", NULL, "is a folder"},
        {PIPE, ".pingate/ledger/2025-11/20251126T120000Z-4f0c2a91d3b87e65.jsonl", NULL,
         "is no plain file"},
        {PIPE, ".pingate/ledger/2025-11/a.jsonl", NULL, "its name is none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tree tree = tree_new();
        struct error err = {0};
        struct ledger ledger;
        struct ledger_damage_list damage;
        write_file(&tree, "ada", 3);
        make_folder(&tree, ".pingate/ledger/old");
        if (rows[i].kind == BYTES)
            tree_write(&tree, rows[i].at, rows[i].bytes);
        if (rows[i].kind == LINK)
            make_link(&tree, rows[i].bytes, rows[i].at);
        if (rows[i].kind == FOLDER)
            make_folder(&tree, rows[i].at);
        if (rows[i].kind == PIPE)
            ck_assert_int_eq(mkfifoat(tree.fd, rows[i].at, 0644), 0);
        ck_assert_msg(ledger_load(tree.root, &ledger, &err) == -1, "row %zu: no error", i);
        ck_assert_msg(err.kind == ERROR_IO && strstr(err.message, rows[i].at) != NULL &&
                          strstr(err.message, rows[i].why) != NULL &&
                          (strstr(err.message, "git checkout HEAD -- ") != NULL ||
                           strstr(err.message, "remove it") != NULL),
                      "row %zu: %s", i, error_message(&err));
        error_clear(&err);
        unit_ok(ledger_verify(tree.root, &ledger, &damage, &err), &err);
        ck_assert_msg(damage.count == 1 && strcmp(damage.items[0].file, rows[i].at) == 0,
                      "row %zu: %zu damaged", i, damage.count);
        ck_assert_ptr_nonnull(strstr(damage.items[0].reason, rows[i].why));
        ck_assert_uint_eq(ledger.count, 3);
        ledger_damage_list_clear(&damage);
        ledger_clear(&ledger);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(all_damage_is_told) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct ledger ledger;
    struct ledger_damage_list damage;
    write_file(&tree, "ada", 2);
    char torn[256];
    snprintf(torn, sizeof torn, "%s", write_file(&tree, "bob", 2));
    tree_write(&tree, torn, "<<<<<<< HEAD\n");
    tree_write(&tree, ".pingate/ledger/2024-01/x.jsonl", "");
    unit_ok(ledger_verify(tree.root, &ledger, &damage, &err), &err);
    ck_assert_uint_eq(ledger.count, 2);
    ck_assert_uint_eq(ledger.files, 1);
    ck_assert_uint_eq(damage.count, 2);
    ck_assert_str_eq(damage.items[0].file, ".pingate/ledger/2024-01/x.jsonl");
    ck_assert_str_eq(damage.items[1].file, torn);
    ck_assert_ptr_nonnull(strstr(damage.items[1].reason, "merge conflict"));
    ledger_damage_list_clear(&damage);
    ledger_clear(&ledger);
    tree_free(&tree);
}
END_TEST

START_TEST(links_on_the_way) {
    static const char *const at[] = {".pingate", ".pingate/ledger"};
    for (size_t i = 0; i < 2; i++) {
        struct tree tree = tree_new();
        struct error err = {0};
        struct ledger ledger;
        make_folder(&tree, "elsewhere");
        make_folder(&tree, "elsewhere/ledger");
        if (i == 1)
            make_folder(&tree, ".pingate");
        make_link(&tree, i == 0 ? "elsewhere" : "../elsewhere", at[i]);
        unit_fails(ledger_load(tree.root, &ledger, &err), &err, ERROR_IO, "a link stands");
        ck_assert_int_eq(unlinkat(tree.fd, at[i], 0), 0);
        tree_write(&tree, at[i], "a file\n");
        unit_fails(ledger_load(tree.root, &ledger, &err), &err, ERROR_IO, "is no folder");
        tree_free(&tree);
    }
}
END_TEST

START_TEST(large_files_are_refused) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct ledger ledger;
    static const char at[] = ".pingate/ledger/2025-11/compacted-4f0c2a91d3b87e65.jsonl";
    tree_write(&tree, at, "{}\n");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", tree.root, at);
    ck_assert_int_eq(truncate(path, (off_t)LEDGER_FILE_LIMIT + 1), 0);
    unit_fails(ledger_load(tree.root, &ledger, &err), &err, ERROR_LIMIT, "is larger than");
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("ledger_files", {
    tcase_add_test(cases, no_ledger_is_an_empty_one);
    tcase_add_test(cases, files_in_any_order);
    tcase_add_test(cases, what_hides_entries_is_damage);
    tcase_add_test(cases, all_damage_is_told);
    tcase_add_test(cases, links_on_the_way);
    tcase_add_test(cases, large_files_are_refused);
})
