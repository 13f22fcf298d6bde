/*  format: values as text, as Go's fmt writes them. */
#ifndef KURTOSIS_APIC_TEMPLATE_FORMAT_H
#define KURTOSIS_APIC_TEMPLATE_FORMAT_H

#include "apic/template/value.h"

/* One value as an action prints it: none is "<no value>". */
void tpl_print_action(tpl_out_t *out, const tpl_value_t *value);
/* One value under a verb without flags; 'v' and 's' matter. */
void tpl_print_verb(tpl_out_t *out, const tpl_value_t *value, char verb);
/* Sprint: a blank between two values of which neither is text. */
void tpl_print(tpl_out_t *out, const tpl_value_t *values, size_t count);
/* Sprintln: blanks between, a newline behind. */
void tpl_println(tpl_out_t *out, const tpl_value_t *values, size_t count);
/* Sprintf. What is wrong with a format shows in the text. */
void tpl_printf(tpl_out_t *out, tpl_text_t format, const tpl_value_t *values, size_t count);

#endif
