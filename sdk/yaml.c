/*  yaml: YAML 1.1 documents as JSON, the way Kurtosis' clients hand parameters on.
 *
 *  Plain scalars are resolved as YAML 1.1 says (yes, on, ~, 0x1f, 1_000), keys become text, merge
 * keys (<<) are followed, keys come out sorted. Whole numbers of any size stay whole; 1.0
 * becomes 1.
 */
#include "sdk/contexts.h"

#include "base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 100
#define OUTPUT_MAX BUS_BODY_MAX /* also bounds what aliases of aliases can grow to */

typedef struct {
    yaml_document_t *document;
    const char *text; /* the source; NULL when it has no tag for texts */
    str_t *out;
    size_t start; /* length of out before */
    err_t **err;
} writer_t;

static int write_node(writer_t *self, const yaml_node_t *node, int depth);

/* -------------------------------------------------------------------------------------- scalars */

typedef enum {
    KIND_TEXT,
    KIND_NULL,
    KIND_TRUE,
    KIND_FALSE,
    KIND_WHOLE,
    KIND_REAL,
    KIND_NO_JSON
} kind_t;

static const struct {
    const char *text;
    kind_t kind;
} words[] = {
    {"", KIND_NULL},         {"~", KIND_NULL},        {"null", KIND_NULL},
    {"Null", KIND_NULL},     {"NULL", KIND_NULL},     {"y", KIND_TRUE},
    {"Y", KIND_TRUE},        {"yes", KIND_TRUE},      {"Yes", KIND_TRUE},
    {"YES", KIND_TRUE},      {"true", KIND_TRUE},     {"True", KIND_TRUE},
    {"TRUE", KIND_TRUE},     {"on", KIND_TRUE},       {"On", KIND_TRUE},
    {"ON", KIND_TRUE},       {"n", KIND_FALSE},       {"N", KIND_FALSE},
    {"no", KIND_FALSE},      {"No", KIND_FALSE},      {"NO", KIND_FALSE},
    {"false", KIND_FALSE},   {"False", KIND_FALSE},   {"FALSE", KIND_FALSE},
    {"off", KIND_FALSE},     {"Off", KIND_FALSE},     {"OFF", KIND_FALSE},
    {".nan", KIND_NO_JSON},  {".NaN", KIND_NO_JSON},  {".NAN", KIND_NO_JSON},
    {".inf", KIND_NO_JSON},  {".Inf", KIND_NO_JSON},  {".INF", KIND_NO_JSON},
    {"+.inf", KIND_NO_JSON}, {"-.inf", KIND_NO_JSON},
};

/* Digits of a base, '_' between them allowed; at least one. */
static bool
all_digits(const char *text, const char *digits)
{
    size_t len = strlen(text);
    return len > 0 && *text != '_' && strspn(text, digits) == len;
}

