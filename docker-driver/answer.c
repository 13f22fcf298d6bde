/*  answer: see answer.h. */
#include "docker-driver/answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CHUNK_LINE_MAX 1024u

void
answer_init(answer_t *self, bool no_body)
{
    *self = (answer_t){
        .no_body = no_body, .line = STR_EMPTY, .path_stat = STR_EMPTY, .api_version = STR_EMPTY};
}

void
answer_done(answer_t *self)
{
    str_done(&self->line);
    str_done(&self->path_stat);
    str_done(&self->api_version);
}

/* ----------------------------------------------------------------------------------------- head */

/* The value of header `name` in a line of the head; NULL when it is another. */
static const char *
value_of(const char *line, const char *name)
{
    size_t size = strlen(name);
    if (strncasecmp(line, name, size) != 0 || line[size] != ':')
        return NULL;
    for (line += size + 1; *line == ' ' || *line == '\t'; line++)
        ;
    return line;
}

/* A header of the head. */
static int
header(answer_t *self, const char *line, err_t **err)
{
    const char *value;
    if ((value = value_of(line, "Content-Length"))) {
        char *end;
        self->left = strtoull(value, &end, 10);
        if (!isdigit((unsigned char)*value) || *end || self->left > INT64_MAX)
            return err_fail(err, ERR_UNAVAILABLE, "the answer's length is '%.40s'", value);
        if (self->state == ANSWER_UNTIL_END)
            self->state = ANSWER_LENGTH;
    } else if ((value = value_of(line, "Transfer-Encoding"))) {
        if (strcasecmp(value, "chunked") != 0)
            return err_fail(err, ERR_UNAVAILABLE, "the answer is coded as '%.40s'", value);
        self->state = ANSWER_CHUNK_SIZE;
    } else if ((value = value_of(line, "Connection"))) {
        self->closes = self->closes || strcasecmp(value, "close") == 0;
    } else if ((value = value_of(line, "X-Docker-Container-Path-Stat"))) {
        str_clear(&self->path_stat);
        str_add(&self->path_stat, value);
    } else if ((value = value_of(line, "Api-Version"))) {
        str_clear(&self->api_version);
        str_add(&self->api_version, value);
    }
    return 0;
}

/* The whole head is in self->line. */
static int
head(answer_t *self, err_t **err)
{
    int minor;
    char *save = NULL;
    char *line = strtok_r(self->line.data, "\r\n", &save);
    if (!line || sscanf(line, "HTTP/1.%1d %3d", &minor, &self->status) != 2 || self->status < 100)
        return err_fail(err, ERR_UNAVAILABLE, "the answer begins with '%.40s'", line ? line : "");
    self->closes = minor == 0;
    self->state = ANSWER_UNTIL_END;
    self->left = 0;
    while ((line = strtok_r(NULL, "\r\n", &save)))
        if (header(self, line, err) < 0)
            return -1;
    str_clear(&self->line);
    if (self->status < 200 && self->status != 101) {
        self->state = ANSWER_HEAD; /* "continue" and its like: the real one comes */
        return 0;
    }
    self->head_done = true;
    bool empty = self->no_body || self->status == 101 || self->status == 204 ||
                 self->status == 304 || (self->state == ANSWER_LENGTH && self->left == 0);
    if (empty)
        self->state = ANSWER_DONE;
    if (self->state == ANSWER_UNTIL_END)
        self->closes = true;
    return 0;
}

static bool
head_is_whole(const str_t *text)
{
    return str_ends(text->data, "\r\n\r\n") || str_ends(text->data, "\n\n");
}

/* One byte of the head. */
static int
head_byte(answer_t *self, char c, err_t **err)
{
    static const char begin[] = "HTTP/1.";
    size_t at = self->line.len;
    if ((at < sizeof begin - 1 && c != begin[at]) || c == '\0')
        return err_fail(err, ERR_UNAVAILABLE, "the answer is not HTTP");
    if (at >= ANSWER_HEAD_MAX)
        return err_fail(err, ERR_UNAVAILABLE, "the answer's head has more than %u bytes",
                        ANSWER_HEAD_MAX);
    str_add_char(&self->line, c);
    /* The end of the head can only be at a newline: look only there. */
    return c == '\n' && head_is_whole(&(str_t){.data = self->line.data + (at > 4 ? at - 3 : 0)})
               ? head(self, err)
               : 0;
}

/* ----------------------------------------------------------------------------------------- body */

/* A line of a chunked body is whole. */
static int
chunk_line(answer_t *self, err_t **err)
{
    char *end;
    str_t *line = &self->line;
    switch (self->state) {
    case ANSWER_CHUNK_SIZE:
        self->left = strtoull(line->data, &end, 16);
        if (!isxdigit((unsigned char)*line->data) || (*end && !strchr("; \t", *end)) ||
            self->left > INT64_MAX)
            return err_fail(err, ERR_UNAVAILABLE, "a piece of the answer has size '%.40s'",
                            line->data);
        self->state = self->left ? ANSWER_CHUNK : ANSWER_TRAILER;
        break;
    case ANSWER_CHUNK_END:
        if (line->len)
            return err_fail(err, ERR_UNAVAILABLE, "a piece of the answer is longer than it said");
        self->state = ANSWER_CHUNK_SIZE;
        break;
    default: /* trailer */
        if (!line->len)
            self->state = ANSWER_DONE;
        break;
    }
    str_clear(line);
    return 0;
}

static int
line_byte(answer_t *self, char c, err_t **err)
{
    if (self->line.len >= CHUNK_LINE_MAX)
        return err_fail(err, ERR_UNAVAILABLE, "a line of the answer has more than %u bytes",
                        CHUNK_LINE_MAX);
    if (c != '\n') {
        str_add_char(&self->line, c);
        return 0;
    }
    if (self->line.len && self->line.data[self->line.len - 1] == '\r')
        self->line.data[--self->line.len] = '\0';
    return chunk_line(self, err);
}

long
answer_feed(answer_t *self, const char *data, size_t size,
            int (*body)(void *arg, const char *data, size_t size, err_t **err), void *arg,
            err_t **err)
{
    size_t used = 0;
    while (used < size && self->state != ANSWER_DONE) {
        if (self->state == ANSWER_HEAD) {
            if (head_byte(self, data[used++], err) < 0)
                return -1;
            if (self->head_done)
                break;
            continue;
        }
        bool counted = self->state == ANSWER_LENGTH || self->state == ANSWER_CHUNK;
        if (!counted && self->state != ANSWER_UNTIL_END) {
            if (line_byte(self, data[used++], err) < 0)
                return -1;
            continue;
        }
        size_t part = counted && self->left < size - used ? (size_t)self->left : size - used;
        if (body(arg, data + used, part, err) < 0)
            return -1;
        used += part;
        if (counted && (self->left -= part) == 0)
            self->state = self->state == ANSWER_CHUNK ? ANSWER_CHUNK_END : ANSWER_DONE;
    }
    return (long)used;
}

int
answer_end(answer_t *self, err_t **err)
{
    if (self->state == ANSWER_DONE)
        return 0;
    if (self->state != ANSWER_UNTIL_END)
        return err_fail(err, ERR_UNAVAILABLE, "the answer broke off");
    self->state = ANSWER_DONE;
    return 0;
}
