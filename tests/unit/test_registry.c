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

static int on_blobs(void *context, const struct blob_list *blobs, const struct error *why,
                    struct error *fatal) {
    struct asked *asked = context;
    (void)fatal;
    asked->answers++;
    ck_assert((blobs == NULL) != (why == NULL));
    if (blobs != NULL)
        snprintf(asked->words, sizeof asked->words, "%zu blobs, the last of %lld bytes",
                 blobs->count, (long long)blobs->items[blobs->count - 1].size_bytes);
    else
        snprintf(asked->words, sizeof asked->words, "%s: %s", error_kind_name(why->kind),
                 error_message(why));
    return 0;
}

#define PART "{\"digest\":\"" DIGEST "\",\"size\":77}"

/* A body and its digest; the answer is the caller's to free. */
static char *answer_with(const char *body, char digest[DIGEST_SIZE]) {
    struct error err = {0};
    unit_ok(digest_of(body, strlen(body), digest, &err), &err);
    return string_format(&err, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
                         body);
}

static char *index_over(const char *digest, const char *architecture) {
    struct error err = {0};
    return string_format(&err,
                         "{\"manifests\":[{\"digest\":\"%s\",\"platform\":{\"os\":\"linux\","
                         "\"architecture\":\"%s\"}}]}",
                         digest, architecture);
}

/* First the manifest of this digest, then, when it is an index, that of the child. */
START_TEST(blobs_of_an_image) {
    static const struct {
        const char *image;        /* body */
        const char *architecture; /* of the index above it; NULL: there is none */
        bool twice;               /* and one more above that */
        bool lies;                /* the registry sends another image than was asked for */
        size_t requests;
        const char *words;
    } rows[] = {
        {"{\"config\":" PART ",\"layers\":[" PART "]}", NULL, false, false, 1,
         "2 blobs, the last of 77 bytes"},
        {"{\"config\":" PART ",\"layers\":[]}", "arm64", false, false, 2, "1 blobs, "},
        {"{\"config\":" PART ",\"layers\":[]}", "amd64", false, false, 1, "not-found: 127.0.0.1:"},
        {"{\"config\":" PART ",\"layers\":[]}", "arm64", true, false, 2, "protocol: 127.0.0.1:"},
        {"{\"config\":" PART ",\"layers\":[]}", NULL, false, true, 1, "protocol: 127.0.0.1:"},
        {"{\"config\":" PART ",\"layers\":[]}", "arm64", false, true, 2, "protocol: 127.0.0.1:"},
        {"{\"config\":" PART ",\"layers\":[{}]}", "arm64", false, false, 2, "protocol: 127.0"},
    };
    struct platform platform;
    ck_assert(platform_make("linux", "arm64", NULL, &platform));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        char digests[3][DIGEST_SIZE];
        char *bodies[4] = {NULL};
        size_t first = 2; /* of bodies and digests: the image is the last */
        bodies[2] = answer_with(rows[i].image, digests[2]);
        for (size_t level = 0; rows[i].architecture != NULL && level < (rows[i].twice ? 2 : 1);
             level++) {
            char *index = index_over(digests[first], rows[i].architecture);
            first--;
            bodies[first] = answer_with(index, digests[first]);
            free(index);
        }
        if (rows[i].lies)
            *strstr(bodies[2], "77") = '8'; /* still an image */
        struct asked asked = {.registry = new_registry()};
        answers_start(&answers, (const char *const *)&bodies[first]);
        char rest[128];
        snprintf(rest, sizeof rest, "team/app:1@%s", digests[first]);
        struct reference name = name_at(&answers, rest);
        unit_ok(registry_blobs(asked.registry, &name, &platform, on_blobs, &asked, &err), &err);
        unit_ok(registry_run(asked.registry, &err), &err);
        answers_stop(&answers);
        ck_assert_uint_eq(asked.answers, 1);
        ck_assert_msg(strncmp(asked.words, rows[i].words, strlen(rows[i].words)) == 0,
                      "row %zu: %s", i, asked.words);
        ck_assert_msg(answers.count == rows[i].requests, "row %zu: %zu requests", i, answers.count);
        for (size_t r = 0; r < answers.count; r++) {
            char line[160];
            snprintf(line, sizeof line, "GET /v2/team/app/manifests/%s HTTP/1.1",
                     digests[first + r]);
            ck_assert_msg(strncmp(answers.heads[r], line, strlen(line)) == 0, "row %zu: %s", i,
                          answers.heads[r]);
            ck_assert_ptr_nonnull(strstr(answers.heads[r], "oci.image.index.v1+json"));
        }
        for (size_t b = 0; b < 3; b++)
            free(bodies[b]);
        reference_clear(&name);
        registry_free(asked.registry);
    }
}
END_TEST

static int on_child(void *context, const struct registry_digest *answer, const struct error *why,
                    struct error *fatal) {
    struct asked *asked = context;
    (void)fatal;
    asked->answers++;
    ck_assert((answer == NULL) != (why == NULL));
    if (answer != NULL)
        snprintf(asked->words, sizeof asked->words, "%s", answer->digest);
    else
        snprintf(asked->words, sizeof asked->words, "%s: %s", error_kind_name(why->kind),
                 error_message(why));
    return 0;
}

