/* image_facts: what is known of an image without running it: its configuration, its layers and its packages; pure.
 *
 *     struct image_facts facts = {0};
 *     image_facts_read(&facts, json, IMAGE_FROM_ENGINE, err);     what the engine's inspect says, or
 *     image_facts_read(&facts, json, IMAGE_FROM_REGISTRY, err);   the image's own configuration blob
 *     image_facts_add_packages(&facts, &packages, err);
 *     image_facts_settle(&facts, err);                            sorted, each (kind, name) once
 *
 * A fact is (kind, name, value): so two images are compared by walking through two sorted lists (changes.h), whatever it is about.
 * What means the same is made the same: no user and "0" are "root", no working directory is "/", a health check "NONE" is none.
 * Whoever made the image chose every byte. A member of another type than it should have is an error, not a lack: a gate on
 * changes must not take "cannot be read" for "is not there".
 *   src  OCI image-spec 1.1, "Image Configuration"; Docker Engine API, ImageInspect
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/array.h"
#include "gate/base/text.h"
#include "runners/package_list.h"

#define IMAGE_FACTS_LIMIT  20000u /* of the configuration of one image; people write dozens */
#define IMAGE_SIZE_UNKNOWN ((int64_t)-1)
#define IMAGE_LAYERS_LIMIT 1000u /* engines stack fewer than 130 */

/* In the order in which they matter to who reads a report. */
enum fact_kind {
    FACT_USER,
    FACT_ENTRYPOINT,
    FACT_COMMAND,
    FACT_PLATFORM,
    FACT_WORKDIR,
    FACT_PORT,         /* named: "6379/tcp" */
    FACT_VOLUME,       /* named: "/data" */
    FACT_HEALTH_CHECK, /* as JSON */
    FACT_STOP_SIGNAL,
    FACT_SHELL,
    FACT_VARIABLE, /* named */
    FACT_PACKAGE,  /* named; the value is its version */
    FACT_SIZE,     /* of changes.h alone */
    FACT_LABEL,    /* named */
    FACT_CREATED,
    FACT_COUNT
};

struct fact {
    enum fact_kind kind;
    char *name;   /* "" where there is only one of its kind */
    char *value;  /* "" for what is only there or not */
    size_t order; /* as it was read: of two with one name the last one holds */
};

struct fact_list {
    struct fact *items;
    size_t count;
    size_t capacity;
};

enum image_source { IMAGE_FROM_ENGINE, IMAGE_FROM_REGISTRY };

enum packages_state {
    PACKAGES_NOT_ASKED,
    PACKAGES_KNOWN,  /* an image without any database has none */
    PACKAGES_UNKNOWN /* see the reason */
};

struct image_facts {
    struct fact_list list;
    struct string_list layers; /* diff ids, lowest first */
    int64_t size_bytes; /* as the source counts: unpacked at the engine, as sent at the registry */
    enum packages_state packages;
    char *packages_reason; /* of PACKAGES_UNKNOWN; untrusted */
};

const char *fact_kind_name(enum fact_kind kind); /* "user", "health check" */

/* out: facts, the size only where the source tells it. err: protocol with the member that is wrong;  limit */
int image_facts_read(struct image_facts *facts, const json_t *json, enum image_source source,
                     struct error *err) _must_check_;

/* What was read out of its databases; they are settled here. */
int image_facts_add_packages(struct image_facts *facts, struct package_list *packages,
                             struct error *err) _must_check_;
void image_facts_settle(struct image_facts *facts);

/* "" as name where there is one of its kind; NULL where it lacks. Of settled facts. */
const struct fact *image_facts_find(const struct image_facts *facts, enum fact_kind kind,
                                    const char *name);
void image_facts_clear(struct image_facts *facts);
