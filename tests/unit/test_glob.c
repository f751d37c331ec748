#include "gate/base/glob.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

START_TEST(whole_paths) {
    static const struct {
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "ab", false},
        {"", "", true},
        {"*", "", true},
        {"*", "abc", true},
        {"*", "a/b", false},
        {"*.yaml", "a.yaml", true},
        {"*.yaml", ".yaml", true},
        {"*.yaml", "a.yml", false},
        {"*.yaml", "d/a.yaml", false},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXbXbX", false},
        {"*-rc*", "7.2-rc1", true},
        {"*-rc*", "7.2", false},
        {"a?c", "abc", true},
        {"a?c",
         "a\xC3\xA4"
         "c",
         true},
        {"a?c", "ac", false},
        {"a?c", "a/c", false},
        {"[abc]x", "bx", true},
        {"[abc]x", "dx", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[^a-c]x", "bx", false},
        {"[]]x", "]x", true},
        {"[!]]x", "ax", true},
        {"[a-]x", "-x", true},
        {"[\\]]x", "]x", true},
        {"[a/b]x", "a", false},
        {"a[x", "a[x", true},
        {"[!a]", "/", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\[a]", "[a]", true},
        {"**", "a", true},
        {"**", "a/b/c", true},
        {"a/**", "a/b", true},
        {"a/**", "a/b/c", true},
        {"a/**", "a", false},
        {"a/**", "ab/c", false},
        {"**/b", "b", true},
        {"**/b", "a/b", true},
        {"**/b", "a/a/b", true},
        {"**/b", "a/ab", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/xb", false},
        {"a/**/b/**/c", "a/b/x/b/y/c", true},
        {"a/**/b/**/c", "a/x/c", false},
        {"**/**", "a", true},
        {"**/a/*.md", "x/a/b/a/c.md", true},
        {"**/a/*.md", "x/a/b/c.md", false},
        {"a**b", "axxb", true},
        {"a**b", "ax/xb", false},
        {"a/*/c", "a/b/c", true},
        {"a/*/c", "a/b/b/c", false},
        {"docker.io/library/*", "docker.io/library/redis", true},
        {"docker.io/library/*", "docker.io/grafana/grafana", false},
        {"{a}", "{a}", true},
        {"A", "a", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(glob_match(rows[i].pattern, rows[i].path) == rows[i].matches,
                      "%s against %s: expected %d", rows[i].pattern, rows[i].path, rows[i].matches);
}
END_TEST

START_TEST(files) {
    static const struct {
        const char *pattern, *path;
        bool matches;
    } rows[] = {
        {"*.md", "a.md", true},
        {"*.md", "a/b.md", true},
        {"*.md", "a.md/b", true},
        {"/*.md", "a.md", true},
        {"/*.md", "a/b.md", false},
        {"./*.md", "a/b.md", false},
        {"./*.md", "a.md", true},
        {"vendor", "vendor/a/b", true},
        {"vendor", "x/vendor/a", true},
        {"vendor", "vendored", false},
        {"vendor/", "vendor/a", true},
        {"vendor/", "vendor", false},
        {"vendor/", "x/vendor/a", true},
        {"vendor/**", "vendor/a/b", true},
        {"vendor/**", "x/vendor/a", false},
        {"deploy/staging", "deploy/staging/a.yaml", true},
        {"deploy/staging", "deploy/staging2/a.yaml", false},
        {"deploy/*/a.yaml", "deploy/staging/a.yaml", true},
        {"**", "a/b", true},
        {"**/test", "a/test/b", true},
        {".", "a", false},
        {"/", "a", true},
        {"./", "a", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(glob_match_file(rows[i].pattern, rows[i].path) == rows[i].matches,
                      "%s against %s: expected %d", rows[i].pattern, rows[i].path, rows[i].matches);
}
END_TEST

START_TEST(checks) {
    static const struct {
        const char *pattern, *message; /* NULL: it is right */
    } rows[] = {{"**/*.yaml", NULL},  {"{{cookiecutter.x}}/a", NULL},
                {"a\\{b,c}", NULL},   {"a,b", NULL},
                {"[]a]", NULL},       {"", "empty"},
                {"a[b", "\"[\""},     {"a[b/c]", "\"[\""},
                {"a\\", "backslash"}, {"*.{yaml,yml}", "braces"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int checked = glob_check(rows[i].pattern, &err);
        ck_assert_msg((checked == 0) == (rows[i].message == NULL), "%s: %s", rows[i].pattern,
                      error_message(&err));
        if (rows[i].message != NULL)
            ck_assert_msg(strstr(error_message(&err), rows[i].message) != NULL, "%s: %s",
                          rows[i].pattern, error_message(&err));
        error_clear(&err);
    }
}
END_TEST

/* Backtracking over every star would need longer than the sun lives. */
START_TEST(many_stars_end) {
    struct text pattern = {0}, path = {0};
    for (int i = 0; i < 60; i++) {
        text_add(&pattern, "*a**/**/");
        text_add(&path, "aaaaaaaaaaaaaaaaaaaa/");
    }
    text_add(&pattern, "b");
    text_add(&path, "c");
    ck_assert(!glob_match(text_string(&pattern), text_string(&path)));
    text_clear(&pattern);
    text_clear(&path);
}
END_TEST

UNIT_MAIN("glob", {
    tcase_add_test(cases, whole_paths);
    tcase_add_test(cases, files);
    tcase_add_test(cases, checks);
    tcase_add_test(cases, many_stars_end);
})
