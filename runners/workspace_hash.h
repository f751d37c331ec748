/* workspace_hash: what a workspace is but for its pins, while its files are copied.
 *
 *     struct workspace_hash *hash = workspace_hash_new(&pins, err);
 *     workspace_hash_link(hash, "name", "target");
 *     workspace_hash_file(hash, "name", 0666, size_bytes, err);    then its bytes, in pieces, all of them
 *     workspace_hash_bytes(hash, bytes, length);
 *     workspace_hash_finish(hash, hex);
 *     workspace_hash_free(hash);
 *
 * Two workspaces have equal hashes when they have the same names in the same order, modes, links and bytes, whatever stands in
 * the spans of their pins (tag, digest, version comment) and however long that is. So evidence is still good after pins moved,
 * and of no use after anything else did. What is hashed of a file is unambiguous: each piece between two spans begins with its
 * length, and each span is told by its part.
 */
#pragma once

#include <stdint.h>

#include "gate/base/hash.h"
#include "gate/pin.h"

struct workspace_hash;

/* pins: sorted by file, as the scan gives them; lent; NULL is none. */
struct workspace_hash *workspace_hash_new(const struct pin_list *pins,
                                          struct error *err) _must_check_;
void workspace_hash_link(struct workspace_hash *hash, const char *name, const char *target);
int workspace_hash_file(struct workspace_hash *hash, const char *name, unsigned int mode,
                        int64_t size_bytes, struct error *err) _must_check_;
void workspace_hash_bytes(void *hash, const void *bytes, size_t length); /* also for tar_show */

/* out: "" when a file no longer holds its pins where the scan found them: then nothing may be said of what is equal. */
void workspace_hash_finish(struct workspace_hash *hash, char hex[HASH_HEX_SIZE]);
void workspace_hash_free(struct workspace_hash *hash);
void workspace_hash_freep(struct workspace_hash **hash);
