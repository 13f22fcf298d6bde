#include "tests/unit/actors/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static counter_t deaths;
static int last_status;
static int64_t death_times[16];

static void
on_exit_(void *arg, int status)
{
    (void)arg;
    int number = counter_get(&deaths);
    if (number < (int)ARRAY_LEN(death_times))
        death_times[number] = clock_ns();
    last_status = status;
    counter_add(&deaths, 1);
}

static int
setup(void **state)
{
    (void)state;
    deaths = (counter_t)COUNTER_INIT;
    return 0;
}

static actor_child_t *
start(const char *script, const char *const *env, int grace_ms)
{
    actor_child_t *child = NULL;
    AUTO(err) error = NULL;
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    assert_done(actor_child_new("test", argv, env, grace_ms, on_exit_, NULL, &child, &error),
                error);
    return child;
}

static void
a_program_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    actor_child_t *child = NULL;
    const char *argv[] = {"kurtosis-no-such-program", NULL};
    assert_true(actor_child_new("ghost", argv, NULL, 100, NULL, NULL, &child, &error) < 0);
    assert_error(error, ERR_NOT_FOUND,
                 "cannot start 'ghost': cannot run 'kurtosis-no-such-program'");
    const char *no_program[] = {"/etc/passwd", NULL};
    err_destroy(&error);
    assert_true(actor_child_new("ghost", no_program, NULL, 100, NULL, NULL, &child, &error) < 0);
    assert_error(error, ERR_STATE, "cannot run '/etc/passwd'");
}

static void
a_child_that_dies_is_started_again_after_longer_and_longer_pauses(void **state)
{
    (void)state;
    AUTO(actor_child) child = start("exit 3", NULL, 1000);
    counter_wait(&deaths, 4);
    assert_int_equal(WEXITSTATUS(last_status), 3);
    /* Pauses of 100, 200 and 400 ms; a life takes a few more. */
    for (int i = 0, pause_ms = 100; i < 3; i++, pause_ms *= 2)
        assert_true(death_times[i + 1] - death_times[i] >= pause_ms * NS_PER_MS);
}

static void
a_killed_child_has_another_pid_after(void **state)
{
    (void)state;
    AUTO(actor_child) child = start("exec sleep 1000", NULL, 1000);
    int pid = actor_child_pid(child);
    assert_true(pid > 0);
    kill(pid, SIGKILL);
    counter_wait(&deaths, 1);
    assert_int_equal(WTERMSIG(last_status), SIGKILL);
    assert_true(actor_child_pid(child) != pid);
}

static void
the_end_is_asked_for_by_sigterm(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends),
                     0); /* inherited: the child says that its trap is set, and that it ends */
    AUTO_FREE char *script = str_format(
        "trap 'echo end >&%d; exit 7' TERM; echo ready >&%d; while :; do sleep 0.01; done", ends[1],
        ends[1]);
    actor_child_t *child = start(script, NULL, PATIENCE_MS);
    char text[16] = "";
    assert_int_equal(read(ends[0], text, 6), 6);
    assert_string_equal(text, "ready\n");
    actor_child_destroy(&child);
    assert_int_equal(counter_get(&deaths), 1);
    assert_int_equal(WEXITSTATUS(last_status), 7);
    assert_int_equal(read(ends[0], text, 4), 4);
    close(ends[0]);
    close(ends[1]);
}

static void
a_child_that_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    AUTO_FREE char *script =
        str_format("trap '' TERM; echo ready >&%d; while :; do sleep 0.01; done", ends[1]);
    actor_child_t *child = start(script, NULL, 50);
    char text[16];
    assert_int_equal(read(ends[0], text, 6), 6);
    actor_child_destroy(&child);
    assert_int_equal(WTERMSIG(last_status), SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

static void
a_child_gets_the_environment_and_a_clean_signal_mask(void **state)
{
    (void)state;
    const char *env[] = {"KURTOSIS_CHILD=yes", "HOME=/changed", NULL};
    /* SigBlk in /proc must be zero although this process blocks SIGTERM. */
    AUTO(actor_child)
    child = start("[ $KURTOSIS_CHILD = yes ] && [ $HOME = /changed ] && [ -n \"$PATH\" ] && "
                  "grep -q 'SigBlk:.0000000000000000' /proc/self/status && exit 42; exit 1",
                  env, 1000);
    counter_wait(&deaths, 1);
    assert_int_equal(WEXITSTATUS(last_status), 42);
}

static void
a_child_dies_with_its_parent(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    /* A process between: it supervises a child, says its pid, and is killed. */
    int parent = fork();
    if (parent == 0) {
        actor_child_t *child = start("exec sleep 1000", NULL, 1000);
        int pid = actor_child_pid(child);
        if (write(ends[1], &pid, sizeof pid) != sizeof pid)
            _exit(1);
        for (;;)
            pause();
    }
    int pid = 0;
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(pidfd >= 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    close(pidfd);
    close(ends[0]);
    close(ends[1]);
}

/* ----------------------------------------------------------------------------------------- process
 */

static void
a_process_waits_for_a_signal_or_for_itself(void **state)
{
    (void)state;
    actor_process_stop();
    assert_int_equal(actor_process_wait(), 0);
    kill(getpid(), SIGTERM);
    assert_int_equal(actor_process_wait(), SIGTERM);
    kill(getpid(), SIGINT);
    assert_int_equal(actor_process_wait(), SIGINT);
    AUTO_FD int full = open("/dev/null", O_RDONLY);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1); /* EPIPE, not SIGPIPE */
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_that_is_not_there_is_an_error),
        TEST(a_child_that_dies_is_started_again_after_longer_and_longer_pauses),
        TEST(a_killed_child_has_another_pid_after),
        TEST(the_end_is_asked_for_by_sigterm),
        TEST(a_child_that_ignores_sigterm_is_killed),
        TEST(a_child_gets_the_environment_and_a_clean_signal_mask),
        TEST(a_child_dies_with_its_parent),
        TEST(a_process_waits_for_a_signal_or_for_itself),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
