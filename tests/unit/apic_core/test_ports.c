/*  ports: real sockets that answer at once, later, never, and a service that dies meanwhile. */
#include "apic/core/ports.h"
#include "tests/unit/apic_core/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* A socket on 127.0.0.1 with a port of its own, not listening yet. */
static int
bound(unsigned *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static ports_wait_t
wait_for(const ports_target_t *targets, size_t count)
{
    return (ports_wait_t){
        .ip = "127.0.0.1", .targets = targets, .count = count, .cancel_fd = -1, .hint_fd = -1};
}

static void
ports_that_listen_are_open_at_once_and_others_are_not_looked_at(void **state)
{
    (void)state;
    unsigned a, b, closed;
    int fd_a = bound(&a), fd_b = bound(&b), fd_closed = bound(&closed);
    listen(fd_a, 1);
    listen(fd_b, 1);
    ports_target_t targets[] = {
        {"a", a, PORTS_TCP, NS_PER_SECOND * 10},
        {"b", b, PORTS_TCP, NS_PER_SECOND * 10},
        {"not waited for", closed, PORTS_TCP, -1},
        {"udp", closed, PORTS_UDP, NS_PER_SECOND * 10},
    };
    ports_wait_t wait = wait_for(targets, ARRAY_LEN(targets));
    int64_t start = clock_ns();
    assert_int_equal(ports_wait(&wait, NULL), 0);
    assert_true(clock_ns() - start < 5 * NS_PER_SECOND);
    close(fd_a);
    close(fd_b);
    close(fd_closed);
}

static void *
listen_when_tried(void *arg)
{
    /* The first attempts are refused for sure; then somebody listens. */
    struct timespec pause = {.tv_nsec = 60 * NS_PER_MS};
    nanosleep(&pause, NULL);
    listen(*(int *)arg, 1);
    return NULL;
}

static void
a_port_that_listens_later_is_found_open(void **state)
{
    (void)state;
    unsigned port;
    int fd = bound(&port);
    pthread_t thread;
    pthread_create(&thread, NULL, listen_when_tried, &fd);
    ports_target_t target = {"late", port, PORTS_TCP, NS_PER_SECOND * 10};
    ports_wait_t wait = wait_for(&target, 1);
    assert_int_equal(ports_wait(&wait, NULL), 0);
    pthread_join(thread, NULL);
    close(fd);
}

static void
a_port_that_never_listens_fails_when_its_wait_runs_out_and_says_which(void **state)
{
    (void)state;
    unsigned port, open;
    int fd = bound(&port), fd_open = bound(&open);
    listen(fd_open, 1);
    ports_target_t targets[] = {{"fine", open, PORTS_TCP, NS_PER_SECOND * 10},
                                {"never", port, PORTS_TCP, NS_PER_MS * 100}};
    ports_wait_t wait = wait_for(targets, 2);
    err_t *err = NULL;
    int64_t start = clock_ns();
    assert_true(ports_wait(&wait, &err) < 0);
    int64_t took = clock_ns() - start;
    assert_true(took >= NS_PER_MS * 100 && took < NS_PER_SECOND * 30);
    assert_int_equal(err_code(err), ERR_TIMEOUT);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "'never'"));
    assert_non_null(strstr(why, "within 100ms"));
    assert_non_null(strstr(why, "Connection refused"));
    close(fd);
    close(fd_open);
}

static void
a_wait_of_zero_is_one_attempt(void **state)
{
    (void)state;
    unsigned port;
    int fd = bound(&port);
    ports_target_t target = {"now", port, PORTS_TCP, 0};
    ports_wait_t wait = wait_for(&target, 1);
    assert_true(ports_wait(&wait, NULL) < 0);
    close(fd);
}

static int
dead(void *arg, err_t **err)
{
    ++*(int *)arg;
    return err_fail(err, ERR_STATE, "its container ended");
}

static void
a_service_that_dies_ends_the_wait_at_once(void **state)
{
    (void)state;
    unsigned port;
    int fd = bound(&port), hints = 0;
    ports_target_t target = {"x", port, PORTS_TCP, NS_PER_SECOND * 60};
    ports_wait_t wait = wait_for(&target, 1);
    wait.hint_fd = eventfd(1, EFD_CLOEXEC);
    wait.on_hint = dead;
    wait.arg = &hints;
    AUTO(err) err = NULL;
    assert_true(ports_wait(&wait, &err) < 0);
    assert_int_equal(err_code(err), ERR_STATE);
    assert_int_equal(hints, 1);
    close(wait.hint_fd);
    close(fd);
}

static void
a_caller_that_gives_up_ends_the_wait_at_once(void **state)
{
    (void)state;
    unsigned port;
    int fd = bound(&port);
    ports_target_t target = {"x", port, PORTS_TCP, NS_PER_SECOND * 60};
    ports_wait_t wait = wait_for(&target, 1);
    wait.cancel_fd = eventfd(1, EFD_CLOEXEC);
    AUTO(err) err = NULL;
    assert_true(ports_wait(&wait, &err) < 0);
    assert_int_equal(err_code(err), ERR_CANCELLED);
    close(wait.cancel_fd);
    close(fd);
}

static void
too_many_ports_are_refused(void **state)
{
    (void)state;
    ports_wait_t wait = wait_for(NULL, PORTS_MAX + 1);
    AUTO(err) err = NULL;
    assert_true(ports_wait(&wait, &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_that_listen_are_open_at_once_and_others_are_not_looked_at),
        cmocka_unit_test(a_port_that_listens_later_is_found_open),
        cmocka_unit_test(a_port_that_never_listens_fails_when_its_wait_runs_out_and_says_which),
        cmocka_unit_test(a_wait_of_zero_is_one_attempt),
        cmocka_unit_test(a_service_that_dies_ends_the_wait_at_once),
        cmocka_unit_test(a_caller_that_gives_up_ends_the_wait_at_once),
        cmocka_unit_test(too_many_ports_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
