/*  support: what the tests of apic/core share: cmocka's includes, folders that go away, a core
 * without a driver. */
#ifndef KURTOSIS_TESTS_APIC_CORE_SUPPORT_H
#define KURTOSIS_TESTS_APIC_CORE_SUPPORT_H

#include "apic/core/internal.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SUPPORT_ENCLAVE "0123456789abcdef0123456789abcdef"

/* A fresh folder below /tmp; yours. */
static inline char *
support_folder(void)
{
    char *path = strdup("/tmp/kurtosis-core-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

/* Removes and frees it. */
static inline void
support_folder_drop(char *path)
{
    AUTO(err) err = NULL;
    assert_int_equal(file_remove_tree(path, &err), 0);
    free(path);
}

static inline void
support_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline core_config_t
support_config(const char *folder)
{
    return (core_config_t){.enclave_uuid = SUPPORT_ENCLAVE,
                           .enclave_name = "test",
                           .data_folder = folder,
                           .enclave_env = "",
                           .backend_kind = "docker",
                           .driver = "driver/docker",
                           .subnet = "172.16.0.0/22",
                           .gateway = "172.16.0.1",
                           .own_ip = "172.16.0.2"};
}

/* The chain as one text; the caller's err is freed. Yours. */
static inline char *
support_why(err_t **err)
{
    char *text = err_string(*err);
    err_destroy(err);
    return text;
}

static inline core_t *
support_core(const char *folder)
{
    core_config_t config = support_config(folder);
    core_t *core = NULL;
    err_t *err = NULL;
    if (core_new(&config, &core, &err) < 0)
        fail_msg("%s", support_why(&err));
    return core;
}

static inline core_service_config_t *
support_service(const char *name)
{
    core_service_config_t *config = core_service_config_new();
    core_set_text(&config->spec->name, name);
    core_set_text(&config->spec->image, "image");
    config->spec->ip_address_placeholder = strdup("KURTOSIS_IP_ADDR_PLACEHOLDER");
    return config;
}

/* Adds a port with a wait (< 0: none). */
static inline void
support_port(core_service_config_t *config, const char *id, unsigned number, int64_t wait_ns)
{
    Orchestrator__ServiceSpec *spec = config->spec;
    spec->ports = realloc(spec->ports, (spec->n_ports + 1) * sizeof *spec->ports);
    Orchestrator__ServicePort *port = malloc(sizeof *port);
    orchestrator__service_port__init(port);
    core_set_text(&port->id, id);
    port->number = number;
    spec->ports[spec->n_ports++] = port;
    if (wait_ns < 0)
        return;
    config->waits = realloc(config->waits, (config->n_waits + 1) * sizeof *config->waits);
    config->waits[config->n_waits++] =
        (core_port_wait_t){.port_id = strdup(id), .wait_ns = wait_ns};
}

/* Adds a folder with one artifact. */
static inline void
support_files(core_service_config_t *config, const char *path, const char *artifact)
{
    config->files = realloc(config->files, (config->n_files + 1) * sizeof *config->files);
    core_files_t *files = &config->files[config->n_files++];
    files->path = strdup(path);
    files->artifacts = calloc(2, sizeof(char *));
    files->artifacts[0] = strdup(artifact);
}

#endif
