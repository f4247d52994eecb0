// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include "backends.h"
#include "findings_way.h"
#include "found_read.h"
#include "host/helper.h"
#include "host/module.h"
#include "host/sysctl.h"
#include "iptables_chains.h"
#include "kernel/cthelper.h"
#include "marks.h"
#include "output/pasted.h"

#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

/* Ours: packets are queued, and helpers assigned, there. */
#define OUR_PRIORITY NF_IP_PRI_MANGLE

/* ---- what the present rules are ---- */

static void look_at_queue(struct findings *findings, const struct found_rule *rule)
{
	if (!rule->queues.given || !found_asks_for_ports(rule) || !rule->chain->roots)
		return;
	if (rule->marked || rule->labelled) {
		findings->sure_queues = rule->queues;
		return;
	}
	if (findings->queues.given)
		return;
	findings->queues = rule->queues;
	findings->some_only = rule->narrow && backends_own(rule->chain);
}

static bool is_assignment(const struct found_rule *rule)
{
	return rule->verdict == FOUND_ASSIGN && rule->helper[0] && strcmp(rule->helper, "ftp") != 0;
}

/* Does it give control connections, and no others, a helper? Not every helper is there for FTP's sake. */
static bool is_for_us(const struct found *found, const struct found_rule *rule, uint16_t port)
{
	if (backends_own(rule->chain))
		return true;
	return rule->chain->roots &&
	       (strcmp(rule->helper, CTHELPER_NAME) == 0 || findings_way_serves(found, FOUND_QUEUE, port));
}

/* The ports of rules that are there, of ours alone where @own. */
static void gather_ports(const struct found *found, bool own, struct ports *ports)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (!is_assignment(rule) || (own && !backends_own(rule->chain)))
			continue;
		for (unsigned int j = 0; j < rule->asked_count; j++) {
			const struct found_asked *asked = &rule->asked[j];

			for (uint32_t port = asked->low; port <= asked->high && ports->count < PORTS_MAX; port++) {
				if (is_for_us(found, rule, (uint16_t)port))
					ports_add(ports, (uint16_t)port);
			}
		}
	}
}

/* Where none are asked for, those of the present rules are in question; a remedy leaves out none of ours. */
static void settle_ports(struct findings *findings, struct found *found)
{
	struct ports *ports = &findings->request.ports, present = { .given = true };

	gather_ports(found, ports->given, &present);
	if (ports->given) {
		for (unsigned int i = 0; i < present.count; i++)
			ports_add(ports, present.port[i]);
	} else if (present.count > 1 || (present.count && present.port[0] != PORTS_FTP)) {
		*ports = findings->ports = present;
		found_read_ports(found, &findings->ports);
	}
}

/* Is a helper assigned to connections to the ports in question, or by us to any; one of this name, where there is one? */
static bool assigns(const struct found *found, const char *helper)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (is_assignment(rule) && (!helper || strcmp(rule->helper, helper) == 0) &&
		    (backends_own(rule->chain) || found_asks_for_ports(rule)))
			return true;
	}
	return false;
}

/*
 * Where rules queue to: ours whatever ports they are for, else others for those in question, where they assign a helper, too: without one they
 * are some other program's. Not given: nowhere.
 */
static void find_queues(const struct findings *findings, const struct found *found, struct queue_range *queues,
			struct queue_range *sure)
{
	*queues = *sure = (struct queue_range){ .given = false };
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (!rule->queues.given || !backends_own(rule->chain))
			continue;
		if (rule->marked || rule->labelled)
			*sure = rule->queues;
		else
			*queues = rule->queues;
	}
	if (queues->given || !assigns(found, NULL))
		return;
	*queues = findings->queues;
	*sure = findings->sure_queues;
}

static void settle_mode(struct findings *findings, const struct found *found)
{
	struct attach *attach = &findings->request.attach;
	const bool queues_asked = attach->queues.last > 0 || attach->sure_queues.given;
	struct queue_range queues, sure, next;

	find_queues(findings, found, &queues, &sure);
	if (queues.given)
		findings->mode = MODE_QUEUE;
	else if (assigns(found, CTHELPER_NAME))
		findings->mode = module_is_loaded(MODULE_NAME) ? MODE_KMOD : MODE_CTHELPER;
	if (attach->mode == MODE_AUTO)
		attach->mode = findings->mode;
	if (attach->mode != MODE_QUEUE || !queues.given || queues_asked)
		return;
	attach->queues = queues;
	/* The next ones need not be said. */
	if (!sure.given || !queue_range_next(&queues, &next) || next.first != sure.first)
		attach->sure_queues = sure;
}

