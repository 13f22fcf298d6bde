/*  data: JSON text to values. */
#ifndef KURTOSIS_APIC_TEMPLATE_DATA_H
#define KURTOSIS_APIC_TEMPLATE_DATA_H

#include "apic/template/value.h"

/* Reads the first JSON value of a text; *ret_used are the bytes up to its end. Strings and keys
 * that have escapes are copied into the arena, others stay where they are: json must live as long.
 */
int tpl_data_parse(tpl_arena_t *arena, const char *json, size_t size, tpl_value_t *ret,
                   size_t *ret_used, err_t **err);

#endif
