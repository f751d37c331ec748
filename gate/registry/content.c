#include "gate/registry/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/json_walk.h"

/* One entry of "manifests" or "layers", or "config". */
struct descriptor {
    struct blob blob; /* digest "" and size -1: it lacks, or is none */
    struct platform platform;
    bool twice; /* a member stands there twice: two readers may take it for two things */
};

struct walker {
    struct json_walk walk;
    struct text word; /* the string that was read last */
};

static const char *read_word(struct walker *walker) {
    if (json_walk_peek(&walker->walk) != JSON_WALK_STRING) {
        json_walk_skip(&walker->walk);
        return "";
    }
    return json_walk_string(&walker->walk, &walker->word) ? text_string(&walker->word) : "";
}

static int64_t read_size(struct walker *walker) {
    double number = -1;
    if (json_walk_peek(&walker->walk) != JSON_WALK_NUMBER)
        json_walk_skip(&walker->walk);
    else if (json_walk_number(&walker->walk, &number) && number >= 0 &&
             number <= (double)CONTENT_BLOB_LIMIT && (double)(int64_t)number == number)
        return (int64_t)number;
    return -1;
}

static void read_platform(struct walker *walker, struct platform *platform) {
    char parts[3][PLATFORM_PART_LIMIT + 2] = {"", "", ""}; /* one more byte tells of too long */
    static const char *const keys[] = {"os", "architecture", "variant"};
    if (json_walk_peek(&walker->walk) != JSON_WALK_OBJECT) {
        json_walk_skip(&walker->walk);
        return;
    }
    for (bool in = json_walk_object(&walker->walk);
         in && json_walk_key(&walker->walk, &walker->word);) {
        size_t part = 0;
        while (part < 3 && strcmp(text_string(&walker->word), keys[part]) != 0)
            part++;
        if (part < 3)
            snprintf(parts[part], sizeof parts[part], "%s", read_word(walker));
        else
            json_walk_skip(&walker->walk);
    }
    platform_make(parts[0], parts[1], parts[2], platform);
}

static void read_descriptor(struct walker *walker, struct descriptor *out) {
    unsigned int digests = 0;
    unsigned int sizes = 0;
    unsigned int platforms = 0;
    *out = (struct descriptor){.blob.size_bytes = -1};
    if (json_walk_peek(&walker->walk) != JSON_WALK_OBJECT) {
        json_walk_skip(&walker->walk);
        return;
    }
    for (bool in = json_walk_object(&walker->walk);
         in && json_walk_key(&walker->walk, &walker->word);) {
        const char *key = text_string(&walker->word);
        if (strcmp(key, "digest") == 0) {
            const char *digest = read_word(walker);
            if (digests++ == 0 && digest_valid(digest))
                memcpy(out->blob.digest, digest, DIGEST_SIZE);
        } else if (strcmp(key, "size") == 0) {
            out->blob.size_bytes = read_size(walker);
            sizes++;
        } else if (strcmp(key, "platform") == 0) {
            read_platform(walker, &out->platform);
            platforms++;
        } else {
            json_walk_skip(&walker->walk);
        }
    }
    out->twice = digests > 1 || sizes > 1 || platforms > 1;
}

/* Walks the members of the document; `take` is given each key and passes over its value, whatever it is. */
static int walk_document(struct walker *walker, const char *bytes, size_t length,
                         void (*take)(void *context, struct walker *walker, const char *key),
                         void *context, struct error *err) {
    json_walk_start(&walker->walk, bytes, length);
    for (bool in = json_walk_object(&walker->walk);
         in && json_walk_key(&walker->walk, &walker->word);)
        take(context, walker, text_string(&walker->word));
    if (walker->word.failed == ERROR_NO_MEMORY)
        return error_no_memory(err);
    if (!json_walk_done(&walker->walk))
        return error_set(err, ERROR_PROTOCOL, "the manifest is no JSON");
    return 0;
}

/* Of an index. */
struct choice {
    const struct platform *platform;
    struct descriptor best;
    unsigned int fit; /* of the best; 0: there is none */
    bool ambiguous;   /* another one fits as well */
    unsigned int lists;
};

static void consider(struct choice *choice, const struct descriptor *child) {
    unsigned int fit = platform_fit(choice->platform, &child->platform);
    if (fit == 0 || fit < choice->fit)
        return;
    if (fit > choice->fit) {
        choice->best = *child;
        choice->ambiguous = false;
    } else if (strcmp(choice->best.blob.digest, child->blob.digest) != 0) {
        choice->ambiguous = true;
    }
    choice->fit = fit;
}

static void take_of_index(void *context, struct walker *walker, const char *key) {
    struct choice *choice = context;
    struct descriptor child;
    if (strcmp(key, "manifests") != 0 || json_walk_peek(&walker->walk) != JSON_WALK_ARRAY) {
        json_walk_skip(&walker->walk);
        return;
    }
    choice->lists++;
    for (bool in = json_walk_array(&walker->walk); in && json_walk_item(&walker->walk);) {
        read_descriptor(walker, &child);
        consider(choice, &child);
    }
}

