/*  value: see value.h. */
#include "apic/template/value.h"

#include "base/utf8.h"

#include <string.h>

#define BLOCK_SIZE 16384 /* bytes of a usual block */

struct tpl_block {
    tpl_block_t *next;
    size_t used, space;
    _Alignas(16) char bytes[];
};

static const char *const type_names[] = {
#define TPL_NAME(name, type) [TPL_##name] = type,
    TPL_KINDS(TPL_NAME)
#undef TPL_NAME
};

/* --------------------------------------------------------------------------------------- values */

bool
tpl_is_nil(const tpl_value_t *value)
{
    return value->kind == TPL_NONE || value->kind == TPL_NULL;
}

bool
tpl_is_text(const tpl_value_t *value)
{
    return value->kind == TPL_STRING || value->kind == TPL_NUM;
}

bool
tpl_is_integer(const tpl_value_t *value)
{
    return value->kind == TPL_INT || value->kind == TPL_INT64 || value->kind == TPL_BYTE;
}

bool
tpl_is_true(const tpl_value_t *value)
{
    switch (value->kind) {
    case TPL_NONE:
    case TPL_NULL:
        return false;
    case TPL_BOOL:
        return value->truth;
    case TPL_INT:
    case TPL_INT64:
    case TPL_BYTE:
        return value->number != 0;
    case TPL_FLOAT:
        return value->real != 0;
    case TPL_COMPLEX:
        return value->real != 0 || value->imaginary != 0;
    case TPL_STRING:
    case TPL_NUM:
        return value->text.len > 0;
    case TPL_LIST:
    case TPL_MAP:
        return value->count > 0;
    }
    return false;
}

const char *
tpl_type_name(const tpl_value_t *value)
{
    return type_names[value->kind];
}

const char *
tpl_boxed_type_name(const tpl_value_t *value)
{
    return value->boxed ? type_names[TPL_NULL] : type_names[value->kind];
}

bool
tpl_text_is(tpl_text_t a, tpl_text_t b)
{
    return a.len == b.len && !memcmp(a.bytes, b.bytes, a.len);
}

int
tpl_text_compare(tpl_text_t a, tpl_text_t b)
{
    int order = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

tpl_value_t
tpl_map_get(const tpl_value_t *map, tpl_text_t key)
{
    size_t first = 0, last = map->count;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        int order = tpl_text_compare(key, map->entries[middle].key);
        if (order == 0)
            return map->entries[middle].value;
        if (order > 0)
            first = middle + 1;
        else
            last = middle;
    }
    return TPL_NO_VALUE;
}

/* --------------------------------------------------------------------------------------- memory */

void
tpl_arena_done(tpl_arena_t *self)
{
    while (self->blocks) {
        tpl_block_t *next = self->blocks->next;
        free(self->blocks);
        self->blocks = next;
    }
}

static tpl_block_t *
block_new(size_t space)
{
    tpl_block_t *block = calloc(1, sizeof *block + space);
    if (!block)
        abort();
    block->space = space;
    return block;
}

void *
tpl_arena_alloc(tpl_arena_t *self, size_t size, err_t **err)
{
    tpl_block_t *block = self->blocks;

    if (size > self->left || size > TEMPLATE_MEMORY_MAX - 15) {
        err_fail(err, ERR_LIMIT, "the template needs more than %u bytes of memory",
                 TEMPLATE_MEMORY_MAX);
        return NULL;
    }
    size = (size + 15) & ~(size_t)15;
    self->left -= size < self->left ? size : self->left;
    if (!block || block->space - block->used < size) {
        block = block_new(size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE);
        if (size > BLOCK_SIZE / 4 && self->blocks) {
            /* A block of its own behind the one that has room still. */
            block->next = self->blocks->next;
            self->blocks->next = block;
        } else {
            block->next = self->blocks;
            self->blocks = block;
        }
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

int
tpl_arena_text(tpl_arena_t *self, const char *bytes, size_t len, tpl_text_t *ret, err_t **err)
{
    char *copy = tpl_arena_alloc(self, len ? len : 1, err);
    if (!copy)
        return -1;
    if (len)
        memcpy(copy, bytes, len);
    *ret = (tpl_text_t){copy, len};
    return 0;
}

/* --------------------------------------------------------------------------------------- output */

void
tpl_out_bytes(tpl_out_t *self, const char *bytes, size_t len)
{
    if (len > self->left) {
        self->is_full = true;
        return;
    }
    self->left -= len;
    str_add_bytes(self->text, bytes, len);
}

void
tpl_out_add(tpl_out_t *self, const char *text)
{
    tpl_out_bytes(self, text, strlen(text));
}

void
tpl_out_char(tpl_out_t *self, uint32_t c)
{
    size_t before = self->text->len;
    if (self->left < 4) {
        self->is_full = true;
        return;
    }
    utf8_put(self->text, c);
    self->left -= self->text->len - before;
}

void
tpl_out_repeat(tpl_out_t *self, char c, size_t count)
{
    if (count > self->left) {
        self->is_full = true;
        return;
    }
    self->left -= count;
    str_reserve(self->text, count);
    memset(self->text->data + self->text->len, c, count);
    self->text->len += count;
    self->text->data[self->text->len] = '\0';
}

int
tpl_out_check(const tpl_out_t *self, err_t **err)
{
    if (!self->is_full)
        return 0;
    return err_fail(err, ERR_LIMIT, "the output has more than %u bytes", TEMPLATE_OUTPUT_MAX);
}
