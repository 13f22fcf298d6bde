/*  isolation: what is sent in one enclave does not arrive in another, whatever the protocol and the direction.
 *
 *  Whether something arrived is read off the counters that the receiver's own network keeps, so also what would never be
 *  answered is seen. Each probe is first sent within an enclave, where it must arrive.
 */
#include "tests/contract/world.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const char *protocol;
    /* With the address in the place of %s; a packet that arrives nowhere ends it within 2 s. */
    const char *send;
    const char *group;   /* of /proc/net/snmp */
    const char *counter; /* what rises when it arrives */
} probe_t;

static const probe_t probes[] = {
    {"ICMP", "ping -c 2 -W 2 %s", "Icmp:", "InEchos"},
    {"TCP", "nc -w 2 %s 4444 </dev/null", "Tcp:", "OutRsts"},
    {"UDP", "traceroute -n -q 2 -w 1 -f 8 -m 8 %s", "Udp:", "NoPorts"},
};

typedef struct {
    char enclave[UUID_LEN + 1], service[UUID_LEN + 1], ip[24];
} place_t;

/* Two services in one enclave, and one in another. */
static place_t near, neighbour, far;
static char far_apic[24];

static void
settle(place_t *place, const char *in, const char *ip, const char *name)
{
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, name);
    spec.enclave_uuid = (char *)in;
    if (ip)
        spec.private_ip = (char *)ip;
    Orchestrator__ServiceInfo *info = service_start(&spec);
    snprintf(place->enclave, sizeof place->enclave, "%s", in);
    snprintf(place->service, sizeof place->service, "%s", spec.service_uuid);
    snprintf(place->ip, sizeof place->ip, "%s", info->private_ip);
    orchestrator__service_info__free_unpacked(info, NULL);
}

static int
setup(void **state)
{
    (void)state;
    char other[UUID_LEN + 1];
    strcpy(other, new_uuid());
    Orchestrator__Enclave *made = enclave_make(other, enclave_name("far"));
    snprintf(far_apic, sizeof far_apic, "%s", made->api_container_ip);
    orchestrator__enclave__free_unpacked(made, NULL);
    const char *last = strrchr(far_apic, '.');
    AUTO_FREE char *ip = str_format("%.*s.77", (int)(last - far_apic), far_apic);
    settle(&near, enclave, NULL, "near");
    settle(&neighbour, enclave, NULL, "neighbour");
    settle(&far, other, ip, "far");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    service_remove(near.service);
    service_remove(neighbour.service);
    enclave_destroy(far.enclave);
    return 0;
}

static long
arrived(const place_t *at, const probe_t *probe)
{
    AUTO_STR out = STR_EMPTY;
    AUTO_FREE char *script = str_format("awk '$1 == \"%s\" { for (i = 2; i <= NF; i++) if ($i == "
                                        "\"%s\") n = i; if ($n ~ /^[0-9]/) print $n }'"
                                        " /proc/net/snmp",
                                        probe->group, probe->counter);
    assert_int_equal(run_at(at->enclave, at->service, script, &out), 0);
    assert_true(out.len > 0);
    return strtol(out.data, NULL, 10);
}

static void
send_probe(const place_t *from, const char *ip, const probe_t *probe)
{
    AUTO_STR script = STR_EMPTY;
    const char *gap = strstr(probe->send, "%s");
    str_printf(&script, "%.*s%s%s", (int)(gap - probe->send), probe->send, ip, gap + 2);
    run_at(from->enclave, from->service, script.data, NULL);
}

static void
does_not_arrive(const place_t *from, const place_t *to)
{
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        long before = arrived(to, &probes[i]);
        send_probe(from, to->ip, &probes[i]);
        if (arrived(to, &probes[i]) != before)
            fail_msg("%s from %s arrived at %s", probes[i].protocol, from->ip, to->ip);
    }
}

static void
services_of_one_enclave_reach_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        long before = arrived(&neighbour, &probes[i]);
        send_probe(&near, neighbour.ip, &probes[i]);
        if (arrived(&neighbour, &probes[i]) == before)
            fail_msg("%s from %s did not arrive at %s", probes[i].protocol, near.ip, neighbour.ip);
    }
}

static void
nothing_that_a_service_sends_arrives_in_another_enclave(void **state)
{
    (void)state;
    does_not_arrive(&near, &far);
}

static void
nothing_comes_back_from_that_enclave_either(void **state)
{
    (void)state;
    does_not_arrive(&far, &near);
}

static void
the_other_enclave_s_api_container_does_not_answer(void **state)
{
    (void)state;
    AUTO_FREE char *script = str_format("ping -c 1 -W 2 %s", far_apic);
    assert_int_not_equal(run_in(near.service, script, NULL), 0);
}

int
isolation_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_of_one_enclave_reach_each_other),
        cmocka_unit_test(nothing_that_a_service_sends_arrives_in_another_enclave),
        cmocka_unit_test(nothing_comes_back_from_that_enclave_either),
        cmocka_unit_test(the_other_enclave_s_api_container_does_not_answer),
    };
    return group_run("isolation", tests, ARRAY_LEN(tests), setup, teardown);
}
