/*  outside_sim: see outside.h. Asks the simulated orchestrator itself, by lines over its socket (tests/sim/outside.c). */
#include "base/auto.h"
#include "base/str.h"
#include "tests/contract/outside.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Says a line; returns the answer, "" where nobody simulates. Yours. */
static char *
say(const char *word, const char *what)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv(OUTSIDE_SIM_SOCKET);
    AUTO_FREE char *line = str_format("%s %s\n", word, what);
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    str_t text = STR_EMPTY;
    strncpy(address.sun_path, path ? path : "", sizeof address.sun_path - 1);
    if (path && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line)) {
        char buffer[4096];
        for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;)
            str_add_bytes(&text, buffer, (size_t)got);
    }
    return str_take(&text);
}

char *
sim_holds(const char *part)
{
    return say("holds", part);
}

void
sim_forget_container(const char *container_id)
{
    free(say("forget-container", container_id));
}

/* What is forgotten is gone at once. */
bool
sim_wait_gone(const char *part)
{
    AUTO_FREE char *left = sim_holds(part);
    return strstr(left, "volume ") == NULL;
}

void
sim_forget_image(const char *image)
{
    free(say("forget-image", image));
}

void
sim_forget_volume(const char *volume)
{
    free(say("forget-volume", volume));
}
