#include "gate/policy/sightings.h"

#include <string.h>

#include "gate/policy/cooldown.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS 1795737600000LL /* 2026-11-27T00:00:00Z */

/* What was read is written in one form, which is read again whole; and no answer of the cooldown is younger than it may be. */
FUZZ_TARGET(sightings) {
    struct sighting_list list = {0}, again = {0};
    struct error err = {0};
    struct text out = {0}, twice = {0};
    char *damage = NULL, *more = NULL;
    size_t dropped, future;
    if (sightings_parse((const char *)bytes, size, &list, &damage, &err) < 0) {
        fuzz_require(err.kind == ERROR_INPUT);
    } else {
        sightings_sort(&list);
        fuzz_require(sightings_format(&list, &out, &err) == 0);
        fuzz_require(sightings_parse(text_string(&out), out.length, &again, &more, &err) == 0);
        fuzz_require(more == NULL && again.count == list.count);
        fuzz_require(sightings_format(&again, &twice, &err) == 0);
        fuzz_require(strcmp(text_string(&out), text_string(&twice)) == 0);
        for (size_t i = 0; i < list.count; i++) {
            const struct sighting *line = &list.items[i];
            struct cooldown_case c = {.known = &list,
                                      .image = line->image,
                                      .tag = line->tag,
                                      .seen = line->digest,
                                      .pinned = list.items[0].digest,
                                      .cooldown_ms = 86400000,
                                      .now_ms = NOW_MS};
            struct cooldown_answer answer;
            cooldown_choose(&c, &answer);
            fuzz_require(answer.ends_ms == 0 || answer.ends_ms > NOW_MS);
            for (size_t n = 0; n < answer.count; n++)
                fuzz_require(strcmp(answer.choices[n], c.pinned) != 0);
        }
        fuzz_require(sightings_compact(&again, &list, NOW_MS, &dropped, &future, &err) == 0);
        fuzz_require(again.count + dropped == list.count && future <= dropped);
    }
    free(damage);
    free(more);
    text_clear(&out);
    text_clear(&twice);
    sightings_clear(&list);
    sightings_clear(&again);
    error_clear(&err);
}
