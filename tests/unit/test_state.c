#include "pipelines/state/state.h"

#include <sys/wait.h>

#include "tests/unit/tree.h"

static const struct state_config nothing = {0};

/* A command of the shell in the tree, which must succeed; for git. */
static void sh(const struct tree *tree, const char *script) {
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int log = open("/dev/null", O_WRONLY);
        dup2(log, 1);
        setenv("HOME", tree->root, 1);
        setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
        setenv("GIT_AUTHOR_NAME", "Test Author", 1);
        setenv("GIT_AUTHOR_EMAIL", "test@example.com", 1);
        setenv("GIT_COMMITTER_NAME", "Test Author", 1);
        setenv("GIT_COMMITTER_EMAIL", "test@example.com", 1);
        if (chdir(tree->root) == 0)
            execl("/bin/sh", "sh", "-euc", script, (char *)NULL);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "failed: %s", script);
}

/* Adds its line where it is not yet: a union, as the real one. */
struct adding {
    const char *line;
    size_t calls;
    const char *meanwhile; /* script that somebody runs before the first answer; NULL: nobody */
    const struct tree *tree;
};

static int add_line(void *context, const struct text *old, struct text *new, bool *damaged,
                    struct error *err) {
    struct adding *adding = context;
    if (adding->calls++ == 0 && adding->meanwhile != NULL)
        sh(adding->tree, adding->meanwhile);
    *damaged = old != NULL && strstr(text_string(old), "damaged") != NULL;
    if (old != NULL && !*damaged)
        text_append(new, text_string(old), old->length);
    if (strstr(text_string(new), adding->line) != NULL)
        text_truncate(new, 0);
    else
        text_printf(new, "%s\n", adding->line);
    return text_check(new, err);
}

static struct state *open_state(const char *root, const struct state_config *config,
                                const char *given) {
    struct error err = {0};
    struct state *state;
    struct state_options options = {.root = root, .config = config, .given = given};
    unit_ok(state_open(&options, &state, &err), &err);
    return state;
}

static void expect_state(struct state *state, const char *bytes) {
    struct error err = {0};
    struct text got = {0};
    bool absent;
    unit_ok(state_read(state, &state_sightings, &got, &absent, &err), &err);
    ck_assert_msg(absent == (bytes == NULL), "absent: %d", absent);
    ck_assert_msg(bytes == NULL || strcmp(text_string(&got), bytes) == 0, "\"%s\"",
                  text_string(&got));
    text_clear(&got);
}

static void add(struct state *state, const char *line) {
    struct error err = {0};
    struct adding adding = {.line = line};
    char *aside;
    unit_ok(state_update(state, &state_sightings, add_line, &adding, &aside, &err), &err);
    ck_assert_ptr_null(aside);
}

/* ---- who may grant ---- */

