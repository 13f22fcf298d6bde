/*  data: see data.h. The grammar is RFC 8259's, read as Go's decoder does: bytes that are no UTF-8
 * and lone surrogates become U+FFFD, the last of equal keys counts, numbers keep their text. */
#include "apic/template/data.h"

#include "apic/template/text.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Values of lists and maps that are still open; moved into the arena when theirs closes. */
typedef struct {
    tpl_arena_t *arena;
    const char *start, *next, *end;
    tpl_entry_t *open;
    size_t open_count, open_space;
    unsigned depth;
    err_t **err;
} reader_t;

static int read_value(reader_t *self, tpl_value_t *ret);

static int
fail(const reader_t *self, const char *what)
{
    return err_fail(self->err, ERR_INVALID, "invalid JSON at byte %zu: %s",
                    (size_t)(self->next - self->start), what);
}

static void
skip_blanks(reader_t *self)
{
    while (self->next < self->end && memchr(" \t\r\n", *self->next, 4))
        self->next++;
}

static bool
take(reader_t *self, char c)
{
    if (self->next == self->end || *self->next != c)
        return false;
    self->next++;
    return true;
}

/* -------------------------------------------------------------------------------------- scalars */

static bool
take_run_of_digits(reader_t *self)
{
    const char *start = self->next;
    while (self->next < self->end && *self->next >= '0' && *self->next <= '9')
        self->next++;
    return self->next > start;
}

static int
read_number(reader_t *self, tpl_value_t *ret)
{
    const char *start = self->next;
    take(self, '-');
    if (!take(self, '0') && !take_run_of_digits(self))
        return fail(self, "expected a value");
    if (take(self, '.') && !take_run_of_digits(self))
        return fail(self, "expected a digit after '.'");
    if (take(self, 'e') || take(self, 'E')) {
        if (!take(self, '+'))
            take(self, '-');
        if (!take_run_of_digits(self))
            return fail(self, "expected a digit in the exponent");
    }
    *ret = (tpl_value_t){.kind = TPL_NUM, .text = {start, (size_t)(self->next - start)}};
    return 0;
}

static bool
take_hex4(reader_t *self, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++, self->next++) {
        if (self->next == self->end || tpl_digit(*self->next) >= 16)
            return false;
        *ret = *ret << 4 | (uint32_t)tpl_digit(*self->next);
    }
    return true;
}

/* \uXXXX, or two of them that are one character. */
static int
read_unicode(reader_t *self, str_t *out)
{
    uint32_t first, second;
    if (!take_hex4(self, &first))
        return fail(self, "expected four hexadecimal digits");
    const char *behind = self->next;
    if (first >= 0xD800 && first < 0xDC00 && take(self, '\\') && take(self, 'u') &&
        take_hex4(self, &second) && second >= 0xDC00 && second < 0xE000) {
        utf8_put(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        return 0;
    }
    self->next = behind;
    utf8_put(out, first);
    return 0;
}

static int
read_escape(reader_t *self, str_t *out)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (take(self, 'u'))
        return read_unicode(self, out);
    const char *letter =
        self->next < self->end && *self->next ? strchr(letters, *self->next) : NULL;
    if (!letter)
        return fail(self, "unknown escape in a string");
    self->next++;
    str_add_char(out, bytes[letter - letters]);
    return 0;
}

/* A string that has an escape, a byte that is no text, or no end; start is behind its quote. */
static int
read_hard_string(reader_t *self, const char *start, tpl_text_t *ret)
{
    AUTO_STR text = STR_EMPTY;
    str_add_bytes(&text, start, (size_t)(self->next - start));
    while (!take(self, '"')) {
        if (self->next == self->end)
            return fail(self, "the string has no end");
        if ((unsigned char)*self->next < ' ')
            return fail(self, "control character in a string");
        if (take(self, '\\')) {
            if (read_escape(self, &text) < 0)
                return -1;
            continue;
        }
        uint32_t c;
        self->next += utf8_get(self->next, (size_t)(self->end - self->next), &c);
        utf8_put(&text, c);
    }
    return tpl_arena_text(self->arena, text.data, text.len, ret, self->err);
}

static int
read_string(reader_t *self, tpl_text_t *ret)
{
    const char *start = ++self->next;
    while (self->next < self->end && (unsigned char)*self->next >= ' ' && *self->next != '"' &&
           *self->next != '\\')
        self->next++;
    size_t len = (size_t)(self->next - start);
    if (self->next < self->end && *self->next == '"' && utf8_is(start, len)) {
        self->next++;
        *ret = (tpl_text_t){start, len};
        return 0;
    }
    self->next = start;
    return read_hard_string(self, start, ret);
}

