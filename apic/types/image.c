/*  image: ImageSpec, ImageBuildSpec and NixBuildSpec. */
#include "apic/types/image.h"

#include "apic/types/object.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT(name_, flags_)                                                                        \
    {                                                                                              \
        name_, .want = TYPES_STRING, .check = types_check_text, .flags = flags_                    \
    }

enum { SPEC_IMAGE, SPEC_REGISTRY, SPEC_USERNAME, SPEC_PASSWORD };
static const types_field_t spec_fields[] = {
    TEXT("image", TYPES_REQUIRED),
    TEXT("registry", 0),
    TEXT("username", 0),
    TEXT("password", 0),
};

enum { BUILD_NAME, BUILD_CONTEXT, BUILD_FILE, BUILD_STAGE, BUILD_ARGS };
static const types_field_t build_fields[] = {
    TEXT("image_name", TYPES_REQUIRED),
    TEXT("build_context_dir", TYPES_REQUIRED),
    {"build_file", TYPES_STRING, .check = types_check_text, .fallback = "Dockerfile"},
    TEXT("target_stage", 0),
    {"build_args", .want = TYPES_DICT},
};

enum { NIX_FLAKE, NIX_CONTEXT, NIX_NAME, NIX_OUTPUT };
static const types_field_t nix_fields[] = {
    TEXT("flake_location_dir", TYPES_REQUIRED),
    TEXT("build_context_dir", TYPES_REQUIRED),
    TEXT("image_name", TYPES_REQUIRED),
    {"flake_output", TYPES_STRING, .check = types_check_text, .fallback = ""},
};

TYPES_DEFINE(types_image_spec, "ImageSpec", "*service_config.ImageSpec", spec_fields);
TYPES_DEFINE(types_image_build_spec, "ImageBuildSpec", "*service_config.ImageBuildSpec",
             build_fields);
TYPES_DEFINE(types_nix_build_spec, "NixBuildSpec", "*service_config.NixBuildSpec", nix_fields);

static int
cast_spec(const star_value_t *values, types_image_t *self, err_t **err)
{
    self->kind = TYPES_IMAGE_SPEC;
    char **const places[] = {&self->name, &self->registry, &self->username, &self->password};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (types_cast_field(&spec_fields[i], values[i], places[i], err) < 0)
            return -1;
    return 0;
}

/* The folder of the file `relative` below the context, which must hold it. */
static int
find_folder(types_image_t *self, const types_places_t *places, const char *relative, err_t **err)
{
    AUTO_FREE char *context = NULL;
    if (places->find(places->arg, self->context, &context, err) < 0)
        return -1;
    AUTO_FREE char *path = str_format("%s/%s", context, relative);
    if (access(path, R_OK) < 0)
        return err_fail(err, ERR_NOT_FOUND, "'/%s' doesn't exist in '%s'", relative, self->context);
    self->folder = strndup(path, (size_t)(strrchr(path, '/') - path));
    return 0;
}

static int
cast_build(star_t *star, const star_value_t *values, const types_places_t *places,
           types_image_t *self, err_t **err)
{
    AUTO_FREE char *file = NULL;
    self->kind = TYPES_IMAGE_BUILD;
    if (types_cast_field(&build_fields[BUILD_NAME], values[BUILD_NAME], &self->name, err) < 0 ||
        types_cast_field(&build_fields[BUILD_CONTEXT], values[BUILD_CONTEXT], &self->context, err) <
            0 ||
        types_cast_field(&build_fields[BUILD_FILE], values[BUILD_FILE], &file, err) < 0 ||
        types_cast_field(&build_fields[BUILD_STAGE], values[BUILD_STAGE], &self->target, err) < 0)
        return -1;
    if (find_folder(self, places, file, err) < 0)
        return -1;
    const char *slash = strrchr(file, '/');
    self->file = strdup(slash ? slash + 1 : file);
    return types_cast_pairs(star, values[BUILD_ARGS], "build_args", &self->args, err);
}

static int
cast_nix(const star_value_t *values, const types_places_t *places, types_image_t *self, err_t **err)
{
    AUTO_FREE char *flake = NULL;
    self->kind = TYPES_IMAGE_NIX;
    if (places->is_script)
        return err_fail(err, ERR_INVALID,
                        "Cannot use NixBuildSpec in a standalone script; create a package and "
                        "rerun to use NixBuildSpec.");
    if (types_cast_field(&nix_fields[NIX_NAME], values[NIX_NAME], &self->name, err) < 0 ||
        types_cast_field(&nix_fields[NIX_CONTEXT], values[NIX_CONTEXT], &self->context, err) < 0 ||
        types_cast_field(&nix_fields[NIX_FLAKE], values[NIX_FLAKE], &flake, err) < 0 ||
        types_cast_field(&nix_fields[NIX_OUTPUT], values[NIX_OUTPUT], &self->output, err) < 0)
        return -1;
    AUTO_FREE char *file = str_format("%s/flake.nix", flake);
    return find_folder(self, places, file, err);
}

int
types_cast_image(star_t *star, star_value_t value, const types_places_t *places, types_image_t *ret,
                 err_t **err)
{
    const star_value_t *values;
    if ((values = types_values(value, &types_image_spec)))
        return cast_spec(values, ret, err);
    if ((values = types_values(value, &types_image_build_spec)))
        return cast_build(star, values, places, ret, err);
    if ((values = types_values(value, &types_nix_build_spec)))
        return cast_nix(values, places, ret, err);
    return types_cast_text(value, "image", &ret->name, err);
}

void
types_image_done(types_image_t *self)
{
    free(self->name);
    free(self->registry);
    free(self->username);
    free(self->password);
    free(self->context);
    free(self->folder);
    free(self->file);
    free(self->target);
    free(self->output);
    types_pairs_done(&self->args);
    *self = (types_image_t){.kind = TYPES_IMAGE_NAME};
}

void
types_image_move(types_image_t *from, types_image_t *to)
{
    types_image_done(to);
    *to = *from;
    *from = (types_image_t){.kind = TYPES_IMAGE_NAME};
}
