/*  git: see git.h. */
#include "apic/core/git.h"

#include "apic/core/helper.h"
#include "apic/core/helpers/git.h"
#include "apic/core/internal.h"
#include "archive/archive.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COMMIT_LEN 40
#define OUTPUT_MAX 4096u

static int take_cached(const git_clone_t *self, const char *url, const char *to, char **ret_note);
static int fetch(const git_clone_t *self, const char *url, const char *to, err_t **err);
static int command(const git_clone_t *self, const char *token, const char *const *args,
                   str_t *output, err_t **err);
static int clone_patiently(const git_clone_t *self, const char *url, const char *to, err_t **err);
static bool is_commit(const char *version);
static int find_commit(const git_clone_t *self, const char *to, const char *name, char *ret_commit);
static int take_version(const git_clone_t *self, const char *to, err_t **err);

int
git_clone(const git_clone_t *self, const char *to, char **ret_note, err_t **err)
{
    AUTO_FREE char *mirror = NULL;
    if (git_mirror_url(self->mirrors, self->url, &mirror, err) < 0)
        return -1;
    git_clone_t work = *self;
    if (mirror)
        work.token = "";
    const char *url = mirror ? mirror : self->url;
    const int found = take_cached(&work, url, to, ret_note);
    return found ? found - 1 : fetch(&work, url, to, err);
}

/* ------------------------------------------------------------------------------------- the cache */

/* Which commit the version is at the server now; "" when it has none. */
static int
ask_commit(const git_clone_t *self, const char *url, char ret_commit[COMMIT_LEN + 1], err_t **err)
{
    const char *version = self->version;
    /* the last one that is there counts most */
    AUTO_FREE char *branch = str_format("refs/heads/%s", version),
                   *tag = str_format("refs/tags/%s", version),
                   *peeled = str_format("refs/tags/%s^{}", version);
    const char *const order[] = {version[0] ? branch : "HEAD", tag, peeled};
    const char *const args[] = {"ls-remote", "--quiet", "--", url, order[0], tag, peeled, NULL};
    AUTO_STR output = STR_EMPTY;
    ret_commit[0] = 0;
    if (command(self, self->token, args, &output, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        AUTO_FREE char *ending = str_format("\t%s\n", order[i]);
        const char *at = strstr(output.data, ending);
        if (at && at - output.data >= COMMIT_LEN) {
            memcpy(ret_commit, at - COMMIT_LEN, COMMIT_LEN);
            ret_commit[COMMIT_LEN] = 0;
        }
    }
    return 0;
}

static bool
says_one_of(const err_t *err, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(err_text(err), texts[i]))
            return true;
    return false;
}

static bool
is_offline(const err_t *err)
{
    static const char *const texts[] = {"Could not resolve", "ailed to connect", "Couldn't connect",
                                        "Operation too slow", "Connection timed out"};
    return says_one_of(err, texts, ARRAY_LEN(texts));
}

static bool
is_distrust(const err_t *err)
{
    static const char *const texts[] = {"certificate verification failed", "SSL certificate"};
    return says_one_of(err, texts, ARRAY_LEN(texts));
}

static char *
old_note(const git_clone_t *self, const char *commit, time_t when)
{
    char date[32] = "";
    struct tm day;
    if (gmtime_r(&when, &day))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &day);
    return str_format("'%s' cannot be reached: commit %.12s is used, which '%s' was at %s UTC",
                      self->url, commit, self->version[0] ? self->version : "the default branch",
                      date);
}

/* 0: it is not there. 1: it is what the version is. 2: it is what it was, and more is not to be
 * known now. */
static int
take_cached(const git_clone_t *self, const char *url, const char *to, char **ret_note)
{
    char known[COMMIT_LEN + 1], now[COMMIT_LEN + 1];
    time_t when;
    AUTO(err) err = NULL;
    if (is_commit(self->version) && cache_take(&self->cache, url, self->version, false, to))
        return 1;
    if (!cache_version(&self->cache, url, self->version, known, &when))
        return 0;
    if (ask_commit(self, url, now, &err) == 0) {
        const char *commit = is_commit(self->version) && !now[0] ? self->version : now;
        if (!cache_take(&self->cache, url, commit, true, to))
            return 0;
        cache_put_version(&self->cache, url, self->version, commit);
        return 1;
    }
    if (!is_offline(err) || !cache_take(&self->cache, url, known, self->token[0], to))
        return 0;
    log_err(LOG_WARN, "git.offline", err, "url=%s commit=%s", self->url, known);
    if (ret_note)
        *ret_note = old_note(self, known, when);
    return 2;
}

/* ----------------------------------------------------------------------------------------- clones */

