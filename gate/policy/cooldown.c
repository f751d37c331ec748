#include "gate/policy/cooldown.h"

#include <string.h>

struct history {
    const struct sighting *lines; /* oldest first */
    size_t count;
};

/* When the registry gave that digest for the tag first. What we see for the first time now, we see now. */
static int64_t first_seen(const struct history *history, const char *digest, int64_t now_ms) {
    for (size_t i = 0; i < history->count; i++) {
        const struct sighting *line = &history->lines[i];
        if (line->time_ms > now_ms)
            break;
        if (!line->pinned && strcmp(line->digest, digest) == 0)
            return line->time_ms;
    }
    return now_ms;
}

/* An older line of a digest that has been thought of already. */
static bool comes_again(const struct history *history, size_t at, const char *digest,
                        int64_t now_ms) {
    for (size_t i = at + 1; i < history->count && history->lines[i].time_ms <= now_ms; i++)
        if (!history->lines[i].pinned && strcmp(history->lines[i].digest, digest) == 0)
            return true;
    return false;
}

static void consider(const struct cooldown_case *c, const struct history *history,
                     const char *digest, struct cooldown_answer *out) {
    int64_t first_ms = first_seen(history, digest, c->now_ms);
    if (c->now_ms - first_ms >= c->cooldown_ms) {
        if (out->count < COOLDOWN_CHOICES)
            out->choices[out->count++] = digest;
        return;
    }
    int64_t ends_ms = first_ms + c->cooldown_ms;
    if (out->ends_ms == 0 || ends_ms < out->ends_ms) {
        out->young = digest;
        out->young_first_ms = first_ms;
        out->ends_ms = ends_ms;
    }
}

void cooldown_choose(const struct cooldown_case *c, struct cooldown_answer *out) {
    *out = (struct cooldown_answer){0};
    struct history history = {0};
    if (c->known != NULL)
        history.lines = sightings_of(c->known, c->image, c->tag, &history.count);
    if (c->pinned != NULL && strcmp(c->seen, c->pinned) == 0)
        return;
    consider(c, &history, c->seen, out);
    /* The pin ends the search also where its line lies in the future: it stands in the files now. */
    for (size_t i = history.count; i > 0; i--) {
        const struct sighting *line = &history.lines[i - 1];
        if (c->pinned != NULL && strcmp(line->digest, c->pinned) == 0)
            return;
        if (!line->pinned && line->time_ms <= c->now_ms && strcmp(line->digest, c->seen) != 0 &&
            !comes_again(&history, i - 1, line->digest, c->now_ms))
            consider(c, &history, line->digest, out);
    }
}
