/*  world_core: the world of an API container: its core, and its driver for images and resources. */
#include "apic/run/world.h"

#include <string.h>
#include <unistd.h>

#define SERVICE "orchestrator.Orchestrator/"
#define CORE(self) (((const run_world_t *)(self))->core)
#define WITHIN(self) (((const run_world_t *)(self))->within)

static int
services_start(void *self, core_service_config_t *const *configs, size_t count,
               unsigned parallelism, core_service_t **ret_services, err_t **ret_errors, err_t **err)
{
    return core_services_start(CORE(self), WITHIN(self), configs, count, parallelism, ret_services,
                               ret_errors, err);
}

static int
service_remove(void *self, const char *name, char **ret_uuid, err_t **err)
{
    return core_service_remove(CORE(self), WITHIN(self), name, ret_uuid, err);
}

static int
service_stop(void *self, const char *name, err_t **err)
{
    return core_service_stop(CORE(self), WITHIN(self), name, err);
}

static int
service_restart(void *self, const char *name, err_t **err)
{
    return core_service_restart(CORE(self), WITHIN(self), name, err);
}

static int
service_find(void *self, const char *name, core_service_t **ret_service, err_t **err)
{
    return core_service_find(CORE(self), name, ret_service, err);
}

static int
service_config(void *self, const char *name, core_service_config_t **ret_config, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_service_find(CORE(self), name, &service, err) < 0)
        return -1;
    return core_service_config(CORE(self), service->uuid, ret_config, err);
}

static core_service_t **
services_all(void *self, size_t *ret_count)
{
    return core_services_all(CORE(self), ret_count);
}

static int
service_exec(void *self, const char *name, char *const *argv, int timeout_ms, int *ret_code,
             str_t *output, err_t **err)
{
    return core_service_exec(CORE(self), WITHIN(self), name, argv, NULL, timeout_ms, ret_code,
                             output, err);
}

static int
service_request(void *self, const char *name, const char *port_id, const core_request_t *request,
                int *ret_status, str_t *ret_body, err_t **err)
{
    return core_service_request(CORE(self), WITHIN(self), name, port_id, request, ret_status,
                                ret_body, err);
}

static bool
artifact_exists(void *self, const char *name, char **ret_uuid)
{
    return core_artifact_exists(CORE(self), name, ret_uuid);
}

static char **
artifact_names(void *self, size_t *ret_count)
{
    return core_artifact_names(CORE(self), ret_count);
}

static int
download(void *self, const char *url, const char *path, int timeout_ms, err_t **err)
{
    int status = 0;
    if (core_download(CORE(self), WITHIN(self), url, path, timeout_ms, &status, err) < 0)
        return -1;
    return status / 100 == 2
               ? 0
               : err_fail(err, ERR_NOT_FOUND,
                          "Downloading '%s' returned unexpected HTTP status '%d'", url, status);
}

static int
archive_path(void *self, const char *path, char **ret_archive, char **ret_md5, err_t **err)
{
    return core_archive_path(CORE(self), path, ret_archive, ret_md5, err);
}

static int
artifact_put(void *self, const char *name, const char *archive, const char *md5,
             core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err)
{
    return core_artifact_put(CORE(self), name, archive, md5, true, ret_outcome, ret_uuid, err);
}

static int
artifact_put_files(void *self, const char *name, const core_file_t *files, size_t count,
                   core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err)
{
    return core_artifact_put_files(CORE(self), name, files, count, ret_outcome, ret_uuid, err);
}

static int
artifact_put_from_service(void *self, const char *service, const char *path, const char *name,
                          char **ret_uuid, err_t **err)
{
    return core_artifact_put_from_service(CORE(self), WITHIN(self), service, path, name, ret_uuid,
                                          err);
}

static int
package_put(void *self, const char *package_id, const char *archive, err_t **err)
{
    return core_package_put(CORE(self), package_id, archive, err);
}

static int
package_clone(void *self, const char *author, const char *repo, const char *version,
              const char *token_of, char **ret_note, err_t **err)
{
    return core_package_clone(CORE(self), author, repo, version, token_of, ret_note, err);
}

static int
package_token(void *self, const char *package_id, const char *token, err_t **err)
{
    return core_package_token(CORE(self), package_id, token, err);
}

/* An image on its way. */
typedef struct {
    const run_image_news_t *news;
    run_image_t *ret;
} fetching_t;

static void
say_lines(const run_image_news_t *news, const char *text)
{
    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        AUTO_FREE char *line = strndup(text, len);
        if (len)
            news->say(news->arg, line);
    }
}

