// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel can, and so which modes can run. How each thing is called in a kernel's configuration and as a
 * module stands in one table beside its probe.
 */
#include "check.h"
#include "host/helper.h"
#include "host/module.h"
#include "host/rights.h"
#include "ruleset/backends.h"
#include "trial/probes.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#define KERNEL_GROUP "kernel"

static const struct subject {
	enum probe probe;
	const char *name;
	const char *can; /* what it is good for */
	const char *module;
	const char *config;
	const char *instead; /* "": nothing */
} subjects[] = {
	{ PROBE_NFQUEUE, "nfnetlink_queue", "hands packets to programs", "nfnetlink_queue",
	  "CONFIG_NETFILTER_NETLINK_QUEUE", "" },
	{ PROBE_CTNETLINK, "nf_conntrack_netlink", "lets programs at conntrack", "nf_conntrack_netlink",
	  "CONFIG_NF_CT_NETLINK", "" },
	{ PROBE_EXPECT, "expectations", "data connections can be expected", "nf_conntrack_sane",
	  "CONFIG_NF_CONNTRACK_SANE", "" },
	{ PROBE_SEQADJ, "seqadj", "the kernel can adjust sequence numbers", "nf_nat", "CONFIG_NF_NAT",
	  "nfq-ftp-helper run --seqadj self adjusts them itself" },
	{ PROBE_QUEUE_CT, "NFQA_CT", "packets come with their connection", "nf_conntrack_netlink",
	  "CONFIG_NETFILTER_NETLINK_GLUE_CT",
	  "connections are looked up instead; only source and destination NAT at once is slow without it" },
	{ PROBE_NFT, "nft", "rules can be applied with nft", "nf_tables", "CONFIG_NF_TABLES_INET",
	  "nfq-ftp-helper rules --backend iptables" },
	{ PROBE_NFT_QUEUE, "nft queue", "nft rules can queue", "nft_queue", "CONFIG_NFT_QUEUE",
	  "nfq-ftp-helper rules --backend iptables" },
	{ PROBE_NFT_HELPER, "nft ct helper", "nft rules can assign helpers", "nft_ct", "CONFIG_NFT_CT",
	  "nfq-ftp-helper rules --backend iptables" },
	{ PROBE_NFT_LOCAL, "nft fib", "nft rules can tell local packets", "nft_fib_inet", "CONFIG_NFT_FIB_INET",
	  "nfq-ftp-helper rules --backend iptables" },
	{ PROBE_NFT_PAYLOAD, "nft @ih", "nft rules can tell packets with payload", "nf_tables", "Linux 5.16",
	  "nfq-ftp-helper rules --seqadj auto queues all packets" },
	{ PROBE_XT_QUEUE, "iptables NFQUEUE", "iptables rules can queue", "xt_NFQUEUE",
	  "CONFIG_NETFILTER_XT_TARGET_NFQUEUE", "nfq-ftp-helper rules --backend nft" },
	{ PROBE_XT_HELPER, "iptables CT", "iptables rules can assign helpers", "xt_CT", "CONFIG_NETFILTER_XT_TARGET_CT",
	  "nfq-ftp-helper rules --backend nft" },
	{ PROBE_XT_LOCAL, "iptables addrtype", "iptables rules can tell local packets", "xt_addrtype",
	  "CONFIG_NETFILTER_XT_MATCH_ADDRTYPE", "nfq-ftp-helper rules --backend nft" },
	{ PROBE_XT_PAYLOAD, "iptables bpf", "iptables rules can tell packets with payload", "xt_bpf",
	  "CONFIG_NETFILTER_XT_MATCH_BPF", "nfq-ftp-helper rules --seqadj auto queues all packets" },
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* The package whose program a trial lacks; NULL: none. */
static const char *missing_package(enum probe probe)
{
	const bool nft = backends_have(&nft_backend), iptables = backends_have(&iptables_backend);

	if (probe >= PROBE_NFT && probe <= PROBE_NFT_PAYLOAD)
		return nft ? NULL : "nftables";
	if (probe >= PROBE_XT_HELPER && probe <= PROBE_XT_PAYLOAD)
		return iptables ? NULL : "iptables";
	/* What is tried with a connection takes rules of either. */
	return probe < PROBE_QUEUE_CT || nft || iptables ? NULL : "nftables";
}

static void write_remedy(struct check_row *row, const struct subject *subject)
{
	const char *package = missing_package(subject->probe);
	char way[MODULE_WAY_MAX];

	if (package)
		check_mend(row, CAUSE_NONE, "install %s", package);
	else if (module_could_be_loaded(subject->module))
		check_mend(row, CAUSE_NONE, "%s", module_way(subject->module, way));
	else if (subject->instead[0])
		check_mend(row, CAUSE_NONE, "%s (or a kernel with %s)", subject->instead, subject->config);
	else
		check_mend(row, CAUSE_NONE, "a kernel with %s", subject->config);
}

static void add_subject(struct check_report *report, const struct subject *subject, const struct probe_result *result)
{
	if (result->outcome == PROBE_YES)
		check_add(report, subject->name, CHECK_YES, "%s", subject->can);
	else if (result->outcome == PROBE_NO)
		write_remedy(check_add(report, subject->name, CHECK_NO, "not so: %s (%s)", subject->can, result->why),
			     subject);
	else
		check_add(report, subject->name, CHECK_UNKNOWN, "not tried: %s",
			  result->why[0] ? result->why : "the trial came to no end");
}

static void add_version(struct check_report *report)
{
	struct utsname kernel;

	if (uname(&kernel) == 0)
		check_add(report, "version", CHECK_YES, "%s %s, %s", kernel.sysname, kernel.release, kernel.machine);
}

/* Kernels that need to be known about; found by trying, not by their number. */
static void add_known_bad(struct check_report *report, const struct probes *probes)
{
	if (probes->result[PROBE_DATA_ALONE].outcome == PROBE_NO)
		check_fault(report, "data connections", CHECK_NOTE, CAUSE_NONE,
			    "nfq-ftp-helper rules --apply --mode queue, and start what it says",
			    "this kernel gives data connections their master's helper, as 6.12.95 and "
			    "6.1.176 do: in mode cthelper their packets are queued, too, and let pass at "
			    "once; so where no mode is named mode queue is taken, if rules can queue");
	else if (probes->result[PROBE_DATA_ALONE].outcome == PROBE_YES)
		check_add(report, "data connections", CHECK_YES, "they get no helper, so are never queued");
}

static void add_changed(struct check_report *report, const struct probe_result *result)
{
	if (result->outcome == PROBE_NO)
		check_fault(report, "changed packets", CHECK_NO, CAUSE_UNCHANGED, PROBES_CHANGED_REMEDY,
			    PROBES_CHANGED_ARE_DROPPED);
	else if (result->outcome == PROBE_YES)
		check_add(report, "changed packets", CHECK_YES, "they go on, so addresses can be rewritten");
	else
		check_add(report, "changed packets", CHECK_UNKNOWN, "not tried: %s", result->why);
}

static bool can_nft(const struct probes *probes)
{
	return probe_can(probes, PROBE_NFT_HELPER) && probe_can(probes, PROBE_NFT_QUEUE) &&
	       probe_can(probes, PROBE_NFT_LOCAL);
}

static bool can_iptables(const struct probes *probes)
{
	return probe_can(probes, PROBE_XT_HELPER) && probe_can(probes, PROBE_XT_QUEUE) &&
	       probe_can(probes, PROBE_XT_LOCAL);
}

static bool can_base(const struct probes *probes)
{
	return probe_can(probes, PROBE_NFQUEUE) && probe_can(probes, PROBE_CTNETLINK);
}

static void add_mode_queue(struct check_report *report, const struct probes *probes)
{
	const bool rules = can_nft(probes) || can_iptables(probes);
	report->can[MODE_QUEUE] = can_base(probes) && rules && probe_can(probes, PROBE_EXPECT);
	if (report->can[MODE_QUEUE])
		check_add(report, mode_names[MODE_QUEUE], CHECK_YES,
			  "rules by %s, carrier " ATTACH_CARRIER ", sequence numbers by %s",
			  can_nft(probes) ? can_iptables(probes) ? "nft or iptables" : "nft" : "iptables",
			  probe_can(probes, PROBE_SEQADJ) ? "the kernel" : "the daemon");
	else
		check_fault(report, mode_names[MODE_QUEUE], CHECK_NO, CAUSE_NONE,
			    "the rows of `" KERNEL_GROUP "' say how to get them", "it needs %s",
			    !can_base(probes) ? "nfnetlink_queue and nf_conntrack_netlink" :
			    !rules	      ? "rules that assign helpers and queue, by nft or iptables" :
						"expectations");
}

static void add_mode_cthelper(struct check_report *report, const struct probes *probes)
{
	const int error = helper_offered();
	char way[MODULE_WAY_MAX];
	struct check_row *row;

	report->can[MODE_CTHELPER] = can_base(probes) && error == 0 &&
				     (probe_can(probes, PROBE_NFT_HELPER) || probe_can(probes, PROBE_XT_HELPER));
	if (report->can[MODE_CTHELPER]) {
		check_add(report, mode_names[MODE_CTHELPER], CHECK_YES, "the kernel takes helpers of user space");
		return;
	}
	row = check_add(report, mode_names[MODE_CTHELPER], CHECK_NO, "it needs %s",
			error ? "nfnetlink_cthelper" :
				"nfnetlink_queue, nf_conntrack_netlink and rules that assign helpers");
	check_mend(row, CAUSE_NONE, "%s",
		   !error ? "the rows of `" KERNEL_GROUP "' say how to get them" :
		   module_could_be_loaded("nfnetlink_cthelper") ?
			    module_way("nfnetlink_cthelper", way) :
			    "a kernel with CONFIG_NF_CT_NETLINK_HELPER, or mode queue");
}

static void add_mode_kmod(struct check_report *report, const struct probes *probes)
{
	char way[MODULE_WAY_MAX];

	report->can[MODE_KMOD] = can_base(probes) && module_is_loaded(MODULE_NAME);
	if (report->can[MODE_KMOD]) {
		check_add(report, mode_names[MODE_KMOD], CHECK_YES, "the module " MODULE_NAME " is loaded");
		return;
	}
	check_mend(check_add(report, mode_names[MODE_KMOD], CHECK_NO, "the module " MODULE_NAME " is not loaded"),
		   CAUSE_NONE, "%s; or another mode", module_way(MODULE_NAME, way));
}

static void add_no_mode(struct check_report *report)
{
	if (report->can[MODE_QUEUE] || report->can[MODE_CTHELPER] || report->can[MODE_KMOD])
		return;
	if (!backends_have(&nft_backend) && !backends_have(&iptables_backend)) {
		check_fault(report, "any", CHECK_NO, CAUSE_KERNEL, "install nftables",
			    "every mode needs rules, and neither nft nor iptables is installed");
		return;
	}
	check_fault(report, "any", CHECK_NO, CAUSE_KERNEL,
		    "a stock distribution kernel has all that is needed; install nftables or iptables, too",
		    "no mode can run on this kernel");
}

void check_kernel(struct check_report *report)
{
	static struct probes probes;
	int error = rights_have(CAP_NET_ADMIN) ? probes_run(&probes, ATTACH_CARRIER, PROBES_ALL) : -EPERM;

	report->group = error ? KERNEL_GROUP : "modes";
	if (error) {
		add_version(report);
		check_fault(report, "trial", CHECK_UNKNOWN, CAUSE_NONE, "sudo nfq-ftp-helper check",
			    "nothing could be tried in a network namespace: %s", strerror(-error));
		return;
	}
	add_mode_queue(report, &probes);
	add_mode_cthelper(report, &probes);
	add_mode_kmod(report, &probes);
	add_no_mode(report);
	report->group = KERNEL_GROUP;
	add_version(report);
	for (size_t i = 0; i < SUBJECTS; i++)
		add_subject(report, &subjects[i], &probes.result[subjects[i].probe]);
	add_known_bad(report, &probes);
	add_changed(report, &probes.result[PROBE_MANGLE]);
}
