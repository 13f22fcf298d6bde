/*  datum: a Starlark value that outlives its interpreter.
 *
 *  A string is kept as its bytes, any other value as the text that makes it again. So a datum can
 * be stored, compared in an interpreter of its own, and put into a text the way references are
 * replaced.
 */
#ifndef KURTOSIS_APIC_TYPES_DATUM_H
#define KURTOSIS_APIC_TYPES_DATUM_H

#include "base/err.h"
#include "base/str.h"
#include "starlark/starlark.h"

typedef struct {
    bool is_string;
    str_t text; /* the string's bytes; or the value as Starlark text */
} types_datum_t;

#define TYPES_DATUM_EMPTY ((types_datum_t){true, STR_EMPTY})

void types_datum_done(types_datum_t *self);
/* Fills an empty one. */
void types_datum_from(types_datum_t *self, star_t *star, star_value_t value);
void types_datum_set_string(types_datum_t *self, const char *bytes, size_t size);
void types_datum_set_int(types_datum_t *self, int64_t value);
void types_datum_copy(types_datum_t *self, const types_datum_t *other);

/* The value in this interpreter; absent after star_fail(), when it cannot be read back. */
star_value_t types_datum_value(const types_datum_t *self, star_t *star);
/* Reads text of types_text_put() back, where `struct`, `json`, `time` and our constructors are
 * known. */
star_value_t types_text_value(star_t *star, const char *text, size_t size);

/* Appends repr() of it: strings quoted. */
void types_datum_repr(const types_datum_t *self, str_t *out);

#endif
