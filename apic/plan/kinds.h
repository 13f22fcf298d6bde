/*  kinds: the entries of the table of instructions, one per file. */
#ifndef KURTOSIS_APIC_PLAN_KINDS_H
#define KURTOSIS_APIC_PLAN_KINDS_H

#include "apic/plan/plan.h"

extern const plan_kind_t plan_add_service, plan_add_services, plan_exec_command,
    plan_get_cluster_type, plan_get_files_artifact, plan_get_service, plan_get_services, plan_print,
    plan_remove_service, plan_render_templates, plan_request, plan_run_python, plan_run_sh,
    plan_set_service, plan_start_service, plan_stop_service, plan_store_service_files,
    plan_upload_files, plan_verify, plan_wait;

/* Table entries that return an entry of a table of fields in one line. */
#define PLAN_TABLE(name_, fields_) .table = {name_, fields_, sizeof(fields_) / sizeof((fields_)[0])}

/* The codes that a command or request may end with. */
typedef struct {
    int64_t *accepted;
    size_t count;
    bool unchecked;
} plan_codes_t;
/* From the two arguments; defaults apply when the first is absent. */
int plan_codes_cast(star_t *star, star_value_t list, star_value_t skip, const int64_t *defaults,
                    size_t n_defaults, plan_codes_t *ret, err_t **err);
void plan_codes_done(plan_codes_t *self);
/* Refuses another exit code of a command, or status of a request. label: "Exec", at the head of the
 * message. */
int plan_codes_check_command(const plan_codes_t *self, const char *label, int64_t code,
                             const str_t *output, err_t **err);
int plan_codes_check_request(const plan_codes_t *self, int64_t status, err_t **err);

#define PLAN_CODES_FIELDS                                                                          \
    {"acceptable_codes", .want = TYPES_LIST},                                                      \
    {                                                                                              \
        "skip_code_check", .want = TYPES_BOOL                                                      \
    }

#endif
