/*  replay: runs a fuzz target over the files of the folders named on its command line, without libFuzzer, so
 *  that every corpus is a test in every build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int files;

static void
replay_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        fprintf(stderr, "cannot open '%s'\n", path);
        exit(1);
    }
    struct stat st;
    fstat(fileno(in), &st);
    /* Exactly as many bytes as the file has, so that a sanitizer sees a read past the end. */
    uint8_t *data = malloc(st.st_size ? (size_t)st.st_size : 1);
    size_t size = fread(data, 1, (size_t)st.st_size, in);
    fclose(in);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    files++;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            fprintf(stderr, "cannot open folder '%s'\n", argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.')
                replay_file(path);
        }
        closedir(folder);
    }
    printf("%d inputs\n", files);
    return files ? 0 : 1;
}
