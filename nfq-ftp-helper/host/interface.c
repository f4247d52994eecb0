// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* The driver's name tells: /sys may be another network namespace's. */
static bool is_bridge(int file, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&driver };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(file, SIOCETHTOOL, &request) == 0 && strcmp(driver.driver, "bridge") == 0;
}

bool interface_find_bridge(char name[IF_NAMESIZE])
{
	struct if_nameindex *interfaces = if_nameindex();
	int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = false;

	for (const struct if_nameindex *at = interfaces; at && file >= 0 && at->if_index && !found; at++) {
		found = is_bridge(file, at->if_name);
		if (found)
			snprintf(name, IF_NAMESIZE, "%s", at->if_name);
	}
	if (file >= 0)
		close(file);
	if (interfaces)
		if_freenameindex(interfaces);
	return found;
}
