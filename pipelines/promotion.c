#include "pipelines/promotion.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/beneath.h"
#include "gate/base/file.h"
#include "gate/base/trace.h"
#include "pipelines/journal.h"
#include "pipelines/lock.h"
#include "pipelines/refusal.h"
#include "pipelines/target.h"

enum stage {
    STAGE_QUEUING,
    STAGE_PREPARED, /* temporary files are whole, the journal says intent */
    STAGE_DECIDED,  /* a rename was done: only forward from here */
    STAGE_DONE,     /* committed, undone, or refused: nothing is left to do */
};

struct promotion {
    struct promotion_options options;
    char *root;
    int root_fd; /* holds the lock unless dry_run */
    struct target_list
        targets;            /* as queued; from prepare on in the journal's order, without double */
    struct journal journal; /* of the targets */
    bool journal_written;   /* maybe: a failed write counts */
    enum stage stage;
};

static int refuse_unfinished(int root_fd, struct error *err) {
    struct journal journal;
    bool present = false;
    if (journal_read(root_fd, &journal, &present, err) < 0)
        return -1;
    journal_clear(&journal);
    if (present)
        return error_set(err, ERROR_CONFLICT,
                         JOURNAL_FILE ": an interrupted promotion must be finished first");
    return 0;
}

int promotion_new(const char *root, const struct promotion_options *options, struct promotion **out,
                  struct error *err) {
    _cleanup_(promotion_freep) struct promotion *promotion = calloc(1, sizeof *promotion);
    if (promotion == NULL)
        return error_no_memory(err);
    promotion->root_fd = -1;
    if (options != NULL)
        promotion->options = *options;
    promotion->root = string_dup(root, err);
    if (promotion->root == NULL)
        return -1;
    promotion->root_fd = root_open(root, err);
    if (promotion->root_fd < 0)
        return -1;
    if (!promotion->options.dry_run && (root_lock(promotion->root_fd, root, err) < 0 ||
                                        refuse_unfinished(promotion->root_fd, err) < 0))
        return -1;
    *out = steal(promotion);
    return 0;
}

static int add_edit(struct edit_list *edits, const struct edit *edit, struct error *err) {
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].offset == edit->offset &&
            string_equal(edits->items[i].old_bytes, edit->old_bytes) &&
            string_equal(edits->items[i].new_bytes, edit->new_bytes))
            return 0;
    struct edit *copy = array_add(edits, err);
    if (copy == NULL)
        return -1;
    copy->offset = edit->offset;
    copy->old_bytes = string_dup(edit->old_bytes, err);
    copy->new_bytes = string_dup(edit->new_bytes, err);
    return copy->old_bytes != NULL && copy->new_bytes != NULL ? 0 : -1;
}

static int add_edits(struct edit_list *edits, const struct edit_list *more, struct error *err) {
    for (size_t i = 0; i < more->count; i++)
        if (add_edit(edits, &more->items[i], err) < 0)
            return -1;
    return 0;
}

int promotion_queue(struct promotion *promotion, const char *file, const struct edit_list *edits,
                    struct error *err) {
    if (promotion->stage != STAGE_QUEUING)
        return error_set(err, ERROR_BUG, "%s: queued after prepare", file);
    struct target *target = array_add(&promotion->targets, err);
    if (target == NULL)
        return -1;
    target->file = string_dup(file, err);
    if (target->file == NULL)
        return -1;
    return add_edits(&target->edits, edits, err);
}

int promotion_create(struct promotion *promotion, const char *path, const char *bytes,
                     size_t length, struct error *err) {
    if (promotion->stage != STAGE_QUEUING || !journal_is_ledger(path))
        return error_set(err, ERROR_BUG, "%s: created after prepare, or no file of the ledger",
                         path);
    struct target *target = array_add(&promotion->targets, err);
    if (target == NULL)
        return -1;
    target->created = true;
    target->file = string_dup(path, err);
    if (target->file == NULL)
        return -1;
    text_append(&target->content, bytes, length);
    return text_check(&target->content, err);
}

/* The journal's order: what is created comes last. */
static int compare_targets(const void *a, const void *b) {
    const struct target *one = a;
    const struct target *other = b;
    if (one->created != other->created)
        return one->created ? 1 : -1;
    return strcmp(one->file, other->file);
}

static int resolve_targets(struct promotion *promotion, struct error *err) {
    for (size_t i = 0; i < promotion->targets.count; i++) {
        struct target *target = &promotion->targets.items[i];
        if (target->created)
            continue; /* its path is of a known form */
        char *real = NULL;
        if (beneath_resolve(promotion->root_fd, target->file, &real, err) < 0)
            return -1;
        free(target->file);
        target->file = real;
        if (journal_is_private(real))
            return error_set(err, ERROR_INPUT, "%s: nothing is promoted in .git and .pingate",
                             real);
    }
    return 0;
}

