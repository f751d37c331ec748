#include "pipelines/plan_build.h"

#include "gate/pins/scan.h"
#include "pipelines/plan.h"
#include "tests/unit/tree.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* A project with two Dockerfiles and a pin elsewhere; every update has B as its candidate, but for that of "still". */
struct world {
    struct tree tree;
    struct scan scan;
    struct update_list updates;
    struct config config;
    struct plan_builds builds;
    struct plan plan;
};

static const char dockerfile[] = "# syntax=x\nARG BASE=redis:7.0@" A "\nFROM ${BASE} AS one\n"
                                 "COPY --from=busybox@" A " /a /b\nFROM still:1@" C "\n"
                                 "RUN --mount=type=bind,from=redis:7.0@" A ",target=/x true\n";

static void make_world(struct world *world, const char *tests) {
    struct error err = {0};
    *world = (struct world){.tree = tree_new()};
    tree_write(&world->tree, "Dockerfile", dockerfile);
    tree_write(&world->tree, "app/Dockerfile", "FROM python:3@" A "\n");
    tree_write(&world->tree, "bare/Dockerfile", "FROM python:3\n");
    tree_write(&world->tree, "deploy.yaml", "image: python:3@" A "\n");
    struct scan_options options = {.include = NULL};
    unit_ok(scan_tree(world->tree.root, &options, &world->scan, &err), &err);
    unit_ok(updates_collect(&world->scan.pins, NULL, &world->updates, &err), &err);
    for (size_t i = 0; i < world->updates.count; i++) {
        struct update *update = &world->updates.items[i];
        if (strstr(update->image, "still") != NULL)
            continue;
        update->candidate_digest = string_dup(B, &err);
        update->candidate_tag = string_dup(update->tag != NULL ? "9.9" : NULL, &err);
    }
    char *yaml = string_format(&err, "version: 1\ntests: %s\n", tests);
    unit_ok(config_parse("c", yaml, strlen(yaml), &world->config, &err), &err);
    free(yaml);
    unit_ok(
        plan_builds_find(&world->config, world->tree.root, &world->scan.pins, &world->builds, &err),
        &err);
    unit_ok(plan_make(&world->config, &world->updates, &world->builds, false, &world->plan, &err),
            &err);
}

static void clear_world(struct world *world) {
    plan_clear(&world->plan);
    plan_builds_clear(&world->builds);
    config_clear(&world->config);
    update_list_clear(&world->updates);
    scan_clear(&world->scan);
    tree_free(&world->tree);
}

static void add_names(const struct world *world, const size_t *items, size_t count,
                      struct text *out) {
    for (size_t i = 0; i < count; i++) {
        const char *name = strrchr(world->updates.items[items[i]].image, '/') + 1;
        text_printf(out, "%s%.1s", i == 0 ? "/" : "", name);
    }
}

/* "steps/participants/covers" of each trial; "x" is a step in what is built, "?" a warning. */
static const struct {
    const char *tests, *expected;
} rows[] = {
    {"[{name: a, build: ., run: x}]", "x/brs/brs"},
    {"[{name: a, build: app, run: [x, y]}]", "xx/p/p"},
    {"[{name: a, build: {dockerfile: app/Dockerfile}, run: x}]", "x/p/p"},
    {"[{name: a, build: ., images: redis, run: x}]", "x/brs/r"},
    {"[{name: a, build: ., run: [x, {in: python, command: y}]}]", "xp/bprs/bprs"},
    {"[{name: a, build: ., images: python, run: x}]", "x/bprs/p"},
    {"[{name: a, build: bare, images: python, run: x}]", "x/p/p"},
    {"[{name: a, build: bare, run: x}]",
     "?c:2: test \"a\" covers no pinned image: bare/Dockerfile, which it builds, has no pin; "
     "`pingate pin` adds digests"},
    {"[{name: a, build: app, run: x}, {name: b, images: redis, run: y}]", "x/p/p r/r/r"},
};

START_TEST(row) {
    struct world world;
    struct error err = {0};
    struct text out = {0};
    make_world(&world, rows[_i].tests);
    for (size_t t = 0; t < world.plan.count; t++) {
        const struct plan_trial *trial = &world.plan.items[t];
        text_add(&out, t > 0 ? " " : "");
        for (size_t s = 0; s < trial->test->command_count; s++)
            text_printf(&out, "%.1s",
                        trial->steps[s] == PLAN_BUILT
                            ? "x"
                            : strrchr(world.updates.items[trial->steps[s]].image, '/') + 1);
        add_names(&world, trial->participants, trial->participant_count, &out);
        add_names(&world, trial->covers, trial->cover_count, &out);
    }
    for (size_t i = 0; i < world.plan.warnings.count; i++)
        text_printf(&out, "?%s", world.plan.warnings.items[i]);
    ck_assert_str_eq(text_string(&out), rows[_i].expected);
    text_clear(&out);
    error_clear(&err);
    clear_world(&world);
}
END_TEST

