/* alone: containers whose network is nothing but loopback, made in half the time.
 *
 * For network mode "none" a Docker Engine starts itself twice more to make the namespace, which is half of a container's
 * start. With NetworkDisabled beside it, the container's runtime makes the namespace as it makes the others: fresh for each
 * container, with nothing but `lo`, and that up. What then lacks is the hosts file that the engine writes, and so an
 * address for "localhost". Therefore a volume holds one such file for each container, which is mounted from where the engine
 * keeps volumes; that works on a remote engine too.
 *
 *     if (alone_possible(engine, &possible, err) == 0 && possible)
 *         alone_make(&wish, &alone, err);
 *     path = alone_hosts(&alone, n, err);       the file of the n-th container
 *     alone_apply(spec, path);                  changes the body of its creation
 *     alone_remove(cleaner, &alone, err);
 *
 * A mount follows links, and a container may put anything where it may write. So the volume itself is mounted in no
 * container that is ever started, each container gets a file that no other has, and what is mounted is the file alone.
 *
 *   src  moby, daemon/container_operations.go and oci_linux.go (NetworkDisabled); seen on Docker Engine 20.10
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/engine/labels.h"

struct alone {
    char *volume; /* its name; NULL when there is none */
    char *folder; /* where the engine keeps it, on the engine's host */
    size_t count; /* of the files in it */
};

/* Whether this is an engine where that is known to work: a Docker Engine, not Podman (whose "none" is fast), without SELinux
 * (which would want labels on the file), and not Docker Desktop (which looks for mounts outside of the engine's machine). */
int alone_possible(struct engine *engine, bool *possible, struct error *err) _must_check_;

struct alone_wish {
    struct engine *engine, *cleaner;
    const struct labels *labels;
    const char *name;  /* of the volume, and of a container that never starts; unique */
    const char *image; /* id of any image that is there */
    size_t count;      /* of the files */
};

/* err: as the engine's calls; nothing is left behind then but what *out names, for alone_remove */
int alone_make(const struct alone_wish *wish, struct alone *out, struct error *err) _must_check_;
int alone_remove(struct engine *cleaner, const struct alone *alone, struct error *err);
void alone_clear(struct alone *alone); /* the memory only */

/* Path of the n-th file (from 0) on the engine's host; NULL with *err set. */
char *alone_hosts(const struct alone *alone, size_t n, struct error *err) _must_check_;

/* Pure. spec: of container_spec, with network mode "none". */
int alone_apply(json_t *spec, const char *hosts_path, struct error *err) _must_check_;
