/*  limits: every number by which the bus bounds what others can make it hold or wait for. */
#ifndef KURTOSIS_BUS_LIMITS_H
#define KURTOSIS_BUS_LIMITS_H

/* Conversations (asks and streams). */
#define BUS_PEER_TALKS_MAX 4096u /* open ones that one peer has asked for */
#define BUS_TALKS_MAX 65536u     /* open ones in a broker */
#define BUS_PEERS_MAX 4096u      /* peers of a broker */
#define BUS_TAPS_MAX 8u          /* who look at all messages of a broker */
#define BUS_GRACE_MS 5000 /* how long past its deadline a broker keeps an ask that nobody ended */

/* Bytes of bodies on their way to one peer, not yet answered or credited. */
#define BUS_PEER_BYTES_MAX (256u << 20)

/* Queues, in messages. */
#define BUS_HWM 4096              /* per connection, each way, each side */
#define BUS_PEER_OUTBOX_MAX 4096u /* kept by a peer while its connection takes no more */

/* Errors that a broker keeps for a peer that takes no more. */
#define BUS_OWED_MAX (2 * BUS_PEER_TALKS_MAX)

/* A frame too large by up to this gets an error, larger ones cost the connection. */
#define BUS_FRAME_SLACK 65536u

/* One turn of a loop. */
#define BUS_BATCH_MAX 256u /* messages taken before anything else is looked at */
#define BUS_TURNS_MAX 8u   /* batches */

/* Failed handshakes in a row until a joining peer says so. */
#define BUS_HANDSHAKES_MAX 3u

/* Connections, in milliseconds. Heartbeats are between pings, in libzmq's own thread; one who says nothing for twice as
 * long is gone. */
#define BUS_HEARTBEAT_MS 5000
#define BUS_HANDSHAKE_MS 5000
#define BUS_RECONNECT_MIN_MS 10
#define BUS_RECONNECT_MAX_MS 1000
#define BUS_HELLO_RETRY_MS 1000 /* between HELLOs that the broker refuses */
#define BUS_LINGER_MS 500       /* for what is not yet sent when a socket is closed */
#define BUS_SWEEP_MS 1000       /* between looks of a broker for asks past their deadline */
#define BUS_OWED_MS 20          /* between tries to deliver owed errors */

#endif
