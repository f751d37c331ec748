#include "runners/deny.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_LIMIT 5u /* changes that one gate names */

struct deny_gate {
    const char *name;
    const char *help;
    enum fact_kind kind; /* of the changes it looks at */
    bool (*denies)(const struct deny *deny, const struct changes *changes,
                   const struct change *change);
    enum deny_argument argument;
};

/* ---- predicates ---- */

static bool always(const struct deny *deny, const struct changes *changes,
                   const struct change *change) {
    (void)deny, (void)changes, (void)change;
    return true;
}

static bool added(const struct deny *deny, const struct changes *changes,
                  const struct change *change) {
    (void)deny, (void)changes;
    return change_is_added(change);
}

static bool removed(const struct deny *deny, const struct changes *changes,
                    const struct change *change) {
    (void)deny, (void)changes;
    return change_is_removed(change);
}

/* User and group: "root:staff" and "0:1000" are root as well. */
static bool is_root(const char *user) {
    size_t length = user != NULL ? strcspn(user, ":") : 0;
    bool digits = length > 0 && strspn(user, "0") == length;
    return user != NULL &&
           (length == 0 || digits || (length == 4 && strncmp(user, "root", 4) == 0));
}

static bool becomes_root(const struct deny *deny, const struct changes *changes,
                         const struct change *change) {
    (void)deny, (void)changes;
    return is_root(change->after) && !is_root(change->before);
}

static bool grows(const struct deny *deny, const struct changes *changes,
                  const struct change *change) {
    (void)change;
    double more = (double)changes->size_after - (double)changes->size_before;
    return more * 100 > (double)changes->size_before * (double)deny->percent;
}

/* One that lacked before as well is no change: see ask. */
static bool label_gone(const struct deny *deny, const struct changes *changes,
                       const struct change *change) {
    (void)changes;
    return change_is_removed(change) && strcmp(change->name, deny->name) == 0;
}

/* ---- the table ---- */

static const struct deny_gate gates[] = {
    {"user-becomes-root", "runs as root, and did not", FACT_USER, becomes_root, DENY_PLAIN},
    {"user-changed", "runs as another user", FACT_USER, always, DENY_PLAIN},
    {"entrypoint-changed", "has another entrypoint, or none", FACT_ENTRYPOINT, always, DENY_PLAIN},
    {"command-changed", "has another command, or none", FACT_COMMAND, always, DENY_PLAIN},
    {"platform-changed", "is for another platform", FACT_PLATFORM, always, DENY_PLAIN},
    {"workdir-changed", "has another working directory", FACT_WORKDIR, always, DENY_PLAIN},
    {"port-added", "exposes one more port", FACT_PORT, added, DENY_PLAIN},
    {"port-removed", "no longer exposes a port", FACT_PORT, removed, DENY_PLAIN},
    {"volume-added", "declares one more volume", FACT_VOLUME, added, DENY_PLAIN},
    {"volume-removed", "no longer declares a volume", FACT_VOLUME, removed, DENY_PLAIN},
    {"healthcheck-removed", "has no health check any more", FACT_HEALTH_CHECK, removed, DENY_PLAIN},
    {"healthcheck-changed", "has another health check, or none", FACT_HEALTH_CHECK, always,
     DENY_PLAIN},
    {"stop-signal-changed", "is stopped by another signal", FACT_STOP_SIGNAL, always, DENY_PLAIN},
    {"variable-removed", "no longer sets a variable", FACT_VARIABLE, removed, DENY_PLAIN},
    {"package-added", "has one more package", FACT_PACKAGE, added, DENY_PLAIN},
    {"package-removed", "lacks a package", FACT_PACKAGE, removed, DENY_PLAIN},
    {"size-grows", "is larger by more than this", FACT_SIZE, grows, DENY_PERCENT},
    {"label-missing", "lacks this label", FACT_LABEL, label_gone, DENY_NAME},
};

#define GATES (sizeof gates / sizeof *gates)

const char *const *deny_names(void) {
    static const char *names[GATES + 1];
    for (size_t i = 0; i < GATES; i++)
        names[i] = gates[i].name;
    return names;
}

const char *deny_name(size_t n, const char **help, enum deny_argument *argument) {
    if (n >= GATES)
        return NULL;
    *help = gates[n].help;
    *argument = gates[n].argument;
    return gates[n].name;
}

/* ---- making ---- */

