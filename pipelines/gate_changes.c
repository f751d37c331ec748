/* What changed from each pinned image to its candidate, and whether `deny` lets it pass.
 *
 * Before the tests, for updates with gates: their configurations are asked for where they are cheapest, so that what is denied is
 * neither pulled nor tested; images are pulled only where the gates need packages, or nobody else can tell. After the tests, for
 * the reports: both images are there more often then, since tests pulled them. Of one digest nothing is asked twice. Both sides of
 * a comparison come from one source, for sizes at the engine are unpacked and those of a registry are not. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/json_read.h"
#include "gate/base/trace.h"
#include "pipelines/gate.h"

#define REGISTRY_TIMEOUT_MS                                                                        \
    20000 /* for one configuration: a report without it is better than a run that waits */
#define SHOWN_LIMIT 100u /* changes of one update in the result; the others are counted */

/* What one place tells of one image. */
struct told {
    bool asked, known;
    struct image_facts facts;
    char *reason; /* NULL where it is known, or the place does not have it */
};

/* An image by its digest. */
struct looked {
    char *image, *digest;
    struct told engine, registry;
    bool wants_registry, wants_pull, wants_packages; /* of the step that is prepared */
};

struct looked_list {
    struct looked *items;
    size_t count;
    size_t capacity;
};

/* Of one update. */
struct compared {
    size_t before, after; /* indexes of looked images */
    bool wanted, made, refused;
    struct changes changes;
};

struct gate_changes {
    struct looked_list images;
    struct compared *updates; /* one each */
    size_t update_count;
    struct credentials *credentials;
};

static void told_clear(struct told *told) {
    image_facts_clear(&told->facts);
    free(told->reason);
}

void gate_changes_freep(struct gate_changes **changes) {
    struct gate_changes *c = *changes;
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->images.count; i++) {
        free(c->images.items[i].image);
        free(c->images.items[i].digest);
        told_clear(&c->images.items[i].engine);
        told_clear(&c->images.items[i].registry);
    }
    free(c->images.items);
    for (size_t i = 0; i < c->update_count; i++)
        changes_clear(&c->updates[i].changes);
    free(c->updates);
    free(c);
    *changes = NULL;
}

static int begin(struct gate *gate, struct credentials *credentials, struct error *err) {
    if (gate->changes == NULL) {
        gate->changes = calloc(1, sizeof *gate->changes);
        if (gate->changes == NULL)
            return error_no_memory(err);
        gate->changes->update_count = gate->updates.count;
        gate->changes->updates = calloc(gate->updates.count + 1, sizeof *gate->changes->updates);
        if (gate->changes->updates == NULL) {
            gate->changes->update_count = 0;
            return error_no_memory(err);
        }
    }
    gate->changes->credentials = credentials;
    for (size_t i = 0; i < gate->changes->update_count; i++)
        gate->changes->updates[i].wanted = false;
    return 0;
}

static int find_or_add(struct gate_changes *changes, const char *image, const char *digest,
                       size_t *out, struct error *err) {
    struct looked_list *list = &changes->images;
    for (*out = 0; *out < list->count; (*out)++)
        if (strcmp(list->items[*out].image, image) == 0 &&
            strcmp(list->items[*out].digest, digest) == 0)
            return 0;
    struct looked *looked = array_add(list, err);
    return looked == NULL || (looked->image = string_dup(image, err)) == NULL ||
                   (looked->digest = string_dup(digest, err)) == NULL
               ? -1
               : 0;
}

/* A pin that is new, or stands as it is, has nothing to be compared with. */
static bool has_two(const struct update *update) {
    return update->digest != NULL && update->candidate_digest != NULL &&
           strcmp(update->digest, update->candidate_digest) != 0;
}

static int want(struct gate *gate, size_t number, struct error *err) {
    const struct update *update = &gate->updates.items[number];
    struct compared *compared = &gate->changes->updates[number];
    compared->wanted = true;
    compared->refused = false;
    return find_or_add(gate->changes, update->image, update->digest, &compared->before, err) < 0
               ? -1
               : find_or_add(gate->changes, update->image, update->candidate_digest,
                             &compared->after, err);
}

static struct looked *before_of(const struct gate *gate, const struct compared *compared) {
    return &gate->changes->images.items[compared->before];
}

static struct looked *after_of(const struct gate *gate, const struct compared *compared) {
    return &gate->changes->images.items[compared->after];
}

