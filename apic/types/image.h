/*  image: the image of a service or a task, as plain data. */
#ifndef KURTOSIS_APIC_TYPES_IMAGE_H
#define KURTOSIS_APIC_TYPES_IMAGE_H

#include "apic/types/types.h"

typedef enum {
    TYPES_IMAGE_NAME,  /* pulled, with the user's own credentials */
    TYPES_IMAGE_SPEC,  /* pulled, with the given credentials */
    TYPES_IMAGE_BUILD, /* built from a Dockerfile */
    TYPES_IMAGE_NIX    /* built from a flake */
} types_image_kind_t;

typedef struct types_image {
    types_image_kind_t kind;
    char *name;                           /* reference; of the built image too */
    char *registry, *username, *password; /* spec; NULL when not given */
    char *context;                        /* build, nix: as written */
    char *folder;                         /* build, nix: on our disk */
    char *file;                           /* build: Dockerfile in folder */
    char *target;                         /* build: stage, or NULL */
    char *output;                         /* nix: of the flake in folder, "" for its default */
    types_pairs_t args;                   /* build */
    bool only_missing;                    /* never pulled when it is there, whatever the run says */
} types_image_t;

/* Where builds find their folders: the path on disk of a locator as the calling module sees it
 * (yours). */
typedef struct {
    void *arg;
    int (*find)(void *arg, const char *locator, char **ret_path, err_t **err);
    bool is_script; /* not in a package */
} types_places_t;

/* From a string or one of the three specs. Fills *ret, which must be zero; types_image_done. */
int types_cast_image(star_t *star, star_value_t value, const types_places_t *places,
                     types_image_t *ret, err_t **err);
void types_image_done(types_image_t *self);
/* Moves what from has over to; from is empty after. */
void types_image_move(types_image_t *from, types_image_t *to);

#endif
