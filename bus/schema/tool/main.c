#include "bus/schema/tool/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SET_MAX (64u * 1024 * 1024) /* bytes of a descriptor set */

static int
set_read(const char *path, schema_set_t **ret_set, err_t **err)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return err_fail(err, ERR_NOT_FOUND, "cannot open '%s': %s", path, strerror(errno));

    AUTO_STR bytes = STR_EMPTY;
    char piece[65536];
    for (size_t size; (size = fread(piece, 1, sizeof piece, in)) > 0 && bytes.len < SET_MAX;)
        str_add_bytes(&bytes, piece, size);
    fclose(in);

    *ret_set =
        google__protobuf__file_descriptor_set__unpack(NULL, bytes.len, (uint8_t *)bytes.data);
    if (!*ret_set)
        return err_fail(err, ERR_INVALID, "'%s' is no descriptor set", path);
    return 0;
}

static int
text_write(const char *path, const str_t *text, err_t **err)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        return err_fail(err, ERR_UNKNOWN, "cannot write '%s': %s", path, strerror(errno));

    bool written = fwrite(text->data, 1, text->len, out) == text->len;
    if (fclose(out) != 0 || !written)
        return err_fail(err, ERR_UNKNOWN, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

static int
run(int argc, char **argv, err_t **err)
{
    if (argc < 3)
        return err_fail(err, ERR_INVALID, "usage: schema-tool check|table|docs SET [OUT]");

    schema_set_t *set = NULL;
    if (set_read(argv[2], &set, err) < 0)
        return -1;

    AUTO_STR text = STR_EMPTY;
    int result = 0;
    if (!strcmp(argv[1], "check"))
        result = schema_check(set, err);
    else if (!strcmp(argv[1], "table"))
        schema_write_table(set, &text);
    else if (!strcmp(argv[1], "docs"))
        schema_write_docs(set, &text);
    else
        result = err_fail(err, ERR_INVALID, "unknown command '%s'", argv[1]);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);

    if (result == 0 && argc > 3)
        result = text_write(argv[3], &text, err);
    return result;
}

int
main(int argc, char **argv)
{
    AUTO(err) err = NULL;
    if (run(argc, argv, &err) == 0)
        return 0;
    AUTO_FREE char *lines = err_lines(err);
    fprintf(stderr, "schema-tool: %s\n", lines);
    return 1;
}