START_TEST(places) {
    static char folder[] = ".pingate/state", branch[] = "pingate-state", remote[] = "upstream";
    static const struct state_config by_folder = {.folder = folder}, by_branch = {.branch = branch},
                                     by_remote = {.branch = branch, .remote = remote};
    static const struct {
        const struct state_config *config;
        const char *given;
        const char *words; /* NULL: no state */
        bool may_write;
        const char *refused; /* NULL: not */
    } rows[] = {
        {&nothing, NULL, NULL, false, NULL},
        {&nothing, "none", NULL, false, NULL},
        {&by_folder, "none", NULL, false, NULL},
        {&by_branch, "none", NULL, false, NULL},
        {&by_folder, NULL, "folder .pingate/state", true, NULL},
        {&by_folder, "/var/x", "folder /var/x", true, NULL},
        {&nothing, "/var/x", "folder /var/x", true, NULL},
        {&nothing, "./branch", "folder ./branch", true, NULL},
        {&by_branch, NULL, "branch pingate-state of origin", false, NULL},
        {&by_branch, "branch", "branch pingate-state of origin", true, NULL},
        {&by_remote, "branch", "branch pingate-state of upstream", true, NULL},
        {&by_remote, NULL, "branch pingate-state of upstream", false, NULL},
        {&by_remote, "branch:ops/seen", "branch ops/seen of upstream", true, NULL},
        {&nothing, "branch:ops/seen", "branch ops/seen of origin", true, NULL},
        {&by_branch, "/var/x", "folder /var/x", true, NULL},
        {&nothing, "branch", NULL, false, "asks for no branch"},
        {&by_folder, "branch", NULL, false, "asks for no branch"},
        {&nothing, "branch:", NULL, false, "no name of a branch"},
        {&nothing, "branch:-x", NULL, false, "no name of a branch"},
        {&nothing, "branch:a..b", NULL, false, "no name of a branch"},
        {&nothing, "branch:a:b", NULL, false, "no name of a branch"},
        {&nothing, "branch:+a", NULL, false, "no name of a branch"},
    };
    struct tree tree = tree_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct state *state = NULL;
        struct state_options options = {
            .root = tree.root, .config = rows[i].config, .given = rows[i].given};
        if (rows[i].refused != NULL) {
            unit_fails(state_open(&options, &state, &err), &err, ERROR_USAGE, rows[i].refused);
            continue;
        }
        unit_ok(state_open(&options, &state, &err), &err);
        ck_assert_msg((state == NULL) == (rows[i].words == NULL), "row %zu", i);
        if (state == NULL)
            continue;
        ck_assert_msg(strcmp(state_words(state), rows[i].words) == 0, "row %zu: %s", i,
                      state_words(state));
        ck_assert_msg(state_may_write(state) == rows[i].may_write, "row %zu", i);
        state_free(state);
    }
    tree_free(&tree);
}
END_TEST

