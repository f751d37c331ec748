/* image_packages: reads the package databases of an image out of a container that is never started.
 *
 *     /var/lib/dpkg/status, /var/lib/dpkg/status.d/NAME    Debian and its kin; distroless images
 *     /lib/apk/db/installed, /usr/lib/apk/db/installed     Alpine and its kin; asked for where there is no dpkg
 *
 * The engine follows links in the folders of a path, as the image sees them (/lib is often one); a database that is itself a link,
 * a device, a sparse file or beyond IMAGE_PACKAGES_BYTES is not read, and that is told: never a shorter list. (Podman follows a
 * link at the end as well, within the image.) An image with none of them has no packages; one with the folder of a database and
 * no database has some that nobody knows. RPM's databases are binary, in three formats, and are found and not read.
 */
#pragma once

#include "runners/engine/engine.h"
#include "runners/image_facts.h"

#define IMAGE_PACKAGES_BYTES (64u << 20) /* of one database; that of a whole desktop has 5 MiB */

/* in   id     of a container of the image
 * out  facts  packages, or that they are not known and why
 * err  cancelled, no-memory; all else is the reason */
int image_packages_read(struct engine *engine, const char *id, struct image_facts *facts,
                        struct error *err) _must_check_;

/* The same of one database's archive as the engine gives it; packages are added. For image_packages_read, and for tests.
 *   in   number  of the database, in the order above; sources end at IMAGE_PACKAGES_SOURCES
 *        tar_fd  read from where it stands
 *   err  input, protocol, limit: it cannot be trusted to be whole */
#define IMAGE_PACKAGES_SOURCES 4u
int image_packages_take(size_t number, int tar_fd, struct package_list *packages,
                        struct error *err) _must_check_;
