/*  starlark: runs Starlark programs.
 *
 *      starlark [options] FILE          runs a file
 *      starlark [options] -c PROGRAM    runs a text
 *      starlark [options]               reads statements and prints what expressions give
 *
 *  It predeclares json, math, struct and time. What a program prints goes to stdout; errors, with
 * their call stack, to stderr, and the status is then 1.
 */
#include "starlark/program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    OPT_RECURSION = 256,
    OPT_REASSIGN,
    OPT_SET,
    OPT_LOAD,
    OPT_CHECK,
    OPT_PROFILE,
    OPT_DISASSEMBLE,
    OPT_STEPS,
    OPT_MEMORY,
    OPT_HELP
};

static const struct option options[] = {
    {"recursion", no_argument, NULL, OPT_RECURSION},
    {"globalreassign", no_argument, NULL, OPT_REASSIGN},
    {"set", no_argument, NULL, OPT_SET},
    {"load", no_argument, NULL, OPT_LOAD},
    {"check", no_argument, NULL, OPT_CHECK},
    {"profile", no_argument, NULL, OPT_PROFILE},
    {"disassemble", no_argument, NULL, OPT_DISASSEMBLE},
    {"steps", required_argument, NULL, OPT_STEPS},
    {"memory", required_argument, NULL, OPT_MEMORY},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static const char usage[] =
    "usage: starlark [options] [FILE | -c PROGRAM]\n"
    "  -recursion        allow recursion and while loops\n"
    "  -globalreassign   allow globals to be assigned again, and if, for and while at top level\n"
    "  -set              allow set()\n"
    "  -load             let load() read files, relative to the file that loads\n"
    "  -check            compile only: syntax and names\n"
    "  -disassemble      print the compiled code instead of running it\n"
    "  -profile          report on stderr the time and steps of each function\n"
    "  -steps N          stop after about N instructions\n"
    "  -memory BYTES     stop when more memory is needed\n";

static int
on_print(star_t *star, const char *text, size_t length, void *user)
{
    (void)user;
    if (fwrite(text, 1, length, stdout) != length || fputc('\n', stdout) == EOF)
        return star_fail_code(star, "cannot write to stdout: %s", strerror(errno));
    return 0;
}

static int64_t
on_clock(void *user)
{
    struct timespec now;
    (void)user;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const void *
on_zone(const char *name, size_t *ret_length, void *user)
{
    program_t *self = user;
    char path[256];

    if (strstr(name, "..") != NULL || name[0] == '/')
        return NULL;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    free(self->zone);
    self->zone = program_read(path, ret_length);
    return self->zone;
}

char *
program_read(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t length = 0, capacity = 0, n = 0;

    if (file == NULL)
        return NULL;
    do {
        length += n;
        if (capacity - length < 65536) {
            char *grown = realloc(data, capacity = capacity * 2 + 65536);
            if (grown == NULL) {
                free(data);
                data = NULL;
                break;
            }
            data = grown;
        }
    } while ((n = fread(data + length, 1, 65535, file)) > 0);
    if (data != NULL && ferror(file)) {
        free(data);
        data = NULL;
    }
    fclose(file);
    if (data != NULL)
        data[length] = 0;
    *ret_length = length;
    return data;
}

/* The path as the loading file sees it; yours. */
static char *
beside(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    char *joined = NULL;

    if (path[0] == '/' || slash == NULL)
        return strdup(path);
    return asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0 ? NULL : joined;
}

static star_value_t
on_load(star_t *star, const char *path, void *user)
{
    program_t *self = user;
    star_frame_t frame;
    size_t length = 0;
    star_value_t module = STAR_ABSENT;

    if (!self->load)
        return star_fail(star, "load is off: turn it on by -load");
    char *full = beside(star_stack_frame(star, 0, &frame) ? frame.file : "", path);
    if (full == NULL)
        return star_fail(star, "out of memory");
    star_value_t known = star_dict_find(star, self->loaded, full);
    if (star_ok(known)) {
        module = star_kind(known) == STAR_NONE ? star_fail(star, "cycle in load graph") : known;
    } else {
        char *text = program_read(full, &length);
        if (text == NULL) {
            star_fail(star, "cannot read the file '%s': %s", full, strerror(errno));
        } else if (star_dict_put(star, self->loaded, full, star_none()) == 0) {
            module = star_run(star, full, text, length, self->env);
            if (star_ok(module) && star_dict_put(star, self->loaded, full, module) < 0)
                module = STAR_ABSENT;
        }
        free(text);
    }
    free(full);
    return module;
}

int
program_fail(program_t *self)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", star_error(self->star)->text);
    return 1;
}

static int
disassemble(program_t *self, const char *name, const char *text, size_t length)
{
    star_text_t out;
    int status = 0;

    star_text_init(&out, self->star);
    if (star_disassemble(self->star, name, text, length, self->env, &out) < 0)
        status = program_fail(self);
    else
        fputs(out.data != NULL ? out.data : "", stdout);
    star_text_done(&out);
    return status;
}

static int
run(program_t *self, const char *name, const char *text, size_t length)
{
    if (self->disassemble)
        return disassemble(self, name, text, length);
    if (self->check)
        return star_check(self->star, name, text, length, self->env) < 0 ? program_fail(self) : 0;
    return star_ok(star_run(self->star, name, text, length, self->env)) ? 0 : program_fail(self);
}

static bool
number(const char *text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == 0;
}

static int
bad_usage(const char *format, const char *what)
{
    fputs("starlark: ", stderr);
    fprintf(stderr, "%s%s\n", format, what);
    fputs(usage, stderr);
    return 2;
}

/* -1: go on. */
static int
read_options(program_t *self, star_options_t *star, int argc, char **argv)
{
    int c;
    uint64_t memory;

    while ((c = getopt_long_only(argc, argv, "+c:", options, NULL)) != -1)
        switch (c) {
        case 'c':
            self->text = optarg;
            break;
        case OPT_RECURSION:
            star->dialect |= STAR_DIALECT_RECURSION;
            break;
        case OPT_REASSIGN:
            star->dialect |= STAR_DIALECT_GLOBAL_REASSIGN;
            break;
        case OPT_SET:
            star->dialect |= STAR_DIALECT_SET;
            break;
        case OPT_LOAD:
            self->load = true;
            break;
        case OPT_CHECK:
            self->check = true;
            break;
        case OPT_PROFILE:
            if (self->profile == NULL && (self->profile = profile_new()) == NULL)
                return bad_usage("out of memory: ", "profile");
            star->sample = profile_sample;
            break;
        case OPT_DISASSEMBLE:
            self->disassemble = true;
            break;
        case OPT_STEPS:
            if (!number(optarg, &star->limits.steps))
                return bad_usage("not a number of steps: ", optarg);
            break;
        case OPT_MEMORY:
            if (!number(optarg, &memory))
                return bad_usage("not a number of bytes: ", optarg);
            star->limits.memory = (size_t)memory;
            break;
        case OPT_HELP:
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    return -1;
}

static int
make_environment(program_t *self)
{
    star_t *star = self->star;

    self->env = star_dict_new(star);
    self->loaded = star_dict_new(star);
    return star_dict_put(star, self->env, "json", star_lib_json(star)) < 0 ||
                   star_dict_put(star, self->env, "math", star_lib_math(star)) < 0 ||
                   star_dict_put(star, self->env, "struct", star_lib_struct(star)) < 0 ||
                   star_dict_put(star, self->env, "time", star_lib_time(star)) < 0
               ? -1
               : 0;
}

int
main(int argc, char **argv)
{
    program_t self = {0};
    star_options_t star = {
        .print = on_print, .load = on_load, .clock = on_clock, .zone = on_zone, .user = &self};
    int status = read_options(&self, &star, argc, argv);

    if (status >= 0) {
        profile_free(self.profile);
        return status;
    }
    if (star_new(&star, &self.star) < 0 || make_environment(&self) < 0) {
        fputs("starlark: out of memory\n", stderr);
        return 1;
    }
    if (self.text != NULL) {
        status = run(&self, "cmdline", self.text, strlen(self.text));
    } else if (optind < argc) {
        size_t length = 0;
        char *text = program_read(argv[optind], &length);
        if (text == NULL) {
            fprintf(stderr, "starlark: cannot read the file '%s': %s\n", argv[optind],
                    strerror(errno));
            status = 1;
        } else {
            status = run(&self, argv[optind], text, length);
        }
        free(text);
    } else {
        status = program_repl(&self);
    }
    if (self.profile != NULL)
        profile_report(self.profile);
    profile_free(self.profile);
    star_destroy(&self.star);
    free(self.zone);
    if (fflush(stdout) != 0 && status == 0)
        status = 1;
    return status;
}
