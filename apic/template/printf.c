/*  printf: Go's Sprint, Sprintln and Sprintf. See format.h. */
#include "apic/template/format.h"

#include "apic/template/format_one.h"
#include "base/utf8.h"

#define WIDTH_MAX 1000000 /* of a width or precision, as in Go */

void
tpl_print_verb(tpl_out_t *out, const tpl_value_t *value, char verb)
{
    tpl_formatter_t plain = {.out = out};
    tpl_format_one(&plain, value, (unsigned char)verb);
}

void
tpl_print_action(tpl_out_t *out, const tpl_value_t *value)
{
    if (tpl_is_nil(value))
        tpl_out_add(out, "<no value>");
    else if (tpl_is_text(value))
        tpl_out_bytes(out, value->text.bytes, value->text.len);
    else
        tpl_print_verb(out, value, 'v');
}

void
tpl_print(tpl_out_t *out, const tpl_value_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !tpl_is_text(&values[i]) && !tpl_is_text(&values[i - 1]))
            tpl_out_char(out, ' ');
        tpl_print_verb(out, &values[i], 'v');
    }
}

void
tpl_println(tpl_out_t *out, const tpl_value_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            tpl_out_char(out, ' ');
        tpl_print_verb(out, &values[i], 'v');
    }
    tpl_out_char(out, '\n');
}

/* -------------------------------------------------------------------------------------- directives
 */

typedef struct {
    tpl_formatter_t one;
    tpl_text_t format;
    size_t at; /* in the format */
    const tpl_value_t *values;
    size_t count;
    size_t next;      /* value that comes next */
    bool reordered;   /* an index was used */
    bool bad_index;   /* in this directive */
    bool after_index; /* the piece before was an index */
} printer_t;

static int
byte_at(const printer_t *self, size_t at)
{
    return at < self->format.len ? (unsigned char)self->format.bytes[at] : -1;
}

/* Digits up to end; false when there are none, or too many. */
static bool
read_number(printer_t *self, size_t end, int *ret)
{
    bool has_digits = false;
    *ret = 0;
    for (; self->at < end && byte_at(self, self->at) >= '0' && byte_at(self, self->at) <= '9';
         self->at++) {
        if (*ret > WIDTH_MAX) {
            *ret = 0;
            self->at = end;
            return false;
        }
        *ret = *ret * 10 + (byte_at(self, self->at) - '0');
        has_digits = true;
    }
    return has_digits;
}

/* "[3]": which value comes next. */
static void
read_index(printer_t *self)
{
    size_t start = self->at, close = start + 1;
    int index;

    self->after_index = false;
    if (byte_at(self, start) != '[')
        return;
    self->reordered = true;
    while (close < self->format.len && byte_at(self, close) != ']')
        close++;
    if (close == self->format.len || self->format.len - start < 3) {
        self->bad_index = true;
        self->at = start + 1;
        return;
    }
    self->at = start + 1;
    bool is_number = read_number(self, close, &index) && self->at == close;
    self->at = close + 1;
    self->after_index = is_number;
    if (is_number && index >= 1 && (size_t)index <= self->count)
        self->next = (size_t)index - 1;
    else
        self->bad_index = true;
}

/* "*": an integer of the values. */
static bool
read_star(printer_t *self, int *ret)
{
    *ret = 0;
    if (self->next >= self->count)
        return false;
    const tpl_value_t *value = &self->values[self->next++];
    if (!tpl_is_integer(value) || value->number > WIDTH_MAX || value->number < -WIDTH_MAX)
        return false;
    *ret = (int)value->number;
    return true;
}

static void
read_flags(printer_t *self)
{
    for (;; self->at++) {
        switch (byte_at(self, self->at)) {
        case '#':
            self->one.sharp = true;
            break;
        case '0':
            self->one.zero = true;
            break;
        case '+':
            self->one.plus = true;
            break;
        case '-':
            self->one.minus = true;
            break;
        case ' ':
            self->one.space = true;
            break;
        default:
            return;
        }
    }
}

