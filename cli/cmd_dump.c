/*  cmd_dump: enclave dump, dump, engine logs: what the orchestrator knows of containers, and files artifacts, as files in
 *  a new directory.
 *
 *    <directory>/<container>/spec.json, output.log       enclave dump, engine logs
 *    <directory>/files/<artifact>/...                    enclave dump
 *    <directory>/engines/..., enclaves/<name>--<uuid>/...   dump
 */
#include "cli/commands.h"

#include "archive/archive.h"
#include "bus/schema/orchestrator.pb-c.h"
#include "cli/backend.h"
#include "cli/output.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int
make_folder(const char *path, err_t **err)
{
    if (mkdir(path, 0777) == 0)
        return 0;
    return errno == EEXIST
               ? err_fail(err, ERR_EXISTS,
                          "'%s' exists already: name a directory that does not exist", path)
               : err_fail(err, ERR_INVALID, "cannot make the directory '%s': %s", path,
                          strerror(errno));
}

/* ----------------------------------------------------------------------------------- containers */

/* A name that is one part of a path below ours. */
static int
check_name(const char *what, const char *name, err_t **err)
{
    if (*name && *name != '.' && !strchr(name, '/'))
        return 0;
    return err_fail(err, ERR_INVALID, "the %s '%s' has no name for a directory", what, name);
}

/* The file that is being written. */
typedef struct {
    const char *folder;
    char *container;
    bool is_log;
    int fd;
} dump_t;

static void
dump_done(dump_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    free(self->container);
}

static int
next_file(dump_t *self, const Orchestrator__DumpPart *part, err_t **err)
{
    bool is_new = !self->container || strcmp(self->container, part->container) != 0;
    if (!is_new && self->is_log == part->is_log)
        return 0;
    AUTO_FREE char *folder = str_format("%s/%s", self->folder, part->container);
    AUTO_FREE char *path = str_format("%s/%s", folder, part->is_log ? "output.log" : "spec.json");
    if (check_name("container", part->container, err) < 0 ||
        (is_new && make_folder(folder, err) < 0))
        return -1;
    if (self->fd >= 0)
        close(self->fd);
    free(self->container);
    self->container = strdup(part->container);
    self->is_log = part->is_log;
    self->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return self->fd < 0 ? err_fail(err, ERR_UNKNOWN, "cannot write '%s': %s", path, strerror(errno))
                        : 0;
}

static int
write_part(dump_t *self, const Orchestrator__DumpPart *part, err_t **err)
{
    if (next_file(self, part, err) < 0)
        return -1;
    for (size_t at = 0; at < part->data.len;) {
        ssize_t went = write(self->fd, part->data.data + at, part->data.len - at);
        if (went < 0 && errno != EINTR)
            return err_fail(err, ERR_UNKNOWN, "cannot write into '%s/%s': %s", self->folder,
                            self->container, strerror(errno));
        at += went > 0 ? (size_t)went : 0;
    }
    return 0;
}

static int
dump_containers(kurtosis_context_t *kurtosis, const char *enclave_uuid, const char *folder,
                err_t **err)
{
    __attribute__((cleanup(dump_done))) dump_t dump = {.folder = folder, .fd = -1};
    AUTO(actor_stream) stream = NULL;
    Orchestrator__DumpArgs args = ORCHESTRATOR__DUMP_ARGS__INIT;
    args.enclave_uuid = (char *)enclave_uuid;
    if (actor_stream_open(kurtosis_context_actor(kurtosis), NULL, BACKEND_DRIVER,
                          "orchestrator.Orchestrator/Dump", &args.base, &stream, err) < 0)
        return -1;
    for (;;) {
        AUTO_MESSAGE Orchestrator__DumpPart *part = NULL;
        int got = actor_stream_recv(stream, -1, (ProtobufCMessage **)&part, err);
        if (got <= 0)
            return got;
        if (write_part(&dump, part, err) < 0)
            return -1;
    }
}

/* ------------------------------------------------------------------------------------- artifacts */

