#include "gate/base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

void *array_add_item(void **items, size_t *count, size_t *capacity, size_t item_size,
                     struct error *err) {
    if (*count == *capacity) {
        size_t grown = *capacity != 0 ? *capacity * 2 : 8;
        void *moved = grown <= SIZE_MAX / item_size ? realloc(*items, grown * item_size) : NULL;
        if (moved == NULL) {
            error_no_memory(err);
            return NULL;
        }
        *items = moved;
        *capacity = grown;
    }
    void *item = (char *)*items + *count * item_size;
    memset(item, 0, item_size);
    (*count)++;
    return item;
}

int string_list_add(struct string_list *list, const char *string, struct error *err) {
    char *copy = string_dup(string, err);
    if (copy == NULL)
        return -1;
    char **item = array_add(list, err);
    if (item == NULL) {
        free(copy);
        return -1;
    }
    *item = copy;
    return 0;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void string_list_sort(struct string_list *list) {
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_strings);
}

bool string_list_has(const struct string_list *list, const char *string) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], string) == 0)
            return true;
    return false;
}

bool string_list_has_sorted(const struct string_list *list, const char *string) {
    return list->count > 0 &&
           bsearch(&string, list->items, list->count, sizeof *list->items, compare_strings) != NULL;
}

void string_list_clear(struct string_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}