START_TEST(names) {
    static const char *const good[] = {"pingate-state", "pingate/state", "a", "A_b.c-9", "x/y/z"};
    static const char *const bad[] = {"",     "-a", "a b",      "a..b", "a/../b", "/a",    "a/",
                                      "a//b", ".a", "a/.b",     "a.",   "a.lock", "a~1",   "a^",
                                      "a:b",  "a?", "a*",       "a[",   "a\\b",   "a@{1}", "a\n",
                                      "é",    "..", "a.lock/b", "@"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(state_branch_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!state_branch_valid(bad[i]), "%s", bad[i]);
    ck_assert(state_remote_valid("origin"));
    ck_assert(!state_remote_valid("https://example.com"));
    ck_assert(!state_remote_valid("../elsewhere"));
    ck_assert(!state_remote_valid("a/b"));
    ck_assert(!state_remote_valid("ext::sh"));
}
END_TEST

/* ---- a folder ---- */

START_TEST(configured_folder) {
    static char folder[] = "a/b/state";
    static const struct state_config config = {.folder = folder};
    struct tree tree = tree_new();
    struct state *state = open_state(tree.root, &config, NULL);
    expect_state(state, NULL);
    ck_assert(!file_exists("a"));
    add(state, "one");
    expect_state(state, "one\n");
    add(state, "two");
    char *picture = tree_picture(&tree);
    add(state, "two"); /* nothing new: nothing is written */
    tree_same(&tree, picture, "nothing new");
    tree_expect(&tree, "a/b/state/sightings.jsonl", "one\ntwo\n");
    tree_expect(&tree, "a/b/state/.gitignore", "*\n");
    state_free(state);
    tree_free(&tree);
}
END_TEST

START_TEST(named_folder) {
    struct tree tree = tree_new();
    char path[128];
    snprintf(path, sizeof path, "%s/cache/here", tree.root);
    struct state *state = open_state("/nowhere", &nothing, path);
    expect_state(state, NULL);
    add(state, "one");
    tree_expect(&tree, "cache/here/sightings.jsonl", "one\n");
    snprintf(path, sizeof path, "%s/cache/here/.gitignore", tree.root);
    ck_assert(!file_exists(path)); /* the caller's folder is the caller's */
    state_free(state);
    tree_free(&tree);
}
END_TEST

START_TEST(links_are_not_followed) {
    static char folder[] = "a/state";
    static const struct state_config config = {.folder = folder};
    static const char *const scripts[] = {
        "mkdir victim; ln -s victim a", "mkdir a victim; ln -s ../victim a/state",
        "mkdir -p a/state; touch victim; ln -s ../../victim a/state/sightings.jsonl",
        "mkdir -p a; touch a/state", "touch a"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct tree tree = tree_new();
        struct error err = {0};
        struct text got = {0};
        struct adding adding = {.line = "one"};
        char *aside;
        bool absent;
        sh(&tree, scripts[i]);
        struct state *state = open_state(tree.root, &config, NULL);
        char *picture = tree_picture(&tree);
        ck_assert_msg(state_read(state, &state_sightings, &got, &absent, &err) == -1 || absent,
                      "script %zu: read", i);
        error_clear(&err);
        ck_assert_msg(state_update(state, &state_sightings, add_line, &adding, &aside, &err) == -1,
                      "script %zu: written", i);
        error_clear(&err);
        ck_assert_uint_eq(adding.calls, 0);
        tree_same(&tree, picture, scripts[i]);
        text_clear(&got);
        state_free(state);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(part_of_the_repository) {
    static char folder[] = "state";
    static const struct state_config config = {.folder = folder};
    struct tree tree = tree_new();
    struct error err = {0};
    struct state *state = NULL;
    struct state_options options = {.root = tree.root, .config = &config};
    sh(&tree, "git init -q; mkdir state; echo x >state/sightings.jsonl");
    unit_ok(state_open(&options, &state, &err), &err); /* not added: it is nobody's yet */
    state_freep(&state);
    sh(&tree, "git add -f state");
    unit_fails(state_open(&options, &state, &err), &err, ERROR_CONFIG, "part of the repository");
    tree_free(&tree);
}
END_TEST

START_TEST(damaged_is_kept_aside) {
    struct tree tree = tree_new();
    struct error err = {0};
    struct adding adding = {.line = "one"};
    char *aside[3], path[256];
    snprintf(path, sizeof path, "%s/s", tree.root);
    struct state *state = open_state(tree.root, &nothing, path);
    for (size_t i = 0; i < 3; i++) { /* within a second */
        char bytes[32];
        snprintf(bytes, sizeof bytes, "damaged %zu", i);
        tree_write(&tree, "s/sightings.jsonl", bytes);
        unit_ok(state_update(state, &state_sightings, add_line, &adding, &aside[i], &err), &err);
        ck_assert_ptr_nonnull(aside[i]);
        expect_state(state, "one\n");
    }
    for (size_t i = 0; i < 3; i++) {
        char bytes[32];
        snprintf(bytes, sizeof bytes, "damaged %zu", i);
        ck_assert_ptr_nonnull(strstr(aside[i], "/s/sightings.jsonl.damaged-2"));
        tree_expect(&tree, aside[i] + strlen(tree.root) + 1, bytes);
        free(aside[i]);
    }
    state_free(state);
    tree_free(&tree);
}
END_TEST

/* What a run that was killed while it wrote left is neither read nor in the way. */
START_TEST(what_a_killed_run_left) {
    struct tree tree = tree_new();
    char path[128];
    snprintf(path, sizeof path, "%s/s", tree.root);
    tree_write(&tree, "s/sightings.jsonl", "one\n");
    tree_write(&tree, "s/.state.new", "tw");
    struct state *state = open_state(tree.root, &nothing, path);
    expect_state(state, "one\n");
    add(state, "two");
    expect_state(state, "one\ntwo\n");
    snprintf(path, sizeof path, "%s/s/.state.new", tree.root);
    ck_assert(!file_exists(path));
    state_free(state);
    tree_free(&tree);
}
END_TEST

/* What was read is what is replaced: nobody else may write between the two. */
START_TEST(locked_while_it_merges) {
    struct tree tree = tree_new();
    struct error err = {0};
    char path[128];
    char *aside;
    snprintf(path, sizeof path, "%s/s", tree.root);
    struct state *state = open_state(tree.root, &nothing, path);
    struct adding adding = {
        .line = "one", .meanwhile = "if flock -n s true; then exit 1; fi", .tree = &tree};
    unit_ok(state_update(state, &state_sightings, add_line, &adding, &aside, &err), &err);
    ck_assert_uint_eq(adding.calls, 1);
    sh(&tree, "flock -n s true"); /* and free afterwards */
    state_free(state);
    tree_free(&tree);
}
END_TEST

/* Many processes at once: nobody's line is lost. */
START_TEST(many_at_once_in_a_folder) {
    enum { PROCESSES = 8, LINES = 10 };
    struct tree tree = tree_new();
    char path[128];
    pid_t pids[PROCESSES];
    snprintf(path, sizeof path, "%s/s", tree.root);
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        ck_assert_int_ge(pids[p], 0);
        if (pids[p] > 0)
            continue;
        struct error err = {0};
        struct state *state;
        struct state_options options = {.root = tree.root, .config = &nothing, .given = path};
        int failed = state_open(&options, &state, &err);
        for (int l = 0; l < LINES && failed == 0; l++) {
            char line[32];
            char *aside;
            snprintf(line, sizeof line, "<%d.%d>", p, l);
            struct adding adding = {.line = line};
            failed = state_update(state, &state_sightings, add_line, &adding, &aside, &err);
        }
        _exit(failed == 0 ? 0 : 1);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        ck_assert_int_eq(waitpid(pids[p], &status, 0), pids[p]);
        ck_assert_int_eq(status, 0);
    }
    struct error err = {0};
    struct text got = {0};
    unit_ok(file_read_at(tree.fd, "s/sightings.jsonl", 1 << 20, &got, &err), &err);
    for (int p = 0; p < PROCESSES; p++)
        for (int l = 0; l < LINES; l++) {
            char line[32];
            snprintf(line, sizeof line, "<%d.%d>", p, l);
            ck_assert_msg(strstr(text_string(&got), line) != NULL, "%s is lost", line);
        }
    text_clear(&got);
    tree_free(&tree);
}
END_TEST

/* ---- a branch ---- */

static char branch_name[] = "pingate-state";
static const struct state_config of_branch = {.branch = branch_name};

/* A bare repository with one commit and a clone of it, made as asked. */
static struct tree remote_and_clone(const char *clone, char work[128]) {
    struct tree tree = tree_new();
    sh(&tree, "git init -q --bare -b main remote.git\n"
              "git init -q -b main first; cd first\n"
              "for i in 1 2 3; do echo $i >file; git add file; git commit -qm $i; done\n"
              "git push -q ../remote.git main 2>/dev/null");
    sh(&tree, clone);
    snprintf(work, 128, "%s/work", tree.root);
    return tree;
}

START_TEST(read_and_pushed) {
    static const char *const clones[] = {
        "git clone -q remote.git work",
        "git clone -q --depth=1 \"file://$PWD/remote.git\" work",
        /* as CI systems do it */
        "git init -q work; cd work; git remote add origin \"file://$HOME/remote.git\"; "
        "git fetch -q --depth=1 origin main; git checkout -q --detach FETCH_HEAD",
    };
    for (size_t i = 0; i < sizeof clones / sizeof *clones; i++) {
        char work[128];
        struct tree tree = remote_and_clone(clones[i], work);
        sh(&tree,
           "cd work; echo changed >file; echo new >untracked; git add file; echo more >file\n"
           "git status --porcelain >../before; git rev-parse HEAD >>../before\n"
           "git rev-parse --is-shallow-repository >>../before; git branch >>../before");
        struct state *state = open_state(work, &of_branch, "branch");
        expect_state(state, NULL);
        add(state, "one");
        expect_state(state, "one\n");
        add(state, "two");
        add(state, "two");
        expect_state(state, "one\ntwo\n");
        sh(&tree, "cd work; git status --porcelain >../after; git rev-parse HEAD >>../after\n"
                  "git rev-parse --is-shallow-repository >>../after; git branch >>../after\n"
                  "cmp ../before ../after\n"
                  "cd ../remote.git; test \"$(git rev-list --count pingate-state)\" = 2\n"
                  "test -z \"$(git merge-base pingate-state main || true)\"\n"
                  "test \"$(git ls-tree --name-only pingate-state | tr '\\n' ' ')\" = "
                  "'README.md sightings.jsonl '\n"
                  "test \"$(git rev-list --count main)\" = 3\n"
                  "git log -1 --format=%B pingate-state | grep -q 'skip ci'\n"
                  "git fsck --strict");
        state_free(state);
        /* Another clone reads it. */
        sh(&tree, "rm -rf work; git clone -q remote.git work");
        state = open_state(work, &of_branch, NULL);
        expect_state(state, "one\ntwo\n");
        add(state, "three"); /* without the caller's word: nothing happens */
        expect_state(state, "one\ntwo\n");
        state_free(state);
        tree_free(&tree);
    }
}
END_TEST

/* Somebody pushes between our look and our push: on the branch that is there, and on one that was not there yet. */
START_TEST(faster_others) {
    static const char other[] = "rm -rf other; git clone -q remote.git other; cd other\n"
                                "git checkout -q pingate-state 2>/dev/null || { git checkout -q "
                                "--orphan pingate-state; git "
                                "rm -rfq .; echo '# State of pingate' >README.md; }\n"
                                "echo theirs >>sightings.jsonl; git add .; git commit -qm theirs\n"
                                "git push -q origin pingate-state 2>/dev/null";
    for (int there = 0; there < 2; there++) {
        char work[128];
        struct error err = {0};
        char *aside;
        struct tree tree =
            remote_and_clone("git clone -q --depth=1 \"file://$PWD/remote.git\" work", work);
        struct state *state = open_state(work, &of_branch, "branch");
        if (there)
            add(state, "old");
        struct adding adding = {.line = "ours", .meanwhile = other, .tree = &tree};
        unit_ok(state_update(state, &state_sightings, add_line, &adding, &aside, &err), &err);
        ck_assert_uint_eq(adding.calls, 2);
        expect_state(state, there ? "old\ntheirs\nours\n" : "theirs\nours\n");
        state_free(state);
        tree_free(&tree);
    }
}
END_TEST

/* Other files of the branch stay; a damaged one stays in its history. */
START_TEST(branch_keeps_the_rest) {
    char work[128];
    struct error err = {0};
    char *aside;
    struct adding adding = {.line = "one"};
    struct tree tree = remote_and_clone("git clone -q remote.git work", work);
    sh(&tree, "git clone -q remote.git other; cd other; git checkout -q --orphan pingate-state\n"
              "git rm -rfq .; echo '# State of pingate' >README.md; echo damaged >sightings.jsonl\n"
              "echo cache >cache.json; git add .; git commit -qm x; git push -q origin HEAD\n"
              "git rev-parse HEAD >../damaged");
    struct state *state = open_state(work, &of_branch, "branch");
    unit_ok(state_update(state, &state_sightings, add_line, &adding, &aside, &err), &err);
    ck_assert_ptr_nonnull(aside);
    ck_assert_ptr_nonnull(strstr(aside, ":sightings.jsonl in the history of the branch"));
    expect_state(state, "one\n");
    sh(&tree, "cd remote.git; test \"$(git show pingate-state:cache.json)\" = cache\n"
              "test \"$(git show \"$(cat ../damaged):sightings.jsonl\")\" = damaged\n"
              "git merge-base --is-ancestor \"$(cat ../damaged)\" pingate-state");
    free(aside);
    state_free(state);
    tree_free(&tree);
}
END_TEST

static int no_merge(void *context, const struct text *old, struct text *new, bool *damaged,
                    struct error *err) {
    (void)old;
    (void)damaged;
    (void)err;
    ++*(int *)context;
    text_add(new, "never\n");
    return 0;
}

START_TEST(branch_refused) {
    static const struct {
        const char *script;
        bool may_read;
        enum error_kind kind;
        const char *words;
    } rows[] = {
        /* a branch with somebody's work */
        {"cd first; git push -q ../remote.git main:pingate-state", false, ERROR_CONFIG,
         "no branch of state"},
        {"cd first; git checkout -q --orphan x; git rm -rfq .; echo x >README.md; git add .; git "
         "commit -qm x; git push -q ../remote.git x:pingate-state",
         false, ERROR_CONFIG, "no branch of state"},
        /* no remote of that name, or none that answers */
        {"cd work; git remote remove origin", false, ERROR_CONFIG, "no remote \"origin\""},
        {"mv remote.git gone.git", false, ERROR_CONFIG, "no remote \"origin\""},
        {"cd work; git remote set-url origin http://127.0.0.1:1/x.git", false, ERROR_NETWORK,
         "git ls-remote"},
        /* an address that runs a program */
        {"cd work; git remote set-url origin 'ext::touch pwned'", false, ERROR_NETWORK,
         "transport 'ext' not allowed"},
        /* a branch that is protected */
        {"printf '#!/bin/sh\\necho refused by a rule >&2\\nexit 1\\n' "
         ">remote.git/hooks/pre-receive; "
         "chmod +x remote.git/hooks/pre-receive",
         true, ERROR_AUTH, "[remote rejected]"},
        {"rm -rf work; mkdir work", false, ERROR_CONFIG, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char work[128];
        struct error err = {0};
        struct text got = {0};
        char *aside;
        bool absent;
        int merged = 0;
        struct tree tree = remote_and_clone("git clone -q remote.git work", work);
        sh(&tree, rows[i].script);
        sh(&tree, "test ! -d remote.git || git -C remote.git for-each-ref >before");
        struct state *state = open_state(work, &of_branch, "branch");
        if (rows[i].may_read)
            expect_state(state, NULL);
        else
            unit_fails(state_read(state, &state_sightings, &got, &absent, &err), &err, rows[i].kind,
                       rows[i].words);
        unit_fails(state_update(state, &state_sightings, no_merge, &merged, &aside, &err), &err,
                   rows[i].kind, rows[i].words);
        ck_assert_int_eq(merged, rows[i].may_read);
        sh(&tree, "test ! -d remote.git || { git -C remote.git for-each-ref >after; cmp before "
                  "after; }\ntest ! -e work/pwned");
        state_free(state);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(many_at_once_on_a_branch) {
    enum { PROCESSES = 4 };
    char work[128];
    struct tree tree = remote_and_clone(
        "for i in 0 1 2 3; do git clone -q --depth=1 \"file://$PWD/remote.git\" work$i; done",
        work);
    pid_t pids[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        ck_assert_int_ge(pids[p], 0);
        if (pids[p] > 0)
            continue;
        struct error err = {0};
        char mine[160], line[32];
        char *aside;
        struct state *state;
        snprintf(mine, sizeof mine, "%s%d", work, p);
        snprintf(line, sizeof line, "<%d>", p);
        struct state_options options = {.root = mine, .config = &of_branch, .given = "branch"};
        struct adding adding = {.line = line};
        int failed = state_open(&options, &state, &err);
        if (failed == 0)
            failed = state_update(state, &state_sightings, add_line, &adding, &aside, &err);
        if (failed != 0)
            fprintf(stderr, "%s\n", error_message(&err));
        _exit(failed == 0 ? 0 : 1);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        ck_assert_int_eq(waitpid(pids[p], &status, 0), pids[p]);
        ck_assert_int_eq(status, 0);
    }
    sh(&tree, "git -C remote.git show pingate-state:sightings.jsonl >got\n"
              "for p in 0 1 2 3; do grep -q \"<$p>\" got; done; test \"$(wc -l <got)\" = 4");
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("state", {
    tcase_add_test(cases, places);
    tcase_add_test(cases, names);
    tcase_add_test(cases, configured_folder);
    tcase_add_test(cases, named_folder);
    tcase_add_test(cases, links_are_not_followed);
    tcase_add_test(cases, part_of_the_repository);
    tcase_add_test(cases, damaged_is_kept_aside);
    tcase_add_test(cases, what_a_killed_run_left);
    tcase_add_test(cases, locked_while_it_merges);
    tcase_add_test(cases, many_at_once_in_a_folder);
    tcase_add_test(cases, read_and_pushed);
    tcase_add_test(cases, faster_others);
    tcase_add_test(cases, branch_keeps_the_rest);
    tcase_add_test(cases, branch_refused);
    tcase_add_test(cases, many_at_once_on_a_branch);
})
