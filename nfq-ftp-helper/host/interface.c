// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* A name that stands for all that begin so: iptables' "ppp+". */
static bool is_wildcard(const char *name)
{
	const size_t length = strlen(name);

	return length && name[length - 1] == '+';
}

bool interface_exists(const char *name)
{
	return is_wildcard(name) || if_nametoindex(name) || (errno != ENODEV && errno != ENXIO);
}
