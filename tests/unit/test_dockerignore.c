#include "runners/dockerignore.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

/* Each path with "-" for what is left out and "+" for what is sent. */
static const struct row {
    const char *file, *paths;
} rows[] = {
    /* what is no pattern */
    {"", "+a"},
    {"\n\n  \n\t\n", "+a"},
    {"# a\n#b\n", "+a +b +#b"},
    {"  # a\n", "+a -#\\sa"}, /* white space before the "#": no comment */
    {"\xEF\xBB\xBF# a\nb", "+a -b"},
    {"\xEF\xBB\xBF"
     "a",
     "-a"},
    {"a\r\nb\r\n", "-a -b +c"},
    {"  a  ", "-a"},
    {"\ta\t\nb", "-a -b"},
    {"a\n\nb", "-a -b"},
    /* paths */
    {"a", "-a +b +x/a +ab +aa"},
    {"a/b", "-a/b +a +a/c +x/a/b"},
    {"/a", "-a +x/a"},
    {"/a/b/", "-a/b -a/b/c"},
    {"./a", "-a"},
    {"a//b", "-a/b"},
    {"a/./b", "-a/b"},
    {"a/../b", "-b +a +a/b"},
    {"a/b/../../c", "-c +a/b"},
    {"../a", "+a +x/a"},
    {"/../a", "-a"},
    {"a/", "-a -a/b"},
    {".", "+a +a/b"},
    {"/", "+a +a/b"},
    {"..", "+a"},
    {".git", "-.git -.git/config +a/.git +.gitignore"},
    /* a folder above */
    {"a", "-a/b -a/b/c +b/a/c"},
    {"a/*", "+a -a/b -a/b/c"},
    {"*/b", "-a/b -a/b/c +b +x/a/b"},
    /* one star, one character */
    {"*", "-a -.a -a/b"},
    {"*.log", "-a.log -.log +a.txt +x/a.log"},
    {"a*", "-a -ab -ab/c +ba"},
    {"a*c", "-ac -abc -abbc +abcd +a/c"},
    {"*a*", "-a -bab -b.a.b +b"},
    {"a?c", "-abc +ac +abbc +a/c"},
    {"?", "-a -\xC3\xA4 +ab +\xC3\xA4\xC3\xA4"}, /* a character, not a byte */
    {"*/*/c", "-a/b/c +a/c +a/b/d/c"},
    /* two stars */
    {"**", "-a -a/b -.a"},
    {"**/a", "-a -x/a -x/y/a -a/z +xa +ax"},
    {"**/a/b", "-a/b -x/a/b +x/b"},
    {"a/**", "+a -a/b -a/b/c +b"},
    {"a/**/b", "-a/b -a/x/b -a/x/y/b +a/xb +b"},
    {"**/*.log", "-a.log -x/a.log -x/y/.log +a.txt"},
    {"**/a/**", "+a -a/b -x/a/b +x/a"},
    {"a**", "-a -ab -ab/c -a/b +ba"},
    {"a**b", "-ab -ax/b -a/b +axb"},
    {"**a", "-a -ba -x/ba +ab"}, /* as a client has it: the end of any path */
    {"***", "-a -a/b"},
    {"**/**/a", "-a -x/a -x/y/z/a"},
    {"**/.git", "-.git -x/.git -x/.git/config +x/.github"},
    /* classes */
    {"[abc]", "-a -c +d +ab"},
    {"[a-c]x", "-ax -cx +dx"},
    {"[^a-c]x", "+ax -dx"},
    {"[!a]x", "-ax -!x +bx"}, /* "!" is a character here */
    {"a[-x]", "!"},
    {"[\\]]", "-]"},
    {"[\\-a]", "-- -a +b"},
    {"[\xC3\xA4-\xC3\xB6]", "-\xC3\xA5 +a"},
    {"a]", "-a]"},
    /* characters themselves */
    {"\\*", "-* +a"},
    {"\\#a", "-#a"},
    {"\\!a", "-!a"},
    {"a\\b", "-ab"},
    {"a.b", "-a.b +axb"},
    {"a+(b)|{c}$^", "-a+(b)|{c}$^ +aab"},
    /* what comes in again */
    {"*\n!a", "+a +a/b -b"},
    {"!a\n*", "-a -b"}, /* the last that matches decides */
    {"a\n!a/b", "-a/c +a/b +a/b/c"},
    {"a\n!a/b\na/b/c", "+a/b/x -a/b/c"},
    {"*.md\n!README*.md\nREADME-secret.md", "-a.md +README.md +README-a.md -README-secret.md"},
    {"*.md\nREADME-secret.md\n!README*.md", "+README-secret.md"},
    {"**\n!**/*.c", "+a.c +x/a.c -a.h"},
    {"a\n! b\n!/a/x", "+a/x -a/y"},
    {"!", "!"},
    {"a\n!  \nb", "!"},
    {"Dockerfile\n.dockerignore", "-Dockerfile -.dockerignore"}, /* files like others */
    /* what is none */
    {"[a", "!"},
    {"a[]", "!"},
    {"[a-]", "!"},
    {"[-a]", "!"},
    {"a\\", "!"},
};

