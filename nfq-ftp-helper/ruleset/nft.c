// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Priority mangle, -150, is behind conntrack and before destination NAT. A helper that is assigned there is there
 * when NAT is set up, and that is what gives a connection its seqadj extension, on all kernels.
 */
#include "nft.h"

#include "host/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Both lines together do nothing where there is no such table, and take it away where there is. */
#define FORGET "table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n"

static void write_ports(const struct ruleset_request *request, const char *which, FILE *out)
{
	const bool one = request->port_count == 1;

	fprintf(out, "tcp %s %s", which, one ? "" : "{ ");
	for (unsigned int i = 0; i < request->port_count; i++)
		fprintf(out, "%s%u", i ? ", " : "", request->ports[i]);
	fputs(one ? " " : " } ", out);
}

/* iptables writes a wildcard "ppp+", nft "ppp*". */
static void write_interface(const char *key, const char *name, FILE *out)
{
	size_t length = name ? strlen(name) : 0;

	if (length && name[length - 1] == '+')
		fprintf(out, "%s \"%.*s*\" ", key, (int)length - 1, name);
	else if (length)
		fprintf(out, "%s \"%s\" ", key, name);
}

/* Which packets, at one place and between one pair of interfaces. */
static void write_match(const struct ruleset_request *request, const struct ruleset_place *place,
			const struct ruleset_interfaces *interfaces, FILE *out)
{
	const char *in = ruleset_in(place, interfaces);

	fputs("\t\t", out);
	write_interface("iifname", in, out);
	write_interface("oifname", ruleset_out(place, interfaces), out);
	write_ports(request, place->to_server ? "dport" : "sport", out);
	if (place->not_lo && !in)
		fputs("iifname != \"lo\" ", out);
	if (place->from_here)
		fputs("fib saddr type local ", out);
	if (request->zone >= 0)
		fprintf(out, "ct zone %d ", request->zone);
}

static void write_rules(const struct ruleset_request *request, const struct ruleset_place *place, const char *action,
			FILE *out)
{
	for (unsigned int i = 0; i < request->interface_count; i++) {
		write_match(request, place, &request->interfaces[i], out);
		fprintf(out, "%s\n", action);
	}
}

static void write_chain_begin(const char *hook, FILE *out)
{
	fprintf(out, "\n\tchain %s {\n\t\ttype filter hook %s priority mangle; policy accept;\n", hook, hook);
}

static void write_range(const struct queue_range *range, FILE *out)
{
	fprintf(out, "queue num %u", range->first);
	if (range->last != range->first)
		fprintf(out, "-%u", range->last);
}

static void write_normal_queue(const struct ruleset_request *request, const char *which, FILE *out)
{
	fprintf(out, "\t\t%s", which);
	write_range(&request->run.queues, out);
	fputs(" bypass\n", out);
}

/* Everything that is to be followed comes here. */
static void write_queues(const struct ruleset_request *request, FILE *out)
{
	fputs("\n\tchain follow {\n", out);
	fprintf(out, "\t\tct mark & 0x%08x == 0x%08x ", request->run.mark_mask, request->run.mark);
	write_range(&request->run.sure_queues, out);
	fputc('\n', out);
	if (ruleset_payload_only(request)) {
		write_normal_queue(request, "@ih,0,8 >= 0 ", out);
		write_normal_queue(request, "tcp flags & (syn | fin | rst) != 0 ", out);
	} else {
		write_normal_queue(request, "", out);
	}
	fputs("\t}\n", out);
}

static void write_queueing(const struct ruleset_request *request, FILE *out)
{
	write_queues(request, out);
	for (unsigned int i = 0; i < RULESET_QUEUE_PLACES; i += 2) {
		write_chain_begin(ruleset_queue_places[i].hook, out);
		write_rules(request, &ruleset_queue_places[i], "jump follow", out);
		write_rules(request, &ruleset_queue_places[i + 1], "jump follow", out);
		fputs("\t}\n", out);
	}
}

