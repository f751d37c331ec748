/* tags: one page of a registry's list of tags; pure.
 *
 *     { "name": "team/app", "tags": [ "1.0", "1.1" ] }      "tags" may be null or lack: an empty repository
 *   src  OCI distribution-spec 1.1, "Listing Tags"
 */
#pragma once

#include "gate/base/array.h"

/* Adds the page's tags to the list, in the registry's order. What can be no tag by the grammar is left out: it could not be
 * asked for, and only a hostile list holds it.
 *
 *   in   limit   tags in the list at most
 *   err  protocol  it is no list of tags;  limit;  no-memory
 */
int tags_read(const char *bytes, size_t length, size_t limit, struct string_list *tags,
              struct error *err) _must_check_;
