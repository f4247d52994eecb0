// SPDX-License-Identifier: GPL-2.0-or-later
#include "interfaces.h"

#include <libnfnetlink/libnfnetlink.h>
#include <poll.h>
#include <stdio.h>

void interfaces_open(struct interfaces *interfaces)
{
	interfaces->handle = nlif_open();
	if (interfaces->handle && nlif_query(interfaces->handle) < 0)
		interfaces_close(interfaces);
}

void interfaces_close(struct interfaces *interfaces)
{
	if (interfaces->handle)
		nlif_close(interfaces->handle);
	interfaces->handle = NULL;
}

void interfaces_refresh(struct interfaces *interfaces)
{
	struct pollfd news = { .events = POLLIN };

	if (!interfaces->handle)
		return;
	news.fd = nlif_fd(interfaces->handle);
	while (poll(&news, 1, 0) > 0) {
		if (nlif_catch(interfaces->handle) >= 0)
			continue;
		/* News were lost: start over with the whole list. */
		interfaces_close(interfaces);
		interfaces_open(interfaces);
		return;
	}
}

const char *interfaces_name(const struct interfaces *interfaces, uint32_t index, char name[IF_NAMESIZE])
{
	if (index == 0)
		snprintf(name, IF_NAMESIZE, "-");
	else if (!interfaces->handle || nlif_index2name(interfaces->handle, index, name) < 0)
		snprintf(name, IF_NAMESIZE, "if%u", index);
	return name;
}
