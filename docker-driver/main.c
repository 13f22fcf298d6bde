/*  kurtosis-docker-driver: joins a bus as a driver of the Docker Engine that DOCKER_HOST (or the
 *  usual socket) names.
 *
 *  kurtosis-docker-driver logins: prints the user's logins to image registries, by host, as JSON on
 *  standard output (logins.h), for the program that reads them through a pipe.
 *
 *  Environment:
 *    KURTOSIS_BUS_ENDPOINT     the broker's, e.g. ipc:///run/kurtosis/bus/broker
 *    KURTOSIS_BUS_BROKER_KEY   the broker's public key, Z85
 *    KURTOSIS_BUS_SECRET       this driver's secret key, Z85
 *    KURTOSIS_BUS_NAME         its name; "driver/docker" if not set
 *    KURTOSIS_LOG_LEVEL        the lowest level it logs; "info" if not set
 *    KURTOSIS_GRACE_MS         how long left-over volumes stay; 30000 if not set
 *    KURTOSIS_LOGINS           the file in which it keeps logins to registries that it is given; its
 *                              user's own Docker configuration is used if not set
 *    KURTOSIS_LOGS             folder of the log store; what services print is kept there. Not set: it is not kept
 *    KURTOSIS_LOGS_QUOTA       bytes of all logs
 *    KURTOSIS_LOGS_RETENTION   how long lines are kept, e.g. "168h"
 *
 *  Ends on SIGTERM: no new operation begins, those under way get some seconds. Exit code 1 with a
 *  sentence on stderr when it cannot begin.
 */
#include "base/duration.h"
#include "base/log.h"
#include "docker-driver/api.h"
#include "docker-driver/docker-driver.h"
#include "docker-driver/driver.h"
#include "docker-driver/logins.h"
#include "docker-driver/reconcile.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define NAME "driver/docker"
#define PROGRAM "kurtosis-docker-driver " KURTOSIS_VERSION
#define ARENAS 2 /* of malloc: threads come and go here, and memory matters */

static const char *
env_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static int
read_keys(actor_config_t *config, err_t **err)
{
    char public_key[BUS_KEY_TEXT_SIZE];
    const char *secret = env_or("KURTOSIS_BUS_SECRET", "");
    if (bus_key_from_text(env_or("KURTOSIS_BUS_BROKER_KEY", ""), config->broker_key, err) < 0)
        return err_wrap(err, "KURTOSIS_BUS_BROKER_KEY is wrong");
    if (bus_key_from_text(secret, config->keys.secret_key, err) < 0)
        return err_wrap(err, "KURTOSIS_BUS_SECRET is wrong");
    if (zmq_curve_public(public_key, secret) < 0 ||
        bus_key_from_text(public_key, config->keys.public_key, err) < 0)
        return err_wrap(err, "KURTOSIS_BUS_SECRET is no secret key");
    unsetenv("KURTOSIS_BUS_SECRET");
    return 0;
}

static int
collect_logs(docker_t *docker, err_t **err)
{
    const char *root = env_or("KURTOSIS_LOGS", "");
    const char *quota = env_or("KURTOSIS_LOGS_QUOTA", "0"),
               *retention = env_or("KURTOSIS_LOGS_RETENTION", "0s");
    char *end;
    int64_t age;
    if (!*root)
        return 0;
    unsigned long long bytes = strtoull(quota, &end, 10);
    if (*end || *quota == '-')
        return err_fail(err, ERR_INVALID,
                        "KURTOSIS_LOGS_QUOTA is '%s', which is no number of bytes", quota);
    if (duration_parse(retention, &age, err) < 0 || age < 0)
        return err_wrap(err, "KURTOSIS_LOGS_RETENTION is wrong");
    return docker_collect_logs(docker, root, bytes, age, err);
}

static int
run(err_t **err)
{
    AUTO(docker) docker = NULL;
    AUTO(actor) actor = NULL;
    actor_config_t config = {.name = env_or("KURTOSIS_BUS_NAME", NAME),
                             .program = PROGRAM,
                             .endpoint = env_or("KURTOSIS_BUS_ENDPOINT", ""),
                             .methods = docker_driver_methods,
                             .workers_max = DOCKER_WORKERS_MAX};
    if (!*config.endpoint)
        return err_fail(err, ERR_INVALID,
                        "KURTOSIS_BUS_ENDPOINT is not set: it names the bus to join");
    if (read_keys(&config, err) < 0 || docker_new(NULL, &docker, err) < 0 ||
        collect_logs(docker, err) < 0)
        return -1;
    config.state = docker;
    int result = actor_new(&config, &actor, err);
    bus_keys_wipe(&config.keys);
    if (result < 0)
        return -1;
    if (docker_reconcile_start(docker, actor, err) < 0)
        return -1;
    log_info("driver.ready", "name=%s", actor_name(actor));
    int signal = actor_process_wait();
    log_info("driver.ends", "signal=%d", signal);
    actor_destroy(&actor); /* before the docker that its threads use */
    return 0;
}

static int
print_logins(void)
{
    AUTO_STR problems = STR_EMPTY;
    AUTO_JSON *logins = docker_logins_all(&problems);
    json_dumpf(logins, stdout, JSON_COMPACT);
    fputs(problems.data, stderr);
    return fflush(stdout) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "logins") == 0)
        return print_logins();
    log_level_t level = LOG_INFO;
    AUTO(err) err = NULL;
    mallopt(M_ARENA_MAX, ARENAS);
    actor_process_init();
    log_level_parse(env_or("KURTOSIS_LOG_LEVEL", "info"), &level);
    log_init("docker-driver", level);
    int result = run(&err);
    bus_context_term();
    if (result == 0)
        return 0;
    AUTO_FREE char *why = err_string(err);
    fprintf(stderr, "kurtosis-docker-driver: %s\n", why);
    return 1;
}
