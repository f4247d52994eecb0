// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink.h"

#include <errno.h>

/* Datagrams of others that are thrown away before the kernel's is given up for. */
#define STRANGERS_MAX 4096

int netlink_send(int fd, const struct iovec *pieces, size_t count)
{
	return writev(fd, pieces, (int)count) < 0 ? -errno : 0;
}

void netlink_prepare(struct msghdr *datagram, struct iovec *piece, struct sockaddr_nl *sender)
{
	*datagram = (struct msghdr){
		.msg_name = sender,
		.msg_namelen = sizeof(*sender),
		.msg_iov = piece,
		.msg_iovlen = 1,
	};
}

bool netlink_from_kernel(const struct msghdr *datagram)
{
	const struct sockaddr_nl *sender = datagram->msg_name;

	return datagram->msg_namelen == sizeof(*sender) && sender->nl_family == AF_NETLINK && sender->nl_pid == 0;
}

int netlink_receive(int fd, void *buffer, size_t size)
{
	unsigned int strangers = 0;

	while (strangers < STRANGERS_MAX) {
		struct iovec piece = { .iov_base = buffer, .iov_len = size };
		struct sockaddr_nl sender;
		struct msghdr datagram;
		ssize_t length;

		netlink_prepare(&datagram, &piece, &sender);
		length = recvmsg(fd, &datagram, 0);
		if (length < 0 && errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (length >= 0 && netlink_from_kernel(&datagram))
			return datagram.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)length;
		strangers += length >= 0;
	}
	return -EPROTO;
}

bool netlink_is_dead(int error)
{
	switch (-error) {
	case EBADF:
	case ENOTSOCK:
	case EPIPE:
	case ENOTCONN:
	case ECONNREFUSED: /* nothing in the kernel listens any more */
	case EPROTONOSUPPORT:
	case EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}
