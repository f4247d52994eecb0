// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is set up on this host now: rules, queues, the daemon, forwarding.
 */
#include "check.h"
#include "host/attach.h"
#include "host/helper.h"
#include "host/module.h"
#include "host/queue_holder.h"
#include "host/sysctl.h"
#include "kernel/cthelper.h"
#include "ruleset/findings.h"

#include <stdio.h>
#include <string.h>

static void add_forwarding(struct check_report *report)
{
	const int ipv4 = sysctl_number("net/ipv4/ip_forward");
	const int ipv6 = sysctl_number("net/ipv6/conf/all/forwarding");

	if (ipv4 == 0)
		check_fault(report, "ip_forward", CHECK_NOTE, CAUSE_FORWARDING,
			    SYSCTL_SET_FOR_GOOD("net.ipv4.ip_forward", "1", "ipv4"),
			    "this host forwards no IPv4 (net.ipv4.ip_forward = 0): right for a server or a "
			    "client, but no router");
	else if (ipv4 > 0)
		check_add(report, "ip_forward", CHECK_YES, "IPv4 is forwarded");
	if (ipv6 == 0)
		check_fault(report, "ipv6 forwarding", CHECK_NOTE, CAUSE_NONE,
			    SYSCTL_SET_FOR_GOOD("net.ipv6.conf.all.forwarding", "1", "ipv6"),
			    "this host forwards no IPv6");
	else if (ipv6 > 0)
		check_add(report, "ipv6 forwarding", CHECK_YES, "IPv6 is forwarded");
}

/* A finding is a row as it is; where there is none, @right. */
static void add_finding(struct check_report *report, const char *name, const struct finding *finding,
			enum check_cause cause, const char *right)
{
	if (finding->seen)
		check_fault(report, name, CHECK_NO, cause, finding->remedy, "%s", finding->text);
	else
		check_add(report, name, CHECK_YES, "%s", right);
}

static void add_ftp_helper(struct check_report *report, const struct findings *findings)
{
	const struct finding *assigned = &findings->wrong[FINDING_FTP_ASSIGNED];

	add_finding(report, "kernel's ftp helper", assigned->seen ? assigned : &findings->wrong[FINDING_FTP_AUTOMATIC],
		    CAUSE_FTP_HELPER, "it is not in the way");
}

static void add_helper(struct check_report *report, const struct findings *findings)
{
	char command[REQUEST_COMMAND_MAX];

	if (findings->helper[0])
		check_add(report, "helper assigned", CHECK_YES, "`%s', by `%.200s'", findings->helper,
			  findings->assigning);
	else
		check_fault(report, "helper assigned", CHECK_NO, CAUSE_NO_HELPER,
			    request_apply(&findings->request, command),
			    "no rule assigns a helper to "
			    "connections to port %u, so no data connection can be expected",
			    findings->ports.port[0]);
	if (findings->helper[0] && findings->unserved)
		check_fault(report, "ports", CHECK_NO, CAUSE_NO_HELPER, request_apply(&findings->request, command),
			    "no rule assigns a helper to connections to port %u, or queues their packets",
			    findings->unserved);
}

/* Do the helper and its mode queue packets themselves? */
static bool queues_itself(const struct findings *findings)
{
	return strcmp(findings->helper, CTHELPER_NAME) == 0;
}

static void add_queue_rules(struct check_report *report, const struct findings *findings)
{
	const struct queue_range *queues = &findings->queues;
	struct request request = findings->request;
	char command[REQUEST_COMMAND_MAX];

	request.attach.mode = MODE_QUEUE;
	if (findings->queues.given)
		check_add(report, "packets queued", CHECK_YES,
			  queues->first == queues->last ? "to queue %u" : "to queues %u:%u", queues->first,
			  queues->last);
	else if (queues_itself(findings))
		check_add(report, "packets queued", CHECK_YES, "by the helper itself");
	else
		check_fault(report, "packets queued", CHECK_NO, CAUSE_NOT_QUEUED, request_apply(&request, command),
			    "no rule queues the packets of "
			    "connections to port %u",
			    findings->ports.port[0]);
}

