#include "pipelines/commands/options.h"

#include "gate/base/text.h"
#include "pipelines/commands/command.h"
#include "tests/unit/unit.h"

#define WORDS 8

static const enum option_id accepted[] = {OPTION_DRY_RUN,   OPTION_IMAGE,        OPTION_JOBS,
                                          OPTION_JSON,      OPTION_PROMOTE,      OPTION_OUTPUT,
                                          OPTION_FROM,      OPTION_KEEP,         OPTION_KEEP_IMAGES,
                                          OPTION_ALLOW_ENV, OPTION_ALLOW_SECRET, OPTION_END};

/* What is said of a command line, as "dry-run jobs=2 image=a,b | argument argument"; "!words" for an error. */
static const struct {
    const char *words[WORDS]; /* behind the command's own */
    const char *expected;
} rows[] = {
    {{NULL}, ""},
    {{"--dry-run"}, "dry-run"},
    {{"-n"}, "dry-run"},
    {{"-nqv"}, "quiet verbose dry-run"},
    {{"-nj2"}, "dry-run jobs=2"},
    {{"-nj", "2"}, "dry-run jobs=2"},
    {{"-o", "dir"}, "output=dir"},
    {{"-odir"}, "output=dir"},
    {{"--output=dir"}, "output=dir"},
    {{"--output", "dir"}, "output=dir"},
    {{"--output=a=b"}, "output=a=b"},
    {{"--output", "--json"}, "output=--json"},
    {{"--output", "a", "--output", "b"}, "output=b"},
    {{"--dry"}, "dry-run"},
    {{"-i", "a", "--image=b", "-ic"}, "image=a,b,c"},
    {{"-i", "ghcr.io/a/*:1.*"}, "image=ghcr.io/a/*:1.*"},
    {{"-C", "dir", "-c", "file"}, "directory=dir config=file"},
    {{"-h"}, "help"},
    {{"--keep"}, "keep"},
    {{"--allow-env=A", "--allow-env", "B"}, "allow-env=A,B"},
    {{"--allow-secret=A", "--allow-secret", "B=../file=x"}, "allow-secret=A,B=../file=x"},
    {{"--allow-env", "A=B"}, "!--allow-env: \"A=B\" is no name"},
    {{"--allow-secret="}, "!--allow-secret: NAME[=FILE] is empty"},
    {{"--keep-images"}, "keep-images"},
    {{"x", "-n", "y"}, "dry-run | x y"},
    {{"-n", "--", "-n", "--json"}, "dry-run | -n --json"},
    {{"-"}, " | -"},
    {{"--promote", "all"}, "promote=all"},
    {{"--promote=passing"}, "promote=passing"},
    {{"-j1"}, "jobs=1"},
    {{"-j64"}, "jobs=64"},
    /* near names */
    {{"--dryrun"}, "!unknown option --dryrun; did you mean --dry-run?"},
    {{"--imgae", "x"}, "!unknown option --imgae; did you mean --image?"},
    {{"--jbos=3"}, "!unknown option --jbos; did you mean --jobs?"},
    {{"--something"}, "!unknown option --something"},
    {{"-n", "--something=x", "y"}, "!unknown option --something"},
    {{"-x"}, "!unknown option -x"},
    {{"-nx"}, "!unknown option -x"},
    {{"-nxq"}, "!unknown option -x"},
    {{"-f"}, "!unknown option -f"},           /* of another command */
    {{"--force"}, "!unknown option --force"}, /* of another command */
    {{"--exit-code"}, "!unknown option --exit-code"},
    {{"--jso=x"}, "!--json takes no argument"},
    /* missing and surplus arguments */
    {{"--output"}, "!--output needs an argument: DIR"},
    {{"-o"}, "!--output needs an argument: DIR"},
    {{"-nj"}, "!--jobs needs an argument: N"},
    {{"--json=yes"}, "!--json takes no argument"},
    {{"--dry-run="}, "!--dry-run takes no argument"},
    {{"--output="}, "!--output: DIR is empty"},
    {{"-o", ""}, "!--output: DIR is empty"},
    {{"--from="}, "!--from: FILE is empty"},
    /* arguments that are none */
    {{"--jobs", "0"}, "!--jobs: \"0\" is not a number from 1 to 64"},
    {{"--jobs", "-1"}, "!--jobs: \"-1\" is not a number from 1 to 64"},
    {{"--jobs=65"}, "!--jobs: \"65\" is not"},
    {{"--jobs=99999999999999999999"}, "!--jobs: \"99999999999999999999\" is not"},
    {{"--jobs=2x"}, "!--jobs: \"2x\" is not"},
    {{"--jobs= 2"}, "!--jobs: \" 2\" is not"},
    {{"--jobs=+2"}, "!--jobs: \"+2\" is not"},
    {{"--jobs=0x2"}, "!--jobs: \"0x2\" is not"},
    {{"--jobs="}, "!--jobs: N is empty"},
    {{"--promote=some"}, "!--promote: \"some\" is neither all nor passing"},
    {{"--image=Not A Name"}, "!--image: \"Not A Name\" is not an image reference"},
    {{"--image=a@sha256:0"}, "!--image: \"a@sha256:0\": a selector names an image"},
    {{"--image=a[b*"}, "!--image: the pattern"},
};

