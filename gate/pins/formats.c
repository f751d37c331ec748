#include "gate/pins/formats.h"

#include "gate/pins/dockerfile.h"
#include "gate/pins/text.h"
#include "gate/pins/yaml_places.h"

const struct pin_format *const pin_formats[] = {
    &pin_format_dockerfile,
    &pin_format_yaml,
    &pin_format_text,
    NULL,
};
