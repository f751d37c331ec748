/* promote_driver: one promotion, for tests that stop it at every system call (crash.sh).
 *
 *     promote_driver promote ROOT FILE…    finishes or undoes what is left, then writes new-pin for old-pin in each FILE
 *     promote_driver recover ROOT          finishes or undoes what is left
 *     promote_driver watch ROOT END FILE…  reads each FILE again and again, until the file END is there: its bytes must be
 *                                          the old ones or the new ones. Says "looking" when it begins, and counts.
 *
 * A FILE that begins with "+" is created: "+.pingate/ledger/2026-11/x.jsonl". Once it is there, all files are new.
 *
 * Where the work begins it looks for a file that does not exist, so that a trace shows which calls are the
 * promotion's and which belong to the start of the program. Exit status: 0 done, 1 an error, which is printed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/file.h"
#include "pipelines/promotion.h"

#define OLD_PIN       "old-pin"
#define NEW_PIN       "new-pin-of-another-length"
#define BEGIN_MARK    "/promote-driver-begins"
#define CREATE_MARK   '+'
#define CREATED_BYTES "an entry of the ledger\n"
#define FILE_LIMIT    (1u << 20) /* bytes; the files of the test are small */

static int recover(const char *root, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    enum promotion_state state;
    if (promotion_recover(root, true, &state, &words, err) < 0)
        return -1;
    if (words.length > 0)
        printf("%s\n", words.bytes);
    return 0;
}

static int find_edits(const struct text *bytes, struct edit_list *edits, struct error *err) {
    const char *all = text_string(bytes);
    for (const char *at = strstr(all, OLD_PIN); at != NULL; at = strstr(at + 1, OLD_PIN)) {
        struct edit *edit = array_add(edits, err);
        if (edit == NULL)
            return -1;
        edit->offset = (size_t)(at - all);
        edit->old_bytes = string_dup(OLD_PIN, err);
        edit->new_bytes = string_dup(NEW_PIN, err);
        if (edit->old_bytes == NULL || edit->new_bytes == NULL)
            return -1;
    }
    return 0;
}

static int queue(struct promotion *promotion, const char *root, const char *file,
                 struct error *err) {
    if (*file == CREATE_MARK)
        return promotion_create(promotion, file + 1, CREATED_BYTES, strlen(CREATED_BYTES), err);
    _cleanup_(free_pointer) char *path = file_join(root, file, err);
    _cleanup_(text_clear) struct text bytes = {0};
    _cleanup_(edit_list_clear) struct edit_list edits = {0};
    if (path == NULL || file_read(path, FILE_LIMIT, &bytes, err) < 0 ||
        find_edits(&bytes, &edits, err) < 0)
        return -1;
    return promotion_queue(promotion, file, &edits, err);
}

static int promote(const char *root, char **files, struct error *err) {
    _cleanup_(promotion_freep) struct promotion *promotion = NULL;
    if (recover(root, err) < 0 || promotion_new(root, NULL, &promotion, err) < 0)
        return -1;
    for (; *files != NULL; files++)
        if (queue(promotion, root, *files, err) < 0)
            return -1;
    if (promotion_prepare(promotion, err) < 0)
        return -1;
    return promotion_commit(promotion, err);
}

/* What may stand in one file. */
struct watched {
    struct text old_bytes, new_bytes;
    char *path;
    bool created; /* there is no old file */
    bool seen_new;
};

static int begin_watch(const char *root, const char *file, struct watched *watched,
                       struct error *err) {
    watched->created = *file == CREATE_MARK;
    watched->path = file_join(root, watched->created ? file + 1 : file, err);
    if (watched->path != NULL && watched->created) {
        text_add(&watched->new_bytes, CREATED_BYTES);
        return text_check(&watched->new_bytes, err);
    }
    if (watched->path == NULL || file_read(watched->path, FILE_LIMIT, &watched->old_bytes, err) < 0)
        return -1;
    const char *at = text_string(&watched->old_bytes);
    for (const char *pin = strstr(at, OLD_PIN); pin != NULL; pin = strstr(at, OLD_PIN)) {
        text_append(&watched->new_bytes, at, (size_t)(pin - at));
        text_add(&watched->new_bytes, NEW_PIN);
        at = pin + strlen(OLD_PIN);
    }
    text_add(&watched->new_bytes, at);
    return text_check(&watched->new_bytes, err);
}

static bool same(const struct text *a, const struct text *b) {
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* written: the file of the ledger was seen, so every pin is in place. */
static int look(struct watched *watched, bool written, struct error *err) {
    _cleanup_(text_clear) struct text now = {0};
    if (watched->created && !watched->seen_new && !file_exists(watched->path))
        return 0;
    if (file_read(watched->path, FILE_LIMIT, &now, err) < 0)
        return -1;
    bool is_new = same(&now, &watched->new_bytes);
    if (!is_new &&
        (watched->created || written || watched->seen_new || !same(&now, &watched->old_bytes)))
        return error_set(err, ERROR_BUG, "%s: seen with these bytes: %s", watched->path,
                         text_string(&now));
    watched->seen_new = is_new;
    return 0;
}

static int watch(const char *root, const char *end, char **files, size_t count, struct error *err) {
    struct watched *watched = calloc(count, sizeof *watched);
    if (watched == NULL)
        return error_no_memory(err);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = begin_watch(root, files[i], &watched[i], err);
    printf("looking\n");
    fflush(stdout);
    size_t reads = 0;
    size_t changed = 0;
    bool written = false;
    for (bool last = false; result == 0 && !last;) {
        last = file_exists(end); /* one more round behind it: all must be new then */
        for (size_t i = 0; i < count && result == 0; i++, reads++) {
            result = look(&watched[i], written, err);
            written = written || (watched[i].created && watched[i].seen_new);
        }
    }
    for (size_t i = 0; i < count; i++) {
        changed += watched[i].seen_new;
        text_clear(&watched[i].old_bytes);
        text_clear(&watched[i].new_bytes);
        free(watched[i].path);
    }
    free(watched);
    if (result == 0 && changed != count)
        return error_set(err, ERROR_BUG, "%zu of %zu files were seen new at the end", changed,
                         count);
    printf("%zu reads\n", reads);
    return result;
}

int main(int count, char **words) {
    _cleanup_(error_clear) struct error err = {0};
    if (count < 3)
        return EXIT_USAGE;
    if (access(BEGIN_MARK, F_OK) == 0)
        return EXIT_USAGE;
    int result;
    if (strcmp(words[1], "recover") == 0)
        result = recover(words[2], &err);
    else if (strcmp(words[1], "watch") == 0 && count > 4)
        result = watch(words[2], words[3], words + 4, (size_t)count - 4, &err);
    else
        result = promote(words[2], words + 3, &err);
    if (result < 0)
        printf("%s: %s\n", error_kind_name(err.kind), error_message(&err));
    return result == 0 ? 0 : 1;
}