static int
read_word(reader_t *self, tpl_value_t *ret)
{
    static const struct {
        const char *word;
        tpl_value_t value;
    } words[] = {{"true", {.kind = TPL_BOOL, .truth = true}},
                 {"false", {.kind = TPL_BOOL}},
                 {"null", {.kind = TPL_NULL}}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].word);
        if ((size_t)(self->end - self->next) >= len && !memcmp(self->next, words[i].word, len)) {
            self->next += len;
            *ret = words[i].value;
            return 0;
        }
    }
    return fail(self, "expected a value");
}

/* -------------------------------------------------------------------------------------- holders */

static int
open_add(reader_t *self, tpl_entry_t entry)
{
    if (self->open_count == self->open_space) {
        size_t space = self->open_space ? self->open_space * 2 : 64;
        if (space > TEMPLATE_MEMORY_MAX / sizeof *self->open)
            return err_fail(self->err, ERR_LIMIT, "the JSON text has more than %zu values",
                            self->open_count);
        self->open = realloc(self->open, space * sizeof *self->open);
        if (!self->open)
            abort();
        self->open_space = space;
    }
    entry.value.boxed = true;
    self->open[self->open_count++] = entry;
    return 0;
}

static int
read_list(reader_t *self, tpl_value_t *ret)
{
    size_t first = self->open_count;

    self->next++;
    skip_blanks(self);
    for (bool is_first = true; !take(self, ']'); is_first = false) {
        tpl_entry_t entry = {0};
        if (!is_first && !take(self, ','))
            return fail(self, "expected ',' or ']'");
        if (read_value(self, &entry.value) < 0 || open_add(self, entry) < 0)
            return -1;
        skip_blanks(self);
    }
    size_t count = self->open_count - first;
    tpl_value_t *items = tpl_arena_alloc(self->arena, count * sizeof *items, self->err);
    if (!items)
        return -1;
    for (size_t i = 0; i < count; i++)
        items[i] = self->open[first + i].value;
    self->open_count = first;
    *ret = (tpl_value_t){.kind = TPL_LIST, .items = items, .count = count};
    return 0;
}

static int
compare_keys(const void *a, const void *b)
{
    const tpl_entry_t *one = a, *two = b;
    int order = tpl_text_compare(one->key, two->key);
    /* Of equal keys the later one comes first; close_map has left their places in count. */
    return order ? order
                 : (one->value.count < two->value.count) - (one->value.count > two->value.count);
}

/* Sorts the open entries from first on by their keys, and keeps the last of equal ones. */
static int
close_map(reader_t *self, size_t first, tpl_value_t *ret)
{
    size_t count = self->open_count - first, kept = 0;
    tpl_entry_t *entries = tpl_arena_alloc(self->arena, count * sizeof *entries, self->err);
    if (!entries)
        return -1;
    for (size_t i = 0; i < count; i++)
        entries[i] = (tpl_entry_t){.key = self->open[first + i].key, .value.count = i};
    qsort(entries, count, sizeof *entries, compare_keys);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && tpl_text_is(entries[kept - 1].key, entries[i].key))
            continue;
        entries[kept++] = self->open[first + entries[i].value.count];
    }
    self->open_count = first;
    *ret = (tpl_value_t){.kind = TPL_MAP, .entries = entries, .count = kept};
    return 0;
}

static int
read_map(reader_t *self, tpl_value_t *ret)
{
    size_t first = self->open_count;

    self->next++;
    skip_blanks(self);
    for (bool is_first = true; !take(self, '}'); is_first = false) {
        tpl_entry_t entry = {0};
        if (!is_first && !take(self, ','))
            return fail(self, "expected ',' or '}'");
        skip_blanks(self);
        if (self->next == self->end || *self->next != '"')
            return fail(self, "expected a key in double quotes");
        if (read_string(self, &entry.key) < 0)
            return -1;
        skip_blanks(self);
        if (!take(self, ':'))
            return fail(self, "expected ':'");
        if (read_value(self, &entry.value) < 0 || open_add(self, entry) < 0)
            return -1;
        skip_blanks(self);
    }
    return close_map(self, first, ret);
}