static int
fetch(const git_clone_t *self, const char *url, const char *to, err_t **err)
{
    char commit[COMMIT_LEN + 1];
    int rc = clone_patiently(self, url, to, err);
    if (rc == 0 && self->version[0])
        rc = take_version(self, to, err);
    const bool is_known = rc == 0 && find_commit(self, to, "HEAD", commit);
    AUTO_FREE char *history = str_format("%s/.git", to);
    if (rc == 0)
        rc = file_remove_tree(history, err);
    if (rc == 0)
        rc = archive_links_drop(to, err); /* it must not show what else is here */
    if (rc < 0)
        file_remove_tree(to, NULL);
    else if (is_known)
        cache_put(&self->cache, url, self->version, commit, self->token[0], to);
    return rc;
}

int
git_mirror_url(const char *mirrors, const char *url, char **ret_url, err_t **err)
{
    static const char *const schemes[] = {"http://", "https://", "file:///"};
    size_t longest = 0;
    AUTO_FREE char *found = NULL;
    for (const char *at = mirrors + strspn(mirrors, " "); *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " "), from = strcspn(at, "= ");
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(schemes) && from < size; i++)
            is_known = is_known || str_starts(at + from + 1, schemes[i]);
        if (from == 0 || !is_known)
            return err_fail(err, ERR_INVALID,
                            "KURTOSIS_GIT_MIRROR has '%.*s', which is not FROM=TO with an http, "
                            "https or file URL behind the '=', such as "
                            "'https://github.com/=https://git.example.com/mirror/'",
                            (int)size, at);
        if (from > longest && strncmp(url, at, from) == 0) {
            longest = from;
            free(found);
            found = str_format("%.*s%s", (int)(size - from - 1), at + from + 1, url + from);
        }
        at += size;
    }
    *ret_url = TAKE(found);
    return 0;
}