/* ---- the engine ---- */

static bool lacks_packages(const struct looked *looked) {
    return looked->wants_packages && looked->engine.facts.packages == PACKAGES_NOT_ASKED;
}

static bool asks_engine(const struct looked *looked) {
    const struct told *told = &looked->engine;
    if (told->known)
        return lacks_packages(looked);
    return !told->asked || looked->wants_pull;
}

static int take_look(struct looked *looked, struct schedule_look *look) {
    told_clear(&looked->engine);
    looked->engine = (struct told){.asked = true, .known = look->there, .facts = look->facts};
    looked->engine.reason = steal(look->reason);
    look->facts = (struct image_facts){0};
    return 0;
}

/* err: of schedule_look */
static int ask_engine(struct gate *gate, struct error *err) {
    struct looked_list *images = &gate->changes->images;
    if (gate->schedule == NULL)
        return 0;
    _cleanup_(free_pointer) struct schedule_look *looks = calloc(images->count + 1, sizeof *looks);
    _cleanup_(free_pointer) size_t *from = calloc(images->count + 1, sizeof *from);
    if (looks == NULL || from == NULL)
        return error_no_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < images->count; i++) {
        const struct looked *looked = &images->items[i];
        if (!asks_engine(looked))
            continue;
        from[count] = i;
        looks[count++] = (struct schedule_look){.image = looked->image,
                                                .digest = looked->digest,
                                                .may_pull = looked->wants_pull,
                                                .packages = looked->wants_packages};
    }
    int result = schedule_look(gate->schedule, looks, count, err);
    for (size_t i = 0; i < count; i++) {
        if (result == 0)
            take_look(&images->items[from[i]], &looks[i]);
        image_facts_clear(&looks[i].facts);
        free(looks[i].reason);
    }
    return result;
}

/* ---- registries ---- */

static int set_reason(struct told *told, const struct error *why, struct error *fatal) {
    if (why->kind == ERROR_NO_MEMORY || why->kind == ERROR_CANCELLED)
        return error_set(fatal, why->kind, "%s", error_message(why));
    free(told->reason);
    told->reason = string_dup(error_message(why), fatal);
    return told->reason != NULL ? 0 : -1;
}

/* Of the layers: what an engine would pull. */
static int64_t size_of(const struct blob_list *blobs) {
    int64_t sum = 0;
    for (size_t i = 1; i < blobs->count; i++)
        sum += blobs->items[i].size_bytes; /* content.h: 1,000 of 16 TiB at most */
    return sum;
}

static int on_config(void *context, const struct blob_list *blobs, const struct text *config,
                     const struct error *why, struct error *fatal) {
    struct told *told = context;
    if (why != NULL)
        return set_reason(told, why, fatal);
    json_auto_t *json = NULL;
    _cleanup_(error_clear) struct error error = {0};
    if (json_read(text_string(config), config->length, 0, &json, NULL, fatal) < 0)
        return -1;
    if (image_facts_read(&told->facts, json, IMAGE_FROM_REGISTRY, &error) < 0)
        return set_reason(told, &error, fatal);
    told->facts.size_bytes = size_of(blobs);
    told->known = true;
    return 0;
}

static int ask_about(struct registry *registry, const struct platform *platform,
                     struct looked *looked, struct error *err) {
    struct reference name = {0};
    _cleanup_(free_pointer) char *text = reference_text(looked->image, NULL, looked->digest, err);
    if (text == NULL || reference_parse(text, &name, err) < 0)
        return -1;
    looked->registry.asked = true;
    int result = registry_config(registry, &name, platform, on_config, &looked->registry, err);
    reference_clear(&name);
    return result;
}

/* The engine's, where one is at hand: it is the one that runs them. */
static void platform_of(const struct gate *gate, struct platform *platform) {
    if (gate->schedule == NULL || !platform_parse(schedule_platform(gate->schedule), platform))
        platform_host(platform);
}

