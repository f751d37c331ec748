/* Draws tests/golden/reports/NAME/result.json with every sink and compares with the files beside it. A case is a folder;
 * after a change that is meant, PINGATE_GOLDEN=update tests/unit/test_reports writes them anew: read the diff then. */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "reports/json.h"
#include "reports/markdown.h"
#include "reports/report.h"
#include "reports/summary.h"
#include "tests/unit/pty.h"
#include "tests/unit/unit.h"

#define GOLDEN_LIMIT (4u << 20) /* bytes of a file of a case */
#define SHORT_LIMIT  5000u      /* bytes of short.md */

static char folder[4096];

static void set_folder(void) {
    const char *source = getenv("PINGATE_TEST_SOURCE");
    snprintf(folder, sizeof folder, "%s/tests/golden/reports", source != NULL ? source : ".");
}

static int load_case(const char *name, struct result *result) {
    struct error err = {0};
    char path[8192];
    snprintf(path, sizeof path, "%s/%s/result.json", folder, name);
    json_error_t where;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    ck_assert_msg(json != NULL, "%s:%d: %s", path, where.line, where.text);
    ck_assert_msg(result_from_json(json, result, &err) == 0, "%s: %s", path, error_message(&err));
    json_t *again = result_to_json(result, &err);
    ck_assert_msg(json_equal(json, again), "%s: does not come back as it was", path);
    json_decref(json);
    json_decref(again);
    return 0;
}

