#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/beneath.h"
#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/hash.h"
#include "pipelines/lock.h"
#include "pipelines/stages/compact.h"
#include "pipelines/stages/ledger_parts.h"

#define TEMPORARY     ".compacting" /* in the month's folder; no file of the ledger, should it stay */
#define MONTH_CEILING (1u << 30)    /* bytes of all files of one month */
#define MONTH_SIZE    8             /* "2026-11" */

/* One line of a month's files. */
struct line {
    int64_t time_ms;
    const char *id;        /* of the month's ledger */
    size_t offset, length; /* in the month's bytes; with the newline, without blanks before it */
};

/* The files of one month, while they are read. */
struct month {
    char name[MONTH_SIZE];
    struct string_list files;        /* names in its folder */
    struct text bytes;               /* of all, one behind the other */
    bool blanks[COMPACT_BLANKS + 1]; /* [n]: one of them has n blanks before its lines */
    struct ledger ledger;            /* ids of its lines */
    struct {
        struct line *items;
        size_t count, capacity;
    } lines;
};

struct compaction {
    int root_fd;
    bool dry_run;
    char limit[MONTH_SIZE]; /* this month and later ones stay as they are */
    struct words dropped;   /* ids */
    struct arena arena;
    struct month month;
    struct compact_report *report;
};

static void month_clear(struct month *month) {
    string_list_clear(&month->files);
    text_clear(&month->bytes);
    ledger_clear(&month->ledger);
    free(month->lines.items);
    *month = (struct month){.bytes = {.ceiling = MONTH_CEILING}};
}

/* The month before the one that runs. */
static void first_to_stay(int64_t now_ms, char out[MONTH_SIZE]) {
    char now[CLOCK_RFC3339_SIZE];
    clock_rfc3339_ms(now_ms, now);
    int year = atoi(now), month = atoi(now + 5);
    int before = year * 12 + month - 2;
    snprintf(out, MONTH_SIZE, "%04u-%02u", (unsigned)(before / 12) % 10000u,
             (unsigned)(before % 12) + 1u);
}

