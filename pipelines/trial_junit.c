#include "pipelines/trial_junit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "gate/base/redact.h"
#include "reports/junit_read.h"
#include "runners/artifact_names.h"
#include "runners/grants.h"

#define NAME_SHOWN 120 /* bytes of a name of a test or file within a sentence */

/* All files of one trial while they are read. */
struct joining {
    const struct trial_spec *spec;
    const struct artifacts *artifacts;
    struct trial_junit *found;
    int folder_fd;
    struct junit_totals totals; /* of all; first, first_message: of the first file that failed */
    bool *written;              /* one a pattern: it has a file */
    bool *proven;               /* … and a test that ran and passed in one */
    int64_t bytes;              /* of the files so far */
    char *fault;                /* the first reason against a pass that is no failed test */
};

static void found_free(void *context) {
    struct trial_junit *found = context;
    junit_keep_clear(&found->kept);
    string_list_clear(&found->warnings);
    free(found);
}

/* On one line, since it stands within a sentence. */
static char *brief(const char *words, struct error *err) {
    size_t length = strnlen(words, NAME_SHOWN + 1);
    bool cut = length > NAME_SHOWN;
    for (length = cut ? NAME_SHOWN : length;
         cut && length > 0 && ((unsigned char)words[length] & 0xC0u) == 0x80u;)
        length--;
    char *line = string_format(err, "%.*s%s", (int)length, words, cut ? "…" : "");
    for (char *c = line; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return line;
}

/* A reason against a pass. The first one counts, all are told. */
static int object(struct joining *joining, struct error *err, const char *format, ...)
    _printf_(3, 4);

static int object(struct joining *joining, struct error *err, const char *format, ...) {
    char line[1600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (joining->fault == NULL && string_copy(line, &joining->fault, err) < 0)
        return -1;
    return string_list_add(&joining->found->warnings, line, err);
}

static int add_totals(struct joining *joining, struct junit_totals *from) {
    struct junit_totals *to = &joining->totals;
    if (to->failed == 0 && from->failed > 0) {
        to->first = steal(from->first);
        to->first_message = steal(from->first_message);
    }
    to->tests += from->tests;
    to->passed += from->passed;
    to->failed += from->failed;
    to->skipped += from->skipped;
    to->flaky += from->flaky;
    return 0;
}

/* Secrets of the caller are taken out before anything is kept. */
static int load(const struct joining *joining, const char *path, struct text *bytes,
                struct error *err) {
    const struct grants *grants = joining->spec->grants;
    if (file_read_at(joining->folder_fd, path, JUNIT_FILE_LIMIT, bytes, err) < 0)
        return -1;
    if (grants == NULL || grants->redact == NULL)
        return 0;
    struct redact_stream stream;
    _cleanup_(text_clear) struct text raw = *bytes;
    *bytes = (struct text){0};
    if (redact_begin(&stream, grants->redact, err) < 0)
        return -1;
    redact_feed(&stream, text_string(&raw), raw.length, bytes);
    redact_end(&stream, bytes);
    redact_stream_clear(&stream);
    return text_check(bytes, err);
}

/* Only a lack of memory is an error here; whatever else is wrong with a file speaks against a pass. */
static int read_file(struct joining *joining, const char *path, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *name = brief(path, err);
    struct junit_totals totals = {0};
    if (name == NULL)
        return -1;
    int result = load(joining, path, &bytes, &why);
    joining->bytes += (int64_t)bytes.length;
    if (result == 0)
        result = junit_read_kept(text_string(&bytes), bytes.length, path, &joining->found->kept,
                                 &totals, &why);
    if (result < 0 && why.kind == ERROR_NO_MEMORY)
        return error_move(err, &why);
    if (result < 0)
        return object(joining, err, "junit: %s cannot be read as JUnit: %s", name,
                      error_message(&why));
    for (size_t i = 0; i < joining->spec->test->junit.count; i++)
        if (artifact_match_junit(joining->spec->test->junit.items[i], path)) {
            joining->written[i] = true;
            joining->proven[i] = joining->proven[i] || totals.passed > 0;
        }
    bool told = totals.why != NULL && totals.passed > 0; /* though no test of it failed */
    if (told && object(joining, err, "junit: %s: %s", name, totals.why) < 0)
        result = -1;
    add_totals(joining, &totals);
    junit_totals_clear(&totals);
    return result;
}

static int read_files(struct joining *joining, struct error *err) {
    const struct string_list *files = &joining->artifacts->junit;
    for (size_t i = 0; i < files->count; i++) {
        if (joining->bytes > TRIAL_JUNIT_BYTES)
            return object(joining, err,
                          "junit: the files have more than %lld MiB together, and the rest of them "
                          "was not read",
                          TRIAL_JUNIT_BYTES >> 20);
        if (read_file(joining, files->items[i], err) < 0)
            return -1;
    }
    return 0;
}

static int object_to_rest(struct joining *joining, struct error *err) {
    const struct artifacts *artifacts = joining->artifacts;
    const struct string_list *patterns = &joining->spec->test->junit;
    if (artifacts->junit_left > 0 &&
        object(joining, err,
               "junit: %zu of the files that were asked for %s a link, a device or the like, and "
               "only regular files are read",
               artifacts->junit_left, artifacts->junit_left == 1 ? "is" : "are") < 0)
        return -1;
    for (size_t i = 0; i < patterns->count; i++) {
        int result = 0;
        if (!joining->written[i] && artifacts->junit_old > 0)
            result = object(joining, err,
                            "no JUnit file matched %s but what came with the project and the test "
                            "did not write: nothing proves that tests ran",
                            patterns->items[i]);
        else if (!joining->written[i])
            result = object(joining, err, "no JUnit file matched %s: nothing proves that tests ran",
                            patterns->items[i]);
        else if (!joining->proven[i])
            result =
                object(joining, err, "junit: no test ran and passed in the files that match %s",
                       patterns->items[i]);
        if (result < 0)
            return -1;
    }
    return 0;
}

static char *failed_words(const struct junit_totals *totals, struct error *err) {
    _cleanup_(free_pointer) char *name = brief(or_empty(totals->first), err);
    _cleanup_(free_pointer) char *message = brief(or_empty(totals->first_message), err);
    if (name == NULL || message == NULL)
        return NULL;
    return string_format(err, "junit: %zu of %zu test%s failed%s%s%s%s%s", totals->failed,
                         totals->tests, totals->tests == 1 ? "" : "s",
                         name[0] != '\0' ? ": first \"" : "", name, name[0] != '\0' ? "\"" : "",
                         message[0] != '\0' ? ": " : "", message);
}

/* What speaks most against a pass comes first. */
static int conclude(struct joining *joining, struct trial_result *result, struct error *err) {
    const struct junit_totals *totals = &joining->totals;
    char *reason = NULL;
    enum outcome outcome = OUTCOME_FAILED;
    if (totals->failed > 0)
        reason = failed_words(totals, err);
    else if (joining->artifacts->incomplete && joining->artifacts->warnings.count > 0) {
        outcome = OUTCOME_ERROR;
        reason = string_format(err, "junit: not all files came: %s",
                               joining->artifacts->warnings.items[0]);
    } else if (joining->fault != NULL)
        reason = steal(joining->fault);
    else if (totals->flaky > 0) {
        outcome = OUTCOME_FLAKY;
        reason = string_format(err, "junit: %zu of %zu test%s passed only when run again",
                               totals->flaky, totals->tests, totals->tests == 1 ? "" : "s");
    } else
        return 0;
    if (reason == NULL)
        return -1;
    free(result->reason);
    result->reason = reason;
    result->outcome = outcome;
    return 0;
}

static int join(struct joining *joining, struct trial_result *result, struct error *err) {
    size_t patterns = joining->spec->test->junit.count;
    joining->written = calloc(patterns + 1, sizeof *joining->written);
    joining->proven = calloc(patterns + 1, sizeof *joining->proven);
    if (joining->written == NULL || joining->proven == NULL)
        return error_no_memory(err);
    if (read_files(joining, err) < 0 || object_to_rest(joining, err) < 0)
        return -1;
    junit_keep_finish(&joining->found->kept);
    if (result->outcome != OUTCOME_PASSED && result->outcome != OUTCOME_ERROR)
        return 0;
    string_list_clear(
        &joining->found->warnings); /* the reason tells it; of what broke nothing is known */
    return result->outcome == OUTCOME_PASSED ? conclude(joining, result, err) : 0;
}

int trial_junit_check(const struct trial_spec *spec, struct trial_result *result,
                      struct error *err) {
    bool ran = false;
    for (size_t i = 0; i < result->command_count; i++)
        ran = ran || result->commands[i].out_path != NULL;
    if (spec->test->junit.count == 0 || !ran)
        return 0;
    struct trial_junit *found = calloc(1, sizeof *found);
    if (found == NULL)
        return error_no_memory(err);
    result->found = found;
    result->found_free = found_free;
    struct joining joining = {.spec = spec, .artifacts = &result->artifacts, .found = found};
    joining.folder_fd =
        open(spec->artifact_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int status = join(&joining, result, err);
    file_closep(&joining.folder_fd);
    junit_totals_clear(&joining.totals);
    free(joining.written);
    free(joining.proven);
    free(joining.fault);
    return status;
}