/* "20%" */
static bool read_percent(const char *words, int64_t *out) {
    size_t digits = strspn(words, "0123456789");
    *out = digits > 0 && digits <= 5 ? atoll(words) : 0;
    return digits > 0 && digits <= 5 && strcmp(words + digits, "%") == 0;
}

int deny_make(const char *name, const char *argument, struct deny *deny, struct error *err) {
    *deny = (struct deny){0};
    for (size_t i = 0; i < GATES && deny->gate == NULL; i++)
        if (strcmp(gates[i].name, name) == 0)
            deny->gate = &gates[i];
    if (deny->gate == NULL)
        return error_set(err, ERROR_BUG, "no gate is called %s", name);
    switch (deny->gate->argument) {
    case DENY_PLAIN:
        return argument == NULL ? 0
                                : error_set(err, ERROR_CONFIG,
                                            "%s takes no value: write it alone in the list", name);
    case DENY_PERCENT:
        return argument != NULL && read_percent(argument, &deny->percent)
                   ? 0
                   : error_set(err, ERROR_CONFIG, "%s needs a percentage: {%s: 20%%}", name, name);
    case DENY_NAME:
        break;
    }
    if (argument == NULL || argument[0] == '\0')
        return error_set(err, ERROR_CONFIG,
                         "%s needs the label's name: {%s: org.opencontainers.image.version}", name,
                         name);
    deny->name = string_dup(argument, err);
    return deny->name != NULL ? 0 : -1;
}

bool deny_needs_packages(const struct deny_list *list) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].gate->kind == FACT_PACKAGE)
            return true;
    return false;
}

/* ---- asking ---- */

static void begin_gate(const struct deny *deny, struct text *out) {
    text_printf(out, "%s%s: ", out->length > 0 ? "; " : "", deny->gate->name);
}

static void ask_changes(const struct deny *deny, struct changes *changes, struct text *denied) {
    size_t count = 0;
    for (size_t i = 0; i < changes->count; i++) {
        struct change *change = &changes->items[i];
        if (change->kind != deny->gate->kind || !deny->gate->denies(deny, changes, change))
            continue;
        change->denied = true;
        if (count == 0)
            begin_gate(deny, denied);
        else if (count < NAMED_LIMIT)
            text_add(denied, ", ");
        if (count < NAMED_LIMIT)
            change_words(change, " → ", denied);
        count++;
    }
    if (count > NAMED_LIMIT)
        text_printf(denied, " and %zu more", count - NAMED_LIMIT);
}

static void cannot_ask(const struct deny *deny, const char *what, const char *why,
                       struct text *unknown) {
    begin_gate(deny, unknown);
    text_printf(unknown, "%s could not be read: %s", what, why);
}

static void ask(const struct deny *deny, const struct image_facts *after, struct changes *changes,
                const char *packages_reason, struct deny_answer *answer) {
    enum fact_kind kind = deny->gate->kind;
    if (kind == FACT_PACKAGE && !changes->packages_known) {
        if (packages_reason != NULL)
            cannot_ask(deny, "the packages", packages_reason, &answer->unknown);
        return;
    }
    if (kind == FACT_SIZE &&
        (changes->size_before == IMAGE_SIZE_UNKNOWN || changes->size_after == IMAGE_SIZE_UNKNOWN)) {
        cannot_ask(deny, "the sizes", "nobody tells them", &answer->unknown);
        return;
    }
    size_t before = answer->denied.length;
    ask_changes(deny, changes, &answer->denied);
    if (kind == FACT_LABEL && answer->denied.length == before &&
        image_facts_find(after, FACT_LABEL, deny->name) == NULL) {
        begin_gate(deny, &answer->denied);
        text_printf(&answer->denied, "label %s is not there", deny->name);
    }
}

int deny_check(const struct deny_list *list, const struct image_facts *after,
               struct changes *changes, const char *packages_reason, struct deny_answer *answer,
               struct error *err) {
    for (size_t i = 0; i < list->count; i++)
        ask(&list->items[i], after, changes, packages_reason, answer);
    return text_check(&answer->denied, err) < 0 ? -1 : text_check(&answer->unknown, err);
}

void deny_answer_clear(struct deny_answer *answer) {
    text_clear(&answer->denied);
    text_clear(&answer->unknown);
}

void deny_list_clear(struct deny_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    *list = (struct deny_list){0};
}
