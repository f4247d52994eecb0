// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A control connection has to be tracked, given a helper before its first packet is confirmed, and queued, with the
 * port by which each of these rules knows it: assignment sees the port that the client dials, the queue behind destination NAT the
 * server's.
 *
 * nft assigns a helper to the connection, which is not there before conntrack (priority -200) has had the packet; iptables' raw table is
 * before it, and leaves word for it. What is assigned behind destination NAT (-100) comes too late for the seqadj extension, which NAT
 * gives to connections that have a helper, on kernels before late 2025.
 */
#include "findings_way.h"

#include "backends.h"
#include "iptables_chains.h"

#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

/* Does @rule stand where base chains of prerouting lead? Then @priority is the least of theirs. */
static bool is_in_prerouting(const struct found *found, const struct found_rule *rule, int *priority)
{
	bool stands = false;

	for (const struct found_chain *root = found->chains; root; root = root->next) {
		if (root->hook != FOUND_HOOK_PREROUTING || !found_is_under(rule, root))
			continue;
		*priority = stands && *priority < root->priority ? *priority : root->priority;
		stands = true;
	}
	return stands;
}

/* Does it concern control connections, as far as can be told? */
static bool is_of_ours(const struct found_rule *rule)
{
	return !rule->foreign && rule->chain->roots &&
	       (found_asks_for_ports(rule) || (rule->ports == FOUND_PORTS_ANY && !rule->narrow));
}

static bool translates_ours(const struct found *found)
{
	int priority = 0;

	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (rule->verdict == FOUND_TRANSLATE && rule->ports != FOUND_PORTS_OTHER && !rule->foreign &&
		    is_in_prerouting(found, rule, &priority))
			return true;
	}
	return false;
}

bool findings_way_assigns(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	char remedy[FINDING_REMEDY_MAX], command[REQUEST_COMMAND_MAX];
	int priority = 0;

	if (!is_in_prerouting(found, rule, &priority))
		return true;
	snprintf(remedy, sizeof(remedy), "%s; %s", rule->removal, request_apply(&findings->request, command));
	if (rule->chain->iptables) {
		findings->well_assigned = true;
		return true;
	}
	if (priority <= NF_IP_PRI_CONNTRACK) {
		finding_see(findings, FINDING_ASSIGNED_EARLY, rule->text, remedy);
		return false;
	}
	if (priority >= NF_IP_PRI_NAT_DST && translates_ours(found))
		finding_see(findings, FINDING_ASSIGNED_LATE, rule->text, remedy);
	else
		findings->well_assigned = true;
	return true;
}

/*
 * Of rules that decide about conntrack in iptables' raw table the first counts: behind our jump only the server's packets, which that does not
 * ask for, are left.
 */
static bool is_too_late(const struct found *found, const struct found_rule *rule)
{
	if (!rule->chain->iptables || rule->from_server || rule->ports != FOUND_PORTS_OURS)
		return false;
	for (const struct found_rule *above = found->rules; above != rule; above = above->next) {
		if (above->chain == rule->chain &&
		    strncmp(above->target, IPTABLES_PREFIX, strlen(IPTABLES_PREFIX)) == 0)
			return true;
	}
	return false;
}

bool findings_way_serves(const struct found *found, enum found_verdict verdict, uint16_t port)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		const struct found_chain *chain = rule->chain;
		const struct found_chain *target = found_chain(found, chain->family, chain->table, rule->target);

		if (!found_asks_for(rule, port) || rule->foreign)
			continue;
		if (rule->verdict == verdict)
			return true;
		for (const struct found_rule *led = found->rules; led && rule->verdict == FOUND_JUMP; led = led->next) {
			if (led->chain == target && led->verdict == verdict)
				return true;
		}
	}
	return false;
}

/* DNAT by which the server's port is another than the client's. */
static void look_at_translation(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	const uint16_t dialled = rule->asked_count ? rule->asked[0].low : 0, served = rule->to_port;
	char remedy[REQUEST_COMMAND_MAX], what[FOUND_TEXT_MAX + 80];
	struct request request = findings->request;

	if (!dialled || !served || found_asks_for(rule, served) || rule->foreign || !rule->chain->roots)
		return;
	/* Of both it is asked already, or of none. */
	if (found_has_port(found, served, served) == found_has_port(found, dialled, dialled))
		return;
	request.ports.given = true;
	ports_add(&request.ports, dialled);
	ports_add(&request.ports, served);
	request_apply(&request, remedy);
	if (!findings_way_serves(found, FOUND_ASSIGN, dialled)) {
		snprintf(what, sizeof(what), "port %u to %u, by `%.200s', and no rule assigns a helper to port %u",
			 dialled, served, rule->text, dialled);
		finding_see(findings, FINDING_DNAT_PORT, what, remedy);
	} else if (findings_way_serves(found, FOUND_QUEUE, dialled) &&
		   !findings_way_serves(found, FOUND_QUEUE, served)) {
		snprintf(what, sizeof(what), "port %u to %u, by `%.200s', and no rule queues packets of port %u",
			 dialled, served, rule->text, served);
		finding_see(findings, FINDING_DNAT_PORT, what, remedy);
	}
}

void findings_way_rule(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	if (rule->verdict == FOUND_TRANSLATE)
		look_at_translation(findings, found, rule);
	if (rule->zoned && !backends_own(rule->chain) && rule->chain->roots)
		finding_see(findings, FINDING_ZONES, rule->text, "");
	if (rule->verdict == FOUND_OFFLOAD)
		finding_see(findings, FINDING_OFFLOAD, rule->text, "");
	if (!is_of_ours(rule))
		return;
	if (rule->verdict == FOUND_NOTRACK && !is_too_late(found, rule))
		finding_see(findings, FINDING_NOTRACK, rule->text, rule->removal);
	else if (rule->verdict == FOUND_SYNPROXY)
		finding_see(findings, FINDING_SYNPROXY, rule->text, rule->removal);
}

void findings_way_end(struct findings *findings, const struct found *found)
{
	/* The first that has an effect is the one: others change nothing any more. */
	if (findings->well_assigned)
		findings->wrong[FINDING_ASSIGNED_EARLY].seen = findings->wrong[FINDING_ASSIGNED_LATE].seen = false;
	if (found->legacy)
		finding_see(findings, FINDING_LEGACY, "iptables-legacy", "iptables-legacy-save; ip6tables-legacy-save");
}
