/*  contract: one suite for every driver: what orchestrator.proto promises, on the real
 *  orchestrator.
 *
 *    contract DRIVER [GROUP...]     e.g. contract docker services files
 *
 *  Everything it makes carries the run's own tag, so runs can go side by side, and what is left
 *  behind fails the run. The driver's program must be in PATH.
 */
#include "actors/actors.h"
#include "base/log.h"
#include "tests/contract/world.h"

#include <libgen.h>
#include <stdio.h>

static const struct {
    const char *name;
    int (*run)(void);
} groups[] = {
    {"images", images_group},       {"enclaves", enclaves_group}, {"services", services_group},
    {"rows", rows_group},           {"files", files_group},       {"streams", streams_group},
    {"isolation", isolation_group}, {"logs", logs_group},         {"engine", engine_group},
    {"builds", builds_group},
};

static bool
is_wanted(const char *name, char **wanted, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(wanted[i], name) == 0)
            return true;
    return count == 0;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: contract DRIVER [GROUP...]\n");
        return 2;
    }
    actor_process_init();
    log_init("contract", LOG_WARN);
    world_start(argv[1], CONTRACT_TOOLS);
    int failed = 0;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (is_wanted(groups[i].name, argv + 2, argc - 2))
            failed += groups[i].run();
    printf("driver: %ld KiB resident\n", driver_memory(driver));
    failed += world_stop();
    return failed ? 1 : 0;
}
