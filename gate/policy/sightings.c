#include "gate/policy/sightings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/base/array.h"
#include "gate/base/clock.h"
#include "gate/base/json_read.h"
#include "gate/digest.h"
#include "gate/reference.h"

#define VERSION    1
#define LINE_LIMIT 4096u /* bytes; an image's name has 255 at most, a tag 128 */

int sightings_add(struct sighting_list *list, const char *image, const char *tag,
                  const char *digest, int64_t time_ms, bool pinned, struct error *err) {
    struct sighting sighting = {.image = arena_string(&list->arena, image, strlen(image), err),
                                .tag = arena_string(&list->arena, tag, strlen(tag), err),
                                .digest = arena_string(&list->arena, digest, strlen(digest), err),
                                .time_ms = time_ms,
                                .pinned = pinned};
    if (sighting.image == NULL || sighting.tag == NULL || sighting.digest == NULL)
        return -1;
    struct sighting *added = array_add(list, err);
    if (added == NULL)
        return -1;
    *added = sighting;
    return 0;
}

void sightings_clear(struct sighting_list *list) {
    free(list->items);
    arena_clear(&list->arena);
    *list = (struct sighting_list){0};
}

/* ---- reading ---- */

/* Exactly what clock_rfc3339 writes. */
static bool read_time(const char *words, int64_t *out_ms) {
    struct tm parts = {0};
    const char *end = strptime(words, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == NULL || *end != '\0')
        return false;
    char again[CLOCK_RFC3339_SIZE];
    *out_ms = (int64_t)timegm(&parts) * 1000;
    clock_rfc3339(*out_ms, again);
    return *out_ms >= 0 && strcmp(again, words) == 0;
}

static bool is_name(const char *image, const char *tag, struct error *err) {
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *text = reference_text(image, tag, NULL, err);
    struct reference reference = {0};
    bool good = text != NULL && reference_parse(text, &reference, &why) == 0 &&
                string_equal(reference.image, image) && string_equal(reference.tag, tag);
    reference_clear(&reference);
    if (why.kind == ERROR_NO_MEMORY)
        error_move(err, &why);
    return good;
}

/* What is wrong with the line, or NULL when it was added; *err is set when memory ended. */
static const char *add_line(struct sighting_list *list, const json_t *json, struct error *err) {
    const char *image = json_string_value(json_object_get(json, "image"));
    const char *tag = json_string_value(json_object_get(json, "tag"));
    const char *digest = json_string_value(json_object_get(json, "digest"));
    const char *when = json_string_value(json_object_get(json, "time"));
    const json_t *pinned = json_object_get(json, "pinned");
    int64_t time_ms;
    if (image == NULL || tag == NULL || digest == NULL || when == NULL)
        return "lacks image, tag, digest or time";
    if (pinned != NULL && !json_is_boolean(pinned))
        return "\"pinned\" is neither true nor false";
    if (!read_time(when, &time_ms))
        return "\"time\" is no time such as 2026-11-24T00:05:20Z";
    if (!digest_valid(digest))
        return "\"digest\" is none";
    if (!is_name(image, tag, err))
        return "\"image\" and \"tag\" are no name of an image";
    return sightings_add(list, image, tag, digest, time_ms, json_is_true(pinned), err) < 0 ? ""
                                                                                           : NULL;
}

/* The first line. err: input for a newer version. */
static const char *check_head(const json_t *json, struct error *err) {
    const char *what = json_string_value(json_object_get(json, "pingate"));
    const json_t *version = json_object_get(json, "version");
    if (what == NULL || strcmp(what, "sightings") != 0 || !json_is_integer(version))
        return "does not begin as a file of sightings does";
    if (json_integer_value(version) == VERSION)
        return NULL;
    error_set(err, ERROR_INPUT,
              "the sightings are of version %lld, and this pingate knows version %d: use a newer "
              "pingate, or give this one a state of its own",
              (long long)json_integer_value(version), VERSION);
    return "";
}

