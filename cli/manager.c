/*  manager: see manager.h.
 *
 *  The fast path touches nothing but the engine's port: a user whose key the engine knows, and who
 * knows the engine's, connects at once. All else (no engine, a key that is not known yet) goes
 * through the orchestrator: whoever may use Docker may use the engine.
 */
#include "cli/manager.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"
#include "cli/logins.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define RETRY_MS 5
#define RETRY_MAX_MS 250

/* ----------------------------------------------------------------------------------- connecting */

static int
connect_within(int timeout_ms, kurtosis_context_t **ret_context, err_t **err)
{
    kurtosis_options_t options = {.program = "kurtosis " KURTOSIS_VERSION,
                                  .connect_timeout_ms = timeout_ms};
    return kurtosis_context_new(&options, ret_context, err);
}

/* A newer CLI may need what an older engine of the same minor version lacks. */
static int
check_patch(const kurtosis_context_t *context, err_t **err)
{
    const char *engine = kurtosis_context_engine_version(context), *own = KURTOSIS_VERSION;
    const char *engine_dot = strrchr(engine, '.'), *own_dot = strrchr(own, '.');
    if (!strcmp(engine, own))
        return 0;
    if (!engine_dot || engine_dot - engine != own_dot - own) {
        out_warn("the engine's version '%s' cannot be compared with this CLI's, '%s'", engine, own);
        return 0;
    }
    if (strtol(engine_dot + 1, NULL, 10) < strtol(own_dot + 1, NULL, 10))
        return err_fail(err, ERR_STATE,
                        "the engine has version %s, this CLI version %s; run 'kurtosis engine "
                        "restart' to bring the "
                        "engine up to date",
                        engine, own);
    out_warn("the engine has version %s, which is newer than this CLI's, %s", engine, own);
    return 0;
}

int
manager_connect(kurtosis_context_t **ret_context, err_t **err)
{
    AUTO(kurtosis_context) context = NULL;
    if (connect_within(MANAGER_CONNECT_MS, &context, err) < 0 || check_patch(context, err) < 0)
        return -1;
    *ret_context = TAKE(context);
    return 0;
}

/* Once more and again, until the engine that is starting answers. */
static int
connect_patiently(int timeout_ms, kurtosis_context_t **ret_context, err_t **err)
{
    int64_t deadline = clock_ns() + timeout_ms * NS_PER_MS;
    for (int pause = RETRY_MS;; pause = pause * 2 < RETRY_MAX_MS ? pause * 2 : RETRY_MAX_MS) {
        int64_t left = (deadline - clock_ns()) / NS_PER_MS;
        AUTO(err) why = NULL;
        if (connect_within(left > 2000 ? 2000 : (int)left, ret_context, &why) == 0)
            return 0;
        if (err_code(why) == ERR_STATE || clock_ns() + pause * NS_PER_MS >= deadline) {
            if (err)
                *err = TAKE(why);
            return -1;
        }
        struct timespec wait = {.tv_nsec = pause * NS_PER_MS};
        nanosleep(&wait, NULL);
    }
}

/* ----------------------------------------------------------------------------------------- keys */

static int
own_public_key(char ret_text[BUS_KEY_TEXT_SIZE], err_t **err)
{
    AUTO_FREE char *folder = kurtosis_data_folder(), *path = str_format("%s/bus.key", folder);
    bus_keys_t keys;
    if (bus_keys_require(path, &keys, err) < 0)
        return -1;
    bus_key_to_text(keys.public_key, ret_text);
    bus_keys_wipe(&keys);
    return 0;
}

static int
remember_engine(const char *public_key, err_t **err)
{
    AUTO_FREE char *path = kurtosis_engine_key_path(), *fresh = str_format("%s.new", path);
    AUTO_FREE char *line = str_format("%s\n", public_key);
    AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) || rename(fresh, path) < 0)
        return err_fail(err, ERR_INVALID, "cannot write the engine's key to '%s': %s", path,
                        strerror(errno));
    return 0;
}

/* -------------------------------------------------------------------------------------- engines */

static int
get_engines(backend_t *backend, Orchestrator__GetEnginesReply **ret_engines, err_t **err)
{
    Orchestrator__Empty nothing = ORCHESTRATOR__EMPTY__INIT;
    return backend_ask(backend, "GetEngines", &nothing.base, (ProtobufCMessage **)ret_engines, err);
}

