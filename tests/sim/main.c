/*  kurtosis-sim-driver: joins a bus as the simulated driver (sim.h), with a folder of its own. For tests alone.
 *
 *  Environment:
 *    KURTOSIS_BUS_ENDPOINT     the broker's, e.g. ipc:///run/kurtosis/bus/broker
 *    KURTOSIS_BUS_BROKER_KEY   the broker's public key, Z85
 *    KURTOSIS_BUS_SECRET       this driver's secret key, Z85
 *    KURTOSIS_BUS_NAME         its name; "driver/sim" if not set
 *    KURTOSIS_SIM_OUTSIDE      path of a socket at which it is looked at past the driver (outside.c); none if not set
 *
 *  Ends on SIGTERM. Exit code 1 with a sentence on stderr when it cannot begin.
 */
#include "base/file.h"
#include "base/log.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

static const char *
env_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static int
read_keys(sim_config_t *config, err_t **err)
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
    return 0;
}

static int
run(const char *folder, err_t **err)
{
    AUTO(sim) sim = NULL;
    sim_config_t config = {.name = env_or("KURTOSIS_BUS_NAME", "driver/sim"),
                           .endpoint = env_or("KURTOSIS_BUS_ENDPOINT", ""),
                           .folder = folder,
                           .outside = getenv("KURTOSIS_SIM_OUTSIDE")};
    if (read_keys(&config, err) < 0 || sim_start(&config, &sim, err) < 0)
        return -1;
    actor_process_wait();
    return 0;
}

int
main(void)
{
    AUTO(err) err = NULL;
    char folder[] = "/tmp/kurtosis-sim-XXXXXX";
    actor_process_init();
    log_init("sim-driver", LOG_WARN);
    if (!mkdtemp(folder)) {
        fprintf(stderr, "kurtosis-sim-driver: cannot make a folder in /tmp\n");
        return 1;
    }
    int result = run(folder, &err);
    bus_context_term();
    file_remove_tree(folder, NULL);
    if (result == 0)
        return 0;
    AUTO_FREE char *why = err_string(err);
    fprintf(stderr, "kurtosis-sim-driver: %s\n", why);
    return 1;
}
