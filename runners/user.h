/* user: as whom a container runs, in numbers: names are its image's. */
#pragma once

#include "runners/engine/engine.h"

/* The user of a container, started or not. One that its image does not know is 0; such a container does not start.
 *   err  as of engine_get, container_get */
int user_of_container(struct engine *engine, const char *id, int64_t *user,
                      struct error *err) _must_check_;

/* The number of what Config.User says: "", "1000", "app" or one of these with ":group". passwd: /etc/passwd of its image. Pure. */
int64_t user_number(const char *user, const char *passwd, size_t length);

/* The first file of an archive as engines give one of a single path; pure.
 *   out  content  lent from bytes; NULL where it is none
 *        link     heap; what a symbolic link names; NULL where it is none */
void user_first_file(const char *bytes, size_t length, const char **content, size_t *size,
                     char **link);
