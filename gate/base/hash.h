/* hash: sha256, the one wrapper of libcrypto.
 *
 *     struct hash *hash = hash_new(err);
 *     hash_update(hash, bytes, length);
 *     char hex[HASH_HEX_SIZE];
 *     hash_finish_hex(hash, hex);          64 lowercase hex digits and a NUL
 *     hash_free(hash);
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

#define HASH_HEX_SIZE 65 /* bytes: 64 digits and the NUL */

struct hash;

struct hash *hash_new(struct error *err) _must_check_;
void hash_update(struct hash *hash, const void *bytes, size_t length);
/* once; only hash_free may follow */
void hash_finish_hex(struct hash *hash, char hex[HASH_HEX_SIZE]);
void hash_free(struct hash *hash);
void hash_freep(struct hash **hash);

/* In one go. */
int hash_hex(const void *bytes, size_t length, char hex[HASH_HEX_SIZE],
             struct error *err) _must_check_;

/* Fills with bytes that nobody can guess, for names of temporary things. */
int hash_random(void *bytes, size_t length, struct error *err) _must_check_;
