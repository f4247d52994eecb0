// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What somebody might do who has taken the daemon over: LD_PRELOAD=planted.so PLANTED=NAME[:PATH]. It is done when a SIGUSR1 comes, in
 * the main thread or, with PLANTED_WORKER, by the next worker that looks at its clock; what came of it is said on standard error:
 * "planted: 0", or an errno. PATH may be a file of paths, a line each, for `write'.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_bool due;

/* ---- what is done: each returns a negative number and sets errno where it was kept from it ---- */

static long plant_execve(const char *path)
{
	char *argv[] = { NULL, NULL };

	(void)path;
	return execve("/bin/true", argv, argv + 1);
}

static long plant_socket_inet(const char *path)
{
	(void)path;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long plant_socket_packet(const char *path)
{
	(void)path;
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long plant_socket_unix(const char *path)
{
	(void)path;
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

/* Of interfaces and addresses: the daemon looks there for their names. */
static long plant_socket_route(const char *path)
{
	(void)path;
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

/* Where WireGuard, ethtool and many others are. */
static long plant_socket_generic(const char *path)
{
	(void)path;
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
}

static long plant_connect(const char *path)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/dbus/system_bus_socket" };

	(void)path;
	return connect(STDIN_FILENO, (const struct sockaddr *)&address, sizeof(address));
}

static long plant_send_by_name(const char *path)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/nfq-ftp-nobody" };

	(void)path;
	return sendto(STDIN_FILENO, "", 0, 0, (const struct sockaddr *)&address, sizeof(address));
}

static long plant_send_message(const char *path)
{
	const struct msghdr message = { 0 };

	(void)path;
	return sendmsg(STDIN_FILENO, &message, 0);
}

static long plant_ptrace(const char *path)
{
	(void)path;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long plant_kill(const char *path)
{
	(void)path;
	return kill(1, 0);
}

/* The kernel then sends it a signal, which F_SETSIG could choose, whenever the file has news. */
static long plant_set_owner(const char *path)
{
	(void)path;
	return fcntl(STDERR_FILENO, F_SETOWN, getppid());
}

/* What the C library asks of files. */
static long plant_file_flags(const char *path)
{
	const int other = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)path;
	if (other < 0 || fcntl(other, F_SETFD, 0) < 0 || fcntl(other, F_GETFD) < 0 || fcntl(other, F_GETFL) < 0)
		return -1;
	return close(other);
}

static long plant_chmod(const char *path)
{
	(void)path;
	return chmod("/tmp", 01777);
}

static long plant_setuid(const char *path)
{
	(void)path;
	return setuid(0);
}

static long plant_capset(const char *path)
{
	(void)path;
	return syscall(SYS_capset, NULL, NULL);
}

static long plant_mount(const char *path)
{
	(void)path;
	return syscall(SYS_mount, NULL, "/mnt", "tmpfs", 0, NULL);
}

static long plant_bpf(const char *path)
{
	(void)path;
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long plant_io_uring(const char *path)
{
	(void)path;
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long plant_unshare(const char *path)
{
	(void)path;
	return unshare(CLONE_NEWUSER);
}

/* A child in namespaces of its own. */
static long plant_clone_namespace(const char *path)
{
	(void)path;
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static long plant_clone3(const char *path)
{
	(void)path;
	return syscall(SYS_clone3, NULL, 0);
}

static long plant_mmap_exec(const char *path)
{
	(void)path;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		       -1 :
		       0;
}

static long plant_mprotect_exec(const char *path)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)path;
	return memory == MAP_FAILED ? -1 : mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static long plant_dumpable(const char *path)
{
	(void)path;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* What a child may: it is forked off as a guard is. */
static long plant_fork(const char *path)
{
	const pid_t child = fork();
	int status;

	(void)path;
	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, &status, 0) < 0 || status ? -1 : 0;
}

/* A file in each of these directories, and these files themselves, are opened to be written. Those that can be are named. */
static long plant_write(const char *path)
{
	FILE *list = fopen(path, "re");
	char line[4096], name[4200];

	if (!list)
		return -1;
	while (fgets(line, sizeof(line), list)) {
		int file;

		line[strcspn(line, "\n")] = '\0';
		snprintf(name, sizeof(name), "%s/nfq-ftp-planted", line);
		file = open(line, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
		if (file < 0)
			file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (file < 0)
			continue;
		close(file);
		(void)unlink(name);
		dprintf(STDERR_FILENO, "planted wrote: %s\n", line);
	}
	fclose(list);
	return 0;
}

static const struct {
	const char *name;
	long (*act)(const char *path);
} plants[] = {
	{ "execve", plant_execve },
	{ "socket-inet", plant_socket_inet },
	{ "socket-packet", plant_socket_packet },
	{ "socket-unix", plant_socket_unix },
	{ "socket-route", plant_socket_route },
	{ "socket-generic", plant_socket_generic },
	{ "connect", plant_connect },
	{ "send-by-name", plant_send_by_name },
	{ "send-message", plant_send_message },
	{ "ptrace", plant_ptrace },
	{ "kill", plant_kill },
	{ "set-owner", plant_set_owner },
	{ "file-flags", plant_file_flags },
	{ "chmod", plant_chmod },
	{ "setuid", plant_setuid },
	{ "capset", plant_capset },
	{ "mount", plant_mount },
	{ "bpf", plant_bpf },
	{ "io_uring", plant_io_uring },
	{ "unshare", plant_unshare },
	{ "clone-namespace", plant_clone_namespace },
	{ "clone3", plant_clone3 },
	{ "mmap-exec", plant_mmap_exec },
	{ "mprotect-exec", plant_mprotect_exec },
	{ "dumpable", plant_dumpable },
	{ "fork", plant_fork },
	{ "write", plant_write },
};

static void act(void)
{
	const char *planted = getenv("PLANTED");
	const char *path = planted ? strchr(planted, ':') : NULL;
	const size_t length = path ? (size_t)(path - planted) : strlen(planted ? planted : "");

	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		if (planted && strlen(plants[i].name) == length && strncmp(plants[i].name, planted, length) == 0) {
			const long result = plants[i].act(path ? path + 1 : NULL);

			dprintf(STDERR_FILENO, "planted: %d\n", result < 0 ? errno : 0);
			return;
		}
	}
	abort(); /* what was to be tested would not be */
}

/* ---- when ---- */

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	int (*real)(const sigset_t *, siginfo_t *, const struct timespec *) = NULL;
	int number;

	*(void **)&real = dlsym(RTLD_NEXT, "sigtimedwait");
	number = real(set, info, timeout);
	if (number == SIGUSR1 && getenv("PLANTED_WORKER"))
		atomic_store(&due, true);
	else if (number == SIGUSR1)
		act();
	return number;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (clock == CLOCK_BOOTTIME && atomic_exchange(&due, false))
		act();
	return real(clock, now);
}
