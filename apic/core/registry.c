/*  registry: see registry.h. */
#include "apic/core/registry.h"

#include "apic/core/db.h"

#include <inttypes.h>
#include <string.h>

const char registry_schema[] =
    "CREATE TABLE IF NOT EXISTS service ("
    "  uuid TEXT PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  private_ip TEXT NOT NULL,"
    "  status INTEGER NOT NULL,"       /* core_service_status_t */
    "  acknowledged INTEGER NOT NULL," /* its first start has succeeded */
    "  stale INTEGER NOT NULL,"        /* to be removed */
    "  config BLOB NOT NULL"           /* orchestrator.ServiceSpec as msgpack */
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS service_wait ("
    "  service_uuid TEXT NOT NULL REFERENCES service ON DELETE CASCADE,"
    "  port_id TEXT NOT NULL,"
    "  wait_ns INTEGER NOT NULL,"
    "  PRIMARY KEY (service_uuid, port_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS service_files ("
    "  service_uuid TEXT NOT NULL REFERENCES service ON DELETE CASCADE,"
    "  position INTEGER NOT NULL,"
    "  path TEXT NOT NULL,"
    "  artifact TEXT NOT NULL,"
    "  PRIMARY KEY (service_uuid, position)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS service_identifier ("
    "  position INTEGER PRIMARY KEY,"
    "  uuid TEXT NOT NULL,"
    "  name TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE IF NOT EXISTS address ("
    "  ip INTEGER PRIMARY KEY,"
    "  service_uuid TEXT REFERENCES service ON DELETE CASCADE" /* NULL: nobody may have it */
    ") STRICT;";

#define SERVICE_COLUMNS "uuid, name, private_ip, status, config"

static int reserve(sqlite3 *db, uint32_t ip, err_t **err);
static int allocate(sqlite3 *db, const ip_net_t *net, uint32_t *ret_ip, err_t **err);
static int save_details(sqlite3 *db, const char *uuid, const core_service_config_t *config,
                        err_t **err);
static int service_read(sqlite3 *db, const db_statement_t *row, core_service_t **ret_service,
                        err_t **err);
static int step_once(db_statement_t *st, err_t **err);

int
registry_open(sqlite3 *db, const ip_net_t *net, uint32_t gateway, uint32_t own_ip, err_t **err)
{
    if (db_exec(db, "DELETE FROM address WHERE service_uuid IS NULL", err) < 0 ||
        reserve(db, net->network, err) < 0 || reserve(db, gateway, err) < 0 ||
        reserve(db, own_ip, err) < 0)
        return -1;
    return db_exec(db, "UPDATE service SET stale = 1 WHERE acknowledged = 0", err);
}

int
registry_add(sqlite3 *db, const ip_net_t *net, const core_service_config_t *config,
             char ret_uuid[UUID_LEN + 1], char ret_ip[IP_TEXT_SIZE], err_t **err)
{
    uint32_t ip;
    if (allocate(db, net, &ip, err) < 0)
        return -1;
    uuid_new(ret_uuid);
    ip_text(ip, ret_ip);

    AUTO_STR spec = STR_EMPTY;
    bus_msgpack_pack(&config->spec->base, &spec);
    DB_STATEMENT st;
    if (db_prepare(
            db, &st,
            "INSERT INTO service (uuid, name, private_ip, status, acknowledged, stale, config)"
            " VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)",
            err) < 0)
        return -1;
    db_bind_text(&st, 1, ret_uuid);
    db_bind_text(&st, 2, config->spec->name);
    db_bind_text(&st, 3, ret_ip);
    db_bind_int(&st, 4, CORE_SERVICE_REGISTERED);
    db_bind_blob(&st, 5, spec.data, spec.len);
    if (step_once(&st, err) < 0)
        return -1;

    DB_STATEMENT address;
    if (db_prepare(db, &address, "INSERT INTO address (ip, service_uuid) VALUES (?1, ?2)", err) < 0)
        return -1;
    db_bind_int(&address, 1, ip);
    db_bind_text(&address, 2, ret_uuid);
    if (step_once(&address, err) < 0)
        return -1;
    return save_details(db, ret_uuid, config, err);
}

int
registry_update(sqlite3 *db, const char *uuid, const core_service_config_t *config, err_t **err)
{
    AUTO_STR spec = STR_EMPTY;
    bus_msgpack_pack(&config->spec->base, &spec);
    DB_STATEMENT st;
    if (db_prepare(db, &st, "UPDATE service SET status = ?2, config = ?3 WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    db_bind_int(&st, 2, CORE_SERVICE_REGISTERED);
    db_bind_blob(&st, 3, spec.data, spec.len);
    if (step_once(&st, err) < 0)
        return -1;
    return save_details(db, uuid, config, err);
}

int
registry_acknowledge(sqlite3 *db, const char *uuid, err_t **err)
{
    DB_STATEMENT identifier;
    if (db_prepare(db, &identifier,
                   "INSERT INTO service_identifier (uuid, name)"
                   " SELECT uuid, name FROM service WHERE uuid = ?1 AND acknowledged = 0",
                   err) < 0)
        return -1;
    db_bind_text(&identifier, 1, uuid);
    if (step_once(&identifier, err) < 0)
        return -1;

    DB_STATEMENT st;
    if (db_prepare(db, &st, "UPDATE service SET acknowledged = 1, status = ?2 WHERE uuid = ?1",
                   err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    db_bind_int(&st, 2, CORE_SERVICE_STARTED);
    return step_once(&st, err);
}

int
registry_set_status(sqlite3 *db, const char *uuid, core_service_status_t status, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "UPDATE service SET status = ?2 WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    db_bind_int(&st, 2, status);
    return step_once(&st, err);
}

static int
with_uuid(sqlite3 *db, const char *sql, const char *uuid, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, sql, err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    return step_once(&st, err);
}

int
registry_set_stale(sqlite3 *db, const char *uuid, err_t **err)
{
    return with_uuid(db, "UPDATE service SET stale = 1, acknowledged = 0 WHERE uuid = ?1", uuid,
                     err);
}

int
registry_delete(sqlite3 *db, const char *uuid, err_t **err)
{
    return with_uuid(db, "DELETE FROM service WHERE uuid = ?1", uuid, err);
}

/* -------------------------------------------------------------------------------------- reading */

/* The one service that sql selects: 1 and the service, 0 for none. */
static int
find_one(sqlite3 *db, const char *sql, const char *identifier, core_service_t **ret_service,
         err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, sql, err) < 0)
        return -1;
    db_bind_text(&st, 1, identifier);
    int rc = db_step(&st, err);
    if (rc <= 0)
        return rc;
    AUTO(core_service) service = NULL;
    if (service_read(db, &st, &service, err) < 0 || (rc = db_step(&st, err)) < 0)
        return -1;
    if (rc > 0)
        return err_fail(err, ERR_INVALID,
                        "'%s' is the shortened UUID of several services; use a full UUID or a name",
                        identifier);
    *ret_service = TAKE(service);
    return 1;
}

static const char by_uuid[] =
    "SELECT " SERVICE_COLUMNS " FROM service WHERE stale = 0 AND uuid = ?1";
static const char by_short[] =
    "SELECT " SERVICE_COLUMNS " FROM service WHERE stale = 0 AND substr(uuid, 1, 12) = ?1";
static const char by_name[] =
    "SELECT " SERVICE_COLUMNS " FROM service WHERE stale = 0 AND name = ?1";

int
registry_find(sqlite3 *db, const char *identifier, core_service_t **ret_service, err_t **err)
{
    static const char *const ways[] = {by_uuid, by_short, by_name};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        int rc = find_one(db, ways[i], identifier, ret_service, err);
        if (rc)
            return rc < 0 ? -1 : 0;
    }
    return err_fail(err, ERR_NOT_FOUND, "no service has the name or UUID '%s'", identifier);
}

int
registry_find_name(sqlite3 *db, const char *name, core_service_t **ret_service, err_t **err)
{
    int rc = find_one(db, by_name, name, ret_service, err);
    if (rc == 0)
        return err_fail(err, ERR_NOT_FOUND, "no service has the name '%s'", name);
    return rc < 0 ? -1 : 0;
}

int
registry_all(sqlite3 *db, core_service_t ***ret_services, size_t *ret_count, err_t **err)
{
    core_service_t **services = NULL;
    size_t count = 0;
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT " SERVICE_COLUMNS " FROM service WHERE stale = 0 ORDER BY name",
                   err) < 0)
        return -1;
    int rc;
    while ((rc = db_step(&st, err)) > 0) {
        services = realloc(services, (count + 1) * sizeof *services);
        if (!services)
            abort();
        if ((rc = service_read(db, &st, &services[count], err)) < 0)
            break;
        count++;
    }
    if (rc < 0) {
        core_services_free(services, count);
        return -1;
    }
    *ret_services = services;
    *ret_count = count;
    return 0;
}

