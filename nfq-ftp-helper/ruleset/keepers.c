// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers.h"

#include <string.h>

#define FIREWALLD_HELPER_OFF "firewall-cmd --permanent --service=ftp --remove-helper=ftp && firewall-cmd --reload"

/* A setting of each zone. */
#define FW4_HELPER_OFF                                                                                                 \
	"for z in $(uci show firewall | sed -n 's/=zone$//p'); do uci set $z.auto_helper=0; done; "                    \
	"uci commit firewall; service firewall restart"

const struct keeper keepers[KEEPERS] = {
	{
		.name = "firewalld",
		.table = "firewalld",
		.helper_off = FIREWALLD_HELPER_OFF,
		.about =
			"its service `ftp' brings the kernel's own helper; its reload leaves our table of nft alone, and "
			"takes our chains of iptables away (rules --backend nft)",
		.advice = FIREWALLD_HELPER_OFF,
	},
	{
		.name = "ufw",
		.chain = "ufw",
		.about =
			"its reload changes its own chains only, unless MANAGE_BUILTINS in /etc/default/ufw is yes: that "
			"takes our jumps away",
		.advice =
			"sed -i 's/^MANAGE_BUILTINS=.*/MANAGE_BUILTINS=no/' /etc/default/ufw; ufw route allow proto tcp to "
			"any port 21",
	},
	{
		.name = "fw4",
		.table = "fw4",
		.helper_off = FW4_HELPER_OFF,
		.about =
			"its zones bring the kernel's own helper (auto_helper); its reload leaves our table of nft alone",
		.advice = FW4_HELPER_OFF,
	},
};

const struct keeper *keepers_of(const struct found_chain *chain)
{
	for (size_t i = 0; i < KEEPERS; i++) {
		const char *begin = keepers[i].chain;

		if (!chain->iptables && keepers[i].table && strcmp(chain->table, keepers[i].table) == 0)
			return &keepers[i];
		if (chain->iptables && begin && strncmp(chain->name, begin, strlen(begin)) == 0)
			return &keepers[i];
	}
	return NULL;
}
