#include "reports/junit_keep.h"

#include <stdlib.h>
#include <string.h>

static enum junit_kind kind_of(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_PASSED:
        return JUNIT_PASSED;
    case OUTCOME_FLAKY:
        return JUNIT_FLAKY;
    case OUTCOME_SKIPPED:
        return JUNIT_SKIPPED;
    case OUTCOME_FAILED:
    case OUTCOME_TIMED_OUT:
    case OUTCOME_OOM:
    case OUTCOME_ERROR:
    case OUTCOME_COUNT:
        break;
    }
    return JUNIT_FAILED;
}

/* A copy of at most limit bytes, at the end of a character; NULL stays NULL. */
static int copy_cut(struct junit_keep *keep, const char *from, size_t limit, char **to,
                    struct error *err) {
    if (from == NULL)
        return 0;
    size_t length = strnlen(from, limit + 1);
    if (length > limit)
        for (length = limit; length > 0 && ((unsigned char)from[length] & 0xC0u) == 0x80u;)
            length--;
    keep->bytes += length;
    *to = string_dup_length(from, length, err);
    return *to != NULL ? 0 : -1;
}

int junit_keep_suite(struct junit_keep *keep, const char *file, const char *name, size_t *suite,
                     struct error *err) {
    *suite = keep->count - 1;
    if (keep->count >= JUNIT_SUITES_KEPT)
        return 0;
    bool last = keep->count + 1 == JUNIT_SUITES_KEPT;
    struct result_suite *added = array_add(keep, err);
    if (added == NULL)
        return -1;
    *suite = keep->count - 1;
    return copy_cut(keep, file, JUNIT_NAME_LIMIT, &added->file, err) < 0
               ? -1
               : copy_cut(keep, last ? "(more suites)" : name, JUNIT_NAME_LIMIT, &added->name, err);
}

static void count_case(struct result_suite *suite, const struct result_case *of) {
    suite->tests++;
    suite->failed += of->outcome == OUTCOME_FAILED;
    suite->errors += of->outcome == OUTCOME_ERROR;
    suite->skipped += of->outcome == OUTCOME_SKIPPED;
    suite->flaky += of->outcome == OUTCOME_FLAKY;
    suite->duration_ms += of->duration_ms;
}

static struct result_case *add_case(struct result_suite *suite, struct error *err) {
    struct result_case *grown = realloc(suite->cases, (suite->case_count + 1) * sizeof *grown);
    if (grown == NULL) {
        error_no_memory(err);
        return NULL;
    }
    suite->cases = grown;
    struct result_case *added = &grown[suite->case_count++];
    *added = (struct result_case){0};
    return added;
}

int junit_keep_case(struct junit_keep *keep, size_t suite, const struct result_case *from,
                    struct error *err) {
    static const size_t limits[JUNIT_KINDS] = {
        [JUNIT_FAILED] = JUNIT_FAILED_KEPT,
        [JUNIT_FLAKY] = JUNIT_FLAKY_KEPT,
        [JUNIT_SKIPPED] = JUNIT_SKIPPED_KEPT,
        [JUNIT_PASSED] = JUNIT_PASSED_KEPT,
    };
    enum junit_kind kind = kind_of(from->outcome);
    bool full = keep->bytes > JUNIT_KEPT_BYTES;
    count_case(&keep->items[suite], from);
    if (keep->kept[kind] >= limits[kind] || (full && kind != JUNIT_FAILED))
        return 0;
    struct result_case *to = add_case(&keep->items[suite], err);
    if (to == NULL)
        return -1;
    keep->kept[kind]++;
    to->outcome = from->outcome;
    to->duration_ms = from->duration_ms;
    if (copy_cut(keep, from->classname, JUNIT_NAME_LIMIT, &to->classname, err) < 0 ||
        copy_cut(keep, or_empty(from->name), JUNIT_NAME_LIMIT, &to->name, err) < 0 ||
        copy_cut(keep, from->message, JUNIT_MESSAGE_LIMIT, &to->message, err) < 0)
        return -1;
    return full ? 0 : copy_cut(keep, from->detail, JUNIT_DETAIL_LIMIT, &to->detail, err);
}

/* Stable, and in a second array: suites are sorted once. Without memory they stay as they were. */
static void sort_cases(struct result_suite *suite) {
    struct result_case *sorted = calloc(suite->case_count + 1, sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL)
        return;
    for (int kind = 0; kind < JUNIT_KINDS; kind++)
        for (size_t i = 0; i < suite->case_count; i++)
            if ((int)kind_of(suite->cases[i].outcome) == kind)
                sorted[count++] = suite->cases[i];
    free(suite->cases);
    suite->cases = sorted;
}

void junit_keep_finish(struct junit_keep *keep) {
    for (size_t i = 0; i < keep->count; i++)
        sort_cases(&keep->items[i]);
}

void junit_keep_counts(struct junit_keep *keep) {
    for (size_t i = 0; i < keep->count; i++) {
        struct result_suite *suite = &keep->items[i];
        struct result_suite cases = {.cases = suite->cases, .case_count = suite->case_count};
        suite->cases = NULL;
        suite->case_count = 0;
        result_suite_clear(&cases);
    }
    keep->bytes = 0;
}

void junit_keep_clear(struct junit_keep *keep) {
    for (size_t i = 0; i < keep->count; i++)
        result_suite_clear(&keep->items[i]);
    free(keep->items);
    *keep = (struct junit_keep){0};
}
