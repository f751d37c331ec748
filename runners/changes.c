#include "runners/changes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_LIMIT 3u /* of changes of one kind in one line */

bool change_is_added(const struct change *change) {
    return change->before == NULL;
}

bool change_is_removed(const struct change *change) {
    return change->after == NULL;
}

/* ---- what is shown ---- */

/* The word stands in the name by itself: "API_KEY", "db-password", not "MONKEY". */
static bool has_word(const char *name, const char *word) {
    size_t length = strlen(word);
    for (const char *at = name; (at = strcasestr(at, word)) != NULL; at++)
        if ((at == name || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]))
            return true;
    return false;
}

static bool has_secret_name(const char *name) {
    /* parts of longer words, too: DBPASSWORD, ACCESSTOKEN */
    static const char *const parts[] = {"password",   "passwd", "passphrase", "secret",   "token",
                                        "credential", "apikey", "privatekey", "accesskey"};
    static const char *const words[] = {"pass", "pwd", "key", "auth"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(name, parts[i]) != NULL)
            return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(name, words[i]))
            return true;
    return false;
}

/* "scheme://user:password@host" somewhere in it. */
static bool has_password_in_address(const char *value) {
    for (const char *at = value; (at = strstr(at, "://")) != NULL; at += 3) {
        size_t host = strcspn(at + 3, "/ \t\n\"'");
        const char *end = memchr(at + 3, '@', host);
        if (end != NULL && memchr(at + 3, ':', (size_t)(end - (at + 3))) != NULL)
            return true;
    }
    return false;
}

static bool has_token(const char *value) {
    static const char *const marks[] = {
        "PRIVATE KEY-----", "ghp_",    "gho_", "ghs_",  "github_pat_",
        "glpat-",           "AKIA",    "ASIA", "xoxb-", "xoxp-",
        "sk_live_",         "eyJhbGci"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(value, marks[i]) != NULL)
            return true;
    return false;
}

bool change_is_secret(const char *name, const char *value) {
    return (value[0] != '\0' && has_secret_name(name)) || has_password_in_address(value) ||
           has_token(value);
}

static bool label_is_shown(const char *name) {
    static const char *const shown[] = {
        "org.opencontainers.image.version", "org.opencontainers.image.revision",
        "org.opencontainers.image.source",  "org.opencontainers.image.created",
        "org.label-schema.version",         "org.label-schema.vcs-ref",
        "org.label-schema.vcs-url",         "org.label-schema.build-date",
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(name, shown[i]) == 0)
            return true;
    return false;
}

/* Cut between two characters. */
static char *shown_text(const char *text, struct error *err) {
    size_t length = strlen(text);
    if (length <= CHANGE_VALUE_LIMIT)
        return string_dup(text, err);
    for (length = CHANGE_VALUE_LIMIT; length > 0 && (text[length] & 0xc0) == 0x80;)
        length--;
    return string_format(err, "%.*s…", (int)length, text);
}

static char *shown_value(const struct fact *fact, struct error *err) {
    bool hidden = fact->kind == FACT_LABEL && !label_is_shown(fact->name);
    if (hidden || change_is_secret(fact->name, fact->value))
        return string_dup(fact->value[0] != '\0' ? CHANGE_HIDDEN : "", err);
    return shown_text(fact->value, err);
}

/* ---- comparing ---- */

/* One of the two may be NULL. */
static int add_change(struct changes *changes, const struct fact *before, const struct fact *after,
                      struct error *err) {
    const struct fact *any = before != NULL ? before : after;
    struct change *change = any != NULL ? array_add(changes, err) : NULL;
    if (change == NULL)
        return any != NULL ? -1 : error_set(err, ERROR_BUG, "a change of nothing to nothing");
    change->kind = any->kind;
    if ((change->name = shown_text(any->name, err)) == NULL ||
        (before != NULL && (change->before = shown_value(before, err)) == NULL) ||
        (after != NULL && (change->after = shown_value(after, err)) == NULL))
        return -1;
    return 0;
}

