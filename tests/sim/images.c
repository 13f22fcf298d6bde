/*  images: LoadImage, InspectImage, FetchImage, PruneImages, SetRegistryLogins. A loaded image is its unpacked archive in
 *  the folder, and what its configuration says. */
#include "archive/archive.h"
#include "base/file.h"
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "tests/sim/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define JSON_MAX (1u << 20)
#define LOGINS_MAX 1000u
#define OURS "kurtosistech/"

/* ------------------------------------------------------------------------------------------ lists */

static void
image_free(sim_image_t *self)
{
    bus_message_destroy(&self->info);
    for (size_t i = 0; i < self->env_count; i++)
        free(self->env[i]);
    for (size_t i = 0; i < self->layer_count; i++)
        free(self->layers[i]);
    free(self->env);
    free(self->root);
    free(self->layers);
    free(self);
}

void
sim_images_free(sim_t *self)
{
    while (self->images)
        sim_image_forget(self, self->images->info->image);
}

void
sim_image_forget(sim_t *self, const char *image)
{
    for (sim_image_t **at = &self->images; *at; at = &(*at)->next)
        if (strcmp((*at)->info->image, image) == 0) {
            sim_image_t *found = *at;
            *at = found->next;
            image_free(found);
            return;
        }
}

static int
full_name(const char *image, char **ret_full, err_t **err)
{
    docker_reference_t reference = {0};
    if (docker_reference_parse(image, &reference, err) < 0)
        return -1;
    *ret_full = docker_reference_full(&reference);
    docker_reference_done(&reference);
    return 0;
}

int
sim_image_require(sim_t *self, const char *image, sim_image_t **ret_image, err_t **err)
{
    AUTO_FREE char *full = NULL;
    *ret_image = NULL;
    if (!self->folder)
        return strcmp(image, "lost") == 0
                   ? err_fail(err, ERR_NOT_FOUND, "there is no image '%s'", image)
                   : 0;
    if (full_name(image, &full, err) < 0)
        return -1;
    for (sim_image_t *at = self->images; at && !*ret_image; at = at->next)
        if (strcmp(at->info->image, full) == 0)
            *ret_image = at;
    return *ret_image ? 0 : err_fail(err, ERR_NOT_FOUND, "there is no image '%s'", full);
}

/* What is said of an image that is there; yours. */
static Orchestrator__ImageInfo *
info_of(const sim_image_t *image, const char *asked)
{
    if (image)
        return (Orchestrator__ImageInfo *)bus_message_dup(&image->info->base);
    Orchestrator__ImageInfo *info = MESSAGE_NEW(ImageInfo, image_info);
    info->image = strdup(asked);
    info->architecture = strdup(SIM_ARCHITECTURE);
    return info;
}

/* --------------------------------------------------------------------------------------- LoadImage */

typedef struct {
    actor_call_t *call;
    Orchestrator__ImageChunk *chunk;
    size_t used; /* bytes of it */
} loading_t;

static long
take(void *arg, char *buffer, size_t size, err_t **err)
{
    loading_t *self = arg;
    while (!self->chunk || self->used == self->chunk->data.len) {
        bus_message_destroy(&self->chunk);
        self->used = 0;
        int got = actor_call_recv(self->call, -1, (ProtobufCMessage **)&self->chunk, err);
        if (got <= 0)
            return got;
    }
    size_t left = self->chunk->data.len - self->used;
    size = size < left ? size : left;
    memcpy(buffer, self->chunk->data.data + self->used, size);
    self->used += size;
    return (long)size;
}

static json_t *
read_json(const char *folder, const char *name, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    AUTO_STR text = STR_EMPTY;
    if (file_read_text(path, JSON_MAX, &text, err) < 0)
        return NULL;
    json_t *json = json_loads(text.data, 0, NULL);
    if (!json)
        err_fail(err, ERR_INVALID, "'%s' in it is no JSON", name);
    return json;
}

/* Yours; "" where it is no text. */
static char *
text_of(const json_t *json)
{
    const char *text = json_string_value(json);
    return strdup(text ? text : "");
}

static void
add_texts(const json_t *array, char ***list, size_t *count)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)array, i, item) LIST_ADD(*list, *count, text_of(item));
}

