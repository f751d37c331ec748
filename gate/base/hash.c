#include "gate/base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>

struct hash {
    EVP_MD_CTX *context;
};

struct hash *hash_new(struct error *err) {
    struct hash *hash = calloc(1, sizeof *hash);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (hash == NULL || context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        free(hash);
        error_no_memory(err);
        return NULL;
    }
    hash->context = context;
    return hash;
}

void hash_update(struct hash *hash, const void *bytes, size_t length) {
    EVP_DigestUpdate(hash->context, bytes, length);
}

void hash_finish_hex(struct hash *hash, char hex[HASH_HEX_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_DigestFinal_ex(hash->context, sum, &length);
    for (unsigned int i = 0; i < length; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[2 * length] = '\0';
}

void hash_free(struct hash *hash) {
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hash_freep(struct hash **hash) {
    hash_free(*hash);
}

int hash_hex(const void *bytes, size_t length, char hex[HASH_HEX_SIZE], struct error *err) {
    _cleanup_(hash_freep) struct hash *hash = hash_new(err);
    if (hash == NULL)
        return -1;
    hash_update(hash, bytes, length);
    hash_finish_hex(hash, hex);
    return 0;
}

int hash_random(void *bytes, size_t length, struct error *err) {
    unsigned char *at = bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, "read random bytes");
        at += got;
        length -= (size_t)got;
    }
    return 0;
}
