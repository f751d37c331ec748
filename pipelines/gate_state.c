/* What the gate remembers of earlier look-ups, and leaves for later ones. Losing it is told and ends no run: cooldowns then
 * get longer. */
#include <stdarg.h>
#include <stdio.h>

#include "gate/base/clock.h"
#include "gate/policy/sightings.h"
#include "pipelines/gate.h"

static int warn(struct gate *gate, struct error *err, const char *format, ...) _printf_(3, 4);

static int warn(struct gate *gate, struct error *err, const char *format, ...) {
    char *words = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&words, format, arguments);
    va_end(arguments);
    if (length < 0)
        return error_no_memory(err);
    terminal_warning(gate->terminal, "%s", words);
    int added = string_list_add(&gate->result->warnings, words, err);
    free_pointer(&words);
    return added;
}

/* What goes wrong with the state is told; only what ends everything ends the run. */
static int warn_of_error(struct gate *gate, struct error *why, const char *what,
                         struct error *err) {
    if (why->kind == ERROR_CANCELLED || why->kind == ERROR_NO_MEMORY)
        return error_move(err, why);
    int warned = warn(gate, err, "%s; %s", error_message(why), what);
    error_clear(why);
    return warned;
}

static bool is_needed(const struct gate *gate) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct update *update = &gate->updates.items[i];
        if (!update->decided && update->cooldown_ms > 0 && !update->urgent)
            return true;
    }
    return false;
}

static int tell_absent(struct gate *gate, bool needed, struct error *err) {
    const char *words = state_words(gate->state);
    if (needed)
        return warn(gate, err,
                    "no state at %s: every candidate counts as first seen now, so cooldowns start "
                    "over",
                    words);
    if (state_may_write(gate->state))
        terminal_line(gate->terminal, "no state at %s yet: it begins with this look-up", words);
    return 0;
}

/* An error here is one of the state, not of the run. */
static int read_sightings(struct gate *gate, bool *absent, char **damage, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0};
    if (state_read(gate->state, &state_sightings, &bytes, absent, err) < 0)
        return -1;
    if (*absent)
        return 0;
    if (sightings_parse(text_string(&bytes), bytes.length, &gate->lookup.memory.known, damage,
                        err) < 0)
        return error_wrap(err, "state: %s: %s", state_words(gate->state), state_sightings.name);
    return 0;
}

int gate_recall(struct gate *gate, struct error *err) {
    bool needed = is_needed(gate);
    struct state_options options = {.root = gate->options->root,
                                    .config = &gate->config->state,
                                    .given = gate->options->state,
                                    .cancel = gate->cancel};
    if (state_open(&options, &gate->state, err) < 0)
        return -1;
    if (gate->state == NULL)
        return needed ? warn(gate, err,
                             "no state is kept, and without one no cooldown ever ends: write "
                             "\"state: {folder: .pingate/state}\" into %s, or give --state DIR",
                             CONFIG_FILE)
                      : 0;
    bool absent = false;
    _cleanup_(free_pointer) char *damage = NULL;
    struct error why = {0};
    if (read_sightings(gate, &absent, &damage, &why) < 0) {
        state_freep(&gate->state);
        return warn_of_error(
            gate, &why, "every candidate counts as first seen now, and nothing is recorded", err);
    }
    if (absent)
        return tell_absent(gate, needed, err);
    if (damage != NULL &&
        warn(gate, err, "state: %s: %s is damaged: %s; what can be read of it counts",
             state_words(gate->state), state_sightings.name, damage) < 0)
        return -1;
    if (!state_may_write(gate->state))
        terminal_line(gate->terminal,
                      "state: %s is only read: a push needs the caller's word, --state branch or "
                      "$" STATE_ENVIRONMENT "=branch",
                      state_words(gate->state));
    return 0;
}

struct recording {
    struct sighting_list *seen; /* sorted */
    int64_t now_ms;
    size_t future; /* dropped, since only a wrong clock can have written them */
};

/* What stands there now with what this look-up saw. */
static int merge(void *context, const struct text *old, struct text *new, bool *damaged,
                 struct error *err) {
    struct recording *recording = context;
    _cleanup_(sightings_clear) struct sighting_list known = {0};
    _cleanup_(free_pointer) char *damage = NULL;
    if (old != NULL && sightings_parse(text_string(old), old->length, &known, &damage, err) < 0)
        return error_wrap(err, "%s", state_sightings.name);
    *damaged = damage != NULL;
    sightings_sort(&known);
    bool changed = false;
    size_t dropped = 0;
    if (sightings_record(&known, recording->seen, recording->now_ms, &changed, err) < 0 ||
        sightings_compact(&known, recording->seen, recording->now_ms, &dropped, &recording->future,
                          err) < 0)
        return -1;
    if (old != NULL && !*damaged && !changed && dropped == 0)
        return 0;
    return sightings_format(&known, new, err);
}

int gate_record(struct gate *gate, struct error *err) {
    if (gate->state == NULL)
        return 0;
    struct lookup_memory *memory = &gate->lookup.memory;
    struct recording recording = {.seen = &memory->seen, .now_ms = memory->now_ms};
    _cleanup_(free_pointer) char *aside = NULL;
    struct error why = {0};
    sightings_sort(&memory->seen);
    if (state_update(gate->state, &state_sightings, merge, &recording, &aside, &why) < 0)
        return warn_of_error(gate, &why,
                             "what this look-up saw is not recorded, so cooldowns get longer", err);
    if (aside != NULL &&
        warn(gate, err, "state: the damaged %s is kept as %s", state_sightings.name, aside) < 0)
        return -1;
    if (recording.future > 0 &&
        warn(gate, err,
             "state: %s: %zu sightings lay more than a week ahead of this machine's clock and are "
             "dropped; whose clock is wrong?",
             state_words(gate->state), recording.future) < 0)
        return -1;
    return 0;
}
