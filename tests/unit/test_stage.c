#include "pipelines/stages/stage.h"

#include "gate/pins/scan.h"
#include "pipelines/config.h"
#include "tests/unit/unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char yaml[] = "version: 1\n"
                           "tests:\n"
                           "  - {name: answers, run: [\"true\"]}\n"
                           "  - {name: smoke, run: [\"true\"]}\n"
                           "  - {name: both, run: [\"true\"]}\n"
                           "stages:\n"
                           "  - {name: staging, files: [staging/], tests: [answers, both]}\n"
                           "  - {name: edge, files: [edge/]}\n"
                           "  - name: production\n"
                           "    files: [production/, staging/shared.yaml]\n"
                           "    from: staging\n"
                           "    tests: [smoke, both]\n"
                           "    map:\n"
                           "      a.example.com: b.example.com/prod\n"
                           "      a.example.com/team: c.example.com\n"
                           "      team: other\n"
                           "  - {name: last, files: [last/], from: production}\n";

static void read_config(struct config *config) {
    struct error err = {0};
    unit_ok(config_parse("pingate.yaml", yaml, sizeof yaml - 1, config, &err), &err);
}

START_TEST(files_have_one_stage) {
    static const struct {
        const char *file;
        int stage; /* -1: none, -2: an error */
    } rows[] = {{"staging/a.yaml", 0},
                {"staging/x/a.yaml", 0},
                {"edge/a.yaml", 1},
                {"production/a.yaml", 2},
                {"last/a.yaml", 3},
                {"Dockerfile", -1},
                {"x/production/a.yaml", 2} /* as .gitignore would */,
                {"stagingx/a.yaml", -1},
                {"staging/shared.yaml", -2}};
    struct config config;
    read_config(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        size_t stage;
        if (rows[i].stage == -2) {
            unit_fails(stage_of_file(&config.stages, rows[i].file, &stage, &err), &err,
                       ERROR_CONFIG,
                       "staging/shared.yaml: both stage \"staging\" and stage \"production\"");
            continue;
        }
        unit_ok(stage_of_file(&config.stages, rows[i].file, &stage, &err), &err);
        ck_assert_msg(stage == (rows[i].stage < 0 ? STAGE_NONE : (size_t)rows[i].stage),
                      "%s: stage %zu", rows[i].file, stage);
    }
    config_clear(&config);
}
END_TEST

START_TEST(images_are_mapped) {
    static const struct {
        const char *image, *mapped;
    } rows[] = {
        {"a.example.com/app", "b.example.com/prod/app"},
        {"a.example.com/team/app", "c.example.com/app"},
        {"a.example.com/teams/app", "b.example.com/prod/teams/app"},
        {"a.example.com.evil/app", "a.example.com.evil/app"},
        {"docker.io/library/redis", "docker.io/library/redis"},
        {"docker.io/team/redis", "docker.io/other/redis"},
    };
    struct config config;
    read_config(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char *mapped =
            stage_map_image(stage_find(&config.stages, "production"), rows[i].image, &err);
        ck_assert_msg(strcmp(mapped, rows[i].mapped) == 0, "%s became %s", rows[i].image, mapped);
        free(mapped);
    }
    config_clear(&config);
}
END_TEST

START_TEST(tests_belong_to_stages) {
    static const struct {
        const char *stage, *runs; /* initials of tests */
    } rows[] = {{"staging", "ab"}, {"edge", ""}, {"production", "sb"}, {"last", ""}, {NULL, ""}};
    struct config config;
    read_config(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t t = 0; t < config.tests.count; t++) {
            const char *name = config.tests.items[t].name;
            const struct stage *stage =
                rows[i].stage != NULL ? stage_find(&config.stages, rows[i].stage) : NULL;
            ck_assert_msg(stage_runs_test(&config.stages, stage, name) ==
                              (strchr(rows[i].runs, name[0]) != NULL),
                          "%s in %s", name, rows[i].stage != NULL ? rows[i].stage : "no stage");
        }
    ck_assert_ptr_null(stage_find(&config.stages, "stagin"));
    config_clear(&config);
}
END_TEST

START_TEST(sets_of_stages) {
    static const char file[] = "image: redis:7@sha256:" HEX "\n";
    static const char *const files[] = {"a.yaml", "edge/a.yaml", "staging/a.yaml",
                                        "staging/b.yaml"};
    struct error err = {0};
    struct config config;
    struct scan scan = {0};
    struct set of_none;
    struct set of_staging;
    struct set of_last;
    read_config(&config);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unit_ok(scan_bytes(files[i], file, sizeof file - 1, &scan, &err), &err);
    size_t *of = stage_of_pins(&config.stages, &scan.pins, &err);
    ck_assert_ptr_nonnull(of);
    ck_assert(of[0] == STAGE_NONE && of[1] == 1 && of[2] == 0 && of[3] == 0);
    unit_ok(stage_set(&scan.pins, of, STAGE_NONE, &of_none, &err), &err);
    unit_ok(stage_set(&scan.pins, of, 0, &of_staging, &err), &err);
    unit_ok(stage_set(&scan.pins, of, 3, &of_last, &err), &err);
    ck_assert_str_eq(of_none.id, of_staging.id); /* the same values are the same set */
    ck_assert_uint_eq(of_last.lines.count, 0);
    set_clear(&of_none);
    set_clear(&of_staging);
    set_clear(&of_last);
    free(of);
    scan_clear(&scan);
    config_clear(&config);
}
END_TEST

UNIT_MAIN("stage", {
    tcase_add_test(cases, files_have_one_stage);
    tcase_add_test(cases, images_are_mapped);
    tcase_add_test(cases, tests_belong_to_stages);
    tcase_add_test(cases, sets_of_stages);
})
