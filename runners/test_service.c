#include "runners/test_service.h"

#include <stdlib.h>

/* NULL without memory, as all that is built of JSON here. */
static json_t *words_of(char *const *words) {
    json_t *list = json_array();
    for (; list != NULL && words != NULL && *words != NULL; words++)
        if (json_array_append_new(list, json_string(*words)) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *sorted(const struct string_list *from, struct error *err) {
    _cleanup_(string_list_clear) struct string_list list = {0};
    json_t *all = json_array();
    for (size_t i = 0; i < from->count; i++)
        if (string_list_add(&list, from->items[i], err) < 0) {
            json_decref(all);
            return NULL;
        }
    string_list_sort(&list);
    for (size_t i = 0; all != NULL && i < list.count; i++)
        if (json_array_append_new(all, json_string(list.items[i])) < 0) {
            json_decref(all);
            all = NULL;
        }
    return all;
}

static json_t *ready_definition(const struct test_service *service) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < service->ready_count; i++) {
        const struct test_ready *ready = &service->ready[i];
        if (json_array_append_new(list,
                                  json_pack("[i, I, I, s?, o]", (int)ready->kind,
                                            (json_int_t)ready->number, (json_int_t)ready->status,
                                            ready->text, words_of(ready->command.argv))) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *service_definition(const struct test_service *service, struct error *err) {
    return json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:s?, s:I, s:I, s:o, s:o, s:I, s:b}",
                     "name", service->name, "image", service->image, "aliases",
                     sorted(&service->aliases, err), "environment",
                     sorted(&service->environment, err), "entrypoint", (int)service->entrypoint,
                     "entrypoint_words", words_of(service->entrypoint_words), "command",
                     words_of(service->command.argv), "health", words_of(service->health.argv),
                     "user", service->user, "memory", (json_int_t)service->memory_bytes, "shm",
                     (json_int_t)service->shm_bytes, "tmpfs", sorted(&service->tmpfs, err), "ready",
                     ready_definition(service), "within_ms", (json_int_t)service->within_ms,
                     "may_end", service->may_end ? 1 : 0);
}

json_t *test_services_definition(const struct test *test, struct error *err) {
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < test->service_count; i++)
        if (json_array_append_new(list, service_definition(&test->services[i], err)) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

bool test_service_is_job(const struct test_service *service) {
    for (size_t i = 0; i < service->ready_count; i++)
        if (service->ready[i].kind == READY_EXIT)
            return true;
    return false;
}

void test_service_clear(struct test_service *service) {
    for (size_t i = 0; i < service->ready_count; i++) {
        free(service->ready[i].text);
        test_command_clear(&service->ready[i].command);
    }
    free(service->ready);
    free(service->name);
    free(service->image);
    free(service->user);
    for (char **word = service->entrypoint_words; word != NULL && *word != NULL; word++)
        free(*word);
    free(service->entrypoint_words);
    test_command_clear(&service->command);
    test_command_clear(&service->health);
    string_list_clear(&service->aliases);
    string_list_clear(&service->environment);
    string_list_clear(&service->tmpfs);
    *service = (struct test_service){0};
}
