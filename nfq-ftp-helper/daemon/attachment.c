// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A conntrack helper of user space queues its connections' packets in conntrack's last hook, the
 * one that confirms a connection and adjusts sequence numbers, and the kernel does that for a packet when its verdict
 * comes back. Where nobody listens to the queue no verdict comes: the packet passes the queue by, and with it the
 * rest of that hook. Connections that begin then are never confirmed, so that their replies belong to nobody, and
 * established ones whose numbers are adjusted break. A helper that is disabled queues nothing, and the whole
 * hook is run.
 *
 * So the helper is enabled only while somebody listens. It is enabled after the queue is bound. At an orderly end it
 * is disabled before the queue is given up. For any other end (kill -9) there is a guard: a process forked off when
 * the queue is bound, which sleeps until the pipe to the daemon closes, disables the helper, and ends. It has
 * inherited the queue's socket, so until then the queue stays bound: packets wait, and are dropped, and sent again,
 * when the guard ends. For the same reason a new daemon cannot have the queue, and enable the helper, before the old
 * one's guard is through. A guard that is killed itself is replaced at once. Only both at one blow (the kill of a
 * control group) leave the helper enabled with nobody on its queue; `check' sees that, and the next daemon mends it.
 *
 * A later guard is forked off a process with threads, so it calls nothing that they might have been amid: no memory is
 * taken, and lines are written directly.
 *
 * The helper itself stays registered, so that rules that name it stay valid; --unregister takes it away.
 *
 * A helper is the whole machine's, but a daemon serves one network namespace. So each holds a shared lock on one
 * file, and only the last one disables the helper. It has one queue: a daemon that wants another one is refused.
 */
#include "attachment.h"

#include "host/helper.h"
#include "host/module.h"
#include "host/queue_holder.h"
#include "kernel/cthelper.h"
#include "log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Whoever uses the helper holds this. */
#define USERS "/run/nfq-ftp-helper.cthelper"

/* So long a daemon waits for the guard of one that had another queue. */
#define JOIN_TRIES 50
#define JOIN_WAIT  10000000 /* nanoseconds */

/* A guard that is killed again and again is replaced no more often than this. */
#define GUARD_PAUSE 100 /* milliseconds */

/* How often the guard tries, should the kernel be short of memory, and how long it may take to say so. */
#define DISABLE_TRIES  20
#define DISABLE_WAIT   50000000	 /* nanoseconds */
#define GUARD_LAST_SAY 200000	 /* microseconds */

/* Open files that the guard is not to keep: the state files, one a queue, and what else there may be. */
#define GUARD_FILES 256

/* ---- which mode ---- */

static int adopt_module(struct attach *attach)
{
	int error = attach_adopt_module(attach);
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint = error ? NULL : attach_complaint(attach, text);

	if (error == -ENOENT)
		log_line(LOG_LEVEL_ERROR, "the kernel module is not loaded: `modprobe " MODULE_NAME "', or choose "
					  "another --mode");
	else if (error)
		log_line(LOG_LEVEL_ERROR, "the queues in `" MODULE_PARAMETERS "' cannot be used: %s", strerror(-error));
	else if (complaint)
		log_line(LOG_LEVEL_ERROR, "the queues in `" MODULE_PARAMETERS "' cannot be used: %s", complaint);
	return complaint ? -EINVAL : error;
}

static int complain_cthelper(int error)
{
	if (error == -EPERM)
		log_line(LOG_LEVEL_ERROR, "the kernel does not let us at its conntrack helpers: start this as root, or "
					  "with CAP_NET_ADMIN in the first user namespace");
	else if (error == -EPROTONOSUPPORT)
		log_line(LOG_LEVEL_ERROR,
			 "the kernel has no helpers of user space: `modprobe nfnetlink_cthelper', or a "
			 "kernel with CONFIG_NF_CT_NETLINK_HELPER, gives them; --mode queue does without");
	else if (error == -EEXIST)
		log_line(LOG_LEVEL_ERROR,
			 "a kernel module has the conntrack helper `" CTHELPER_NAME "': --mode kmod uses "
			 "it, `rmmod " MODULE_NAME "' removes it");
	else if (error == -EBUSY)
		log_line(LOG_LEVEL_ERROR, "another program has a conntrack helper `" CTHELPER_NAME "' of another kind, "
					  "which is in use: remove the rules that name it, and its connections");
	else
		log_line(LOG_LEVEL_ERROR, "the conntrack helper `" CTHELPER_NAME "' cannot be registered: %s",
			 strerror(-error));
	return error;
}