static void add_taken(struct check_report *report, unsigned int number, const struct queue_holder *holder,
		      const struct findings *findings)
{
	struct request request = findings->request;
	char command[REQUEST_COMMAND_MAX];
	struct check_row *row;

	if (holder->program[0])
		row = check_add(report, "queue", CHECK_NO, "another program has queue %u: `%s', process %d", number,
				holder->program, holder->pid);
	else
		row = check_add(report, "queue", CHECK_NO,
				"a program that cannot be seen from here (in another PID namespace?) has queue %u",
				number);
	number = number < 60000 ? number + 10 : number - 10;
	request.attach.mode = MODE_QUEUE;
	request.attach.sure_queues.given = false;
	(void)queue_range_set(&request.attach.queues, number, 1);
	if (findings->queues.given)
		check_mend(row, CAUSE_QUEUE_TAKEN, "%s, and start what it says", request_apply(&request, command));
	else if (module_is_loaded(MODULE_NAME))
		check_mend(row, CAUSE_QUEUE_TAKEN, "rmmod " MODULE_NAME ", and load it with queue=%u", number);
	else
		check_mend(row, CAUSE_QUEUE_TAKEN, "nfq-ftp-helper run --mode cthelper --queue %u", number);
}

/* The command that starts the daemon for these rules. */
static void write_start(const struct findings *findings, char command[CHECK_TEXT_MAX])
{
	const struct queue_range *queues = &findings->queues, *sure = &findings->sure_queues;
	const char *seqadj = findings->some_only ? " --seqadj kernel" : "";

	if (!findings->queues.given)
		snprintf(command, CHECK_TEXT_MAX, "nfq-ftp-helper run");
	else if (sure->given)
		snprintf(command, CHECK_TEXT_MAX, "nfq-ftp-helper run --mode queue --queue %u:%u --sure-queue %u:%u%s",
			 queues->first, queues->last, sure->first, sure->last, seqadj);
	else
		snprintf(command, CHECK_TEXT_MAX, "nfq-ftp-helper run --mode queue --queue %u:%u%s", queues->first,
			 queues->last, seqadj);
}

static void add_absent(struct check_report *report, unsigned int number, const struct findings *findings)
{
	char command[CHECK_TEXT_MAX];

	write_start(findings, command);
	check_fault(report, "daemon", CHECK_NO, CAUSE_NO_DAEMON, command,
		    "nobody takes packets from queue %u: nfq-ftp-helper does not run", number);
}

/* The daemon and its guard were killed at one blow. Return: whether it is so. */
static bool add_deserted(struct check_report *report, const struct helper *helper)
{
	struct queue_holder holder;

	if (!helper->known || !helper->enabled)
		return false;
	queue_holder_look(helper->queue, &holder);
	if (holder.bound)
		return false;
	check_mend(check_add(report, "helper deserted", CHECK_NO,
			     "the helper `" CTHELPER_NAME "' queues packets to queue %u, and nobody takes them: "
			     "nfq-ftp-helper and its guard were killed together, and connections break until one runs "
			     "again",
			     helper->queue),
		   CAUSE_DESERTED, "nfq-ftp-helper run --mode cthelper --queue %u", helper->queue);
	return true;
}

/* Return: whether our daemon has it. */
static bool add_queue(struct check_report *report, unsigned int number, const struct findings *findings)
{
	struct queue_holder holder;

	queue_holder_look((uint16_t)number, &holder);
	if (holder.ours)
		report->daemon = holder.pid;
	if (!holder.bound)
		add_absent(report, number, findings);
	else if (!holder.ours)
		add_taken(report, number, &holder, findings);
	else if (holder.dropped)
		check_add(report, "queue", CHECK_NOTE,
			  "%lu packets of queue %u were dropped for want of room: run with a larger --queue-length",
			  holder.dropped, number);
	else
		check_add(report, "daemon", CHECK_YES, "process %d has queue %u", holder.pid, number);
	return holder.ours;
}

