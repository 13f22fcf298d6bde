/*  kurtosis-apic: the API container of one enclave; an actor on the engine's bus, at "apic/<enclave
 * uuid>".
 *
 *  Its environment says who it is (args.h). It waits for a bus that is not there yet, serves until
 * SIGTERM, lets what is under way end, and exits 0; exit code 1 with one sentence on stderr when it
 * cannot begin.
 */
#include "apic/api/api.h"
#include "apic/args.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRAM "kurtosis-apic " KURTOSIS_VERSION
#define WORKERS 32        /* calls at a time; a run holds one while it lasts */
#define DRAIN_MS 5000     /* for calls under way when we are to end */
#define FIRST_PAUSE_MS 5  /* between attempts to join the bus; doubled each time */
#define LAST_PAUSE_MS 500 /* at most */
#define ARENAS 2          /* of malloc: threads come and go here, and memory matters */
#define MALLOC_KEEP 65536 /* free bytes at the heap's end that are not given back */
#define MALLOC_MMAP                                                                                \
    131072 /* larger blocks are mapped alone, and so given back when they are freed */

static int run(err_t **err);

int
main(void)
{
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_TRIM_THRESHOLD, MALLOC_KEEP);
    mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP);
    actor_process_init();
    log_init("apic", LOG_INFO);
    AUTO(err) err = NULL;
    if (run(&err) < 0) {
        log_err(LOG_ERROR, "apic.failed", err, "%s", "");
        return 1;
    }
    return 0;
}

/* Waits for a signal that ends us; false when none came in time. */
static bool
is_told_to_end(int ms)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    return sigtimedwait(&signals, NULL, &pause) > 0;
}

/* The engine may come up after us, or be away for a while: 0 with an actor, or without when we are
 * told to end. */
static int
join(const actor_config_t *config, actor_t **ret_actor, err_t **err)
{
    int pause_ms = FIRST_PAUSE_MS;
    for (;;) {
        AUTO(err) why = NULL;
        if (actor_new(config, ret_actor, &why) == 0)
            return 0;
        if (err_code(why) != ERR_UNAVAILABLE && err_code(why) != ERR_TIMEOUT) {
            *err = TAKE(why);
            return -1;
        }
        log_err(LOG_DEBUG, "bus.unavailable", why, "endpoint=%s", config->endpoint);
        if (is_told_to_end(pause_ms))
            return 0;
        pause_ms = pause_ms * 2 < LAST_PAUSE_MS ? pause_ms * 2 : LAST_PAUSE_MS;
    }
}

static int
serve(const args_t *args, core_t *core, err_t **err)
{
    AUTO(run) run = NULL; /* freed after the actor, whose handlers use it */
    AUTO(actor) actor = NULL;
    AUTO_FREE char *name = str_format("apic/%s", args->enclave_uuid);
    if (run_new(core, &run, err) < 0)
        return -1;
    api_t api = {.core = core, .run = run};
    actor_config_t config = {.name = name,
                             .program = PROGRAM,
                             .endpoint = args->endpoint,
                             .keys = args->keys,
                             .methods = api_methods(),
                             .state = &api,
                             .workers_max = WORKERS};
    memcpy(config.broker_key, args->broker_key, sizeof config.broker_key);
    int rc = join(&config, &actor, err);
    bus_keys_wipe(&config.keys);
    if (rc < 0)
        return err_wrap(err, "cannot join the bus at '%s'", args->endpoint);
    if (!actor)
        return 0;
    actor_set_drain(actor, DRAIN_MS);
    if (core_attach(core, actor, err) < 0)
        return -1;
    log_info("apic.started", "enclave=%s uuid=%s version=%s", args->enclave_name,
             args->enclave_uuid, KURTOSIS_VERSION);
    int signal_number = actor_process_wait();
    log_info("apic.stopping", "signal=%d", signal_number);
    core_stop(core);
    run_stop(run); /* while the actor can still ask for what is to be undone */
    return 0;
}

static int
run(err_t **err)
{
    args_t args;
    if (args_read(getenv, &args, err) < 0)
        return -1;
    unsetenv("KURTOSIS_BUS_SECRET");
    unsetenv("KURTOSIS_GITHUB_TOKEN");
    log_init("apic", args.log_level);

    core_config_t config = {.enclave_uuid = args.enclave_uuid,
                            .enclave_name = args.enclave_name,
                            .data_folder = args.data_folder,
                            .is_production = args.is_production,
                            .enclave_env = args.enclave_env,
                            .backend_kind = args.backend_kind,
                            .driver = args.driver,
                            .subnet = args.subnet,
                            .gateway = args.gateway,
                            .own_ip = args.own_ip,
                            .git_mirrors = args.git_mirrors,
                            .git_ca = args.git_ca,
                            .github_token = args.github_token,
                            .cache_folder = args.package_cache};
    AUTO(core) core = NULL;
    int rc = core_new(&config, &core, err);
    if (rc == 0)
        rc = serve(&args, core, err);
    args_done(&args);
    return rc;
}