static void build_spec(struct world *world, const bool *moved, struct trial_spec *spec) {
    struct error err = {0};
    const struct plan_trial *trial = &world->plan.items[0];
    struct text bytes = {0};
    text_add(&bytes, dockerfile);
    struct plan_build_question question = {.built = trial->built,
                                           .pins = &world->scan.pins,
                                           .updates = &world->updates,
                                           .moved = moved,
                                           .covers = trial->covers,
                                           .cover_count = trial->cover_count};
    unit_ok(plan_spec(trial, &world->updates, moved, "logs", spec, &err), &err);
    unit_ok(plan_build_spec(&question, &bytes, spec, &err), &err);
    text_clear(&bytes);
}

/* Only what is moved gets its candidate; all pins of the file are bases. */
START_TEST(side_dockerfile) {
    struct world world;
    struct trial_spec spec;
    make_world(&world, "[{name: a, build: ., images: redis, run: [x, {in: python, command: y}]}]");
    bool moved[4] = {false};
    for (size_t i = 0; i < world.updates.count; i++)
        moved[i] = strstr(world.updates.items[i].image, "redis") != NULL;
    build_spec(&world, moved, &spec);
    ck_assert_str_eq(text_string(&spec.build->side),
                     "# syntax=x\nARG BASE=redis:9.9@" B "\nFROM ${BASE} AS one\n"
                     "COPY --from=busybox@" A " /a /b\nFROM still:1@" C "\n"
                     "RUN --mount=type=bind,from=redis:9.9@" B ",target=/x true\n");
    ck_assert(string_has_prefix(spec.build->diff, "--- a/Dockerfile\n+++ b/Dockerfile\n"));
    ck_assert_ptr_nonnull(strstr(spec.build->diff, "\n+ARG BASE=redis:9.9@" B "\n"));
    ck_assert_uint_eq(spec.build->base_count, 3);
    static const struct {
        const char *image, *digest;
        size_t line;
        bool needed;
    } bases[] = {{"docker.io/library/redis", B, 2, true},
                 {"docker.io/library/busybox", A, 4, false},
                 {"docker.io/library/still", C, 5, false}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(spec.build->bases[i].image.image, bases[i].image);
        ck_assert_str_eq(spec.build->bases[i].image.digest, bases[i].digest);
        ck_assert_uint_eq(spec.build->bases[i].line, bases[i].line);
        ck_assert(spec.build->bases[i].needed == bases[i].needed);
    }
    ck_assert_ptr_null(spec.steps[0].digest);
    ck_assert_str_eq(spec.steps[1].digest, A);
    ck_assert_str_eq(spec.title, "a on busybox (as pinned) + python:3 (as pinned) + redis:9.9 + "
                                 "still:1 (as pinned)");
    trial_spec_clear(&spec);
    clear_world(&world);
}
END_TEST

START_TEST(nothing_moved_and_a_file_that_changed) {
    struct world world;
    struct trial_spec spec;
    struct error err = {0};
    make_world(&world, "[{name: a, build: ., run: x}]");
    bool moved[4] = {false};
    build_spec(&world, moved, &spec);
    ck_assert_str_eq(text_string(&spec.build->side), dockerfile);
    ck_assert_str_eq(spec.build->diff, "");
    trial_spec_clear(&spec);
    for (size_t i = 0; i < 4; i++)
        moved[i] = world.updates.items[i].candidate_digest != NULL;
    struct text bytes = {0};
    text_add(&bytes, "FROM nothing\n");
    const struct plan_trial *trial = &world.plan.items[0];
    struct plan_build_question question = {
        trial->built, &world.scan.pins, &world.updates, moved, NULL, 0};
    spec = (struct trial_spec){.test = trial->test};
    unit_fails(plan_build_spec(&question, &bytes, &spec, &err), &err, ERROR_CONFLICT,
               "Dockerfile: ");
    text_clear(&bytes);
    trial_spec_clear(&spec);
    clear_world(&world);
}
END_TEST

/* What the rule for entering a stage asks: by the names in the Dockerfile, whatever their tags. */
START_TEST(covered_by_name) {
    struct world world;
    make_world(&world,
               "[{name: a, build: ., run: x}, {name: b, build: ., images: python, run: x}]");
    const struct test *tests = world.config.tests.items;
    ck_assert(plan_test_covers(&tests[0], "docker.io/library/redis", "1"));
    ck_assert(plan_test_covers(&tests[0], "docker.io/library/busybox", NULL));
    ck_assert(!plan_test_covers(&tests[0], "docker.io/library/python", "3"));
    ck_assert(plan_test_covers(&tests[1], "docker.io/library/python", "3"));
    ck_assert(!plan_test_covers(&tests[1], "docker.io/library/redis", "1"));
    clear_world(&world);
}
END_TEST

UNIT_MAIN("plan_build", {
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, side_dockerfile);
    tcase_add_test(cases, nothing_moved_and_a_file_that_changed);
    tcase_add_test(cases, covered_by_name);
})
