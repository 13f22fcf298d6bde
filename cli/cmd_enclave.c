/*  cmd_enclave: enclave add, connect, ls, inspect, stop, rm; clean. */
#include "cli/commands.h"

#include "cli/inspect.h"
#include "cli/json.h"
#include "cli/manager.h"
#include "cli/session.h"
#include "cli/starlark.h"

#include <string.h>

int
enclave_add_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    enclave_options_t options = {
        .is_production = cli_bool(call, "production"),
        .ipv6 = cli_bool(call, "ipv6"),
        .apic_version = *cli_text(call, "api-container-version")
                            ? cli_text(call, "api-container-version")
                            : NULL,
        .apic_log_level = cli_text(call, "api-container-log-level"),
    };
    if (session_open(&session, err) < 0)
        return -1;
    out_info("Creating new enclave...");
    if (kurtosis_context_create_enclave(session.kurtosis, cli_text(call, "name"), &options,
                                        &session.enclave, err) < 0)
        return -1;
    AUTO_FREE char *message =
        str_format("Created enclave: %s", enclave_context_name(session.enclave));
    out_spotlight(message);
    return 0;
}

int
enclave_inspect_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    if (session_open(&session, err) < 0)
        return -1;
    if (!strcmp(cli_text(call, "output"), "json"))
        return inspect_print_json(session.kurtosis, cli_arg(call, "enclave"), err);
    return inspect_print(session.kurtosis, cli_arg(call, "enclave"), cli_bool(call, "full-uuids"),
                         err);
}

int
enclave_connect_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0)
        return -1;
    out_info(
        "The ports of the enclave '%s' are published on this machine already; nothing is mapped",
        enclave_context_name(session.enclave));
    return 0;
}

static void
print_enclaves(const EngineApi__GetEnclavesResponse *enclaves, bool full_uuids)
{
    static const char *const header[] = {"UUID", "Name", "Status", "Creation Time"};
    __attribute__((cleanup(out_table_done))) out_table_t table;
    out_table_init(&table, ARRAY_LEN(header));
    out_table_header(&table, header);
    for (size_t i = 0; i < enclaves->n_enclave_info; i++) {
        const EngineApi__EnclaveInfo *info = enclaves->enclave_info[i]->value;
        AUTO_STR time = STR_EMPTY;
        if (info->creation_time)
            out_time(&time, info->creation_time->seconds);
        out_table_add(&table, OUT_PLAIN, full_uuids ? info->enclave_uuid : info->shortened_uuid);
        out_table_add(&table, OUT_PLAIN, info->name);
        out_table_add(&table, inspect_status_style(info->containers_status),
                      inspect_status_name(info->containers_status));
        out_table_add(&table, OUT_PLAIN, time.data);
    }
    AUTO_STR text = STR_EMPTY;
    out_table_write(&table, out_coloured(), &text);
    out_text(text.data);
}

int
enclave_ls_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = NULL;
    if (session_open(&session, err) < 0 ||
        kurtosis_context_get_enclaves(session.kurtosis, &enclaves, err) < 0)
        return -1;
    if (!strcmp(cli_text(call, "output"), "json"))
        json_print_enclaves(enclaves);
    else
        print_enclaves(enclaves, cli_bool(call, "full-uuids"));
    return 0;
}

/* ------------------------------------------------------------------------------ stop and remove */

typedef struct {
    EngineApi__EnclaveInfo **infos;
    size_t count;
} enclaves_t;

static void
enclaves_done(enclaves_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        bus_message_destroy(&self->infos[i]);
    free(self->infos);
}

static int
by_uuid(const void *a, const void *b)
{
    return strcmp((*(EngineApi__EnclaveInfo *const *)a)->enclave_uuid,
                  (*(EngineApi__EnclaveInfo *const *)b)->enclave_uuid);
}

/* The enclaves named on the command line, each once, sorted; all must be there. */
static int
find_enclaves(const session_t *session, const cli_call_t *call, enclaves_t *ret, err_t **err)
{
    size_t count;
    const char *const *names = cli_args(call, &count);
    ret->infos = calloc(count + 1, sizeof *ret->infos);
    if (!ret->infos)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (kurtosis_context_get_enclave(session->kurtosis, names[i], &ret->infos[ret->count],
                                         err) < 0)
            return -1;
        ret->count++;
    }
    qsort(ret->infos, ret->count, sizeof *ret->infos, by_uuid);
    size_t kept = 0;
    for (size_t i = 0; i < ret->count; i++)
        if (kept > 0 && !strcmp(ret->infos[i]->enclave_uuid, ret->infos[kept - 1]->enclave_uuid))
            bus_message_destroy(&ret->infos[i]);
        else
            ret->infos[kept++] = ret->infos[i];
    ret->count = kept;
    return 0;
}

/* Adds what went wrong with one enclave to a list for all. */
static void
add_failure(str_t *failures, const char *name, const err_t *why)
{
    AUTO_FREE char *text = err_lines(why);
    str_printf(failures, "\n>>>>>>>>>>>>>>>>> %s <<<<<<<<<<<<<<<<<\n%s", name, text);
}

