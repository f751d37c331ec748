#include <stdlib.h>
#include <string.h>

#include "gate/registry/question.h"

/* The question goes on with another manifest of the same repository, in what is left of its time. */
static int ask_child(struct question *question, const char *digest, struct error *fatal) {
    char *url = string_format(fatal, "%s%s/manifests/%s", question->host->base, question->name.path,
                              digest);
    char *copy = string_dup(digest, fatal);
    if (url == NULL || copy == NULL) {
        free(url);
        free(copy);
        return -1;
    }
    free(question->url);
    free(question->name.digest);
    question->url = url;
    question->name.digest = copy;
    question->is_child = true;
    question->elsewhere = false;
    question->tries = 0;
    return question_send(question, fatal);
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

int question_on_content(struct question *question, const struct http_response *response,
                        struct error *fatal) {
    _cleanup_(blob_list_clear) struct blob_list blobs = {0};
    struct error why = {0};
    char child[DIGEST_SIZE];
    bool read = read_content(question, response, &blobs, child, &why) == 0;
    if (read && question->on_blobs == NULL)
        return answer_child(question, child[0] != '\0' ? child : question->name.digest, fatal);
    if (read)
        return child[0] != '\0' ? ask_child(question, child, fatal)
                                : answer_blobs(question, &blobs, fatal);
    if (why.kind == ERROR_NO_MEMORY)
        return error_move(fatal, &why);
    int result = answer_words(question, fatal, why.kind, "%s: %s",
                              reference_api_host(question->host->domain), error_message(&why));
    error_clear(&why);
    return result;
}
