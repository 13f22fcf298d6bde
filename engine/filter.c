/*  filter: see filter.h. */
#include "engine/filter.h"

#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <string.h>

/* How an operator is compiled and read. */
static const struct {
    uint32_t options;
    bool wanted;
} operators[] = {
    [ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_CONTAIN_TEXT] = {PCRE2_LITERAL |
                                                                              PCRE2_CASELESS,
                                                                          true},
    [ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_NOT_CONTAIN_TEXT] = {PCRE2_LITERAL |
                                                                                  PCRE2_CASELESS,
                                                                              false},
    [ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_CONTAIN_MATCH_REGEX] =
        {PCRE2_NEVER_BACKSLASH_C, true},
    [ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_NOT_CONTAIN_MATCH_REGEX] =
        {PCRE2_NEVER_BACKSLASH_C, false},
};

typedef struct {
    pcre2_code *code;
    char *pattern;
    bool wanted;
} condition_t;

struct engine_filter {
    pcre2_match_context *context;
    pcre2_match_data *data;
    size_t count;
    condition_t conditions[];
};

static int
compile(condition_t *self, const EngineApi__LogLineFilter *filter, err_t **err)
{
    if ((size_t)filter->operator_ >= ARRAY_LEN(operators))
        return err_fail(err, ERR_INVALID, "there is no log line operator %d",
                        (int)filter->operator_);
    if (strlen(filter->text_pattern) > ENGINE_FILTER_PATTERN_MAX)
        return err_fail(err, ERR_LIMIT, "a pattern for log lines has more than %u bytes",
                        ENGINE_FILTER_PATTERN_MAX);
    int code;
    size_t where;
    self->wanted = operators[filter->operator_].wanted;
    self->pattern = strdup(filter->text_pattern);
    self->code =
        pcre2_compile((PCRE2_SPTR)filter->text_pattern, PCRE2_ZERO_TERMINATED,
                      operators[filter->operator_].options | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
                      &code, &where, NULL);
    if (!self->code) {
        PCRE2_UCHAR why[256];
        pcre2_get_error_message(code, why, sizeof why);
        return err_fail(err, ERR_INVALID, "'%s' is no regular expression: %s at character %zu",
                        filter->text_pattern, (const char *)why, where + 1);
    }
    return 0;
}

int
engine_filter_new(EngineApi__LogLineFilter *const *filters, size_t count,
                  engine_filter_t **ret_filter, err_t **err)
{
    if (count > ENGINE_FILTERS_MAX)
        return err_fail(err, ERR_LIMIT, "more than %u conditions on log lines", ENGINE_FILTERS_MAX);
    AUTO(engine_filter) self = calloc(1, sizeof *self + count * sizeof *self->conditions);
    if (!self)
        abort();
    self->context = pcre2_match_context_create(NULL);
    self->data = pcre2_match_data_create(1, NULL);
    pcre2_set_match_limit(self->context, ENGINE_FILTER_STEPS_MAX);
    pcre2_set_depth_limit(self->context, ENGINE_FILTER_STEPS_MAX);
    self->count = count;
    for (size_t i = 0; i < count; i++)
        if (compile(&self->conditions[i], filters[i], err) < 0)
            return -1;
    *ret_filter = TAKE(self);
    return 0;
}

void
engine_filter_destroy(engine_filter_t **self_p)
{
    engine_filter_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        pcre2_code_free(self->conditions[i].code);
        free(self->conditions[i].pattern);
    }
    pcre2_match_data_free(self->data);
    pcre2_match_context_free(self->context);
    free(self);
}

int
engine_filter_matches(engine_filter_t *self, const void *line, size_t size, err_t **err)
{
    for (size_t i = 0; i < self->count; i++) {
        const condition_t *condition = &self->conditions[i];
        int result = pcre2_match(condition->code, line, size, 0, 0, self->data, self->context);
        if (result < 0 && result != PCRE2_ERROR_NOMATCH)
            return err_fail(err, ERR_LIMIT,
                            "the pattern '%s' takes too long on a line of %zu bytes",
                            condition->pattern, size);
        if ((result >= 0) != condition->wanted)
            return 0;
    }
    return 1;
}

void
engine_text_clean(str_t *out, const void *bytes, size_t size)
{
    size_t start = out->len;
    utf8_clean(out, bytes, size);
    if (!memchr(out->data + start, '\0', out->len - start))
        return;
    AUTO_FREE char *text = malloc(out->len - start);
    if (!text)
        abort();
    size_t left = out->len - start;
    memcpy(text, out->data + start, left);
    out->len = start;
    for (const char *at = text; left > 0;) {
        size_t len = strnlen(at, left);
        str_add_bytes(out, at, len);
        if (len < left)
            utf8_put(out, UTF8_BAD);
        left -= len < left ? len + 1 : len;
        at += len + 1;
    }
}
