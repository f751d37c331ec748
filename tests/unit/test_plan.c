#include "pipelines/pull.h"

#include "gate/base/text.h"
#include "gate/selector.h"
#include "tests/unit/unit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The updates of every row, sorted as updates_collect gives them; rows call them by these letters. */
static const struct {
    char letter;
    const char *image, *tag, *digest, *candidate_tag, *candidate_digest;
} world[] = {
    {'p', "docker.io/library/python", "3", "sha256:" A64, "4", "sha256:" B64},
    {'q', "docker.io/library/redis", NULL, "sha256:" A64, NULL, NULL},
    {'r', "docker.io/library/redis", "6", "sha256:" A64, "6", "sha256:" B64},
    {'s', "docker.io/library/redis", "7", "sha256:" A64, "7.1", "sha256:" B64},
    {'t', "ghcr.io/acme/tool", "1", "sha256:" A64, "2", "sha256:" B64},
};

#define WORLD (sizeof world / sizeof *world)

/* Each trial as "NAME subject:steps/participants/covers", "-" for no subject; "!" begins an error, "?" a warning. */
static const struct {
    const char *tests; /* of the configuration */
    const char *expected;
} rows[] = {
    /* without images: every update, each alone */
    {"[{name: a, run: x}]", "a p:p/p/p; a q:q/q/q; a r:r/r/r; a s:s/s/s; a t:t/t/t"},
    /* with images */
    {"[{name: a, images: redis, run: x}]", "a q:q/q/q; a r:r/r/r; a s:s/s/s"},
    {"[{name: a, images: 'redis:7', run: [x, y]}]", "a s:ss/s/s"},
    {"[{name: a, images: ['redis:7', 'ghcr.io/**'], run: x}]", "a s:s/s/s; a t:t/t/t"},
    {"[{name: a, images: '*', run: x}]", "a p:p/p/p; a q:q/q/q; a r:r/r/r; a s:s/s/s; a t:t/t/t"},
    /* all commands in named images: one trial of the set */
    {"[{name: a, in: python, run: x}]", "a -:p/p/p"},
    {"[{name: a, run: [{in: 'redis:7', command: x}, {in: python, command: y}]}]", "a -:sp/ps/ps"},
    {"[{name: a, images: 'redis:7', in: python, run: x}]", "a -:p/ps/s"},
    {"[{name: a, images: redis, in: python, run: x}]", "a -:p/pqrs/qrs"},
    {"[{name: a, in: python, run: [x, {in: 'redis:6', command: y}]}]", "a -:pr/pr/pr"},
    /* some commands in named images, the others in the candidate */
    {"[{name: a, images: 'redis:7', run: [x, {in: python, command: y}]}]", "a s:sp/ps/s"},
    {"[{name: a, images: ['redis:6', 'redis:7'], run: [x, {in: python, command: y}]}]",
     "a r:rp/pr/r; a s:sp/ps/s"},
    {"[{name: a, run: [x, {in: python, command: y}]}]", "a p:pp/p/p"},
    /* services: their images take part, and are covered as those of commands are */
    {"[{name: a, in: python, services: {db: 'redis:7'}, run: x}]", "a -:p/ps/ps"},
    {"[{name: a, services: {db: 'redis:7'}, run: x}]", "a s:s/s/s"},
    {"[{name: a, images: python, services: {db: 'redis:7'}, run: x}]", "a p:p/ps/p"},
    {"[{name: a, services: {db: 'redis:7', python: }, run: x}]", "a p:p/ps/p; a s:s/ps/s"},
    {"[{name: a, images: '*', in: python, services: {db: 'redis:7', old: 'redis:6'}, run: x}]",
     "a -:p/pqrst/pqrst"},
    {"[{name: a, in: python, services: {db: redis}, run: x}]",
     "!c:2: test \"a\": service db: \"redis\" is pinned with more than one value (no tag and 6,"},
    {"[{name: a, in: python, services: {nginx: }, run: x}]",
     "!c:2: test \"a\": service nginx: \"nginx\" is no pinned image of this project"},
    /* several tests, in their order */
    {"[{name: b, images: 'redis:7', run: x}, {name: a, images: 'redis:7', run: y}]",
     "b s:s/s/s; a s:s/s/s"},
    /* what matches nothing is told */
    {"[{name: a, images: nginx, run: x}]", "?c:2: test \"a\" covers no pinned image"},
    {"[{name: a, images: nginx, run: x}, {name: b, images: python, run: x}]",
     "b p:p/p/p; ?c:2: test \"a\" covers no pinned image"},
    {"[{name: a, images: 'redis:8', in: python, run: x}]",
     "?c:2: test \"a\" covers no pinned image"},
    /* an `in` that is none, or more than one */
    {"[{name: a, in: nginx, run: x}]",
     "!c:2: test \"a\": in: \"nginx\" is no pinned image of this project"},
    {"[{name: a, in: redis, run: x}]",
     "!c:2: test \"a\": in: \"redis\" is pinned with more than one value (no tag and 6,"},
    {"[{name: a, images: python, run: [x, {in: 'redis:*', command: y}]}]",
     "!c:2: test \"a\": in: \"redis:*\" is pinned with more than one value (6 and 7,"},
};

