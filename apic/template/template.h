/*  template: Go's text/template language, as plan.render_templates uses it: delimiters {{ and }},
 * no options, the functions of the language and no others. This folder knows nothing of Kurtosis,
 * Starlark or files.
 *
 *      AUTO(template) page = NULL;
 *      if (template_parse("page", text, strlen(text), &page, err) < 0)
 *          return err_wrap(err, "cannot parse the template of '%s'", path);
 *      if (template_execute(page, json, strlen(json), &out, err) < 0)
 *          return err_wrap(err, "cannot render '%s'", path);
 *
 *  A parsed template is immutable: any number of threads may execute it at once.
 *
 *  Data is JSON text. Its numbers keep the text they were written as (Go's json.Number): they print
 * as that text, are always true and compare with strings; .n.Int64 and .n.Float64 make numbers of
 * them.
 */
#ifndef KURTOSIS_APIC_TEMPLATE_H
#define KURTOSIS_APIC_TEMPLATE_H

#include "base/err.h"
#include "base/str.h"

/* Limits; each that is reached is an error with code LIMIT. */
#define TEMPLATE_TEXT_MAX (16u * 1024 * 1024)   /* bytes of a template, and of a JSON text */
#define TEMPLATE_OUTPUT_MAX (16u * 1024 * 1024) /* bytes of one rendering, and of one printf */
#define TEMPLATE_MEMORY_MAX                                                                        \
    (256u * 1024 * 1024) /* bytes of one parse, and of one execution besides its output */
#define TEMPLATE_STEPS_MAX 10000000u /* nodes evaluated by one execution */
#define TEMPLATE_DEPTH_MAX                                                                         \
    2000u /* actions within actions, templates within templates, lists within lists */

typedef struct template template_t;

/* Parses text (size bytes; not kept). name is what errors call it. The error is INVALID with Go's
 * wording: "template: page:3: unexpected {{end}}". *ret_template is yours. */
int template_parse(const char *name, const char *text, size_t size, template_t **ret_template,
                   err_t **err);
void template_destroy(template_t **self_p);
AUTO_FOR(template)

/* Appends what the template makes of the first JSON value in json (what follows it is ignored).
 * INVALID when json is no JSON, or with Go's wording: "template: page:1:4: executing "page" at
 * <.s.y>: can't evaluate field y in type interface {}". After an error, out has what was written
 * before it. */
int template_execute(const template_t *self, const char *json, size_t size, str_t *out,
                     err_t **err);

/* Appends the canonical form of a JSON text, as Go's encoder writes it: keys sorted bytewise, the
 * last of equal keys; < > & U+2028 U+2029 escaped; numbers with a fraction or exponent in their
 * shortest form, integers as they are. INVALID when it is no JSON or has a number beyond binary64.
 */
int template_json_normalise(const char *json, size_t size, str_t *out, err_t **err);

#endif
