/*  plan: the instructions of a plan. The public face of this folder.
 *
 *  An instruction (plan.add_service, plan.exec, ...) is one file and one entry of the table `kinds`
 *  (plan.c): its name, its parameters as a table of fields, and what happens to it in each phase:
 *
 *    interpret   the script calls it: arguments become plain data, the script gets a value, often
 *                with references
 *    validate    before anything runs: is it possible in the enclave as it will be then?
 *    execute     it is done; its result is a text for people, and values under its references
 *    describe    what it does, in a sentence, when the script gives no description
 *
 *  A step is one call of an instruction. After interpretation it holds no Starlark value, so that
 *  the interpreter can go before anything is executed.
 */
#ifndef KURTOSIS_APIC_PLAN_H
#define KURTOSIS_APIC_PLAN_H

#include "apic/run/map.h"
#include "apic/run/store.h"
#include "apic/types/service_config.h"

#define PLAN_STEPS_MAX 100000u /* steps of one plan */
#define PLAN_RESULT_MAX 65536u /* bytes of a result that is shown; the rest is cut */
#define PLAN_SERVICE_NAME "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
#define PLAN_PORT_NAME "^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$"

typedef struct plan_kind plan_kind_t;
typedef struct plan_step plan_step_t;
typedef struct plan_scope plan_scope_t;
typedef struct plan_env plan_env_t;
typedef struct plan_exec plan_exec_t;
typedef struct plan_outline plan_outline_t; /* outline.h */

/* ---------------------------------------------------------------------------------------- kinds */

/* How a step is recognised as one that an earlier run did. */
typedef enum {
    PLAN_AGAIN_EQUAL,    /* same text */
    PLAN_AGAIN_SERVICE,  /* one service by its name */
    PLAN_AGAIN_SERVICES, /* some services by their names */
    PLAN_AGAIN_ARTIFACT, /* an artifact by its name */
    PLAN_AGAIN_CONTENT,  /* an artifact by its name and content */
    PLAN_AGAIN_USER,     /* same text, and the service or artifact that it uses was not changed */
    PLAN_AGAIN_STORE, /* an artifact by its name, and the service it comes from was not changed */
    PLAN_AGAIN_OVERRIDE, /* same text; else it is an update of what was there */
    PLAN_AGAIN_NEVER     /* always anew, and everything after it too */
} plan_again_t;

/* What a step means for the order of steps that run side by side, beyond what it uses and makes. */
typedef enum {
    PLAN_ORDER_PLAIN,  /* nothing more */
    PLAN_ORDER_TOUCH,  /* users of the service that come later come after it */
    PLAN_ORDER_WAIT,   /* all that comes later and depends on anything comes after it */
    PLAN_ORDER_REMOVE, /* comes after all users of the service, and before those that come later */
    PLAN_ORDER_PRINT   /* comes after the step before it */
} plan_order_t;

struct plan_kind {
    types_table_t table;
    /* What plan_step_brief has in parentheses: %S the first service (or what is used first), %N how
     * many services, %L their names, %A the first artifact, %D the description, %1 the first
     * argument, %T its Starlark text. */
    const char *brief;
    plan_again_t again;
    plan_order_t order;
    size_t data_size; /* of the step's own data, zeroed before interpret */

    /* values: by field, absent when not given. *ret is what the script gets (None to begin with).
     */
    int (*interpret)(plan_scope_t *scope, plan_step_t *step, const star_value_t *values,
                     star_value_t *ret, err_t **err);
    int (*validate)(const plan_step_t *step, plan_env_t *env, err_t **err); /* NULL: always fine */
    int (*execute)(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err);
    void (*describe)(const plan_step_t *step, str_t *out);
    /* What it makes, for those who only look at the plan; NULL: nothing. */
    void (*outline)(const plan_step_t *step, plan_outline_t *to);
    void (*done)(void *data); /* NULL: nothing to free */
};

/* ---------------------------------------------------------------------------------------- steps */

/* One argument as it is shown. */
typedef struct {
    const char *name; /* of the table */
    char *text;       /* Starlark text of the value */
    bool shown;
} plan_argument_t;

/* An artifact that a step makes. */
typedef struct {
    char *name;
    char *md5; /* "" when it is not known before it runs */
} plan_artifact_t;

struct plan_step {
    const plan_kind_t *kind;
    void *data; /* of the kind */
    char uuid[UUID_LEN + 1];
    char *file; /* where the script calls it */
    uint32_t line, column;
    char *description;
    bool is_skipped;      /* an earlier run did it */
    bool is_forced;       /* force_update: never recognised as done */
    bool needs_resources; /* asks for a least amount of processor or memory */

    /* once sealed */
    char *text; /* the call as Starlark text: what is compared with earlier runs */
    plan_argument_t *arguments;
    size_t n_arguments;
    char *returned; /* what the script got, as text */

