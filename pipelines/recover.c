/* What a crash left of a promotion. All files are looked at before one is touched; then there are three ways:
 *
 *     finish   the promotion was decided, and each file is new or can become new
 *     undo     it was not decided, or it was and no file is new yet, but one can no longer become new
 *     stop     some files are new and another can no longer become new: only a person can tell, so nothing is touched
 *
 * A file whose bytes are neither the old nor the new ones was changed by somebody after the crash. It is never written. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "pipelines/journal.h"
#include "pipelines/lock.h"
#include "pipelines/promotion.h"
#include "pipelines/target.h"

enum bytes { BYTES_OLD, BYTES_NEW, BYTES_OTHER, BYTES_NONE };

struct found {
    enum bytes file;
    enum bytes temporary;
};

enum way { WAY_FINISH, WAY_UNDO, WAY_STOP };

struct recovery {
    int root_fd;
    struct journal journal;
    struct found *found; /* one for each file of the journal */
    enum way way;
    const char *changed; /* a file that somebody changed since, or NULL; lent */
    const char *stuck;   /* the file that can no longer become new, or NULL; lent */
};

static void recovery_clear(struct recovery *recovery) {
    journal_clear(&recovery->journal);
    free(recovery->found);
    file_closep(&recovery->root_fd);
}

static bool is_created(const struct journal_file *item) {
    return item->old_hash[0] == '\0';
}

static int look_at(int root_fd, const char *path, const struct journal_file *item,
                   enum bytes *bytes, struct error *err) {
    char hex[HASH_HEX_SIZE];
    if (target_hash(root_fd, path, hex, err) == 0) {
        *bytes = strcmp(hex, item->new_hash) == 0   ? BYTES_NEW
                 : strcmp(hex, item->old_hash) == 0 ? BYTES_OLD
                                                    : BYTES_OTHER;
        return 0;
    }
    if (err->kind != ERROR_NOT_FOUND && err->kind != ERROR_INPUT && err->kind != ERROR_LIMIT)
        return -1;
    *bytes = err->kind == ERROR_NOT_FOUND ? BYTES_NONE : BYTES_OTHER;
    error_clear(err);
    return 0;
}

static int look_at_all(struct recovery *recovery, struct error *err) {
    recovery->found = calloc(recovery->journal.count, sizeof *recovery->found);
    if (recovery->found == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < recovery->journal.count; i++) {
        const struct journal_file *item = &recovery->journal.items[i];
        _cleanup_(free_pointer) char *path =
            target_temporary_path(item->file, item->temporary, err);
        if (path == NULL ||
            look_at(recovery->root_fd, item->file, item, &recovery->found[i].file, err) < 0 ||
            look_at(recovery->root_fd, path, item, &recovery->found[i].temporary, err) < 0)
            return -1;
        if (is_created(item) && recovery->found[i].file == BYTES_NONE)
            recovery->found[i].file = BYTES_OLD;
    }
    return 0;
}

static void choose_way(struct recovery *recovery) {
    bool any_old = false;
    bool any_put = false; /* in place: its temporary file became the file */
    bool any_temporary = false;
    for (size_t i = 0; i < recovery->journal.count; i++) {
        const struct found *found = &recovery->found[i];
        const char *file = recovery->journal.items[i].file;
        bool changed = found->file == BYTES_OTHER || found->file == BYTES_NONE;
        any_old = any_old || found->file == BYTES_OLD;
        any_temporary = any_temporary || found->temporary != BYTES_NONE;
        any_put =
            any_put || found->file == BYTES_NEW || (changed && found->temporary == BYTES_NONE);
        if (changed)
            recovery->changed = file;
        if (changed || (found->file == BYTES_OLD && found->temporary != BYTES_NEW))
            recovery->stuck = file;
    }
    if (recovery->journal.state == JOURNAL_INTENT)
        recovery->way = WAY_UNDO;
    else if (recovery->stuck == NULL || (!any_old && !any_temporary))
        recovery->way = WAY_FINISH;
    else
        recovery->way = any_put ? WAY_STOP : WAY_UNDO;
}

