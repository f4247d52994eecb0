// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/rights.h"

#include "check.h"

void check_rights(struct check_report *report)
{
	if (rights_net_admin())
		check_add(report, "this process", "CAP_NET_ADMIN", CHECK_YES,
			  "rules, queues and conntrack can be reached");
	else
		check_mend(
			check_add(report, "this process", "CAP_NET_ADMIN", CHECK_NO,
				  "without the capability CAP_NET_ADMIN neither rules nor queues nor conntrack can be "
				  "reached, so nothing else can be known"),
			CAUSE_RIGHTS, "sudo nfq-ftp-helper check");
	if (!rights_sys_admin())
		check_mend(check_add(report, "this process", "CAP_SYS_ADMIN", CHECK_NO,
				     "without it the kernel cannot be tried in a network namespace, or not all of it"),
			   CAUSE_NONE, "sudo nfq-ftp-helper check");
}
