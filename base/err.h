/*  err: a code, a sentence, a cause.
 *
 *  Every function that can fail returns a negative number and sets *err to a chain: the outermost link
 *  says what was being done, the innermost why it could not be. A link's text names the thing in quotes,
 *  starts lower case and has no full stop. A chain crosses the bus (bus.proto, ErrorChain) and arrives as
 *  a chain.
 *
 *      if (seal_read(name, &self->seal, err) < 0)
 *          return err_wrap(err, "cannot open enclave '%s'", name);
 *
 *  Every function accepts err == NULL (the caller does not want to know why). Negative results are
 *  failures and are passed up; positive ones are expected outcomes of the called function's own enum.
 */
#ifndef KURTOSIS_BASE_ERR_H
#define KURTOSIS_BASE_ERR_H

#include "base/auto.h"

/* The one table of error codes: name, number on the wire, HTTP status, Connect and gRPC code, meaning.
 * The gRPC numbers are those of https://grpc.io/docs/guides/status-codes/. */
#define ERR_CODES(X)                                                                               \
    X(UNKNOWN, 2, 500, "unknown", "something failed")                                              \
    X(CANCELLED, 1, 499, "canceled", "the caller gave up")                                         \
    X(INVALID, 3, 400, "invalid_argument", "the input is wrong")                                   \
    X(TIMEOUT, 4, 504, "deadline_exceeded", "it took longer than allowed")                         \
    X(NOT_FOUND, 5, 404, "not_found", "no such thing")                                             \
    X(EXISTS, 6, 409, "already_exists", "there is one already")                                    \
    X(DENIED, 7, 403, "permission_denied", "this caller may not do that")                          \
    X(LIMIT, 8, 429, "resource_exhausted", "a limit was reached")                                  \
    X(STATE, 9, 412, "failed_precondition", "not possible in the present state")                   \
    X(UNSUPPORTED, 12, 501, "unimplemented", "not supported here")                                 \
    X(INTERNAL, 13, 500, "internal", "a bug of ours")                                              \
    X(UNAVAILABLE, 14, 503, "unavailable", "the other side cannot be reached")

typedef enum {
#define ERR_ENUM(name, number, http, text, meaning) ERR_##name = number,
    ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
} err_code_t;

typedef struct err err_t;

/* Starts a chain in *err (which must be NULL before, or err itself NULL) and returns -1. */
#define err_fail(err, code, ...)                                                                   \
    ERR_MINUS_ONE(err_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__))
/* Puts a link before the chain in *err, with its code, and returns -1. */
#define err_wrap(err, ...) ERR_MINUS_ONE(err_wrap_at((err), __FILE__, __LINE__, __VA_ARGS__))
/* Said so that the compiler knows it too, and sees which ret_ values are set after success. */
#define ERR_MINUS_ONE(call)                                                                        \
    ({                                                                                             \
        call;                                                                                      \
        -1;                                                                                        \
    })

/* Puts a link with a code of its own before the chain in *err (which may be empty), and returns -1: for chains that
 * come from elsewhere and are built from the innermost link outwards. */
int err_link(err_t **err, err_code_t code, const char *text);

int err_fail_at(err_t **err, err_code_t code, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int err_wrap_at(err_t **err, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Takes the outermost link off a chain of several: for who knows better words for what was being done. */
void err_unwrap(err_t **err);

/* Frees the chain and clears *err_p. NULL and pointers to NULL are fine. */
void err_destroy(err_t **err_p);
AUTO_FOR(err)

/* The code of the outermost link; ERR_UNKNOWN for NULL. */
err_code_t err_code(const err_t *self);
/* The text of this link alone; lent, as long as the chain lives. */
const char *err_text(const err_t *self);
/* The next link inwards, or NULL; lent. */
const err_t *err_cause(const err_t *self);
/* Where in our source the link was made; *ret_line is set. Lent. */
const char *err_file(const err_t *self, int *ret_line);
/* The whole chain as "outer: inner: innermost"; yours, free(). */
char *err_string(const err_t *self);
/* The whole chain, one link a line, "outer\nCaused by: inner\n..."; yours, free(). */
char *err_lines(const err_t *self);
/* A deep copy; yours. */
err_t *err_dup(const err_t *self);

/* The code's names and numbers, from the table. Unknown numbers read as ERR_UNKNOWN. */
const char *err_code_name(err_code_t code);
int err_code_http(err_code_t code);
err_code_t err_code_from_number(int number);

#endif
