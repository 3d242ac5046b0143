/* Characters of symbol fonts, which documents name by font and code. */
#ifndef JOBRUNNER_EXTRACT_SYMBOLS_H
#define JOBRUNNER_EXTRACT_SYMBOLS_H

#include "core/core.h"

/* The Unicode character that CODE (hexadecimal, maybe in the private area F000 to F0FF) is in FONT;
 * 0 where the font or the code is not known. */
uint32_t symbol_character(const char *font, const char *code);

#endif