static void show_difference(const char *path, const struct text *drawn) {
    char temporary[] = "/tmp/pingate-golden.XXXXXX";
    struct error err = {0};
    int fd = mkstemp(temporary);
    ck_assert(fd >= 0 && file_write_all(fd, text_string(drawn), drawn->length, &err) == 0);
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execlp("diff", "diff", "-u", path, temporary, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
    unlink(temporary);
}

/* 0 when the file is as drawn. */
static int compare(const char *name, const char *file, const struct text *drawn) {
    struct error err = {0};
    struct text golden = {0};
    char path[8192];
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    const char *mode = getenv("PINGATE_GOLDEN");
    if (mode != NULL && strcmp(mode, "update") == 0) {
        unit_ok(file_replace(path, text_string(drawn), drawn->length, &err), &err);
        return 0;
    }
    unit_ok(file_read(path, GOLDEN_LIMIT, &golden, &err), &err);
    int differs = golden.length != drawn->length ||
                  memcmp(text_string(&golden), text_string(drawn), drawn->length) != 0;
    if (differs)
        show_difference(path, drawn);
    text_clear(&golden);
    return differs;
}

static int draw_and_compare(const char *name, const struct result *result,
                            const struct report *report) {
    struct error err = {0};
    struct text drawn = {0};
    unit_ok(report->draw(result, &drawn, &err), &err);
    int differs = compare(name, report->file, &drawn);
    text_clear(&drawn);
    return differs;
}

static int draw_short(const char *name, const struct result *result) {
    struct error err = {0};
    char path[8192];
    snprintf(path, sizeof path, "%s/%s/short.md", folder, name);
    if (!file_exists(path))
        return 0;
    struct text drawn = {0};
    unit_ok(markdown_draw(result, SHORT_LIMIT, &drawn, &err), &err);
    ck_assert_uint_le(drawn.length, SHORT_LIMIT);
    int differs = compare(name, "short.md", &drawn);
    text_clear(&drawn);
    return differs;
}

static int draw_summary(const char *name, const struct result *result) {
    struct error err = {0};
    struct text drawn = {0};
    struct screen screen = {.stream = stdout, .utf8 = true};
    unit_ok(summary_draw(result, &screen, "pingate-out", false, &drawn, &err), &err);
    int differs = compare(name, "summary.txt", &drawn);
    text_clear(&drawn);
    return differs;
}

static json_t *load(const char *path) {
    json_error_t where;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    ck_assert_msg(json != NULL, "%s:%d: %s", path, where.line, where.text);
    return json;
}

/* Written before builds, services, suites, artifacts and all the like were there. */
START_TEST(an_older_result_is_read) {
    set_folder();
    struct error err = {0};
    struct result result;
    struct text drawn = {0};
    char path[8192];
    snprintf(path, sizeof path, "%s/../../fuzz/corpus/result/closed.json", folder);
    json_t *json = load(path);
    const json_t *trial = json_array_get(json_object_get(json, "trials"), 0);
    ck_assert(json_is_object(trial) && json_object_get(trial, "services") == NULL);
    unit_ok(result_from_json(json, &result, &err), &err);
    ck_assert_uint_eq(result.trials[0].attempts, 0);
    ck_assert_ptr_null(result.trials[0].build);
    ck_assert_ptr_null(result.updates[0].changes);
    unit_ok(report_markdown.draw(&result, &drawn, &err), &err);
    unit_ok(report_junit.draw(&result, &drawn, &err), &err);
    text_clear(&drawn);
    result_clear(&result);
    json_decref(json);
}
END_TEST

static void refused(json_t *take_value, const char *list, const char *name, const char *message) {
    struct error err = {0};
    struct result result;
    char path[8192];
    snprintf(path, sizeof path, "%s/full/result.json", folder);
    json_t *json = load(path);
    json_t *item = json_array_get(json_object_get(json, list), 1);
    ck_assert(json_object_get(item, name) != NULL &&
              json_object_set_new(item, name, take_value) == 0);
    unit_fails(result_from_json(json, &result, &err), &err, ERROR_INPUT, message);
    json_decref(json);
}

START_TEST(what_no_program_wrote_is_refused) {
    set_folder();
    refused(json_pack("[i]", 99), "updates", "culprits",
            "updates[1]: culprits: there is no update 99, only 9");
    refused(json_pack("[i]", 99), "trials", "updates",
            "trials[1]: updates: there is no update 99, only 9");
    refused(json_integer(-1), "trials", "attempts", "trials[1]: attempts must be a whole number");
    refused(json_string("x"), "trials", "build", "trials[1]: build must be an object or null");
    refused(json_pack("[{s:s}]", "name", "redis"), "trials", "services",
            "trials[1]: services[0]: image lacks");
    refused(json_pack("[{s:s,s:s,s:i}]", "file", "a", "name", "", "tests", -1), "trials", "suites",
            "suites[0]: tests must be a whole number of at least 0");
    refused(json_true(), "updates", "changes", "changes must be an object or null");
}
END_TEST

START_TEST(golden_cases) {
    set_folder();
    DIR *open_folder = opendir(folder);
    ck_assert_msg(open_folder != NULL, "%s is not there", folder);
    int cases_seen = 0;
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        struct result result;
        load_case(entry->d_name, &result);
        failed += draw_and_compare(entry->d_name, &result, &report_markdown);
        failed += draw_and_compare(entry->d_name, &result, &report_junit);
        failed += draw_short(entry->d_name, &result);
        failed += draw_summary(entry->d_name, &result);
        result_clear(&result);
        cases_seen++;
    }
    closedir(open_folder);
    ck_assert_int_ge(cases_seen, 10);
    ck_assert_msg(failed == 0, "%d files differ, see above; PINGATE_GOLDEN=update when it is meant",
                  failed);
}
END_TEST

/* No fence stays open, nothing outside of fences but our own tags begins with "<". */
static void check_markdown(const char *bytes, size_t limit) {
    static const char *const tags[] = {"<details>",  "<details open>", "<summary>",
                                       "</summary>", "</details>",     "<sub>",
                                       "</sub>",     "<code>",         "</code>"};
    size_t fence = 0;
    size_t details = 0;
    for (const char *line = bytes; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t run = strspn(line, "`");
        ck_assert_msg(line[0] != '/', "limit %zu: a quick action: %.80s", limit, line);
        if (fence == 0 && run >= 3 && memchr(line + run, '`', length - run) == NULL)
            fence = run;
        else if (fence > 0 && run >= fence && run == length)
            fence = 0;
        else if (fence == 0)
            for (size_t i = 0; i < length; i++) {
                bool ours = line[i] != '<';
                for (size_t k = 0; !ours && k < sizeof tags / sizeof *tags; k++)
                    ours = strncmp(line + i, tags[k], strlen(tags[k])) == 0;
                /* in a code span, which check_markdown does not follow, "<" is text */
                ck_assert_msg(ours || memchr(line, '`', i) != NULL, "limit %zu: HTML: %.80s", limit,
                              line + i);
                details += strncmp(line + i, "<details", 8) == 0;
                details -= strncmp(line + i, "</details>", 10) == 0;
            }
        line += length + (line[length] == '\n');
    }
    ck_assert_msg(fence == 0, "limit %zu: a fence is open", limit);
    ck_assert_msg(details == 0, "limit %zu: <details> is open", limit);
}