int
git_roots_write(const char *path, const char *own, err_t **err)
{
    const char *machine = getenv("SSL_CERT_FILE");
    AUTO_STR text = STR_EMPTY;
    if (file_read_text(machine ? machine : "/etc/ssl/certs/ca-certificates.crt", GIT_ROOTS_MAX,
                       &text, err) < 0)
        return err_wrap(err, "cannot read the certificates of authorities");
    str_printf(&text, "\n%s\n", own);
    FILE *file = fopen(path, "we");
    const bool is_written = file && fwrite(text.data, text.len, 1, file) == 1;
    if ((file && fclose(file) != 0) || !is_written)
        return err_fail(err, ERR_UNKNOWN, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

/* ------------------------------------------------------------------------------------- commands */

static int
keep_output(void *arg, const void *data, size_t size, err_t **err)
{
    str_t *output = arg;
    if (output->len + size > OUTPUT_MAX)
        return err_fail(err, ERR_LIMIT, "git says more than %u bytes", OUTPUT_MAX);
    str_add_bytes(output, data, size);
    return 0;
}

/* Runs a command; it is a failure that it fails. output may be NULL. */
static int
command(const git_clone_t *self, const char *token, const char *const *args, str_t *output,
        err_t **err)
{
    AUTO_STR input = STR_EMPTY, message = STR_EMPTY, unused = STR_EMPTY;
    AUTO_FREE char *stall = str_format(
        "http.lowSpeedTime=%d", self->stall_seconds ? self->stall_seconds : GIT_STALL_SECONDS);
    const bool has_roots = self->roots && self->roots[0];
    AUTO_FREE char *roots = str_format("http.sslCAInfo=%s", has_roots ? self->roots : "");
    const char *const first[] = {token, self->url, "-c", "http.lowSpeedLimit=1",
                                 "-c",  stall,     "-c", roots};
    for (size_t i = 0; i < ARRAY_LEN(first) - (has_roots ? 0 : 2); i++)
        str_add_bytes(&input, first[i], strlen(first[i]) + 1);
    for (; *args; args++)
        str_add_bytes(&input, *args, strlen(*args) + 1);
    helper_t helper = {.name = "git",
                       .input = input.data,
                       .input_size = input.len,
                       .with_proxies = true,
                       .timeout_ms = GIT_TIMEOUT_MS,
                       .cancel_fd = self->cancel_fd,
                       .on_output = keep_output,
                       .arg = output ? output : &unused};
    int status = 0;
    if (helper_run(&helper, &status, &message, err) < 0)
        return -1;
    if (status == 0)
        return 0;
    size_t size = message.len;
    while (size > 0 && message.data[size - 1] == '\n')
        size--;
    return err_fail(err, status == GIT_HELPER_NOT_RUN ? ERR_UNAVAILABLE : ERR_UNKNOWN,
                    "git exits %d: %.*s", status, (int)size, size ? message.data : "");
}

/* Waits before another attempt; 1: it is given up. */
static int
pause_before(const git_clone_t *self, int ms)
{
    struct pollfd fd = {self->cancel_fd, POLLIN, 0};
    int rc;
    while ((rc = poll(&fd, 1, ms)) < 0 && errno == EINTR)
        ;
    return rc;
}

/* Is it of no use to try again? */
static bool
is_final(const err_t *err)
{
    static const char *const texts[] = {
        "Authentication failed",    /* the token is refused */
        "could not read Username",  /* there is none, and one is needed */
        "Operation too slow",       /* it has been waited for long enough */
        "certificate subject name", /* it is another server's */
    };
    return says_one_of(err, texts, ARRAY_LEN(texts)) || is_distrust(err) ||
           err_code(err) == ERR_CANCELLED || err_code(err) == ERR_UNAVAILABLE ||
           err_code(err) == ERR_TIMEOUT;
}

/* One attempt. A server of plain files has no shallow clones: then the whole history it is. */
static int
clone_once(const git_clone_t *self, const char *url, const char *to, err_t **err)
{
    const char *const shallow[] = {
        "clone", "--quiet", "--template=", "--depth=1", "--no-tags", "--", url, to, NULL};
    const char *const whole[] = {"clone", "--quiet", "--template=", "--no-checkout", "--",
                                 url,     to,        NULL};
    const char *const plain[] = {"clone", "--quiet", "--template=", "--", url, to, NULL};
    if (self->version[0])
        return command(self, self->token, whole, NULL, err);
    AUTO(err) why = NULL;
    if (command(self, self->token, shallow, NULL, &why) == 0)
        return 0;
    if (strstr(err_text(why), "shallow")) {
        file_remove_tree(to, NULL);
        return command(self, self->token, plain, NULL, err);
    }
    if (err)
        *err = TAKE(why);
    return -1;
}

static int
clone_patiently(const git_clone_t *self, const char *url, const char *to, err_t **err)
{
    AUTO(err) why = NULL;
    for (int attempt = 1, pause = GIT_FIRST_PAUSE_MS;; attempt++, pause *= 2) {
        err_destroy(&why);
        if (clone_once(self, url, to, &why) == 0)
            return 0;
        file_remove_tree(to, NULL);
        log_err(LOG_WARN, "git.clone_failed", why, "url=%s attempt=%d", url, attempt);
        if (attempt == GIT_ATTEMPTS || is_final(why) || pause_before(self, pause) != 0)
            break;
    }
    AUTO_FREE char *reason = err_string(why);
    err_fail(err, err_code(why), "%s%s", reason,
             is_offline(why)
                 ? "; without a way to this host, set KURTOSIS_GIT_MIRROR to a mirror that "
                   "can be reached and run 'kurtosis engine restart'"
             : is_distrust(why)
                 ? "; to trust an authority of your own, set KURTOSIS_GIT_CA to the file with its "
                   "certificate and run 'kurtosis engine restart'"
                 : "");
    return err_wrap(
        err,
        "Error in cloning git repository '%s' to '%s'. Make sure that '%s' exists or if it's a "
        "private repository, that your access token was given by 'kurtosis engine restart "
        "--github-auth-token TOKEN' before the enclave was made.\nIf this is NOT a private repo, "
        "there could be an issue with MTUs configured by Docker networks.",
        self->url, to, self->url);
}

/* ------------------------------------------------------------------------------------- versions */

static bool
is_commit(const char *version)
{
    return strlen(version) == COMMIT_LEN && strspn(version, "0123456789abcdefABCDEF") == COMMIT_LEN;
}

/* The commit that a name stands for: 1 with *ret_commit, or 0. */
static int
find_commit(const git_clone_t *self, const char *to, const char *name, char *ret_commit)
{
    AUTO_FREE char *peeled = str_format("%s^{commit}", name);
    AUTO_STR output = STR_EMPTY;
    const char *const args[] = {"-C",   to,  "rev-parse", "--verify", "--quiet", "--end-of-options",
                                peeled, NULL};
    if (command(self, "", args, &output, NULL) < 0)
        return 0;
    /* rev-parse repeats --end-of-options in some versions: the commit comes last. */
    while (output.len > 0 && output.data[output.len - 1] == '\n')
        output.data[--output.len] = 0;
    if (output.len < COMMIT_LEN)
        return 0;
    memcpy(ret_commit, output.data + output.len - COMMIT_LEN, COMMIT_LEN + 1);
    return is_commit(ret_commit);
}

static int
take_version(const git_clone_t *self, const char *to, err_t **err)
{
    char commit[COMMIT_LEN + 1];
    AUTO_FREE char *tag = str_format("refs/tags/%s", self->version),
                   *branch = str_format("refs/remotes/origin/%s", self->version);
    if (!find_commit(self, to, tag, commit) && !find_commit(self, to, branch, commit) &&
        (!is_commit(self->version) || !find_commit(self, to, self->version, commit)))
        return err_fail(err, ERR_NOT_FOUND,
                        "Tried using the passed version '%s' as commit as we couldn't find a "
                        "tag/branch for it in the repo '%s' but failed",
                        self->version, self->url);
    const char *const args[] = {"-C", to, "checkout", "--quiet", "--detach", commit, NULL};
    return command(self, "", args, NULL, err) < 0
               ? err_wrap(err, "Tried checking out '%s' on repository '%s' but failed",
                          self->version, self->url)
               : 0;
}
