/*  reference: a value that is not known yet, as text: {{kurtosis:UUID:FIELD.runtime_value}}. */
#ifndef KURTOSIS_APIC_RUN_REFERENCE_H
#define KURTOSIS_APIC_RUN_REFERENCE_H

#include "apic/run/store.h"

/* The text of the reference; yours. uuid: 32 lower-case hex digits; field: letters, digits, "-_.".
 */
char *run_reference(const char *uuid, const char *field);

/* One reference found in a text. */
typedef struct {
    size_t start, end; /* bytes of the whole reference */
    char uuid[UUID_LEN + 1];
    size_t field, field_end; /* bytes of the field's name */
} run_reference_t;

/* The first reference at or after byte `from`; false when there is none. */
bool run_reference_find(const char *text, size_t size, size_t from, run_reference_t *ret);

/* Appends text with every reference replaced by its value: strings raw, others as str() has them.
 */
int run_reference_replace(run_store_t *store, const char *text, size_t size, str_t *out,
                          err_t **err);
/* The same for a C string; *ret is yours. */
int run_reference_replace_text(run_store_t *store, const char *text, char **ret, err_t **err);
/* The same for a JSON document: what is put into a JSON string is escaped. */
int run_reference_replace_json(run_store_t *store, const char *text, size_t size, str_t *out,
                               err_t **err);
/* A text that is one reference and nothing else gives the value itself, with its type; else a
 * string. */
int run_reference_value(run_store_t *store, const char *text, size_t size, types_datum_t *ret,
                        err_t **err);

#endif
