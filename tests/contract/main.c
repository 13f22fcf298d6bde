/*  contract: one suite for every driver: what orchestrator.proto promises, on the real
 *  orchestrator.
 *
 *    contract DRIVER [GROUP...]     e.g. contract docker services files, contract sim
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
    bool is_special; /* needs more than others, and is only run by its name */
} groups[] = {
    {"images", images_group, false},       {"enclaves", enclaves_group, false},
    {"services", services_group, false},   {"rows", rows_group, false},
    {"files", files_group, false},         {"streams", streams_group, false},
    {"isolation", isolation_group, false}, {"logs", logs_group, false},
    {"engine", engine_group, false},       {"builds", builds_group, false},
    {"flakes", flakes_group, true},
};

static bool
is_wanted(const char *name, bool is_special, char **wanted, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(wanted[i], name) == 0)
            return true;
    return count == 0 && !is_special;
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
        if (is_wanted(groups[i].name, groups[i].is_special, argv + 2, argc - 2))
            failed += groups[i].run();
    printf("driver: %ld KiB resident\n", driver_memory(driver));
    failed += world_stop();
    return failed ? 1 : 0;
}