/* The image whose archive is unpacked in the folder, by the index-th of its names; NULL without *err: it has no more. */
static sim_image_t *
image_read(const char *folder, size_t index, err_t **err)
{
    AUTO_JSON *manifest = read_json(folder, "manifest.json", err);
    const json_t *first = json_array_get(manifest, 0);
    const char *config_name = json_string_value(json_object_get(first, "Config"));
    const json_t *names = json_object_get(first, "RepoTags");
    const char *name = json_string_value(json_array_get(names, index));
    if (index > 0 && !name)
        return NULL;
    AUTO_JSON *json = config_name && name ? read_json(folder, config_name, err) : NULL;
    if (!json) {
        err_fail(err, ERR_INVALID, "this is no archive of an image");
        return NULL;
    }
    sim_image_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    const json_t *config = json_object_get(json, "config");
    Orchestrator__ImageInfo *info = self->info = MESSAGE_NEW(ImageInfo, image_info);
    info->image = strdup(name);
    info->id =
        text_of(json_array_get(json_object_get(json_object_get(json, "rootfs"), "diff_ids"), 0));
    info->architecture = text_of(json_object_get(json, "architecture"));
    add_texts(json_object_get(config, "Entrypoint"), &info->entrypoint, &info->n_entrypoint);
    add_texts(json_object_get(config, "Cmd"), &info->cmd, &info->n_cmd);
    add_texts(json_object_get(config, "Env"), &self->env, &self->env_count);
    size_t i;
    json_t *layer;
    json_array_foreach(json_object_get(first, "Layers"), i, layer)
    {
        AUTO_FREE char *name_of_layer = text_of(layer);
        char *path = str_format("%s/%s", folder, name_of_layer);
        struct stat about;
        info->size += stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
        LIST_ADD(self->layers, self->layer_count, path);
    }
    return self;
}

static long
take_file(void *arg, char *buffer, size_t size, err_t **err)
{
    ssize_t got = read(*(int *)arg, buffer, size);
    return got < 0 ? err_fail(err, ERR_UNAVAILABLE, "cannot read it: %s", strerror(errno)) : got;
}

int
sim_image_unpack(const sim_image_t *image, const char *folder, err_t **err)
{
    if (mkdir(folder, 0755) < 0)
        return err_fail(err, ERR_UNAVAILABLE, "cannot make '%s': %s", folder, strerror(errno));
    for (size_t i = 0; i < image->layer_count; i++) {
        AUTO_FD int fd = open(image->layers[i], O_RDONLY | O_CLOEXEC);
        if (archive_tar_unpack(take_file, &fd, folder, err) < 0)
            return err_wrap(err, "cannot unpack layer '%s'", image->layers[i]);
    }
    return 0;
}

bool
sim_image_has(const sim_image_t *image, const char *path)
{
    AUTO_FREE char *full = str_format("%s%s", image->root, path);
    return access(full, F_OK) == 0;
}

/* One for each of its names, one after the other; NULL on failure. */
static sim_image_t *
load(sim_t *self, actor_call_t *call, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    AUTO_FREE char *folder = str_format("%s/image-%u", self->folder, self->loads++);
    pthread_mutex_unlock(&self->lock);
    if (mkdir(folder, 0700) < 0) {
        err_fail(err, ERR_UNAVAILABLE, "cannot make '%s': %s", folder, strerror(errno));
        return NULL;
    }
    loading_t loading = {.call = call};
    int result = archive_tar_unpack(take, &loading, folder, err);
    bus_message_destroy(&loading.chunk);
    sim_image_t *image = result < 0 ? NULL : image_read(folder, 0, err);
    if (!image)
        return NULL;
    image->root = str_format("%s/root", folder);
    if (sim_image_unpack(image, image->root, err) < 0) {
        image_free(image);
        return NULL;
    }
    sim_image_t *last = image;
    for (size_t i = 1; (last->next = image_read(folder, i, NULL)); i++) {
        last = last->next;
        last->root = strdup(image->root);
    }
    return image;
}

