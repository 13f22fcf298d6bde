/*  cases: a template and what it makes of the data, or its error. For the tests of this folder. */
#ifndef KURTOSIS_TESTS_UNIT_TEMPLATE_CASES_H
#define KURTOSIS_TESTS_UNIT_TEMPLATE_CASES_H

#include "apic/template/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The data of the language's conformance table. */
static const char data[] = "{\"b\":true,\"big\":12345678901234567890,\"e\":\"\",\"f\":1.5,\"h\":\"<"
                           "a href='x'>&\\\"</a>\",\"i\":7,\"k-1\":\"dash\","
                           "\"l\":[\"one\",2,null,[3,4]],\"m\":{\"x\":{\"y\":\"deep\"},\"z\":0},"
                           "\"n\":null,\"s\":\"hello\",\"u\":\"\346\227\245\346\234\254\",\"z\":0}";

typedef struct {
    const char *template, *expected;
} case_t;

/* What the template makes of the data, or its error. */
static char *
render(const char *text)
{
    AUTO(template) page = NULL;
    AUTO(err) err = NULL;
    AUTO_STR out = STR_EMPTY;

    if (template_parse("T", text, strlen(text), &page, &err) < 0 ||
        template_execute(page, data, strlen(data), &out, &err) < 0)
        return strdup(err_text(err));
    return str_take(&out);
}

static void
check(const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *is = render(cases[i].template);
        if (strcmp(is, cases[i].expected) != 0)
            fail_msg("%s\n is:       %s\n expected: %s", cases[i].template, is, cases[i].expected);
    }
}

#endif
