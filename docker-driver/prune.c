/*  prune: PruneImages: the images of other versions of Kurtosis that no container uses. */
#include "docker-driver/api.h"

#include <ctype.h>
#include <string.h>

#define OURS "kurtosistech/" /* begins the names of Kurtosis' images */

/* Does the text hold a version, like "1.20.0"? */
static bool
has_version(const char *text)
{
    for (const char *at = text; *at; at++) {
        const char *end = at;
        int parts = 0;
        while (isdigit((unsigned char)*end)) {
            end += strspn(end, "0123456789");
            parts++;
            if (*end != '.')
                break;
            end++;
        }
        if (parts >= 3)
            return true;
    }
    return false;
}

static bool
is_old(const char *tag, const char *keep)
{
    return strstr(tag, OURS) && has_version(tag) && !strstr(tag, keep);
}

/* Ids of images that containers were made of, as keys. */
static json_t *
used_images(const json_t *containers)
{
    size_t i;
    json_t *container, *used = json_object();
    json_array_foreach((json_t *)containers, i, container)
    {
        json_object_set_new(used, docker_text(container, "ImageID"), json_true());
    }
    return used;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
find(const json_t *images, const json_t *used, const char *keep,
     Orchestrator__PruneImagesReply *found)
{
    size_t i, j;
    json_t *image, *tag;
    json_array_foreach((json_t *)images, i, image)
    {
        if (json_object_get(used, docker_text(image, "Id")))
            continue;
        json_array_foreach(json_object_get(image, "RepoTags"), j, tag)
        {
            const char *text = json_string_value(tag);
            if (text && is_old(text, keep))
                LIST_ADD(found->images, found->n_images, strdup(text));
        }
    }
    if (found->n_images)
        qsort(found->images, found->n_images, sizeof *found->images, by_text);
}

int
docker_images_prune(docker_t *self, const docker_call_t *call,
                    const Orchestrator__PruneImagesArgs *request,
                    Orchestrator__PruneImagesReply **ret_reply, err_t **err)
{
    AUTO_JSON *containers = NULL;
    AUTO_JSON *images = NULL;
    if (!has_version(request->keep_version))
        return err_fail(err, ERR_INVALID, "'%.100s' is no version whose images could be kept",
                        request->keep_version);
    if (docker_get(self, call, docker_path("/images/json"), &images, err) < 0 ||
        docker_get(self, call, docker_path("/containers/json?all=1"), &containers, err) < 0)
        return err_wrap(err, "cannot list the images");
    AUTO_JSON *used = used_images(containers);
    Orchestrator__PruneImagesReply *reply = MESSAGE_NEW(PruneImagesReply, prune_images_reply);
    find(images, used, request->keep_version, reply);
    for (size_t i = 0; i < reply->n_images; i++) {
        AUTO(err) failure = NULL;
        if (docker_delete(self, call, docker_path("/images/%s", reply->images[i]), &failure) == 0 ||
            err_code(failure) == ERR_NOT_FOUND)
            continue;
        if (err)
            *err = TAKE(failure);
        err_wrap(err, "cannot remove image '%s'", reply->images[i]);
        orchestrator__prune_images_reply__free_unpacked(reply, NULL);
        return -1;
    }
    *ret_reply = reply;
    return 0;
}