/* A whole number: decimal ones of any size, others up to 64 bits. *ret is its decimal text. */
static bool
read_whole(const char *text, char ret[32], bool *ret_verbatim)
{
    const char *digits = text + (*text == '+' || *text == '-');
    *ret_verbatim = false;
    int base = 10;
    if (digits[0] == '0' && digits[1]) {
        base = strchr("xX", digits[1]) ? 16 : strchr("bB", digits[1]) ? 2 : 8;
        digits += base != 8 || strchr("oO", digits[1]) ? 2 : 1;
    }
    static const char *const allowed[] = {
        [2] = "01_", [8] = "01234567_", [10] = "0123456789_", [16] = "0123456789abcdefABCDEF_"};
    if (!all_digits(digits, allowed[base]))
        return false;
    if (base == 10) {
        *ret_verbatim = true;
        return true;
    }
    unsigned long long value = 0;
    for (const char *at = digits; *at; at++) {
        if (*at == '_')
            continue;
        unsigned digit = (unsigned)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
        if (__builtin_mul_overflow(value, (unsigned long long)base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    snprintf(ret, 32, "%s%llu", *text == '-' ? "-" : "", value);
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? with '_' anywhere. */
static bool
is_real(const char *text)
{
    const char *at = text + (*text == '+' || *text == '-');
    size_t before = strspn(at, "0123456789_");
    bool dot = at[before] == '.';
    size_t after = dot ? strspn(at + before + 1, "0123456789_") : 0;
    if (before + after == 0 || *at == '_')
        return false;
    at += before + dot + after;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        size_t digits = strspn(at, "0123456789");
        at += digits;
        if (digits == 0)
            return false;
    }
    return *at == '\0';
}

/* Does the source say !!str there? libyaml gives plain scalars the same tag when nothing is said.
 */
static bool
says_text(const writer_t *self, const yaml_node_t *node)
{
    const char *at = self->text;
    for (size_t left = node->start_mark.index; at && *at && left > 0; at++)
        left -= ((unsigned char)at[1] & 0xc0) != 0x80;
    while (at && (*at == '&' || *at == '!')) {
        if (str_starts(at, "!!str") || str_starts(at, "!<" YAML_STR_TAG ">") ||
            str_starts(at, "! "))
            return true;
        at += strcspn(at, " \t\n");
        at += strspn(at, " \t\n");
    }
    return false;
}

static kind_t
kind_of(const writer_t *self, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    const char *tag = (const char *)node->tag;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (tag && strcmp(tag, YAML_STR_TAG) && strcmp(tag, "!"))
        plain = true; /* an explicit !!int, !!bool ... */
    if (!plain || strlen(text) != node->data.scalar.length || says_text(self, node))
        return KIND_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcmp(text, words[i].text))
            return words[i].kind;
    char whole[32];
    bool verbatim;
    if (strchr("+-.0123456789", *text)) {
        if (read_whole(text, whole, &verbatim))
            return KIND_WHOLE;
        if (is_real(text))
            return KIND_REAL;
    }
    return KIND_TEXT;
}

static void
write_text(str_t *out, const char *text, size_t size)
{
    AUTO_STR clean = STR_EMPTY;
    utf8_clean(&clean, text, size);
    str_add_char(out, '"');
    for (size_t i = 0; i < clean.len; i++) {
        unsigned char c = (unsigned char)clean.data[i];
        if (c == '"' || c == '\\')
            str_printf(out, "\\%c", c);
        else if (c < 0x20)
            str_printf(out, "\\u%04x", c);
        else
            str_add_char(out, (char)c);
    }
    str_add_char(out, '"');
}

static void
write_whole(str_t *out, const char *text)
{
    char other_base[32];
    bool verbatim;
    read_whole(text, other_base, &verbatim);
    if (!verbatim) {
        str_add(out, other_base);
        return;
    }
    if (*text == '-')
        str_add_char(out, '-');
    for (const char *at = text; *at; at++)
        if (*at >= '0' && *at <= '9')
            str_add_char(out, *at);
}

/* The shortest digits that read back as the same number. */
static int
write_real(writer_t *self, const char *text)
{
    AUTO_FREE char *digits = strdup(text);
    size_t len = 0;
    for (const char *at = text; *at; at++)
        if (*at != '_')
            digits[len++] = *at;
    digits[len] = '\0';
    double value = strtod(digits, NULL);
    if (!isfinite(value))
        return err_fail(self->err, ERR_INVALID, "'%s' is too large for a number", text);
    char shortest[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(shortest, sizeof shortest, "%.*g", precision, value);
        if (strtod(shortest, NULL) == value)
            break;
    }
    double size = fabs(value);
    if (strchr(shortest, 'e') && size >= 1e-6 && size < 1e21)
        snprintf(shortest, sizeof shortest, "%.0f", value);
    str_add(self->out, shortest);
    return 0;
}

static int
write_scalar(writer_t *self, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    switch (kind_of(self, node)) {
    case KIND_NULL:
        str_add(self->out, "null");
        return 0;
    case KIND_TRUE:
        str_add(self->out, "true");
        return 0;
    case KIND_FALSE:
        str_add(self->out, "false");
        return 0;
    case KIND_WHOLE:
        write_whole(self->out, text);
        return 0;
    case KIND_REAL:
        return write_real(self, text);
    case KIND_NO_JSON:
        return err_fail(self->err, ERR_INVALID, "'%s' in line %zu cannot be said in JSON", text,
                        node->start_mark.line + 1);
    default:
        write_text(self->out, text, node->data.scalar.length);
        return 0;
    }
}

/* ------------------------------------------------------------------------------------- mappings */

typedef struct {
    str_t key; /* as JSON text */
    const yaml_node_t *value;
    long rank; /* among equal keys the lowest counts: own ones before merged ones, the last own one
                  first */
} entry_t;

typedef struct {
    entry_t *entries;
    size_t count, space;
} mapping_t;

static void
mapping_done(mapping_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        str_done(&self->entries[i].key);
    free(self->entries);
}

static void
mapping_put(mapping_t *self, str_t *key, const yaml_node_t *value, bool own)
{
    if (self->count == self->space) {
        self->space = self->space ? self->space * 2 : 8;
        self->entries = realloc(self->entries, self->space * sizeof *self->entries);
        if (!self->entries)
            abort();
    }
    long number = (long)self->count + 1;
    self->entries[self->count++] = (entry_t){*key, value, own ? -number : number};
    *key = STR_EMPTY;
}

static int
key_text(writer_t *self, const yaml_node_t *node, str_t *out)
{
    if (node->type != YAML_SCALAR_NODE)
        return err_fail(self->err, ERR_INVALID, "the key in line %zu is no text",
                        node->start_mark.line + 1);
    AUTO_STR plain = STR_EMPTY;
    writer_t writer = {.text = self->text, .out = &plain, .err = self->err};
    if (kind_of(self, node) == KIND_TEXT) {
        write_text(out, (const char *)node->data.scalar.value, node->data.scalar.length);
        return 0;
    }
    if (write_scalar(&writer, node) < 0)
        return -1;
    write_text(out, plain.data, plain.len);
    return 0;
}

static bool
is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           !strcmp((const char *)key->data.scalar.value, "<<");
}

static int gather(writer_t *self, mapping_t *mapping, const yaml_node_t *node, bool own, int depth);

/* << : a mapping, or a list of them, whose keys come after one's own. */
static int
gather_merged(writer_t *self, mapping_t *mapping, const yaml_node_t *value, int depth)
{
    if (value->type == YAML_MAPPING_NODE)
        return gather(self, mapping, value, false, depth + 1);
    if (value->type != YAML_SEQUENCE_NODE)
        return err_fail(self->err, ERR_INVALID, "'<<' in line %zu needs a mapping",
                        value->start_mark.line + 1);
    for (const yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
        const yaml_node_t *one = yaml_document_get_node(self->document, *item);
        if (one->type != YAML_MAPPING_NODE)
            return err_fail(self->err, ERR_INVALID, "'<<' in line %zu needs mappings",
                            value->start_mark.line + 1);
        if (gather(self, mapping, one, false, depth + 1) < 0)
            return -1;
    }
    return 0;
}

static int
gather(writer_t *self, mapping_t *mapping, const yaml_node_t *node, bool own, int depth)
{
    if (depth > DEPTH_MAX)
        return err_fail(self->err, ERR_LIMIT, "the YAML is nested deeper than %d", DEPTH_MAX);
    const yaml_node_pair_t *pairs = node->data.mapping.pairs.start,
                           *end = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = pairs; pair < end; pair++) {
        const yaml_node_t *key = yaml_document_get_node(self->document, pair->key);
        if (is_merge(key))
            continue;
        AUTO_STR text = STR_EMPTY;
        if (key_text(self, key, &text) < 0)
            return -1;
        mapping_put(mapping, &text, yaml_document_get_node(self->document, pair->value), own);
    }
    for (const yaml_node_pair_t *pair = pairs; pair < end; pair++)
        if (is_merge(yaml_document_get_node(self->document, pair->key)) &&
            gather_merged(self, mapping, yaml_document_get_node(self->document, pair->value),
                          depth) < 0)
            return -1;
    return 0;
}