/* One GET, of the index alone. */
START_TEST(child_of_an_index) {
    static const struct {
        const char
            *architecture; /* of the image in the index; NULL: an image stands there itself */
        bool lies;
        const char *words; /* "": the image's digest */
    } rows[] = {
        {"arm64", false, ""},
        {NULL, false, ""},
        {"amd64", false, "not-found: 127.0.0.1:"},
        {"arm64", true, "protocol: 127.0.0.1:"},
    };
    struct platform platform;
    ck_assert(platform_make("linux", "arm64", NULL, &platform));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        char digests[2][DIGEST_SIZE];
        char *bodies[2] = {answer_with("{\"config\":" PART ",\"layers\":[]}", digests[0]), NULL};
        const char *asked_for = digests[0];
        if (rows[i].architecture != NULL) {
            char *index = index_over(digests[0], rows[i].architecture);
            free(bodies[0]);
            bodies[0] = answer_with(index, digests[1]);
            asked_for = digests[1];
            free(index);
        }
        if (rows[i].lies)
            *strstr(bodies[0], "arm64") = 'A';
        struct asked asked = {.registry = new_registry()};
        answers_start(&answers, (const char *const *)bodies);
        char rest[128];
        snprintf(rest, sizeof rest, "team/app:1@%s", asked_for);
        struct reference name = name_at(&answers, rest);
        unit_ok(registry_child(asked.registry, &name, &platform, on_child, &asked, &err), &err);
        unit_ok(registry_run(asked.registry, &err), &err);
        answers_stop(&answers);
        ck_assert_uint_eq(asked.answers, 1);
        ck_assert_uint_eq(answers.count, 1);
        const char *words = rows[i].words[0] != '\0' ? rows[i].words : digests[0];
        ck_assert_msg(strncmp(asked.words, words, strlen(words)) == 0, "row %zu: %s", i,
                      asked.words);
        free(bodies[0]);
        reference_clear(&name);
        registry_free(asked.registry);
    }
}
END_TEST

static int on_config(void *context, const struct blob_list *blobs, const struct text *config,
                     const struct error *why, struct error *fatal) {
    struct asked *asked = context;
    (void)fatal;
    asked->answers++;
    ck_assert((blobs == NULL) == (why != NULL) && (config == NULL) == (why != NULL));
    if (why == NULL)
        snprintf(asked->words, sizeof asked->words, "%zu blobs: %s", blobs->count,
                 text_string(config));
    else
        snprintf(asked->words, sizeof asked->words, "%s: %s", error_kind_name(why->kind),
                 error_message(why));
    return 0;
}

/* A manifest, then the blob that it names, which may come from elsewhere and must be those bytes. */
START_TEST(config_of_an_image) {
    static const struct {
        const char *sent;   /* instead of the configuration, of the same length; NULL: nothing */
        const char *answer; /* instead of any; NULL: none */
        const char *words;
    } rows[] = {
        {NULL, NULL, "1 blobs: {\"os\":\"linux\"}"},
        {"{\"os\":\"linuX\"}", NULL, "protocol: 127.0.0.1:"},
        {NULL, GONE, "not-found: 127.0.0.1:"},
    };
    static const char config[] = "{\"os\":\"linux\"}";
    struct platform platform;
    ck_assert(platform_make("linux", "arm64", NULL, &platform));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct answers answers;
        char blob[DIGEST_SIZE];
        char manifest[DIGEST_SIZE];
        char sent[DIGEST_SIZE];
        char *bodies[3] = {NULL};
        char *lie = answer_with(rows[i].sent != NULL ? rows[i].sent : config, sent);
        free(answer_with(config, blob));
        char *image =
            string_format(&err, "{\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[]}", blob,
                          strlen(config));
        bodies[0] = answer_with(image, manifest);
        bodies[1] = rows[i].answer != NULL ? strdup(rows[i].answer) : strdup(lie);
        struct asked asked = {.registry = new_registry()};
        answers_start(&answers, (const char *const *)bodies);
        char rest[128];
        snprintf(rest, sizeof rest, "team/app:1@%s", manifest);
        struct reference name = name_at(&answers, rest);
        unit_ok(registry_config(asked.registry, &name, &platform, on_config, &asked, &err), &err);
        unit_ok(registry_run(asked.registry, &err), &err);
        answers_stop(&answers);
        ck_assert_uint_eq(asked.answers, 1);
        ck_assert_msg(strncmp(asked.words, rows[i].words, strlen(rows[i].words)) == 0,
                      "row %zu: %s", i, asked.words);
        ck_assert_uint_eq(answers.count, 2);
        char line[160];
        snprintf(line, sizeof line, "GET /v2/team/app/blobs/%s HTTP/1.1", blob);
        ck_assert_msg(strncmp(answers.heads[1], line, strlen(line)) == 0, "%s", answers.heads[1]);
        free(lie);
        free(image);
        free(bodies[0]);
        free(bodies[1]);
        reference_clear(&name);
        registry_free(asked.registry);
    }
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
    tcase_add_test(cases, blobs_of_an_image);
    tcase_add_test(cases, child_of_an_index);
    tcase_add_test(cases, config_of_an_image);
    tcase_add_test(cases, a_callback_stops_the_run);
    tcase_add_test(cases, never_run);
})
