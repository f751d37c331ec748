/* The client's own bookkeeping. What registries do to it is told in tests/faults/registry.py. */
#include "gate/registry/registry.h"

#include "tests/unit/answers.h"

#define TYPE   "Content-Type: application/vnd.oci.image.index.v1+json\r\n"
#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FOUND                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n" TYPE "Docker-Content-Digest: " DIGEST "\r\n\r\n"
#define GONE "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"

struct asked {
    struct registry *registry;
    struct reference *next; /* asked from within the callback; NULL: none */
    size_t answers;
    char words[512]; /* what came, in one line */
};

static int on_digest(void *context, const struct registry_digest *answer, const struct error *why,
                     struct error *fatal) {
    struct asked *asked = context;
    asked->answers++;
    ck_assert((answer == NULL) != (why == NULL));
    if (answer != NULL)
        snprintf(asked->words, sizeof asked->words, "%.19s %d %lld %s", answer->digest,
                 (int)answer->kind, (long long)answer->size_bytes, answer->media_type);
    else
        snprintf(asked->words, sizeof asked->words, "%s: %s", error_kind_name(why->kind),
                 error_message(why));
    struct reference *next = asked->next;
    asked->next = NULL;
    return next != NULL ? registry_resolve(asked->registry, next, on_digest, asked, fatal) : 0;
}

static int on_tags(void *context, const struct string_list *tags, const struct error *why,
                   struct error *fatal) {
    struct asked *asked = context;
    (void)fatal;
    asked->answers++;
    snprintf(asked->words, sizeof asked->words, "%s",
             why != NULL        ? error_message(why)
             : tags->count == 2 ? tags->items[1]
                                : "not two");
    return 0;
}

static int stop(void *context, const struct registry_digest *answer, const struct error *why,
                struct error *fatal) {
    (void)context, (void)answer, (void)why;
    return error_set(fatal, ERROR_CONFLICT, "enough");
}

static struct registry *new_registry(void) {
    struct error err = {0};
    struct registry *registry = NULL;
    struct registry_options options = {.timeout_ms = 20000};
    unit_ok(http_global_init(&err), &err);
    unit_ok(registry_new(&options, NULL, &registry, &err), &err);
    return registry;
}

static struct reference name_at(const struct answers *answers, const char *rest) {
    struct error err = {0};
    struct reference reference;
    char text[256];
    snprintf(text, sizeof text, "127.0.0.1:%u/%s", answers->port, rest);
    unit_ok(reference_parse(text, &reference, &err), &err);
    return reference;
}

