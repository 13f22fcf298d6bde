/*  inside: what the files of this folder share. Nobody else includes it.
 *
 *  Threads: one loop thread owns the peer; workers run handlers; anybody may ask. `lock` guards
 *  everything marked L; what is marked P belongs to the loop thread; the rest does not change after
 *  birth. Nobody but the loop touches the peer: others put a job for it into `posts` and wake it.
 *
 *  A line is one side of one conversation: an incoming call, an outgoing ask or stream. Its holders
 *  are counted: the peer's table while it is open, the handle that the user has, each post about it,
 *  the worker that runs it.
 */
#ifndef KURTOSIS_ACTORS_INSIDE_H
#define KURTOSIS_ACTORS_INSIDE_H

#include "actors/actors.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/peer.h"

#include <pthread.h>
#include <stdatomic.h>

#define ACTOR_WORKERS 16u     /* unless the config says otherwise */
#define ACTOR_QUEUE_MAX 1024u /* calls that wait for a worker */
#define ACTOR_IDLE_MS 10000   /* a worker thread without work ends after this */
#define ACTOR_SLOW_MS 50      /* a callback on the loop thread over this is logged */
#define ACTOR_CONNECT_MS 5000 /* for Welcome, unless the config says otherwise */
#define ACTOR_ASK_MS 30000    /* for a reply, unless the asker says otherwise */
#define ACTOR_DRAIN_MS 5000   /* for running calls to end, unless actor_set_drain said otherwise */
#define ACTOR_TIMERS_MAX 1024u
#define ACTOR_THREADS_MAX 64u /* of actor_spawn */

typedef struct line line_t;
typedef struct post post_t;

/* A message that arrived. */
typedef struct item {
    struct item *next;
    zmq_msg_t msg;
    size_t body; /* where its body starts */
} item_t;

struct line {
    bus_talk_t talk;               /* P, but for correlation, mine and other, which do not change */
    actor_t *actor;                /* holds it */
    const bus_method_t *method;    /* NULL: a scope, which is never on the bus */
    const actor_method_t *handler; /* incoming */
    bool tell;                     /* incoming; nobody waits for an answer */
    uint64_t trace;
    int64_t deadline;   /* clock_ns(); 0 for never */
    uint32_t remaining; /* outgoing ask: milliseconds from its start to its deadline */
    atomic_uint holders;

    item_t *inbox, **inbox_end; /* L */
    bool in_end;                /* L: nothing more will come in */
    bool over;                  /* L: the other side ended it, or it failed */
    bool answered;              /* L: this side ended it */
    err_t *error;               /* L: why it is over */
    uint32_t in_number;         /* P: of the last DATA that came */
    unsigned eaten;             /* L: received, not yet credited */
    size_t eaten_bytes;         /* L */
    uint32_t out_number;        /* L: of the last DATA that went */
    unsigned out_first, out_count;
    uint32_t out_sizes[BUS_CREDIT]; /* L: of what went and is not credited: a ring */
    size_t out_bytes;               /* L: their sum */
    pthread_cond_t changed;         /* L */
    int recv_fd, cancel_fd;         /* L: -1 until asked for */

    line_t *within;                 /* the call on whose behalf this was asked; holds it */
    line_t *branches, *next_branch; /* L: lines within this one */
    line_t *prev_call, *next_call;  /* L: list of the actor's calls that are not answered */
    line_t *next_job;               /* L: queue for the workers */
    zmq_msg_t request;              /* incoming: the frame that opened it */
    size_t request_body;
    actor_reply_fn *on_reply; /* outgoing ask without a waiting thread */
    void *on_reply_arg;
};

/* What users have of a line: nothing but it, so that either may be made of any. */
struct actor_call {
    line_t line;
};
struct actor_stream {
    line_t line;
};

/* Work for the loop thread. */
struct post {
    post_t *next;
    void (*fn)(actor_t *actor, post_t *self); /* line and msg are cleaned up after it */
    line_t *line;                             /* holds it; may be NULL */
    zmq_msg_t msg;
    int64_t when;
    uint32_t number;
    err_t *error;
    struct timer *timer;
};

typedef struct spawned {
    struct spawned *next;
    pthread_t thread;
    void (*fn)(void *arg);
    void *arg;
    actor_t *actor;
    bool done; /* L */
} spawned_t;

typedef struct {
    bus_link_t link;
    const actor_method_t *handler;
    const bus_method_t *method;
} entry_t;

