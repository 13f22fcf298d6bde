/*  start.c: starts the container of one service and waits until its ports answer. */
#include "apic/core/batch.h"
#include "apic/core/ports.h"
#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MEMORY_MIN_MEGABYTES 6u
#define STOP_TIMEOUT_MS 30000

static int check_together(core_t *core, const core_files_t *files, err_t **err);
static int make_spec(core_t *core, const batch_item_t *item, Orchestrator__ServiceSpec **ret_spec,
                     err_t **err);
static int send_parts(core_t *core, const core_service_config_t *config,
                      Orchestrator__ServiceSpec *spec, actor_stream_t *stream, err_t **err);
static int make_container(core_t *core, actor_call_t *within, batch_item_t *item, err_t **err);
static int wait_for_ports(core_t *core, actor_call_t *within, const batch_item_t *item,
                          watch_waiter_t *waiter, err_t **err);
static void add_last_lines(core_t *core, const batch_item_t *item, err_t **err);

int
start_check(core_t *core, const core_service_config_t *config, err_t **err)
{
    const Orchestrator__ServiceSpec *spec = config->spec;
    if (!spec->ip_address_placeholder[0])
        return err_fail(err, ERR_INVALID, "the placeholder for its private IP address is empty");
    if (spec->max_memory_megabytes && spec->max_memory_megabytes < MEMORY_MIN_MEGABYTES)
        return err_fail(
            err, ERR_INVALID,
            "%lu megabytes of memory are too little for a container; give it at least %u",
            (unsigned long)spec->max_memory_megabytes, MEMORY_MIN_MEGABYTES);
    for (size_t i = 0; i < config->n_files; i++)
        for (char **artifact = config->files[i].artifacts; artifact && *artifact; artifact++)
            if (!core_artifact_exists(core, *artifact, NULL))
                return err_fail(err, ERR_NOT_FOUND,
                                "there is no files artifact '%s' for its folder '%s'", *artifact,
                                config->files[i].path);
    for (size_t i = 0; i < config->n_files; i++)
        if (check_together(core, &config->files[i], err) < 0)
            return err_wrap(err, "the files artifacts of its folder '%s' do not go together",
                            config->files[i].path);
    for (size_t i = 0; i < config->n_waits; i++) {
        size_t j = 0;
        while (j < spec->n_ports && strcmp(spec->ports[j]->id, config->waits[i].port_id) != 0)
            j++;
        if (j == spec->n_ports)
            return err_fail(err, ERR_INVALID, "it has no port '%s' to wait for",
                            config->waits[i].port_id);
    }
    return 0;
}

/* Each artifact is safe to unpack alone, or it would not be in the store; on the symbolic links of those before it, it
 * need not be. */
static int
check_together(core_t *core, const core_files_t *files, err_t **err)
{
    AUTO(archive_stack) stack = archive_stack_new();
    for (char **artifact = files->artifacts; artifact && *artifact; artifact++) {
        if (!artifact[1] && !archive_stack_has_links(stack))
            return 0; /* the last, or the only one */
        AUTO_FD int fd = -1;
        if (core_artifact_open(core, *artifact, &fd, err) < 0)
            return -1;
        AUTO_FREE char *path = str_format("/proc/self/fd/%d", fd);
        if (archive_stack_add(stack, path, *artifact, err) < 0)
            return -1;
    }
    return 0;
}

int
start_service(core_t *core, actor_call_t *within, batch_item_t *item, err_t **err)
{
    watch_waiter_t waiter;
    if (watch_wait_begin(core->watch, &waiter, item->uuid, err) < 0)
        return -1;
    int rc = make_container(core, within, item, err);
    if (rc == 0) {
        rc = wait_for_ports(core, within, item, &waiter, err);
        if (rc < 0)
            add_last_lines(core, item, err);
    }
    watch_wait_end(core->watch, &waiter);
    if (rc == 0)
        return 0;
    AUTO_FREE char *what = str_format("cannot start service '%s'", item->config->spec->name);
    /* A driver says so, too, and once is enough. */
    return err && *err && strcmp(err_text(*err), what) == 0 ? -1 : err_wrap(err, "%s", what);
}

/* --------------------------------------------------------------------------------------- the
 * container */

static int
make_container(core_t *core, actor_call_t *within, batch_item_t *item, err_t **err)
{
    AUTO_MESSAGE Orchestrator__ServiceSpec *spec = NULL;
    if (make_spec(core, item, &spec, err) < 0)
        return -1;
    AUTO(actor_stream) stream = NULL;
    if (core_stream(core, within, "StartService", NULL, &stream, err) < 0)
        return -1;
    if (send_parts(core, item->config, spec, stream, err) < 0)
        return -1;
    AUTO_MESSAGE Orchestrator__ServiceInfo *info = NULL;
    int rc =
        core_recv(core, within, stream, CORE_START_TIMEOUT_MS, (ProtobufCMessage **)&info, err);
    if (rc == 0)
        return err_fail(err, ERR_INTERNAL,
                        "the driver did not say whether the container was started");
    return rc < 0 ? -1 : 0;
}

