/*  git: clones of repositories that lie on this machine. */
#include "apic/core/git.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/unit/apic_core/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER "tests/unit/apic_core/git_server.py"

static char folder[] = "/tmp/kurtosis-git-XXXXXX";
static char commit[64]; /* the second one */

static void
shell(const char *text)
{
    AUTO_FREE char *command = str_format("cd %s && %s", folder, text);
    assert_int_equal(system(command), 0);
}

static pid_t server;
static int port, secure_port, other_port;

static void
start_server(void)
{
    int out[2];
    char text[32] = "";
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], 1);
        execlp("python3", "python3", SERVER, folder, NULL);
        _exit(127);
    }
    close(out[1]);
    /* The whole line: Python may write it in pieces, and ends when nobody reads the rest. */
    FILE *line = fdopen(out[0], "re");
    assert_non_null(line);
    assert_non_null(fgets(text, sizeof text, line));
    fclose(line);
    assert_int_equal(sscanf(text, "%d %d %d", &port, &secure_port, &other_port), 3);
}

/* An authority, a certificate of it for this host and one for another. */
static void
make_certificates(void)
{
    shell("new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "
          "$1.key "
          "-subj /CN=$1 $2; } 2>openssl.log; "
          "sign() { echo \"subjectAltName=$2\" >names; openssl x509 -req -in server.csr -CA ca.pem "
          "-CAkey ca.key -CAcreateserial -days 2 -extfile names -out $1.pem; } 2>>openssl.log; "
          "new ca '-x509 -days 2 -out ca.pem' && new server '-out server.csr' && "
          "sign server IP:127.0.0.1 && sign other DNS:other.example.com");
}

/* Repository "author/repo" with three commits: tag one, branch side/two, and the default branch. */
static int
setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    shell("export HOME=$PWD GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
          "GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_NOSYSTEM=1; "
          "git init -q -b main work && cd work && "
          "echo one >file && git add . && git commit -q -m one && git tag one && "
          "git checkout -q -b side/two && echo two >file && git commit -q -a -m two && "
          "git rev-parse HEAD >../commit && git checkout -q main && mkdir sub && "
          "echo three >sub/file && echo three >file && ln -s sub/file good && ln -s ../file "
          "sub/good && ln -s /etc/passwd bad && "
          "ln -s ../x sub/../bad2 && ln -s ../../x sub/bad && ln -s . sub/here && "
          "ln -s here/../../x sub/bad2 && git add . && git commit -q -a -m three && "
          "mkdir -p ../author && git clone -q --bare . ../author/repo.git");
    AUTO_FREE char *path = str_format("%s/commit", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(commit, sizeof commit, file));
    fclose(file);
    commit[strcspn(commit, "\n")] = 0;
    make_certificates();
    start_server();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

static int
clone_into(const char *url, const char *mirrors, const char *version, const char *to, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, to);
    const git_clone_t clone = {
        .url = url, .mirrors = mirrors, .version = version, .token = "secret", .cancel_fd = -1};
    return git_clone(&clone, path, NULL, err);
}

static bool
exists(const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void
a_version_is_a_tag_a_branch_or_a_commit(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"", "three"}, {"one", "one"}, {"side/two", "two"}, {commit, "two"}, {"main", "three"}};
    AUTO_FREE char *mirrors = str_format("https://github.com/=file://%s/", folder);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        if (clone_into("https://github.com/author/repo.git", mirrors, cases[i][0], "got", &err) < 0)
            fail_msg("%s: %s", cases[i][0], err_text(err));
        AUTO_FREE char *path = str_format("%s/got/file", folder);
        char text[16] = "";
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof text, file));
        fclose(file);
        text[strcspn(text, "\n")] = 0;
        assert_string_equal(text, cases[i][1]);
        assert_false(exists("got/.git"));
        shell("rm -rf got");
    }
}

