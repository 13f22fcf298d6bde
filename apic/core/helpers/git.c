/*  git: the helper program that becomes one git command in an environment of its own; see git.h
 * beside it.
 *
 *  Nothing of this machine's or user's git configuration counts; nothing asks a person anything.
 */
#include "apic/core/helpers/git.h"

#include "base/auto.h"
#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ARGS_MAX 64
#define FILE_SIZE_MAX (2u * 1024 * 1024 * 1024 - 1) /* bytes of a file that git may write */

static const char *const environment[][2] = {
    {"PATH", "/usr/bin:/bin"},
    {"LC_ALL", "C"},
    {"HOME", "/nonexistent"},
    {"GIT_CONFIG_NOSYSTEM", "1"},
    {"GIT_CONFIG_GLOBAL", "/dev/null"},
    {"GIT_TERMINAL_PROMPT", "0"},
    {"GIT_ALLOW_PROTOCOL", "file:http:https"},
};

/* Memory is shorter than time; a server that says nothing for a minute is gone. */
static const char *const options[] = {
    "pack.threads=1",
    "core.deltaBaseCacheLimit=16m",
    "core.bigFileThreshold=16m",
    "core.hooksPath=/dev/null",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    "http.userAgent=kurtosis/" KURTOSIS_VERSION,
    "advice.detachedHead=false",
};

static int
say(const char *text)
{
    fputs(text, stderr);
    return GIT_HELPER_NOT_RUN;
}

static void
add_base64(str_t *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t size = strlen(text);
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        uint32_t bits = (uint32_t)(unsigned char)text[i] << 16;
        if (left > 1)
            bits |= (uint32_t)(unsigned char)text[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)text[i + 2];
        for (size_t k = 0; k < 4; k++)
            str_add_char(out, k > left ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

/* The token goes into the environment, for arguments can be seen by every process. */
static void
set_token(const char *token)
{
    AUTO_FREE char *pair = str_format("token:%s", token);
    AUTO_STR header = STR_EMPTY;
    str_add(&header, "Authorization: Basic ");
    add_base64(&header, pair);
    setenv("GIT_CONFIG_COUNT", "1", 1);
    setenv("GIT_CONFIG_KEY_0", "http.extraHeader", 1);
    setenv("GIT_CONFIG_VALUE_0", header.data, 1);
}

int
main(void)
{
    /* Whoever asked is gone: so is the need. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    char input[GIT_HELPER_INPUT_MAX];
    const size_t size = fread(input, 1, sizeof input, stdin);
    if (size == 0 || size == sizeof input || input[size - 1])
        return say("the work is incomplete");

    char *argv[ARGS_MAX + 2 * sizeof(options) / sizeof(options[0])];
    size_t n = 0;
    argv[n++] = "git";
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        argv[n++] = "-c";
        argv[n++] = (char *)options[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(environment); i++)
        setenv(environment[i][0], environment[i][1], 1);
    char *at = input;
    if (at[0])
        set_token(at);
    while ((at += strlen(at) + 1) < input + size) {
        if (n + 1 == ARRAY_LEN(argv))
            return say("there are too many arguments");
        argv[n++] = at;
    }
    argv[n] = NULL;

    const struct rlimit file_size = {FILE_SIZE_MAX, FILE_SIZE_MAX};
    setrlimit(RLIMIT_FSIZE, &file_size);
    execvp("git", argv);
    fprintf(stderr, "cannot run git: %s", strerror(errno));
    return GIT_HELPER_NOT_RUN;
}
