// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the running daemon may do, as far as /proc shows it; Landlock it does not show, so what is said is whether it is here.
 */
#include "check.h"
#include "host/rights.h"
#include "isolation/landlock.h"
#include "isolation/user.h"

#include <linux/capability.h>
#include <stdio.h>

#define LANDLOCK_TEXT_MAX 48

static void write_landlock(char text[LANDLOCK_TEXT_MAX])
{
	const unsigned int version = landlock_version();

	if (version)
		snprintf(text, LANDLOCK_TEXT_MAX, "the kernel has Landlock %u", version);
	else
		snprintf(text, LANDLOCK_TEXT_MAX, "the kernel has no Landlock");
}

void check_isolation(struct check_report *report)
{
	const bool found = report->daemon > 0;
	char landlock[LANDLOCK_TEXT_MAX];
	struct rights rights;
	bool alone;

	if (!found || rights_of(report->daemon, &rights) < 0)
		return;
	write_landlock(landlock);
	alone = rights.capabilities == 1ull << CAP_NET_ADMIN;
	if (rights.user && alone && rights.no_new_privs && rights.filtered)
		check_add(report, "isolation", CHECK_YES,
			  "process %d is user %u, with CAP_NET_ADMIN alone, no new privileges, and a list of system "
			  "calls; %s",
			  report->daemon, (unsigned int)rights.user, landlock);
	else
		check_fault(report, "isolation", CHECK_NOTE, CAUSE_NONE,
			    rights.filtered ? "useradd --system " USER_DEFAULT ", and start nfq-ftp-helper again" :
					      "start nfq-ftp-helper without --no-sandbox",
			    "process %d, which reads what strangers write, may do more than it needs: user %u, "
			    "%s, %s, %s; %s",
			    report->daemon, (unsigned int)rights.user,
			    alone ? "CAP_NET_ADMIN alone" : "other capabilities than CAP_NET_ADMIN, too",
			    rights.no_new_privs ? "no new privileges" : "new privileges",
			    rights.filtered ? "a list of system calls" : "any system call", landlock);
}