static void
links_that_leave_the_repository_are_left_out(void **state)
{
    (void)state;
    AUTO_FREE char *mirrors = str_format("https://github.com/=file://%s/", folder);
    assert_int_equal(clone_into("https://github.com/author/repo.git", mirrors, "", "got", NULL), 0);
    shell("test -e got/good && test -e got/sub/good && test -L got/sub/here && "
          "test ! -L got/bad && test ! -L got/bad2 && test ! -L got/sub/bad && "
          "test ! -L got/sub/bad2 && rm -rf got");
}

static void
an_unknown_version_is_said_and_leaves_nothing(void **state)
{
    (void)state;
    AUTO_FREE char *mirrors = str_format("https://github.com/=file://%s/", folder);
    AUTO_FREE char *abbreviated = strndup(commit, 12);
    const char *const cases[] = {abbreviated, "nothing", "-q",
                                 "0000000000000000000000000000000000000000"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        assert_true(
            clone_into("https://github.com/author/repo.git", mirrors, cases[i], "got", &err) < 0);
        AUTO_FREE char *text = str_format(
            "Tried using the passed version '%s' as commit as we couldn't find a tag/branch for it "
            "in the repo 'https://github.com/author/repo.git' but failed",
            cases[i]);
        assert_string_equal(err_text(err), text);
        assert_false(exists("got"));
    }
}

static void
what_cannot_be_cloned_is_tried_three_times_and_said(void **state)
{
    (void)state;
    AUTO_FREE char *mirrors = str_format("https://github.com/=file://%s/", folder);
    err_t *err = NULL;
    assert_true(clone_into("https://github.com/no/thing.git", mirrors, "", "got", &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "Error in cloning git repository 'https://github.com/no/thing.git' "
                                "to '"));
    assert_non_null(strstr(why, "does not appear to be a git repository"));
    assert_false(exists("got"));
}

static void
a_host_that_cannot_be_reached_asks_for_a_mirror(void **state)
{
    (void)state;
    err_t *err = NULL;
    assert_true(clone_into("http://127.0.0.1:1/author/repo.git", "", "", "got", &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "KURTOSIS_GIT_MIRROR"));
}

