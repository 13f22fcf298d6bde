/*  starlark_text: a canonical instruction, one long line, in the layout that people write: see
 * render.h.
 *
 *  A call, list or dict that does not fit the width is opened up, one item a line, four blanks
 * deeper.
 */
#include "cli/render.h"

#include <string.h>

#define WIDTH 88 /* characters that a line may have */
#define DEPTH_MAX 60

typedef struct {
    const char *text;
    size_t size;
} span_t;

/* Length of the string literal at the start, quotes included. */
static size_t
literal_size(span_t in)
{
    size_t i = 1;
    while (i < in.size && in.text[i] != in.text[0])
        i += in.text[i] == '\\' ? 2 : 1;
    return i + 1 < in.size ? i + 1 : in.size;
}

/* Index of the bracket that closes the one at open; in.size when there is none. */
static size_t
find_close(span_t in, size_t open)
{
    int depth = 0;
    for (size_t i = open; i < in.size;) {
        char c = in.text[i];
        if (c == '"' || c == '\'') {
            i += literal_size((span_t){in.text + i, in.size - i});
            continue;
        }
        depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
        if (depth == 0)
            return i;
        i++;
    }
    return in.size;
}

/* Bytes up to the next comma outside of brackets and literals. */
static size_t
item_size(span_t in)
{
    for (size_t i = 0; i < in.size;) {
        char c = in.text[i];
        if (c == ',')
            return i;
        if (c == '"' || c == '\'')
            i += literal_size((span_t){in.text + i, in.size - i});
        else if (c == '(' || c == '[' || c == '{')
            i = find_close(in, i) + 1;
        else
            i++;
    }
    return in.size;
}

/* The first opening bracket outside of literals. */
static size_t
find_open(span_t in)
{
    for (size_t i = 0; i < in.size;) {
        char c = in.text[i];
        if (c == '(' || c == '[' || c == '{')
            return i;
        i += c == '"' || c == '\'' ? literal_size((span_t){in.text + i, in.size - i}) : 1;
    }
    return in.size;
}

static span_t
trim(span_t in)
{
    while (in.size > 0 && *in.text == ' ')
        in.text++, in.size--;
    while (in.size > 0 && in.text[in.size - 1] == ' ')
        in.size--;
    return in;
}

/* One expression that begins at column 4 * depth (+ more characters after it). */
static void
layout(str_t *out, span_t in, int depth, size_t more)
{
    size_t open = find_open(in), close = find_close(in, open);
    bool fits = 4 * (size_t)depth + in.size + more <= WIDTH;
    if (fits || depth > DEPTH_MAX || open >= in.size || close >= in.size || close == open + 1) {
        str_add_bytes(out, in.text, in.size);
        return;
    }
    str_add_bytes(out, in.text, open + 1);
    str_add_char(out, '\n');
    span_t rest = {in.text + open + 1, close - open - 1};
    while (rest.size > 0) {
        size_t size = item_size(rest);
        span_t item = trim((span_t){rest.text, size});
        str_printf(out, "%*s", 4 * (depth + 1), "");
        layout(out, item, depth + 1, 1);
        str_add(out, ",\n");
        size += size < rest.size;
        rest = (span_t){rest.text + size, rest.size - size};
    }
    str_printf(out, "%*s", 4 * depth, "");
    str_add_bytes(out, in.text + close, in.size - close);
}

void
render_starlark(str_t *out, const char *text)
{
    layout(out, (span_t){text, strlen(text)}, 0, 0);
}