static int compare_lines(const void *a_pointer, const void *b_pointer) {
    const struct line *a = a_pointer;
    const struct line *b = b_pointer;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* Each line once, in order, without what is dropped. */
static void choose_lines(const struct compaction *compaction, struct month *month) {
    size_t kept = 0;
    struct line *lines = month->lines.items;
    if (month->lines.count > 1)
        qsort(lines, month->lines.count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < month->lines.count; i++) {
        bool same = kept > 0 && strcmp(lines[kept - 1].id, lines[i].id) == 0;
        if (!same && words_find(&compaction->dropped, lines[i].id, HASH_HEX_SIZE - 1) == NULL)
            lines[kept++] = lines[i];
    }
    month->lines.count = kept;
}

static char *compacted_name(const struct text *bytes, struct error *err) {
    char sum[HASH_HEX_SIZE];
    if (hash_hex(bytes->bytes, bytes->length, sum, err) < 0)
        return NULL;
    return string_format(err, LEDGER_COMPACTED "%.*s.jsonl", LEDGER_NAME_DIGITS, sum);
}

/* On disk under its name, or not there. */
static int write_whole(int folder_fd, const char *name, const struct text *bytes,
                       struct error *err) {
    if (unlinkat(folder_fd, TEMPORARY, 0) < 0 && errno != ENOENT)
        return error_set_errno(err, "remove %s", TEMPORARY);
    _cleanup_(file_closep) int fd =
        openat(folder_fd, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(err, "make %s", TEMPORARY);
    int result = file_write_all(fd, bytes->bytes, bytes->length, err);
    if (result == 0 && fsync(fd) < 0)
        result = error_set_errno(err, "write %s to the disk", TEMPORARY);
    if (result == 0 && renameat(folder_fd, TEMPORARY, folder_fd, name) < 0)
        result = error_set_errno(err, "put %s in place", name);
    if (result < 0)
        (void)!unlinkat(folder_fd, TEMPORARY, 0);
    else if (fsync(folder_fd) < 0)
        result = error_set_errno(err, "write the folder to the disk");
    return result;
}

/* What was written is read again before anything is removed for it. */
static int read_again(int folder_fd, const char *name, const struct text *wanted,
                      struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    if (file_read_at(folder_fd, name, LEDGER_FILE_LIMIT, &bytes, err) < 0)
        return -1;
    if (bytes.length != wanted->length || memcmp(bytes.bytes, wanted->bytes, bytes.length) != 0)
        return error_set(err, ERROR_IO, "%s: other bytes came back than were written", name);
    return 0;
}

struct output {
    struct string_list names;
    int folder_fd; /* -1: nothing is written */
};

static int put_file(struct output *output, struct text *bytes, struct error *err) {
    if (bytes->length == 0)
        return text_check(bytes, err);
    _cleanup_(free_pointer) char *name =
        text_check(bytes, err) == 0 ? compacted_name(bytes, err) : NULL;
    if (name == NULL || string_list_add(&output->names, name, err) < 0)
        return -1;
    if (output->folder_fd >= 0 && (write_whole(output->folder_fd, name, bytes, err) < 0 ||
                                   read_again(output->folder_fd, name, bytes, err) < 0))
        return -1;
    text_truncate(bytes, 0);
    return 0;
}

/* A number of blanks that none of the month's files has before its lines. */
static size_t other_blanks(const struct month *month) {
    size_t blanks = 1;
    while (blanks < COMPACT_BLANKS && month->blanks[blanks])
        blanks++;
    return blanks;
}

static int put_lines(const struct month *month, struct output *output, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {.ceiling = LEDGER_FILE_LIMIT};
    size_t blanks = other_blanks(month);
    for (size_t i = 0; i < month->lines.count; i++) {
        const struct line *line = &month->lines.items[i];
        if (bytes.length + line->length > COMPACT_FILE_SIZE && put_file(output, &bytes, err) < 0)
            return -1;
        text_printf(&bytes, "%*s", (int)blanks, "");
        text_append(&bytes, month->bytes.bytes + line->offset, line->length);
    }
    return put_file(output, &bytes, err);
}

static int remove_old(const struct month *month, const struct output *output, struct error *err) {
    for (size_t i = 0; i < month->files.count; i++)
        if (!string_list_has(&output->names, month->files.items[i]) &&
            unlinkat(output->folder_fd, month->files.items[i], 0) < 0)
            return error_set_errno(err, "remove %s", month->files.items[i]);
    if (fsync(output->folder_fd) < 0)
        return error_set_errno(err, "write the folder to the disk");
    return 0;
}

/* Is it worth it? Where there would be as many files with as many lines, it is not. */
static int plan_month(const struct month *month, size_t lines_before, struct output *output,
                      bool *worth, struct error *err) {
    output->folder_fd = -1;
    if (put_lines(month, output, err) < 0)
        return -1;
    *worth = output->names.count < month->files.count || month->lines.count < lines_before;
    return 0;
}

static int write_month(const struct compaction *compaction, const struct month *month,
                       struct error *err) {
    struct output output = {.folder_fd = -1};
    _cleanup_(free_pointer) char *path = string_format(err, LEDGER_FOLDER "/%s", month->name);
    if (path == NULL)
        return -1;
    _cleanup_(file_closep) int folder_fd =
        beneath_open(compaction->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (folder_fd < 0)
        return error_set_errno(err, "open %s", path);
    output.folder_fd = folder_fd;
    int result = put_lines(month, &output, err);
    if (result == 0)
        result = remove_old(month, &output, err);
    string_list_clear(&output.names);
    return result < 0 ? error_wrap(err, "%s", path) : 0;
}

static int end_month(struct compaction *compaction, struct error *err) {
    struct month *month = &compaction->month;
    struct compact_report *report = compaction->report;
    struct output planned = {0};
    size_t before = month->lines.count;
    bool worth = false;
    if (month->files.count == 0)
        return 0;
    choose_lines(compaction, month);
    int result = plan_month(month, before, &planned, &worth, err);
    if (result == 0 && worth) {
        report->months++;
        report->files_before += month->files.count;
        report->files_after += planned.names.count;
        report->entries_before += before;
        report->entries_after += month->lines.count;
        if (!compaction->dry_run)
            result = write_month(compaction, month, err);
    }
    string_list_clear(&planned.names);
    month_clear(month);
    return result;
}

/* ledger_parse made one entry of each line, in their order; blanks stand before it in compacted files alone. */
static int add_lines(struct month *month, size_t entry, size_t offset, struct error *err) {
    while (offset < month->bytes.length) {
        const char *start = month->bytes.bytes + offset;
        const char *end = memchr(start, '\n', month->bytes.length - offset);
        struct line *line = array_add(&month->lines, err);
        if (line == NULL)
            return -1;
        size_t blanks = strspn(start, " ");
        if (blanks <= COMPACT_BLANKS)
            month->blanks[blanks] = true;
        *line = (struct line){month->ledger.items[entry].time_ms, month->ledger.items[entry].id,
                              offset + blanks, (size_t)(end - start) + 1 - blanks};
        offset += blanks + line->length;
        entry++;
    }
    return 0;
}

static int add_file(const char *path, const struct text *bytes, struct error *problem,
                    void *context, struct error *err) {
    struct compaction *compaction = context;
    struct month *month = &compaction->month;
    if (bytes == NULL)
        return error_move(err, problem);
    const char *name = path + strlen(LEDGER_FOLDER "/");
    if (strncmp(name, compaction->limit, MONTH_SIZE - 1) >= 0)
        return 0;
    if (strncmp(name, month->name, MONTH_SIZE - 1) != 0) {
        if (end_month(compaction, err) < 0)
            return -1;
        snprintf(month->name, sizeof month->name, "%.*s", MONTH_SIZE - 1, name);
    }
    size_t entry = month->ledger.count, offset = month->bytes.length;
    text_append(&month->bytes, bytes->bytes, bytes->length);
    if (text_check(&month->bytes, err) < 0 ||
        ledger_parse(path, text_string(bytes), bytes->length, &month->ledger, err) < 0 ||
        string_list_add(&month->files, beneath_name(path), err) < 0)
        return -1;
    return add_lines(month, entry, offset, err);
}

static int find_dropped(struct compaction *compaction, const struct ledger *ledger, int64_t now_ms,
                        struct error *err) {
    _cleanup_(free_pointer) bool *drop = calloc(ledger->count + 1, sizeof *drop);
    if (drop == NULL)
        return error_no_memory(err);
    if (compact_choose(ledger, now_ms, drop, err) < 0)
        return -1;
    for (size_t i = 0; i < ledger->count; i++)
        if (drop[i] && words_add(&compaction->dropped, &compaction->arena, ledger->items[i].id,
                                 HASH_HEX_SIZE - 1, err) == NULL)
            return -1;
    return 0;
}

static int compact(struct compaction *compaction, const char *root, int64_t now_ms,
                   struct error *err) {
    struct ledger ledger;
    if (!compaction->dry_run && root_lock(compaction->root_fd, root, err) < 0)
        return -1;
    if (ledger_load(root, &ledger, err) < 0)
        return -1;
    int result = find_dropped(compaction, &ledger, now_ms, err);
    ledger_clear(&ledger);
    if (result < 0 || ledger_each_file(compaction->root_fd, add_file, compaction, err) < 0)
        return -1;
    return end_month(compaction, err);
}

int compact_run(const char *root, int64_t now_ms, bool dry_run, struct compact_report *out,
                struct error *err) {
    struct compaction compaction = {.dry_run = dry_run, .report = out};
    *out = (struct compact_report){0};
    _cleanup_(file_closep) int root_fd = root_open(root, err);
    if (root_fd < 0)
        return -1;
    compaction.root_fd = root_fd;
    first_to_stay(now_ms, compaction.limit);
    month_clear(&compaction.month);
    int result = compact(&compaction, root, now_ms, err);
    month_clear(&compaction.month);
    words_clear(&compaction.dropped);
    arena_clear(&compaction.arena);
    return result < 0 ? error_wrap(err, "compact the ledger") : 0;
}
