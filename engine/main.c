/*  kurtosis-engine: the first process of the engine container.
 *
 *  Its arguments come as the orchestrator gives them: one JSON object in SERIALIZED_ARGS. The flags
 * are for running an engine elsewhere, beside another one.
 */
#include "engine/engine.h"

#include "base/log.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>

static const char usage[] =
    "usage: kurtosis-engine [flags]\n"
    "  --data DIR       folder of database and keys (/kurtosis-data)\n"
    "  --bus DIR        folder of the bus socket (/run/kurtosis/bus)\n"
    "  --listen URL     tcp endpoint for users (tcp://0.0.0.0:9720)\n"
    "  --logs DIR       folder of the log store (/var/log/kurtosis)\n"
    "  --cluster NAME   name of the cluster (docker)\n"
    "  --driver PROGRAM program of the cluster's driver (kurtosis-docker-driver)\n";

static int
read_flags(int argc, char **argv, engine_config_t *config)
{
    const struct {
        const char *name;
        const char **value;
    } flags[] = {{"data", &config->data},       {"bus", &config->bus},
                 {"listen", &config->listen},   {"logs", &config->logs},
                 {"cluster", &config->cluster}, {"driver", &config->driver}};
    struct option options[ARRAY_LEN(flags) + 1] = {{0}};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        options[i] = (struct option){flags[i].name, required_argument, NULL, 0};
    int which = 0;
    for (int result; (result = getopt_long(argc, argv, "", options, &which)) != -1;) {
        if (result == '?') {
            fputs(usage, stderr);
            return -1;
        }
        *flags[which].value = optarg;
    }
    return 0;
}

static int
run(const engine_config_t *config)
{
    AUTO(err) err = NULL;
    AUTO(engine) engine = NULL;
    if (engine_new(config, &engine, &err) < 0) {
        log_err(LOG_ERROR, "engine.failed", err, "%s", "");
        return 1;
    }
    char key[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(engine_public_key(engine), key);
    log_info("engine.started", "version=%s port=%d key=%s", config->version, engine_port(engine),
             key);
    int signal = actor_process_wait();
    log_info("engine.stopping", "signal=%d", signal);
    return 0;
}

int
main(int argc, char **argv)
{
    mallopt(M_ARENA_MAX, 2);
    actor_process_init();
    engine_config_t config = ENGINE_CONFIG_DEFAULT;
    if (read_flags(argc, argv, &config) < 0)
        return 1;
    AUTO(engine_args) args = NULL;
    AUTO(err) err = NULL;
    const char *json = getenv("SERIALIZED_ARGS");
    log_level_t level = LOG_INFO;
    if (json && engine_args_parse(json, &args, &err) < 0) {
        log_init("engine", level);
        log_err(LOG_ERROR, "engine.failed", err, "%s", "");
        return 1;
    }
    if (args) {
        config.version = args->version;
        config.log_level = args->log_level;
        config.logs_retention_ns = args->logs_retention_ns;
        config.logs_quota = args->logs_quota;
        config.logs_sinks = (const char *const *)args->logs_sinks;
        if (log_level_parse(args->log_level, &level) < 0)
            level = LOG_INFO;
    }
    log_init("engine", level);
    return run(&config);
}
