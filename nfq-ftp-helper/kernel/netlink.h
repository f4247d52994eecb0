/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink - datagrams to the kernel and from it, whatever is read out of them.
 *
 * Whoever has CAP_NET_ADMIN can write to another's netlink socket. What the kernel has not sent is never looked at.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * One datagram of so many pieces, to the kernel: it is who hears what is sent to nobody by name. A call that names somebody is none of a confined
 * process (isolation/calls.c).
 *
 * Return: 0, or a negative errno.
 */
int netlink_send(int fd, const struct iovec *pieces, size_t count);

/* Make ready for recvmsg() or recvmmsg(): one piece, and the sender's address for netlink_from_kernel(). */
void netlink_prepare(struct msghdr *datagram, struct iovec *piece, struct sockaddr_nl *sender);

/* Received as netlink_prepare() made ready: is the sender the kernel? Another process can send to our socket, too. */
bool netlink_from_kernel(const struct msghdr *datagram);

/**
 * netlink_receive - the next datagram that the kernel has sent
 * @fd: a netlink socket
 * @buffer: where to
 * @size: bytes there
 *
 * Return: its length; -EMSGSIZE: it is longer than @size; -ETIMEDOUT: none came within the socket's timeout; -EPROTO:
 * too many came that are not the kernel's; another negative errno.
 */
int netlink_receive(int fd, void *buffer, size_t size);

/* Does this (negative) error mean that a netlink socket will never work again? */
bool netlink_is_dead(int error);

#endif