int
registry_count(sqlite3 *db, size_t *ret_count, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT count(*) FROM service", err) < 0 || db_step(&st, err) < 0)
        return -1;
    *ret_count = (size_t)db_int(&st, 0);
    return 0;
}

static int
read_spec(const db_statement_t *row, int column, Orchestrator__ServiceSpec **ret_spec, err_t **err)
{
    size_t size;
    const void *data = db_blob(row, column, &size);
    if (bus_msgpack_unpack(&orchestrator__service_spec__descriptor, data, size,
                           (ProtobufCMessage **)ret_spec, err) < 0)
        return err_wrap(err,
                        "cannot read the configuration of a service from the enclave database");
    return 0;
}

static int
read_waits(sqlite3 *db, const char *uuid, core_service_config_t *config, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT port_id, wait_ns FROM service_wait WHERE service_uuid = ?1",
                   err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    int rc;
    while ((rc = db_step(&st, err)) > 0) {
        config->waits = realloc(config->waits, (config->n_waits + 1) * sizeof *config->waits);
        if (!config->waits)
            abort();
        config->waits[config->n_waits++] =
            (core_port_wait_t){.port_id = strdup(db_text(&st, 0)), .wait_ns = db_int(&st, 1)};
    }
    return rc;
}

static void
add_file(core_service_config_t *config, const char *path, const char *artifact)
{
    core_files_t *files = config->n_files ? &config->files[config->n_files - 1] : NULL;
    if (!files || strcmp(files->path, path) != 0) {
        config->files = realloc(config->files, (config->n_files + 1) * sizeof *config->files);
        if (!config->files)
            abort();
        files = &config->files[config->n_files++];
        *files = (core_files_t){.path = strdup(path), .artifacts = calloc(1, sizeof(char *))};
    }
    size_t n = 0;
    while (files->artifacts[n])
        n++;
    files->artifacts = realloc(files->artifacts, (n + 2) * sizeof(char *));
    if (!files->artifacts)
        abort();
    files->artifacts[n] = strdup(artifact);
    files->artifacts[n + 1] = NULL;
}

