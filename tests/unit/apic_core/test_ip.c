/*  ip: addresses and networks are read strictly and written back. */
#include "apic/core/ip.h"
#include "tests/unit/apic_core/support.h"

static void
addresses_are_read_and_written_back(void **state)
{
    (void)state;
    static const char *const good[] = {"0.0.0.0", "172.16.0.5", "255.255.255.255"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint32_t ip;
        char text[IP_TEXT_SIZE];
        assert_int_equal(ip_parse(good[i], &ip, NULL), 0);
        ip_text(ip, text);
        assert_string_equal(text, good[i]);
    }
    static const char *const bad[] = {"",          "1",        "1.2.3", "1.2.3.4.5",
                                      "256.1.1.1", "1.2.3.4 ", "::1",   "a.b.c.d"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(err) err = NULL;
        uint32_t ip;
        assert_true(ip_parse(bad[i], &ip, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

static void
a_network_has_hosts_between_its_first_and_last_address(void **state)
{
    (void)state;
    ip_net_t net;
    uint32_t ip;
    assert_int_equal(ip_net_parse("172.16.4.0/22", &net, NULL), 0);
    static const struct {
        const char *text;
        bool is_host;
    } cases[] = {{"172.16.4.0", false},   {"172.16.4.1", true},  {"172.16.7.254", true},
                 {"172.16.7.255", false}, {"172.16.8.0", false}, {"172.16.3.255", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(ip_parse(cases[i].text, &ip, NULL), 0);
        assert_int_equal(ip_net_has(&net, ip), cases[i].is_host);
    }
}

static void
what_is_no_network_is_refused_with_the_text_in_quotes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "172.16.0.0",    "172.16.0.0/", "172.16.0.0/x", "172.16.0.0/31",
        "10.0.0.0/7", "172.16.1.0/22", "/22",         "1.2.3.4/22/1", "172.16.0.0/-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        err_t *err = NULL;
        ip_net_t net;
        assert_true(ip_net_parse(bad[i], &net, &err) < 0);
        AUTO_FREE char *why = support_why(&err);
        AUTO_FREE char *quoted = str_format("'%s'", bad[i]);
        assert_non_null(strstr(why, quoted));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written_back),
        cmocka_unit_test(a_network_has_hosts_between_its_first_and_last_address),
        cmocka_unit_test(what_is_no_network_is_refused_with_the_text_in_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
