/*  outline: what a plan makes (services, files artifacts, tasks), collected step by step for those
 * who want to see a plan without running it.
 *
 *  Everything gets a number, in the order in which it appears. References to values of services and
 * tasks that have one are written by that number: {{ kurtosis.2.ip_address }}.
 */
#ifndef KURTOSIS_APIC_PLAN_OUTLINE_H
#define KURTOSIS_APIC_PLAN_OUTLINE_H

#include "apic/plan/task.h"

#include <yaml.h>

/* Embedded; plan_outline_init ... plan_outline_done. The numbers are those of nodes of document. */
struct plan_outline {
    yaml_document_t document;
    int services, artifacts, tasks; /* sequences */
    run_map_t ids;                  /* UUID of references -> number */
    run_map_t known;                /* name of an artifact -> number */
    run_map_t images;               /* name -> anything */
    size_t n_ids;                   /* the highest number so far */
    char **names;                   /* of the items of services */
    size_t n_names;
};

void plan_outline_init(plan_outline_t *self);
void plan_outline_done(plan_outline_t *self);
void plan_outline_add(plan_outline_t *self, const plan_step_t *step);

/* ------------------------------------------------------------- for the instructions' own outlines
 */

/* uuid: of the service's references. with_image: where its image comes from is shown too. */
void plan_outline_service(plan_outline_t *self, const char *name, const char *uuid,
                          const types_service_config_t *config, bool with_image);
void plan_outline_service_remove(plan_outline_t *self, const char *name);
void plan_outline_artifact(plan_outline_t *self, const char *name, const char *const *files,
                           size_t count);

/* A command that a step runs. All lent; NULL where there is none. */
typedef struct {
    const char *type; /* "sh", "python", "exec" */
    const char *uuid; /* of its references */
    const char *const *command;
    size_t n_command;
    const types_service_config_t *config; /* of its container */
    const plan_task_store_t *stores;
    size_t n_stores;
    char *const *packages, *const *args; /* NULL-terminated */
    const char *service;
    const plan_codes_t *codes;
} plan_outline_task_t;
void plan_outline_task(plan_outline_t *self, const plan_step_t *step,
                       const plan_outline_task_t *task);

/* ------------------------------------------------------------------------------- nodes, to write
 * with */

#define PLAN_OUTLINE_ROOT 1 /* the mapping that is the document */

/* A new mapping, and a new sequence. */
int plan_outline_item(plan_outline_t *self);
int plan_outline_list(plan_outline_t *self);
void plan_outline_append(plan_outline_t *self, int sequence, int node);
/* A scalar that reads as text, whatever it looks like; and one that is what it looks like. */
int plan_outline_text(plan_outline_t *self, const char *text);
int plan_outline_plain(plan_outline_t *self, const char *text);
/* Adds `key: node` to a mapping. */
void plan_outline_put(plan_outline_t *self, int mapping, const char *key, int node);
/* The same for a sequence, unless it is empty. */
void plan_outline_put_some(plan_outline_t *self, int mapping, const char *key, int sequence);

#endif
