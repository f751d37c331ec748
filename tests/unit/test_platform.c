#include "gate/platform.h"

#include <string.h>
#include <sys/utsname.h>

#include "tests/unit/unit.h"

START_TEST(forms) {
    static const struct {
        const char *os, *architecture, *variant;
        const char *words; /* NULL: refused */
    } rows[] = {
        {"linux", "amd64", NULL, "linux/amd64"},
        {"linux", "amd64", "", "linux/amd64"},
        {"linux", "amd64", "v1", "linux/amd64"},
        {"linux", "amd64", "v3", "linux/amd64/v3"},
        {"Linux", "X86_64", NULL, "linux/amd64"},
        {"linux", "i686", NULL, "linux/386"},
        {"linux", "arm64", "v8", "linux/arm64"},
        {"linux", "arm64", "8", "linux/arm64"},
        {"linux", "aarch64", "", "linux/arm64"},
        {"linux", "aarch64", "v8", "linux/arm64"},
        {"linux", "aarch64", "v9", "linux/arm64/v9"},
        {"linux", "arm", "", "linux/arm/v7"},
        {"linux", "arm", "6", "linux/arm/v6"},
        {"linux", "arm", "v5", "linux/arm/v5"},
        {"linux", "armhf", NULL, "linux/arm/v7"},
        {"linux", "armv6l", NULL, "linux/arm/v6"},
        {"linux", "ppc64le", NULL, "linux/ppc64le"},
        {"windows", "amd64", NULL, "windows/amd64"},
        {"unknown", "unknown", NULL, "unknown/unknown"},
        {"", "amd64", NULL, NULL},
        {"linux", "", NULL, NULL},
        {"linux", "amd 64", NULL, NULL},
        {"linux", "amd64/v2", NULL, NULL},
        {"linux", "amd64", "\x1b[2J", NULL},
        {"abcdefghijklmnopqrstuvwxyz01234", "amd64", NULL, "abcdefghijklmnopqrstuvwxyz01234/amd64"},
        {"abcdefghijklmnopqrstuvwxyz012345", "amd64", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct platform platform;
        char words[PLATFORM_WORDS_SIZE];
        bool made = platform_make(rows[i].os, rows[i].architecture, rows[i].variant, &platform);
        ck_assert_msg(made == (rows[i].words != NULL), "row %zu", i);
        platform_words(&platform, words);
        ck_assert_msg(strcmp(words, made ? rows[i].words : "/") == 0, "row %zu: %s", i, words);
    }
}
END_TEST

/* "os/architecture/variant"; "" is none at all. */
static struct platform parse(const char *text) {
    char parts[3][32] = {"", "", ""};
    struct platform platform;
    sscanf(text, "%31[^/]/%31[^/]/%31[^/]", parts[0], parts[1], parts[2]);
    platform_make(parts[0], parts[1], parts[2], &platform);
    return platform;
}

START_TEST(choices) {
    static const struct {
        const char *machine;
        const char *best; /* of the two … */
        const char
            *second; /* … this one is the worse; it does not run at all when it begins with "!" */
    } rows[] = {
        {"linux/amd64", "linux/amd64", "!linux/arm64"},
        {"linux/amd64", "linux/amd64/v1", "!linux/amd64/v2"},
        {"linux/amd64", "linux/amd64", "!windows/amd64"},
        {"linux/amd64", "linux/amd64", "!linux/386"},
        {"linux/amd64", "linux/amd64", "!unknown/unknown"},
        {"linux/amd64", "linux/amd64", "!"},
        {"linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2"},
        {"linux/amd64/v3", "linux/amd64/v2", "linux/amd64"},
        {"linux/amd64/v3", "linux/amd64", "!linux/amd64/v4"},
        {"linux/arm64", "linux/arm64/v8", "!linux/arm/v7"},
        {"linux/arm64", "linux/arm64", "!linux/arm64/v9"},
        {"linux/arm/v7", "linux/arm", "linux/arm/v6"},
        {"linux/arm/v7", "linux/arm/v6", "linux/arm/v5"},
        {"linux/arm/v6", "linux/arm/v6", "!linux/arm/v7"},
        {"linux/arm/v6", "linux/arm/v5", "!linux/arm"},
        {"linux/riscv64", "linux/riscv64", "!linux/riscv64/rva23"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool runs = rows[i].second[0] != '!';
        struct platform machine = parse(rows[i].machine);
        struct platform best = parse(rows[i].best);
        struct platform second = parse(rows[i].second + (runs ? 0 : 1));
        unsigned int best_fit = platform_fit(&machine, &best);
        unsigned int second_fit = platform_fit(&machine, &second);
        ck_assert_msg(best_fit > second_fit && (second_fit > 0) == runs, "row %zu: %u, %u", i,
                      best_fit, second_fit);
    }
    struct platform none = parse("");
    ck_assert_uint_eq(platform_fit(&none, &none), 0);
}
END_TEST

START_TEST(host) {
    struct platform platform;
    struct utsname name;
    platform_host(&platform);
    ck_assert_str_eq(platform.os, "linux");
    ck_assert_int_eq(uname(&name), 0);
    if (strcmp(name.machine, "x86_64") == 0)
        ck_assert_str_eq(platform.architecture, "amd64");
    if (strcmp(name.machine, "aarch64") == 0)
        ck_assert_str_eq(platform.architecture, "arm64");
    ck_assert_uint_gt(platform_fit(&platform, &platform), 0);
}
END_TEST

START_TEST(parsed) {
    static const struct {
        const char *words, *parsed; /* NULL: refused */
    } rows[] = {
        {"linux/amd64", "linux/amd64"},
        {"linux/arm/v6", "linux/arm/v6"},
        {"linux/arm64/v8", "linux/arm64"},
        {"linux/x86_64", "linux/amd64"},
        {"", NULL},
        {"linux", NULL},
        {"linux/", NULL},
        {"/amd64", NULL},
        {"linux//v7", NULL},
        {"linux/arm/", NULL},
        {"linux/arm/v7/x", NULL},
        {"linux/a b", NULL},
        {"linux/abcdefghijklmnopqrstuvwxyz012345", NULL},
        {"abcdefghijklmnopqrstuvwxyz01234/abcdefghijklmnopqrstuvwxyz01234/"
         "abcdefghijklmnopqrstuvwxyz01234abcdefghijklmnopqrstuvwxyz01234",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct platform platform;
        char words[PLATFORM_WORDS_SIZE];
        bool good = platform_parse(rows[i].words, &platform);
        ck_assert_msg(good == (rows[i].parsed != NULL), "row %zu: %s", i, rows[i].words);
        if (!good)
            continue;
        platform_words(&platform, words);
        ck_assert_msg(strcmp(words, rows[i].parsed) == 0, "row %zu: %s", i, words);
    }
}
END_TEST

UNIT_MAIN("platform", {
    tcase_add_test(cases, forms);
    tcase_add_test(cases, parsed);
    tcase_add_test(cases, choices);
    tcase_add_test(cases, host);
})