static void fill_world(struct update_list *updates) {
    struct error err = {0};
    for (size_t i = 0; i < WORLD; i++) {
        struct update *update = array_add(updates, &err);
        ck_assert_ptr_nonnull(update);
        update->image = string_dup(world[i].image, &err);
        update->tag = string_dup(world[i].tag, &err);
        update->stage = UPDATE_NO_STAGE;
        update->digest = string_dup(world[i].digest, &err);
        update->candidate_tag = string_dup(world[i].candidate_tag, &err);
        update->candidate_digest = string_dup(world[i].candidate_digest, &err);
    }
}

static void parse(const char *rest, struct config *config) {
    struct error err = {0};
    char *yaml = string_format(&err, "version: 1\n%s\n", rest);
    unit_ok(config_parse("c", yaml, strlen(yaml), config, &err), &err);
    free(yaml);
}

static void add_letters(struct text *out, char before, const size_t *indexes, size_t count) {
    text_add_char(out, before);
    for (size_t i = 0; i < count; i++)
        text_add_char(out, world[indexes[i]].letter);
}

static char *describe(const struct plan *plan) {
    struct error err = {0};
    struct text out = {0};
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_trial *trial = &plan->items[i];
        text_printf(&out, "%s%s %c", out.length > 0 ? "; " : "", trial->test->name,
                    trial->subject == PLAN_NO_SUBJECT ? '-' : world[trial->subject].letter);
        add_letters(&out, ':', trial->steps, trial->test->command_count);
        add_letters(&out, '/', trial->participants, trial->participant_count);
        add_letters(&out, '/', trial->covers, trial->cover_count);
    }
    for (size_t i = 0; i < plan->warnings.count; i++)
        text_printf(&out, "%s?%s", out.length > 0 ? "; " : "", plan->warnings.items[i]);
    return text_steal(&out, &err);
}

START_TEST(row) {
    struct error err = {0};
    struct config config;
    struct update_list updates = {0};
    struct plan plan;
    fill_world(&updates);
    char *tests = string_format(&err, "tests: %s", rows[_i].tests);
    parse(tests, &config);
    int result = plan_make(&config, &updates, false, &plan, &err);
    if (rows[_i].expected[0] == '!') {
        ck_assert_msg(result == -1 && err.kind == ERROR_CONFIG, "%s", rows[_i].tests);
        ck_assert_msg(string_has_prefix(error_message(&err), rows[_i].expected + 1), "%s: %s",
                      rows[_i].tests, error_message(&err));
    } else {
        ck_assert_msg(result == 0, "%s: %s", rows[_i].tests, error_message(&err));
        char *got = describe(&plan);
        ck_assert_msg(strcmp(got, rows[_i].expected) == 0, "%s:\n     got %s\nexpected %s",
                      rows[_i].tests, got, rows[_i].expected);
        free(got);
    }
    plan_clear(&plan);
    config_clear(&config);
    update_list_clear(&updates);
    error_clear(&err);
    free(tests);
}
END_TEST

START_TEST(covered_and_not) {
    struct error err = {0};
    struct config config;
    struct update_list updates = {0};
    struct plan plan;
    fill_world(&updates);
    parse("tests: [{name: a, images: ['redis:7', python], run: x}]", &config);
    unit_ok(plan_make(&config, &updates, false, &plan, &err), &err);
    static const bool covered[WORLD] = {true, false, false, true, false};
    for (size_t i = 0; i < WORLD; i++)
        ck_assert_msg(plan_covers(&plan, i) == covered[i], "%c", world[i].letter);
    plan_clear(&plan);
    config_clear(&config);
    update_list_clear(&updates);
}
END_TEST