/* The remedy of old bytes asks for one thing more where a created file is in place: git keeps what it does not know. */
static int refuse_to_choose(const struct recovery *recovery, struct error *err) {
    const char *created = NULL;
    for (size_t i = 0; i < recovery->journal.count; i++)
        if (is_created(&recovery->journal.items[i]) && recovery->found[i].file == BYTES_NEW)
            created = recovery->journal.items[i].file;
    return error_set(
        err, ERROR_CONFLICT,
        "%s %s after a promotion was interrupted, while other files are new already; nothing was "
        "touched; put the old bytes of all its files back (git checkout%s%s), or keep them as they "
        "are, then remove " JOURNAL_FILE " and the files named .*.pingate-??????",
        recovery->stuck,
        recovery->stuck == recovery->changed ? "was changed" : "lost its temporary file",
        created != NULL ? ", and remove " : "", created != NULL ? created : "");
}

static void say(const struct recovery *recovery, bool write, struct text *words) {
    size_t count = recovery->journal.count;
    const char *plural = count == 1 ? "" : "s";
    if (recovery->way == WAY_FINISH && write)
        text_printf(words, "finished an interrupted promotion of %zu file%s", count, plural);
    else if (recovery->way == WAY_FINISH)
        text_printf(words,
                    "an interrupted promotion of %zu file%s waits: the next command that writes "
                    "finishes it",
                    count, plural);
    else if (write)
        text_printf(words, "took back an interrupted promotion of %zu file%s: none was written",
                    count, plural);
    else
        text_printf(words,
                    "an interrupted promotion of %zu file%s waits: the next command that writes "
                    "takes it back",
                    count, plural);
    if (recovery->changed != NULL && recovery->journal.state == JOURNAL_DECIDED)
        text_printf(words, "; %s was changed since and is left as it is", recovery->changed);
}

static int act(const struct recovery *recovery, struct error *err) {
    for (size_t i = 0; i < recovery->journal.count; i++) {
        const struct journal_file *item = &recovery->journal.items[i];
        const struct found *found = &recovery->found[i];
        int result = 0;
        if (recovery->way == WAY_FINISH && found->file == BYTES_OLD)
            result = target_rename(recovery->root_fd, item->file, item->temporary, err);
        else if (found->temporary != BYTES_NONE)
            result = target_remove_temporary(recovery->root_fd, item->file, item->temporary, err);
        if (result == 0 && recovery->way == WAY_UNDO && is_created(item))
            result = target_remove_folders(recovery->root_fd, item->file, err);
        if (result < 0)
            return -1;
    }
    if (journal_sync_folders(recovery->root_fd, &recovery->journal, err) < 0)
        return -1;
    return journal_remove(recovery->root_fd, err);
}

static int recover(struct recovery *recovery, bool write, enum promotion_state *state,
                   struct text *words, struct error *err) {
    bool present = false;
    if (journal_read(recovery->root_fd, &recovery->journal, &present, err) < 0)
        return -1;
    if (!present)
        return write ? journal_sweep(recovery->root_fd, err) : 0;
    if (!write && root_is_locked(recovery->root_fd)) {
        text_add(words, "another pingate run is writing now");
        return text_check(words, err);
    }
    if (look_at_all(recovery, err) < 0)
        return -1;
    choose_way(recovery);
    if (recovery->way == WAY_STOP)
        return refuse_to_choose(recovery, err);
    if (write && act(recovery, err) < 0)
        return -1;
    *state = recovery->way == WAY_FINISH ? PROMOTION_FINISHED : PROMOTION_UNDONE;
    say(recovery, write, words);
    return text_check(words, err);
}

int promotion_recover(const char *root, bool write, enum promotion_state *state, struct text *words,
                      struct error *err) {
    *state = PROMOTION_CLEAN;
    _cleanup_(recovery_clear) struct recovery recovery = {.root_fd = root_open(root, err)};
    if (recovery.root_fd < 0 || (write && root_lock(recovery.root_fd, root, err) < 0))
        return -1;
    return recover(&recovery, write, state, words, err);
}