static const char *read_line(struct sighting_list *list, const char *line, size_t length, bool head,
                             struct error *err) {
    if (length > LINE_LIMIT)
        return "is too long";
    json_t *json = NULL;
    if (json_read(line, length, JSON_REJECT_DUPLICATES, &json, NULL, err) < 0)
        return "";
    const char *wrong = !json_is_object(json) ? "is no JSON object"
                        : head                ? check_head(json, err)
                                              : add_line(list, json, err);
    json_decref(json);
    return wrong;
}

int sightings_parse(const char *bytes, size_t length, struct sighting_list *list, char **damage,
                    struct error *err) {
    size_t bad = 0;
    size_t number = 0;
    const char *end = bytes + length;
    _cleanup_(free_pointer) char *first = NULL;
    if (length == 0 && (first = string_dup("it is empty", err)) == NULL)
        return -1;
    for (const char *line = bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        number++;
        const char *wrong = stop == NULL
                                ? "ends in its middle"
                                : read_line(list, line, (size_t)(stop - line), number == 1, err);
        if (err->kind != ERROR_NONE)
            return -1;
        bad += wrong != NULL ? 1 : 0;
        if (wrong != NULL && first == NULL &&
            (first = string_format(err, "line %zu %s", number, wrong)) == NULL)
            return -1;
        line = stop != NULL ? stop + 1 : end;
    }
    *damage = bad > 1 ? string_format(err, "%s, and %zu more", first, bad - 1) : steal(first);
    return bad > 1 && *damage == NULL ? -1 : 0;
}

/* ---- order ---- */

static int compare_tags(const struct sighting *a, const struct sighting *b) {
    int order = strcmp(a->image, b->image);
    return order != 0 ? order : strcmp(a->tag, b->tag);
}

/* A pin goes before what was seen at the same time: the tag was looked up after the file was read. */
static int compare(const void *left, const void *right) {
    const struct sighting *a = left;
    const struct sighting *b = right;
    int order = compare_tags(a, b);
    if (order == 0)
        order = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
    if (order == 0)
        order = b->pinned - a->pinned;
    return order != 0 ? order : strcmp(a->digest, b->digest);
}

void sightings_sort(struct sighting_list *list) {
    if (list->count < 2)
        return;
    qsort(list->items, list->count, sizeof *list->items, compare);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++)
        if (compare(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

const struct sighting *sightings_of(const struct sighting_list *list, const char *image,
                                    const char *tag, size_t *count) {
    struct sighting wanted = {.image = image, .tag = tag};
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_tags(&list->items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < list->count && compare_tags(&list->items[end], &wanted) == 0)
        end++;
    *count = end - low;
    return end > low ? &list->items[low] : NULL;
}

/* ---- recording ---- */

/* The newest time that a clock which is a little off may have written. */
static int64_t time_to_write(const struct sighting_list *known, int64_t now_ms) {
    int64_t newest = now_ms;
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].time_ms > newest &&
            known->items[i].time_ms - now_ms <= SIGHTINGS_JUMP_MS)
            newest = known->items[i].time_ms;
    return newest;
}

/* Whether the history says it already. A pin: anywhere in it. What was seen: as its newest line from the registry. */
static bool is_known(const struct sighting *history, size_t count, const struct sighting *seen,
                     int64_t latest) {
    for (size_t i = count; i > 0; i--) {
        const struct sighting *line = &history[i - 1];
        if (line->time_ms > latest || (line->pinned && !seen->pinned))
            continue;
        if (strcmp(line->digest, seen->digest) == 0)
            return true;
        if (!seen->pinned)
            return false;
    }
    return false;
}

/* A pin that the tag still has needs no line of its own. */
static bool is_seen_too(const struct sighting_list *seen, const struct sighting *pin) {
    size_t count = 0;
    const struct sighting *lines = sightings_of(seen, pin->image, pin->tag, &count);
    for (size_t i = 0; lines != NULL && i < count; i++)
        if (!lines[i].pinned && strcmp(lines[i].digest, pin->digest) == 0)
            return true;
    return false;
}

