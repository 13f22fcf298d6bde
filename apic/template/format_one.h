/*  format one: between printf.c, which reads directives, and format.c, which obeys them. */
#ifndef KURTOSIS_APIC_TEMPLATE_FORMAT_ONE_H
#define KURTOSIS_APIC_TEMPLATE_FORMAT_ONE_H

#include "apic/template/value.h"

/* A directive without its verb, and where its text goes. */
typedef struct {
    tpl_out_t *out;
    bool minus, plus, sharp, space, zero;
    bool go_syntax; /* %#v */
    bool has_width, has_precision;
    int width, precision;
} tpl_formatter_t;

void tpl_format_one(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb);
/* A text of ours, padded to the width. */
void tpl_format_text(tpl_formatter_t *self, const char *text);

#endif
