#include <stdlib.h>
#include <string.h>

#include "gate/registry/question.h"

/* The question goes on at another address of the same repository, in what is left of its time. */
static int ask_on(struct question *question, char *take_url, struct error *fatal) {
    if (take_url == NULL)
        return -1;
    free(question->url);
    question->url = take_url;
    question->elsewhere = false;
    question->tries = 0;
    return question_send(question, fatal);
}

static int ask_child(struct question *question, const char *digest, struct error *fatal) {
    char *copy = string_dup(digest, fatal);
    if (copy == NULL)
        return -1;
    free(question->name.digest);
    question->name.digest = copy;
    question->is_child = true;
    return ask_on(question,
                  string_format(fatal, "%s%s/manifests/%s", question->host->base,
                                question->name.path, digest),
                  fatal);
}

/* Takes the blobs. */
static int ask_config(struct question *question, struct blob_list *blobs, struct error *fatal) {
    question->blobs = *blobs;
    *blobs = (struct blob_list){0};
    return ask_on(question,
                  string_format(fatal, "%s%s/blobs/%s", question->host->base, question->name.path,
                                question->blobs.items[0].digest),
                  fatal);
}

static int check_config(const struct question *question, const struct text *config,
                        struct error *why) {
    char digest[DIGEST_SIZE];
    const char *wanted = question->blobs.items[0].digest;
    if (digest_of(text_string(config), config->length, digest, why) < 0)
        return -1;
    return strcmp(digest, wanted) == 0
               ? 0
               : error_set(why, ERROR_PROTOCOL,
                           "asked for the configuration %s, the registry answered with bytes of %s",
                           wanted, digest);
}

/* -1 with *why set, or the blobs; or, for an index, child is what comes next. */
static int read_content(const struct question *question, const struct http_response *response,
                        struct blob_list *blobs, char child[DIGEST_SIZE], struct error *why) {
    const char *bytes = text_string(&response->body);
    size_t length = response->body.length;
    char digest[DIGEST_SIZE];
    enum manifest_kind kind;
    child[0] = '\0';
    if (manifest_digest(response, &response->body, digest, &kind, why) < 0)
        return -1;
    if (strcmp(question->name.digest, digest) != 0)
        return error_set(why, ERROR_PROTOCOL, "asked for %s, the registry answered with %s",
                         question->name.digest, digest);
    if (kind != MANIFEST_INDEX)
        return content_blobs(bytes, length, blobs, why);
    if (question->is_child)
        return error_set(why, ERROR_PROTOCOL,
                         "the index names another index (%s) where an image was expected", digest);
    return content_child(bytes, length, &question->platform, child, why);
}

static int answer_why(struct question *question, struct error *why, struct error *fatal) {
    if (why->kind == ERROR_NO_MEMORY)
        return error_move(fatal, why);
    int result = answer_words(question, fatal, why->kind, "%s: %s",
                              reference_api_host(question->host->domain), error_message(why));
    error_clear(why);
    return result;
}

int question_on_content(struct question *question, const struct http_response *response,
                        struct error *fatal) {
    _cleanup_(blob_list_clear) struct blob_list blobs = {0};
    struct error why = {0};
    char child[DIGEST_SIZE];
    if (question->blobs.count > 0)
        return check_config(question, &response->body, &why) == 0
                   ? answer_config(question, &response->body, fatal)
                   : answer_why(question, &why, fatal);
    if (read_content(question, response, &blobs, child, &why) < 0)
        return answer_why(question, &why, fatal);
    if (question->kind == ASK_BLOBS && question->on_blobs == NULL)
        return answer_child(question, child[0] != '\0' ? child : question->name.digest, fatal);
    if (child[0] != '\0')
        return ask_child(question, child, fatal);
    return question->kind == ASK_CONFIG ? ask_config(question, &blobs, fatal)
                                        : answer_blobs(question, &blobs, fatal);
}
