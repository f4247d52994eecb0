// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. The guard is forked off, and sleeps until the pipe to the daemon closes: with a byte in it, at
 * an orderly end, it does nothing, without one it acts.
 *
 * A later guard is forked off a process with threads, so it calls nothing that they might have been amid: no memory is
 * taken, and lines are written directly.
 */
#include "guard.h"

#include "host/clock.h"
#include "host/error.h"
#include "host/file.h"
#include "host/queue_holder.h"
#include "kernel/cthelper.h"
#include "log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A guard that is killed again and again is replaced no more often than this. */
#define GUARD_PAUSE 100 /* milliseconds */

/* How often the guard tries, should the kernel be short of memory, and how long it may take to say so. */
#define ACT_TRIES      20
#define ACT_WAIT       50000000 /* nanoseconds */
#define GUARD_LAST_SAY 200000	/* microseconds */

/* Open files that the guard is not to keep: the state files, whoever asks the daemon, and what else there may be. */
#define GUARD_FILES 256

/* A state file is locked as long as one of its users has it open; who is connected by a Unix socket waits for its end as long. */
static bool is_daemons_own(int file)
{
	struct stat status;
	socklen_t length = sizeof(int);
	int domain;

	return fstat(file, &status) == 0 &&
	       (S_ISREG(status.st_mode) ||
		(S_ISSOCK(status.st_mode) && getsockopt(file, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
		 domain == AF_UNIX));
}

/* Note which of these are open: they are not for the guard. More than there is room for there cannot be. */
static unsigned int list_files(const struct guard *guard, int *files)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned int count = 0;

	while (directory && count < GUARD_FILES && (entry = readdir(directory))) {
		const int file = isdigit((unsigned char)entry->d_name[0]) ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (file > STDERR_FILENO && file != guard->file && is_daemons_own(file))
			files[count++] = file;
	}
	if (directory)
		closedir(directory);
	return count;
}

/* Who does not read standard error must not keep the guard, and with it the queue. */
static void say_last_word(int error)
{
	const struct itimerval patience = { .it_value.tv_usec = GUARD_LAST_SAY };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &patience, NULL);
	if (error)
		log_why(LOG_LEVEL_ERROR, "daemon-killed",
			"the daemon has ended without a word, and the conntrack helper `" CTHELPER_NAME
			"' could not be made idle: %s; no FTP connection comes about until a daemon runs again",
			error_text(error));
	else
		log_why(LOG_LEVEL_WARNING, "daemon-killed",
			"the daemon has ended without a word: the conntrack helper `" CTHELPER_NAME
			"' is idle until it is back");
}

/* Others use the helper, or there is none any more: nothing is to be done, and said. */
static bool is_not_ours(int error)
{
	return error == -EUSERS || error == -ENOENT;
}

static void guard_act(struct guard *guard)
{
	int error = guard->act(guard->context);

	for (unsigned int tries = 1; error && !is_not_ours(error) && tries < ACT_TRIES; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = ACT_WAIT }, NULL);
		error = guard->act(guard->context);
	}
	if (!is_not_ours(error))
		say_last_word(error);
}

/* The child's part: it keeps the pipe, and the netlink sockets, the queues' among them. No signal ends it but SIGKILL. */
static _Noreturn void stand_guard(struct guard *guard, int pipe_end, const int *files, unsigned int count)
{
	sigset_t all;
	ssize_t length;
	char orderly;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, QUEUE_HOLDER_GUARD);
	log_forked();
	while (count)
		close(files[--count]);
	do {
		length = read(pipe_end, &orderly, 1);
	} while (length < 0 && errno == EINTR);
	if (length == 0)
		guard_act(guard);
	_exit(0);
}

/* There is none any more. */
static void forget(struct guard *guard)
{
	file_close(&guard->pipe);
	guard->process = 0;
}

int guard_start(struct guard *guard)
{
	int ends[2], files[GUARD_FILES], error;
	const unsigned int count = list_files(guard, files);

	guard->started = clock_milliseconds(CLOCK_MONOTONIC);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	guard->process = fork();
	if (guard->process == 0) {
		close(ends[1]);
		stand_guard(guard, ends[0], files, count);
	}
	error = guard->process < 0 ? -errno : 0;
	close(ends[0]);
	guard->pipe = ends[1];
	if (error)
		forget(guard);
	return error;
}

void guard_end(struct guard *guard)
{
	if (guard->process && write(guard->pipe, "", 1) == 1)
		waitpid(guard->process, NULL, 0);
	forget(guard);
}

/* Is the guard gone? What it was is tidied up. */
static bool is_gone(struct guard *guard)
{
	int status;

	if (!guard->process)
		return true;
	if (waitpid(guard->process, &status, WNOHANG) != guard->process)
		return false;
	if (WIFSIGNALED(status))
		log_why(LOG_LEVEL_WARNING, "guard-killed",
			"the guard of the conntrack helper, process %d, was killed by signal %d: "
			"another one takes its place",
			(int)guard->process, WTERMSIG(status));
	else
		log_why(LOG_LEVEL_WARNING, "guard-ended",
			"the guard of the conntrack helper, process %d, has ended: another one takes "
			"its place",
			(int)guard->process);
	forget(guard);
	return true;
}

void guard_keep(struct guard *guard)
{
	int error;

	if (!is_gone(guard) || clock_milliseconds(CLOCK_MONOTONIC) - guard->started < GUARD_PAUSE)
		return;
	error = guard_start(guard);
	if (error && !guard->missing_told)
		log_why(LOG_LEVEL_ERROR, "guard",
			"no process can be made to guard the conntrack helper: %s; were this one "
			"killed now, connections would break",
			strerror(-error));
	guard->missing_told = error != 0;
}