    /* what it touches, for runs to come and for the order of parallel ones */
    char **services; /* it adds, removes, starts or stops */
    size_t n_services;
    plan_artifact_t *artifacts; /* it makes */
    size_t n_artifacts;
    char **uses; /* services and artifacts that it needs */
    size_t n_uses;
    size_t n_seen; /* services that it hands to the script, where it names none */

    /* until sealed */
    star_value_t values[TYPES_FIELDS_MAX]; /* alive in the scope's `kept` */
    star_value_t value;                    /* returned; there too */
};

void plan_step_destroy(plan_step_t **self_p);
AUTO_FOR(plan_step)
void plan_step_add_service(plan_step_t *self, const char *name);
void plan_step_add_artifact(plan_step_t *self, const char *name, const char *md5);
void plan_step_add_use(plan_step_t *self, const char *name);
/* Uses every artifact that the service mounts, and the resources that it asks for. */
void plan_step_add_needs(plan_step_t *self, const types_service_config_t *config);
/* The call as text now, while it still has its values; yours. */
char *plan_step_text(const plan_step_t *self, star_t *star);
/* Turns values into texts and lets go of them. */
void plan_step_seal(plan_step_t *self, star_t *star);
/* The step in a few words: "add_service(db)". */
void plan_step_brief(const plan_step_t *self, str_t *out);
/* "FILE[LINE:COLUMN]"; yours. */
char *plan_step_place(const plan_step_t *self);

/* ------------------------------------------------------------------------------- interpretation */

/* What a script's calls find. Its types_host_t comes first, for it is the `user` of the
 * interpreter. */
struct plan_scope {
    types_host_t host;
    star_t *star;
    const run_world_t *world;
    run_store_t *store;
    star_value_t kept; /* a list of all values that steps hold; pinned */
    bool is_script;    /* not in a package */
    bool allow_privileged;
    run_map_t services; /* name -> plan_service_t: of earlier runs, and as this interpretation
                           changes it */
    run_map_t drawn;    /* artifact names drawn in this interpretation */
    run_map_t configs;  /* name -> types_service_config_t, lent by steps: for set_service */
    run_map_t adders;   /* name -> plan_step_t that adds it with this config, lent: the same */

    /* The path on disk of a locator, as the file `source` (where the instruction is called) sees
     * it; yours. */
    int (*find)(plan_scope_t *self, const char *source, const char *locator, bool must_be_packaged,
                char **ret_path, err_t **err);
    /* Takes the finished step into the plan. *value is what the script will get; it may be replaced
     * by the value of an earlier run. */
    int (*schedule)(plan_scope_t *self, plan_step_t **step_p, star_value_t *value, err_t **err);
};

/* What the script knows of a service. */
typedef struct {
    char uuid[UUID_LEN + 1];
    char *value; /* the Service as text; "" when it was removed */
} plan_service_t;

/* The plan object: a module whose members are all instructions. */
star_value_t plan_module(plan_scope_t *scope);
/* The instructions by number, from 0, in alphabetical order; NULL past the last one. */
const plan_kind_t *plan_kind_at(size_t index);
/* Fills services from the store. */
void plan_scope_load(plan_scope_t *self);
void plan_scope_done(plan_scope_t *self);

/* The UUID of the service's references: the same for ever. */
void plan_scope_service_uuid(plan_scope_t *self, const char *name, char ret_uuid[UUID_LEN + 1]);
/* Makes the Service that add_service returns, and remembers it; *ret_text (yours) is its text. */
star_value_t plan_scope_service_new(plan_scope_t *self, const char *name,
                                    const types_service_config_t *config, char **ret_text);
void plan_scope_service_remove(plan_scope_t *self, const char *name);
/* NULL when there is none (or was removed); lent until the next change. */
const char *plan_scope_service(plan_scope_t *self, const char *name);
/* Names of all services known now, sorted; NULL-terminated, yours (types_texts_free). */
char **plan_scope_service_names(plan_scope_t *self);
/* A name for an artifact that has none yet; yours. */
char *plan_scope_artifact_name(plan_scope_t *self);
/* The artifact that a step makes gets the given name, or one of its own when that is absent. It is
 * noted in the step and given to the script; *ret_name is yours. */
int plan_scope_artifact_new(plan_scope_t *self, plan_step_t *step, star_value_t given,
                            const char *md5, char **ret_name, star_value_t *ret, err_t **err);
/* Where build specs of a step are found: valid as long as the place. */
typedef struct {
    plan_scope_t *scope;
    plan_step_t *step;
} plan_place_t;
types_places_t plan_scope_places(plan_place_t *place);
/* Refuses what only Docker can do, and only when the run allows it. */
int plan_scope_gate(const plan_scope_t *self, const types_service_config_t *config, err_t **err);

