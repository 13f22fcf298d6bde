/*  progress: see progress.h. */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/output.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BEFORE_TEXT (4 + PROGRESS_CELLS + 2) /* columns of spinner, bar and blanks */

static const char *const turns[] = {"⣾", "⣽", "⣻", "⢿", "⡿", "⣟", "⣯", "⣷"};

/* The line, and the thread that turns the spinner while there is one. */
static struct {
    pthread_mutex_t lock; /* guards all of this */
    pthread_cond_t changed;
    pthread_t thread;
    bool running;
    char *text;
    uint32_t step, total;
    unsigned turn;
    bool is_drawn;
    int64_t drawn; /* when it was drawn last */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
progress_line(str_t *out, unsigned turn, const char *text, uint32_t step, uint32_t total,
              bool coloured)
{
    uint32_t done = total ? (uint32_t)((uint64_t)step * PROGRESS_CELLS / total) : 0;
    AUTO_STR filled = STR_EMPTY;
    AUTO_STR empty = STR_EMPTY;
    for (uint32_t i = 0; i < PROGRESS_CELLS; i++)
        str_add(i < done ? &filled : &empty, coloured || i < done ? "█" : "░");
    out_style(out, OUT_YELLOW, coloured, turns[turn % ARRAY_LEN(turns)]);
    str_add(out, "   ");
    if (filled.len)
        out_style(out, OUT_GREEN, coloured, filled.data);
    if (empty.len)
        out_style(out, OUT_WHITE, coloured, empty.data);
    str_printf(out, " %s", text);
}

/* The text as far as one row of the terminal has room for it; yours. */
static char *
fitting_text(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > BEFORE_TEXT;
    size_t room = (known ? size.ws_col : 80u) - BEFORE_TEXT, len = strlen(state.text), end = 0;
    for (uint32_t ignored; room > 0 && end < len; room--)
        end += utf8_get(state.text + end, len - end, &ignored);
    return strndup(state.text, end);
}

/* With the lock held. */
static void
draw(void)
{
    AUTO_STR line = STR_EMPTY;
    AUTO_FREE char *text = fitting_text();
    str_add(&line, "\r\033[K");
    progress_line(&line, state.turn, text, state.step, state.total, out_coloured());
    fputs(line.data, stdout);
    fflush(stdout);
    state.is_drawn = true;
    state.drawn = clock_ns();
}

/* The spinner's next turn draws what comes faster than eyes read. */
static void
draw_soon(void)
{
    if (clock_ns() - state.drawn >= PROGRESS_TURN_MS * NS_PER_MS)
        draw();
}

static void
erase(void)
{
    if (!state.is_drawn)
        return;
    state.is_drawn = false;
    fputs("\r\033[K", stdout);
    fflush(stdout);
}

static void *
spin(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&state.lock);
    while (state.running) {
        int64_t until = clock_ns() + PROGRESS_TURN_MS * NS_PER_MS;
        struct timespec wake = {.tv_sec = until / NS_PER_SECOND, .tv_nsec = until % NS_PER_SECOND};
        pthread_cond_timedwait(&state.changed, &state.lock, &wake);
        state.turn++;
        if (state.running)
            draw();
    }
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

/* With the lock held. */
static void
start(void)
{
    clock_cond_init(&state.changed);
    state.running = pthread_create(&state.thread, NULL, spin, NULL) == 0;
}

void
progress_set(const char *text, uint32_t step, uint32_t total)
{
    if (!out_is_interactive())
        return;
    pthread_mutex_lock(&state.lock);
    free(state.text);
    state.text = strndup(text, strcspn(text, "\n"));
    state.step = step;
    state.total = total;
    if (!state.running)
        start();
    if (state.running)
        draw_soon();
    pthread_mutex_unlock(&state.lock);
}

void
progress_end(void)
{
    pthread_mutex_lock(&state.lock);
    bool was_running = state.running;
    state.running = false;
    if (was_running) {
        pthread_cond_signal(&state.changed);
        erase();
    }
    pthread_mutex_unlock(&state.lock);
    if (!was_running)
        return;
    pthread_join(state.thread, NULL);
    pthread_cond_destroy(&state.changed);
    free(state.text);
    state.text = NULL;
}

void
progress_hide(void)
{
    pthread_mutex_lock(&state.lock);
    if (state.running)
        erase();
}

void
progress_show(void)
{
    if (state.running)
        draw_soon();
    pthread_mutex_unlock(&state.lock);
}
