#include "pipelines/writable.h"

#include <stdlib.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "pipelines/lock.h"
#include "pipelines/refusal.h"
#include "pipelines/target.h"

/* What is looked at: the files, and where links lead. */
struct look {
    const char *root;
    const struct string_list *files;
    struct string_list real; /* one for each file; "" for one that is refused already */
    char **reasons;          /* one for each file; NULL: may be written */
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
        _cleanup_(free_pointer) char *real = NULL;
        _cleanup_(error_clear) struct error why = {0};
        if (check_one(root_fd, look->files->items[i], allow_generated, &real, &why) < 0) {
            if (why.kind == ERROR_NO_MEMORY)
                return error_move(err, &why);
            look->reasons[i] = string_dup(error_message(&why), err);
            if (look->reasons[i] == NULL)
                return -1;
        }
        if (string_list_add(&look->real, look->reasons[i] == NULL ? real : "", err) < 0)
            return -1;
    }
    return 0;
}

/* git is asked for all at once, and by halves only where something is wrong. */
static int check_attributes(struct look *look, size_t first, size_t count, struct error *err) {
    _cleanup_(string_list_clear) struct string_list names = {0};
    for (size_t i = first; i < first + count; i++)
        if (look->real.items[i][0] != '\0' && string_list_add(&names, look->real.items[i], err) < 0)
            return -1;
    if (refusal_of_attributes(look->root, &names, err) == 0)
        return 0;
    if (err->kind != ERROR_INPUT)
        return -1;
    if (names.count == 1) {
        while (look->real.items[first][0] == '\0')
            first++;
        look->reasons[first] = string_dup(error_message(err), err);
        error_clear(err);
        return look->reasons[first] != NULL ? 0 : error_no_memory(err);
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

int writable_check(const char *root, const struct string_list *files, bool allow_generated,
                   struct unwritable_list *out, struct error *err) {
    struct look look = {
        .root = root, .files = files, .reasons = calloc(files->count + 1, sizeof(char *))};
    if (look.reasons == NULL)
        return error_no_memory(err);
    int result = check_files(&look, allow_generated, err);
    if (result == 0 && !allow_generated && files->count > 0)
        result = check_attributes(&look, 0, files->count, err);
    if (result == 0)
        result = add_reasons(&look, out, err);
    for (size_t i = 0; i < files->count; i++)
        free(look.reasons[i]);
    free(look.reasons);
    string_list_clear(&look.real);
    return result;
}

void unwritable_list_clear(struct unwritable_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].reason);
    }
    free(list->items);
    *list = (struct unwritable_list){0};
}
