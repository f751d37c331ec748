/* hostile: what must hold of anything that is drawn from untrusted bytes, whoever reads it. For the targets of reports. */
#pragma once

#include <stdbool.h>

#include "gate/base/text.h"

/* UTF-8, and no character that moves a cursor or ends a line but '\n', and '\t' where `tabs`. */
void hostile_check_characters(const struct text *drawn, bool tabs);

/* No line that a CI system would obey: "::" at its start, "##[" and its kin anywhere. */
void hostile_check_commands(const struct text *drawn);

/* Well-formed as XML 1.0: elements nest, attributes are quoted and not given twice, entities are known, characters legal. */
void hostile_check_xml(const struct text *drawn);

/* Fences and <details> are closed, no element outside of code but our own, no line that begins a quick action. */
void hostile_check_markdown(const struct text *drawn);
