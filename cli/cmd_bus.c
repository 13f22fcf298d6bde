/*  cmd_bus: bus ls, bus tap: for looking for a fault. */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/duration.h"
#include "bus/schema/bus.pb-c.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/session.h"

#include <string.h>
#include <time.h>

#define BROKER "broker"
#define REMEMBERED 256u /* asks and streams whose method is known, to name it in what follows */

/* ------------------------------------------------------------------------------------------- bus ls */

int
bus_ls_run(const cli_call_t *call, err_t **err)
{
    (void)call;
    AUTO_SESSION session = {0};
    AUTO_MESSAGE Bus__ListPeersReply *reply = NULL;
    Bus__ListPeersArgs args = BUS__LIST_PEERS_ARGS__INIT;
    if (session_open(&session, err) < 0 ||
        actor_ask(kurtosis_context_actor(session.kurtosis), NULL, BROKER, "bus.Broker/ListPeers",
                  &args.base, 0, (ProtobufCMessage **)&reply, err) < 0)
        return err_wrap(err, "cannot list who is on the bus");
    static const char *const header[] = {"Name", "Program", "There For", "Sent", "Received"};
    __attribute__((cleanup(out_table_done))) out_table_t table;
    out_table_init(&table, ARRAY_LEN(header));
    out_table_header(&table, header);
    for (size_t i = 0; i < reply->n_peers; i++) {
        const Bus__Peer *peer = reply->peers[i];
        AUTO_STR age = STR_EMPTY;
        AUTO_FREE char *sent = str_format("%llu", (unsigned long long)peer->messages_in);
        AUTO_FREE char *received = str_format("%llu", (unsigned long long)peer->messages_out);
        duration_put(&age, (int64_t)(peer->connected_milliseconds / 1000) * NS_PER_SECOND);
        out_table_add(&table, OUT_PLAIN, peer->name);
        out_table_add(&table, OUT_PLAIN, peer->program);
        out_table_add(&table, OUT_PLAIN, age.data);
        out_table_add(&table, OUT_PLAIN, sent);
        out_table_add(&table, OUT_PLAIN, received);
    }
    AUTO_STR text = STR_EMPTY;
    out_table_write(&table, out_coloured(), &text);
    out_text(text.data);
    return 0;
}

/* ------------------------------------------------------------------------------------------ bus tap */

/* What an ask or a stream is about. */
typedef struct {
    char *asker, *method;
    uint64_t correlation;
} about_t;

typedef struct {
    about_t about[REMEMBERED];
    size_t next; /* the oldest, that is forgotten first */
} memory_t;

static const char *
method_of(memory_t *self, const Bus__TapEvent *event)
{
    const char *asker = event->answer ? event->to : event->from;
    if (*event->method) {
        about_t *about = &self->about[self->next++ % REMEMBERED];
        free(about->asker);
        free(about->method);
        *about = (about_t){strdup(asker), strdup(event->method), event->correlation};
        return event->method;
    }
    for (size_t i = 1; i <= REMEMBERED; i++) {
        const about_t *about = &self->about[(self->next - i) % REMEMBERED];
        if (about->asker && about->correlation == event->correlation &&
            strcmp(about->asker, asker) == 0)
            return about->method;
    }
    return "";
}

static void
show(memory_t *memory, const Bus__TapEvent *event)
{
    if (event->missed)
        out_line("... %llu messages were too many to show", (unsigned long long)event->missed);
    char clock[16];
    time_t second = (time_t)(event->time / NS_PER_SECOND);
    struct tm local;
    localtime_r(&second, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    const char *method = method_of(memory, event), *name = strrchr(method, '/');
    out_line("%s.%03d  %-6s  %s -> %s  %s #%llu  %u bytes", clock,
             (int)(event->time % NS_PER_SECOND / NS_PER_MS), event->kind, event->from, event->to,
             name ? name + 1 : method, (unsigned long long)event->correlation, event->body_bytes);
}

int
bus_tap_run(const cli_call_t *call, err_t **err)
{
    interrupt_set(NULL, 0);
    AUTO_SESSION session = {0};
    AUTO(actor_stream) stream = NULL;
    Bus__TapArgs args = BUS__TAP_ARGS__INIT;
    args.peer = (char *)cli_arg(call, "peer");
    if (session_open(&session, err) < 0 ||
        actor_stream_open(kurtosis_context_actor(session.kurtosis), NULL, BROKER, "bus.Broker/Tap",
                          &args.base, &stream, err) < 0)
        return err_wrap(err, "cannot look at the messages of the bus");
    memory_t memory = {0};
    int rc = 1;
    while (rc > 0) {
        AUTO_MESSAGE Bus__TapEvent *event = NULL;
        rc = actor_stream_recv(stream, -1, (ProtobufCMessage **)&event, err);
        if (rc > 0)
            show(&memory, event);
    }
    for (size_t i = 0; i < REMEMBERED; i++) {
        free(memory.about[i].asker);
        free(memory.about[i].method);
    }
    return rc < 0 ? err_wrap(err, "cannot look at the messages of the bus any longer") : 0;
}
