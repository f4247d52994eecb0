// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver's name tells: /sys may be another network namespace's.
 */
#include "bridge.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_bridge(int file, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&driver };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(file, SIOCETHTOOL, &request) == 0 && strcmp(driver.driver, "bridge") == 0;
}

bool bridge_find(char name[IF_NAMESIZE])
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
