/*  internal: what the files of this folder share. */
#ifndef KURTOSIS_APIC_COMPOSE_INTERNAL_H
#define KURTOSIS_APIC_COMPOSE_INTERNAL_H

#include "apic/compose/compose.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---------------------------------------------------------------------------------- node.c: trees
 */

typedef enum { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP } node_kind_t;

typedef struct node {
    node_kind_t kind;
    bool is_plain;       /* scalar without quotes */
    char *text;          /* of a scalar */
    char **keys;         /* of a map; by position */
    struct node **items; /* of a map or list */
    size_t n;
} node_t;
void node_destroy(node_t **self_p);
AUTO_FOR(node)

/* All documents, each laid over the one before. *ret_root is yours, a map. */
int node_parse(const char *text, size_t size, node_t **ret_root, err_t **err);
/* The value of a key; NULL when there is none, or it is null. */
const node_t *node_get(const node_t *map, const char *key);
/* Is the key there, whatever its value? */
bool node_has(const node_t *map, const char *key);
/* Is it one of the names, or an extension ("x-...")? */
bool node_key_known(const char *key, const char *const *names, size_t count);
/* Text of a scalar, else otherwise. */
const char *node_text(const node_t *node, const char *otherwise);
node_t *node_dup(const node_t *self);
size_t node_count(const node_t *self); /* itself and all below */
/* Lays over on top: maps key by key, lists one after the other. over is taken. */
void node_overlay(node_t *self, node_t *over);
/* Takes a key with its value out of a map. */
void node_remove(node_t *map, const char *key);

/* ------------------------------------------------------------------------------- env.c: variables
 */

typedef struct {
    char *name, *value;
} var_t;

typedef struct {
    var_t *items; /* in order of the first appearance */
    size_t n;
    size_t bytes; /* of all values */
} vars_t;
void vars_done(vars_t *self);
const char *vars_get(const vars_t *self, const char *name);
/* Copies; LIMIT past COMPOSE_TEXT_MAX bytes in all. */
int vars_set(vars_t *self, const char *name, const char *value, err_t **err);
void vars_sort(vars_t *self);
/* Reads the text of an env file. expand: $NAME and ${NAME} stand for what came before. */
int vars_read(vars_t *self, const char *text, bool expand, err_t **err);

/* --------------------------------------------------------------------------- interpolate.c: ${...}
 */

/* In all scalars of the tree. */
int interpolate(node_t *root, const vars_t *vars, err_t **err);

/* ------------------------------------------------------------------------------ text.c: small
 * words
 */

/* "My_App" is "my-app"; yours. */
char *text_name(const char *name);
/* Bytes of the name of a variable that the text begins with. */
size_t text_variable_size(const char *text);
/* Appends a Starlark string literal. */
void text_quote(str_t *out, const char *text);
/* A scalar as the value of a variable: 1.0 is 1; yours. */
char *text_scalar(const node_t *node);
/* Splits as a shell would, without expansion; array and items yours, NULL-terminated. INVALID for a
 * quote without end. */
int text_split(const char *text, char ***ret_words, err_t **err);
void text_words_free(char **words);
/* "64m" in bytes; false when it is none. */
bool text_bytes(const char *text, uint64_t *ret_bytes);

/* ----------------------------------------------------------------- project.c: the file as a whole
 */

typedef struct {
    const char *folder, *file;
    node_t *root;
    vars_t env; /* of .env */
    compose_warn_fn *warn;
    void *warn_arg;
} project_t;

int project_load(project_t *self, err_t **err);
void project_done(project_t *self);
__attribute__((format(printf, 2, 3))) void project_warn(const project_t *self, const char *format,
                                                        ...);

/* ---------------------------------------------------------------------- service.c: one service
 */

typedef struct {
    const char *key;    /* in the file; lent */
    const node_t *node; /* lent */
    char *name;
    char **needs; /* names of services; may repeat */
    size_t n_needs;
    bool is_done;
} service_t;
void service_done(service_t *self);

/* Checks the service and fills in what it needs. */
int service_init(service_t *self, const project_t *project, const char *key, const node_t *node,
                 err_t **err);
/* Appends its lines of the script. */
int service_write(const service_t *self, const project_t *project, str_t *out, err_t **err);

/* ports.c: appends "ports={...}"; *ret_any tells whether there was one. */
int ports_write(const service_t *self, str_t *out, bool *ret_any, err_t **err);

/* volumes.c: the mounts of a service, for three places of the script. */
typedef struct {
    str_t uploads; /* whole lines */
    str_t files;   /* items of a dict */
    str_t moves;   /* items of a dict */
} volumes_t;
int volumes_read(const service_t *self, const project_t *project, volumes_t *ret, err_t **err);
void volumes_done(volumes_t *self);

#endif