static void write_assignment(const struct ruleset_request *request, FILE *out)
{
	for (unsigned int i = 0; i < RULESET_ASSIGN_PLACES; i++) {
		write_chain_begin(ruleset_assign_places[i].hook, out);
		write_rules(request, &ruleset_assign_places[i], "ct helper set \"carrier\"", out);
		fputs("\t}\n", out);
	}
}

void nft_write(const struct ruleset_request *request, FILE *out)
{
	fprintf(out, "table inet " NFT_TABLE " {\n\tct helper carrier {\n\t\ttype \"%s\" protocol tcp;\n\t}\n",
		ruleset_helper(request));
	write_assignment(request, out);
	if (request->run.mode == MODE_QUEUE)
		write_queueing(request, out);
	fputs("}\n", out);
}

/* Give the table to nft; with @check only to ask. */
static int submit(const struct ruleset_request *request, bool check, char *complaint)
{
	const char *const doing[] = { "nft", "-f", "-", NULL }, *const asking[] = { "nft", "-c", "-f", "-", NULL };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int error;

	if (!out)
		return -ENOMEM;
	fputs(FORGET, out);
	nft_write(request, out);
	error = fclose(out) ? -ENOMEM : program_run(check ? asking : doing, text, NULL, complaint);
	free(text);
	return error;
}

int nft_check(const struct ruleset_request *request)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "";

	return submit(request, true, complaint);
}

/* Would the kernel take a table of this one chain? */
static bool takes(const char *body)
{
	const char *const argv[] = { "nft", "-c", "-f", "-", NULL };
	char complaint[PROGRAM_COMPLAINT_MAX], text[256];

	snprintf(text, sizeof(text), "table inet " NFT_TABLE "_probe {\n%s\n}\n", body);
	return program_run(argv, text, NULL, complaint) == 0;
}

/* Name what the kernel lacks, where nft says no more than "No such file or directory". */
static void explain(const struct ruleset_request *request, const char *complaint)
{
	char helper[128];

	snprintf(helper, sizeof(helper), "ct helper carrier {\ntype \"%s\" protocol tcp;\n}", ruleset_helper(request));
	if (!takes("chain c {\n}"))
		fprintf(stderr, "rules: nft cannot apply anything here: %s\n", complaint);
	else if (request->run.mode == MODE_QUEUE && !takes("chain c {\nqueue num 0 bypass\n}"))
		fprintf(stderr, "rules: this kernel has no `queue' statement for nft (CONFIG_NFT_QUEUE, module "
			"nft_queue), which mode queue needs: use --backend iptables\n");
	else if (!takes(helper) && request->run.mode == MODE_QUEUE)
		fprintf(stderr,
			"rules: this kernel has no helper `%s', or no `ct helper' objects: name another with "
			"--carrier, such as sane, irc or pptp\n",
			ruleset_helper(request));
	else if (!takes(helper))
		fprintf(stderr, "rules: this kernel knows no helper `" RULESET_HELPER "' yet: %s first\n",
			request->run.mode == MODE_KMOD ? "load the module with `modprobe nf_conntrack_nfqftp'"
						       : "start `nfq-ftp-helper run --mode cthelper'");
	else
		fprintf(stderr, "rules: nft did not take the rules: %s\n", complaint);
}

int nft_apply(const struct ruleset_request *request)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "";
	int error = submit(request, false, complaint);

	if (error == -EREMOTEIO)
		explain(request, complaint);
	else if (error == -ENOENT)
		fprintf(stderr, "rules: there is no program `nft': install nftables, or use --backend iptables\n");
	else if (error)
		fprintf(stderr, "rules: nft could not be run: %s\n", strerror(-error));
	return error;
}

int nft_remove(void)
{
	const char *const argv[] = { "nft", "-f", "-", NULL };
	char complaint[PROGRAM_COMPLAINT_MAX] = "";
	int error = program_run(argv, FORGET, NULL, complaint);

	if (error)
		fprintf(stderr, "rules: the table `inet " NFT_TABLE "' could not be removed: %s\n", complaint);
	return error;
}