void
sim_on_load(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sim_t *self = state;
    AUTO(err) err = NULL;
    Orchestrator__ImageInfo *reply = NULL;
    sim_image_t *image = self->folder ? load(self, call, &err) : NULL;
    if (image) {
        pthread_mutex_lock(&self->lock);
        reply = info_of(image, image->info->image);
        for (sim_image_t *at = image, *next; at; at = next) {
            next = at->next;
            sim_image_forget(self, at->info->image);
            at->next = self->images;
            self->images = at;
        }
        pthread_mutex_unlock(&self->lock);
    } else if (!self->folder)
        err_fail(&err, ERR_UNSUPPORTED, "all images are there");
    if (!image)
        err_wrap(&err, "cannot load the image");
    sim_answer(&call, image ? 0 : -1, reply, &err);
}

/* ---------------------------------------------------------------------------- looked at, and fetched */

static int
look(sim_t *self, const char *name, Orchestrator__ImageInfo **ret_info, err_t **err)
{
    sim_image_t *image;
    pthread_mutex_lock(&self->lock);
    int result = sim_image_require(self, name, &image, err);
    *ret_info = result == 0 ? info_of(image, name) : NULL;
    pthread_mutex_unlock(&self->lock);
    return result;
}

void
sim_on_inspect(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    AUTO(err) err = NULL;
    Orchestrator__ImageInfo *info = NULL;
    int result = look(state, ((const Orchestrator__ImageRef *)request)->image, &info, &err);
    sim_answer(&call, result, info, &err);
}

/* Nothing can be pulled: what is not there stays so. */
void
sim_on_fetch(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__FetchImageArgs *args = (const Orchestrator__FetchImageArgs *)request;
    Orchestrator__FetchImageProgress progress = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
    AUTO(err) err = NULL;
    AUTO_ITEM Orchestrator__ImageInfo *info = NULL;
    if (look(state, args->image, &info, &err) < 0) {
        err_wrap(&err, "cannot pull image '%.300s'", args->image);
        actor_call_fail(&call, &err);
        return;
    }
    progress.origin = ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL;
    progress.info = info;
    actor_call_send(call, &progress.base, NULL);
    actor_call_end(&call);
}

/* ------------------------------------------------------------------------------- logins and pruning */

void
sim_on_logins(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__SetRegistryLoginsArgs *args =
        (const Orchestrator__SetRegistryLoginsArgs *)request;
    AUTO(err) err = NULL;
    int result = 0;
    (void)state;
    if (args->n_logins > LOGINS_MAX)
        result = err_fail(&err, ERR_LIMIT, "there are %zu logins, and %u are the most",
                          args->n_logins, LOGINS_MAX);
    for (size_t i = 0; i < args->n_logins && result == 0; i++)
        if (!*args->logins[i]->registry)
            result = err_fail(&err, ERR_INVALID, "a login does not say for which registry it is");
    sim_answer(&call, result, NULL, &err);
}

static bool
is_used(const sim_t *self, const char *image)
{
    for (const sim_container_t *at = self->containers; at; at = at->next)
        if (strcmp(at->spec->image, image) == 0)
            return true;
    return false;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
sim_on_prune(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const char *keep = ((const Orchestrator__PruneImagesArgs *)request)->keep_version;
    AUTO(err) err = NULL;
    if (!*keep || keep[strspn(keep, "0123456789.")]) {
        err_fail(&err, ERR_INVALID, "'%.100s' is no version whose images could be kept", keep);
        actor_call_fail(&call, &err);
        return;
    }
    Orchestrator__PruneImagesReply *reply = MESSAGE_NEW(PruneImagesReply, prune_images_reply);
    pthread_mutex_lock(&self->lock);
    for (sim_image_t *at = self->images; at; at = at->next)
        if (str_starts(at->info->image, OURS) && !strstr(at->info->image, keep) &&
            !is_used(self, at->info->image))
            LIST_ADD(reply->images, reply->n_images, strdup(at->info->image));
    for (size_t i = 0; i < reply->n_images; i++)
        sim_image_forget(self, reply->images[i]);
    pthread_mutex_unlock(&self->lock);
    if (reply->n_images)
        qsort(reply->images, reply->n_images, sizeof *reply->images, by_text);
    sim_answer(&call, 0, reply, &err);
}
