/* yaml_places: the value of each key `image`, at any depth, in every document of a YAML file. Private to gate/pins.
 *
 * That covers Kubernetes and what is built on it, Compose, GitLab CI and most others. A value counts when it is written as it
 * is meant (plain or quoted on one line, without escapes) and is a reference with a digest. A pin's path is
 * "spec.containers[0].image"; a key that holds other than letters, digits, "_" and "-" is quoted: metadata["a.b/c"], and one
 * that is no scalar or holds a pin itself is [?].
 *
 * A file that is not YAML (a template, bad bytes, beyond the limits of yaml.h) gives one `skipped` and is read as plain text,
 * and so is what stands elsewhere in it: other keys, comments, block scalars.
 */
#pragma once

#include "gate/pins/formats.h"

extern const struct pin_format pin_format_yaml;