static void check_paths(const struct dockerignore *ignore, const struct row *row) {
    for (const char *at = row->paths; *at != '\0';) {
        size_t length = strcspn(at, " ");
        char path[64] = {0};
        size_t to = 0;
        for (size_t i = 1; i < length; i++) /* "\s" is a blank in a path */
            if (at[i] == '\\' && at[i + 1] == 's')
                path[to++] = ' ', i++;
            else
                path[to++] = at[i];
        ck_assert_msg(dockerignore_excludes(ignore, path) == (*at == '-'), "\"%s\": %.*s",
                      row->file, (int)length, at);
        at += length + (at[length] == ' ' ? 1 : 0);
    }
}

START_TEST(row) {
    const struct row *r = &rows[_i];
    struct dockerignore ignore = {0};
    struct error err = {0};
    int result = dockerignore_parse(r->file, strlen(r->file), &ignore, &err);
    if (*r->paths == '!' && r->paths[1] == '\0') {
        ck_assert_msg(result == -1 && err.kind == ERROR_INPUT, "\"%s\" is an error", r->file);
        ck_assert_msg(string_has_prefix(error_message(&err), "line "), "%s", error_message(&err));
    } else {
        ck_assert_msg(result == 0, "\"%s\": %s", r->file, error_message(&err));
        check_paths(&ignore, r);
    }
    error_clear(&err);
    dockerignore_clear(&ignore);
}
END_TEST

/* Folders that nobody needs to look into. */
START_TEST(folders) {
    static const struct {
        const char *file, *folder;
        bool prunes;
    } cases[] = {
        {"a", "a", true},         {"a", "b", false},
        {"a\n!a/b", "a", false},  {"a\n!b", "a", true},
        {"a\n!ab", "a", true},    {"a\n!**/c", "a", false},
        {"a\n!*/c", "a", false},  {"a/b\n!a/c", "a/b", false},
        {"a/b\n!b", "a/b", true}, {"a\n!a\na", "a", false},
        {"", "a", false},         {"**/x", "a/x", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dockerignore ignore = {0};
        struct error err = {0};
        unit_ok(dockerignore_parse(cases[i].file, strlen(cases[i].file), &ignore, &err), &err);
        ck_assert_msg(dockerignore_prunes(&ignore, cases[i].folder) == cases[i].prunes,
                      "\"%s\": %s", cases[i].file, cases[i].folder);
        dockerignore_clear(&ignore);
    }
}
END_TEST

START_TEST(two_files_and_limits) {
    struct dockerignore ignore = {0};
    struct error err = {0};
    unit_ok(dockerignore_parse("**/.git\n", 8, &ignore, &err), &err);
    unit_ok(dockerignore_parse("!.git", 5, &ignore, &err), &err);
    ck_assert(!dockerignore_excludes(&ignore, ".git") && dockerignore_excludes(&ignore, "a/.git"));
    unit_fails(dockerignore_parse("a\nb\0c", 5, &ignore, &err), &err, ERROR_INPUT, "line 2");
    char *large = calloc(1, DOCKERIGNORE_LIMIT + 1);
    ck_assert_ptr_nonnull(large);
    memset(large, '\n', DOCKERIGNORE_LIMIT + 1);
    unit_fails(dockerignore_parse(large, DOCKERIGNORE_LIMIT + 1, &ignore, &err), &err, ERROR_LIMIT,
               "larger than");
    for (size_t i = 0; i < DOCKERIGNORE_LIMIT; i += 2)
        large[i] = 'a';
    unit_fails(dockerignore_parse(large, DOCKERIGNORE_LIMIT, &ignore, &err), &err, ERROR_LIMIT,
               "patterns");
    free(large);
    dockerignore_clear(&ignore);
}
END_TEST

UNIT_MAIN("dockerignore", {
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, folders);
    tcase_add_test(cases, two_files_and_limits);
})
