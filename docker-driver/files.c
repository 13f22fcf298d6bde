/*  files: CopyOut. Files go in with StartService (start.c). */
#include "docker-driver/api.h"

#include <string.h>

#define GO_MODE_DIR (INT64_C(1) << 31) /* of Go's os.FileMode, which Docker's path header holds */
#define GO_MODE_SYMLINK (INT64_C(1) << 27)

/* Gathers small pieces, so that a message of the bus is worth it. */
typedef struct {
    const docker_call_t *call;
    str_t piece;
} copying_t;

static int
flush(copying_t *self, err_t **err)
{
    if (!self->piece.len)
        return 0;
    Orchestrator__TarChunk chunk = ORCHESTRATOR__TAR_CHUNK__INIT;
    chunk.data.data = (uint8_t *)self->piece.data;
    chunk.data.len = self->piece.len;
    int result = self->call->send(self->call->arg, &chunk.base, err);
    str_clear(&self->piece);
    return result;
}

static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    copying_t *self = arg;
    str_add_bytes(&self->piece, data, size);
    return self->piece.len >= DOCKER_CHUNK_MAX ? flush(self, err) : 0;
}

/* Looks at a path: 1 when it is there, 0 when it is not. */
static int
look(docker_t *self, const docker_call_t *call, const char *id, const char *path, json_t **ret_stat,
     err_t **err)
{
    AUTO_FREE char *url = docker_path("/containers/%s/archive?path=%s", id, path);
    AUTO_REQUEST head = {.method = "HEAD", .path = url};
    AUTO(err) failure = NULL;
    if (docker_http_do(self->http, &head, docker_cancel_fd(call), &failure) < 0) {
        /* 400 and 500: a file was named as a folder, or a part of the path is none. */
        if (head.status == 404 || head.status == 400 || head.status == 500)
            return 0;
        if (err)
            *err = TAKE(failure);
        return -1;
    }
    return docker_json(head.path_stat.data, head.path_stat.len, ret_stat, err) < 0 ? -1 : 1;
}

/* What to ask Docker for: "<folder>/." for a folder's contents, else the file, links resolved. */
static int
resolve(docker_t *self, const docker_call_t *call, const char *id, const char *path,
        char **ret_path, err_t **err)
{
    bool contents = str_ends(path, "/*");
    size_t size = strlen(path) - (contents ? 2 : 0);
    while (size > 1 && path[size - 1] == '/')
        size--;
    AUTO_FREE char *plain = strndup(path, size);
    AUTO_FREE char *folder = str_format("%s/.", strcmp(plain, "/") == 0 ? "" : plain);
    AUTO_JSON *stat = NULL;
    int found = look(self, call, id, folder, &stat, err);
    if (found < 0)
        return -1;
    if (found && docker_int(stat, "mode") & GO_MODE_DIR) {
        *ret_path = TAKE(folder);
        return 0;
    }
    json_decref(TAKE(stat));
    found = contents ? 0 : look(self, call, id, plain, &stat, err);
    if (found < 0)
        return -1;
    if (!found)
        return err_fail(err, ERR_NOT_FOUND,
                        contents ? "there is no folder '%s' in it"
                                 : "there is no file or folder '%s' in it",
                        plain);
    const char *target = docker_text(stat, "linkTarget");
    *ret_path =
        docker_int(stat, "mode") & GO_MODE_SYMLINK && *target ? strdup(target) : TAKE(plain);
    return 0;
}

int
docker_copy_out(docker_t *self, const docker_call_t *call, const Orchestrator__CopyOutArgs *request,
                err_t **err)
{
    AUTO_JSON *container = NULL;
    AUTO_FREE char *path = NULL;
    if (*request->path != '/')
        return err_fail(err, ERR_INVALID,
                        "cannot copy '%.300s' out of a service: the path must be absolute",
                        request->path);
    if (docker_service_find(self, call, request->enclave_uuid, request->service_uuid, &container,
                            err) < 0 ||
        resolve(self, call, docker_text(container, "Id"), request->path, &path, err) < 0)
        return err_wrap(err, "cannot copy '%.300s' out of service '%s'", request->path,
                        container ? docker_service_name(container) : request->service_uuid);
    copying_t copying = {.call = call, .piece = STR_EMPTY};
    AUTO_FREE char *url =
        docker_path("/containers/%s/archive?path=%s", docker_text(container, "Id"), path);
    AUTO_REQUEST get = {
        .method = "GET", .path = url, .timeout_ms = -1, .sink = on_bytes, .arg = &copying};
    int result = docker_http_do(self->http, &get, docker_cancel_fd(call), err);
    if (result == 0)
        result = flush(&copying, err);
    str_done(&copying.piece);
    return result < 0 ? err_wrap(err, "cannot copy '%.300s' out of service '%s'", request->path,
                                 docker_service_name(container))
                      : 0;
}
