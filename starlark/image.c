/*  image: modules that interpreters share.
 *
 *  An interpreter becomes the image of a module: its heap keeps what the module reaches, and nothing
 * writes to that any more. For this, what is written to values even when they are only read is done
 * beforehand or elsewhere:
 *
 *    the collector's mark       is 0, which is no heap's white: marking stops there
 *    hashes of strings          are computed
 *    strings that share bytes   get their own, so that nobody appends to them in place
 *    interned strings           are no longer taken for the only ones of their bytes
 *    locks of iterations        are not taken on frozen values
 *    counters, inline caches    of functions are in the notes of each interpreter
 *
 *  An image holds the images that its module was made with; an interpreter those it uses.
 */
#include "starlark/code.h"
#include "starlark/heap.h"
#include "starlark/machine.h"

/* ------------------------------------------------------------------ making */

static bool
own_bytes(star_t *s, sl_obj_t *object)
{
    return (object->type != SL_STRING && object->type != SL_BYTES) ||
           sl_string_own(s, (sl_string_t *)object);
}

static bool
seal(star_t *s, sl_obj_t *object)
{
    switch (object->type) {
    case SL_STRING:
    case SL_BYTES:
        sl_string_hash((sl_string_t *)object);
        break;
    case SL_CODE:
        sl_notes_free(s, ((sl_code_t *)object)->notes);
        ((sl_code_t *)object)->notes = NULL;
        break;
    case SL_HOST: {
        sl_host_t *host = (sl_host_t *)object;
        if (!(object->flags & SL_FROZEN) && host->type->freeze != NULL)
            host->type->freeze(host->data);
        break;
    }
    default:
        break;
    }
    object->mark = 0;
    object->flags = (uint8_t)((object->flags & ~SL_INTERNED) | SL_FROZEN | SL_IMAGE);
    return true;
}

static void
free_notes(star_t *s)
{
    for (size_t i = 0; s->notes != NULL && i <= s->notes_mask; i++)
        sl_notes_free(s, s->notes[i]);
    if (s->notes != NULL)
        sl_free(s, s->notes, ((size_t)s->notes_mask + 1) * sizeof *s->notes);
    s->notes = NULL;
    s->n_notes = s->notes_mask = 0;
}

int
star_image_new(star_t **star_p, star_value_t module, star_image_t **ret_image)
{
    star_t *s = *star_p;

    if (s->n_frames > 0)
        return star_fail_code(s, "an interpreter cannot become an image while it is running");
    star_error_clear(s);
    if (!sl_is(module, SL_MODULE))
        return star_fail_code(s, "an image is made of a module, not of %s", star_type_name(module));
    if (star_pin(s, module) < 0)
        return -1;
    star_collect(s);
    sl_heap_walk(s, own_bytes);
    if (s->failed) {
        star_unpin(s, module);
        return -1;
    }
    /* From here on nothing can fail. */
    free_notes(s);
    sl_stacks_done(s);
    sl_heap_strip(s, module);
    sl_heap_walk(s, seal);
    s->image = (star_image_t){.references = 1, .star = s, .module = module};
    *ret_image = &s->image;
    *star_p = NULL;
    return 0;
}

/* ------------------------------------------------------------------ counting */

star_image_t *
star_image_ref(star_image_t *image)
{
    __atomic_add_fetch(&image->references, 1, __ATOMIC_RELAXED);
    return image;
}

/* The images go onto the list *dead that nobody else refers to. */
static void
let_go(star_image_t *const *images, size_t count, star_image_t **dead)
{
    for (size_t i = 0; i < count; i++)
        if (__atomic_sub_fetch(&images[i]->references, 1, __ATOMIC_ACQ_REL) == 0) {
            images[i]->next = *dead;
            *dead = images[i];
        }
}

/* One after the other, for chains of images that use images may be long. */
static void
bury(star_image_t *dead)
{
    while (dead != NULL) {
        star_t *s = dead->star;
        dead = dead->next;
        let_go(s->images, s->n_images, &dead);
        s->n_images = 0;
        star_destroy(&s);
    }
}

void
star_image_unref(star_image_t **image_p)
{
    star_image_t *dead = NULL;

    if (image_p == NULL || *image_p == NULL)
        return;
    let_go(image_p, 1, &dead);
    *image_p = NULL;
    bury(dead);
}

void
sl_images_done(star_t *s)
{
    star_image_t *dead = NULL;

    free_notes(s);
    let_go(s->images, s->n_images, &dead);
    sl_free(s, s->images, s->images_capacity * sizeof *s->images);
    bury(dead);
}

/* ------------------------------------------------------------------ using */

star_value_t
star_image_module(star_t *star, star_image_t *image)
{
    for (size_t i = 0; i < star->n_images; i++)
        if (star->images[i] == image)
            return image->module;
    if (sl_grow(star, (void **)&star->images, &star->images_capacity, sizeof *star->images,
                star->n_images + 1) < 0)
        return STAR_ABSENT;
    star->images[star->n_images++] = star_image_ref(image);
    return image->module;
}

size_t
star_image_memory(const star_image_t *image)
{
    return image->star->memory;
}

/* ------------------------------------------------------------------ notes */

static sl_notes_t **
notes_slot(sl_notes_t **table, uint32_t mask, const sl_code_t *code)
{
    uint32_t i = (uint32_t)(((uintptr_t)code * 0x9e3779b97f4a7c15u) >> 32) & mask;

    while (table[i] != NULL && table[i]->code != code)
        i = (i + 1) & mask;
    return &table[i];
}

static bool
notes_grow(star_t *s)
{
    uint32_t mask = s->notes == NULL ? 31 : s->notes_mask * 2 + 1;
    size_t size = ((size_t)mask + 1) * sizeof *s->notes;
    sl_notes_t **grown = sl_realloc(s, NULL, 0, size);

    if (grown == NULL)
        return false;
    memset(grown, 0, size);
    for (size_t i = 0; s->notes != NULL && i <= s->notes_mask; i++)
        if (s->notes[i] != NULL)
            *notes_slot(grown, mask, s->notes[i]->code) = s->notes[i];
    if (s->notes != NULL)
        sl_free(s, s->notes, ((size_t)s->notes_mask + 1) * sizeof *s->notes);
    s->notes = grown;
    s->notes_mask = mask;
    return true;
}

sl_notes_t *
sl_notes_find(star_t *s, sl_code_t *code)
{
    if (s->notes != NULL) {
        sl_notes_t **slot = notes_slot(s->notes, s->notes_mask, code);
        if (SL_LIKELY(*slot != NULL))
            return *slot;
    }
    if ((s->notes == NULL || s->n_notes * 2 >= s->notes_mask) && !notes_grow(s))
        return NULL;
    sl_notes_t *notes = sl_notes_new(s, code);
    if (notes != NULL) {
        *notes_slot(s->notes, s->notes_mask, code) = notes;
        s->n_notes++;
    }
    return notes;
}