static int
by_key(const void *a, const void *b)
{
    const entry_t *one = a, *other = b;
    int order = strcmp(one->key.data, other->key.data);
    return order ? order : one->rank < other->rank ? -1 : 1;
}

static int
write_mapping(writer_t *self, const yaml_node_t *node, int depth)
{
    __attribute__((cleanup(mapping_done))) mapping_t mapping = {0};
    if (gather(self, &mapping, node, true, depth) < 0)
        return -1;
    if (mapping.count)
        qsort(mapping.entries, mapping.count, sizeof *mapping.entries, by_key);
    str_add_char(self->out, '{');
    for (size_t i = 0; i < mapping.count; i++) {
        if (i > 0 && !strcmp(mapping.entries[i].key.data, mapping.entries[i - 1].key.data))
            continue;
        str_printf(self->out, "%s%s:", i ? "," : "", mapping.entries[i].key.data);
        if (write_node(self, mapping.entries[i].value, depth + 1) < 0)
            return -1;
    }
    str_add_char(self->out, '}');
    return 0;
}

static int
write_sequence(writer_t *self, const yaml_node_t *node, int depth)
{
    str_add_char(self->out, '[');
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        if (item > node->data.sequence.items.start)
            str_add_char(self->out, ',');
        if (write_node(self, yaml_document_get_node(self->document, *item), depth + 1) < 0)
            return -1;
    }
    str_add_char(self->out, ']');
    return 0;
}