static void settle_backend(struct findings *findings, const struct found *found)
{
	for (const struct found_chain *chain = found->chains; chain && !findings->request.backend;
	     chain = chain->next) {
		if (backends_own(chain))
			findings->request.backend = chain->iptables ? iptables_backend.name : nft_backend.name;
	}
}

/* Of the ports in question one for which rules neither assign a helper nor queue; 0: there is none. */
static uint16_t find_unserved(struct findings *findings, struct found *found)
{
	uint16_t unserved = 0;

	for (unsigned int i = 0; i < findings->ports.count && !unserved; i++) {
		const struct ports one = { .count = 1, .port = { findings->ports.port[i] } };
		bool served = false;

		found_read_ports(found, &one);
		for (const struct found_rule *rule = found->rules; rule && !served; rule = rule->next) {
			served = (is_assignment(rule) || rule->verdict == FOUND_QUEUE) && found_asks_for_ports(rule) &&
				 rule->chain->roots;
		}
		unserved = served ? 0 : one.port[0];
	}
	found_read_ports(found, &findings->ports);
	return unserved;
}

static void look_at_present(struct findings *findings, struct found *found, bool asked)
{
	if (!asked)
		settle_ports(findings, found);
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (rule->verdict == FOUND_QUEUE)
			look_at_queue(findings, rule);
	}
	if (asked)
		return;
	settle_mode(findings, found);
	settle_backend(findings, found);
	findings->unserved = find_unserved(findings, found);
}

/* ---- what stands in FTP's way ---- */

static void look_at_assignment(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	const struct keeper *keeper = keepers_of(rule->chain);

	if (rule->ports == FOUND_PORTS_OTHER || !rule->helper[0])
		return;
	if (strcmp(rule->helper, "ftp") == 0) {
		finding_see(findings, FINDING_FTP_ASSIGNED, rule->text,
			    keeper && keeper->helper_off ? keeper->helper_off : rule->removal);
		return;
	}
	if (!found_asks_for_ports(rule) || !findings_way_assigns(findings, found, rule) || findings->helper[0])
		return;
	snprintf(findings->helper, sizeof(findings->helper), "%s", rule->helper);
	snprintf(findings->assigning, sizeof(findings->assigning), "%s", rule->text);
}

/* Does a packet come to @root before it comes to us? */
static bool is_before_us(const struct found_chain *root)
{
	if (root->priority <= NF_IP_PRI_CONNTRACK)
		return false;
	if (root->hook == FOUND_HOOK_PREROUTING)
		return true;
	return (root->hook == FOUND_HOOK_FORWARD || root->hook == FOUND_HOOK_INPUT) && root->priority <= OUR_PRIORITY;
}

/* Is there, in @root, a jump to us or a queue rule above @rule? */
static bool is_behind_us(const struct found *found, const struct found_rule *rule)
{
	for (const struct found_rule *above = found->rules; above != rule; above = above->next) {
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
	for (const struct found_chain *root = found->chains; root; root = root->next) {
		if (found_is_under(rule, root) && is_before_us(root))
			finding_see(findings, FINDING_INVALID, rule->text, rule->removal);
	}
}

static void look_at_rule(struct findings *findings, const struct found *found, const struct found_rule *rule)
{
	if (rule->verdict == FOUND_ASSIGN)
		look_at_assignment(findings, found, rule);
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

/* A base chain that drops by its policy, or by a rule in itself. */
static bool is_strict(const struct found *found, const struct found_chain *chain)
{
	bool strict = chain->drops;

	for (const struct found_rule *rule = found->rules; rule && !strict; rule = rule->next) {
		strict = rule->chain == chain && rule->verdict == FOUND_DROP && found_is_plain(rule);
	}
	return strict;
}

static bool accepts_related(const struct found *found, const struct found_chain *root, const char *helper)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (found_is_under(rule, root) && lets_related(rule, helper))
			return true;
	}
	return false;
}

