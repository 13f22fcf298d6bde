/*  process: what a program with actors does about signals and memory. See actors.h. */
#include "actors/actors.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static const int waited_for[] = {SIGTERM, SIGINT};

static int stop_fd = -1;

static void
wanted(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    for (size_t i = 0; i < ARRAY_LEN(waited_for); i++)
        sigaddset(ret_set, waited_for[i]);
}

void
actor_process_init(void)
{
    sigset_t set;
    wanted(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (stop_fd < 0)
        stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Many threads that allocate little: two arenas are enough, and what is free goes back. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

int
actor_process_wait(void)
{
    sigset_t set;
    wanted(&set);
    AUTO_FD int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        eventfd_t value;
        if (read(signals, &info, sizeof info) == sizeof info)
            return (int)info.ssi_signo;
        if (eventfd_read(stop_fd, &value) == 0)
            return 0;
        poll(fds, ARRAY_LEN(fds), -1);
    }
}

void
actor_process_stop(void)
{
    eventfd_write(stop_fd, 1);
}
