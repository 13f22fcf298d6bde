/*  batch: one core_services_start under way. batch.c decides who is started and what becomes of
 * failures, start.c starts one service.
 */
#ifndef KURTOSIS_APIC_CORE_BATCH_H
#define KURTOSIS_APIC_CORE_BATCH_H

#include "apic/core/internal.h"
#include "base/uuid.h"

/* One service of the batch. */
typedef struct {
    const core_service_config_t *config; /* lent */
    char uuid[UUID_LEN + 1];
    char ip[IP_TEXT_SIZE];
    bool is_new;  /* not an update of a registered service */
    err_t *error; /* why it could not start */
} batch_item_t;

/* Starts the container of one item and waits for its ports. On failure the container may be there.
 */
int start_service(core_t *core, actor_call_t *within, batch_item_t *item, err_t **err);
/* Refuses what no start could make good: memory under 6 MB, no placeholder, unknown artifacts or
 * ports. */
int start_check(core_t *core, const core_service_config_t *config, err_t **err);

#endif