static int
write_node(writer_t *self, const yaml_node_t *node, int depth)
{
    if (depth > DEPTH_MAX)
        return err_fail(self->err, ERR_LIMIT, "the YAML is nested deeper than %d", DEPTH_MAX);
    if (self->out->len - self->start > OUTPUT_MAX)
        return err_fail(self->err, ERR_LIMIT, "the YAML grows beyond %u bytes", OUTPUT_MAX);
    switch (node->type) {
    case YAML_MAPPING_NODE:
        return write_mapping(self, node, depth);
    case YAML_SEQUENCE_NODE:
        return write_sequence(self, node, depth);
    default:
        return write_scalar(self, node);
    }
}

int
sdk_yaml_to_json(const char *text, size_t size, str_t *out, err_t **err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int result = 0;
    if (!yaml_parser_load(&parser, &document)) {
        result = err_fail(err, ERR_INVALID, "line %zu: %s%s%s", parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "it cannot be read",
                          parser.context ? ", " : "", parser.context ? parser.context : "");
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        writer_t writer = {.document = &document,
                           .text = strstr(text, "!!str") || strstr(text, "!<") ? text : NULL,
                           .out = out,
                           .start = out->len,
                           .err = err};
        if (root)
            result = write_node(&writer, root, 0);
        else
            str_add(out, "null");
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return result;
}

/* ret_why: why it is none. */
static bool
is_json_object(const char *text, json_error_t *ret_why)
{
    *ret_why = (json_error_t){.text = "it is no object"};
    json_t *value = json_loads(text, JSON_DECODE_INT_AS_REAL, ret_why);
    bool is = json_is_object(value);
    json_decref(value);
    return is;
}

int
starlark_params_to_json(const char *text, str_t *out, err_t **err)
{
    json_error_t json;
    AUTO(err) yaml = NULL;
    if (is_json_object(text, &json)) {
        str_add(out, text);
        return 0;
    }
    if (sdk_yaml_to_json(text, strlen(text), out, &yaml) == 0)
        return 0;
    AUTO_FREE char *why = err_string(yaml);
    return err_fail(err, err_code(yaml), "JSON parsing error 'line %d: %s', YAML parsing error '%s'",
                    json.line, json.text, why);
}