/* The engine that runs, or NULL; lent. */
static int
find_running(const Orchestrator__GetEnginesReply *engines,
             const Orchestrator__EngineInfo **ret_engine, err_t **err)
{
    *ret_engine = NULL;
    for (size_t i = 0; i < engines->n_engines; i++) {
        if (!engines->engines[i]->is_running)
            continue;
        if (*ret_engine)
            return err_fail(err, ERR_STATE,
                            "more than one engine runs, '%s' and '%s'; run 'kurtosis engine stop' "
                            "to stop them all",
                            (*ret_engine)->guid, engines->engines[i]->guid);
        *ret_engine = engines->engines[i];
    }
    if (*ret_engine && !*(*ret_engine)->public_key)
        return err_fail(err, ERR_STATE,
                        "the engine that runs, '%s', is none of this Kurtosis; stop it with the "
                        "'kurtosis' that started it, or put one of this Kurtosis in its place with "
                        "'kurtosis engine restart'",
                        (*ret_engine)->guid);
    if (*ret_engine && (*ret_engine)->bus_port != (uint32_t)kurtosis_port())
        return err_fail(
            err, ERR_STATE,
            "the engine that runs listens on port %u, not %d; set KURTOSIS_BUS_PORT=%u to use it",
            (*ret_engine)->bus_port, kurtosis_port(), (*ret_engine)->bus_port);
    return 0;
}

/* Makes this user and the engine know each other. */
static int
introduce(backend_t *backend, const Orchestrator__EngineInfo *engine, err_t **err)
{
    char key[BUS_KEY_TEXT_SIZE];
    if (own_public_key(key, err) < 0)
        return -1;
    Orchestrator__AuthorizeUserArgs args = ORCHESTRATOR__AUTHORIZE_USER_ARGS__INIT;
    args.guid = engine->guid;
    args.user_public_key = key;
    if (backend_ask(backend, "AuthorizeUser", &args.base, NULL, err) < 0)
        return err_wrap(err, "cannot get access to the engine");
    return *engine->public_key ? remember_engine(engine->public_key, err) : 0;
}

static int
stop_one(backend_t *backend, const char *guid, err_t **err)
{
    Orchestrator__StopEngineArgs args = ORCHESTRATOR__STOP_ENGINE_ARGS__INIT;
    args.guid = (char *)guid;
    args.grace_seconds = MANAGER_STOP_SECONDS;
    args.remove = true;
    return backend_ask(backend, "StopEngine", &args.base, NULL, err);
}

static int
remove_stopped(backend_t *backend, const Orchestrator__GetEnginesReply *engines, err_t **err)
{
    for (size_t i = 0; i < engines->n_engines; i++)
        if (!engines->engines[i]->is_running &&
            stop_one(backend, engines->engines[i]->guid, err) < 0)
            return err_wrap(err, "cannot remove the stopped engine '%s'",
                            engines->engines[i]->guid);
    return 0;
}

/* --------------------------------------------------------------------------------------- images */

/* The image file of this installation, or NULL; yours. */
static char *
find_image_file(void)
{
    const char *given = getenv("KURTOSIS_IMAGE");
    if (given && *given)
        return strdup(given);
    static const char *const places[] = {"../kurtosis-image.tar",
                                         "../share/kurtosis/kurtosis-image.tar"};
    AUTO_FREE char *folder = backend_program_folder();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char *path = str_format("%s/%s", folder, places[i]);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* The id of the image in the file, from the text beside it; "" when there is none. */
static void
read_image_id(const char *file, char *ret_id, size_t size)
{
    AUTO_FREE char *path = str_format("%s.id", file);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, ret_id, size - 1);
    ret_id[got < 0 ? 0 : got] = '\0';
    ret_id[strcspn(ret_id, "\r\n ")] = '\0';
}