/* Puts value in place of every occurrence of placeholder. */
static void
replace_all(char **text, const char *placeholder, const char *value)
{
    if (!strstr(*text, placeholder))
        return;
    AUTO_STR out = STR_EMPTY;
    const char *at = *text;
    for (const char *hit; (hit = strstr(at, placeholder)); at = hit + strlen(placeholder)) {
        str_add_bytes(&out, at, (size_t)(hit - at));
        str_add(&out, value);
    }
    str_add(&out, at);
    core_set_text(text, out.data);
}

/* A copy of the configuration's spec with everything that only we know. */
static int
make_spec(core_t *core, const batch_item_t *item, Orchestrator__ServiceSpec **ret_spec, err_t **err)
{
    const core_service_config_t *config = item->config;
    Orchestrator__ServiceSpec *spec =
        (Orchestrator__ServiceSpec *)bus_message_dup(&config->spec->base);
    if (!spec)
        return err_fail(err, ERR_INTERNAL, "its configuration cannot be copied");
    core_set_text(&spec->enclave_uuid, core->enclave_uuid);
    core_set_text(&spec->service_uuid, item->uuid);
    core_set_text(&spec->private_ip, item->ip);
    spec->restart_always = core->is_production;
    spec->replace = !item->is_new;
    for (size_t i = 0; i < spec->n_entrypoint; i++)
        replace_all(&spec->entrypoint[i], config->spec->ip_address_placeholder, item->ip);
    for (size_t i = 0; i < spec->n_cmd; i++)
        replace_all(&spec->cmd[i], config->spec->ip_address_placeholder, item->ip);
    for (size_t i = 0; i < spec->n_env; i++)
        replace_all(&spec->env[i]->value, config->spec->ip_address_placeholder, item->ip);

    spec->files = calloc(config->n_files + 1, sizeof *spec->files);
    if (!spec->files)
        abort();
    for (; spec->n_files < config->n_files; spec->n_files++) {
        Orchestrator__FilesMount *mount = malloc(sizeof *mount);
        if (!mount)
            abort();
        orchestrator__files_mount__init(mount);
        core_set_text(&mount->path, config->files[spec->n_files].path);
        spec->files[spec->n_files] = mount;
    }
    *ret_spec = spec;
    return 0;
}

/* One archive, piece by piece; the stream's credit sets the pace. */
static int
send_archive(core_t *core, const char *artifact, uint32_t mount, actor_stream_t *stream,
             err_t **err)
{
    AUTO_FD int fd = -1;
    struct stat about;
    if (core_artifact_open(core, artifact, &fd, err) < 0)
        return -1;
    AUTO_FREE uint8_t *piece = malloc(CORE_CHUNK);
    if (!piece)
        abort();
    uint64_t left = fstat(fd, &about) == 0 ? (uint64_t)about.st_size : 0;
    do {
        ssize_t got = read(fd, piece, left < CORE_CHUNK ? left : CORE_CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got == 0 && left > 0))
            return err_fail(err, ERR_UNKNOWN, "cannot read files artifact '%s': %s", artifact,
                            got < 0 ? strerror(errno) : "it is cut off");
        left -= (uint64_t)got;
        Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
        part.mount_index = mount;
        part.data = (ProtobufCBinaryData){.len = (size_t)got, .data = piece};
        part.archive_end = left == 0;
        if (actor_stream_send(stream, &part.base, err) < 0)
            return -1;
    } while (left > 0);
    return 0;
}

static int
send_parts(core_t *core, const core_service_config_t *config, Orchestrator__ServiceSpec *spec,
           actor_stream_t *stream, err_t **err)
{
    Orchestrator__StartServicePart first = ORCHESTRATOR__START_SERVICE_PART__INIT;
    first.spec = spec;
    if (actor_stream_send(stream, &first.base, err) < 0)
        return -1;
    for (size_t i = 0; i < config->n_files; i++)
        for (char **artifact = config->files[i].artifacts; artifact && *artifact; artifact++)
            if (send_archive(core, *artifact, (uint32_t)i, stream, err) < 0)
                return -1;
    return actor_stream_end(stream, err);
}

/* ------------------------------------------------------------------------------------------- its
 * ports */

typedef struct {
    core_t *core;
    actor_call_t *within;
    const batch_item_t *item;
    watch_waiter_t *waiter;
} hint_t;