static int ask_registries(struct gate *gate, struct error *err) {
    struct looked_list *images = &gate->changes->images;
    struct registry_options options = {.hosts = gate->config->registries.items,
                                       .host_count = gate->config->registries.count,
                                       .credentials = gate->changes->credentials,
                                       .timeout_ms = REGISTRY_TIMEOUT_MS};
    _cleanup_(registry_freep) struct registry *registry = NULL;
    struct platform platform;
    bool any = false;
    for (size_t i = 0; i < images->count; i++)
        any = any || (images->items[i].wants_registry && !images->items[i].registry.asked);
    if (!any)
        return 0;
    if (registry_new(&options, gate->cancel, &registry, err) < 0)
        return -1;
    platform_of(gate, &platform);
    for (size_t i = 0; i < images->count; i++)
        if (images->items[i].wants_registry && !images->items[i].registry.asked &&
            ask_about(registry, &platform, &images->items[i], err) < 0)
            return -1;
    return registry_run(registry, err);
}

/* ---- comparing ---- */

static bool both_at_engine(const struct gate *gate, const struct compared *compared) {
    return before_of(gate, compared)->engine.known && after_of(gate, compared)->engine.known;
}

static bool both_at_registry(const struct gate *gate, const struct compared *compared) {
    return before_of(gate, compared)->registry.known && after_of(gate, compared)->registry.known;
}

/* The facts of both sides; NULL where no place knows both. */
static const struct image_facts *facts_of(const struct gate *gate, const struct compared *compared,
                                          const struct image_facts **after) {
    bool engine = both_at_engine(gate, compared);
    const struct looked *b = before_of(gate, compared);
    const struct looked *a = after_of(gate, compared);
    *after = engine ? &a->engine.facts : &a->registry.facts;
    if (!engine && !both_at_registry(gate, compared))
        return NULL;
    return engine ? &b->engine.facts : &b->registry.facts;
}

static int compare(const struct gate *gate, struct compared *compared, struct error *err) {
    const struct image_facts *after;
    const struct image_facts *before = facts_of(gate, compared, &after);
    changes_clear(&compared->changes);
    compared->made = before != NULL;
    return before != NULL ? changes_compare(before, after, &compared->changes, err) : 0;
}

/* Why nobody knows it, for people. */
static const char *reason_of(const struct looked *looked) {
    return looked->engine.reason != NULL     ? looked->engine.reason
           : looked->registry.reason != NULL ? looked->registry.reason
                                             : "neither the engine nor the registry tells of it";
}

static const struct looked *unknown_of(const struct gate *gate, const struct compared *compared) {
    const struct looked *before = before_of(gate, compared);
    return before->engine.known || before->registry.known ? after_of(gate, compared) : before;
}

