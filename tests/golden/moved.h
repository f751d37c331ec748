/* moved: what must hold when all pins of a file move, for golden cases and fuzz targets alike.
 *
 *     A scan of the moved bytes finds exactly the same pins with the new tag and digest, each where it stood but for what
 *     stands before it having grown, and leaves the same places alone; moving each back gives the old bytes.
 *     Each "@sha256:" with 64 hex digits is a pin, or a place that was left alone on its line.
 */
#pragma once

#include "gate/base/text.h"

/*   in   name         of the file: decides which formats look at it
 *        tag, digest  that every pin gets; a pin without a tag gets none
 *   out  moved        the file with its pins moved, cleared by the caller; as it was when it has none
 *   err  bug, with what does not hold; else what scan and rewrite raise
 */
int moved_check(const char *name, const char *bytes, size_t length, const char *tag,
                const char *digest, struct text *moved, struct error *err) _must_check_;
