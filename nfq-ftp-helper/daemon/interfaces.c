// SPDX-License-Identifier: GPL-2.0-or-later
#include "interfaces.h"

#include "kernel/netlink.h"

#include <libnfnetlink/libnfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>

/* The library sends its question to the kernel by name, which is none of a confined process' calls. What is answered comes as news do. */
static int ask_for_all(int file)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg family;
	} question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	const struct iovec piece = { .iov_base = &question, .iov_len = sizeof(question) };

	return netlink_send(file, &piece, 1);
}

/* Return: false: some were lost. */
static bool take_news(struct nlif_handle *handle)
{
	struct pollfd news = { .fd = nlif_fd(handle), .events = POLLIN };

	while (poll(&news, 1, 0) > 0)
		if (nlif_catch(handle) < 0)
			return false;
	return true;
}

/* What is known may be out of date where some of it was lost: then it is asked for again, and till then goes by what has come. */
void interfaces_open(struct interfaces *interfaces)
{
	interfaces->handle = nlif_open();
	interfaces->due =
		!interfaces->handle || ask_for_all(nlif_fd(interfaces->handle)) < 0 || !take_news(interfaces->handle);
}

void interfaces_close(struct interfaces *interfaces)
{
	if (interfaces->handle)
		nlif_close(interfaces->handle);
	*interfaces = (struct interfaces){ .handle = NULL };
}

void interfaces_refresh(struct interfaces *interfaces)
{
	if (!interfaces->due && (!interfaces->handle || take_news(interfaces->handle)))
		return;
	/* Start over with the whole list, as often as it takes. */
	interfaces_close(interfaces);
	interfaces_open(interfaces);
}

const char *interfaces_name(const struct interfaces *interfaces, uint32_t index, char name[IF_NAMESIZE])
{
	if (index == 0)
		snprintf(name, IF_NAMESIZE, "-");
	else if (!interfaces->handle || nlif_index2name(interfaces->handle, index, name) < 0)
		snprintf(name, IF_NAMESIZE, "if%u", index);
	return name;
}
