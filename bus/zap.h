/*  zap: which keys may connect over tcp at all (ZeroMQ RFC 27). One thread per process, while any
 *  broker needs it. */
#ifndef KURTOSIS_BUS_ZAP_H
#define KURTOSIS_BUS_ZAP_H

#include "bus/bus.h"

typedef struct bus_zap bus_zap_t;

/* From now on, CURVE connections of sockets with this ZMQ_ZAP_DOMAIN are asked about with is_known,
 * on the ZAP thread. domain is copied. */
int bus_zap_new(const char *domain,
                bool (*is_known)(void *arg, const uint8_t public_key[BUS_KEY_SIZE]), void *arg,
                bus_zap_t **ret_zap, err_t **err);
/* No more is asked after. */
void bus_zap_destroy(bus_zap_t **self_p);
AUTO_FOR(bus_zap)

#endif
