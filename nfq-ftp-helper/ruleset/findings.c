// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include "backends.h"
#include "findings_way.h"
#include "found_read.h"
#include "host/module.h"
#include "host/sysctl.h"
#include "iptables_chains.h"
#include "marks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Ours: packets are queued, and helpers assigned, there. */
#define OUR_PRIORITY	   (-150)
#define CONNTRACK_PRIORITY (-200)

static void look_at_assignment(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	const struct keeper *keeper = keepers_of(&found->chains[rule->chain]);

	if (rule->ports == FOUND_PORTS_OTHER || !rule->helper[0])
		return;
	if (strcmp(rule->helper, "ftp") == 0) {
		finding_see(findings, FINDING_FTP_ASSIGNED, rule->text,
			    keeper && keeper->helper_off ? keeper->helper_off : rule->removal);
		return;
	}
	if (!found_asks_for_ports(found, rule) || !findings_way_assigns(findings, found, rule) || findings->assigned)
		return;
	findings->assigned = true;
	snprintf(findings->helper, sizeof(findings->helper), "%s", rule->helper);
	snprintf(findings->assigning, sizeof(findings->assigning), "%s", rule->text);
}

static void look_at_queue(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	if (!rule->queues.given || !found_asks_for_ports(found, rule) || !found->chains[rule->chain].roots)
		return;
	if (rule->marked || rule->labelled) {
		findings->sure_queues = rule->queues;
		return;
	}
	if (findings->queued)
		return;
	findings->queued = true;
	findings->queues = rule->queues;
	findings->some_only = rule->narrow && backends_own(&found->chains[rule->chain]);
}

/* Does a packet come to @root before it comes to us? */
static bool is_before_us(const struct found_chain *root)
{
	if (root->priority <= CONNTRACK_PRIORITY)
		return false;
	if (root->hook == FOUND_HOOK_PREROUTING)
		return true;
	return (root->hook == FOUND_HOOK_FORWARD || root->hook == FOUND_HOOK_INPUT) && root->priority <= OUR_PRIORITY;
}

/* Is there, in @root, a jump to us or a queue rule above @rule? */
static bool is_behind_us(const struct found *found, const struct found_rule *rule)
{
	for (const struct found_rule *above = found->rules; above < rule; above++) {
		if (above->chain != rule->chain)
			continue;
		if (above->verdict == FOUND_QUEUE && above->ports == FOUND_PORTS_OURS)
			return true;
		if (strncmp(above->target, IPTABLES_PREFIX, strlen(IPTABLES_PREFIX)) == 0 &&
		    strncmp(above->target, IPTABLES_MARK_PREFIX, strlen(IPTABLES_MARK_PREFIX)) != 0)
			return true;
	}
	return false;
}

static void look_at_drop(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	if (!(rule->states & FOUND_STATE_INVALID) || rule->ports == FOUND_PORTS_OTHER || is_behind_us(found, rule))
		return;
	for (size_t i = 0; i < found->chain_count; i++) {
		const struct found_chain *root = &found->chains[i];

		if (root->hook != FOUND_HOOK_NONE && (found->chains[rule->chain].roots >> root->root & 1) &&
		    is_before_us(root))
			finding_see(findings, FINDING_INVALID, rule->text, rule->removal);
	}
}

static void look_at_rule(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	if (rule->verdict == FOUND_ASSIGN)
		look_at_assignment(findings, found, rule);
	else if (rule->verdict == FOUND_QUEUE)
		look_at_queue(findings, found, rule);
	else if (rule->verdict == FOUND_DROP)
		look_at_drop(findings, found, rule);
	findings_way_rule(findings, found, rule);
}

/* Does @rule, in or under a base chain, let data connections of @helper through? A jump may; that is left at that. */
static bool lets_related(const struct found_rule *rule, const char *helper)
{
	if (rule->verdict != FOUND_ACCEPT && rule->verdict != FOUND_JUMP)
		return false;
	if (rule->if_helper[0] && strcmp(rule->if_helper, helper) != 0)
		return false;
	if (rule->states & FOUND_STATE_RELATED)
		return true;
	return rule->verdict == FOUND_ACCEPT && found_is_plain(rule);
}

static bool drops_all(const struct found_rule *rule)
{
	return rule->verdict == FOUND_DROP && found_is_plain(rule);
}

/* A base chain that drops by its policy, or by a rule in itself. */
static bool is_strict(const struct found *found, size_t chain)
{
	if (found->chains[chain].drops)
		return true;
	for (size_t i = 0; i < found->rule_count; i++) {
		if (found->rules[i].chain == chain && drops_all(&found->rules[i]))
			return true;
	}
	return false;
}

