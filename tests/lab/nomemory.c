// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel short of memory: LD_PRELOAD=nomemory.so NOMEMORY=PERIOD:FAILURES. Of so many verdicts that are sent so many fail
 * in a row, with ENOBUFS, ENOMEM and EAGAIN in turn, and have no effect; now and then so does taking packets.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

static atomic_uint sends, receives;

/* Is this one to fail? */
static bool fails(atomic_uint *calls)
{
	const char *plan = getenv("NOMEMORY");
	const unsigned int number = atomic_fetch_add(calls, 1);
	unsigned long period, failures;
	char *end;

	if (!plan)
		return false;
	period = strtoul(plan, &end, 10);
	failures = *end == ':' ? strtoul(end + 1, &end, 10) : 0;
	if (*end || !failures || failures > period)
		abort(); /* what was to be tested would not be */
	return number % period >= period - failures;
}

static int lack(unsigned int number)
{
	static const int errors[] = { ENOBUFS, ENOMEM, EAGAIN };

	errno = errors[number % 3];
	return -1;
}

static bool is_verdict(int fd, const struct iovec *pieces, int count)
{
	const struct nlmsghdr *message;
	int domain = 0;
	socklen_t size = sizeof(domain);

	if (count < 1 || pieces[0].iov_len < sizeof(*message) ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_NETLINK)
		return false;
	message = pieces[0].iov_base;
	return message->nlmsg_type >> 8 == NFNL_SUBSYS_QUEUE && (message->nlmsg_type & 0xff) != NFQNL_MSG_CONFIG;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t (*real)(int, const struct iovec *, int) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "writev");
	if (is_verdict(fd, pieces, count) && fails(&sends))
		return lack(atomic_load(&sends));
	return real(fd, pieces, count);
}

int recvmmsg(int fd, struct mmsghdr *datagrams, unsigned int count, int flags, struct timespec *timeout)
{
	int (*real)(int, struct mmsghdr *, unsigned int, int, struct timespec *) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "recvmmsg");
	/* The exchanges with conntrack take only as many as they ask for. */
	if (count == 64 && fails(&receives))
		return lack(atomic_load(&receives));
	return real(fd, datagrams, count, flags, timeout);
}
