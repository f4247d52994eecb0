// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What else on this host touches FTP's packets, and is no rule of netfilter's; and who keeps the rules that there are.
 */
#include "check.h"
#include "host/interface.h"
#include "host/module.h"
#include "host/sysctl.h"

#include <stddef.h>

/* A control connection says nothing while its transfer runs. */
#define IDLE_SECONDS_MIN 3600
#define IDLE_SECONDS	 "7440"

#define TIMEOUT_NAME "net.netfilter.nf_conntrack_tcp_timeout_established"

static void add_timeout(struct check_report *report)
{
	const int seconds = sysctl_number("net/netfilter/nf_conntrack_tcp_timeout_established");

	if (seconds < 0)
		return;
	if (seconds >= IDLE_SECONDS_MIN)
		check_add(report, "conntrack's timeout", CHECK_YES,
			  "an idle control connection is remembered for %d seconds", seconds);
	else
		check_fault(report, "conntrack's timeout", CHECK_NO, CAUSE_TIMEOUT,
			    SYSCTL_MODULE_FIRST("nf_conntrack")
				    SYSCTL_SET_FOR_GOOD(TIMEOUT_NAME, IDLE_SECONDS, "timeout"),
			    "conntrack forgets a control connection that is silent for %d seconds, as one is while a "
			    "file is transferred (" TIMEOUT_NAME ")",
			    seconds);
}

static void add_ipvs(struct check_report *report)
{
	const int conntrack = sysctl_number("net/ipv4/vs/conntrack");

	if (conntrack == 0)
		check_fault(report, "IPVS", CHECK_NO, CAUSE_IPVS,
			    SYSCTL_MODULE_FIRST("ip_vs") SYSCTL_SET_FOR_GOOD("net.ipv4.vs.conntrack", "1", "ipvs"),
			    "IPVS takes its connections away from conntrack (net.ipv4.vs.conntrack = 0), so "
			    "nothing can be expected for FTP servers behind it");
	else if (conntrack > 0)
		check_add(report, "IPVS", CHECK_YES, "conntrack keeps its connections");
}

static void add_bridge(struct check_report *report)
{
	char name[IF_NAMESIZE], way[MODULE_WAY_MAX];

	if (!interface_find_bridge(name) || sysctl_number("net/bridge/bridge-nf-call-iptables") == 1)
		return;
	check_mend(
		check_add(
			report, "bridge", CHECK_NOTE,
			"what passes between ports of the bridge `%s' comes to no rule of IP's: a router needs no more, "
			"a firewall in a bridge does",
			name),
		CAUSE_NONE,
		"%s; " SYSCTL_MODULE_FIRST("br_netfilter")
			SYSCTL_SET_FOR_GOOD("net.bridge.bridge-nf-call-iptables", "1", "bridge"),
		module_way("br_netfilter", way));
}

/* What is worth knowing, and mostly in nobody's way. */
static void add_note(struct check_report *report, const char *name, const struct finding *finding)
{
	struct check_row *row;

	if (!finding->seen)
		return;
	row = check_add(report, name, CHECK_NOTE, "%s", finding->text);
	if (finding->remedy[0])
		check_mend(row, CAUSE_NONE, "%s", finding->remedy);
}

static void add_keepers(struct check_report *report, const struct findings *findings)
{
	for (size_t i = 0; i < KEEPERS; i++) {
		const struct keeper *keeper = &keepers[i];

		if (findings->kept[i])
			check_fault(report, keeper->name, CHECK_NOTE, CAUSE_NONE, keeper->advice,
				    "%s keeps rules here: %s", keeper->name, keeper->about);
	}
}

void check_surroundings(struct check_report *report, const struct findings *findings)
{
	report->group = "surroundings";
	add_timeout(report);
	add_ipvs(report);
	add_bridge(report);
	if (!findings)
		return;
	add_note(report, "zones", &findings->wrong[FINDING_ZONES]);
	add_note(report, "flow table", &findings->wrong[FINDING_OFFLOAD]);
	add_note(report, "iptables-legacy", &findings->wrong[FINDING_LEGACY]);
	add_keepers(report, findings);
}
