// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/rights.h"

#include "check.h"

void check_rights(struct check_report *report)
{
	report->group = "this process";
	if (rights_have(CAP_NET_ADMIN))
		check_add(report, "CAP_NET_ADMIN", CHECK_YES, "rules, queues and conntrack can be reached");
	else
		check_fault(report, "CAP_NET_ADMIN", CHECK_NO, CAUSE_RIGHTS, "sudo nfq-ftp-helper check",
			    "without the capability CAP_NET_ADMIN neither rules nor queues nor conntrack can be "
			    "reached, so nothing else can be known");
	if (!rights_have(CAP_SYS_ADMIN))
		check_fault(report, "CAP_SYS_ADMIN", CHECK_NO, CAUSE_NONE, "sudo nfq-ftp-helper check",
			    "without it the kernel cannot be tried in a network namespace, or not all of it");
}