START_TEST(hostile_at_every_size) {
    set_folder();
    struct error err = {0};
    struct result result;
    load_case("hostile", &result);
    for (size_t limit = MARKDOWN_LIMIT_LEAST; limit < 60000; limit += 397) {
        struct text drawn = {0};
        unit_ok(markdown_draw(&result, limit, &drawn, &err), &err);
        ck_assert_uint_le(drawn.length, limit);
        check_markdown(text_string(&drawn), limit);
        text_clear(&drawn);
    }
    result_clear(&result);
}
END_TEST

/* Each row fits the window but for one word that is longer; nothing in it moves the cursor; nothing is obeyed. */
static void check_rows(const char *drawn, const struct screen *screen, size_t columns) {
    ck_assert_msg(strpbrk(drawn, "\x1b\r\b\t") == NULL, "a control character");
    ck_assert_msg(strstr(drawn, "##[") == NULL && strstr(drawn, "##vso[") == NULL, "a command");
    for (const char *at = drawn; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        struct error err = {0};
        char *row = string_dup_length(at, length, &err);
        const char *words = row + strspn(row, " ");
        ck_assert_msg(strncmp(words, "::", 2) != 0, "a command: %s", row);
        bool fits = screen_width(screen, row) <= columns || strchr(words, ' ') == NULL;
        ck_assert_msg(fits, "%zu columns: too long: %s", columns, row);
        free(row);
        at += length + (at[length] == '\n');
    }
}

START_TEST(summaries_fit_every_window) {
    static const char *const names[] = {"closed", "hostile", "together", "could-not-look",
                                        "promoted"};
    set_folder();
    struct pty pty;
    pty_open(&pty, 80);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t columns = 30; columns < 250; columns += 7) {
            struct error err = {0};
            struct result result;
            struct text drawn = {0};
            struct screen screen = {.stream = pty.stream, .terminal = true, .utf8 = i % 2 == 0};
            load_case(names[i], &result);
            pty_resize(&pty, columns);
            unit_ok(summary_draw(&result, &screen, "out", false, &drawn, &err), &err);
            check_rows(text_string(&drawn), &screen, columns);
            text_clear(&drawn);
            result_clear(&result);
        }
    pty_close(&pty);
}
END_TEST

enum { MANY = 1000, LONG = 6000 };

static char *long_text(const char *piece) {
    struct error err = {0};
    struct text text = {0};
    while (text.length < LONG)
        text_add(&text, piece);
    char *string = text_steal(&text, &err);
    ck_assert_ptr_nonnull(string);
    return string;
}

