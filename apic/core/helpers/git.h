/*  git: what goes between git.c and the helper program of this name.
 *
 *    its input   TOKEN \0 URL \0 ARGUMENT \0 ...  : TOKEN is for the host of URL, "" for none; the arguments of one
 *                git command
 *    its output  that command's; it exits with its status, or with GIT_HELPER_NOT_RUN
 */
#ifndef KURTOSIS_APIC_CORE_HELPERS_GIT_H
#define KURTOSIS_APIC_CORE_HELPERS_GIT_H

#define GIT_HELPER_INPUT_MAX 65536
#define GIT_HELPER_NOT_RUN 125

#endif
