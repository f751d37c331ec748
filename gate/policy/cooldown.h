/* cooldown: what may follow a pin when only that counts which we have known for some time. Pure: sightings and a clock go in.
 *
 * Of a tag, the answer is the newest digest that we saw first longer ago than the cooldown. So an image that is rebuilt each
 * night still moves, a cooldown behind. Newest is what the tag had last, not what we saw first last: a tag that went back to an
 * earlier digest has that one again, and the one it left is behind it.
 *
 *     sightings of redis:7.2          cooldown 3d, day 9         the answer
 *     day 1  A   pinned                                          (the search ends here: nothing behind it may follow)
 *     day 5  B                        4 days                     B
 *     day 8  C   the tag has it now   1 day: ends on day 11
 *
 * The first sighting is ours: what publishers write into their images is not looked at (it could only make a cooldown
 * longer). Sightings from the future count as not made; see sightings.h for clocks that jump. A pin in a file is no sighting
 * of a candidate. Without sightings everything counts as first seen now.
 */
#pragma once

#include "gate/policy/sightings.h"

#define COOLDOWN_CHOICES 8 /* digests of one tag that are worth a question to the registry */

struct cooldown_case {
    const struct sighting_list *known; /* sorted; may be NULL: nothing is known */
    const char *image, *tag;
    const char *seen;   /* the digest that the tag has now */
    const char *pinned; /* digest that stands in the files; nothing behind it may follow */
    int64_t cooldown_ms;
    int64_t now_ms;
};

struct cooldown_answer {
    /* Old enough, newest first; lent from the case. The first that the registry still has is the candidate. */
    const char *choices[COOLDOWN_CHOICES];
    size_t count;
    /* Of those in front of the pin that are not old enough, the one that will be first; ends_ms 0: there is none. */
    const char *young;
    int64_t young_first_ms; /* when it was seen first */
    int64_t ends_ms;        /* when it will be old enough */
};

void cooldown_choose(const struct cooldown_case *c, struct cooldown_answer *out);
