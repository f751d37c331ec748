/* sightings: which digest a tag had when we looked, and since when; what a cooldown counts from.
 *
 * One file of lines, the state's (pipelines/state.h); pure functions over its bytes:
 *
 *     {"pingate":"sightings","version":1}
 *     {"digest":"sha256:…","image":"docker.io/library/redis","tag":"7.2","time":"2026-11-24T00:05:20Z"}
 *     {"digest":"sha256:…","image":"docker.io/library/redis","pinned":true,"tag":"7.2","time":"2026-11-24T00:05:20Z"}
 *
 * A line says that the tag had that digest at that time, and another one, or none that we know of, when we had looked before.
 * So the lines of a tag are its history; the time of the first one with a digest is when we saw that digest first. A line with
 * "pinned" says that a file of the project held the digest: it tells where the history stands against the pin, and nothing
 * else. A change of the files may not age a digest, nor make one a candidate.
 *
 * Lines have no order of their own: two files are merged by taking the lines of both. They are written sorted.
 *
 * Clocks jump, and one that is wrong for one run must not shorten a cooldown. A sighting from the future counts as not made,
 * so its digest is seen first when it is seen next. A sighting gets the time of the newest one in the file where that lies
 * ahead by less than SIGHTINGS_JUMP_MS, so that a clock that was set back makes nothing older. What lies further ahead is
 * dropped, and that is said: only a wrong clock can have written it.
 *
 * Compaction, at each write: dropped is what is older than SIGHTINGS_KEEP_MS, but for the newest line of a tag that was
 * just seen; of one tag, what is beyond its newest SIGHTINGS_TAG_LIMIT lines; of all, the oldest beyond SIGHTINGS_LIMIT. A digest
 * that is dropped and comes back counts as new: a cooldown gets longer by it, never shorter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gate/base/arena.h"
#include "gate/base/text.h"

#define SIGHTINGS_LIMIT      100000u /* lines; 500 images with 200 changes each */
#define SIGHTINGS_TAG_LIMIT  400u    /* lines of one tag; rebuilt each night, more than a year */
#define SIGHTINGS_FILE_LIMIT (64u << 20) /* bytes; far more than SIGHTINGS_LIMIT usual lines */
#define SIGHTINGS_KEEP_MS    (400LL * 24 * 3600 * 1000)
#define SIGHTINGS_JUMP_MS    (7LL * 24 * 3600 * 1000)
/* with a clock that is further off, TLS fails, and nothing can be seen at all */

struct sighting {
    const char *image;  /* "docker.io/library/redis"; lent from the list's arena, as all three */
    const char *tag;    /* "7.2" */
    const char *digest; /* "sha256:…" */
    int64_t time_ms;    /* since 1970; whole seconds once it was written */
    bool pinned;        /* seen in a file of the project, not in the registry */
};

struct sighting_list {
    struct sighting *items;
    size_t count;
    size_t capacity;
    struct arena arena;
};

/* Copies the strings. err: no-memory */
int sightings_add(struct sighting_list *list, const char *image, const char *tag,
                  const char *digest, int64_t time_ms, bool pinned, struct error *err) _must_check_;

/* Adds the lines of a file.
 *   out  damage  NULL when the file is whole; else what is wrong with it, for people: "line 3: …". The lines that could be read
 *                are added all the same: losing one more sighting only makes a cooldown longer. Heap
 *   err  input  a newer pingate wrote it, so that it must be left as it is;  no-memory */
int sightings_parse(const char *bytes, size_t length, struct sighting_list *list, char **damage,
                    struct error *err) _must_check_;

/* By image, tag, time; equal ones fall together. */
void sightings_sort(struct sighting_list *list);

/* Adds of `seen` (whose times are not looked at) what `known` does not say yet, as seen at now_ms.
 *   in    known, seen  sorted
 *   out   changed  whether anything was added */
int sightings_record(struct sighting_list *known, const struct sighting_list *seen, int64_t now_ms,
                     bool *changed, struct error *err) _must_check_;

/* See above. in  known, seen  sorted; `seen` just now.
 *   out  dropped  how many lines;  future  how many of them since they lay too far ahead */
int sightings_compact(struct sighting_list *known, const struct sighting_list *seen, int64_t now_ms,
                      size_t *dropped, size_t *future, struct error *err) _must_check_;

/* The file. in  list  sorted */
int sightings_format(const struct sighting_list *list, struct text *out,
                     struct error *err) _must_check_;

/* The lines of one tag, oldest first. in  list  sorted;  out  count */
const struct sighting *sightings_of(const struct sighting_list *list, const char *image,
                                    const char *tag, size_t *count);

void sightings_clear(struct sighting_list *list);