/* Takes what a step of the driver says. */
static void
on_image_step(void *arg, const Orchestrator__FetchImageProgress *step)
{
    const fetching_t *self = arg;
    run_image_t *ret = self->ret;
    if (step->warning[0] && !ret->warning)
        ret->warning = strdup(step->warning);
    say_lines(self->news, step->log);
    if (step->origin == ORCHESTRATOR__FETCH_ORIGIN__FETCH_IN_PROGRESS) {
        if (!step->layers_total)
            return;
        AUTO_FREE char *text =
            str_format("%u of %u layers, %.1f of %.1f MB", step->layers_done, step->layers_total,
                       (double)step->bytes_done / 1e6, (double)step->bytes_total / 1e6);
        self->news->say(self->news->arg, text);
        return;
    }
    ret->origin = step->origin;
    if (step->info && step->info->architecture[0] && !ret->architecture)
        ret->architecture = strdup(step->info->architecture);
}

static int
image_build(const run_world_t *self, const types_image_t *image, fetching_t *fetching, err_t **err)
{
    Orchestrator__BuildImageArgs args = ORCHESTRATOR__BUILD_IMAGE_ARGS__INIT;
    args.image = image->name;
    args.is_flake = image->kind == TYPES_IMAGE_NIX;
    if (image->file)
        args.file = image->file;
    if (image->output)
        args.flake_output = image->output;
    if (image->target)
        args.target = image->target;
    args.n_args = image->args.count;
    args.args = calloc(args.n_args + 1, sizeof *args.args);
    for (size_t i = 0; i < args.n_args; i++) {
        args.args[i] = malloc(sizeof **args.args);
        orchestrator__pair__init(args.args[i]);
        args.args[i]->name = image->args.items[i].name;
        args.args[i]->value = image->args.items[i].value;
    }
    int rc = core_image_build(self->core, self->within, &args, image->folder, on_image_step,
                              fetching, err);
    for (size_t i = 0; i < args.n_args; i++)
        free(args.args[i]);
    free(args.args);
    return rc;
}

static int
image_fetch(void *self, const types_image_t *image, Orchestrator__FetchMode mode,
            const run_image_news_t *news, run_image_t *ret, err_t **err)
{
    fetching_t fetching = {.news = news, .ret = ret};
    if (image->kind == TYPES_IMAGE_BUILD || image->kind == TYPES_IMAGE_NIX)
        return image_build(self, image, &fetching, err);
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    args.image = image->name;
    args.mode = mode;
    if (image->username)
        args.username = image->username;
    if (image->password)
        args.password = image->password;
    if (image->registry)
        args.registry = image->registry;
    return core_image_fetch(CORE(self), WITHIN(self), &args, on_image_step, &fetching, err);
}

static int
resources(void *self, bool measure, run_resources_t *ret, err_t **err)
{
    Orchestrator__GetClusterInfoArgs args = ORCHESTRATOR__GET_CLUSTER_INFO_ARGS__INIT;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    args.measure_free = measure;
    if (actor_ask(core_actor(CORE(self)), WITHIN(self), core_driver(CORE(self)),
                  SERVICE "GetClusterInfo", &args.base, 0, &reply, err) < 0)
        return -1;
    const Orchestrator__ClusterInfo *info = (const Orchestrator__ClusterInfo *)reply;
    *ret = (run_resources_t){
        .complete = info->resources_complete,
        .millicpus = info->free_millicpus,
        .megabytes = info->free_memory_megabytes,
        .architecture = info->architecture[0] ? strdup(info->architecture) : NULL,
    };
    return 0;
}

static sqlite3 *
db_lock(void *self)
{
    return core_db_lock(CORE(self));
}

static void
db_unlock(void *self)
{
    core_db_unlock(CORE(self));
}

void
run_world_core(run_world_t *self, core_t *core, actor_call_t *within)
{
    *self = (run_world_t){
        .self = self,
        .core = core,
        .within = within,
        .enclave_uuid = core_enclave_uuid(core),
        .enclave_env = core_enclave_env(core),
        .backend = core_backend_kind(core),
        .is_production = core_is_production(core),
        .repositories = core_repositories(core),
        .tmp = core_tmp(core),
        .services_start = services_start,
        .service_remove = service_remove,
        .service_stop = service_stop,
        .service_restart = service_restart,
        .service_find = service_find,
        .service_config = service_config,
        .services_all = services_all,
        .service_exec = service_exec,
        .service_request = service_request,
        .artifact_exists = artifact_exists,
        .artifact_names = artifact_names,
        .download = download,
        .archive_path = archive_path,
        .artifact_put = artifact_put,
        .artifact_put_files = artifact_put_files,
        .artifact_put_from_service = artifact_put_from_service,
        .package_clone = package_clone,
        .package_put = package_put,
        .package_token = package_token,
        .image_fetch = image_fetch,
        .resources = resources,
        .db_lock = db_lock,
        .db_unlock = db_unlock,
    };
}
