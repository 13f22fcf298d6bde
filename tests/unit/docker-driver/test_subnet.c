/*  subnet: parsing, overlap, the lowest free block. */
#include "docker-driver/subnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static subnet_t
net(const char *text)
{
    subnet_t subnet;
    assert_int_equal(subnet_parse(text, &subnet, NULL), 0);
    return subnet;
}

static void
lowest_free(const char *const *taken, size_t count, const char *expected)
{
    subnet_t list[70], found;
    char text[SUBNET_TEXT_SIZE];
    for (size_t i = 0; i < count; i++)
        list[i] = net(taken[i]);
    assert_int_equal(subnet_lowest_free(list, count, &found, NULL), 0);
    subnet_text(&found, text);
    assert_string_equal(text, expected);
}

static void
the_lowest_block_that_overlaps_nothing_is_taken(void **state)
{
    (void)state;
    lowest_free(NULL, 0, "172.16.0.0/22");
    lowest_free((const char *[]){"172.17.0.0/16"}, 1, "172.16.0.0/22");
    lowest_free((const char *[]){"172.16.0.0/22"}, 1, "172.16.4.0/22");
    lowest_free((const char *[]){"172.16.0.0/22", "172.16.8.0/22"}, 2, "172.16.4.0/22");
    /* One address is enough to be in the way, and so is a network that holds the block. */
    lowest_free((const char *[]){"172.16.3.255/32"}, 1, "172.16.4.0/22");
    lowest_free((const char *[]){"172.16.0.0/17"}, 1, "172.16.128.0/22");
    lowest_free((const char *[]){"10.0.0.0/8", "192.168.1.0/24"}, 2, "172.16.0.0/22");
}

static void
when_all_blocks_are_used_it_says_so(void **state)
{
    (void)state;
    subnet_t taken[] = {net("172.16.0.0/12"), net("10.0.0.0/8")}, found;
    AUTO(err) err = NULL;
    assert_true(subnet_lowest_free(taken, 2, &found, &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
    assert_non_null(strstr(err_text(err), "kurtosis clean"));
}

static void
after_64_enclaves_there_are_thousands_more(void **state)
{
    (void)state;
    lowest_free((const char *[]){"172.16.0.0/16"}, 1, "10.192.0.0/22");
    lowest_free((const char *[]){"172.16.0.0/16", "10.192.0.0/11"}, 2, "10.224.0.0/22");
    lowest_free((const char *[]){"172.16.0.0/15", "10.0.0.0/8"}, 2, "172.18.0.0/22");
    lowest_free((const char *[]){"172.16.0.0/12"}, 1, "10.192.0.0/22");
}

/* As many enclaves as there may be, and never two in one place. */
static void
no_network_is_given_twice(void **state)
{
    (void)state;
    static subnet_t taken[6000];
    size_t count = 0;
    while (count < ARRAY_LEN(taken) && subnet_lowest_free(taken, count, &taken[count], NULL) == 0)
        count++;
    assert_int_equal(count, 64 + 4096 + 960);
    for (size_t i = 1; i < count; i += 97)
        for (size_t k = 0; k < i; k++)
            assert_false(subnet_overlaps(&taken[i], &taken[k]));
}

static void
routes_of_the_host_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *line, *subnet; /* NULL: no reason to avoid anything */
    } cases[] = {
        {"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
         NULL},
        {"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", NULL},
        {"tun0\t00000000\t01080A0A\t0003\t0\t0\t0\t00000080\t0\t0\t0",
         NULL}, /* 0.0.0.0/1 of a VPN */
        {"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "192.0.2.0/24"},
        {"tun0\t0000000A\t01080A0A\t0003\t0\t0\t0\t000000FF\t0\t0\t0", "10.0.0.0/8"},
        {"tun0\t0000A0AC\t01080A0A\t0003\t0\t0\t0\t0000F0FF\t0\t0\t0", "172.160.0.0/12"},
        {"eth0\t010200C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0", "192.0.2.1/32"},
        {"", NULL},
        {"eth0 nonsense", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        subnet_t subnet;
        char text[SUBNET_TEXT_SIZE];
        bool found = subnet_parse_route(cases[i].line, &subnet);
        assert_int_equal(found, cases[i].subnet != NULL);
        if (found) {
            subnet_text(&subnet, text);
            assert_string_equal(text, cases[i].subnet);
        }
    }
}

static void
what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "172.16.0.0",
                                        "172.16.0.0/33",
                                        "172.16.0.0/-1",
                                        "172.16.0/22",
                                        "fd00::/64",
                                        "172.16.0.0/22x",
                                        "300.1.1.1/8",
                                        "172.16.0.0/",
                                        "1111111111111111111111/8"};
    subnet_t subnet;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_true(subnet_parse(texts[i], &subnet, NULL) < 0);
    subnet = net("172.16.5.77/22");
    assert_int_equal(subnet.address, 0xac100400);
    assert_true(subnet_contains(&subnet, 0xac1007ff));
    assert_false(subnet_contains(&subnet, 0xac100800));
    subnet = net("0.0.0.0/0");
    assert_true(subnet_contains(&subnet, 0xffffffff));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_block_that_overlaps_nothing_is_taken),
        cmocka_unit_test(when_all_blocks_are_used_it_says_so),
        cmocka_unit_test(after_64_enclaves_there_are_thousands_more),
        cmocka_unit_test(no_network_is_given_twice),
        cmocka_unit_test(routes_of_the_host_are_read),
        cmocka_unit_test(what_is_no_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
