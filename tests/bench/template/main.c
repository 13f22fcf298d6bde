/*  bench_template: renders templates as render_templates does, many times over.
 *
 *    bench_template ROUNDS DATA TEMPLATE...            milliseconds for all, parsing included
 *    bench_template --print DATA TEMPLATE...           what they render, one after the other
 */
#include "apic/template/template.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20) /* bytes of a template or its data */

static str_t
read_file(const char *path)
{
    str_t text = STR_EMPTY;
    AUTO(err) err = NULL;
    if (file_read(path, FILE_MAX, &text, &err) < 0) {
        fprintf(stderr, "%s\n", err_text(err));
        exit(1);
    }
    return text;
}

static void
render(const str_t *text, const str_t *data, str_t *out)
{
    AUTO(template) page = NULL;
    AUTO(err) err = NULL;
    if (template_parse("page", text->data, text->len, &page, &err) < 0 ||
        template_execute(page, data->data, data->len, out, &err) < 0) {
        fprintf(stderr, "%s\n", err_text(err));
        exit(1);
    }
}

int
main(int argc, char **argv)
{
    str_t texts[64];
    size_t count = 0;
    AUTO_STR out = STR_EMPTY;
    if (argc < 4 || argc > 64) {
        fprintf(stderr, "usage: bench_template ROUNDS|--print DATA TEMPLATE...\n");
        return 1;
    }
    const bool prints = strcmp(argv[1], "--print") == 0;
    str_t data = read_file(argv[2]);
    for (int i = 3; i < argc; i++)
        texts[count++] = read_file(argv[i]);
    const int64_t begin = clock_ns();
    for (long round = prints ? 1 : strtol(argv[1], NULL, 10); round > 0; round--)
        for (size_t i = 0; i < count; i++) {
            if (!prints)
                str_clear(&out);
            render(&texts[i], &data, &out);
        }
    if (prints)
        fwrite(out.data, 1, out.len, stdout);
    else
        printf("%.1f\n", (double)(clock_ns() - begin) / NS_PER_MS);
    while (count > 0)
        str_done(&texts[--count]);
    str_done(&data);
    return 0;
}
