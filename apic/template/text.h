/*  text: characters, quoted text and the digits of numbers, as Go's strconv and unicode have them.
 */
#ifndef KURTOSIS_APIC_TEMPLATE_TEXT_H
#define KURTOSIS_APIC_TEMPLATE_TEXT_H

#include "apic/template/value.h"

/* Value of a digit in a base up to 36; 99 for anything else. */
static inline int
tpl_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 32);
    return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

/* A letter, a decimal digit or "_": what names are made of. */
bool tpl_is_word(uint32_t c);
/* Letters, marks, numbers, punctuation, symbols and the blank. */
bool tpl_is_print(uint32_t c);

/* Appends the text as a Go string in quotes; only_ascii escapes the rest too. */
void tpl_quote(tpl_out_t *out, tpl_text_t text, bool only_ascii);
/* The same for one character, in single quotes. */
void tpl_quote_char(tpl_out_t *out, uint32_t c, bool only_ascii);
/* Can the text be written between back quotes? */
bool tpl_can_backquote(tpl_text_t text);
/* What a literal with its quotes (" or `) says; false when it is wrong. out gets at most as many
 * bytes. */
bool tpl_unquote(tpl_text_t literal, str_t *out);
/* The character of a literal in single quotes; false when it is wrong. */
bool tpl_unquote_char(tpl_text_t literal, uint32_t *ret);

/* Appends a number in one of the forms of Go's FormatFloat: e E f g G b x X; precision -1 means as
 * many digits as tell it from every other number. */
void tpl_float_put(str_t *out, double number, char form, int precision);
/* Appends a number as JSON has it: shortest, plain when 1e-6 <= |x| < 1e21. */
void tpl_float_put_json(str_t *out, double number);

/* What the text of a number says in a template. overflows: an integer of 2^63..2^64-1, which may be
 * written but not used. */
typedef struct {
    tpl_value_t value;
    bool overflows;
} tpl_number_t;

/* is_pair: "1+2i". INVALID with Go's words when it is none. */
int tpl_number_parse(tpl_text_t text, bool is_pair, tpl_number_t *ret, err_t **err);

#endif
