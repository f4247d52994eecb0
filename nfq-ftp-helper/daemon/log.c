// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Who reads standard error may be slow, or not read at all; then a write() blocks, and it must
 * block nobody who handles packets or ends the program. So between log_start() and log_stop(), or log_hold() before, lines go into a
 * ring, and one thread, which does nothing else, writes them. It may block for ever: at the end it is given a short time for what
 * is left, and then goes with the process. Standard error is not made non-blocking: others have the same open file.
 *
 * The ring's lock is held for as long as a line takes to copy.
 */
#include "log.h"

#include "host/clock.h"
#include "logring.h"
#include "output/say.h"
#include "output/visible.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands before a line: its priority, where the journal reads it (sd-daemon(3)) and says itself whose it is, else whose it is. */
static const char *const priorities[] = {
	[LOG_LEVEL_ERROR] = "<3>", [LOG_LEVEL_WARNING] = "<4>", [LOG_LEVEL_NOTICE] = "<5>",
	[LOG_LEVEL_INFO] = "<6>",  [LOG_LEVEL_DEBUG] = "<7>",
};

static atomic_int journal = -1; /* does the journal read standard error? -1: nobody has looked yet */

static atomic_int log_level = LOG_LEVEL_NOTICE;

static struct {
	atomic_bool running; /* lines go to the ring */
	bool ending;	     /* no more will come */
	bool ended;	     /* and all are written */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more; /* lines, or the end */
	pthread_cond_t end;
	struct logring ring;
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* systemd names the stream that it has given: "DEVICE:INODE". A standard error that has been redirected since is another one. */
static bool is_journal(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	char ours[48];
	struct stat status;

	if (!named || fstat(STDERR_FILENO, &status) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(named, ours) == 0;
}

static const char *prefix_of(enum log_level level)
{
	int read = atomic_load_explicit(&journal, memory_order_relaxed);

	if (read < 0) {
		read = is_journal();
		atomic_store_explicit(&journal, read, memory_order_relaxed);
	}
	return read ? priorities[level] : SAY_PREFIX;
}

/* Somebody else may have made it non-blocking. Return: whether to try again. */
static bool wait_for_room(int error)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (error == EINTR)
		return true;
	return error == EAGAIN && poll(&room, 1, -1) >= 0;
}

/* Where nobody reads standard error any more there is nobody to be told. */
static void write_text(const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(STDERR_FILENO, text, length);

		if (written < 0 && !wait_for_room(errno))
			return;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
}

static void write_loss(uint64_t lost)
{
	char text[128];
	int length = snprintf(text, sizeof(text),
			      "%sevent=lines-lost lines=%" PRIu64 " why=\"standard error was not read fast enough\"\n",
			      prefix_of(LOG_LEVEL_WARNING), lost);

	write_text(text, (size_t)length);
}

/* ---- the writer ---- */

static void *run_writer(void *context)
{
	static struct logring_line line;

	(void)context;
	pthread_mutex_lock(&writer.lock);
	while (!writer.ended) {
		if (logring_take(&writer.ring, &line)) {
			pthread_mutex_unlock(&writer.lock);
			if (line.lost)
				write_loss(line.lost);
			write_text(line.text, line.length);
			pthread_mutex_lock(&writer.lock);
		} else if (writer.ending) {
			writer.ended = true;
			pthread_cond_signal(&writer.end);
		} else {
			pthread_cond_wait(&writer.more, &writer.lock);
		}
	}
	pthread_mutex_unlock(&writer.lock);
	return NULL;
}

void log_hold(void)
{
	atomic_store(&writer.running, true);
}

/* Without a thread. */
static void write_held(void)
{
	static struct logring_line line;

	while (logring_take(&writer.ring, &line))
		write_text(line.text, line.length);
}

int log_start(void)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	int error;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&writer.end, &clock);
	pthread_condattr_destroy(&clock);
	atomic_store_explicit(&journal, -1, memory_order_relaxed);
	writer.ending = false;
	writer.ended = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&writer.thread, NULL, run_writer, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	atomic_store(&writer.running, error == 0);
	if (error)
		write_held();
	return -error;
}

void log_stop(unsigned int milliseconds)
{
	const int64_t until = clock_milliseconds(CLOCK_MONOTONIC) + milliseconds;
	const struct timespec deadline = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
	bool ended;

	if (!atomic_load(&writer.running))
		return;
	pthread_mutex_lock(&writer.lock);
	writer.ending = true;
	pthread_cond_signal(&writer.more);
	while (!writer.ended && pthread_cond_timedwait(&writer.end, &writer.lock, &deadline) == 0)
		;
	ended = writer.ended;
	pthread_mutex_unlock(&writer.lock);
	/* Still blocked: what is said from here on is lost, too. */
	if (!ended)
		return;
	pthread_join(writer.thread, NULL);
	atomic_store(&writer.running, false);
}

void log_forked(void)
{
	atomic_store(&writer.running, false);
}

/* ---- lines ---- */

static void take_line(const char *text, size_t length)
{
	if (!atomic_load_explicit(&writer.running, memory_order_relaxed)) {
		write_text(text, length);
		return;
	}
	pthread_mutex_lock(&writer.lock);
	logring_put(&writer.ring, text, length);
	pthread_cond_signal(&writer.more);
	pthread_mutex_unlock(&writer.lock);
}

__attribute__((format(printf, 2, 0))) static void format_line(enum log_level level, const char *format,
							      va_list arguments)
{
	char said[LOGRING_LINE_MAX], line[LOGRING_LINE_MAX];
	const size_t prefix = (size_t)snprintf(line, sizeof(line), "%s", prefix_of(level));
	size_t length;

	if (vsnprintf(said, sizeof(said), format, arguments) < 0)
		return;
	length = prefix + visible(said, line + prefix, sizeof(line) - prefix - 1);
	line[length++] = '\n';
	take_line(line, length);
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (log_enabled(level))
		format_line(level, format, arguments);
	va_end(arguments);
}

/* The value does not end there; what else is in it format_line() makes visible. */
static void tame(char *text)
{
	for (char *at = text; (at = strchr(at, '"')) != NULL;)
		*at = '\'';
}

void log_why(enum log_level level, const char *event, const char *format, ...)
{
	char why[LOGRING_LINE_MAX];
	va_list arguments;

	if (!log_enabled(level))
		return;
	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	tame(why);
	log_line(level, "event=%s why=\"%s\"", event, why);
}

const char *log_value(const char *text, char buffer[LOG_VALUE_MAX])
{
	const bool quoted = !*text || text[strcspn(text, " \t\r\n\"")];

	visible(text, buffer, LOG_VALUE_MAX - 2);
	tame(buffer);
	if (quoted) {
		const size_t length = strlen(buffer);

		memmove(buffer + 1, buffer, length);
		buffer[0] = '"';
		memcpy(buffer + 1 + length, "\"", sizeof("\""));
	}
	return buffer;
}

bool log_allowed(struct log_limit *limit, uint64_t now, uint32_t per_second)
{
	if (now / 1000 != limit->second) {
		limit->second = now / 1000;
		limit->written = 0;
	}
	if (limit->written < per_second) {
		limit->written++;
		return true;
	}
	limit->suppressed++;
	return false;
}

void log_settle(struct log_limit *limit, uint64_t now, enum log_level level, const char *what)
{
	if (!limit->suppressed || now / 1000 == limit->second)
		return;
	log_line(level, "event=left-out what=%s lines=%u seconds=1", what, limit->suppressed);
	limit->suppressed = 0;
}