/* Services get their time to end; the rest of the enclave is then killed. */
static int
stop_services(const session_t *session, const EngineApi__EnclaveInfo *info, err_t **err)
{
    AUTO(enclave_context) enclave = NULL;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    if (info->api_container_status !=
        ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING)
        return 0;
    if (kurtosis_context_get_enclave_context(session->kurtosis, info->enclave_uuid, &enclave, err) <
            0 ||
        enclave_context_get_services(enclave, NULL, 0, &services, err) < 0)
        return -1;
    for (size_t i = 0; i < services->n_service_info; i++) {
        const ApiContainerApi__ServiceInfo *service = services->service_info[i]->value;
        if (service && service->service_status == API_CONTAINER_API__SERVICE_STATUS__RUNNING &&
            starlark_stop_service(enclave, service->name, err) < 0)
            return err_wrap(err, "cannot stop the service '%s'", service->name);
    }
    return 0;
}

int
enclave_stop_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    __attribute__((cleanup(enclaves_done))) enclaves_t enclaves = {0};
    AUTO_STR failures = STR_EMPTY;
    if (session_open(&session, err) < 0 || find_enclaves(&session, call, &enclaves, err) < 0)
        return -1;
    out_info("Stopping enclaves...");
    for (size_t i = 0; i < enclaves.count; i++) {
        const EngineApi__EnclaveInfo *info = enclaves.infos[i];
        AUTO(err) why = NULL;
        if (stop_services(&session, info, &why) < 0) {
            AUTO_FREE char *text = err_string(why);
            out_warn("%s", text);
        }
        AUTO(err) failure = NULL;
        if (kurtosis_context_stop_enclave(session.kurtosis, info->enclave_uuid, &failure) < 0)
            add_failure(&failures, info->name, failure);
    }
    if (failures.len)
        return err_fail(err, ERR_UNKNOWN, "cannot stop all enclaves:%s", failures.data);
    out_info("Enclaves stopped successfully");
    return 0;
}

int
enclave_rm_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    __attribute__((cleanup(enclaves_done))) enclaves_t enclaves = {0};
    AUTO_STR failures = STR_EMPTY;
    if (session_open(&session, err) < 0 || find_enclaves(&session, call, &enclaves, err) < 0)
        return -1;
    out_info("Destroying enclaves...");
    for (size_t i = 0; i < enclaves.count; i++) {
        const EngineApi__EnclaveInfo *info = enclaves.infos[i];
        AUTO(err) why = NULL;
        int result = 0;
        if (!cli_bool(call, "force") &&
            info->containers_status ==
                ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING)
            result = err_fail(&why, ERR_STATE,
                              "Refusing to destroy enclave '%s' because its status is RUNNING; to "
                              "destroy it anyway, rerun "
                              "this command with the 'force' flag",
                              info->name);
        else
            result = kurtosis_context_destroy_enclave(session.kurtosis, info->enclave_uuid, &why);
        if (result < 0)
            add_failure(&failures, info->name, why);
    }
    if (failures.len)
        return err_fail(err, ERR_UNKNOWN, "cannot destroy all enclaves:%s", failures.data);
    out_info("Enclaves successfully destroyed");
    return 0;
}

/* ---------------------------------------------------------------------------------------- clean */

static void
print_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out_line("%s", names[i]);
        free(names[i]);
    }
    free(names);
}

/* What `kurtosis clean` does it with. */
typedef struct {
    session_t *session;
    backend_t **backend; /* of NULL until a phase needs it */
    bool all;
} clean_t;

/* Removes by the orchestrator's own driver, and prints what. */
static int
clean_by(clean_t *self,
         int (*remove)(backend_t *backend, char ***ret_names, size_t *ret_count, err_t **err),
         err_t **err)
{
    char **names;
    size_t count;
    if ((!*self->backend && backend_new(self->backend, err) < 0) ||
        remove(*self->backend, &names, &count, err) < 0)
        return -1;
    print_names(names, count);
    return 0;
}

static int
clean_engines(clean_t *self, err_t **err)
{
    return clean_by(self, manager_clean, err);
}

static int
clean_images(clean_t *self, err_t **err)
{
    return clean_by(self, manager_prune_images, err);
}

static int
clean_enclaves(clean_t *self, err_t **err)
{
    AUTO_MESSAGE EngineApi__CleanResponse *removed = NULL;
    if (kurtosis_context_clean(self->session->kurtosis, self->all, &removed, err) < 0)
        return -1;
    for (size_t i = 0; i < removed->n_removed_enclave_name_and_uuids; i++)
        out_line("%s\t%s", removed->removed_enclave_name_and_uuids[i]->uuid,
                 removed->removed_enclave_name_and_uuids[i]->name);
    return 0;
}

static const struct {
    const char *name;
    int (*clean)(clean_t *self, err_t **err);
} phases[] = {{"enclaves", clean_enclaves},
              {"old Kurtosis engine containers", clean_engines},
              {"unused images", clean_images}};

int
clean_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session;
    AUTO(backend) backend = NULL;
    AUTO_STR failed = STR_EMPTY;
    if (session_open(&session, err) < 0)
        return -1;
    clean_t self = {.session = &session, .backend = &backend, .all = cli_bool(call, "all")};
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        AUTO(err) why = NULL;
        out_info("Cleaning %s...", phases[i].name);
        if (phases[i].clean(&self, &why) < 0) {
            AUTO_FREE char *text = out_error_text(why);
            out_error("%s", text);
            str_printf(&failed, "%s%s", failed.len ? ", " : "", phases[i].name);
            continue;
        }
        out_info("Successfully cleaned %s", phases[i].name);
    }
    if (failed.len)
        return err_fail(err, ERR_UNKNOWN, "Errors occurred cleaning %s", failed.data);
    return 0;
}
