/*  archive: gzip-compressed tars of packages and files artifacts, and the digests that go with
 * them.
 *
 *  An archive of a directory holds its contents at the root, one of a file holds that file under
 * its base name. Paths are packed in bytewise order, owned by root, so that the same tree gives the
 * same archive.
 *
 *      char md5[ARCHIVE_MD5_SIZE];
 *      if (archive_tgz_pack("./my-package", "/tmp/x.tgz", ARCHIVE_UPLOAD_MAX, md5, err) < 0)
 *          return -1;
 *
 *  All functions may be called from any thread; none keeps anything between calls.
 */
#ifndef KURTOSIS_ARCHIVE_H
#define KURTOSIS_ARCHIVE_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

#define ARCHIVE_UPLOAD_MAX                                                                         \
    UINT64_C(2097152000)             /* compressed bytes of an upload: reaching it is an error */
#define ARCHIVE_MEMBERS_MAX 1000000u /* files and directories of one archive */
#define ARCHIVE_SYMLINKS_MAX 262144u /* symbolic links of one archive: 4 MB while it is read */
#define ARCHIVE_UNPACKED_MAX (UINT64_C(64) << 30) /* bytes that one archive may unpack to */
#define ARCHIVE_PATH_MAX 4095u                    /* bytes of a member's path */
#define ARCHIVE_IGNORE_FILE ".kurtosisignore"
#define ARCHIVE_IGNORE_RULES_MAX 10000u /* lines of one ignore file */

/* -------------------------------------------------------------------------------------- digests */

#define ARCHIVE_MD5_SIZE 33  /* hex digits and NUL */
#define ARCHIVE_SHA1_SIZE 41 /* hex digits and NUL */

typedef enum { ARCHIVE_MD5, ARCHIVE_SHA1 } archive_digest_kind_t;

/* A digest under way; plain data. They tell contents apart, they are no protection against forgery.
 */
typedef struct {
    archive_digest_kind_t kind;
    uint32_t state[5];
    uint64_t size;
    uint8_t block[64];
} archive_digest_t;

void archive_digest_init(archive_digest_t *self, archive_digest_kind_t kind);
void archive_digest_add(archive_digest_t *self, const void *data, size_t size);
/* Lower-case hex; ret_hex has room for ARCHIVE_MD5_SIZE or ARCHIVE_SHA1_SIZE. Init again before
 * reuse. */
void archive_digest_end(archive_digest_t *self, char *ret_hex);
/* SHA-1 of some bytes: what a file chunk says about the one before it. */
void archive_sha1(const void *data, size_t size, char ret_hex[ARCHIVE_SHA1_SIZE]);

/* --------------------------------------------------------------------------------------- ignore */

/* The rules of one .kurtosisignore: '#' comments, a trailing '/' for directories only, a pattern
 * with '/' matches the whole relative path, one without matches any component; '*' does not cross
 * '/'; malformed patterns are skipped. */
typedef struct archive_ignore archive_ignore_t;

/* Reads folder/.kurtosisignore; no such file gives rules that match nothing. */
int archive_ignore_read(const char *folder, archive_ignore_t **ret_rules, err_t **err);
archive_ignore_t *archive_ignore_parse(const char *text); /* yours */
void archive_ignore_destroy(archive_ignore_t **self_p);
AUTO_FOR(archive_ignore)
/* path: relative to the folder, no leading '/'. */
bool archive_ignore_matches(const archive_ignore_t *self, const char *path, bool is_directory);

/* ----------------------------------------------------------------------------------------- pack */

/* Packs a file or directory into the new file archive (mode 0600; removed again on failure). LIMIT
 * when it reaches size_max compressed bytes. INVALID for what cannot be carried: sockets, devices,
 * symbolic links that are absolute, dangling or lead out of the directory. ret_md5 (may be NULL) is
 * the content hash: for each path in order '/' and the path ("" for a single file), then a file's
 * bytes; links are read through. */
int archive_tgz_pack(const char *path, const char *archive, uint64_t size_max,
                     char ret_md5[ARCHIVE_MD5_SIZE], err_t **err);

/* The same for a package: what is INVALID there is left out, as it is of a package that is cloned. */
int archive_tgz_pack_package(const char *folder, const char *archive, uint64_t size_max,
                             err_t **err);

