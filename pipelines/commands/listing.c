#include "pipelines/commands/listing.h"

#include "gate/reference.h"
#include "reports/result.h"

static const struct {
    const char *words;
    enum style style;
    int place;
} states[VERDICT_COUNT] = {
    [VERDICT_PROMOTE] = {"update", STYLE_GOOD, 0}, /* which nothing decides before its tests */
    [VERDICT_REJECT] = {"rejected", STYLE_BAD, 1},
    [VERDICT_LOOKUP_FAILED] = {"look-up failed", STYLE_BAD, 1},
    [VERDICT_HOLD] = {"held", STYLE_WARN, 2},
    [VERDICT_UP_TO_DATE] = {"up to date", STYLE_DIM, 3},
};

#define LAST_PLACE 3

enum verdict listing_state(const struct update *update) {
    return update->decided ? update->verdict : VERDICT_PROMOTE;
}

static int add_update(struct table *table, const struct update *update, const char *note,
                      const struct screen *screen, struct error *err) {
    enum verdict state = listing_state(update);
    _cleanup_(free_pointer) char *change = NULL;
    struct table_row *row = table_add(table, err);
    if (row == NULL ||
        result_change_words(update->tag, update->digest, update->candidate_tag,
                            update->candidate_digest, screen_arrow(screen), &change, err) < 0 ||
        table_cell(row, STYLE_BOLD, reference_familiar(update->image), err) < 0 ||
        table_cell(row, states[state].style, states[state].words, err) < 0 ||
        table_cell(row, STYLE_PLAIN, change, err) < 0)
        return -1;
    if (update->decided)
        note = state == VERDICT_UP_TO_DATE ? NULL : update->reason;
    return note == NULL ? 0 : table_note(row, note, err);
}

int listing_add(struct table *table, const struct update_list *updates, char *const *notes,
                const struct screen *screen, struct error *err) {
    for (int place = 0; place <= LAST_PLACE; place++)
        for (size_t i = 0; i < updates->count; i++)
            if (states[listing_state(&updates->items[i])].place == place &&
                add_update(table, &updates->items[i], notes != NULL ? notes[i] : NULL, screen,
                           err) < 0)
                return -1;
    return 0;
}