static void
a_mirror_is_chosen_by_the_longest_front(void **state)
{
    (void)state;
    static const char list[] =
        " https://github.com/=http://a/  https://github.com/me/=http://b/x?y=z/ http://q=file:///c";
    static const struct {
        const char *mirrors, *url, *expected;
    } cases[] = {
        {"", "https://github.com/a/b.git", NULL},
        {list, "https://github.com/a/b.git", "http://a/a/b.git"},
        {list, "https://github.com/me/b.git", "http://b/x?y=z/b.git"},
        {list, "https://gitlab.com/me/b.git", NULL},
        {list, "http://q/b.git", "file:///c/b.git"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *url = NULL;
        assert_int_equal(git_mirror_url(cases[i].mirrors, cases[i].url, &url, NULL), 0);
        if (cases[i].expected)
            assert_string_equal(url, cases[i].expected);
        else
            assert_null(url);
    }
    static const char *const wrong[] = {"x",  "=http://a/", "https://a/=ssh://b/",
                                        "a=", "a=ext::x",   "a=file://relative"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO_FREE char *url = NULL;
        AUTO(err) err = NULL;
        assert_true(git_mirror_url(wrong[i], "https://github.com/a/b.git", &url, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

/* ---- a real server: see git_server.py */

/* What was asked of it since the last call: "port path user:password" a line; yours. */
static char *
requests(void)
{
    AUTO_FREE char *path = str_format("%s/requests", folder);
    str_t text = STR_EMPTY;
    char part[4096];
    FILE *file = fopen(path, "re");
    for (size_t got; file && (got = fread(part, 1, sizeof part, file)) > 0;)
        str_add_bytes(&text, part, got);
    if (file)
        fclose(file);
    unlink(path);
    return str_take(&text);
}

static int
clone_from(const char *space, const char *mirror_of, const char *token, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/got", folder);
    AUTO_FREE char *base = str_format("http://127.0.0.1:%d/%s/", port, space);
    AUTO_FREE char *url = str_format("%sauthor/repo.git", mirror_of ? mirror_of : base);
    AUTO_FREE char *mirrors = mirror_of ? str_format("%s=%s", mirror_of, base) : strdup("");
    const git_clone_t clone = {.url = url,
                               .mirrors = mirrors,
                               .version = "",
                               .token = token,
                               .cancel_fd = -1,
                               .stall_seconds = !strcmp(space, "silent")};
    shell("rm -rf got");
    return git_clone(&clone, path, NULL, err);
}

static void
a_private_repository_is_cloned_with_its_token(void **state)
{
    (void)state;
    err_t *err = NULL;
    assert_int_equal(clone_from("private", NULL, "good/secret", NULL), 0);
    assert_true(exists("got/file"));
    free(requests());

    assert_true(clone_from("private", NULL, "bad", &err) < 0);
    AUTO_FREE char *refused = support_why(&err);
    assert_non_null(strstr(refused, "Authentication failed"));
    assert_null(strstr(refused, "bad@"));
    /* it is not tried again: asked once without the token, once with it */
    AUTO_FREE char *asked = requests();
    assert_non_null(strstr(asked, "token:bad"));
    assert_null(strstr(strstr(asked, "token:bad") + 1, "token:bad"));

    assert_true(clone_from("private", NULL, "", &err) < 0);
    AUTO_FREE char *none = support_why(&err);
    assert_non_null(strstr(none, "could not read Username"));
    assert_non_null(strstr(none, "--github-auth-token"));
    free(requests());
}

static int
clone_securely(int from, const char *token, const char *roots, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/got", folder);
    AUTO_FREE char *url = str_format("https://127.0.0.1:%d/private/author/repo.git", from);
    const git_clone_t clone = {
        .url = url, .mirrors = "", .version = "", .token = token, .roots = roots, .cancel_fd = -1};
    shell("rm -rf got");
    return git_clone(&clone, path, NULL, err);
}

static void
over_https_a_private_repository_is_cloned_when_its_authority_is_trusted(void **state)
{
    (void)state;
    AUTO_FREE char *roots = str_format("%s/roots.pem", folder),
                   *ca = str_format("%s/ca.pem", folder);
    AUTO_STR own = STR_EMPTY;
    err_t *err = NULL;
    assert_int_equal(file_read_text(ca, GIT_ROOTS_MAX, &own, NULL), 0);
    assert_int_equal(git_roots_write(roots, own.data, NULL), 0);
    assert_int_equal(clone_securely(secure_port, "good/secret", roots, NULL), 0);
    assert_true(exists("got/file"));

    assert_true(clone_securely(secure_port, "bad", roots, &err) < 0);
    AUTO_FREE char *refused = support_why(&err);
    assert_non_null(strstr(refused, "Authentication failed"));
}

static void
a_server_that_is_not_trusted_gets_no_token_and_is_said(void **state)
{
    (void)state;
    AUTO_FREE char *ca = str_format("%s/ca.pem", folder);
    err_t *err = NULL;
    free(requests());
    assert_true(clone_securely(secure_port, "good/secret", NULL, &err) < 0);
    AUTO_FREE char *unknown = support_why(&err);
    assert_non_null(strstr(unknown, "certificate verification failed"));
    assert_non_null(strstr(unknown, "KURTOSIS_GIT_CA"));

    assert_true(clone_securely(other_port, "good/secret", ca, &err) < 0);
    AUTO_FREE char *other = support_why(&err);
    assert_non_null(strstr(other, "does not match target host name '127.0.0.1'"));
    assert_null(strstr(other, "KURTOSIS_GIT_CA"));
    AUTO_FREE char *asked = requests();
    assert_string_equal(asked, "");
}

static void
the_token_goes_to_no_mirror(void **state)
{
    (void)state;
    assert_int_equal(clone_from("open", "https://github.com/", "good/secret", NULL), 0);
    AUTO_FREE char *asked = requests();
    assert_non_null(strstr(asked, "/open/author/repo.git/info/refs"));
    assert_null(strstr(asked, "token:"));
}

static void
a_redirect_is_followed_but_takes_no_token_to_another_host(void **state)
{
    (void)state;
    err_t *err = NULL;
    assert_int_equal(clone_from("moved", NULL, "good/secret", NULL), 0);
    AUTO_FREE char *here = requests();
    assert_non_null(strstr(here, "/open/author/repo.git/info/refs"));

    assert_true(clone_from("away", NULL, "good/secret", &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "Authentication failed"));
    AUTO_FREE char *there = requests();
    assert_non_null(strstr(there, "/private/author/repo.git/info/refs"));
    assert_null(strstr(there, "token:"));
}

static void
a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    err_t *err = NULL;
    assert_true(clone_from("silent", NULL, "", &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "Operation too slow"));
    assert_false(exists("got"));
    free(requests());
}

/* ---- the cache: see apic/core/cache.h */

typedef struct {
    const char *space, *version, *token, *to;
    uint64_t bytes_max;
    char *note; /* of the last clone; owned */
} cached_t;

static int
clone_cached(cached_t *self, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, self->to);
    AUTO_FREE char *cache = str_format("%s/cache", folder);
    AUTO_FREE char *url = str_format("http://127.0.0.1:%d/%s/author/repo.git", port, self->space);
    const git_clone_t clone = {.url = url,
                               .mirrors = "",
                               .version = self->version,
                               .token = self->token,
                               .cancel_fd = -1,
                               .cache = {cache, self->bytes_max}};
    AUTO_FREE char *command = str_format("rm -rf %s", self->to);
    shell(command);
    free(TAKE(self->note));
    return git_clone(&clone, path, &self->note, err);
}

/* How often objects or names were asked for. */
static int
count_posts(void)
{
    AUTO_FREE char *text = requests();
    int count = 0;
    for (const char *at = text; (at = strstr(at, "/git-upload-pack ")); at++)
        count++;
    return count;
}

static void
what_was_fetched_is_found_again_by_its_commit(void **state)
{
    (void)state;
    cached_t clone = {.space = "open", .version = "side/two", .token = "", .to = "got"};
    free(requests());
    assert_int_equal(clone_cached(&clone, NULL), 0);
    assert_int_equal(count_posts(), 2); /* names, objects */
    assert_int_equal(clone_cached(&clone, NULL), 0);
    assert_int_equal(count_posts(), 1); /* names */
    shell("test $(cat got/file) = two");

    clone.version = commit; /* of that branch */
    assert_int_equal(clone_cached(&clone, NULL), 0);
    AUTO_FREE char *nothing = requests();
    assert_string_equal(nothing, "");
    shell("test $(cat got/file) = two");
    assert_null(clone.note);
}

static void
what_has_changed_is_fetched_again(void **state)
{
    (void)state;
    cached_t clone = {.space = "open", .version = "", .token = "", .to = "got"};
    assert_int_equal(clone_cached(&clone, NULL), 0);
    shell("cp -a got first");
    assert_int_equal(clone_cached(&clone, NULL), 0);
    shell("diff -r --no-dereference first got && test -L got/good && rm -rf first");
    shell("cd work && git checkout -q main && echo four >file && git -c user.name=a -c "
          "user.email=b commit -q -a -m "
          "four && git push -q ../author/repo.git main");
    assert_int_equal(clone_cached(&clone, NULL), 0);
    shell("test $(cat got/file) = four");
}

static void
what_was_fetched_with_a_token_is_for_those_who_have_it(void **state)
{
    (void)state;
    cached_t clone = {.space = "private", .version = "", .token = "good/secret", .to = "got"};
    err_t *err = NULL;
    assert_int_equal(clone_cached(&clone, NULL), 0);
    assert_int_equal(clone_cached(&clone, NULL), 0);
    clone.token = "";
    assert_true(clone_cached(&clone, &err) < 0);
    AUTO_FREE char *refused = support_why(&err);
    assert_non_null(strstr(refused, "could not read Username"));
    clone.version = commit;
    assert_true(clone_cached(&clone, &err) < 0);
    free(support_why(&err));
    free(requests());
}

static void
the_cache_keeps_to_its_size(void **state)
{
    (void)state;
    cached_t clone = {.space = "open", .version = "one", .token = "", .to = "got"};
    shell("rm -rf cache");
    assert_int_equal(clone_cached(&clone, NULL), 0);
    shell("test $(ls -d cache/trees/*-open | wc -l) = 1");
    clone.bytes_max = 12; /* of the next one, 11 bytes, nothing else fits beside it */
    clone.version = "";
    assert_int_equal(clone_cached(&clone, NULL), 0);
    shell("test $(ls -d cache/trees/*-open | wc -l) = 1 && test $(ls cache/trees/*.size | wc -l) = "
          "1");
    clone.version = "one";
    free(requests());
    assert_int_equal(clone_cached(&clone, NULL), 0);
    assert_int_equal(count_posts(), 3); /* names, then again and objects */
}

static void *
clone_often(void *arg)
{
    cached_t *self = arg;
    for (int i = 0; i < 4; i++)
        if (clone_cached(self, NULL) < 0)
            return "failed";
    return NULL;
}

static void
clones_at_the_same_time_share_the_cache(void **state)
{
    (void)state;
    cached_t clones[4] = {{.version = "one", .to = "got1"},
                          {.version = "one", .to = "got2"},
                          {.version = "side/two", .to = "got3", .bytes_max = 10},
                          {.version = "", .to = "got4"}};
    pthread_t threads[4];
    shell("rm -rf cache");
    for (size_t i = 0; i < 4; i++) {
        clones[i].space = "open";
        clones[i].token = "";
        pthread_create(&threads[i], NULL, clone_often, &clones[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    shell(
        "test $(cat got1/file)$(cat got2/file)$(cat got3/file) = oneonetwo && test ! -e cache/new");
}

/* The last one: the server is gone then. */
static void
without_a_network_what_was_fetched_last_has_to_do(void **state)
{
    (void)state;
    err_t *err = NULL;
    cached_t clone = {.space = "open", .version = "side/two", .token = "", .to = "got"};
    shell("rm -rf cache");
    assert_int_equal(clone_cached(&clone, NULL), 0);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    assert_int_equal(clone_cached(&clone, NULL), 1);
    shell("test $(cat got/file) = two");
    AUTO_FREE char *what =
        str_format("cannot be reached: commit %.12s is used, which 'side/two' was", commit);
    assert_non_null(strstr(clone.note, what));
    clone.version = "one";
    assert_true(clone_cached(&clone, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "KURTOSIS_GIT_MIRROR"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_a_tag_a_branch_or_a_commit),
        cmocka_unit_test(links_that_leave_the_repository_are_left_out),
        cmocka_unit_test(an_unknown_version_is_said_and_leaves_nothing),
        cmocka_unit_test(what_cannot_be_cloned_is_tried_three_times_and_said),
        cmocka_unit_test(a_host_that_cannot_be_reached_asks_for_a_mirror),
        cmocka_unit_test(a_mirror_is_chosen_by_the_longest_front),
        cmocka_unit_test(a_private_repository_is_cloned_with_its_token),
        cmocka_unit_test(over_https_a_private_repository_is_cloned_when_its_authority_is_trusted),
        cmocka_unit_test(a_server_that_is_not_trusted_gets_no_token_and_is_said),
        cmocka_unit_test(the_token_goes_to_no_mirror),
        cmocka_unit_test(a_redirect_is_followed_but_takes_no_token_to_another_host),
        cmocka_unit_test(a_server_that_says_nothing_is_given_up),
        cmocka_unit_test(what_was_fetched_is_found_again_by_its_commit),
        cmocka_unit_test(what_has_changed_is_fetched_again),
        cmocka_unit_test(what_was_fetched_with_a_token_is_for_those_who_have_it),
        cmocka_unit_test(the_cache_keeps_to_its_size),
        cmocka_unit_test(clones_at_the_same_time_share_the_cache),
        cmocka_unit_test(without_a_network_what_was_fetched_last_has_to_do),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
