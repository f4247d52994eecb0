// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order within a table: a chain is named (and so made, or emptied) before anything jumps to it, and a jump taken
 * away before its chain is.
 */
#include "iptables_chains.h"

#include <string.h>

static void xt_write_ports(const struct request *request, const char *which, FILE *out)
{
	fprintf(out, "-p tcp %s--%s", request->ports.count > 1 ? "-m multiport " : "", which);
	if (request->ports.count > 1)
		fputc('s', out);
	for (unsigned int i = 0; i < request->ports.count; i++)
		fprintf(out, "%c%u", i ? ',' : ' ', request->ports.port[i]);
}

static void xt_write_match(const struct request *request, const struct request_place *place,
			   const struct request_interfaces *interfaces, FILE *out)
{
	const char *incoming = request_in(place, interfaces), *outgoing = request_out(place, interfaces);

	fprintf(out, "-A " IPTABLES_PREFIX "%s ", place->chain);
	if (incoming)
		fprintf(out, "-i %s ", incoming);
	else if (place->not_lo)
		fputs("! -i lo ", out);
	if (outgoing)
		fprintf(out, "-o %s ", outgoing);
	xt_write_ports(request, place->to_server ? "dport" : "sport", out);
	if (place->from_here)
		fputs(" -m addrtype --src-type LOCAL", out);
}

static void write_target(const struct queue_range *queues, const char *more, FILE *out)
{
	if (queues->first == queues->last)
		fprintf(out, " -j NFQUEUE --queue-num %u%s\n", queues->first, more);
	else
		fprintf(out, " -j NFQUEUE --queue-balance %u:%u%s\n", queues->first, queues->last, more);
}

static void xt_write_queues(const struct request *request, const struct iptables_family *family, FILE *out)
{
	const struct attach *run = &request->attach;

	if (run->labels) {
		fprintf(out, "-A " IPTABLES_PREFIX "QUEUE -m connlabel --label %u", run->label);
		write_target(&run->sure_queues, "", out);
	}
	fprintf(out, "-A " IPTABLES_PREFIX "QUEUE -m connmark --mark 0x%x/0x%x", run->mark, run->mark_mask);
	write_target(&run->sure_queues, "", out);
	if (!request_payload_only(request)) {
		fputs("-A " IPTABLES_PREFIX "QUEUE", out);
		write_target(&run->queues, " --queue-bypass", out);
		return;
	}
	fprintf(out, "-A " IPTABLES_PREFIX "QUEUE -m bpf --bytecode \"%s\"", family->payload);
	write_target(&run->queues, " --queue-bypass", out);
	fputs("-A " IPTABLES_PREFIX "QUEUE -p tcp -m tcp ! --tcp-flags SYN,FIN,RST NONE", out);
	write_target(&run->queues, " --queue-bypass", out);
}

static void write_assignments(const struct request *request, FILE *out)
{
	for (unsigned int i = 0; i < REQUEST_ASSIGN_PLACES * request->interface_count; i++) {
		xt_write_match(request, &request_assign_places[i % REQUEST_ASSIGN_PLACES],
			       &request->interfaces[i / REQUEST_ASSIGN_PLACES], out);
		fprintf(out, " -j CT --helper %s", request_helper(request));
		if (request->zone >= 0)
			fprintf(out, " --zone %d", request->zone);
		fputc('\n', out);
	}
}

static void xt_write_queueing(const struct request *request, const struct iptables_family *family, FILE *out)
{
	xt_write_queues(request, family, out);
	for (unsigned int i = 0; i < REQUEST_QUEUE_PLACES * request->interface_count; i++) {
		xt_write_match(request, &request_queue_places[i % REQUEST_QUEUE_PLACES],
			       &request->interfaces[i / REQUEST_QUEUE_PLACES], out);
		fputs(" -j " IPTABLES_PREFIX "QUEUE\n", out);
	}
}

/* A data connection begins with its control connection's mark: whoever routes by marks is not to see ours there. */
static void xt_write_unmarking(const struct request *request, FILE *out)
{
	const struct attach *run = &request->attach;

	for (unsigned int i = IPTABLES_OWN_MARK_PREROUTING; i <= IPTABLES_OWN_MARK_OUTPUT; i++)
		fprintf(out,
			"-A %s -m conntrack --ctstatus EXPECTED -m connmark --mark 0x%x/0x%x -j CONNMARK --set-xmark "
			"0x0/0x%x\n",
			iptables_own[i].name, run->mark, run->mark_mask, run->mark_mask);
}

static bool is_touched(const struct iptables_own_state *own)
{
	return own->wanted || own->exists || own->jumped;
}

/* What was made for us, and what is about to be. */
static void write_made(const struct iptables_own *own, const struct iptables_own_state *state, FILE *out)
{
	if (state->wanted && state->made_chain)
		fprintf(out, "-A %s -m comment --comment \"" IPTABLES_MADE_CHAIN "\"\n", own->name);
	if (state->wanted && state->made_table)
		fprintf(out, "-A %s -m comment --comment \"" IPTABLES_MADE_TABLE "\"\n", own->name);
}

/* Of a table, from @first on, before @end. The chain that others jump to is the first to come, and the last to go. */
static void write_chains(const struct iptables_state *state, unsigned int first, unsigned int end, FILE *out)
{
	for (unsigned int i = first; i < end; i++) {
		if (is_touched(&state->own[i]))
			fprintf(out, ":%s - [0:0]\n", iptables_own[i].name);
	}
	for (unsigned int i = first; i < end; i++) {
		const struct iptables_own *own = &iptables_own[i];
		const bool jumped = state->own[i].jumped;

		if (own->base && state->own[i].wanted != jumped)
			fprintf(out, "-%c %s -j %s\n", jumped ? 'D' : own->jump, own->base, own->name);
	}
	for (unsigned int i = end; i-- > first;) {
		if (is_touched(&state->own[i]) && !state->own[i].wanted)
			fprintf(out, "-X %s\n", iptables_own[i].name);
	}
	for (unsigned int i = first; i < end; i++)
		write_made(&iptables_own[i], &state->own[i], out);
}

/* Our chains of one table stand together. Return: whether any is to be changed. */
static bool find_table(const struct iptables_state *state, const char *table, unsigned int *first, unsigned int *end)
{
	bool touched = false;

	*first = 0;
	while (strcmp(iptables_own[*first].table, table) != 0)
		++*first;
	for (*end = *first; *end < IPTABLES_OWN && strcmp(iptables_own[*end].table, table) == 0; ++*end)
		touched |= is_touched(&state->own[*end]);
	return touched;
}

void iptables_write(const struct request *request, const struct iptables_family *family,
		    const struct iptables_state *state, FILE *out)
{
	unsigned int first, end;

	if (find_table(state, "raw", &first, &end)) {
		fputs("*raw\n", out);
		write_chains(state, first, end, out);
		if (request && state->own[IPTABLES_OWN_PREROUTING].wanted)
			write_assignments(request, out);
		fputs("COMMIT\n", out);
	}
	if (find_table(state, "mangle", &first, &end)) {
		fputs("*mangle\n", out);
		write_chains(state, first, end, out);
		if (request && state->own[IPTABLES_OWN_QUEUE].wanted)
			xt_write_queueing(request, family, out);
		if (request && state->own[IPTABLES_OWN_MARK_PREROUTING].wanted)
			xt_write_unmarking(request, out);
		fputs("COMMIT\n", out);
	}
}