START_TEST(idle_rules) {
    struct error err = {0};
    struct config config;
    struct update_list updates = {0};
    struct plan plan;
    fill_world(&updates);
    parse("updates:\n"
          "  - {images: redis, policy: minor}\n"
          "  - {images: nginx, policy: minor}\n"
          "  - {images: 'redis:7', policy: patch}\n" /* never the first */
          "  - {images: '**'}\n",
          &config);
    unit_ok(plan_make(&config, &updates, false, &plan, &err), &err);
    char *got = describe(&plan);
    ck_assert_str_eq(got,
                     "?c:4: this rule of updates is the first that matches for no pinned image; "
                     "?c:5: this rule of updates is the first that matches for no pinned image");
    free(got);
    plan_clear(&plan);
    config_clear(&config);
    update_list_clear(&updates);
}
END_TEST

static const char *variable(const struct trial_spec *spec, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < spec->environment.count; i++)
        if (strncmp(spec->environment.items[i], name, length) == 0 &&
            spec->environment.items[i][length] == '=')
            return spec->environment.items[i] + length + 1;
    return NULL;
}

/* The digests that a question is asked on, and what commands are told of them. */
START_TEST(specs) {
    struct error err = {0};
    struct config config;
    struct update_list updates = {0};
    struct plan plan;
    fill_world(&updates);
    parse("tests:\n"
          "  - {name: a, images: 'redis:7', run: [x, {in: python, command: y}]}\n"
          "  - {name: b, run: [{in: python, command: x}, {in: 'redis:7', command: y}]}\n",
          &config);
    unit_ok(plan_make(&config, &updates, false, &plan, &err), &err);
    ck_assert_uint_eq(plan.count, 2);
    struct trial_spec spec;
    bool moved[WORLD] = {[3] = true};

    unit_ok(plan_spec(&plan.items[0], &updates, moved, "logs/1", &spec, &err), &err);
    ck_assert_str_eq(spec.title, "a on python:3 (as pinned) + redis:7.1");
    ck_assert_str_eq(spec.log_folder, "logs/1");
    ck_assert_str_eq(spec.steps[0].image, "docker.io/library/redis");
    ck_assert_str_eq(spec.steps[0].digest, "sha256:" B64);
    ck_assert_str_eq(spec.steps[0].tag, "7.1");
    ck_assert_str_eq(spec.steps[1].image, "docker.io/library/python");
    ck_assert_str_eq(spec.steps[1].digest, "sha256:" A64);
    ck_assert_str_eq(variable(&spec, "PINGATE_IMAGE"), "docker.io/library/redis");
    ck_assert_str_eq(variable(&spec, "PINGATE_TAG"), "7.1");
    ck_assert_str_eq(variable(&spec, "PINGATE_DIGEST"), "sha256:" B64);
    ck_assert_str_eq(variable(&spec, "PINGATE_OLD_DIGEST"), "sha256:" A64);
    trial_spec_clear(&spec);

    moved[3] = false; /* the baseline */
    unit_ok(plan_spec(&plan.items[0], &updates, moved, "logs/2", &spec, &err), &err);
    ck_assert_str_eq(spec.title, "a on python:3 (as pinned) + redis:7 (as pinned)");
    ck_assert_str_eq(spec.steps[0].digest, "sha256:" A64);
    ck_assert_str_eq(variable(&spec, "PINGATE_TAG"), "7");
    ck_assert_str_eq(variable(&spec, "PINGATE_DIGEST"), "sha256:" A64);
    trial_spec_clear(&spec);

    moved[0] = moved[3] = true; /* of the set: no single image is the candidate */
    unit_ok(plan_spec(&plan.items[1], &updates, moved, "logs/3", &spec, &err), &err);
    ck_assert_str_eq(spec.title, "b on python:4 + redis:7.1");
    ck_assert_uint_eq(spec.environment.count, 0);
    trial_spec_clear(&spec);
    plan_clear(&plan);
    config_clear(&config);
    update_list_clear(&updates);
}
END_TEST

