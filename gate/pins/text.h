/* text: the plain token `name[:tag]@sha256:<64 hex>` in any bytes; the last format of the table. Private to gate/pins.
 *
 * From each literal "@sha256:" it walks left over the characters of a reference. Each "@sha256:" with hex digits behind it that
 * no earlier format claimed becomes a pin or a skipped entry with its reason, also in comments: what is a comment differs
 * from file to file, and a digest in a comment that is left behind would contradict the line that it explains.
 *
 * What stands before the name:
 *
 *     "x, 'x, =x, (x, [x, {x, ,x, ;x, |x, >x, blank    the name begins behind it
 *     //x, --x behind a blank, <!--x                   a comment without a blank before the name
 *     \nx, \tx, \rx, \x22x, \u0022x                   an escape within a string of JSON or of a program
 *     docker://x, oci://x                              a transport; http:// and https:// are web addresses: left alone
 *     ${NAME:-x}, ${NAME-x}, ${NAME:=x}                the default value of a variable of the shell, Compose or a Dockerfile
 *     $NAME/x, ${NAME}/x, $(NAME)/x, %NAME%/x          left alone: "variable"
 *     {{ … }}x, {{ … }}:tag                            left alone: "template"
 *     tag: "x, TAG=x                                   left alone: the image stands elsewhere; so does a name such as 1.2.3
 */
#pragma once

#include "gate/pins/formats.h"

extern const struct pin_format pin_format_text;
