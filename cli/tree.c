/*  tree: see tree.h. A node is a run of sorted paths with a common beginning. */
#include "cli/tree.h"

#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 200

typedef struct {
    char *path; /* without "./" before and "/" behind */
    uint64_t size;
    bool is_directory;
} node_t;

static int
by_components(const void *a, const void *b)
{
    const unsigned char *one = (const unsigned char *)((const node_t *)a)->path;
    const unsigned char *other = (const unsigned char *)((const node_t *)b)->path;
    while (*one && *one == *other)
        one++, other++;
    int x = *one == '/' ? 1 : *one ? *one + 1 : 0, y = *other == '/' ? 1 : *other ? *other + 1 : 0;
    return x - y;
}

/* Nodes from first on that lie under the same next component. */
static size_t
run_length(const node_t *nodes, size_t count, size_t skip)
{
    size_t len = strcspn(nodes[0].path + skip, "/"), i = 1;
    while (i < count && !strncmp(nodes[i].path + skip, nodes[0].path + skip, len) &&
           (nodes[i].path[skip + len] == '/' || nodes[i].path[skip + len] == '\0'))
        i++;
    return i;
}

static void
write_level(str_t *out, const node_t *nodes, size_t count, size_t skip, const char *indent,
            bool coloured, int depth)
{
    for (size_t i = 0; i < count && depth < DEPTH_MAX;) {
        size_t run = run_length(nodes + i, count - i, skip);
        const char *name = nodes[i].path + skip;
        size_t len = strcspn(name, "/");
        bool is_last = i + run == count;
        bool is_directory = name[len] == '/' || run > 1 || nodes[i].is_directory;
        AUTO_FREE char *text = strndup(name, len);
        str_printf(out, "%s%s", indent, is_last ? "└── " : "├── ");
        out_style(out, OUT_CYAN, coloured && is_directory, text);
        if (!is_directory) {
            str_add(out, " [");
            out_size(out, nodes[i].size);
            str_add_char(out, ']');
        }
        str_add_char(out, '\n');
        size_t own = name[len] == '\0'; /* the directory's own entry */
        AUTO_FREE char *deeper = str_format("%s%s", indent, is_last ? "    " : "│   ");
        if (is_directory)
            write_level(out, nodes + i + own, run - own, skip + len + 1, deeper, coloured,
                        depth + 1);
        i += run;
    }
}

void
tree_write(ApiContainerApi__FileArtifactContentsFileDescription *const *files, size_t count,
           bool coloured, str_t *out)
{
    AUTO_FREE node_t *nodes = calloc(count + 1, sizeof *nodes);
    if (!nodes)
        abort();
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const char *path = files[i]->path;
        while (str_starts(path, "./"))
            path += 2;
        size_t len = strlen(path);
        bool is_directory = len > 0 && path[len - 1] == '/';
        if (len - is_directory == 0 || !strcmp(path, "."))
            continue;
        nodes[kept++] = (node_t){strndup(path, len - is_directory), files[i]->size, is_directory};
    }
    qsort(nodes, kept, sizeof *nodes, by_components);
    str_add(out, ".\n");
    write_level(out, nodes, kept, 0, "", coloured, 0);
    for (size_t i = 0; i < kept; i++)
        free(nodes[i].path);
}