/* Configurations: from the engine where it has both, else from the registry. */
static int ask_configs(struct gate *gate, struct error *err) {
    if (ask_engine(gate, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct compared *compared = &gate->changes->updates[i];
        if (!compared->wanted || both_at_engine(gate, compared))
            continue;
        before_of(gate, compared)->wants_registry = true;
        after_of(gate, compared)->wants_registry = true;
    }
    return ask_registries(gate, err);
}

static void stop_wanting(struct gate *gate) {
    for (size_t i = 0; i < gate->changes->images.count; i++) {
        struct looked *looked = &gate->changes->images.items[i];
        looked->wants_registry = looked->wants_pull = looked->wants_packages = false;
    }
}

static void want_of_both(const struct gate *gate, const struct compared *compared, bool pull,
                         bool packages) {
    struct looked *both[] = {before_of(gate, compared), after_of(gate, compared)};
    for (size_t i = 0; i < 2; i++) {
        both[i]->wants_pull = both[i]->wants_pull || pull;
        both[i]->wants_packages = both[i]->wants_packages || packages;
    }
}

/* ---- gates ---- */

static const struct deny_list *gates_of(const struct gate *gate, size_t number) {
    const struct update *update = &gate->updates.items[number];
    return config_deny_for(gate->config, update->image, update->tag);
}

static bool has_gates(const struct gate *gate, size_t number) {
    return plan_moves(&gate->updates.items[number]) && has_two(&gate->updates.items[number]) &&
           gates_of(gate, number)->count > 0;
}

bool gate_asks_changes(const struct gate *gate, bool *engine) {
    bool any = false;
    *engine = false;
    for (size_t i = 0; i < gate->updates.count; i++) {
        if (!has_gates(gate, i))
            continue;
        any = true;
        *engine = *engine || deny_needs_packages(gates_of(gate, i));
    }
    return any;
}

/* Why the packages of one of the two are not known. */
static const char *packages_reason(const struct gate *gate, const struct compared *compared) {
    const struct looked *both[] = {before_of(gate, compared), after_of(gate, compared)};
    for (size_t i = 0; i < 2; i++)
        if (both[i]->engine.facts.packages == PACKAGES_UNKNOWN)
            return both[i]->engine.facts.packages_reason;
    for (size_t i = 0; i < 2; i++)
        if (!both[i]->engine.known)
            return reason_of(both[i]);
    return "nobody read them";
}

static int refuse(struct gate *gate, size_t number, const struct deny_answer *answer,
                  struct error *err) {
    struct update *update = &gate->updates.items[number];
    gate->changes->updates[number].refused = true;
    return answer->denied.length > 0
               ? update_decide(update, err, VERDICT_REJECT, CODE_CHANGE_DENIED,
                               "what changed in the image is denied: %s",
                               text_string(&answer->denied))
               : update_decide(update, err, VERDICT_HOLD, CODE_NOT_TESTED,
                               "could not be tested: what is denied (deny) could not be looked "
                               "for: %s",
                               text_string(&answer->unknown));
}

/* last: nothing more will be read; before that, what is not known is left for later. */
static int check_gates(struct gate *gate, size_t number, bool last, struct error *err) {
    struct compared *compared = &gate->changes->updates[number];
    _cleanup_(deny_answer_clear) struct deny_answer answer = {0};
    const struct image_facts *after;
    if (compare(gate, compared, err) < 0)
        return -1;
    if (facts_of(gate, compared, &after) != NULL) {
        if (deny_check(gates_of(gate, number), after, &compared->changes,
                       last ? packages_reason(gate, compared) : NULL, &answer, err) < 0)
            return -1;
    } else if (last) {
        const struct looked *unknown = unknown_of(gate, compared);
        text_printf(&answer.unknown, "%s@%s: %s", reference_familiar(unknown->image),
                    unknown->digest, reason_of(unknown));
    }
    if (answer.denied.length == 0 && (answer.unknown.length == 0 || !last))
        return 0;
    compared->wanted = false;
    return refuse(gate, number, &answer, err);
}

static int check_all_gates(struct gate *gate, bool last, struct error *err) {
    for (size_t i = 0; i < gate->updates.count; i++)
        if (gate->changes->updates[i].wanted && check_gates(gate, i, last, err) < 0)
            return -1;
    return 0;
}

int gate_deny(struct gate *gate, struct credentials *credentials, struct error *err) {
    if (begin(gate, credentials, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (has_gates(gate, i) && want(gate, i, err) < 0)
            return -1;
    if (ask_configs(gate, err) < 0 || check_all_gates(gate, false, err) < 0)
        return -1;
    stop_wanting(gate);
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct compared *compared = &gate->changes->updates[i];
        bool packages = compared->wanted && deny_needs_packages(gates_of(gate, i));
        if (compared->wanted && (packages || !compared->made))
            want_of_both(gate, compared, true, packages);
    }
    if (ask_engine(gate, err) < 0)
        return -1;
    stop_wanting(gate);
    return check_all_gates(gate, true, err);
}

void gate_forget_changes(struct gate *gate, size_t update) {
    if (gate->changes == NULL || update >= gate->changes->update_count)
        return;
    changes_clear(&gate->changes->updates[update].changes);
    gate->changes->updates[update] = (struct compared){0};
}

int gate_close_for_denied(struct gate *gate, struct error *err) {
    if (gate->changes == NULL)
        return 0;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        bool closed = false;
        for (size_t other = 0; other < gate->updates.count; other++)
            closed = closed || (gate->changes->updates[other].refused &&
                                gate->updates.items[other].stage == update->stage);
        if (closed && update->decided && update->verdict == VERDICT_PROMOTE &&
            !gate_promotes_passing(gate, update->stage) &&
            update_decide(update, err, VERDICT_HOLD, CODE_GATE_CLOSED,
                          "its tests passed, but what changed in another update is denied or could "
                          "not be looked at, and promote is \"all\"") < 0)
            return -1;
    }
    return 0;
}

/* ---- what is shown ---- */

static int tell(struct gate *gate, size_t number, struct error *err) {
    const struct compared *compared = &gate->changes->updates[number];
    _cleanup_(free_pointer) char *name = update_words(&gate->updates.items[number], err);
    _cleanup_(text_clear) struct text words = {0};
    if (name == NULL)
        return -1;
    _cleanup_(free_pointer) char *arrow =
        string_format(err, " %s ", terminal_arrow(gate->terminal));
    if (arrow == NULL)
        return -1;
    changes_words(&compared->changes, arrow, &words);
    if (words.length > 0)
        terminal_line(gate->terminal, "changed in %s: %s", name, text_string(&words));
    if (compared->changes.packages_known || gate->config->changes != CHANGES_PACKAGES)
        return 0;
    _cleanup_(free_pointer) char *warning = string_format(
        err, "the packages of %s and its candidate could not be compared: %s", name,
        compared->made ? packages_reason(gate, compared) : reason_of(unknown_of(gate, compared)));
    if (warning == NULL)
        return -1;
    terminal_warning(gate->terminal, "%s", warning);
    return string_list_add(&gate->result->warnings, warning, err);
}

static int read_all(struct gate *gate, struct error *err) {
    enum changes_depth depth = gate->config->changes;
    if (ask_configs(gate, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct compared *compared = &gate->changes->updates[i];
        if (compared->wanted && depth == CHANGES_PACKAGES)
            want_of_both(gate, compared, true, true);
        else if (compared->wanted && depth == CHANGES_AUTO && both_at_engine(gate, compared))
            want_of_both(gate, compared, false, true);
    }
    int result = ask_engine(gate, err);
    stop_wanting(gate);
    return result;
}

/* The verdicts stand already: what cannot be told of the changes is no reason to lose them. */
static int read_for_show(struct gate *gate, struct error *err) {
    _cleanup_(error_clear) struct error why = {0};
    if (read_all(gate, &why) == 0)
        return 0;
    if (why.kind == ERROR_CANCELLED || why.kind == ERROR_NO_MEMORY)
        return error_move(err, &why);
    trace(TRACE_GATE, "what changed cannot be told: %s", error_message(&why));
    return 0;
}

/* What the engine did not have before the tests it may have now. */
static void forget_absences(struct gate *gate) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        const struct compared *compared = &gate->changes->updates[i];
        if (!compared->wanted)
            continue;
        before_of(gate, compared)->engine.asked = before_of(gate, compared)->engine.known;
        after_of(gate, compared)->engine.asked = after_of(gate, compared)->engine.known;
    }
}