int sightings_record(struct sighting_list *known, const struct sighting_list *seen, int64_t now_ms,
                     bool *changed, struct error *err) {
    _cleanup_(sightings_clear) struct sighting_list added = {0};
    int64_t when = time_to_write(known, now_ms) / 1000 * 1000;
    for (size_t i = 0; i < seen->count; i++) {
        const struct sighting *one = &seen->items[i];
        size_t count;
        const struct sighting *history = sightings_of(known, one->image, one->tag, &count);
        if (!is_known(history, count, one, when) && !(one->pinned && is_seen_too(seen, one)) &&
            sightings_add(&added, one->image, one->tag, one->digest, when, one->pinned, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < added.count; i++) {
        const struct sighting *one = &added.items[i];
        if (sightings_add(known, one->image, one->tag, one->digest, one->time_ms, one->pinned,
                          err) < 0)
            return -1;
    }
    *changed = added.count > 0;
    sightings_sort(known);
    return 0;
}

/* ---- compaction ---- */

static int newest_first(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a < b) - (a > b);
}

/* What is older than this goes, so that no more than SIGHTINGS_LIMIT stay. */
static int find_oldest(const struct sighting_list *known, int64_t now_ms, int64_t *oldest,
                       struct error *err) {
    *oldest = now_ms - SIGHTINGS_KEEP_MS;
    if (known->count <= SIGHTINGS_LIMIT)
        return 0;
    _cleanup_(free_pointer) int64_t *times = calloc(known->count, sizeof *times);
    if (times == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < known->count; i++)
        times[i] = known->items[i].time_ms;
    qsort(times, known->count, sizeof *times, newest_first);
    if (times[SIGHTINGS_LIMIT] + 1 > *oldest)
        *oldest = times[SIGHTINGS_LIMIT] + 1;
    return 0;
}

int sightings_compact(struct sighting_list *known, const struct sighting_list *seen, int64_t now_ms,
                      size_t *dropped, size_t *future, struct error *err) {
    int64_t oldest;
    if (find_oldest(known, now_ms, &oldest, err) < 0)
        return -1;
    size_t kept = 0;
    *future = 0;
    const size_t before = known->count;
    for (size_t start = 0, end; start < before; start = end) {
        end = start + 1;
        while (end < before && compare_tags(&known->items[start], &known->items[end]) == 0)
            end++;
        size_t ignored;
        const struct sighting *first = &known->items[start];
        bool in_use = sightings_of(seen, first->image, first->tag, &ignored) != NULL;
        for (size_t i = start; i < end; i++) {
            struct sighting line = known->items[i];
            bool ahead = line.time_ms - now_ms > SIGHTINGS_JUMP_MS;
            *future += ahead;
            if (!ahead && end - i <= SIGHTINGS_TAG_LIMIT &&
                (line.time_ms >= oldest || (in_use && i + 1 == end)))
                known->items[kept++] = line;
        }
    }
    known->count = kept;
    *dropped = before - kept;
    return 0;
}

/* ---- writing ---- */

int sightings_format(const struct sighting_list *list, struct text *out, struct error *err) {
    text_printf(out, "{\"pingate\":\"sightings\",\"version\":%d}\n", VERSION);
    for (size_t i = 0; i < list->count; i++) {
        const struct sighting *line = &list->items[i];
        char when[CLOCK_RFC3339_SIZE];
        clock_rfc3339(line->time_ms, when);
        /* Names, digests and times need no escapes: they were checked when they came in. */
        text_printf(out, "{\"digest\":\"%s\",\"image\":\"%s\",%s\"tag\":\"%s\",\"time\":\"%s\"}\n",
                    line->digest, line->image, line->pinned ? "\"pinned\":true," : "", line->tag,
                    when);
    }
    return text_check(out, err);
}
