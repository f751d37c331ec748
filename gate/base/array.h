/* array: lists of plain structs.
 *
 *     struct pin_list { struct pin *items; size_t count, capacity; };
 *     struct pin *pin = array_add(&pins, err);     zeroed; NULL with *err set when there is no memory
 *
 * Any struct with these three members is a list. Adding moves the items: keep indexes, not pointers, while it grows.
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

#define array_add(list, err)                                                                       \
    ((__typeof__((list)->items))array_add_item((void **)&(list)->items, &(list)->count,            \
                                               &(list)->capacity, sizeof *(list)->items, (err)))

void *array_add_item(void **items, size_t *count, size_t *capacity, size_t item_size,
                     struct error *err) _must_check_;

/* A list of owned strings. */
struct string_list {
    char **items;
    size_t count;
    size_t capacity;
};

/* copies */
int string_list_add(struct string_list *list, const char *string, struct error *err) _must_check_;
void string_list_sort(struct string_list *list); /* by bytes */
bool string_list_has(const struct string_list *list, const char *string);
/* The same of a list that is sorted by bytes, without looking at each. */
bool string_list_has_sorted(const struct string_list *list, const char *string);
void string_list_clear(struct string_list *list);
