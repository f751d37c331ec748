#include "pipelines/stages/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/file.h"
#include "pipelines/stages/ledger_parts.h"

static const char *const type_names[LEDGER_TYPE_COUNT] = {
    [LEDGER_EVIDENCE] = "evidence", [LEDGER_OBSERVED] = "observed",
    [LEDGER_PROMOTED] = "promoted", [LEDGER_ROLLED_BACK] = "rolled-back",
    [LEDGER_APPROVED] = "approved", [LEDGER_DENIED] = "denied",
    [LEDGER_HELD] = "held",         [LEDGER_RELEASED] = "released",
    [LEDGER_UNKNOWN] = "unknown",
};

const char *ledger_type_name(enum ledger_type type) {
    return type_names[type];
}

bool ledger_type_from_name(const char *name, enum ledger_type *out) {
    for (int i = 0; i < LEDGER_UNKNOWN; i++)
        if (strcmp(type_names[i], name) == 0) {
            *out = (enum ledger_type)i;
            return true;
        }
    return false;
}

/* By time, then id; of equal ones by file and line, so that the first is always the same. */
static int compare_entries(const void *a_pointer, const void *b_pointer) {
    const struct ledger_entry *a = a_pointer;
    const struct ledger_entry *b = b_pointer;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    int order = strcmp(a->id, b->id);
    if (order == 0 && a->file != b->file && a->file != NULL && b->file != NULL)
        order = strcmp(a->file, b->file);
    if (order != 0)
        return order;
    return (a->line > b->line) - (a->line < b->line);
}

void ledger_sort(struct ledger *ledger) {
    if (ledger->count < 2)
        return;
    qsort(ledger->items, ledger->count, sizeof *ledger->items, compare_entries);
    size_t kept = 1;
    for (size_t i = 1; i < ledger->count; i++)
        if (strcmp(ledger->items[i].id, ledger->items[kept - 1].id) != 0)
            ledger->items[kept++] = ledger->items[i];
    ledger->count = kept;
}

struct load {
    struct ledger *ledger;
    struct ledger_damage_list *damage; /* NULL: the first one ends it */
};

static int add_damage(struct ledger_damage_list *damage, const char *path,
                      const struct error *problem, struct error *err) {
    struct ledger_damage *item = array_add(damage, err);
    if (item == NULL || string_copy(path, &item->file, err) < 0 ||
        string_copy(error_message(problem), &item->reason, err) < 0)
        return -1;
    return 0;
}

/* Bytes that are not as they were written are brought back the same way whatever is wrong with them. */
static void add_remedy(const char *path, struct error *problem) {
    _cleanup_(error_clear) struct error bare = {0};
    error_move(&bare, problem);
    error_set(problem, bare.kind,
              "%s; `git checkout HEAD -- %s` brings back what was committed, and `git log -- %s` "
              "tells who changed it",
              error_message(&bare), path, path);
}

static int load_file(const char *path, const struct text *bytes, struct error *problem,
                     void *context, struct error *err) {
    struct load *load = context;
    _cleanup_(error_clear) struct error own = {0};
    if (bytes == NULL) {
        error_wrap(problem, "%s", path);
    } else {
        if (ledger_parse(path, text_string(bytes), bytes->length, load->ledger, &own) == 0)
            return 0;
        problem = &own;
        if (own.kind == ERROR_INPUT)
            add_remedy(path, problem);
    }
    if (problem->kind == ERROR_NO_MEMORY || load->damage == NULL)
        return error_move(err, problem);
    return add_damage(load->damage, path, problem, err);
}

static int load(const char *root, struct load *load, struct error *err) {
    *load->ledger = (struct ledger){0};
    _cleanup_(file_closep) int root_fd =
        open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* which the user named */
    if (root_fd < 0)
        return error_set_errno(err, "open %s", root);
    if (ledger_each_file(root_fd, load_file, load, err) < 0) {
        ledger_clear(load->ledger);
        return error_wrap(err, "the ledger");
    }
    ledger_sort(load->ledger);
    return 0;
}

int ledger_load(const char *root, struct ledger *out, struct error *err) {
    int result = load(root, &(struct load){.ledger = out}, err);
    if (result < 0 && err->kind == ERROR_INPUT)
        err->kind = ERROR_IO; /* nobody's command or configuration is wrong */
    return result;
}

int ledger_verify(const char *root, struct ledger *out, struct ledger_damage_list *damage,
                  struct error *err) {
    *damage = (struct ledger_damage_list){0};
    return load(root, &(struct load){out, damage}, err);
}

void ledger_clear(struct ledger *ledger) {
    free(ledger->items);
    words_clear(&ledger->words);
    words_clear(&ledger->values);
    arena_clear(&ledger->arena);
    *ledger = (struct ledger){0};
}

void ledger_damage_list_clear(struct ledger_damage_list *damage) {
    for (size_t i = 0; i < damage->count; i++) {
        free(damage->items[i].file);
        free(damage->items[i].reason);
    }
    free(damage->items);
    *damage = (struct ledger_damage_list){0};
}