START_TEST(one_digest) {
    static const struct {
        const char *rest, *answer, *line, *words;
    } rows[] = {
        {"team/app:1", FOUND, "HEAD /v2/team/app/manifests/1 HTTP/1.1",
         "sha256:aaaaaaaaaaaa 2 1234 application/vnd.oci.image.index.v1+json"},
        {"app@" DIGEST, FOUND, "HEAD /v2/app/manifests/" DIGEST " HTTP/1.1",
         "sha256:aaaaaaaaaaaa 2 1234"},
        {"app:1@" DIGEST, FOUND, "HEAD /v2/app/manifests/1 HTTP/1.1", "sha256:aaaaaaaaaaaa 2 1234"},
        {"app@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", FOUND,
         "HEAD", "protocol: "},
        {"app:1", GONE, "HEAD /v2/app/manifests/1 HTTP/1.1", "not-found: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        const char *const ready[] = {rows[i].answer, NULL};
        struct asked asked = {.registry = new_registry()};
        answers_start(&answers, ready);
        struct reference name = name_at(&answers, rows[i].rest);
        unit_ok(registry_resolve(asked.registry, &name, on_digest, &asked, &err), &err);
        unit_ok(registry_run(asked.registry, &err), &err);
        ck_assert_uint_eq(asked.answers, 1);
        ck_assert_msg(strncmp(asked.words, rows[i].words, strlen(rows[i].words)) == 0,
                      "row %zu: %s", i, asked.words);
        answers_stop(&answers);
        ck_assert_msg(strncmp(answers.heads[0], rows[i].line, strlen(rows[i].line)) == 0,
                      "row %zu: %s", i, answers.heads[0]);
        ck_assert_ptr_null(strstr(answers.heads[0], "Authorization"));
        ck_assert_uint_eq(registry_counts(asked.registry).requests, 1);
        reference_clear(&name);
        registry_free(asked.registry);
    }
}
END_TEST

START_TEST(asked_from_a_callback) {
    static const char *const ready[] = {GONE, FOUND, NULL};
    struct error err = {0};
    struct answers answers;
    answers_start(&answers, ready);
    struct reference first = name_at(&answers, "a:1");
    struct reference second = name_at(&answers, "b:1");
    struct asked asked = {.registry = new_registry(), .next = &second};
    unit_ok(registry_resolve(asked.registry, &first, on_digest, &asked, &err), &err);
    unit_ok(registry_run(asked.registry, &err), &err);
    ck_assert_uint_eq(asked.answers, 2);
    ck_assert(strstr(asked.words, "sha256:aaaa") == asked.words);
    unit_ok(registry_run(asked.registry, &err), &err); /* nothing is left */
    ck_assert_uint_eq(asked.answers, 2);
    reference_clear(&first);
    reference_clear(&second);
    registry_free(asked.registry);
    answers_stop(&answers);
}
END_TEST

START_TEST(pages_of_tags) {
    static const char *const ready[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nLink: </v2/app/tags/list?last=a>; "
        "rel=\"next\"\r\n\r\n{\"tags\":[\"a\"]}",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"tags\":[\"b\"]}", NULL};
    struct error err = {0};
    struct answers answers;
    answers_start(&answers, ready);
    struct reference name = name_at(&answers, "app:1");
    struct asked asked = {.registry = new_registry()};
    unit_ok(registry_tags(asked.registry, &name, on_tags, &asked, &err), &err);
    unit_ok(registry_run(asked.registry, &err), &err);
    ck_assert_str_eq(asked.words, "b");
    answers_stop(&answers);
    ck_assert(strstr(answers.heads[0], "GET /v2/app/tags/list?n=1000 HTTP/1.1") ==
              answers.heads[0]);
    ck_assert(strstr(answers.heads[1], "GET /v2/app/tags/list?last=a HTTP/1.1") ==
              answers.heads[1]);
    reference_clear(&name);
    registry_free(asked.registry);
}
END_TEST

START_TEST(a_callback_stops_the_run) {
    static const char *const ready[] = {FOUND, FOUND, NULL};
    struct error err = {0};
    struct answers answers;
    answers_start(&answers, ready);
    struct reference name = name_at(&answers, "app:1");
    struct registry *registry = new_registry();
    unit_ok(registry_resolve(registry, &name, stop, NULL, &err), &err);
    unit_ok(registry_resolve(registry, &name, stop, NULL, &err), &err);
    unit_fails(registry_run(registry, &err), &err, ERROR_CONFLICT, "enough");
    registry_free(registry); /* with one question still open */
    reference_clear(&name);
    answers_stop(&answers);
}
END_TEST

START_TEST(never_run) {
    struct error err = {0};
    struct reference name;
    struct asked asked = {.registry = new_registry()};
    unit_ok(reference_parse("127.0.0.1:1/app:1", &name, &err), &err);
    for (int i = 0; i < 250; i++)
        unit_ok(registry_resolve(asked.registry, &name, on_digest, &asked, &err), &err);
    registry_free(asked.registry);
    ck_assert_uint_eq(asked.answers, 0);
    reference_clear(&name);
}
END_TEST

UNIT_MAIN("registry", {
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, one_digest);
    tcase_add_test(cases, asked_from_a_callback);
    tcase_add_test(cases, pages_of_tags);
    tcase_add_test(cases, a_callback_stops_the_run);
    tcase_add_test(cases, never_run);
})