static int
dump_artifact(enclave_context_t *enclave, const char *name, const char *folder, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    AUTO_FREE char *archive = str_format("%s.tgz", path);
    if (check_name("files artifact", name, err) < 0 ||
        enclave_context_download_files_artifact(enclave, name, archive, err) < 0)
        return -1;
    int result = make_folder(path, err);
    if (result == 0)
        result = archive_tgz_unpack(archive, path, err);
    unlink(archive);
    return result;
}

static int
dump_artifacts(enclave_context_t *enclave, const char *folder, err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *list = NULL;
    AUTO_FREE char *files = str_format("%s/files", folder);
    if (enclave_context_get_all_files_artifacts(enclave, &list, err) < 0)
        return -1;
    if (list->n_file_names_and_uuids && make_folder(files, err) < 0)
        return -1;
    for (size_t i = 0; i < list->n_file_names_and_uuids; i++) {
        const char *name = list->file_names_and_uuids[i]->filename;
        if (dump_artifact(enclave, name, files, err) < 0)
            return err_wrap(err, "cannot dump the files artifact '%s'", name);
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------- commands */

static int
dump_enclave(kurtosis_context_t *kurtosis, const EngineApi__EnclaveInfo *info, const char *folder,
             err_t **err)
{
    AUTO(enclave_context) enclave = NULL;
    bool runs = info->api_container_status ==
                ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING;
    if (make_folder(folder, err) < 0 ||
        dump_containers(kurtosis, info->enclave_uuid, folder, err) < 0 ||
        (runs &&
         (kurtosis_context_get_enclave_context(kurtosis, info->enclave_uuid, &enclave, err) < 0 ||
          dump_artifacts(enclave, folder, err) < 0)))
        return err_wrap(err, "cannot dump the enclave '%s'", info->name);
    return 0;
}

int
enclave_dump_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = NULL;
    if (session_open(&session, err) < 0 ||
        kurtosis_context_get_enclave(session.kurtosis, cli_arg(call, "enclave"), &info, err) < 0)
        return -1;
    const char *given = cli_arg(call, "output-dirpath");
    AUTO_FREE char *folder =
        *given ? strdup(given) : str_format("%s--%s", info->name, info->enclave_uuid);
    if (dump_enclave(session.kurtosis, info, folder, err) < 0)
        return -1;
    out_info("Dumped enclave '%s' to directory '%s'", info->name, folder);
    return 0;
}

static char *
folder_of(const cli_call_t *call, const char *prefix)
{
    const char *given = cli_arg(call, "output-dirpath");
    return *given ? strdup(given) : str_format("%s--%lld", prefix, (long long)time(NULL));
}

int
engine_logs_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_FREE char *folder = folder_of(call, "kurtosis-engine-logs");
    if (session_open(&session, err) < 0)
        return -1;
    if (make_folder(folder, err) < 0 || dump_containers(session.kurtosis, "", folder, err) < 0)
        return err_wrap(err, "cannot write the engines' logs");
    out_info("Engine logs were written to directory '%s'", folder);
    return 0;
}

int
dump_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = NULL;
    AUTO_FREE char *folder = folder_of(call, "kurtosis-dump");
    AUTO_FREE char *engines = str_format("%s/engines", folder);
    AUTO_FREE char *all = str_format("%s/enclaves", folder);
    if (session_open(&session, err) < 0 ||
        kurtosis_context_get_enclaves(session.kurtosis, &enclaves, err) < 0 ||
        make_folder(folder, err) < 0 || make_folder(engines, err) < 0 || make_folder(all, err) < 0)
        return -1;
    if (dump_containers(session.kurtosis, "", engines, err) < 0)
        return err_wrap(err, "cannot dump the engines");
    for (size_t i = 0; i < enclaves->n_enclave_info; i++) {
        const EngineApi__EnclaveInfo *info = enclaves->enclave_info[i]->value;
        AUTO_FREE char *path = str_format("%s/%s--%s", all, info->name, info->enclave_uuid);
        if (dump_enclave(session.kurtosis, info, path, err) < 0)
            return -1;
    }
    out_info("Dumped everything to directory '%s'", folder);
    return 0;
}
