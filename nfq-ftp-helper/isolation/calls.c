// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names, not numbers: libseccomp knows which of them an architecture has, and how it calls them; what it does not know of, or this
 * architecture has not, is left out. Two C libraries were asked (Debian 12's and 13's), and what they may come to call of these is
 * here in all its forms: with 64-bit times, and with directories or without.
 *
 * A call that only asks for what there is anyway is no danger; none of these starts a program, makes a connection to
 * another host or to a program of this one, changes what a file is or who may read it, or looks into another process.
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

// clang-format off
/* Whatever their arguments are. */
static const char *const plain[] = {
	/* packets, conntrack, and whoever asks the daemon */
	"recvmmsg", "recvmmsg_time64", "recvmsg", "recvfrom", "recv", "send", "bind",
	"accept", "accept4", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
	/* time, and waiting */
	"clock_gettime", "clock_gettime64", "gettimeofday", "time", "clock_getres", "clock_getres_time64", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64", "poll", "ppoll", "ppoll_time64", "select", "_newselect",
	"pselect6", "pselect6_time64", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2",
	"setitimer", "restart_syscall",
	/* files; where they may be written Landlock and their owner say */
	"read", "readv", "pread64", "write", "writev", "pwrite64", "close", "close_range", "open", "openat", "lseek",
	"_llseek", "fstat", "fstat64", "fstatat64", "newfstatat", "stat", "stat64", "lstat", "lstat64", "statx",
	"getdents64", "getcwd", "readlink", "readlinkat", "access", "faccessat", "faccessat2", "dup", "dup3", "flock",
	"pipe", "pipe2", "ftruncate", "ftruncate64", "fallocate", "fsync", "fdatasync", "rename", "renameat", "renameat2",
	"unlink", "unlinkat",
	/* memory */
	"brk", "munmap", "mremap", "madvise",
	/* threads, children, signals */
	"futex", "futex_time64", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "exit", "exit_group",
	"wait4", "waitpid", "waitid", "rt_sigaction", "rt_sigprocmask", "rt_sigtimedwait", "rt_sigtimedwait_time64",
	"rt_sigreturn", "sigreturn", "rt_sigpending", "sigaltstack", "sched_yield", "sched_getaffinity", "membarrier",
	/* who and where it is */
	"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32",
	"getegid32", "uname", "sysinfo", "getrandom", "getcpu", "getrusage", "getrlimit", "ugetrlimit",
};
// clang-format on

/* An argument that says what it is that is asked for: masked, it must be equal. */
struct argument {
	unsigned int index;
	uint64_t mask;
	uint64_t value;
};

/* With one of these, or two. */
struct particular {
	const char *name;
	struct argument first;
	struct argument second; /* its mask is 0: there is none */
};

