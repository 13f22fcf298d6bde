/*  keys: CURVE key pairs, in memory, as text and in files. */
#include "bus/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define FILE_MAX 1024 /* bytes read of a key file; a good one has 82 */

_Static_assert(BUS_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "CURVE keys are crypto_box keys");

void
bus_keys_new(bus_keys_t *self)
{
    if (sodium_init() < 0)
        abort();
    crypto_box_keypair(self->public_key, self->secret_key);
}

void
bus_keys_wipe(bus_keys_t *self)
{
    sodium_memzero(self, sizeof *self);
}

void
bus_key_to_text(const uint8_t key[BUS_KEY_SIZE], char ret_text[BUS_KEY_TEXT_SIZE])
{
    zmq_z85_encode(ret_text, key, BUS_KEY_SIZE);
}

int
bus_key_from_text(const char *text, uint8_t ret_key[BUS_KEY_SIZE], err_t **err)
{
    size_t len = strlen(text);
    if (len != BUS_KEY_TEXT_SIZE - 1)
        return err_fail(err, ERR_INVALID, "a key is 40 characters of Z85, this text has %zu", len);
    uint8_t key[BUS_KEY_SIZE];
    if (!zmq_z85_decode(key, text))
        return err_fail(err, ERR_INVALID, "a key is 40 characters of Z85, this text has others");
    memcpy(ret_key, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return 0;
}

/* Two lines, and the first must be what the second says. */
static int
parse(char *text, bus_keys_t *ret_keys, err_t **err)
{
    char *rest = NULL;
    char *public_line = strtok_r(text, "\r\n", &rest);
    char *secret_line = strtok_r(NULL, "\r\n", &rest);
    if (!public_line || !secret_line || strtok_r(NULL, "\r\n", &rest))
        return err_fail(err, ERR_INVALID, "a key file has two lines: public key, secret key");
    bus_keys_t keys;
    uint8_t derived[BUS_KEY_SIZE];
    if (bus_key_from_text(public_line, keys.public_key, err) < 0 ||
        bus_key_from_text(secret_line, keys.secret_key, err) < 0)
        return -1;
    crypto_scalarmult_base(derived, keys.secret_key);
    if (sodium_memcmp(derived, keys.public_key, sizeof derived) != 0)
        return err_fail(err, ERR_INVALID, "the two keys do not belong together");
    *ret_keys = keys;
    bus_keys_wipe(&keys);
    return 0;
}

/* 1 when there is no such file. */
static int
read_file(const char *path, bus_keys_t *ret_keys, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 1 : err_fail(err, ERR_STATE, "%s", strerror(errno));
    char text[FILE_MAX + 1];
    ssize_t size = read(fd, text, FILE_MAX);
    if (size < 0)
        return err_fail(err, ERR_STATE, "%s", strerror(errno));
    text[size] = '\0';
    int result = parse(text, ret_keys, err);
    sodium_memzero(text, sizeof text);
    return result;
}

static int
write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0 ? 0 : -1;
}

static int
make_folder(const char *path, err_t **err)
{
    AUTO_FREE char *copy = strdup(path);
    const char *folder = dirname(copy);
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(copy, 0700); /* what fails here shows at the last one */
        *slash = '/';
    }
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_fail(err, ERR_STATE, "cannot make folder '%s': %s", folder, strerror(errno));
    return 0;
}

/* Writes beside and links into place: whoever is first wins, and nobody sees half a file. */
static int
make_file(const char *path, err_t **err)
{
    if (make_folder(path, err) < 0)
        return -1;
    AUTO_FREE char *beside = str_format("%s.XXXXXX", path);
    AUTO_FD int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_STATE, "cannot make a file beside it: %s", strerror(errno));
    bus_keys_t keys;
    char public_text[BUS_KEY_TEXT_SIZE], secret_text[BUS_KEY_TEXT_SIZE], text[100];
    bus_keys_new(&keys);
    bus_key_to_text(keys.public_key, public_text);
    bus_key_to_text(keys.secret_key, secret_text);
    snprintf(text, sizeof text, "%s\n%s\n", public_text, secret_text);
    int failed = write_all(fd, text) < 0 || (link(beside, path) < 0 && errno != EEXIST) ? errno : 0;
    unlink(beside);
    bus_keys_wipe(&keys);
    sodium_memzero(secret_text, sizeof secret_text);
    sodium_memzero(text, sizeof text);
    return failed ? err_fail(err, ERR_STATE, "cannot write it: %s", strerror(failed)) : 0;
}

int
bus_keys_require(const char *path, bus_keys_t *ret_keys, err_t **err)
{
    if (sodium_init() < 0)
        abort();
    int result = read_file(path, ret_keys, err);
    if (result > 0)
        result = make_file(path, err) < 0 ? -1 : read_file(path, ret_keys, err);
    if (result > 0)
        result = err_fail(err, ERR_STATE, "it went away while it was made");
    return result < 0 ? err_wrap(err, "cannot use key file '%s'", path) : 0;
}
