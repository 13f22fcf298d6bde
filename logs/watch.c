/*  watch: see logs.h. inotify(7) on the folders of logs; of one that is not there yet, on the next one above it. */
#include "logs/chunk.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#define CHANGES (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR)
#define EVENTS_SIZE 16384u

struct logs_watch {
    int fd;
};

int
logs_watch_new(logs_watch_t **ret_watch, err_t **err)
{
    AUTO(logs_watch) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot watch the log store: %s", strerror(errno));
    *ret_watch = TAKE(self);
    return 0;
}

void
logs_watch_destroy(logs_watch_t **self_p)
{
    logs_watch_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->fd >= 0)
        close(self->fd);
    free(self);
}

int
logs_watch_add(logs_watch_t *self, const char *root, const char *enclave, const char *service,
               err_t **err)
{
    AUTO_FREE char *folder = NULL, *parent = str_format("%s/%s", root, enclave);
    if (logs_folder_path(root, enclave, service, &folder, err) < 0)
        return -1;
    const char *const paths[] = {folder, parent, root};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (inotify_add_watch(self->fd, paths[i], CHANGES) >= 0)
            return i == 0;
        if (errno != ENOENT && errno != ENOTDIR)
            return err_fail(err, ERR_LIMIT, "cannot watch '%s': %s", paths[i], strerror(errno));
    }
    return err_fail(err, ERR_NOT_FOUND, "there is no log store '%s'", root);
}

int
logs_watch_fd(const logs_watch_t *self)
{
    return self->fd;
}

void
logs_watch_drain(logs_watch_t *self)
{
    char events[EVENTS_SIZE];
    while (read(self->fd, events, sizeof events) > 0)
        continue;
}