int attachment_open(struct attachment *attachment, struct options *options)
{
	struct attach *attach = &options->attach;
	int error = exchange_open(&attachment->exchange);

	attachment->options = options;
	attachment->guarded = -1;
	attachment->users = -1;
	if (error) {
		log_line(LOG_LEVEL_ERROR, "the kernel has no netfilter netlink sockets: %s", strerror(-error));
		return error;
	}
	attachment->chosen = attach->mode == MODE_AUTO;
	/* The choice and the queues are those of `rules', so that neither needs to be told. */
	if (attachment->chosen)
		attach_choose(attach);
	if (attachment->chosen && attach->mode == MODE_QUEUE)
		(void)attach_settle(attach);
	if (attach->mode == MODE_KMOD)
		return adopt_module(attach);
	if (attach->mode == MODE_QUEUE)
		return 0;
	if (queue_range_count(&attach->queues) != 1) {
		log_line(LOG_LEVEL_ERROR,
			 "--queue %u:%u is not possible: a conntrack helper has one queue; --mode queue "
			 "and --mode kmod have several",
			 attach->queues.first, attach->queues.last);
		return -EINVAL;
	}
	error = helper_offered();
	return error ? complain_cthelper(error) : 0;
}

/* ---- the guard ---- */

/* Make a stub of the helper, unless a daemon of another network namespace uses it. */
static int disable(struct attachment *attachment)
{
	if (attachment->users >= 0 && flock(attachment->users, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EUSERS;
	return cthelper_disable(&attachment->exchange);
}

/*
 * The state files are locked as long as one of their users has them open: they are not for the guard. Note which
 * regular files are open; more than there is room for there cannot be.
 */
static unsigned int list_files(const struct attachment *attachment, int *files)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned int count = 0;
	struct stat status;

	while (directory && count < GUARD_FILES && (entry = readdir(directory))) {
		const int file = isdigit((unsigned char)entry->d_name[0]) ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (file > STDERR_FILENO && file != attachment->users && fstat(file, &status) == 0 &&
		    S_ISREG(status.st_mode))
			files[count++] = file;
	}
	if (directory)
		closedir(directory);
	return count;
}

/* Who does not read standard error must not keep the guard, and with it the queue. */
static void say_last_word(void)
{
	const struct itimerval patience = { .it_value.tv_usec = GUARD_LAST_SAY };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &patience, NULL);
	log_line(LOG_LEVEL_WARNING, "the daemon has ended without a word: the conntrack helper `" CTHELPER_NAME
				    "' is idle until it is back");
}

static void act(struct attachment *attachment)
{
	int error = disable(attachment);

	for (unsigned int tries = 1; error && error != -EUSERS && tries < DISABLE_TRIES; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = DISABLE_WAIT }, NULL);
		error = disable(attachment);
	}
	if (!error)
		say_last_word();
}

/* The child's part: it keeps the pipe, and the sockets, the queues' among them. No signal ends it but SIGKILL. */
static _Noreturn void guard(struct attachment *attachment, int pipe_end, const int *files, unsigned int count)
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
		act(attachment);
	_exit(0);
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int start_guard(struct attachment *attachment)
{
	int ends[2], files[GUARD_FILES], error = 0;
	const unsigned int count = list_files(attachment, files);

	attachment->guard_started = milliseconds();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	attachment->guard = fork();
	if (attachment->guard == 0) {
		close(ends[1]);
		guard(attachment, ends[0], files, count);
	}
	if (attachment->guard < 0) {
		error = -errno;
		attachment->guard = 0;
		close(ends[1]);
		ends[1] = -1;
	}
	close(ends[0]);
	attachment->guarded = ends[1];
	return error;
}

static void end_guard(struct attachment *attachment)
{
	if (attachment->guard && write(attachment->guarded, "", 1) == 1)
		waitpid(attachment->guard, NULL, 0);
	if (attachment->guarded >= 0)
		close(attachment->guarded);
	attachment->guarded = -1;
	attachment->guard = 0;
}

/* Is the guard gone? What it was is tidied up. */
static bool guard_is_gone(struct attachment *attachment)
{
	int status;

	if (!attachment->guard)
		return true;
	if (waitpid(attachment->guard, &status, WNOHANG) != attachment->guard)
		return false;
	if (WIFSIGNALED(status))
		log_line(LOG_LEVEL_WARNING, "the guard of the conntrack helper, process %d, was killed by signal %d: "
			 "another one takes its place", (int)attachment->guard, WTERMSIG(status));
	else
		log_line(LOG_LEVEL_WARNING, "the guard of the conntrack helper, process %d, has ended: another one takes "
			 "its place", (int)attachment->guard);
	close(attachment->guarded);
	attachment->guarded = -1;
	attachment->guard = 0;
	return true;
}