static int merge_target(struct target *kept, const struct target *more, struct error *err) {
    if (!kept->created)
        return add_edits(&kept->edits, &more->edits, err);
    if (kept->content.length == more->content.length &&
        memcmp(text_string(&kept->content), text_string(&more->content), kept->content.length) == 0)
        return 0;
    return error_set(err, ERROR_BUG, "%s: created twice, with different bytes", kept->file);
}

/* A file may be queued more than once, also by a link and by its own name: the edits come together. */
static int merge_targets(struct target_list *targets, struct error *err) {
    if (targets->count == 0)
        return 0;
    qsort(targets->items, targets->count, sizeof *targets->items, compare_targets);
    size_t kept = 0;
    int result = 0;
    for (size_t i = 1; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (compare_targets(&targets->items[kept], target) != 0) {
            if (++kept != i) {
                targets->items[kept] = *target;
                *target = (struct target){0};
            }
            continue;
        }
        if (result == 0)
            result = merge_target(&targets->items[kept], target, err);
        target_clear(target);
    }
    targets->count = kept + 1;
    return result;
}

static int check_targets(struct promotion *promotion, struct error *err) {
    size_t kept = 0;
    int result = 0;
    struct target_list *targets = &promotion->targets;
    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (result == 0)
            result =
                target_check(promotion->root_fd, target, promotion->options.allow_generated, err);
        if (result == 0 && strcmp(target->old_hash, target->new_hash) == 0) {
            target_clear(target); /* nothing changes in it */
            continue;
        }
        if (kept != i) {
            targets->items[kept] = *target;
            *target = (struct target){0};
        }
        kept++;
    }
    targets->count = kept;
    return result;
}

static int check_attributes(const struct promotion *promotion, struct error *err) {
    if (promotion->options.allow_generated)
        return 0;
    _cleanup_(string_list_clear) struct string_list files = {0};
    for (size_t i = 0; i < promotion->targets.count; i++)
        if (!promotion->targets.items[i].created &&
            string_list_add(&files, promotion->targets.items[i].file, err) < 0)
            return -1;
    return refusal_of_attributes(promotion->root, &files, err);
}

static int fill_journal(struct promotion *promotion, struct error *err) {
    promotion->journal.state = JOURNAL_INTENT;
    for (size_t i = 0; i < promotion->targets.count; i++) {
        struct target *target = &promotion->targets.items[i];
        if (target_name(promotion->root_fd, target, err) < 0)
            return -1;
        struct journal_file *item = array_add(&promotion->journal, err);
        if (item == NULL)
            return -1;
        memcpy(item->old_hash, target->old_hash, sizeof item->old_hash);
        memcpy(item->new_hash, target->new_hash, sizeof item->new_hash);
        item->file = string_dup(target->file, err);
        item->temporary = string_dup(target->temporary, err);
        if (item->file == NULL || item->temporary == NULL)
            return -1;
    }
    return 0;
}

static int write_temporaries(struct promotion *promotion, struct error *err) {
    if (fill_journal(promotion, err) < 0)
        return -1;
    promotion->journal_written = true;
    if (journal_write(promotion->root_fd, &promotion->journal, err) < 0)
        return -1;
    for (size_t i = 0; i < promotion->targets.count; i++)
        if (target_write(promotion->root_fd, &promotion->targets.items[i], err) < 0)
            return -1;
    return journal_sync_folders(promotion->root_fd, &promotion->journal, err);
}

/* Takes everything back. What cannot be taken back stays in the journal, for the next run. */
static void undo(struct promotion *promotion) {
    promotion->stage = STAGE_DONE;
    if (!promotion->journal_written)
        return;
    _cleanup_(error_clear) struct error err = {0};
    for (size_t i = 0; i < promotion->targets.count; i++) {
        const struct target *target = &promotion->targets.items[i];
        if ((target->written && target_remove_temporary(promotion->root_fd, target->file,
                                                        target->temporary, &err) < 0) ||
            (target->created &&
             target_remove_folders(promotion->root_fd, target->file, &err) < 0)) {
            trace(TRACE_GATE, "undo: %s", error_message(&err));
            return;
        }
    }
    if (journal_remove(promotion->root_fd, &err) < 0)
        trace(TRACE_GATE, "undo: %s", error_message(&err));
}