/* The command that lets data connections through @chain. */
static void write_acceptance(const struct found_chain *chain, char remedy[FOUND_TEXT_MAX])
{
	char table[FOUND_PASTED_MAX], name[FOUND_PASTED_MAX];

	pasted(chain->table, table, sizeof(table));
	pasted(chain->name, name, sizeof(name));
	if (chain->iptables)
		snprintf(remedy, FOUND_TEXT_MAX, "%s -t %s -I %s -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
			 chain->iptables, table, name);
	else
		snprintf(remedy, FOUND_TEXT_MAX, "nft insert rule %.7s %s %s ct state established,related accept",
			 chain->family, table, name);
}

static void look_at_chain(struct findings *findings, const struct found *found, const struct found_chain *chain)
{
	const struct keeper *keeper = keepers_of(chain);
	char text[FOUND_TEXT_MAX], remedy[FOUND_TEXT_MAX];

	if (keeper)
		findings->kept[keeper - keepers] = true;
	if (chain->hook != FOUND_HOOK_FORWARD && chain->hook != FOUND_HOOK_INPUT && chain->hook != FOUND_HOOK_OUTPUT)
		return;
	if (!is_strict(found, chain) || accepts_related(found, chain, findings->helper))
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

/* Kernels before 7.2 take none away that a rule names; a rule that is to be will name one that is there. */
static void look_at_helper(struct findings *findings)
{
	char command[REQUEST_COMMAND_MAX];
	struct helper own;

	if (strcmp(findings->helper, CTHELPER_NAME) != 0 || module_is_loaded(MODULE_NAME) || helper_look(&own) < 0 ||
	    own.known)
		return;
	finding_see(findings, FINDING_HELPER_DEAD, findings->assigning, request_apply(&findings->request, command));
}

static void look_at_kernel(struct findings *findings)
{
	if (sysctl_number("net/netfilter/nf_conntrack_helper") == 1)
		finding_see(findings, FINDING_FTP_AUTOMATIC, "net.netfilter.nf_conntrack_helper = 1",
			    SYSCTL_MODULE_FIRST("nf_conntrack")
				    SYSCTL_SET_FOR_GOOD("net.netfilter.nf_conntrack_helper", "0", "helper"));
}

/* The command that gives us another bit. */
static void write_mark_remedy(const struct request *asked, uint32_t bit, bool module, char remedy[FINDING_REMEDY_MAX])
{
	struct request request = *asked;
	char command[REQUEST_COMMAND_MAX];

	if (request.attach.mark_mask)
		request.attach.mark = request.attach.mark_mask = module ? 0 : bit;
	if (!bit) {
		request.attach.mode = MODE_QUEUE;
		request.attach.labels = true;
	} else if (module) {
		request.attach.mode = MODE_KMOD;
	}
	request_apply(&request, command);
	if (bit && module)
		snprintf(remedy, FINDING_REMEDY_MAX,
			 "echo options " MODULE_NAME " mark=%#x >/etc/modprobe.d/" MODULE_NAME ".conf; "
			 "echo %u >" MODULE_PARAMETERS "/mark; %s",
			 bit, bit, command);
	else
		snprintf(remedy, FINDING_REMEDY_MAX, "%s, and start what it says", command);
}

static void look_at_marks(struct findings *findings, const struct found *found, const struct attach *asked)
{
	uint32_t mask = asked ? asked->mark_mask : 0;
	char culprit[MARKS_CULPRIT_MAX], text[MARKS_CULPRIT_MAX + 32], remedy[FINDING_REMEDY_MAX];
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
	write_mark_remedy(&findings->request, marks_free(&marks, mask), is_module, remedy);
	finding_see(findings, FINDING_MARK, text, remedy);
}

void findings_of(struct findings *findings, struct found *found, const struct request *request,
		 const struct attach *asked)
{
	*findings = (struct findings){ .readable = found->readable, .ports = request->ports, .request = *request };
	found->ports = &findings->ports;
	look_at_present(findings, found, asked != NULL);
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next)
		look_at_rule(findings, found, rule);
	for (const struct found_chain *chain = found->chains; chain; chain = chain->next)
		look_at_chain(findings, found, chain);
	findings_way_end(findings, found);
	look_at_marks(findings, found, asked);
	if (!asked)
		look_at_helper(findings);
	look_at_kernel(findings);
}

int findings_look(struct findings *findings, const struct request *request, const struct attach *asked)
{
	struct found found = { .ports = &request->ports };
	const int error = found_read(&found);

	if (!error)
		findings_of(findings, &found, request, asked);
	found_free(&found);
	return error;
}