/* Removes from a folder the symbolic links that are absolute or lead out of it. */
int archive_links_drop(const char *folder, err_t **err);

/* A file that exists only in memory. */
typedef struct {
    const char *path; /* relative; "..", empty and absolute ones are INVALID */
    const char *data;
    size_t size;
} archive_file_t;

/* The same, for files in memory (mode 0644) and the directories that their paths name. */
int archive_tgz_pack_files(const archive_file_t *files, size_t count, const char *archive,
                           char ret_md5[ARCHIVE_MD5_SIZE], err_t **err);

/* Compresses a stream of bytes (an uncompressed tar that somebody else made) into a file. */
typedef struct archive_gzip archive_gzip_t;
int archive_gzip_new(const char *path, archive_gzip_t **ret_gzip, err_t **err);
int archive_gzip_add(archive_gzip_t *self, const void *data, size_t size, err_t **err);
int archive_gzip_end(archive_gzip_t *self, err_t **err); /* writes what is left; destroy follows */
void archive_gzip_destroy(archive_gzip_t **self_p);      /* removes the file unless ended */
AUTO_FOR(archive_gzip)

/* Gives put, piece by piece, an uncompressed tar of a folder as Docker's builder wants it: all but
 * what the rules of "<file>.dockerignore", else of ".dockerignore" in the folder leave out; file
 * (the Dockerfile, a path in the folder) and those rules are always in it. file NULL: without any rules. Links are carried as
 * they are; sockets, pipes and devices are left out. A negative result of put ends it and is
 * returned. */
typedef int(archive_put_fn)(void *arg, const void *data, size_t size, err_t **err);
int archive_context_pack(const char *folder, const char *file, archive_put_fn *put, void *arg,
                         err_t **err);

/* --------------------------------------------------------------------------------------- unpack */

/* Unpacks below folder (which exists): directories 0755, files with their own mode, links and
 * special files left out. INVALID for names that would leave the folder; never follows a link that
 * lies in it. */
int archive_tgz_unpack(const char *archive, const char *folder, err_t **err);

/* The same of an uncompressed tar that comes piece by piece, to the end of all that comes, with its symbolic links as they
 * are. take: bytes put into buffer, 0 at the end, negative on failure (which is returned, with its *err). */
typedef long(archive_take_fn)(void *arg, char *buffer, size_t size, err_t **err);
int archive_tar_unpack(archive_take_fn *take, void *arg, const char *folder, err_t **err);

/* One member, as it passes; path without "./" before and '/' behind. */
typedef struct {
    const char *path;
    bool is_directory;
    uint64_t size;
    mode_t mode;
    const char *link; /* where it leads, of a symbolic link, which only archive_tar_unpack sees; else NULL */
} archive_member_t;

/* Reads on in the present member's data: bytes read, 0 at its end, negative on failure. */
typedef struct archive_reader archive_reader_t;
ssize_t archive_reader_read(archive_reader_t *self, void *data, size_t size, err_t **err);

/* Calls fn for every file and directory in archive order; fn may read the member's data, and ends
 * the walk by a negative result (which is returned, with its *err). INVALID at a member of any kind (a
 * hard link's target too) that would leave the folder, by its name or because a directory of its path is a symbolic link of
 * the archive: a walk to the end says that the archive is safe to unpack. */
typedef int(archive_member_fn)(void *arg, const archive_member_t *member, archive_reader_t *reader,
                               err_t **err);
int archive_tgz_walk(const char *archive, archive_member_fn *fn, void *arg, err_t **err);
/* A walk for that alone. */
int archive_tgz_check(const char *archive, err_t **err);

/* Archives that are unpacked into one folder, one on another. */
typedef struct archive_stack archive_stack_t;
archive_stack_t *archive_stack_new(void);
void archive_stack_destroy(archive_stack_t **self_p);
AUTO_FOR(archive_stack)
/* Puts one more on top. name: what errors call it. INVALID as for a walk, and at a member whose path passes through a
 * symbolic link of one that is below. LIMIT at ARCHIVE_SYMLINKS_MAX links in all. */
int archive_stack_add(archive_stack_t *self, const char *archive, const char *name, err_t **err);
/* Whether the next one can pass through a link at all: if not, and it is safe alone, it need not be read. */
bool archive_stack_has_links(const archive_stack_t *self);

#endif