#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define NAMESPACES                                                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const struct particular particulars[] = {
	/* The kernel's netfilter, and its interfaces: with CAP_NET_ADMIN much else can be done by netlink. Who asks the daemon comes by itself. */
	{ "socket", { 0, UINT32_MAX, AF_NETLINK }, { 2, UINT32_MAX, NETLINK_NETFILTER } },
	{ "socket", { 0, UINT32_MAX, AF_NETLINK }, { 2, UINT32_MAX, NETLINK_ROUTE } },
	/*
	 * To the kernel, or to whom the socket was connected to before: a socket for datagrams, as the one for whoever started the daemon is, else
	 * reaches any of the machine's. With sendmsg() the address is in memory, where no filter sees it.
	 */
	{ "sendto", { 4, UINT64_MAX, 0 }, { 0 } },
	/* Threads, and guards. */
	{ "clone", { CLONE_FLAGS, NAMESPACES, 0 }, { 0 } },
	/* Nothing that was written is run. */
	{ "mmap", { 2, PROT_EXEC, 0 }, { 0 } },
	{ "mmap2", { 2, PROT_EXEC, 0 }, { 0 } },
	{ "mprotect", { 2, PROT_EXEC, 0 }, { 0 } },
	/* A thread's name, a mapping's. */
	{ "prctl", { 0, UINT32_MAX, PR_SET_NAME }, { 0 } },
	{ "prctl", { 0, UINT32_MAX, 0x53564d41 /* PR_SET_VMA */ }, { 0 } },
	/* Limits are asked for, not set. */
	{ "prlimit64", { 2, UINT64_MAX, 0 }, { 0 } },
	/* A file's flags, another number of it; none makes the kernel send a signal to whoever the caller likes (F_SETOWN and F_SETSIG). */
	{ "fcntl", { 1, UINT32_MAX, F_DUPFD }, { 0 } },
	{ "fcntl", { 1, UINT32_MAX, F_DUPFD_CLOEXEC }, { 0 } },
	{ "fcntl", { 1, UINT32_MAX, F_GETFD }, { 0 } },
	{ "fcntl", { 1, UINT32_MAX, F_SETFD }, { 0 } },
	{ "fcntl", { 1, UINT32_MAX, F_GETFL }, { 0 } },
	{ "fcntl", { 1, UINT32_MAX, F_SETFL }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_DUPFD }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_DUPFD_CLOEXEC }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_GETFD }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_SETFD }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_GETFL }, { 0 } },
	{ "fcntl64", { 1, UINT32_MAX, F_SETFL }, { 0 } },
	/* Is it a terminal? */
	{ "ioctl", { 1, UINT32_MAX, 0x5401 /* TCGETS */ }, { 0 } },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As far as it has come. */
struct list {
	scmp_filter_ctx filter;
	unsigned int count;
	int error; /* then nothing is added any more */
};

/* Unless there is no such call here. Some have a number below zero: that of a call which this architecture does not have. */
static void allow(struct list *list, const char *name, unsigned int conditions, const struct scmp_arg_cmp *condition)
{
	const int number = seccomp_syscall_resolve_name(name);
	int error;

	if (list->error || number == __NR_SCMP_ERROR)
		return;
	error = seccomp_rule_add_array(list->filter, SCMP_ACT_ALLOW, number, conditions, condition);
	list->error = error == -EDOM ? 0 : error;
	list->count += !error && number >= 0;
}

static struct scmp_arg_cmp masked(const struct argument *argument)
{
	return (struct scmp_arg_cmp){
		.arg = argument->index,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = argument->mask,
		.datum_b = argument->value,
	};
}

static void allow_all(struct list *list)
{
	const struct scmp_arg_cmp self = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (uint32_t)getpid() };

	for (size_t i = 0; i < COUNT(plain); i++)
		allow(list, plain[i], 0, NULL);
	for (size_t i = 0; i < COUNT(particulars); i++) {
		const struct particular *one = &particulars[i];
		const struct scmp_arg_cmp conditions[] = { masked(&one->first), masked(&one->second) };

		allow(list, one->name, one->second.mask ? 2 : 1, conditions);
	}
	/* Signals to itself alone: a worker ends the daemon by one. */
	allow(list, "kill", 1, &self);
	allow(list, "tgkill", 1, &self);
}

/* Its arguments are in memory, where no filter sees them: without it the C library makes threads by clone(). */
static int refuse_clone3(scmp_filter_ctx filter)
{
	const int number = seccomp_syscall_resolve_name("clone3");

	return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
}

static int load(struct list *list)
{
	list->error = seccomp_attr_set(list->filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	allow_all(list);
	if (!list->error)
		list->error = refuse_clone3(list->filter);
	if (list->error)
		return list->error;
	(void)seccomp_attr_set(list->filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return seccomp_load(list->filter);
}

const char *calls_missing(void)
{
#ifdef SANITIZED
	return "this build is made to find faults (sanitizers), which takes more calls than its work";
#else
	return NULL;
#endif
}

int calls_enter(unsigned int *count)
{
	struct list list = { 0 };
	int error;

	*count = 0;
	if (calls_missing() || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return -ENOTSUP;
	list.filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!list.filter)
		return -ENOMEM;
	error = load(&list);
	seccomp_release(list.filter);
	if (!error)
		*count = list.count;
	return error;
}