int gate_compare(struct gate *gate, const bool *tested, struct credentials *credentials,
                 struct error *err) {
    if (gate->config->changes == CHANGES_OFF)
        return 0;
    if (begin(gate, credentials, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (tested[i] && has_two(&gate->updates.items[i]) && !gate->changes->updates[i].refused &&
            want(gate, i, err) < 0)
            return -1;
    forget_absences(gate);
    if (read_for_show(gate, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct compared *compared = &gate->changes->updates[i];
        if (compared->wanted && (compare(gate, compared, err) < 0 || tell(gate, i, err) < 0))
            return -1;
    }
    return 0;
}

/* ---- the result ---- */

static int fill_change(const struct change *from, struct result_changes *to, struct error *err) {
    struct result_change *change = &to->items[to->count++];
    change->denied = from->denied;
    return string_copy(fact_kind_name(from->kind), &change->what, err) < 0 ||
                   string_copy(from->name[0] != '\0' ? from->name : NULL, &change->name, err) < 0 ||
                   string_copy(from->before, &change->before, err) < 0
               ? -1
               : string_copy(from->after, &change->after, err);
}

int gate_fill_changes(const struct gate *gate, size_t number, struct result_update *to,
                      struct error *err) {
    if (gate->changes == NULL || number >= gate->changes->update_count ||
        !gate->changes->updates[number].made)
        return 0;
    const struct changes *from = &gate->changes->updates[number].changes;
    struct result_changes *changes = calloc(1, sizeof *changes);
    to->changes = changes;
    if (changes == NULL)
        return error_no_memory(err);
    changes->size_before = from->size_before;
    changes->size_after = from->size_after;
    changes->layers = from->layers;
    changes->layers_shared = from->layers_shared;
    changes->items = calloc(SHOWN_LIMIT, sizeof *changes->items);
    if (changes->items == NULL)
        return error_no_memory(err);
    for (int denied = 1; denied >= 0; denied--) /* what is denied is never among those left out */
        for (size_t i = 0; i < from->count && changes->count < SHOWN_LIMIT; i++)
            if (from->items[i].denied == (denied == 1) &&
                fill_change(&from->items[i], changes, err) < 0)
                return -1;
    changes->more = from->count - changes->count;
    return 0;
}