/* test --since: a pin that is new has no digest to go back to. */
START_TEST(new_pin) {
    struct error err = {0};
    struct config config;
    struct update_list updates = {0};
    struct plan plan;
    fill_world(&updates);
    free(updates.items[4].digest);
    free(updates.items[4].tag);
    updates.items[4].digest = updates.items[4].tag = NULL;
    parse("tests: [{name: a, images: ghcr.io/acme/tool, run: x}]", &config);
    unit_ok(plan_make(&config, &updates, false, &plan, &err), &err);
    bool moved[WORLD] = {false};
    struct trial_spec spec;
    unit_ok(plan_spec(&plan.items[0], &updates, moved, "logs", &spec, &err), &err);
    ck_assert_str_eq(spec.steps[0].digest, "sha256:" B64);
    ck_assert_str_eq(variable(&spec, "PINGATE_DIGEST"), "sha256:" B64);
    ck_assert_ptr_null(variable(&spec, "PINGATE_OLD_DIGEST"));
    trial_spec_clear(&spec);
    plan_clear(&plan);
    config_clear(&config);
    update_list_clear(&updates);
}
END_TEST

/* Each image as "DIGEST of UPDATES", "+" before one that some update moves to, "=" before one that stays. */
START_TEST(pulled) {
    static const struct {
        const char *tests;
        const char *decided; /* updates that move no more */
        const char *expected;
    } pulls[] = {
        {"[{name: a, images: python, run: x}]", "q", "+b:p"},
        /* redis:6 and redis:7 move to one digest: it is pulled once */
        {"[{name: a, images: redis, run: x}]", "q", "+b:rs"},
        {"[{name: a, images: redis, run: x}]", "qr", "+b:s"},
        {"[{name: a, images: redis, run: x}]", "qrs", ""},
        {"[{name: a, images: 'redis:7', run: x}, {name: b, images: '*', run: y}]", "q",
         "+b:p +b:rs +b:t"},
        /* what the commands run in is pulled, also as pinned; what only takes part is not */
        {"[{name: a, images: 'redis:7', run: [x, {in: python, command: y}]}]", "pq", "=a:p +b:s"},
        {"[{name: a, images: 'redis:7', in: python, run: x}]", "pq", "=a:p"},
        {"[{name: a, images: 'redis:7', in: python, run: x}]", "q", "+b:p"},
        {"[{name: a, run: [{in: 'redis:7', command: x}, {in: python, command: y}]}]", "qs",
         "+b:p =a:s"},
        /* as pinned they are one image as well */
        {"[{name: a, run: [{in: 'redis:6', command: x}, {in: 'redis:7', command: y}, {in: python, "
         "command: z}]}]",
         "qrs", "+b:p =a:rs"},
        /* no trial, nothing to pull */
        {"[{name: a, images: 'redis:7', in: python, run: x}]", "qs", ""},
    };
    for (size_t i = 0; i < sizeof pulls / sizeof *pulls; i++) {
        struct error err = {0};
        struct config config;
        struct update_list updates = {0};
        struct plan plan;
        struct pull pull = {0};
        struct text out = {0};
        char *tests = string_format(&err, "tests: %s", pulls[i].tests);
        fill_world(&updates);
        parse(tests, &config);
        for (size_t u = 0; u < WORLD; u++)
            updates.items[u].decided = strchr(pulls[i].decided, world[u].letter) != NULL;
        unit_ok(plan_make(&config, &updates, false, &plan, &err), &err);
        unit_ok(pull_plan(&plan, &updates, &pull, &err), &err);
        for (size_t p = 0; p < pull.count; p++) {
            const struct pull_image *image = &pull.items[p];
            ck_assert_int_eq(image->size_bytes, PULL_UNKNOWN);
            ck_assert_str_eq(image->image, world[image->updates[0]].image);
            text_printf(&out, "%s%c%c", p > 0 ? " " : "", image->moved ? '+' : '=',
                        image->digest[strlen("sha256:")]);
            add_letters(&out, ':', image->updates, image->update_count);
        }
        ck_assert_msg(strcmp(text_string(&out), pulls[i].expected) == 0, "row %zu: %s", i,
                      text_string(&out));
        text_clear(&out);
        pull_clear(&pull);
        plan_clear(&plan);
        config_clear(&config);
        update_list_clear(&updates);
        free(tests);
    }
}
END_TEST

UNIT_MAIN("plan", {
    tcase_add_test(cases, pulled);
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, covered_and_not);
    tcase_add_test(cases, idle_rules);
    tcase_add_test(cases, specs);
    tcase_add_test(cases, new_pin);
})