static int
read_value(reader_t *self, tpl_value_t *ret)
{
    int result;

    skip_blanks(self);
    if (self->next == self->end)
        return fail(self, "the text ends where a value is expected");
    switch (*self->next) {
    case '"':
        *ret = (tpl_value_t){.kind = TPL_STRING};
        return read_string(self, &ret->text);
    case '[':
    case '{':
        if (++self->depth > TEMPLATE_DEPTH_MAX)
            return err_fail(self->err, ERR_LIMIT, "the JSON text is nested deeper than %u",
                            TEMPLATE_DEPTH_MAX);
        result = *self->next == '[' ? read_list(self, ret) : read_map(self, ret);
        self->depth--;
        return result;
    case '-':
    case '0' ... '9':
        return read_number(self, ret);
    default:
        return read_word(self, ret);
    }
}

int
tpl_data_parse(tpl_arena_t *arena, const char *json, size_t size, tpl_value_t *ret,
               size_t *ret_used, err_t **err)
{
    reader_t self = {.arena = arena, .start = json, .next = json, .end = json + size, .err = err};

    if (size > TEMPLATE_TEXT_MAX)
        return err_fail(err, ERR_LIMIT, "the JSON text has more than %u bytes", TEMPLATE_TEXT_MAX);
    int result = read_value(&self, ret);
    free(self.open);
    *ret_used = (size_t)(self.next - self.start);
    return result;
}

/* ------------------------------------------------------------------------------------ canonical
 * form */

static void
write_string(tpl_out_t *out, tpl_text_t text)
{
    static const char letters[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";

    tpl_out_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        uint32_t c;
        i += utf8_get(text.bytes + i, text.len - i, &c);
        const char *letter = c && c < 0x80 ? strchr(bytes, (int)c) : NULL;
        char hex[8];
        if (letter) {
            tpl_out_char(out, '\\');
            tpl_out_char(out, (unsigned char)letters[letter - bytes]);
        } else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029) {
            snprintf(hex, sizeof hex, "\\u%04x", c);
            tpl_out_add(out, hex);
        } else {
            tpl_out_char(out, c);
        }
    }
    tpl_out_char(out, '"');
}

/* Integers stay as they are, beyond 2^53 too. */
static int
write_number(tpl_out_t *out, tpl_text_t number, err_t **err)
{
    AUTO_FREE char *text = strndup(number.bytes, number.len);
    double real = strtod(text, NULL);

    if (isinf(real))
        return err_fail(err, ERR_INVALID, "the number %.40s is beyond what a 64-bit float can hold",
                        text);
    if (!strpbrk(text, ".eE")) {
        tpl_out_bytes(out, number.bytes, number.len);
        return 0;
    }
    AUTO_STR digits = STR_EMPTY;
    tpl_float_put_json(&digits, real);
    tpl_out_bytes(out, digits.data, digits.len);
    return 0;
}

static int
write_value(tpl_out_t *out, const tpl_value_t *value, err_t **err)
{
    switch (value->kind) {
    case TPL_BOOL:
        tpl_out_add(out, value->truth ? "true" : "false");
        return 0;
    case TPL_STRING:
        write_string(out, value->text);
        return 0;
    case TPL_NUM:
        return write_number(out, value->text, err);
    case TPL_LIST:
        for (size_t i = 0; i < value->count; i++) {
            tpl_out_char(out, i ? ',' : '[');
            if (write_value(out, &value->items[i], err) < 0)
                return -1;
        }
        tpl_out_add(out, value->count ? "]" : "[]");
        return 0;
    case TPL_MAP:
        for (size_t i = 0; i < value->count; i++) {
            tpl_out_char(out, i ? ',' : '{');
            write_string(out, value->entries[i].key);
            tpl_out_char(out, ':');
            if (write_value(out, &value->entries[i].value, err) < 0)
                return -1;
        }
        tpl_out_add(out, value->count ? "}" : "{}");
        return 0;
    default:
        tpl_out_add(out, "null");
        return 0;
    }
}

int
template_json_normalise(const char *json, size_t size, str_t *text, err_t **err)
{
    tpl_arena_t arena = TPL_ARENA;
    tpl_out_t out = {.text = text, .left = TEMPLATE_OUTPUT_MAX};
    tpl_value_t value;
    size_t used;

    int result = tpl_data_parse(&arena, json, size, &value, &used, err);
    while (result == 0 && used < size && memchr(" \t\r\n", json[used], 4))
        used++;
    if (result == 0 && used < size)
        result = err_fail(err, ERR_INVALID, "invalid JSON at byte %zu: something follows the value",
                          used);
    if (result == 0)
        result = write_value(&out, &value, err);
    if (result == 0)
        result = tpl_out_check(&out, err);
    tpl_arena_done(&arena);
    return result;
}