static bool accepts_related(const struct found *found, const struct found_chain *root, const char *helper)
{
	for (size_t i = 0; i < found->rule_count; i++) {
		const struct found_rule *rule = &found->rules[i];

		if ((found->chains[rule->chain].roots >> root->root & 1) && lets_related(rule, helper))
			return true;
	}
	return false;
}

/* The command that lets data connections through @chain. */
static void write_acceptance(const struct found_chain *chain, char remedy[FOUND_TEXT_MAX])
{
	if (chain->iptables)
		snprintf(remedy, FOUND_TEXT_MAX,
			 "%s -t %.60s -I %.60s -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", chain->iptables,
			 chain->table, chain->name);
	else
		snprintf(remedy, FOUND_TEXT_MAX, "nft insert rule %.7s %.60s %.60s ct state established,related accept",
			 chain->family, chain->table, chain->name);
}

static void look_at_chain(struct findings *findings, const struct found *found, size_t index)
{
	const struct found_chain *chain = &found->chains[index];
	const struct keeper *keeper = keepers_of(chain);
	char text[FOUND_TEXT_MAX], remedy[FOUND_TEXT_MAX];

	if (keeper)
		findings->kept[keeper - keepers] = true;
	if (chain->hook != FOUND_HOOK_FORWARD && chain->hook != FOUND_HOOK_INPUT && chain->hook != FOUND_HOOK_OUTPUT)
		return;
	if (!is_strict(found, index) || accepts_related(found, chain, findings->helper))
		return;
	if (chain->iptables)
		snprintf(text, sizeof(text), "chain %.60s of table %.60s of %s", chain->name, chain->table,
			 chain->iptables);
	else
		snprintf(text, sizeof(text), "chain %.60s of table %.7s %.60s", chain->name, chain->family,
			 chain->table);
	write_acceptance(chain, remedy);
	finding_see(findings, FINDING_RELATED, text, remedy);
}

static void look_at_kernel(struct findings *findings)
{
	char remedy[FOUND_TEXT_MAX];

	if (sysctl_number("net/netfilter/nf_conntrack_helper") != 1)
		return;
	snprintf(remedy, sizeof(remedy), SYSCTL_MODULE_FIRST("nf_conntrack") SYSCTL_SET_FOR_GOOD,
		 "net.netfilter.nf_conntrack_helper", 0, "helper");
	finding_see(findings, FINDING_FTP_AUTOMATIC, "net.netfilter.nf_conntrack_helper = 1", remedy);
}

/* The command that gives us another bit. */
static void write_mark_remedy(uint32_t bit, bool module, char remedy[FOUND_TEXT_MAX])
{
	if (!bit)
		snprintf(remedy, FOUND_TEXT_MAX,
			 "nfq-ftp-helper rules --apply --mode queue --label, and start what it says");
	else if (module)
		snprintf(remedy, FOUND_TEXT_MAX,
			 "echo options " MODULE_NAME " mark=%#x >/etc/modprobe.d/" MODULE_NAME ".conf; "
			 "echo %u >" MODULE_PARAMETERS "/mark; nfq-ftp-helper rules --apply --mode kmod",
			 bit, bit);
	else
		snprintf(remedy, FOUND_TEXT_MAX, "nfq-ftp-helper rules --apply, and start what it says");
}

static void look_at_marks(struct findings *findings, const struct found *found, const struct attach *asked)
{
	uint32_t mask = asked ? asked->mark_mask : 0;
	char culprit[MARKS_CULPRIT_MAX], text[MARKS_CULPRIT_MAX + 32], remedy[FOUND_TEXT_MAX];
	struct attach module = { 0 };
	const bool is_module = attach_adopt_module(&module) == 0;
	struct marks marks;

	marks_look(&marks, found);
	if (asked ? asked->labels : marks.own_labelled)
		return;
	if (!mask)
		mask = is_module ? module.mark_mask : marks.own_mask;
	if (!mask || !marks_culprit(&marks, found, mask, culprit))
		return;
	snprintf(text, sizeof(text), "%#x, is %s", mask, culprit);
	write_mark_remedy(marks_free(&marks, mask), is_module, remedy);
	finding_see(findings, FINDING_MARK, text, remedy);
}

int findings_look(struct findings *findings, const struct ports *ports, const struct attach *asked)
{
	struct found found = { .ports = ports };
	int error = found_read(&found);

	*findings = (struct findings){ .readable = !error && found.readable };
	for (size_t i = 0; i < found.rule_count && !error; i++)
		look_at_rule(findings, &found, &found.rules[i]);
	for (size_t i = 0; i < found.chain_count && !error; i++)
		look_at_chain(findings, &found, i);
	if (!error)
		findings_way_end(findings, &found);
	if (!error)
		look_at_marks(findings, &found, asked);
	look_at_kernel(findings);
	found_free(&found);
	return error;
}
