#include "runners/artifact_names.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

static void split(const char *words, struct string_list *list) {
    struct error err = {0};
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        char *word = string_dup_length(words, length, &err);
        unit_ok(string_list_add(list, word, &err), &err);
        free(word);
        words += length + strspn(words + length, " ");
    }
}

static const struct {
    const char *patterns, *path;
    int expected; /* the pattern's number, or -1 */
} matches[] = {
    {"out.txt", "out.txt", 0},
    {"out.txt", "a/out.txt", -1},
    {"out.txt", "out.txt.bak", -1},
    {"**/out.txt", "out.txt", 0},
    {"**/out.txt", "a/b/out.txt", 0},
    {"build/report/**", "build/report/index.html", 0},
    {"build/report/**", "build/report/a/b/c", 0},
    {"build/report/**", "build/report", -1},
    {"build/report/**", "x/build/report/a", -1},
    {"build/report", "build/report/a/b", 0},
    {"build/report/", "build/report/a/b", 0},
    {"build/report/", "build/reports/a", -1},
    {"build/*", "build/a/b", 0},
    {"build/*.xml", "build/a.xml", 0},
    {"build/*.xml", "build/a/b.xml", -1},
    {"build/**/*.xml", "build/b.xml", 0},
    {"build/**/*.xml", "build/a/b.xml", 0},
    {"./out.txt", "out.txt", 0},
    {"././build/", "build/a", 0},
    {"**", "a", 0},
    {"**", "a/b", 0},
    {"*", "a/b", 0},
    {"x y", "z", -1},
    {"a b", "b", 1},
    {"a* ab", "ab", 0},
    {"\\*", "*", 0},
    {"\\*", "a", -1},
    {"[ab]", "b", 0},
    {".hidden", ".hidden", 0},
};

START_TEST(match_row) {
    struct string_list patterns = {0};
    split(matches[_i].patterns, &patterns);
    int got = artifact_match(&patterns, matches[_i].path);
    ck_assert_msg(got == matches[_i].expected, "row %d, %s: %d", _i, matches[_i].path, got);
    string_list_clear(&patterns);
}
END_TEST

START_TEST(match_junit) {
    static const struct {
        const char *pattern, *path;
        bool taken;
    } files[] = {
        {"a.xml", "a.xml", true},     {"a.xml", "d/a.xml", false},
        {"./a.xml", "a.xml", true},   {"out", "out", true},
        {"out", "out/a.xml", true},   {"out", "out/d/a.xml", true},
        {"out", "out/a.bin", false},  {"out/", "out/a.xml", true},
        {"out/*", "out/a.bin", true}, {"out/**", "out/d/a.txt", true},
        {"**/*.xml", "a.xml", true},  {"*.xml", "d.xml/a", false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        ck_assert_msg(artifact_match_junit(files[i].pattern, files[i].path) == files[i].taken,
                      "row %zu: %s, %s", i, files[i].pattern, files[i].path);
}
END_TEST

static const struct {
    const char *patterns, *bases; /* "-" for the whole workspace */
} bases[] = {
    {"out.txt", "out.txt"},
    {"./out.txt", "out.txt"},
    {"build/report/**", "build/report"},
    {"build/report/", "build/report"},
    {"build/report", "build/report"},
    {"build/*.xml", "build"},
    {"build/a*/c", "build"},
    {"build/r\\*/x", "build"},
    {"build/[r]/x", "build"},
    {"build/??", "build"},
    {"**", "-"},
    {"*.xml", "-"},
    {"**/x", "-"},
    {"out.txt build/**", "out.txt build"},
    {"build/** build/report/**", "build"},
    {"build/report/** build/**", "build"},
    {"build build", "build"},
    {"build buildx", "build buildx"},
    {"a b **/c", "-"},
    {"a/b a/c", "a/b a/c"},
};

START_TEST(base_row) {
    struct error err = {0};
    struct string_list patterns = {0}, got = {0};
    struct text words = {0};
    split(bases[_i].patterns, &patterns);
    unit_ok(artifact_bases(&patterns, &got, &err), &err);
    for (size_t i = 0; i < got.count; i++)
        text_printf(&words, "%s%s", i > 0 ? " " : "", got.items[i][0] != '\0' ? got.items[i] : "-");
    ck_assert_msg(strcmp(text_string(&words), bases[_i].bases) == 0, "row %d: %s", _i,
                  text_string(&words));
    text_clear(&words);
    string_list_clear(&patterns);
    string_list_clear(&got);
}
END_TEST

static const struct {
    const char *pattern, *words; /* NULL: it is good */
} checks[] = {
    {"out.txt", NULL},
    {"build/**", NULL},
    {"build/", NULL},
    {"./a", NULL},
    {"build//", "empty name"},
    {"..a", NULL},
    {"a..", NULL},
    {"...", NULL},
    {"", "empty pattern"},
    {"/etc/passwd", "is absolute"},
    {".//etc/passwd", "is absolute"},
    {"/", "is absolute"},
    {"..", "has \"..\" in it"},
    {"../x", "has \"..\" in it"},
    {"a/../x", "has \"..\" in it"},
    {"a/..", "has \"..\" in it"},
    {"a/.", "has \".\" in it"},
    {"a/./b", "has \".\" in it"},
    {".", "has \".\" in it"},
    {"./", "empty name"},
    {"a//b", "empty name"},
    {"a//", "empty name"},
    {"a[", "without \"]\""},
    {"{a,b}", "braces"},
};

START_TEST(check_row) {
    struct error err = {0};
    if (checks[_i].words == NULL)
        unit_ok(artifact_pattern_check(checks[_i].pattern, &err), &err);
    else
        unit_fails(artifact_pattern_check(checks[_i].pattern, &err), &err, ERROR_CONFIG,
                   checks[_i].words);
}
END_TEST

START_TEST(below) {
    ck_assert(artifact_is_below("a", ""));
    ck_assert(artifact_is_below("a/b", "a"));
    ck_assert(artifact_is_below("a", "a"));
    ck_assert(!artifact_is_below("ab", "a"));
    ck_assert(!artifact_is_below("a", "a/b"));
}
END_TEST

UNIT_MAIN("artifact_names", {
    tcase_add_test(cases, match_junit);
    tcase_add_loop_test(cases, match_row, 0, sizeof matches / sizeof *matches);
    tcase_add_loop_test(cases, base_row, 0, sizeof bases / sizeof *bases);
    tcase_add_loop_test(cases, check_row, 0, sizeof checks / sizeof *checks);
    tcase_add_test(cases, below);
})
