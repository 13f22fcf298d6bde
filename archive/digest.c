/*  digest: MD5 (RFC 1321) and SHA-1 (RFC 3174). Kurtosis' formats use them; see archive.h. */
#include "archive/archive.h"

#include <stdio.h>
#include <string.h>

static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t md5_turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static const uint32_t first_state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

static uint32_t
turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void
md5_block(uint32_t state[5], const uint8_t block[64])
{
    uint32_t words[16];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 |
                   (uint32_t)block[4 * i + 2] << 16 | (uint32_t)block[4 * i + 3] << 24;
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t mix;
        unsigned word;
        switch (i / 16) {
        case 0:
            mix = (b & c) | (~b & d), word = i;
            break;
        case 1:
            mix = (d & b) | (~d & c), word = (5 * i + 1) % 16;
            break;
        case 2:
            mix = b ^ c ^ d, word = (3 * i + 5) % 16;
            break;
        default:
            mix = c ^ (b | ~d), word = (7 * i) % 16;
        }
        uint32_t next = b + turn(a + mix + md5_sines[i] + words[word], md5_turns[i / 16][i % 4]);
        a = d, d = c, c = b, b = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

static void
sha1_block(uint32_t state[5], const uint8_t block[64])
{
    uint32_t words[80];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | (uint32_t)block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        words[i] = turn(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 80; i++) {
        uint32_t mix;
        if (i < 20)
            mix = ((b & c) | (~b & d)) + 0x5a827999;
        else if (i < 40)
            mix = (b ^ c ^ d) + 0x6ed9eba1;
        else if (i < 60)
            mix = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        else
            mix = (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = turn(a, 5) + mix + e + words[i];
        e = d, d = c, c = turn(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static void
take_block(archive_digest_t *self, const uint8_t block[64])
{
    if (self->kind == ARCHIVE_MD5)
        md5_block(self->state, block);
    else
        sha1_block(self->state, block);
}

void
archive_digest_init(archive_digest_t *self, archive_digest_kind_t kind)
{
    self->kind = kind;
    self->size = 0;
    memcpy(self->state, first_state, sizeof first_state);
}

void
archive_digest_add(archive_digest_t *self, const void *data, size_t size)
{
    const uint8_t *at = data;
    size_t used = self->size % 64;
    self->size += size;
    while (size > 0) {
        if (used == 0 && size >= 64) {
            take_block(self, at);
            at += 64, size -= 64;
            continue;
        }
        size_t part = size < 64 - used ? size : 64 - used;
        memcpy(self->block + used, at, part);
        at += part, size -= part, used += part;
        if (used == 64) {
            take_block(self, self->block);
            used = 0;
        }
    }
}

void
archive_digest_end(archive_digest_t *self, char *ret_hex)
{
    bool little = self->kind == ARCHIVE_MD5;
    uint64_t bits = self->size * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> 8 * (little ? i : 7 - i));
    archive_digest_add(self, "\x80", 1);
    while (self->size % 64 != 56)
        archive_digest_add(self, "", 1);
    archive_digest_add(self, length, sizeof length);
    for (int i = 0; i < (little ? 4 : 5); i++) {
        uint32_t word = little ? __builtin_bswap32(self->state[i]) : self->state[i];
        snprintf(ret_hex + 8 * i, 9, "%08x", word);
    }
}

void
archive_sha1(const void *data, size_t size, char ret_hex[ARCHIVE_SHA1_SIZE])
{
    archive_digest_t digest;
    archive_digest_init(&digest, ARCHIVE_SHA1);
    archive_digest_add(&digest, data, size);
    archive_digest_end(&digest, ret_hex);
}
