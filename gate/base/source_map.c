#include "gate/base/source_map.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"

#define CHECKPOINT_STEP 1024u /* code points between two known places */

int source_map_init(struct source_map *map, const char *bytes, size_t length, struct error *err) {
    map->bom = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    map->bytes = bytes + map->bom;
    map->length = length - map->bom;
    map->ascii = true;
    for (size_t i = 0; i < map->length && map->ascii; i++)
        map->ascii = (unsigned char)map->bytes[i] < 0x80;
    size_t points = 0;
    for (size_t i = 0; i < map->length && !map->ascii; i++) {
        if (((unsigned char)map->bytes[i] & 0xC0) == 0x80)
            continue;
        if (points++ % CHECKPOINT_STEP != 0)
            continue;
        size_t *checkpoint = array_add(&map->checkpoints, err);
        if (checkpoint == NULL)
            return -1;
        *checkpoint = i;
    }
    for (const char *at = bytes, *end = bytes + length; at != NULL;) {
        size_t *line = array_add(&map->lines, err);
        if (line == NULL)
            return -1;
        *line = (size_t)(at - bytes);
        at = length > 0 ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (at != NULL)
            at++;
    }
    return 0;
}

void source_map_clear(struct source_map *map) {
    free(map->checkpoints.items);
    free(map->lines.items);
}

size_t source_map_byte(const struct source_map *map, size_t point) {
    if (map->ascii)
        return point < map->length ? point : map->length;
    size_t step = point / CHECKPOINT_STEP;
    if (step >= map->checkpoints.count)
        return map->length;
    size_t at = map->checkpoints.items[step];
    for (size_t left = point % CHECKPOINT_STEP; left > 0 && at < map->length; left--)
        do
            at++;
        while (at < map->length && ((unsigned char)map->bytes[at] & 0xC0) == 0x80);
    return at;
}

void source_map_place(const struct source_map *map, size_t offset, size_t *line, size_t *column) {
    size_t low = 0, high = map->lines.count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->lines.items[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    *line = low + 1;
    *column = offset - map->lines.items[low] + 1;
}
