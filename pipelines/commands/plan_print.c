#include "pipelines/commands/plan_print.h"

#include <string.h>

#include "gate/base/text.h"
#include "pipelines/commands/listing.h"
#include "pipelines/commands/updates.h"

/* "answers (2 commands), renders (1 command)": the tests that cover the update. */
static void add_tests(const struct gate *gate, size_t update, struct text *out) {
    size_t count = 0;
    for (size_t t = 0; t < gate->plan.count; t++)
        for (size_t c = 0; c < gate->plan.items[t].cover_count; c++) {
            const struct test *test = gate->plan.items[t].test;
            if (gate->plan.items[t].covers[c] != update)
                continue;
            text_printf(out, "%s%s (%zu command%s)", count++ > 0 ? ", " : "tests: ", test->name,
                        test->command_count, test->command_count == 1 ? "" : "s");
        }
}

static json_t *indexes_to_json(const size_t *indexes, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        list = json_with_item(list, json_integer((json_int_t)indexes[i]));
    return list;
}

static json_t *size_to_json(int64_t size_bytes) {
    return size_bytes == PULL_UNKNOWN ? json_null() : json_integer((json_int_t)size_bytes);
}

static json_t *image_to_json(const struct pull_image *image) {
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "image", image->image, "digest", image->digest,
                     "updates", indexes_to_json(image->updates, image->update_count), "bytes",
                     size_to_json(image->size_bytes), "reason",
                     image->reason != NULL ? json_clean(image->reason) : json_null());
}

static json_t *pull_to_json(const struct pull *pull) {
    char platform[PLATFORM_WORDS_SIZE];
    json_t *images = json_array();
    platform_words(&pull->platform, platform);
    for (size_t i = 0; i < pull->count; i++)
        images = json_with_item(images, image_to_json(&pull->items[i]));
    return json_pack("{s:s, s:o, s:o, s:o}", "platform", platform, "bytes",
                     size_to_json(pull->all_known ? pull->known_bytes : PULL_UNKNOWN), "reason",
                     pull->reason != NULL ? json_clean(pull->reason) : json_null(), "images",
                     images);
}

static json_t *plan_to_json(const struct gate *gate, struct error *err) {
    json_t *updates = updates_to_json(gate, err);
    json_t *trials = json_array();
    for (size_t i = 0; i < gate->plan.count; i++) {
        const struct plan_trial *trial = &gate->plan.items[i];
        if (plan_needs(trial, &gate->updates))
            trials = json_with_item(
                trials, json_pack("{s:s, s:i, s:o, s:o}", "test", trial->test->name, "commands",
                                  (int)trial->test->command_count, "updates",
                                  indexes_to_json(trial->covers, trial->cover_count), "images",
                                  indexes_to_json(trial->participants, trial->participant_count)));
    }
    if (updates == NULL) {
        json_decref(trials);
        return NULL;
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "updates", updates, "trials", trials,
                     "pull", pull_to_json(&gate->pull));
}

/* What an update has pulled; nothing when no command runs in its image. */
static void add_size(const struct gate *gate, size_t update, struct text *out) {
    for (size_t i = 0; i < gate->pull.count; i++) {
        const struct pull_image *image = &gate->pull.items[i];
        for (size_t u = 0; u < image->update_count; u++) {
            char words[32];
            if (image->updates[u] != update)
                continue;
            if (image->size_bytes == PULL_UNKNOWN) {
                text_add(out, "; pulls: unknown");
                return;
            }
            bytes_words(image->size_bytes, words, sizeof words);
            text_printf(out, "; pulls: at most %s", words);
            return;
        }
    }
}

#define FURTHER_SHOWN 4 /* tags in a line of the table */

static void add_further(const struct update *update, struct text *out) {
    size_t count = further_count(update);
    for (size_t i = 0; i < count && i < FURTHER_SHOWN; i++)
        text_printf(out, "%s%s", i == 0 ? "; if it fails: " : ", ", update->further.items[i]);
    if (count > FURTHER_SHOWN)
        text_printf(out, " and %zu more", count - FURTHER_SHOWN);
}

