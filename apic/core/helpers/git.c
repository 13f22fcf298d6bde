/*  git: the helper program that becomes one git command in an environment of its own; see git.h
 * beside it.
 *
 *  Nothing of this machine's or user's git configuration counts; nothing asks a person anything.
 */
#include "apic/core/helpers/git.h"

#include "base/auto.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
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

/* Memory is shorter than time. */
static const char *const options[] = {
    "pack.threads=1",
    "core.deltaBaseCacheLimit=16m",
    "core.bigFileThreshold=16m",
    "core.hooksPath=/dev/null",
    "http.userAgent=kurtosis/" KURTOSIS_VERSION,
    "advice.detachedHead=false",
};

static int
say(const char *text)
{
    fputs(text, stderr);
    return GIT_HELPER_NOT_RUN;
}

/* Makes SCHEME://HOST/ of this URL stand for SCHEME://token:TOKEN@HOST/. So git has it as the
 * credentials of that host: they do not follow a redirect to another one, as a header would. And
 * they go into the environment, for arguments can be seen by every process. */
static void
set_token(const char *token, const char *url)
{
    const char *host = strstr(url, "://");
    AUTO_STR key = STR_EMPTY;
    if (!host)
        return;
    host += strlen("://");
    str_printf(&key, "url.%.*stoken:", (int)(host - url), url);
    for (const char *at = token; *at; at++)
        str_printf(&key, isalnum((unsigned char)*at) ? "%c" : "%%%02X", (unsigned char)*at);
    const int size = (int)strcspn(host, "/");
    str_printf(&key, "@%.*s/.insteadOf", size, host);
    AUTO_FREE char *value = str_format("%.*s/", (int)(host - url) + size, url);
    setenv("GIT_CONFIG_COUNT", "1", 1);
    setenv("GIT_CONFIG_KEY_0", key.data, 1);
    setenv("GIT_CONFIG_VALUE_0", value, 1);
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
    const char *token = at, *url = at += strlen(at) + 1;
    if (token[0] && at < input + size)
        set_token(token, url);
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
