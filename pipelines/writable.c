#include "pipelines/writable.h"

#include <stdlib.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "pipelines/lock.h"
#include "pipelines/refusal.h"
#include "pipelines/target.h"

struct look {
    const char *root;
    const struct string_list *files;
    char **real;    /* one for each file, where links lead; NULL: could not be followed */
    char **reasons; /* one for each file; NULL: may be written */
};

static int check_one(int root_fd, const char *file, bool allow_generated, char **real,
                     struct error *err) {
    if (beneath_resolve(root_fd, file, real, err) < 0)
        return -1;
    struct target target = {.file = string_dup(*real, err)};
    int result = target.file != NULL ? target_check(root_fd, &target, allow_generated, err) : -1;
    target_clear(&target);
    return result;
}

static int check_files(struct look *look, bool allow_generated, struct error *err) {
    _cleanup_(file_closep) int root_fd = root_open(look->root, err);
    if (root_fd < 0)
        return -1;
    for (size_t i = 0; i < look->files->count; i++) {
        _cleanup_(error_clear) struct error why = {0};
        if (check_one(root_fd, look->files->items[i], allow_generated, &look->real[i], &why) == 0)
            continue;
        if (why.kind != ERROR_INPUT && why.kind != ERROR_NOT_FOUND) {
            error_move(err, &why); /* a disk that fails says nothing of whether it may be written */
            return error_wrap(err, "look at the files of pins");
        }
        look->reasons[i] = string_dup(error_message(&why), err);
        if (look->reasons[i] == NULL)
            return -1;
    }
    return 0;
}

/* git is asked for all at once, and by halves only where something is wrong. */
static int check_attributes(struct look *look, size_t first, size_t count, struct error *err) {
    _cleanup_(string_list_clear) struct string_list names = {0};
    size_t last = first;
    for (size_t i = first; i < first + count; i++) {
        if (look->reasons[i] != NULL)
            continue; /* refused already */
        last = i;
        if (string_list_add(&names, look->real[i], err) < 0)
            return -1;
    }
    if (refusal_of_attributes(look->root, &names, err) == 0)
        return 0;
    if (err->kind != ERROR_INPUT)
        return -1;
    if (names.count == 1) {
        look->reasons[last] = string_dup(error_message(err), err);
        if (look->reasons[last] == NULL)
            return -1;
        error_clear(err);
        return 0;
    }
    error_clear(err);
    size_t half = count / 2;
    return check_attributes(look, first, half, err) < 0
               ? -1
               : check_attributes(look, first + half, count - half, err);
}

static int add_reasons(struct look *look, struct unwritable_list *out, struct error *err) {
    for (size_t i = 0; i < look->files->count; i++) {
        if (look->reasons[i] == NULL)
            continue;
        struct unwritable *item = array_add(out, err);
        if (item == NULL)
            return -1;
        item->file = string_dup(look->files->items[i], err);
        item->reason = steal(look->reasons[i]);
        if (item->file == NULL)
            return -1;
    }
    return 0;
}

static void look_clear(struct look *look) {
    for (size_t i = 0; i < look->files->count; i++) {
        if (look->real != NULL)
            free(look->real[i]);
        if (look->reasons != NULL)
            free(look->reasons[i]);
    }
    free(look->real);
    free(look->reasons);
}

int writable_check(const char *root, const struct string_list *files, bool allow_generated,
                   struct unwritable_list *out, struct error *err) {
    _cleanup_(look_clear) struct look look = {
        .root = root,
        .files = files,
        .real = calloc(files->count + 1, sizeof *look.real),
        .reasons = calloc(files->count + 1, sizeof *look.reasons),
    };
    if (look.real == NULL || look.reasons == NULL)
        return error_no_memory(err);
    if (check_files(&look, allow_generated, err) < 0)
        return -1;
    if (!allow_generated && files->count > 0 && check_attributes(&look, 0, files->count, err) < 0)
        return -1;
    return add_reasons(&look, out, err);
}

void unwritable_list_clear(struct unwritable_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].reason);
    }
    free(list->items);
    *list = (struct unwritable_list){0};
}
