/*  starlark: runs Starlark programs.
 *
 *      starlark [options] FILE          runs a file
 *      starlark [options] -c PROGRAM    runs a text
 */
#include "starlark/starlark.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
on_print(star_t *star, const char *text, size_t length, void *user)
{
    (void)star;
    (void)user;
    fwrite(text, 1, length, stderr);
    fputc('\n', stderr);
    return 0;
}

static char *
read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t length = 0, capacity = 0, n;

    if (file == NULL)
        return NULL;
    do {
        if (length + 65536 > capacity)
            data = realloc(data, capacity = capacity * 2 + 65536);
        n = data != NULL ? fread(data + length, 1, 65536, file) : 0;
        length += n;
    } while (n > 0);
    fclose(file);
    *ret_length = length;
    return data;
}

int
main(int argc, char **argv)
{
    star_options_t options = {.print = on_print};
    star_t *star = NULL;
    const char *text = NULL, *name = "cmdline";
    char *file = NULL;
    size_t length = 0;
    int c;

    while ((c = getopt(argc, argv, "c:rgsd:")) != -1)
        switch (c) {
        case 'c':
            text = optarg;
            length = strlen(text);
            break;
        case 'r':
            options.dialect |= STAR_DIALECT_RECURSION;
            break;
        case 'g':
            options.dialect |= STAR_DIALECT_GLOBAL_REASSIGN;
            break;
        case 's':
            options.dialect |= STAR_DIALECT_SET;
            break;
        case 'd':
            options.debug = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    if (text == NULL) {
        if (optind >= argc || (file = read_file(name = argv[optind], &length)) == NULL) {
            fprintf(stderr, "starlark: cannot read the file '%s'\n", optind < argc ? argv[optind] : "");
            return 1;
        }
        text = file;
    }
    if (star_new(&options, &star) < 0)
        return 1;
    star_value_t env = star_dict_new(star);
    star_dict_put(star, env, "json", star_lib_json(star));
    star_dict_put(star, env, "math", star_lib_math(star));
    star_dict_put(star, env, "time", star_lib_time(star));
    star_dict_put(star, env, "struct", star_lib_struct(star));
    int status = 0;
    if (!star_ok(star_run(star, name, text, length, env))) {
        fprintf(stderr, "%s\n", star_error(star)->text);
        status = 1;
    }
    free(file);
    star_destroy(&star);
    return status;
}