/* What builds, services, tests from inside and changes add to it. */
static void fill_new(struct result *result, size_t i) {
    struct error err = {0};
    struct result_trial *trial = &result->trials[i];
    struct result_update *update = &result->updates[i];
    trial->services = calloc(3, sizeof *trial->services);
    trial->suites = calloc(1, sizeof *trial->suites);
    trial->build = calloc(1, sizeof *trial->build);
    update->changes = calloc(1, sizeof *update->changes);
    update->culprits = calloc(1, sizeof *update->culprits);
    ck_assert(trial->services != NULL && trial->suites != NULL && trial->build != NULL &&
              update->changes != NULL && update->culprits != NULL);
    update->culprit_count = 1;
    trial->service_count = 3;
    for (size_t k = 0; k < 3; k++) {
        trial->services[k].name = long_text("s`|");
        trial->services[k].outcome = (enum outcome)((i + k) % OUTCOME_COUNT);
        trial->services[k].err_tail = long_text("```\n/close\n");
    }
    trial->build->dockerfile = long_text("`<b>");
    trial->build->outcome = trial->outcome;
    trial->build->tail = long_text("\n/merge\n");
    trial->suite_count = 1;
    trial->suites[0].file = long_text("f");
    trial->suites[0].name = long_text("`|\n");
    trial->suites[0].tests = trial->suites[0].failed = trial->suites[0].case_count = 4;
    trial->suites[0].cases = calloc(4, sizeof *trial->suites[0].cases);
    ck_assert_ptr_nonnull(trial->suites[0].cases);
    for (size_t k = 0; k < 4; k++) {
        trial->suites[0].cases[k].outcome = OUTCOME_FAILED;
        trial->suites[0].cases[k].name = long_text("<i>|");
        trial->suites[0].cases[k].message = long_text("@all\n");
    }
    ck_assert(string_list_add(&trial->attempt_reasons, trial->suites[0].name, &err) == 0);
    update->changes->items = calloc(1, sizeof *update->changes->items);
    ck_assert_ptr_nonnull(update->changes->items);
    update->changes->count = 1;
    update->changes->items[0].what = long_text("<b>");
    update->changes->items[0].before = long_text("`|");
    update->changes->items[0].denied = i % 2 == 0;
}

/* A thousand updates of each verdict in turn, each text far too long, each failing loudly. */
static void fill_many(struct result *result) {
    struct error err = {0};
    result->updates = calloc(MANY, sizeof *result->updates);
    result->trials = calloc(MANY, sizeof *result->trials);
    ck_assert(result->updates != NULL && result->trials != NULL);
    result->update_count = result->trial_count = MANY;
    result->exit_status = EXIT_COULD_NOT;
    result->diff = long_text("+``` <b> /merge\n");
    for (size_t i = 0; i < MANY; i++) {
        struct result_update *update = &result->updates[i];
        update->verdict = (enum verdict)(i % VERDICT_COUNT);
        update->code = update->verdict == VERDICT_HOLD ? CODE_NO_TEST : CODE_NONE;
        update->image = long_text("docker.io/<b>/`|");
        update->reason = long_text("<i>@all|\n");
        update->candidate_tag = long_text("`|");
        ck_assert(string_list_add(&result->warnings, update->reason, &err) == 0);
        ck_assert(string_list_add(&result->errors, update->image, &err) == 0);
        struct result_trial *trial = &result->trials[i];
        trial->test = long_text("*_");
        trial->updates = calloc(1, sizeof *trial->updates);
        trial->updates[0] = i;
        trial->update_count = 1;
        trial->outcome = (enum outcome)(i % OUTCOME_COUNT);
        trial->command_count = 1;
        trial->commands = calloc(1, sizeof *trial->commands);
        trial->commands[0].outcome = trial->outcome;
        trial->commands[0].text = long_text("a|b`");
        trial->commands[0].out_tail = long_text("```\n/close\n</details>\n");
        trial->commands[0].err_tail = long_text("\x1b[31m&<\n");
        trial->commands[0].reproduce = long_text("x\n");
        trial->commands[0].difference = long_text("`|<b>\n");
        fill_new(result, i);
    }
}

START_TEST(far_too_much) {
    struct error err = {0};
    struct result result = {0};
    fill_many(&result);
    static const size_t limits[] = {MARKDOWN_LIMIT_LEAST,  10000,  32768,
                                    MARKDOWN_LIMIT_GITHUB, 150000, 1000000};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct text drawn = {0};
        unit_ok(markdown_draw(&result, limits[i], &drawn, &err), &err);
        ck_assert_uint_le(drawn.length, limits[i]);
        ck_assert_msg(strstr(text_string(&drawn), "Shortened to fit") != NULL,
                      "limit %zu: does not say that it was cut", limits[i]);
        ck_assert(strstr(text_string(&drawn), "200 of 800 updates failed their tests") != NULL);
        check_markdown(text_string(&drawn), limits[i]);
        text_clear(&drawn);
    }
    struct text junit = {0};
    unit_ok(report_junit.draw(&result, &junit, &err), &err);
    ck_assert_uint_le(junit.length, 30u << 20);
    text_clear(&junit);
    struct text summary = {0};
    struct screen screen = {.stream = stdout, .utf8 = true};
    unit_ok(summary_draw(&result, &screen, "out", false, &summary, &err), &err);
    ck_assert_uint_le(summary.length, 1u << 20);
    text_clear(&summary);
    result_clear(&result);
}
END_TEST

