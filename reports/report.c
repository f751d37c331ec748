#include "reports/report.h"

#include "gate/base/file.h"

#define REPORT_LIMIT (256u << 20) /* bytes of one report; junit.c and markdown.c stay far below */

/* result.json first: should the disk be full then, the others can be drawn from it later. */
const struct report *const reports[] = {&report_json, &report_junit, &report_markdown, &report_diff,
                                        NULL};

const struct report *report_find(const char *name) {
    for (const struct report *const *report = reports; *report != NULL; report++)
        if (string_equal((*report)->name, name))
            return *report;
    return NULL;
}

static int write_file(const char *folder, const char *name, const struct text *text,
                      struct error *err) {
    _cleanup_(free_pointer) char *path = file_join(folder, name, err);
    if (path == NULL)
        return -1;
    return file_replace(path, text_string(text), text->length, err);
}

static int ignore_itself(const char *folder, struct error *err) {
    _cleanup_(free_pointer) char *path = file_join(folder, ".gitignore", err);
    if (path == NULL)
        return -1;
    return file_exists(path) ? 0 : file_replace(path, "*\n", 2, err);
}

static int write_report(const struct report *report, const struct result *result,
                        const char *folder, struct error *err) {
    _cleanup_(text_clear) struct text text = {.ceiling = REPORT_LIMIT};
    if (report->draw(result, &text, err) < 0 || write_file(folder, report->file, &text, err) < 0)
        return error_wrap(err, "write report %s", report->file);
    return 0;
}

static void keep_first(struct error *first, struct error *now) {
    if (first->kind == ERROR_NONE)
        error_move(first, now);
    error_clear(now);
}

int report_write_all(const struct result *result, const char *folder, struct error *err) {
    if (file_make_folders(folder, err) < 0)
        return error_wrap(err, "write reports");
    _cleanup_(error_clear) struct error first = {0};
    _cleanup_(error_clear) struct error now = {0};
    if (ignore_itself(folder, &now) < 0)
        keep_first(&first, &now);
    for (const struct report *const *report = reports; *report != NULL; report++)
        if (write_report(*report, result, folder, &now) < 0)
            keep_first(&first, &now);
    return first.kind == ERROR_NONE ? 0 : error_move(err, &first);
}