/* Is the image there, with this id (any, where it is "")? 1 or 0. */
static int
has_image(backend_t *backend, const char *image, const char *id, err_t **err)
{
    Orchestrator__ImageRef args = ORCHESTRATOR__IMAGE_REF__INIT;
    args.image = (char *)image;
    AUTO_MESSAGE Orchestrator__ImageInfo *info = NULL;
    AUTO(err) why = NULL;
    if (backend_ask(backend, "InspectImage", &args.base, (ProtobufCMessage **)&info, &why) < 0) {
        if (err_code(why) == ERR_NOT_FOUND)
            return 0;
        if (err)
            *err = TAKE(why);
        return -1;
    }
    return !*id || !strcmp(info->id, id);
}

static int
fetch_image(backend_t *backend, const char *image, err_t **err)
{
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    args.image = (char *)image;
    args.mode = ORCHESTRATOR__FETCH_MODE__FETCH_MISSING;
    return backend_fetch_image(backend, &args, err);
}

/* Engine and API containers have one image with two names; both must be there, of this installation
 * where it has one. */
static int
ensure_images(backend_t *backend, const char *version, err_t **err)
{
    AUTO_FREE char *engine = str_format(MANAGER_IMAGE ":%s", version),
                   *apic = str_format(MANAGER_APIC_IMAGE ":%s", version),
                   *file = strcmp(version, KURTOSIS_VERSION) ? NULL : find_image_file();
    char id[128] = "";
    if (file)
        read_image_id(file, id, sizeof id);
    int there = has_image(backend, engine, id, err);
    if (there > 0)
        there = has_image(backend, apic, id, err);
    if (there != 0)
        return there < 0 ? -1 : 0;
    if (file) {
        out_debug("loading the image of engine and API containers from '%s'", file);
        return backend_load_image(backend, file, err);
    }
    if (fetch_image(backend, engine, err) < 0 || fetch_image(backend, apic, err) < 0)
        return err_wrap(err,
                        "the images '%s' and '%s' are not there, and no image file of this "
                        "installation was found; set "
                        "KURTOSIS_IMAGE to it",
                        engine, apic);
    return 0;
}

/* ------------------------------------------------------------------------------------- starting */

#define SINKS_MAX 17u /* one more than a driver takes, so that it is the one who refuses */
#define API_CONTAINER_LOG_LEVEL "debug"