int content_child(const char *bytes, size_t length, const struct platform *platform,
                  char digest[DIGEST_SIZE], struct error *err) {
    struct walker walker = {0};
    struct choice choice = {.platform = platform};
    char words[PLATFORM_WORDS_SIZE];
    platform_words(platform, words);
    digest[0] = '\0';
    int result = walk_document(&walker, bytes, length, take_of_index, &choice, err);
    text_clear(&walker.word);
    if (result < 0)
        return -1;
    if (choice.lists != 1)
        return error_set(err, ERROR_PROTOCOL, "the index has %s list of manifests",
                         choice.lists == 0 ? "no" : "more than one");
    if (choice.fit == 0)
        return error_set(err, ERROR_NOT_FOUND, "the index has no image for %s", words);
    if (choice.ambiguous)
        return error_set(err, ERROR_PROTOCOL, "the index has more than one image for %s", words);
    if (choice.best.twice || choice.best.blob.digest[0] == '\0')
        return error_set(err, ERROR_PROTOCOL, "the index gives no digest of its image for %s",
                         words);
    memcpy(digest, choice.best.blob.digest, DIGEST_SIZE);
    return 0;
}

/* Of an image. */
struct parts {
    struct blob_list *blobs;
    unsigned int configs, lists;
    size_t layers;
    struct error err; /* the first part that cannot be taken */
};

/* number: of a layer, from 1; 0 is the config. */
static void take_part(struct parts *parts, size_t number, const struct descriptor *part) {
    const char *fault = part->twice                    ? "digest or size twice"
                        : part->blob.digest[0] == '\0' ? "no sha256 digest"
                        : part->blob.size_bytes < 0    ? "no size that makes sense"
                                                       : NULL;
    if (parts->err.kind != ERROR_NONE)
        return;
    if (number > CONTENT_LAYERS_LIMIT) {
        error_set(&parts->err, ERROR_LIMIT, "the manifest names more than %u layers",
                  CONTENT_LAYERS_LIMIT);
    } else if (fault != NULL && number == 0) {
        error_set(&parts->err, ERROR_PROTOCOL, "the manifest gives %s for its config", fault);
    } else if (fault != NULL) {
        error_set(&parts->err, ERROR_PROTOCOL, "the manifest gives %s for layer %zu", fault,
                  number);
    } else {
        struct blob *blob = array_add(parts->blobs, &parts->err);
        if (blob != NULL)
            *blob = part->blob;
    }
}

static void take_of_image(void *context, struct walker *walker, const char *key) {
    struct parts *parts = context;
    struct descriptor part;
    if (strcmp(key, "config") == 0) {
        read_descriptor(walker, &part);
        parts->configs++;
        take_part(parts, 0, &part);
    } else if (strcmp(key, "layers") == 0 && json_walk_peek(&walker->walk) == JSON_WALK_ARRAY) {
        parts->lists++;
        for (bool in = json_walk_array(&walker->walk); in && json_walk_item(&walker->walk);) {
            read_descriptor(walker, &part);
            take_part(parts, ++parts->layers, &part);
        }
    } else {
        json_walk_skip(&walker->walk);
    }
}

int content_blobs(const char *bytes, size_t length, struct blob_list *blobs, struct error *err) {
    struct walker walker = {0};
    struct parts parts = {.blobs = blobs};
    size_t before = blobs->count;
    int result = walk_document(&walker, bytes, length, take_of_image, &parts, err);
    text_clear(&walker.word);
    if (result == 0 && parts.err.kind != ERROR_NONE)
        result = error_move(err, &parts.err);
    if (result == 0 && (parts.configs != 1 || parts.lists != 1))
        result = error_set(err, ERROR_PROTOCOL,
                           "the manifest does not have one config and one list of layers");
    error_clear(&parts.err);
    if (result < 0)
        blobs->count = before;
    return result;
}

static int by_digest(const void *a, const void *b) {
    return strcmp(((const struct blob *)a)->digest, ((const struct blob *)b)->digest);
}

int content_size(struct blob_list *blobs, int64_t *size_bytes, struct error *err) {
    int64_t sum = 0;
    if (blobs->count > 0)
        qsort(blobs->items, blobs->count, sizeof *blobs->items, by_digest);
    for (size_t i = 0; i < blobs->count; i++) {
        const struct blob *blob = &blobs->items[i];
        if (i > 0 && strcmp(blob->digest, blob[-1].digest) == 0) {
            if (blob->size_bytes != blob[-1].size_bytes)
                return error_set(err, ERROR_PROTOCOL, "%s is said to have %lld bytes and %lld",
                                 blob->digest, (long long)blob[-1].size_bytes,
                                 (long long)blob->size_bytes);
            continue;
        }
        if (blob->size_bytes > INT64_MAX - sum)
            return error_set(err, ERROR_LIMIT, "the sizes add up to more than can be counted");
        sum += blob->size_bytes;
    }
    *size_bytes = sum;
    return 0;
}

void blob_list_clear(struct blob_list *blobs) {
    free(blobs->items);
    *blobs = (struct blob_list){0};
}
