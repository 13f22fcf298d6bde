/*  package: what `run` is asked to run, and with which arguments. */
#ifndef KURTOSIS_CLI_PACKAGE_H
#define KURTOSIS_CLI_PACKAGE_H

#include "base/err.h"
#include "base/str.h"

#define PACKAGE_SCRIPT_MAX (8u * 1024 * 1024) /* bytes of a script, and of an arguments file */

typedef enum { PACKAGE_SCRIPT, PACKAGE_FOLDER, PACKAGE_REMOTE } package_kind_t;

typedef struct {
    package_kind_t kind;
    const char *argument; /* as given; lent */
    char *path;           /* of a folder, absolute */
    str_t script;         /* text of a script */
} package_source_t;

/* "github.com/..." is remote; a .star file a script; a folder, or its kurtosis.yml, a package.
 * NOT_FOUND, INVALID. */
int package_source_find(const char *argument, package_source_t *ret_source, err_t **err);
void package_source_done(package_source_t *self);
#define AUTO_PACKAGE_SOURCE __attribute__((cleanup(package_source_done))) package_source_t

/* The arguments: the text of args, or of args_file (a path, or a URL of http or
 * https) where args is "{}" and args_file not "". INVALID
 * unless they are JSON or YAML. *ret_params is yours, as given. */
int package_read_params(const char *args, const char *args_file, char **ret_params, err_t **err);

#endif