static void add_range(struct check_report *report, const struct queue_range *range, const struct findings *findings)
{
	bool ours = range->given;

	for (unsigned int i = range->first; ours && i <= range->last; i++)
		ours = add_queue(report, i, findings);
}

/* The queues that are the module's parameters. */
static void add_module_queues(struct check_report *report, const struct findings *findings)
{
	struct attach attach;

	if (attach_adopt_module(&attach) < 0)
		return;
	add_range(report, &attach.queues, findings);
	if (attach.sure_queues.given)
		add_range(report, &attach.sure_queues, findings);
}

static void add_queues(struct check_report *report, const struct findings *findings)
{
	struct helper own;
	bool deserted;

	(void)helper_look(&own);
	deserted = add_deserted(report, &own);
	if (findings->queues.given) {
		add_range(report, &findings->queues, findings);
		add_range(report, &findings->sure_queues, findings);
	} else if (deserted) {
		return;
	} else if (own.known && own.enabled) {
		(void)add_queue(report, own.queue, findings);
	} else if (queues_itself(findings) && module_is_loaded(MODULE_NAME)) {
		add_module_queues(report, findings);
	} else if (queues_itself(findings)) {
		check_fault(report, "daemon", CHECK_NO, CAUSE_NO_DAEMON, "nfq-ftp-helper run --mode cthelper",
			    "the helper `" CTHELPER_NAME "' queues nothing: "
			    "nfq-ftp-helper does not run");
	}
}

/* What rules do to packets on their way; a row each, where it is more than nothing. */
static void add_way(struct check_report *report, const struct findings *findings)
{
	static const struct {
		enum finding_kind kind;
		enum check_cause cause;
		const char *name;
		const char *right;
	} ways[] = {
		{ FINDING_NOTRACK, CAUSE_NOTRACK, "tracking", "no rule keeps the connections from being tracked" },
		{ FINDING_ASSIGNED_EARLY, CAUSE_EARLY, "helper's place", "no rule assigns one before conntrack" },
		{ FINDING_ASSIGNED_LATE, CAUSE_LATE, "helper and DNAT", "no rule assigns one behind destination NAT" },
		{ FINDING_HELPER_DEAD, CAUSE_DEAD, "helper's life", "the kernel has the helper that rules name" },
		{ FINDING_DNAT_PORT, CAUSE_DNAT_PORT, "DNAT's ports", "no other public port leads to these" },
		{ FINDING_SYNPROXY, CAUSE_SYNPROXY, "SYNPROXY", "it does not answer for FTP servers" },
		{ FINDING_INVALID, CAUSE_INVALID, "INVALID", "no rule drops them before nfq-ftp-helper sees them" },
		{ FINDING_MARK, CAUSE_MARK, "mark",
		  "no rule of others uses the bit that nfq-ftp-helper marks connections with" },
		{ FINDING_RELATED, CAUSE_RELATED, "RELATED",
		  "data connections are accepted wherever all else is dropped" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		add_finding(report, ways[i].name, &findings->wrong[ways[i].kind], ways[i].cause, ways[i].right);
}

static void add_interface(struct check_report *report)
{
	const char *missing = request_missing_interface(&report->request);

	if (missing)
		check_add(report, "interface", CHECK_NOTE, REQUEST_MISSING_INTERFACE, missing);
}

void check_setup(struct check_report *report)
{
	static struct findings findings;
	const int error = findings_look(&findings, &report->request, NULL);

	report->group = "set-up";
	add_forwarding(report);
	add_interface(report);
	if (error || !findings.readable) {
		check_fault(report, "rules", CHECK_UNKNOWN, CAUSE_NONE,
			    "install nftables or iptables, and run this as root",
			    "neither nft nor iptables-save can tell the rules");
		check_surroundings(report, NULL);
		return;
	}
	add_ftp_helper(report, &findings);
	add_helper(report, &findings);
	add_queue_rules(report, &findings);
	add_queues(report, &findings);
	check_isolation(report);
	add_way(report, &findings);
	check_surroundings(report, &findings);
}
