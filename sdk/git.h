/*  git: repositories fetched with the user's own git, by its rules and with its rights. */
#ifndef KURTOSIS_SDK_GIT_H
#define KURTOSIS_SDK_GIT_H

#include "sdk/contexts.h"

#define SDK_GIT_RULES_MAX 256u /* rules that are looked at */

/* Beginnings of URLs that the user's git exchanges for others ("url.<base>.insteadOf"). */
typedef struct {
    char **prefixes;
    size_t count;
} sdk_git_rules_t;

/* None where there is no git, or no rule of it is for GitHub. sdk_git_rules_done. */
void sdk_git_rules_read(sdk_git_rules_t *ret_rules);
void sdk_git_rules_done(sdk_git_rules_t *self);
#define AUTO_GIT_RULES __attribute__((cleanup(sdk_git_rules_done))) sdk_git_rules_t

/* Answers a run that wants a repository: fetches and sends it, or says why that cannot be. Fails
 * only when the API container does not take the answer. */
int sdk_git_bring(enclave_context_t *self, const ApiContainerApi__StarlarkRepositoryWanted *wanted,
                  err_t **err);

#endif