START_TEST(a_limit_that_is_too_small) {
    struct error err = {0};
    struct result result = {0};
    struct text drawn = {0};
    unit_fails(markdown_draw(&result, 10, &drawn, &err), &err, ERROR_LIMIT, "10 bytes");
    text_clear(&drawn);
}
END_TEST

static bool file_holds(const char *path, const char *part) {
    struct error err = {0};
    struct text text = {0};
    unit_ok(file_read(path, GOLDEN_LIMIT, &text, &err), &err);
    bool holds = strstr(text_string(&text), part) != NULL;
    text_clear(&text);
    return holds;
}

START_TEST(writes_all) {
    struct error err = {0};
    char made[] = "/tmp/pingate-reports.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(made));
    ck_assert_int_eq(chdir(made), 0);
    struct result result = {.diff = string_dup("+x\n", &err)};
    unit_ok(report_write_all(&result, "a/out", &err), &err);
    ck_assert(file_holds("a/out/result.json", "\"version\": 1"));
    ck_assert(file_holds("a/out/junit.xml", "<testsuites"));
    ck_assert(file_holds("a/out/report.md", "no pins were found"));
    ck_assert(file_holds("a/out/pins.diff", "+x\n"));
    ck_assert(file_holds("a/out/.gitignore", "*"));
    /* What cannot be written does not keep the others from being written. */
    ck_assert_int_eq(unlink("a/out/result.json"), 0);
    ck_assert_int_eq(mkdir("a/out/result.json", 0700), 0);
    result.exit_status = EXIT_USAGE;
    unit_fails(report_write_all(&result, "a/out", &err), &err, ERROR_IO, "result.json");
    ck_assert(file_holds("a/out/report.md", "Stopped"));
    ck_assert(file_holds("a/out/junit.xml", "<error "));
    unit_fails(report_write_all(&result, "a/out/report.md", &err), &err, ERROR_IO, "not a folder");
    result_clear(&result);
    unit_ok(file_remove_tree(made, &err), &err);
}
END_TEST

START_TEST(the_table) {
    ck_assert_ptr_eq(report_find("junit"), &report_junit);
    ck_assert_ptr_null(report_find("nothing"));
    for (const struct report *const *a = reports; *a != NULL; a++)
        for (const struct report *const *b = a + 1; *b != NULL; b++)
            ck_assert_str_ne((*a)->file, (*b)->file);
}
END_TEST

/* A JSON text on the output of a CI job: equal in value, obeyed by none. */
START_TEST(json_is_not_obeyed) {
    struct error err = {0};
    struct text out = {0};
    json_t *json = json_pack("{s:s}", "x", "##vso[a]### \x1b[0m \xE2\x80\xAE");
    unit_ok(json_draw(json, &out, &err), &err);
    ck_assert_ptr_null(strstr(text_string(&out), "##"));
    json_t *again = json_loads(text_string(&out), 0, NULL);
    ck_assert(json_equal(json, again));
    json_decref(json);
    json_decref(again);
    text_clear(&out);
}
END_TEST

UNIT_MAIN("reports", {
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, golden_cases);
    tcase_add_test(cases, an_older_result_is_read);
    tcase_add_test(cases, what_no_program_wrote_is_refused);
    tcase_add_test(cases, hostile_at_every_size);
    tcase_add_test(cases, summaries_fit_every_window);
    tcase_add_test(cases, far_too_much);
    tcase_add_test(cases, a_limit_that_is_too_small);
    tcase_add_test(cases, writes_all);
    tcase_add_test(cases, the_table);
    tcase_add_test(cases, json_is_not_obeyed);
})