/* A recipe's result: a frozen dict of references, and their UUID. */
star_value_t plan_scope_recipe_result(plan_scope_t *self, const types_recipe_t *recipe,
                                      char ret_uuid[UUID_LEN + 1]);

/* ----------------------------------------------------------------------------------- validation */

typedef enum { PLAN_ABSENT, PLAN_EXISTED, PLAN_CREATED } plan_presence_t;

/* The enclave as it will be when the step runs. */
struct plan_env {
    run_map_t services;  /* name -> plan_env_service_t */
    run_map_t artifacts; /* name -> a plan_presence_t + 1 */
    run_map_t images;    /* name -> types_image_t, lent by steps */
    bool resources_complete;
    int64_t millicpus, megabytes; /* left */
};

typedef struct {
    plan_presence_t presence;
    run_map_t ports; /* id -> (void *)1 */
    uint64_t millicpus, megabytes;
} plan_env_service_t;

/* From the enclave as it is. */
int plan_env_init(plan_env_t *self, const run_world_t *world, const run_resources_t *resources,
                  err_t **err);
void plan_env_done(plan_env_t *self);

plan_presence_t plan_env_service(const plan_env_t *self, const char *name);
bool plan_env_port(const plan_env_t *self, const char *service, const char *port_id);
void plan_env_service_remove(plan_env_t *self, const char *name);
plan_presence_t plan_env_artifact(const plan_env_t *self, const char *name);
/* Refuses a name that was made in this run, else records it. instruction: in whose words. */
int plan_env_artifact_add(plan_env_t *self, const char *instruction, const char *name, err_t **err);
/* All checks of one service to add, in Kurtosis' order, and its records. */
int plan_env_service_add(plan_env_t *self, const char *name, const types_service_config_t *config,
                         err_t **err);
void plan_env_image_add(plan_env_t *self, const types_image_t *image);
/* What `wait` and `request` need: the service, and the recipe's port. verb: "wait" or "request". */
int plan_env_recipe(const plan_env_t *self, const char *verb, const char *service,
                    const types_recipe_t *recipe, err_t **err);

/* ------------------------------------------------------------------------------------ execution */

struct plan_exec {
    const run_world_t *world;
    run_store_t *store;
    unsigned parallelism; /* services started at once */
    bool non_blocking;    /* tasks stay when they are done */
    /* Has the run been stopped? NULL: never. */
    bool (*stopped)(void *arg);
    /* Waits, at most ms; returns early, with true, when the run is stopped. */
    bool (*sleep)(void *arg, int64_t ms);
    void *arg;
};

/* Is the argument `recipe` one? command: it may be an ExecRecipe, too. */
int plan_check_recipe(star_value_t recipe, bool command, err_t **err);
/* Runs a recipe once. Fields of the result are set under values->uuid by plan_recipe_store. */
typedef struct plan_recipe_result {
    int64_t code;
    str_t body;   /* or the command's output */
    char **names; /* of extracted values, "extract.NAME" */
    types_datum_t *extracted;
    size_t n_extracted;
} plan_recipe_result_t;
void plan_recipe_result_done(plan_recipe_result_t *self);
int plan_recipe_run(plan_exec_t *exec, const char *service, const types_recipe_t *recipe,
                    int timeout_ms, plan_recipe_result_t *ret, err_t **err);
int plan_recipe_store(plan_exec_t *exec, const types_recipe_t *recipe, const char *uuid,
                      const plan_recipe_result_t *result, err_t **err);
void plan_recipe_describe(const types_recipe_t *recipe, const plan_recipe_result_t *result,
                          str_t *out);

/* Tries the condition's recipe until it holds; *ret_tries is set. The last result is in *ret. */
int plan_condition_wait(plan_exec_t *exec, const char *service, const types_condition_t *condition,
                        plan_recipe_result_t *ret, int *ret_tries, err_t **err);
/* Waits until a service is ready. */
int plan_service_ready(plan_exec_t *exec, const char *service, const types_condition_t *condition,
                       err_t **err);

/* Compares as `verify` does; fails with its words. */
int plan_compare(const types_datum_t *value, types_assertion_t assertion,
                 const types_datum_t *target, err_t **err);

/* What exec, run_sh and run_python say about a command that ended. */
void plan_command_describe(int64_t code, const str_t *output, str_t *out);
types_check_fn plan_check_config; /* a ServiceConfig */
/* A copy of the config for the driver, with references replaced in entrypoint, cmd and environment.
 */
int plan_service_prepare(plan_exec_t *exec, const char *name, const types_service_config_t *config,
                         core_service_config_t **ret, err_t **err);
/* After a service has started: its address and host name under its UUID, and the script's view of
 * it. */
int plan_service_started(plan_exec_t *exec, const char *name, const char *uuid, const char *text,
                         const core_service_t *service, err_t **err);

#endif