static int
read_files(sqlite3 *db, const char *uuid, core_service_config_t *config, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(
            db, &st,
            "SELECT path, artifact FROM service_files WHERE service_uuid = ?1 ORDER BY position",
            err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    int rc;
    while ((rc = db_step(&st, err)) > 0)
        add_file(config, db_text(&st, 0), db_text(&st, 1));
    return rc;
}

int
registry_config(sqlite3 *db, const char *uuid, core_service_config_t **ret_config, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT config FROM service WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    int rc = db_step(&st, err);
    if (rc == 0)
        return err_fail(err, ERR_NOT_FOUND, "no service has the UUID '%s'", uuid);
    AUTO(core_service_config) config = core_service_config_new();
    bus_message_destroy(&config->spec);
    if (rc < 0 || read_spec(&st, 0, &config->spec, err) < 0 ||
        read_waits(db, uuid, config, err) < 0 || read_files(db, uuid, config, err) < 0)
        return -1;
    *ret_config = TAKE(config);
    return 0;
}

int
registry_stale(sqlite3 *db, const char *name, char **ret_uuid, char **ret_name, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(
            db, &st,
            "SELECT uuid, name FROM service WHERE stale = 1 AND (?1 IS NULL OR name = ?1) LIMIT 1",
            err) < 0)
        return -1;
    db_bind_text(&st, 1, name);
    int rc = db_step(&st, err);
    if (rc > 0) {
        *ret_uuid = strdup(db_text(&st, 0));
        *ret_name = strdup(db_text(&st, 1));
    }
    return rc;
}

int
registry_knows(sqlite3 *db, const char *uuid, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT 1 FROM service WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    return db_step(&st, err);
}

int
registry_identifiers(sqlite3 *db, void (*fn)(void *arg, const char *uuid, const char *name),
                     void *arg, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT uuid, name FROM service_identifier ORDER BY position", err) < 0)
        return -1;
    int rc;
    while ((rc = db_step(&st, err)) > 0)
        fn(arg, db_text(&st, 0), db_text(&st, 1));
    return rc;
}

/* -------------------------------------------------------------------------------------- helpers */

static int
step_once(db_statement_t *st, err_t **err)
{
    return db_step(st, err) < 0 ? -1 : 0;
}