static void
read_width(printer_t *self)
{
    tpl_formatter_t *one = &self->one;
    if (byte_at(self, self->at) != '*') {
        one->has_width = read_number(self, self->format.len, &one->width);
        if (self->after_index && one->has_width)
            self->bad_index = true;
        return;
    }
    self->at++;
    one->has_width = read_star(self, &one->width);
    if (!one->has_width)
        tpl_out_add(one->out, "%!(BADWIDTH)");
    if (one->width < 0) {
        one->width = -one->width;
        one->minus = true;
        one->zero = false;
    }
    self->after_index = false;
}

static void
read_precision(printer_t *self)
{
    tpl_formatter_t *one = &self->one;
    if (byte_at(self, self->at) != '.')
        return;
    self->at++;
    if (self->after_index)
        self->bad_index = true;
    read_index(self);
    if (byte_at(self, self->at) != '*') {
        read_number(self, self->format.len, &one->precision);
        one->has_precision = true;
        return;
    }
    self->at++;
    one->has_precision = read_star(self, &one->precision);
    if (one->precision < 0) {
        one->precision = 0;
        one->has_precision = false;
    }
    if (!one->has_precision)
        tpl_out_add(one->out, "%!(BADPREC)");
    self->after_index = false;
}

static void
put_problem(printer_t *self, uint32_t verb, const char *problem)
{
    tpl_out_add(self->one.out, "%!");
    tpl_out_char(self->one.out, verb);
    tpl_out_add(self->one.out, problem);
}

/* One directive, behind its "%". */
static void
put_directive(printer_t *self)
{
    tpl_out_t *out = self->one.out;
    uint32_t verb;

    self->one = (tpl_formatter_t){.out = out};
    self->bad_index = false;
    read_flags(self);
    read_index(self);
    read_width(self);
    read_precision(self);
    if (!self->after_index)
        read_index(self);
    if (self->at >= self->format.len) {
        tpl_out_add(out, "%!(NOVERB)");
        return;
    }
    self->at += utf8_get(self->format.bytes + self->at, self->format.len - self->at, &verb);
    if (verb == '%') {
        tpl_out_char(out, '%');
    } else if (self->bad_index) {
        put_problem(self, verb, "(BADINDEX)");
    } else if (self->next >= self->count) {
        put_problem(self, verb, "(MISSING)");
    } else {
        if (verb == 'v') {
            self->one.go_syntax = self->one.sharp;
            self->one.sharp = self->one.plus = false;
        }
        tpl_format_one(&self->one, &self->values[self->next++], verb);
    }
}

static void
put_surplus(printer_t *self)
{
    tpl_out_t *out = self->one.out;
    if (self->reordered || self->next >= self->count)
        return;
    tpl_out_add(out, "%!(EXTRA ");
    for (size_t i = self->next; i < self->count; i++) {
        if (i > self->next)
            tpl_out_add(out, ", ");
        if (!tpl_is_nil(&self->values[i])) {
            tpl_out_add(out, tpl_type_name(&self->values[i]));
            tpl_out_char(out, '=');
        }
        tpl_print_verb(out, &self->values[i], 'v');
    }
    tpl_out_char(out, ')');
}

void
tpl_printf(tpl_out_t *out, tpl_text_t format, const tpl_value_t *values, size_t count)
{
    printer_t self = {.one = {.out = out}, .format = format, .values = values, .count = count};

    while (self.at < format.len && !out->is_full) {
        size_t start = self.at;
        while (self.at < format.len && format.bytes[self.at] != '%')
            self.at++;
        tpl_out_bytes(out, format.bytes + start, self.at - start);
        if (self.at < format.len) {
            self.at++;
            put_directive(&self);
        }
    }
    put_surplus(&self);
}
