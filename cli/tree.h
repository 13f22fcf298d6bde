/*  tree: the contents of a files artifact, drawn. */
#ifndef KURTOSIS_CLI_TREE_H
#define KURTOSIS_CLI_TREE_H

#include "base/str.h"
#include "bus/schema/api_container.pb-c.h"

/* Appends the members, sorted, directories in cyan, files with their size. */
void tree_write(ApiContainerApi__FileArtifactContentsFileDescription *const *files, size_t count,
                bool coloured, str_t *out);

#endif
