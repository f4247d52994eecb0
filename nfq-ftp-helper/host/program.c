// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input and output are files in memory: no pipe can fill while nobody reads it.
 */
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_NO_PROGRAM 127

#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char search_path[] = PATH;

/* By the numbers that they have in the child: STDIN_FILENO, STDOUT_FILENO and STDERR_FILENO. */
#define STREAMS 3

static int write_all(int file, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t written = write(file, text, left);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			left -= (size_t)written;
		}
	}
	return lseek(file, 0, SEEK_SET) < 0 ? -errno : 0;
}

/* All of a file in memory, ended by NUL. */
static char *read_all(int file)
{
	struct stat status;
	size_t length = 0;
	char *text;

	if (fstat(file, &status) < 0)
		return NULL;
	text = malloc((size_t)status.st_size + 1);
	while (text && length < (size_t)status.st_size) {
		ssize_t got = pread(file, text + length, (size_t)status.st_size - length, (off_t)length);

		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[length] = '\0';
	return text;
}

static void close_streams(const int streams[STREAMS])
{
	for (int i = 0; i < STREAMS; i++)
		if (streams[i] >= 0)
			close(streams[i]);
}

static int open_streams(int streams[STREAMS], const char *input)
{
	for (int i = 0; i < STREAMS; i++) {
		streams[i] = memfd_create("stream", MFD_CLOEXEC);
		if (streams[i] < 0)
			return -errno;
	}
	return input ? write_all(streams[STDIN_FILENO], input) : 0;
}

/*
 * Whoever runs this may hold signals off, so that what ends it does not end a program amid rules; that goes on. But iptables-legacy's -w waits for
 * the lock of its tables until SIGALRM comes: without that for ever.
 */
static void let_alarm_through(void)
{
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

/* Of the child; does not return. What is set and called here is safe after fork() in a program with threads. */
static void become(const char *const argv[], const int streams[STREAMS])
{
	static const char *const environment[] = { "LC_ALL=C", "PATH=" PATH, NULL };
	char path[256];

	let_alarm_through();
	for (int i = 0; i < STREAMS; i++)
		if (dup2(streams[i], i) < 0)
			_exit(STATUS_NO_PROGRAM);
	for (const char *at = search_path; *at; at += strspn(at, ":")) {
		int length = (int)strcspn(at, ":");

		snprintf(path, sizeof(path), "%.*s/%s", length, at, argv[0]);
		execve(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
		at += length;
	}
	_exit(STATUS_NO_PROGRAM);
}

static int wait_for_child(pid_t child, int *status)
{
	while (waitpid(child, status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Is this line the program's complaint, or only chatter and quotation? */
static bool is_complaint(const char *line, size_t length)
{
	return length && line[length - 1] != ' ' && line[length - 1] != ':' && line[0] != '#' && line[0] != '^' &&
	       line[0] != ' ' && strncmp(line, "Error occurred", 14) != 0 && strncmp(line, "Try `", 5) != 0;
}

/* The first line that says something, without nft's "/dev/stdin:2:1-7: Error: " before it. */
static void find_complaint(const char *text, const char *program, char *complaint)
{
	snprintf(complaint, PROGRAM_COMPLAINT_MAX, "%s failed without a word", program);
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		const size_t length = strcspn(line, "\n");
		const char *error = memmem(line, length, "Error: ", 7);

		if (is_complaint(line, length)) {
			const char *begin = error ? error + 7 : line;

			snprintf(complaint, PROGRAM_COMPLAINT_MAX, "%.*s", (int)(line + length - begin), begin);
			return;
		}
		line += length;
	}
}

/* What has become of the child. */
static int program_ended(const char *program, int status, int errors, char *complaint)
{
	char *said;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_PROGRAM) {
		snprintf(complaint, PROGRAM_COMPLAINT_MAX, "there is no program `%s'", program);
		return -ENOENT;
	}
	said = read_all(errors);
	find_complaint(said ? said : "", program, complaint);
	free(said);
	return -EREMOTEIO;
}

static int run_with(const char *const argv[], const int streams[STREAMS], char *complaint)
{
	int status = 0, error;
	pid_t child = fork();

	if (child == 0)
		become(argv, streams);
	if (child < 0)
		return -errno;
	error = wait_for_child(child, &status);
	return error ? error : program_ended(argv[0], status, streams[STDERR_FILENO], complaint);
}

int program_run(const char *const argv[], const char *input, char **output, char *complaint)
{
	int streams[STREAMS] = { -1, -1, -1 };
	int error = open_streams(streams, input);
	char unheard[PROGRAM_COMPLAINT_MAX];

	if (!complaint)
		complaint = unheard;
	if (!error)
		error = run_with(argv, streams, complaint);
	if (!error && output) {
		*output = read_all(streams[STDOUT_FILENO]);
		error = *output ? 0 : -ENOMEM;
	}
	if (error && error != -ENOENT && error != -EREMOTEIO)
		snprintf(complaint, PROGRAM_COMPLAINT_MAX, "%s could not be run: %s", argv[0], strerror(-error));
	close_streams(streams);
	return error;
}

bool program_exists(const char *name)
{
	const char *const argv[] = { name, "--version", NULL };

	return program_run(argv, NULL, NULL, NULL) == 0;
}
