/* promote_driver: one promotion, for tests that stop it at every system call (crash.sh).
 *
 *     promote_driver promote ROOT FILE…    finishes or undoes what is left, then writes new-pin for old-pin in each FILE
 *     promote_driver recover ROOT          finishes or undoes what is left
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

#define OLD_PIN    "old-pin"
#define NEW_PIN    "new-pin-of-another-length"
#define BEGIN_MARK "/promote-driver-begins"
#define FILE_LIMIT (1u << 20) /* bytes; the files of the test are small */

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

int main(int count, char **words) {
    _cleanup_(error_clear) struct error err = {0};
    if (count < 3)
        return EXIT_USAGE;
    if (access(BEGIN_MARK, F_OK) == 0)
        return EXIT_USAGE;
    int result = strcmp(words[1], "recover") == 0 ? recover(words[2], &err)
                                                  : promote(words[2], words + 3, &err);
    if (result < 0)
        printf("%s: %s\n", error_kind_name(err.kind), error_message(&err));
    return result == 0 ? 0 : 1;
}