static int
reserve(sqlite3 *db, uint32_t ip, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "INSERT OR IGNORE INTO address (ip) VALUES (?1)", err) < 0)
        return -1;
    db_bind_int(&st, 1, ip);
    return step_once(&st, err);
}

/* The network's own address is always taken, so the lowest free one follows a taken one. */
static int
allocate(sqlite3 *db, const ip_net_t *net, uint32_t *ret_ip, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st,
                   "SELECT min(ip) + 1 FROM address WHERE ip >= ?1 AND ip + 1 NOT IN"
                   " (SELECT ip FROM address)",
                   err) < 0)
        return -1;
    db_bind_int(&st, 1, net->network);
    if (db_step(&st, err) < 0)
        return -1;
    int64_t ip = db_int(&st, 0);
    if (ip <= net->network || ip >= net->broadcast) {
        char text[IP_TEXT_SIZE];
        ip_text(net->network, text);
        return err_fail(err, ERR_LIMIT,
                        "all addresses of the enclave's network '%s' are taken; remove services "
                        "that are not needed",
                        text);
    }
    *ret_ip = (uint32_t)ip;
    return 0;
}

static int
save_waits(sqlite3 *db, const char *uuid, const core_service_config_t *config, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st,
                   "INSERT INTO service_wait (service_uuid, port_id, wait_ns) VALUES (?1, ?2, ?3)",
                   err) < 0)
        return -1;
    for (size_t i = 0; i < config->n_waits; i++) {
        db_bind_text(&st, 1, uuid);
        db_bind_text(&st, 2, config->waits[i].port_id);
        db_bind_int(&st, 3, config->waits[i].wait_ns);
        if (db_step(&st, err) < 0)
            return -1;
        db_reset(&st);
    }
    return 0;
}

static int
save_files(sqlite3 *db, const char *uuid, const core_service_config_t *config, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st,
                   "INSERT INTO service_files (service_uuid, position, path, artifact)"
                   " VALUES (?1, ?2, ?3, ?4)",
                   err) < 0)
        return -1;
    int64_t position = 0;
    for (size_t i = 0; i < config->n_files; i++)
        for (char **artifact = config->files[i].artifacts; artifact && *artifact; artifact++) {
            db_bind_text(&st, 1, uuid);
            db_bind_int(&st, 2, position++);
            db_bind_text(&st, 3, config->files[i].path);
            db_bind_text(&st, 4, *artifact);
            if (db_step(&st, err) < 0)
                return -1;
            db_reset(&st);
        }
    return 0;
}

static int
save_details(sqlite3 *db, const char *uuid, const core_service_config_t *config, err_t **err)
{
    if (with_uuid(db, "DELETE FROM service_wait WHERE service_uuid = ?1", uuid, err) < 0 ||
        with_uuid(db, "DELETE FROM service_files WHERE service_uuid = ?1", uuid, err) < 0)
        return -1;
    if (save_waits(db, uuid, config, err) < 0)
        return -1;
    return save_files(db, uuid, config, err);
}

static int
service_read(sqlite3 *db, const db_statement_t *row, core_service_t **ret_service, err_t **err)
{
    AUTO_MESSAGE Orchestrator__ServiceSpec *spec = NULL;
    if (read_spec(row, 4, &spec, err) < 0)
        return -1;
    AUTO(core_service) self = calloc(1, sizeof *self);
    AUTO(core_service_config) waits = core_service_config_new();
    if (!self)
        abort();
    self->uuid = strdup(db_text(row, 0));
    self->name = strdup(db_text(row, 1));
    self->hostname = strdup(self->name);
    self->private_ip = strdup(db_text(row, 2));
    self->status = (core_service_status_t)db_int(row, 3);
    if (read_waits(db, self->uuid, waits, err) < 0)
        return -1;

    self->ports = calloc(spec->n_ports + 1, sizeof *self->ports);
    if (!self->ports)
        abort();
    for (; self->n_ports < spec->n_ports; self->n_ports++) {
        const Orchestrator__ServicePort *port = spec->ports[self->n_ports];
        __typeof__(*self->ports) *ours = &self->ports[self->n_ports];
        ours->id = strdup(port->id);
        ours->number = port->number;
        ours->transport = port->transport;
        ours->application_protocol = strdup(port->application_protocol);
        ours->wait_ns = -1;
        for (size_t i = 0; i < waits->n_waits; i++)
            if (strcmp(waits->waits[i].port_id, port->id) == 0)
                ours->wait_ns = waits->waits[i].wait_ns;
    }
    *ret_service = TAKE(self);
    return 0;
}
