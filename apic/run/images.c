/*  images: makes all images of a plan present, several at once. */
#include "apic/run/phases.h"

#include "apic/run/run.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "Validating plan and preparing container images - execution will begin shortly"

typedef struct images images_t;

/* One image. */
typedef struct {
    images_t *images;
    const types_image_t *image;
    bool is_running;
    char *news; /* the last that was heard of it; NULL when there is nothing */
    run_image_t result;
    err_t *err;
} fetch_t;

/* What the threads share; all under lock. */
struct images {
    const run_enclave_t *enclave;
    const run_request_t *request;
    const run_lines_t *lines;
    pthread_mutex_t lock;
    fetch_t *items;
    size_t count, next, done;
};

static void *work(void *arg);
static void say_needed(const plan_env_t *env, const run_lines_t *lines);
static void say_images(const images_t *self, const char *architecture);

int
run_images(const run_enclave_t *self, const run_request_t *request, const plan_env_t *env,
           const char *architecture, const run_lines_t *lines)
{
    images_t images = {.enclave = self, .request = request, .lines = lines};
    pthread_t threads[RUN_IMAGES];
    size_t n_threads = 0;
    const char *name;
    void *image;

    run_lines_progress(lines, (const char *const[]){TITLE, NULL}, 0, 0, "validation");
    if (request->dry_run) {
        say_needed(env, lines);
        return 0;
    }
    images.items = calloc(env->images.count + 1, sizeof(*images.items));
    for (size_t cursor = 0; run_map_next(&env->images, &cursor, &name, &image);)
        images.items[images.count++] = (fetch_t){.images = &images, .image = image};
    pthread_mutex_init(&images.lock, NULL);
    while (n_threads + 1 < RUN_IMAGES && n_threads + 1 < images.count &&
           pthread_create(&threads[n_threads], NULL, work, &images) == 0)
        n_threads++;
    work(&images); /* this thread is one of them */
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&images.lock);

    int rc = 0;
    for (size_t i = 0; i < images.count; i++) {
        fetch_t *item = &images.items[i];
        if (!item->err)
            continue;
        const bool is_built =
            item->image->kind == TYPES_IMAGE_BUILD || item->image->kind == TYPES_IMAGE_NIX;
        err_wrap(&item->err, "Failed %s the required image '%s'.",
                 is_built ? "to build" : "fetching", item->image->name);
        err_wrap(&item->err, "Error while validating final environment of script");
        AUTO_FREE char *text = types_err_text(item->err);
        run_lines_error(lines, RUN_VALIDATION, text);
        rc = -1;
    }
    say_images(&images, architecture);
    for (size_t i = 0; i < images.count; i++) {
        free(images.items[i].result.architecture);
        free(images.items[i].result.warning);
        free(images.items[i].news);
        err_destroy(&images.items[i].err);
    }
    free(images.items);
    return rc;
}

/* A dry run fetches nothing: it says what a run would use. */
static void
say_needed(const plan_env_t *env, const run_lines_t *lines)
{
    AUTO_STR text = STR_EMPTY;
    const char *name;
    void *image;
    str_add(&text, "Container images that a run would use:");
    for (size_t cursor = 0; run_map_next(&env->images, &cursor, &name, &image);)
        str_printf(&text, "\n> %s", name);
    if (env->images.count)
        run_lines_info(lines, text.data);
}

/* An image has begun, goes on or ended; under lock. */
static void
say_progress(const images_t *self)
{
    AUTO_FREE char **texts = calloc(2 * RUN_IMAGES + 2, sizeof(*texts));
    size_t count = 0;
    texts[count++] = strdup(TITLE);
    for (size_t i = 0; i < self->next; i++) {
        const fetch_t *item = &self->items[i];
        if (!item->is_running)
            continue;
        texts[count++] = str_format("Validating %s", item->image->name);
        if (item->news)
            texts[count++] = strdup(item->news);
    }
    run_lines_progress(self->lines, (const char *const *)texts, self->done, self->count, NULL);
    while (count)
        free(texts[--count]);
}

static void
on_news(void *arg, const char *text)
{
    fetch_t *item = arg;
    pthread_mutex_lock(&item->images->lock);
    free(item->news);
    item->news = strdup(text);
    say_progress(item->images);
    pthread_mutex_unlock(&item->images->lock);
}

static int
fetch(const images_t *self, fetch_t *item)
{
    const run_image_news_t news = {on_news, item};
    const Orchestrator__FetchMode mode = item->image->only_missing
                                             ? ORCHESTRATOR__FETCH_MODE__FETCH_MISSING
                                             : self->request->fetch_mode;
    return self->enclave->world->image_fetch(self->enclave->world->self, item->image, mode, &news,
                                             &item->result, &item->err);
}

static void *
work(void *arg)
{
    images_t *self = arg;
    pthread_mutex_lock(&self->lock);
    while (self->next < self->count) {
        fetch_t *item = &self->items[self->next++];
        item->is_running = true;
        say_progress(self);
        pthread_mutex_unlock(&self->lock);
        fetch(self, item);
        pthread_mutex_lock(&self->lock);
        item->is_running = false;
        self->done++;
        say_progress(self);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static const char *
origin_text(Orchestrator__FetchOrigin origin)
{
    switch (origin) {
    case ORCHESTRATOR__FETCH_ORIGIN__FETCH_REMOTE:
        return "remotely downloaded";
    case ORCHESTRATOR__FETCH_ORIGIN__FETCH_BUILT:
        return "locally built";
    default:
        return "locally cached";
    }
}

/* Those that are there now. */
static void
say_images(const images_t *self, const char *architecture)
{
    AUTO_STR info = STR_EMPTY, other = STR_EMPTY;
    for (size_t i = 0; i < self->count; i++) {
        const fetch_t *item = &self->items[i];
        const char *own = item->result.architecture;
        if (item->err)
            continue;
        str_printf(&info, "\n> %s - %s", item->image->name, origin_text(item->result.origin));
        if (own && own[0] && architecture && strcmp(own, architecture) != 0)
            str_printf(&other, "\n> %s - %s", item->image->name, own);
    }
    if (info.len) {
        AUTO_FREE char *text = str_format("Container images used in this run:%s", info.data);
        run_lines_info(self->lines, text);
    }
    if (other.len) {
        AUTO_FREE char *text =
            str_format("WARNING: Container images with different architecture than expected(%s):%s",
                       architecture, other.data);
        run_lines_warning(self->lines, text);
    }
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].result.warning)
            run_lines_warning(self->lines, self->items[i].result.warning);
}