void attachment_keep(struct attachment *attachment)
{
	int error;

	if (!attachment->registered || !guard_is_gone(attachment) ||
	    milliseconds() - attachment->guard_started < GUARD_PAUSE)
		return;
	error = start_guard(attachment);
	if (error && !attachment->unguarded_told)
		log_line(LOG_LEVEL_ERROR, "no process can be made to guard the conntrack helper: %s; were this one "
			 "killed now, connections would break", strerror(-error));
	attachment->unguarded_told = error != 0;
}

/* ---- other daemons ---- */

static void note_queue(void *context, const struct cthelper *helper)
{
	if (strcmp(helper->name, CTHELPER_NAME) == 0 && helper->enabled)
		*(int32_t *)context = helper->queue;
}

/* The queue that the helper has now; -1: none. */
static int32_t present_queue(struct attachment *attachment)
{
	int32_t queue = -1;

	(void)cthelper_list(&attachment->exchange, note_queue, &queue);
	return queue;
}

static bool suits(struct attachment *attachment)
{
	const int32_t queue = present_queue(attachment);

	return queue < 0 || queue == attachment->options->attach.queues.first;
}

/* Become one of those who use the helper: the first, with an exclusive lock, or one more. Return: 0 or -EBUSY. */
static int join_users(struct attachment *attachment)
{
	attachment->users = open(USERS, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (attachment->users < 0)
		return 0;
	for (unsigned int tries = 0; tries < JOIN_TRIES; tries++) {
		if (flock(attachment->users, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return 0;
		if (suits(attachment)) {
			(void)flock(attachment->users, LOCK_SH);
			if (suits(attachment))
				return 0;
			(void)flock(attachment->users, LOCK_UN);
		}
		nanosleep(&(struct timespec){ .tv_nsec = JOIN_WAIT }, NULL);
	}
	log_line(LOG_LEVEL_ERROR,
		 "another nfq-ftp-helper, perhaps of another network namespace, has the conntrack helper "
		 "`" CTHELPER_NAME "', with queue %d, and it is the whole machine's: give --queue %d, too, or --mode "
		 "queue",
		 present_queue(attachment), present_queue(attachment));
	return -EBUSY;
}

/* ---- beginning and end ---- */

int attachment_begin(struct attachment *attachment)
{
	const struct options *options = attachment->options;
	const struct cthelper_policy policy = { .expectations = options->expect_max,
						.seconds = CTHELPER_EXPECT_SECONDS };
	int error;

	if (options->attach.mode != MODE_CTHELPER)
		return 0;
	error = join_users(attachment);
	if (error)
		return error;
	error = start_guard(attachment);
	if (error) {
		log_line(LOG_LEVEL_ERROR, "no process can be made to guard the conntrack helper: %s", strerror(-error));
		return error;
	}
	error = cthelper_register(&attachment->exchange, options->attach.queues.first, &policy);
	if (error)
		return complain_cthelper(error);
	attachment->registered = true;
	if (attachment->users >= 0)
		(void)flock(attachment->users, LOCK_SH);
	return 0;
}

static void unregister(struct attachment *attachment)
{
	int error = cthelper_unregister(&attachment->exchange);

	if (error == -EBUSY)
		log_line(LOG_LEVEL_WARNING,
			 "the conntrack helper `" CTHELPER_NAME "' stays registered, idle: a rule or a "
			 "connection still uses it");
	else if (error)
		log_line(LOG_LEVEL_WARNING, "the conntrack helper `" CTHELPER_NAME "' stays registered, idle: %s",
			 strerror(-error));
}

void attachment_end(struct attachment *attachment)
{
	const int error = attachment->registered ? disable(attachment) : 0;

	if (error == -EUSERS)
		log_line(LOG_LEVEL_NOTICE, "the conntrack helper `" CTHELPER_NAME "' stays active: another network "
					   "namespace uses it");
	else if (error)
		log_line(LOG_LEVEL_WARNING, "the conntrack helper `" CTHELPER_NAME "' could not be made idle: %s",
			 strerror(-error));
	else if (attachment->registered && attachment->options->unregister)
		unregister(attachment);
	attachment->registered = false;
	end_guard(attachment);
}

void attachment_close(struct attachment *attachment)
{
	end_guard(attachment);
	if (attachment->users >= 0)
		close(attachment->users);
	exchange_close(&attachment->exchange);
}
