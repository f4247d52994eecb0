// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel that drops what a program changes, as newer ones do in a network namespace of another user namespace than the first:
 * LD_PRELOAD=unchanged.so. A verdict that brings new contents is turned into a drop; whoever sent it is told of no error.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The attribute of this type behind a message's two headers; NULL: there is none. */
static struct nlattr *attribute_of(struct nlmsghdr *message, unsigned int type)
{
	char *at = (char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const char *end = (char *)message + message->nlmsg_len;

	while (end - at >= (long)sizeof(struct nlattr)) {
		struct nlattr *attribute = (struct nlattr *)(void *)at;

		if (attribute->nla_len < sizeof(*attribute))
			return NULL;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type)
			return attribute;
		at += NLA_ALIGN(attribute->nla_len);
	}
	return NULL;
}

static void refuse(struct nlmsghdr *message)
{
	struct nlattr *verdict = attribute_of(message, NFQA_VERDICT_HDR);
	struct nfqnl_msg_verdict_hdr header;

	if (message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT) || !verdict ||
	    !attribute_of(message, NFQA_PAYLOAD))
		return;
	memcpy(&header, (char *)verdict + NLA_HDRLEN, sizeof(header));
	header.verdict = htonl(NF_DROP);
	memcpy((char *)verdict + NLA_HDRLEN, &header, sizeof(header));
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t (*real)(int, const struct iovec *, int) = NULL;
	int domain = 0;
	socklen_t size = sizeof(domain);

	*(void **)&real = dlsym(RTLD_NEXT, "writev");
	if (count > 0 && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK) {
		int left = (int)pieces[0].iov_len;

		for (struct nlmsghdr *message = pieces[0].iov_base; NLMSG_OK(message, (unsigned int)left);
		     message = NLMSG_NEXT(message, left))
			refuse(message);
	}
	return real(fd, pieces, count);
}
