/* selector: how configuration and command line name images.
 *
 *     redis                        docker.io/library/redis, any tag
 *     redis:7.2                    … with exactly this tag
 *     ghcr.io/acme/app             with its domain
 *     ghcr.io/acme/web-*           globs (glob.h): a star stays within one part of the path,
 *     **.example.com/app           two stars are the same, and as a whole part stand for any number of parts
 *     redis:7.*                    a tag may be a glob as well
 *     *                            alone, as **: every image
 *
 * Names are normalised as references are, so familiar and full names are the same; a glob without a domain is
 * docker.io's, with library/ where it has a single part.
 */
#pragma once

#include "gate/base/array.h"

#define SELECTOR_LIMIT ((size_t)1000) /* bytes; the name of an image has at most 255 */

/* err: config, when the selector can never name an image. */
int selector_check(const char *selector, struct error *err) _must_check_;

/* tag may be NULL; a selector with a tag then does not match. False for a selector that selector_check refuses. */
bool selector_matches(const char *selector, const char *image, const char *tag);
bool selector_list_matches(const struct string_list *selectors, const char *image, const char *tag);
