/* context: docker's contexts, which name engines: what `docker context create` wrote.
 *
 *     FOLDER/config.json                                {"currentContext": NAME}
 *     FOLDER/contexts/meta/ID/meta.json                 {"Name": NAME, "Endpoints": {"docker": {"Host": …, "SkipTLSVerify": …}}}
 *     FOLDER/contexts/tls/ID/docker/{ca,cert,key}.pem   where it has any
 *
 * ID is the sha256 of the name in hex; FOLDER is $DOCKER_CONFIG, else $HOME/.docker. Only read. The context "default" has no
 * files: it means the environment and the usual sockets.
 *   src  docker CLI, cli/context/store and cli/command (how it finds the current one)
 */
#pragma once

#include "gate/base/error.h"

struct docker_context {
    char *file;       /* its meta.json, for messages */
    char *host;       /* address of the engine, as it stands there */
    char *tls_folder; /* with its pem files; NULL where it has none */
    bool unverified;  /* it asks to take any certificate */
};

/* $DOCKER_CONFIG or $HOME/.docker; NULL without an error where neither is set. */
char *docker_config_folder(struct error *err) _must_check_;

/* out  name  of the current context, NULL where the configuration names none, or "default", or is not there
 *      file  where that stands
 * err  engine  the file is there and cannot be read as JSON */
int docker_context_current(const char *folder, char **name, char **file,
                           struct error *err) _must_check_;

/* folder may be NULL.
 * err: usage  no such context, or no name for one: the message lists those that are there
 *      engine  its file is damaged */
int docker_context_read(const char *folder, const char *name, struct docker_context *out,
                        struct error *err) _must_check_;
void docker_context_clear(struct docker_context *context);