struct actor {
    atomic_uint holders; /* actor_new's, lines, threads */
    char *name;
    bus_peer_t *peer; /* P */
    void *state;
    void (*on_bus)(void *state, bool joined);
    entry_t *entries;
    bus_table_t methods;
    unsigned workers_max;
    int connect_ms;
    uint64_t traces; /* where its trace ids begin */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* L: calls, workers or the loop ended, or the join is decided */
    pthread_t loop;
    int wake_fd, stop_fd;
    enum { ACTOR_JOINING, ACTOR_RUNNING, ACTOR_FAILED } phase; /* L */
    err_t *join_error;
    bool stopping;              /* L: no new calls */
    bool cancelled;             /* L: running calls are told to end */
    bool closing;               /* L: the loop ends */
    bool closed;                /* L: the loop has ended; posts are thrown away */
    bool asleep;                /* L: the loop needs wake_fd to see a post */
    int drain_ms;               /* L */
    post_t *posts, **posts_end; /* L */
    line_t *calls;              /* L */
    line_t *jobs, **jobs_end;   /* L */
    unsigned jobs_count, workers, idle;
    pthread_cond_t work;    /* L: a job, or the end */
    struct timer *timers;   /* P */
    unsigned timers_count;  /* L */
    int timer_id;           /* L */
    spawned_t *spawned;     /* L */
    unsigned spawned_count; /* L */
};

/* actor.c */
void actor_hold(actor_t *self);   /* by someone who holds it */
void actor_unhold(actor_t *self); /* not under lock; may free */
bool actor_on_loop(const actor_t *self);
/* Waits for cond until clock_ns() until (0: for ever); false when that has passed. Under lock. */
bool actor_wait(actor_t *self, pthread_cond_t *cond, int64_t until);
/* Gives post (taken, a copy is made) to the loop. Under lock: order of posts is order of calls. Its
 * line gets a hold. */
void actor_post(actor_t *self, post_t post);
/* Does what is posted; loop thread. Also called after each callback, so that what that sent is on its way before the
 * peer looks into its socket for the last time: otherwise it would have to look once more. */
void actor_run_posts(actor_t *self);
/* Logs a callback on the loop thread that took too long. began: clock_coarse_ns(). */
void actor_mind_time(const actor_t *self, const char *what, int64_t began);

/* line.c */
line_t *line_new(actor_t *actor, const bus_method_t *method, const char *other, bool mine);
void line_hold(line_t *self);   /* by someone who holds it */
void line_unhold(line_t *self); /* not under lock; may free */
/* The trace of one that begins: that of what it is within, otherwise a new one: a random number of the actor's birth and the
 * number of the ask, well mixed. Asking the kernel for each would cost more than all the rest of the ask. Never 0. */
uint64_t line_trace(const actor_t *actor, const line_t *within, uint64_t number);
/* From birth on it is within a call or scope of the same actor; NULL: it stays alone. */
void line_join(line_t *self, actor_call_t *within);
void line_on_frame(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error);
/* It ended here and now for this reason (taken). Under lock. */
void line_end(line_t *self, err_t *error);
/* The same, also for one that waits for a callback; not under lock, loop thread. */
void line_fail(line_t *self, err_t *error);
/* The same, because the loop has ended. */
void line_drop(line_t *self);
/* The frame of kind with message as its body, from this side. LIMIT when it is too large. */
int line_pack(const line_t *self, bus_kind_t kind, const ProtobufCMessage *message,
              zmq_msg_t *ret_msg, err_t **err);
/* The same with a body that is packed already. */
int line_frame(const line_t *self, bus_kind_t kind, const void *body, size_t size,
               zmq_msg_t *ret_msg, err_t **err);
/* Waits for credit and posts one message, which is taken. */
int line_send_frame(line_t *self, zmq_msg_t *msg, err_t **err);
int line_send(line_t *self, const ProtobufCMessage *item, err_t **err);
/* 1, 0 at the end, negative. descriptor: of what arrives. */
int line_recv(line_t *self, const ProtobufCMessageDescriptor *descriptor, int timeout_ms,
              ProtobufCMessage **ret_item, err_t **err);
int line_recv_fd(line_t *self);
/* Posts a frame without a body about it. Under lock. */
void line_say(line_t *self, bus_kind_t kind);
/* Whether it is over, or the call it is within is. Under lock. */
bool line_dead(const line_t *self);
/* Fills *err with why. Under lock. Returns -1. */
int line_why(const line_t *self, err_t **err);

/* call.c */
/* ASK, TELL, OPEN; loop thread. */
void call_on_frame(void *actor, const bus_frame_t *frame, zmq_msg_t *msg);
/* Loop thread. */
void call_cancel_all(actor_t *self);

/* work.c */
bool work_put(actor_t *self, line_t *call); /* false: the queue is full. Under lock. */
void work_call(line_t *call);               /* runs the handler */

/* scope.c */
/* An API container may name its own enclave only. */
int scope_check(const char *from, const ProtobufCMessage *request, err_t **err);

#endif