/* Makes the API containers that run anew, of this version. While no engine runs: nobody asks them for anything. */
static int
replace_api_containers(backend_t *backend, const char *version, char **env, size_t n_env,
                       err_t **err)
{
    Orchestrator__GetEnclavesArgs all = ORCHESTRATOR__GET_ENCLAVES_ARGS__INIT;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    AUTO_FREE char *image = str_format(MANAGER_APIC_IMAGE ":%s", version);
    if (backend_ask(backend, "GetEnclaves", &all.base, (ProtobufCMessage **)&enclaves, err) < 0)
        return -1;
    for (size_t i = 0; i < enclaves->n_enclaves; i++) {
        const Orchestrator__Enclave *enclave = enclaves->enclaves[i];
        if (enclave->api_container_state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
            continue;
        Orchestrator__ReplaceApiContainerArgs args = ORCHESTRATOR__REPLACE_API_CONTAINER_ARGS__INIT;
        args.enclave_uuid = enclave->enclave_uuid;
        args.image = image;
        args.version = (char *)version;
        args.log_level = API_CONTAINER_LOG_LEVEL;
        args.env = env;
        args.n_env = n_env;
        if (backend_ask(backend, "ReplaceApiContainer", &args.base, NULL, err) < 0)
            return err_wrap(err, "cannot restart the API container of enclave '%s'", enclave->name);
        out_info("Restarted the API container of enclave '%s'", enclave->name);
    }
    return 0;
}

/* What the file that KURTOSIS_GIT_CA names holds, as the engine's environment has it. */
static int
own_authorities(char **ret_variable, err_t **err)
{
    const char *path = getenv("KURTOSIS_GIT_CA");
    AUTO_STR text = STR_EMPTY;
    str_add(&text, "KURTOSIS_GIT_CA_PEM=");
    if (path && *path && file_read_text(path, MANAGER_CA_MAX, &text, err) < 0)
        return err_wrap(err, "cannot read the certificates that KURTOSIS_GIT_CA names");
    if (path && *path && !strstr(text.data, "-----BEGIN CERTIFICATE-----"))
        return err_fail(err, ERR_INVALID,
                        "KURTOSIS_GIT_CA names '%s', which has no certificate in PEM form in it",
                        path);
    *ret_variable = str_take(&text);
    return 0;
}

static int
launch(backend_t *backend, const manager_options_t *options, kurtosis_context_t **ret_context,
       err_t **err)
{
    const char *version = *options->version ? options->version : KURTOSIS_VERSION;
    char guid[UUID_LEN + 1], key[BUS_KEY_TEXT_SIZE];
    uuid_new(guid);
    AUTO_FREE char *image = str_format(MANAGER_IMAGE ":%s", version);
    Orchestrator__CreateEngineArgs args = ORCHESTRATOR__CREATE_ENGINE_ARGS__INIT;
    args.guid = guid;
    args.image = image;
    args.version = (char *)version;
    args.log_level = (char *)options->log_level;
    args.user_public_key = key;
    args.bus_port = (uint32_t)kurtosis_port();
    const char *mirrors = getenv("KURTOSIS_GIT_MIRROR");
    AUTO_FREE char *git_mirrors = str_format("KURTOSIS_GIT_MIRROR=%s", mirrors ? mirrors : ""),
                   *token = str_format("KURTOSIS_GITHUB_TOKEN=%s", options->github_token),
                   *git_ca = NULL;
    if (own_authorities(&git_ca, err) < 0)
        return -1;
    char *env[] = {git_mirrors, git_ca, token};
    args.env = env;
    args.n_env = ARRAY_LEN(env);
    AUTO_FREE char *sinks = strdup(options->log_sinks ? options->log_sinks : "");
    char *urls[SINKS_MAX], *rest = sinks;
    args.log_sinks = urls;
    for (char *url; (url = strsep(&rest, ",")) && args.n_log_sinks < SINKS_MAX;)
        if (*url)
            urls[args.n_log_sinks++] = url;
    if (options->log_retention)
        args.log_retention = (char *)options->log_retention;
    args.log_quota = options->log_quota;
    AUTO_MESSAGE Orchestrator__EngineInfo *engine = NULL;
    if (ensure_images(backend, version, err) < 0 || own_public_key(key, err) < 0 ||
        (options->restart_api_containers &&
         replace_api_containers(backend, version, env, ARRAY_LEN(env), err) < 0) ||
        backend_ask(backend, "CreateEngine", &args.base, (ProtobufCMessage **)&engine, err) < 0 ||
        remember_engine(engine->public_key, err) < 0)
        return -1;
    if (connect_patiently(MANAGER_START_MS, ret_context, err) < 0)
        return err_wrap(err,
                        "the engine was started but does not answer; 'docker logs "
                        "kurtosis-engine--%s' says what it does",
                        guid);
    logins_send(kurtosis_context_actor(*ret_context));
    return 0;
}

/* An engine runs that would not talk to us a moment ago: get to know each other, and try again. */
static int
connect_introduced(backend_t *backend, const Orchestrator__EngineInfo *engine,
                   kurtosis_context_t **ret_context, err_t **err)
{
    AUTO(kurtosis_context) context = NULL;
    if (introduce(backend, engine, err) < 0)
        return -1;
    /* also one whose container Docker is just starting again */
    if (connect_patiently(MANAGER_CONNECT_MS, &context, err) < 0)
        return err_code(err ? *err : NULL) == ERR_STATE
                   ? -1
                   : err_wrap(err, "the engine's container runs, but the engine does not answer; "
                                   "run 'kurtosis engine restart'");
    if (check_patch(context, err) < 0)
        return -1;
    *ret_context = TAKE(context);
    return 0;
}

/* Connects to the engine that runs or a new one; *ret_started tells. */
static int
ensure(const manager_options_t *options, const char *announcement, kurtosis_context_t **ret_context,
       bool *ret_started, err_t **err)
{
    AUTO(err) why = NULL;
    *ret_started = false;
    if (manager_connect(ret_context, &why) == 0)
        return 0;
    if (err_code(why) == ERR_STATE) {
        if (err)
            *err = TAKE(why);
        return -1;
    }
    AUTO(backend) backend = NULL;
    AUTO_MESSAGE Orchestrator__GetEnginesReply *engines = NULL;
    const Orchestrator__EngineInfo *running;
    if (backend_new(&backend, err) < 0 || get_engines(backend, &engines, err) < 0 ||
        find_running(engines, &running, err) < 0)
        return -1;
    if (running)
        return connect_introduced(backend, running, ret_context, err);
    if (announcement)
        out_info("%s", announcement);
    if (remove_stopped(backend, engines, err) < 0 || launch(backend, options, ret_context, err) < 0)
        return err_wrap(err, "cannot start the Kurtosis engine");
    *ret_started = true;
    return 0;
}

int
manager_ensure(kurtosis_context_t **ret_context, err_t **err)
{
    static const manager_options_t options = {
        .version = "", .log_level = "debug", .github_token = ""};
    bool started;
    if (ensure(&options, "No Kurtosis engine was found; attempting to start one...", ret_context,
               &started, err) < 0)
        return -1;
    if (started)
        out_info("Successfully started Kurtosis engine");
    return 0;
}

int
manager_start(const manager_options_t *options, bool *ret_started, err_t **err)
{
    AUTO(kurtosis_context) context = NULL;
    return ensure(options, NULL, &context, ret_started, err);
}

int
manager_check(err_t **err)
{
    AUTO_FREE char *git_ca = NULL;
    return own_authorities(&git_ca, err);
}

int
manager_stop(err_t **err)
{
    AUTO(backend) backend = NULL;
    AUTO_MESSAGE Orchestrator__GetEnginesReply *engines = NULL;
    if (backend_new(&backend, err) < 0 || get_engines(backend, &engines, err) < 0)
        return -1;
    for (size_t i = 0; i < engines->n_engines; i++)
        if (stop_one(backend, engines->engines[i]->guid, err) < 0)
            return err_wrap(err, "cannot stop the engine '%s'", engines->engines[i]->guid);
    return 0;
}

int
manager_status(manager_status_t *ret_status, char **ret_version, err_t **err)
{
    AUTO(kurtosis_context) context = NULL;
    AUTO(backend) backend = NULL;
    AUTO_MESSAGE Orchestrator__GetEnginesReply *engines = NULL;
    const Orchestrator__EngineInfo *running;
    AUTO(err) why = NULL;
    if (connect_within(MANAGER_CONNECT_MS, &context, &why) < 0) {
        if (backend_new(&backend, err) < 0 || get_engines(backend, &engines, err) < 0 ||
            find_running(engines, &running, err) < 0)
            return -1;
        if (!running) {
            *ret_status = MANAGER_STOPPED;
            return 0;
        }
        if (err_code(why) == ERR_STATE) { /* it answered; only its version does not fit */
            *ret_status = MANAGER_RUNNING;
            *ret_version = strdup(running->version);
            return 0;
        }
        if (introduce(backend, running, err) < 0)
            return -1;
        if (connect_patiently(MANAGER_CONNECT_MS, &context, NULL) < 0) {
            *ret_status = MANAGER_NOT_RESPONDING;
            return 0;
        }
    }
    *ret_status = MANAGER_RUNNING;
    *ret_version = strdup(kurtosis_context_engine_version(context));
    return 0;
}

int
manager_clean(backend_t *backend, char ***ret_names, size_t *ret_count, err_t **err)
{
    AUTO_MESSAGE Orchestrator__GetEnginesReply *engines = NULL;
    if (get_engines(backend, &engines, err) < 0 || remove_stopped(backend, engines, err) < 0)
        return -1;
    *ret_count = 0;
    *ret_names = calloc(engines->n_engines + 1, sizeof **ret_names);
    if (!*ret_names)
        abort();
    for (size_t i = 0; i < engines->n_engines; i++)
        if (!engines->engines[i]->is_running)
            (*ret_names)[(*ret_count)++] =
                str_format("kurtosis-engine--%s", engines->engines[i]->guid);
    return 0;
}

int
manager_prune_images(backend_t *backend, char ***ret_names, size_t *ret_count, err_t **err)
{
    AUTO_MESSAGE Orchestrator__PruneImagesReply *reply = NULL;
    Orchestrator__PruneImagesArgs args = ORCHESTRATOR__PRUNE_IMAGES_ARGS__INIT;
    args.keep_version = (char *)KURTOSIS_VERSION;
    if (backend_ask(backend, "PruneImages", &args.base, (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_names = TAKE(reply->images);
    *ret_count = reply->n_images;
    reply->n_images = 0;
    return 0;
}
