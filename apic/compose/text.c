/*  text: names, literals, words and sizes. */
#include "apic/compose/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char *
text_name(const char *name)
{
    AUTO_STR out = STR_EMPTY;
    for (; *name; name++) {
        const char c = (char)tolower((unsigned char)*name);
        if (isalnum((unsigned char)c) && (unsigned char)c < 0x80)
            str_add_char(&out, c);
        else if (out.len && out.data[out.len - 1] != '-')
            str_add_char(&out, '-');
    }
    while (out.len && out.data[out.len - 1] == '-')
        out.data[--out.len] = 0;
    return str_format("%s", out.data);
}

void
text_quote(str_t *out, const char *text)
{
    str_add_char(out, '"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            str_printf(out, "\\%c", c);
        else if (c == '\n')
            str_add(out, "\\n");
        else if (c == '\r')
            str_add(out, "\\r");
        else if (c == '\t')
            str_add(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            str_printf(out, "\\x%02x", c);
        else
            str_add_char(out, (char)c);
    }
    str_add_char(out, '"');
}

/* A number with a point or an exponent, by YAML's rules. */
static bool
is_float(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');
    const size_t whole = strspn(at, "0123456789");
    size_t part = 0;
    at += whole;
    const bool has_point = *at == '.';
    if (has_point) {
        part = strspn(++at, "0123456789");
        at += part;
    }
    const bool has_exponent = *at == 'e' || *at == 'E';
    if (has_exponent) {
        at += 1 + (at[1] == '-' || at[1] == '+');
        if (!isdigit((unsigned char)*at))
            return false;
        at += strspn(at, "0123456789");
    }
    return !*at && whole + part > 0 && (has_point || has_exponent);
}

char *
text_scalar(const node_t *node)
{
    if (node->is_plain && (!strcasecmp(node->text, "true") || !strcasecmp(node->text, "false")))
        return strdup(node->text[0] == 't' || node->text[0] == 'T' ? "true" : "false");
    if (!node->is_plain || !is_float(node->text))
        return strdup(node->text);
    const double value = strtod(node->text, NULL);
    char text[64];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return strdup(text);
}

void
text_words_free(char **words)
{
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}

/* Reads one word, *at on its first byte. */
static int
read_word(const char **at, str_t *word, err_t **err)
{
    char quote = 0;
    for (; **at && (quote || !isspace((unsigned char)**at)); ++*at) {
        const char c = **at;
        if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : c;
        } else if (c == '\\' && quote != '\'' && (*at)[1]) {
            const char next = *++*at;
            if (quote && !strchr("\"\\$`\n", next))
                str_add_char(word, '\\');
            str_add_char(word, next);
        } else {
            str_add_char(word, c);
        }
    }
    return quote ? err_fail(err, ERR_INVALID, "a quote %c has no end", quote) : 0;
}

int
text_split(const char *text, char ***ret_words, err_t **err)
{
    /* A word and the blank behind it take two bytes. */
    char **words = calloc(strlen(text) / 2 + 2, sizeof(*words));
    size_t n = 0;
    if (!words)
        abort();
    for (const char *at = text; *(at += strspn(at, " \t\r\n\v\f"));) {
        AUTO_STR word = STR_EMPTY;
        if (read_word(&at, &word, err) < 0) {
            text_words_free(words);
            return -1;
        }
        words[n++] = str_format("%s", word.data);
    }
    *ret_words = words;
    return 0;
}

bool
text_bytes(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "kmgt";
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    double value = strtod(text, &end);
    end += strspn(end, " ");
    const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    if (unit) {
        for (const char *at = units; at <= unit; at++)
            value *= 1024;
        end++;
        end += *end == 'i';
    }
    end += *end == 'b' || *end == 'B';
    if (*end || value < 0 || value > 9e18)
        return false;
    *ret_bytes = (uint64_t)value;
    return true;
}

size_t
text_variable_size(const char *text)
{
    size_t size = 0;
    while (text[size] == '_' || isalpha((unsigned char)text[size]) ||
           (size && isdigit((unsigned char)text[size])))
        size++;
    return size;
}