static int order_of(const struct fact *one, const struct fact *other) {
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int compare_facts(const struct fact_list *before, const struct fact_list *after,
                         struct changes *changes, struct error *err) {
    size_t b = 0;
    size_t a = 0;
    while (b < before->count || a < after->count) {
        int order = b == before->count  ? 1
                    : a == after->count ? -1
                                        : order_of(&before->items[b], &after->items[a]);
        enum fact_kind kind = order <= 0 ? before->items[b].kind : after->items[a].kind;
        const struct fact *old = order <= 0 ? &before->items[b++] : NULL;
        const struct fact *new = order >= 0 ? &after->items[a++] : NULL;
        if (kind == FACT_PACKAGE && !changes->packages_known)
            continue;
        if ((old == NULL || new == NULL || strcmp(old->value, new->value) != 0) &&
            add_change(changes, old, new, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_sizes(struct changes *changes, struct error *err) {
    char before[32];
    char after[32];
    if (changes->size_before == IMAGE_SIZE_UNKNOWN || changes->size_after == IMAGE_SIZE_UNKNOWN ||
        changes->size_before == changes->size_after)
        return 0;
    bytes_words(changes->size_before, before, sizeof before);
    bytes_words(changes->size_after, after, sizeof after);
    struct fact old = {.kind = FACT_SIZE, .name = (char *)"", .value = before};
    struct fact new = {.kind = FACT_SIZE, .name = (char *)"", .value = after};
    return add_change(changes, &old, &new, err);
}

static int by_importance(const void *a, const void *b) {
    const struct change *one = a;
    const struct change *other = b;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    return strcmp(one->name, other->name);
}

int changes_compare(const struct image_facts *before, const struct image_facts *after,
                    struct changes *changes, struct error *err) {
    changes->packages_known =
        before->packages == PACKAGES_KNOWN && after->packages == PACKAGES_KNOWN;
    changes->size_before = before->size_bytes;
    changes->size_after = after->size_bytes;
    changes->layers = after->layers.count;
    while (changes->layers_shared < before->layers.count &&
           changes->layers_shared < after->layers.count &&
           strcmp(before->layers.items[changes->layers_shared],
                  after->layers.items[changes->layers_shared]) == 0)
        changes->layers_shared++;
    if (compare_facts(&before->list, &after->list, changes, err) < 0 ||
        compare_sizes(changes, err) < 0)
        return -1;
    if (changes->count > 0)
        qsort(changes->items, changes->count, sizeof *changes->items, by_importance);
    return 0;
}

/* ---- words ---- */

void change_words(const struct change *change, const char *arrow, struct text *out) {
    if (change->kind != FACT_PACKAGE || change->before == NULL || change->after == NULL)
        text_add(out, fact_kind_name(change->kind));
    if (change->name[0] != '\0')
        text_printf(out, "%s%s",
                    change->kind != FACT_PACKAGE || change->before == NULL || change->after == NULL
                        ? " "
                        : "",
                    change->name);
    if (change->before == NULL)
        text_printf(out, " is new%s%s", change->after[0] != '\0' ? ": " : "", change->after);
    else if (change->after == NULL)
        text_add(out, " is gone");
    else if (strcmp(change->before, change->after) == 0)
        text_add(out, " changed"); /* where it is not shown */
    else
        text_printf(out, " %s%s%s", change->before, arrow, change->after);
}

static void separate(struct text *out) {
    if (out->length > 0)
        text_add(out, ", ");
}

static void count_words(size_t count, enum fact_kind kind, const char *what, struct text *out) {
    if (count == 0)
        return;
    separate(out);
    text_printf(out, "%zu %s%s %s", count, fact_kind_name(kind), count == 1 ? "" : "s", what);
}

/* Those of one kind from `first` on: named while they are few. */
static void kind_words(const struct changes *changes, size_t first, size_t end, const char *arrow,
                       struct text *out) {
    enum fact_kind kind = changes->items[first].kind;
    size_t added = 0;
    size_t removed = 0;
    size_t named = 0;
    size_t changed = 0;
    for (size_t i = first; i < end; i++) {
        const struct change *change = &changes->items[i];
        if ((end - first > NAMED_LIMIT || kind == FACT_PACKAGE) &&
            (change_is_added(change) || change_is_removed(change))) {
            added += change_is_added(change) ? 1 : 0;
            removed += change_is_removed(change) ? 1 : 0;
        } else if (named == NAMED_LIMIT) {
            changed++;
        } else {
            named++;
            separate(out);
            change_words(change, arrow, out);
        }
    }
    count_words(changed, kind, named > 0 ? "more changed" : "changed", out);
    count_words(added, kind, "added", out);
    count_words(removed, kind, "removed", out);
}

static void size_words(const struct changes *changes, struct text *out) {
    char words[32];
    int64_t more = changes->size_after - changes->size_before;
    bytes_words(more > 0 ? more : -more, words, sizeof words);
    separate(out);
    text_printf(out, "%s %s", words, more > 0 ? "larger" : "smaller");
}

/* Their values are often long; that they changed is what matters in one line. */
static bool is_long(enum fact_kind kind) {
    return kind == FACT_ENTRYPOINT || kind == FACT_COMMAND || kind == FACT_HEALTH_CHECK ||
           kind == FACT_SHELL;
}

void changes_words(const struct changes *changes, const char *arrow, struct text *out) {
    for (size_t first = 0, end; first < changes->count; first = end) {
        const struct change *change = &changes->items[first];
        for (end = first + 1; end < changes->count && changes->items[end].kind == change->kind;)
            end++;
        if (change->kind == FACT_LABEL || change->kind == FACT_CREATED)
            continue;
        if (change->kind == FACT_SIZE) {
            size_words(changes, out);
        } else if (is_long(change->kind)) {
            separate(out);
            text_printf(out, "%s %s", fact_kind_name(change->kind),
                        change_is_added(change)     ? "is new"
                        : change_is_removed(change) ? "is gone"
                                                    : "changed");
        } else {
            kind_words(changes, first, end, arrow, out);
        }
    }
}

void changes_clear(struct changes *changes) {
    for (size_t i = 0; i < changes->count; i++) {
        free(changes->items[i].name);
        free(changes->items[i].before);
        free(changes->items[i].after);
    }
    free(changes->items);
    *changes = (struct changes){0};
}