int promotion_prepare(struct promotion *promotion, struct error *err) {
    if (promotion->stage != STAGE_QUEUING)
        return error_set(err, ERROR_BUG, "a promotion is prepared once");
    promotion->stage = STAGE_PREPARED;
    if (resolve_targets(promotion, err) == 0 && merge_targets(&promotion->targets, err) == 0 &&
        check_targets(promotion, err) == 0 && check_attributes(promotion, err) == 0 &&
        (promotion->options.dry_run || promotion->targets.count == 0 ||
         write_temporaries(promotion, err) == 0))
        return 0;
    undo(promotion);
    return -1;
}

int promotion_diff(const struct promotion *promotion, struct text *out, struct error *err) {
    for (size_t i = 0; i < promotion->targets.count; i++) {
        const struct text *diff = &promotion->targets.items[i].diff;
        text_append(out, text_string(diff), diff->length);
    }
    return text_check(out, err);
}

static int decide(struct promotion *promotion, struct error *err) {
    for (size_t i = 0; i < promotion->targets.count; i++)
        if (target_unchanged(promotion->root_fd, &promotion->targets.items[i], err) < 0)
            return -1;
    promotion->journal.state = JOURNAL_DECIDED;
    return journal_write(promotion->root_fd, &promotion->journal, err);
}

/* A rename may fail and yet have happened (network file systems). */
static bool still_there(int root_fd, const struct target *target) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(free_pointer) char *path =
        target_temporary_path(target->file, target->temporary, &err);
    _cleanup_(file_closep) int fd = path != NULL ? beneath_open(root_fd, path, O_PATH, 0) : -1;
    return fd >= 0;
}

static int rename_all(struct promotion *promotion, struct error *err) {
    for (size_t i = 0; i < promotion->targets.count; i++) {
        const struct target *target = &promotion->targets.items[i];
        if (target_rename(promotion->root_fd, target->file, target->temporary, err) == 0) {
            promotion->stage = STAGE_DECIDED;
            continue;
        }
        if (i > 0 || !still_there(promotion->root_fd, target)) {
            promotion->stage = STAGE_DECIDED;
            error_wrap(err, "%zu of %zu files are written, and the next run finishes the rest", i,
                       promotion->targets.count);
        }
        return -1;
    }
    return 0;
}

static int verify(const struct promotion *promotion, bool *same, struct error *err) {
    *same = true;
    for (size_t i = 0; i < promotion->targets.count && *same; i++) {
        const struct target *target = &promotion->targets.items[i];
        char hex[HASH_HEX_SIZE];
        if (target_hash(promotion->root_fd, target->file, hex, err) < 0)
            return -1;
        *same = strcmp(hex, target->new_hash) == 0;
        if (!*same)
            error_set(err, ERROR_CONFLICT,
                      "%s: written, but other bytes stand there now: somebody changed it",
                      target->file);
    }
    return 0;
}

static int finish(struct promotion *promotion, struct error *err) {
    bool same;
    if (journal_sync_folders(promotion->root_fd, &promotion->journal, err) < 0 ||
        verify(promotion, &same, err) < 0)
        return error_wrap(err, "all files are written, but not proven to be on the disk");
    _cleanup_(error_clear) struct error late = {0};
    if (journal_remove(promotion->root_fd, &late) < 0) {
        error_wrap(&late, "all files are written, but the journal stays");
        return same ? error_move(err, &late) : -1;
    }
    return same ? 0 : -1;
}

int promotion_commit(struct promotion *promotion, struct error *err) {
    if (promotion->stage != STAGE_PREPARED || promotion->options.dry_run)
        return error_set(err, ERROR_BUG, "a promotion is committed once, after prepare");
    if (promotion->targets.count == 0) {
        promotion->stage = STAGE_DONE;
        return 0;
    }
    if (decide(promotion, err) < 0 || rename_all(promotion, err) < 0) {
        if (promotion->stage == STAGE_PREPARED)
            undo(promotion);
        return -1;
    }
    if (finish(promotion, err) < 0)
        return -1;
    promotion->stage = STAGE_DONE;
    return 0;
}

bool promotion_decided(const struct promotion *promotion) {
    return promotion->stage == STAGE_DECIDED;
}

void promotion_free(struct promotion *promotion) {
    if (promotion == NULL)
        return;
    if (promotion->stage == STAGE_PREPARED)
        undo(promotion);
    target_list_clear(&promotion->targets);
    journal_clear(&promotion->journal);
    free(promotion->root);
    file_closep(&promotion->root_fd);
    free(promotion);
}

void promotion_freep(struct promotion **promotion) {
    promotion_free(*promotion);
    *promotion = NULL;
}
