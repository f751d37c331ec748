#include "pipelines/pull.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

/* Which updates have an image that some command of the first round runs in. */
static void mark_pulled(const struct plan *plan, const struct update_list *updates, bool *pulled) {
    for (size_t t = 0; t < plan->count; t++) {
        const struct plan_trial *trial = &plan->items[t];
        if (!plan_needs(trial, updates))
            continue;
        for (size_t s = 0; s < trial->test->command_count; s++)
            pulled[trial->steps[s]] = true;
        for (size_t s = 0; s < trial->test->service_count; s++)
            pulled[trial->services[s]] = true;
    }
}

static struct pull_image *find_or_add(struct pull *pull, const struct update *update,
                                      size_t update_count, struct error *err) {
    bool moved = plan_moves(update);
    const char *digest = moved ? update->candidate_digest : update->digest;
    struct pull_image *found = NULL;
    for (size_t i = 0; i < pull->count && found == NULL; i++)
        if (strcmp(pull->items[i].image, update->image) == 0 &&
            strcmp(pull->items[i].digest, digest) == 0)
            found = &pull->items[i];
    if (found == NULL) {
        found = array_add(pull, err);
        if (found == NULL)
            return NULL;
        found->image = update->image;
        found->tag = moved ? update->candidate_tag : update->tag;
        found->digest = digest;
        found->size_bytes = PULL_UNKNOWN;
        found->updates = calloc(update_count, sizeof *found->updates);
        if (found->updates == NULL) {
            error_no_memory(err);
            return NULL;
        }
    }
    found->moved = found->moved || moved;
    return found;
}

int pull_plan(const struct plan *plan, const struct update_list *updates, struct pull *pull,
              struct error *err) {
    _cleanup_(free_pointer) bool *pulled = calloc(updates->count + 1, sizeof *pulled);
    if (pulled == NULL)
        return error_no_memory(err);
    mark_pulled(plan, updates, pulled);
    for (size_t i = 0; i < updates->count; i++) {
        if (!pulled[i])
            continue;
        struct pull_image *image = find_or_add(pull, &updates->items[i], updates->count, err);
        if (image == NULL)
            return -1;
        image->updates[image->update_count++] = i;
    }
    return 0;
}

static int add_blobs(struct blob_list *to, const struct blob_list *from, struct error *err) {
    for (size_t i = 0; i < from->count; i++) {
        struct blob *blob = array_add(to, err);
        if (blob == NULL)
            return -1;
        *blob = from->items[i];
    }
    return 0;
}

/* The reason is what comes instead of a size; only no memory and a stop by the user end the looking. */
static int set_reason(char **reason, const struct error *why, struct error *fatal) {
    if (why->kind == ERROR_NO_MEMORY || why->kind == ERROR_CANCELLED)
        return error_set(fatal, why->kind, "%s", error_message(why));
    free(*reason);
    *reason = string_dup(error_message(why), fatal);
    return *reason != NULL ? 0 : -1;
}

static int on_blobs(void *context, const struct blob_list *blobs, const struct error *why,
                    struct error *fatal) {
    struct pull_image *image = context;
    if (why != NULL)
        return set_reason(&image->reason, why, fatal);
    struct error error = {0};
    if (add_blobs(&image->blobs, blobs, fatal) < 0)
        return -1;
    if (content_size(&image->blobs, &image->size_bytes, &error) == 0)
        return 0;
    int result = set_reason(&image->reason, &error, fatal);
    error_clear(&error);
    return result;
}

static int ask(struct pull *pull, struct pull_image *image, struct registry *registry,
               struct error *err) {
    struct reference name = {0};
    _cleanup_(free_pointer) char *text = reference_text(image->image, NULL, image->digest, err);
    if (text == NULL || reference_parse(text, &name, err) < 0)
        return -1;
    int result = registry_blobs(registry, &name, &pull->platform, on_blobs, image, err);
    reference_clear(&name);
    return result;
}

/* Over the images whose size is known. */
static int add_up(struct pull *pull, int64_t *size_bytes, struct error *err) {
    _cleanup_(blob_list_clear) struct blob_list all = {0};
    for (size_t i = 0; i < pull->count; i++)
        if (pull->items[i].size_bytes != PULL_UNKNOWN &&
            add_blobs(&all, &pull->items[i].blobs, err) < 0)
            return -1;
    return content_size(&all, size_bytes, err);
}

int pull_look_up(struct pull *pull, struct registry *registry, struct error *err) {
    for (size_t i = 0; i < pull->count; i++)
        if (ask(pull, &pull->items[i], registry, err) < 0)
            return -1;
    if (registry_run(registry, err) < 0)
        return -1;
    struct error why = {0};
    pull->all_known = true;
    for (size_t i = 0; i < pull->count; i++)
        pull->all_known = pull->all_known && pull->items[i].size_bytes != PULL_UNKNOWN;
    pull->known_bytes = PULL_UNKNOWN;
    if (add_up(pull, &pull->known_bytes, &why) == 0)
        return 0;
    pull->all_known = false;
    int result = set_reason(&pull->reason, &why, err);
    error_clear(&why);
    return result;
}

void pull_clear(struct pull *pull) {
    for (size_t i = 0; i < pull->count; i++) {
        free(pull->items[i].updates);
        free(pull->items[i].reason);
        blob_list_clear(&pull->items[i].blobs);
    }
    free(pull->items);
    free(pull->reason);
    *pull = (struct pull){0};
}