static int draw_table(const struct invocation *invocation, const struct gate *gate,
                      struct text *out, struct error *err) {
    _cleanup_(string_list_clear) struct string_list notes = {0};
    _cleanup_(table_clear) struct table table = {0};
    for (size_t i = 0; i < gate->updates.count; i++) {
        _cleanup_(text_clear) struct text note = {0};
        if (!gate->updates.items[i].decided) {
            add_tests(gate, i, &note);
            add_size(gate, i, &note);
            add_further(&gate->updates.items[i], &note);
        }
        if (text_check(&note, err) < 0 || string_list_add(&notes, text_string(&note), err) < 0)
            return -1;
    }
    if (listing_add(&table, &gate->updates, notes.items, &invocation->screen, err) < 0)
        return -1;
    table_draw(&table, &invocation->screen, out);
    if (table.count > 0)
        text_add_char(out, '\n');
    return 0;
}

/* "; they pull at most 43.2 MB for linux/amd64, less what the engine has" */
static void add_total(const struct pull *pull, struct text *out) {
    char platform[PLATFORM_WORDS_SIZE];
    char words[32];
    size_t unknown = 0;
    for (size_t i = 0; i < pull->count; i++)
        unknown += pull->items[i].size_bytes == PULL_UNKNOWN ? 1 : 0;
    if (pull->count == 0)
        return;
    platform_words(&pull->platform, platform);
    if (pull->known_bytes == PULL_UNKNOWN) {
        text_printf(out, "; how much they pull for %s is not known: %s", platform, pull->reason);
        return;
    }
    bytes_words(pull->known_bytes, words, sizeof words);
    if (unknown == pull->count) {
        text_printf(out, "; how much they pull for %s is not known", platform);
        return;
    }
    text_printf(out, "; they pull at most %s", words);
    if (unknown > 0)
        text_printf(out, " and %zu image%s of unknown size", unknown, unknown == 1 ? "" : "s");
    text_printf(out, " for %s, less what the engine has", platform);
}

static void draw_line(const struct screen *screen, const struct text *words, size_t indent,
                      struct text *out) {
    for (size_t i = 0; i < indent; i++)
        text_add_char(out, ' ');
    screen_wrap(screen, out, text_string(words), indent, indent, screen_columns(screen));
    text_add_char(out, '\n');
}

/* What the table does not tell: images that stay as they are, and why a size is not known. */
static int draw_image(const struct screen *screen, const struct pull_image *image, struct text *out,
                      struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    char number[32];
    if (image->moved && image->size_bytes != PULL_UNKNOWN)
        return 0;
    if (image->size_bytes != PULL_UNKNOWN) {
        bytes_words(image->size_bytes, number, sizeof number);
        text_printf(&words, "%s%s%s as pinned: at most %s", reference_familiar(image->image),
                    image->tag != NULL ? ":" : "", image->tag != NULL ? image->tag : "", number);
    } else {
        text_printf(&words, "unknown: %s", image->reason);
    }
    draw_line(screen, &words, 2, out);
    return text_check(&words, err);
}

static int draw_plan(const struct invocation *invocation, const struct gate *gate, struct text *out,
                     struct error *err) {
    _cleanup_(text_clear) struct text line = {0};
    size_t trials = 0;
    for (size_t i = 0; i < gate->plan.count; i++)
        trials += plan_needs(&gate->plan.items[i], &gate->updates);
    if (draw_table(invocation, gate, out, err) < 0)
        return -1;
    text_printf(&line, "%zu trial%s in the first round", trials, trials == 1 ? "" : "s");
    add_total(&gate->pull, &line);
    draw_line(&invocation->screen, &line, 0, out);
    for (size_t i = 0; i < gate->pull.count; i++)
        if (draw_image(&invocation->screen, &gate->pull.items[i], out, err) < 0)
            return -1;
    return text_check(&line, err);
}

int plan_print(struct invocation *invocation, const struct gate *gate, struct error *err) {
    if (invocation->options.given[OPTION_JSON])
        return command_print_json(invocation, plan_to_json(gate, err), err);
    _cleanup_(text_clear) struct text out = {0};
    if (draw_plan(invocation, gate, &out, err) < 0)
        return -1;
    return command_print(invocation, &out, err);
}