/* Something happened to a container of the service: is the present one still alive? */
static int
on_hint(void *arg, err_t **err)
{
    hint_t *self = arg;
    watch_wait_seen(self->waiter);
    AUTO_MESSAGE Orchestrator__GetServicesReply *reply = NULL;
    AUTO(err) why = NULL;
    int rc = core_service_containers(self->core, self->within, self->item->uuid, &reply, &why);
    if (rc < 0 && err_code(why) == ERR_UNAVAILABLE)
        return 0; /* the driver is away: the ports will tell, or the next hint */
    if (rc < 0) {
        if (err)
            *err = TAKE(why);
        return -1;
    }
    if (reply->n_services == 0)
        return err_fail(err, ERR_STATE, "its container is gone");
    const Orchestrator__ServiceInfo *info = reply->services[0];
    if (info->state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        return err_fail(err, ERR_STATE,
                        "its container ended with exit code %d before its ports answered",
                        info->exit_code);
    return 0;
}

static ports_transport_t
transport_of(Orchestrator__Transport transport)
{
    switch (transport) {
    case ORCHESTRATOR__TRANSPORT__UDP:
        return PORTS_UDP;
    case ORCHESTRATOR__TRANSPORT__SCTP:
        return PORTS_SCTP;
    default:
        return PORTS_TCP;
    }
}

static int
wait_for_ports(core_t *core, actor_call_t *within, const batch_item_t *item, watch_waiter_t *waiter,
               err_t **err)
{
    const core_service_config_t *config = item->config;
    AUTO_FREE ports_target_t *targets = calloc(config->n_waits + 1, sizeof *targets);
    if (!targets)
        abort();
    for (size_t i = 0; i < config->n_waits; i++)
        for (size_t j = 0; j < config->spec->n_ports; j++) {
            const Orchestrator__ServicePort *port = config->spec->ports[j];
            if (strcmp(port->id, config->waits[i].port_id) == 0)
                targets[i] = (ports_target_t){.id = port->id,
                                              .number = port->number,
                                              .transport = transport_of(port->transport),
                                              .wait_ns = config->waits[i].wait_ns};
        }
    hint_t hint = {.core = core, .within = within, .item = item, .waiter = waiter};
    ports_wait_t wait = {.ip = item->ip,
                         .targets = targets,
                         .count = config->n_waits,
                         .cancel_fd = core_cancel_fd(core, within),
                         .hint_fd = waiter->fd,
                         .on_hint = on_hint,
                         .arg = &hint};
    return ports_wait(&wait, err);
}

/* --------------------------------------------------------------------------------------- what it
 * said */

static void
collect_lines(core_t *core, const char *uuid, str_t *out)
{
    Orchestrator__GetLogsArgs args = ORCHESTRATOR__GET_LOGS_ARGS__INIT;
    char *uuids[] = {(char *)uuid};
    args.enclave_uuid = core->enclave_uuid;
    args.service_uuids = uuids;
    args.n_service_uuids = 1;
    args.last_lines = CORE_FAILURE_LINES;
    AUTO(actor_stream) stream = NULL;
    if (core_stream(core, NULL, "GetLogs", &args.base, &stream, NULL) < 0)
        return;
    for (;;) {
        AUTO_MESSAGE Orchestrator__ServiceLogLine *line = NULL;
        if (actor_stream_recv(stream, STOP_TIMEOUT_MS, (ProtobufCMessage **)&line, NULL) <= 0)
            return;
        if (out->len + line->line.len + 1 > CORE_FAILURE_BYTES)
            return;
        str_add_bytes(out, line->line.data, line->line.len);
        str_add_char(out, '\n');
    }
}

/* Replaces the error by one that also shows the service's last lines, and stops a container that
 * would stay. */
static void
add_last_lines(core_t *core, const batch_item_t *item, err_t **err)
{
    if (!err || !*err || err_code(*err) == ERR_CANCELLED)
        return;
    const char *name = item->config->spec->name;
    AUTO_STR lines = STR_EMPTY;
    collect_lines(core, item->uuid, &lines);
    AUTO_FREE char *why = err_string(*err);
    err_code_t code = err_code(*err);
    err_destroy(err);
    err_fail(err, code,
             "%s\n== SERVICE '%s' LOGS ===================================\n%s"
             "== FINISHED SERVICE '%s' LOGS ===================================",
             why, name, lines.data, name);
    if (item->is_new)
        return; /* the batch removes it */
    Orchestrator__StopServiceArgs args = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    args.enclave_uuid = core->enclave_uuid;
    args.service_uuid = (char *)item->uuid;
    args.grace_seconds = CORE_STOP_GRACE_SECONDS;
    core_ask(core, NULL, "StopService", &args.base, STOP_TIMEOUT_MS, NULL, NULL);
}
