/*  volumes: what is mounted into a service. */
#include "apic/compose/internal.h"

#include "apic/packages/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One entry, read. */
typedef struct {
    bool is_bind;
    char *source, *target;
} mount_t;

typedef struct {
    char *source, *line;
} upload_t;

static void
mount_done(mount_t *self)
{
    free(self->source);
    free(self->target);
}

void
volumes_done(volumes_t *self)
{
    str_done(&self->uploads);
    str_done(&self->files);
    str_done(&self->moves);
}

/* "[source:]target[:mode]" */
static void
read_short(const char *text, mount_t *ret)
{
    /* "c:/folder:/target", but "v:/target" is a volume with a short name */
    const bool has_drive = text[0] && text[1] == ':' && strchr(text + 2, '/') &&
                           strchr(strchr(text + 2, '/'), ':') && strchr("\\/", text[2]);
    const char *colon = strchr(text + (has_drive ? 2 : 0), ':');
    if (!colon) {
        ret->source = strdup("");
        ret->target = strdup(text);
        return;
    }
    ret->source = strndup(text, (size_t)(colon - text));
    ret->target = strndup(colon + 1, strcspn(colon + 1, ":"));
    ret->is_bind = has_drive || (text[0] && strchr("./~", text[0]));
}

static int
read_long(const node_t *node, mount_t *ret, err_t **err)
{
    static const char *const keys[] = {"type",        "source", "target", "read_only",
                                       "consistency", "bind",   "volume", "tmpfs"};
    for (size_t i = 0; i < node->n; i++) {
        if (!node_key_known(node->keys[i], keys, ARRAY_LEN(keys)))
            return err_fail(err, ERR_INVALID, "volumes: additional property %s is not allowed",
                            node->keys[i]);
    }
    const char *type = node_text(node_get(node, "type"), "");
    if (!type[0])
        return err_fail(err, ERR_INVALID, "volumes: a volume has no type");
    ret->source = strdup(node_text(node_get(node, "source"), ""));
    ret->target = strdup(node_text(node_get(node, "target"), ""));
    ret->is_bind = strcmp(type, "volume") != 0;
    return 0;
}

/* Without every '~', '_' and "..". */
static bool
is_absolute(const char *source)
{
    AUTO_STR left = STR_EMPTY;
    for (const char *at = source; *at; at++) {
        if (at[0] == '.' && at[1] == '.')
            at++;
        else if (*at != '~' && *at != '_')
            str_add_char(&left, *at);
    }
    return left.data[0] == '/';
}

static void
add_item(str_t *out, const char *key)
{
    if (out->len)
        str_add(out, ", ");
    text_quote(out, key);
    str_add(out, ": ");
}

static int
add_bind(const mount_t *mount, const char *key, const project_t *project, volumes_t *ret,
         err_t **err)
{
    AUTO_FREE char *path = packages_path_join(project->folder, mount->source);
    struct stat status;
    if (mount->source[0] && stat(path, &status) < 0)
        return err_fail(
            err, ERR_NOT_FOUND,
            "An error occurred checking is the volume path existed in the package on disc: %s.",
            mount->source);
    if (!mount->source[0] || !S_ISREG(status.st_mode)) {
        add_item(&ret->files, mount->target);
        text_quote(&ret->files, key);
        return 0;
    }
    AUTO_FREE char *folder = str_format("/tmp/%s", key);
    AUTO_FREE char *base = packages_path_base(mount->source);
    AUTO_FREE char *file = str_format("%s/%s", folder, base);
    add_item(&ret->files, folder);
    text_quote(&ret->files, key);
    add_item(&ret->moves, file);
    text_quote(&ret->moves, mount->target);
    return 0;
}

/* The target is cleaned. */
static int
read_mount(const node_t *node, mount_t *ret, err_t **err)
{
    if (node->kind == NODE_MAP) {
        if (read_long(node, ret, err) < 0)
            return -1;
    } else {
        read_short(node_text(node, ""), ret);
    }
    if (!ret->target[0])
        return err_fail(err, ERR_INVALID, "volumes: a volume has no target");
    char *clean = packages_path_clean(ret->target);
    free(ret->target);
    ret->target = clean;
    return 0;
}

static int
compare(const void *a, const void *b)
{
    const upload_t *one = a, *two = b;
    const int order = strcmp(one->source, two->source);
    return order ? order : strcmp(one->line, two->line);
}

static int
check_declared(const service_t *self, const project_t *project, const mount_t *mount, err_t **err)
{
    const node_t *volumes = node_get(project->root, "volumes");
    const bool is_there = mount->is_bind || !mount->source[0] || node_has(volumes, mount->source);
    return is_there ? 0
                    : err_fail(err, ERR_INVALID,
                               "service \"%s\" refers to undefined volume %s: invalid compose "
                               "project",
                               self->key, mount->source);
}

static int
add_all(const service_t *self, const project_t *project, const mount_t *mounts, size_t n,
        upload_t *uploads, size_t *n_uploads, volumes_t *ret, err_t **err)
{
    for (size_t i = 0; i < n; i++) {
        const mount_t *mount = &mounts[i];
        bool is_hidden = false;
        for (size_t k = i + 1; k < n; k++)
            is_hidden = is_hidden || !strcmp(mounts[k].target, mount->target);
        if (check_declared(self, project, mount, err) < 0)
            return -1;
        AUTO_FREE char *key = str_format("%s--volume%zu", self->name, i);
        const bool is_upload = mount->is_bind && !is_absolute(mount->source);
        if (is_upload) {
            AUTO_STR line = STR_EMPTY;
            str_add(&line, "    plan.upload_files(src = ");
            text_quote(&line, mount->source);
            str_add(&line, ", name = ");
            text_quote(&line, key);
            str_add(&line, ")\n");
            uploads[(*n_uploads)++] = (upload_t){mount->source, str_take(&line)};
        }
        if (is_upload && !is_hidden) {
            if (add_bind(mount, key, project, ret, err) < 0)
                return -1;
        } else if (!is_hidden) {
            add_item(&ret->files, mount->target);
            str_add(&ret->files, "Directory(persistent_key=");
            text_quote(&ret->files, key);
            str_add_char(&ret->files, ')');
        }
    }
    return 0;
}

int
volumes_read(const service_t *self, const project_t *project, volumes_t *ret, err_t **err)
{
    const node_t *list = node_get(self->node, "volumes");
    *ret = (volumes_t){STR_EMPTY, STR_EMPTY, STR_EMPTY};
    if (!list)
        return 0;
    if (list->kind != NODE_LIST)
        return err_fail(err, ERR_INVALID, "services.%s.volumes must be a list", self->key);
    AUTO_FREE mount_t *mounts = calloc(list->n + 1, sizeof(*mounts));
    AUTO_FREE upload_t *uploads = calloc(list->n + 1, sizeof(*uploads));
    size_t n_uploads = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->n; i++)
        rc = read_mount(list->items[i], &mounts[i], err);
    if (rc == 0)
        rc = add_all(self, project, mounts, list->n, uploads, &n_uploads, ret, err);
    qsort(uploads, n_uploads, sizeof(*uploads), compare);
    for (size_t i = 0; i < n_uploads; i++) {
        str_add(&ret->uploads, uploads[i].line);
        free(uploads[i].line);
    }
    for (size_t i = 0; i < list->n; i++)
        mount_done(&mounts[i]);
    return rc;
}