static char *describe(const struct options *options, struct error *err) {
    struct text out = {0};
    for (int id = OPTION_END + 1; id < OPTION_COUNT; id++) {
        if (!options->given[id])
            continue;
        const struct option_spec *spec = option_spec((enum option_id)id);
        text_printf(&out, "%s%s", out.length > 0 ? " " : "", spec->name);
        const struct string_list *list = id == OPTION_IMAGE          ? &options->images
                                         : id == OPTION_ALLOW_ENV    ? &options->allow_env
                                         : id == OPTION_ALLOW_SECRET ? &options->allow_secrets
                                                                     : NULL;
        if (list != NULL)
            for (size_t i = 0; i < list->count; i++)
                text_printf(&out, "%c%s", i == 0 ? '=' : ',', list->items[i]);
        else if (id == OPTION_JOBS)
            text_printf(&out, "=%zu", options->jobs);
        else if (spec->argument != NULL)
            text_printf(&out, "=%s", options->values[id]);
    }
    for (size_t i = 0; i < options->argument_count; i++)
        text_printf(&out, "%s %s", i == 0 ? " |" : "", options->arguments[i]);
    ck_assert_ptr_null(options->arguments[options->argument_count]);
    return text_steal(&out, err);
}

START_TEST(row) {
    struct error err = {0};
    struct options options;
    char *argv[WORDS + 2] = {strdup("run")};
    int argc = 1;
    for (; rows[_i].words[argc - 1] != NULL; argc++)
        argv[argc] = strdup(rows[_i].words[argc - 1]);
    int result = options_parse(argc, argv, accepted, &options, &err);
    const char *expected = rows[_i].expected;
    const char *first = argc > 1 ? rows[_i].words[0] : "nothing";
    if (expected[0] == '!') {
        ck_assert_msg(result == -1 && err.kind == ERROR_USAGE, "%s: taken", first);
        ck_assert_msg(string_has_prefix(error_message(&err), expected + 1), "%s: %s", first,
                      error_message(&err));
    } else {
        ck_assert_msg(result == 0, "%s: %s", first, error_message(&err));
        char *got = describe(&options, &err);
        ck_assert_msg(strcmp(got, expected) == 0, "%s: \"%s\", expected \"%s\"", first, got,
                      expected);
        free(got);
    }
    options_clear(&options);
    error_clear(&err);
    for (int i = 0; i < argc; i++)
        free(argv[i]); /* permuted, and still all there */
}
END_TEST

/* One name may mean two things, but not to one command. */
START_TEST(names_of_each_command) {
    for (size_t c = 0; commands[c] != NULL; c++) {
        const enum option_id *own = commands[c]->options;
        for (size_t i = 0; own[i] != OPTION_END; i++) {
            for (size_t k = 0; k < i; k++)
                ck_assert_str_ne(option_spec(own[i])->name, option_spec(own[k])->name);
            for (size_t k = 0; options_common[k] != OPTION_END; k++)
                ck_assert_str_ne(option_spec(own[i])->name, option_spec(options_common[k])->name);
        }
    }
}
END_TEST

/* The table itself: help, completions and the man page are drawn from it. */
START_TEST(table) {
    for (int id = OPTION_END + 1; id < OPTION_COUNT; id++) {
        const struct option_spec *spec = option_spec((enum option_id)id);
        ck_assert_ptr_nonnull(spec->name);
        ck_assert_msg(spec->help != NULL && spec->help[strlen(spec->help) - 1] != '.', "%s",
                      spec->name);
        ck_assert_msg(spec->choices == NULL || spec->argument != NULL, "%s", spec->name);
        for (int other = OPTION_END + 1; other < id; other++) {
            const struct option_spec *before = option_spec((enum option_id)other);
            ck_assert_msg(spec->letter == 0 || before->letter != spec->letter, "-%c is twice",
                          spec->letter);
        }
    }
}
END_TEST

UNIT_MAIN("options", {
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, table);
    tcase_add_test(cases, names_of_each_command);
})
