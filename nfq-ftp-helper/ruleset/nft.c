// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Priority mangle, -150, is behind conntrack and before destination NAT. A helper that is assigned there is there
 * when NAT is set up, and that is what gives a connection its seqadj extension, on all kernels. The mark is taken off
 * data connections right behind conntrack, before anybody else's rule can copy it.
 */
#include "backend.h"
#include "host/program.h"
#include "kernel/cthelper.h"
#include "output/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Both lines together do nothing where there is no such table, and take it away where there is. */
#define FORGET "table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n"

static void nft_write_ports(const struct request *request, const char *which, FILE *out)
{
	const bool one = request->ports.count == 1;

	fprintf(out, "tcp %s %s", which, one ? "" : "{ ");
	for (unsigned int i = 0; i < request->ports.count; i++)
		fprintf(out, "%s%u", i ? ", " : "", request->ports.port[i]);
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
static void nft_write_match(const struct request *request, const struct request_place *place,
			    const struct request_interfaces *interfaces, FILE *out)
{
	const char *in = request_in(place, interfaces);

	fputs("\t\t", out);
	write_interface("iifname", in, out);
	write_interface("oifname", request_out(place, interfaces), out);
	nft_write_ports(request, place->to_server ? "dport" : "sport", out);
	if (place->not_lo && !in)
		fputs("iifname != \"lo\" ", out);
	if (place->from_here)
		fputs("fib saddr type local ", out);
	if (request->zone >= 0)
		fprintf(out, "ct zone %d ", request->zone);
}

static void nft_write_rules(const struct request *request, const struct request_place *place, const char *action,
			    FILE *out)
{
	for (unsigned int i = 0; i < request->interface_count; i++) {
		nft_write_match(request, place, &request->interfaces[i], out);
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

static void write_normal_queue(const struct request *request, const char *which, FILE *out)
{
	fprintf(out, "\t\t%s", which);
	write_range(&request->attach.queues, out);
	fputs(" bypass\n", out);
}

/* The kernel gives connections room for labels only while a rule somewhere sets one: asking for them is not enough. No packet comes here. */
static void write_label_room(const struct request *request, FILE *out)
{
	fprintf(out, "\n\tchain labels {\n\t\tct label set %u\n\t}\n", request->attach.label);
}

/* Everything that is to be followed comes here. */
static void nft_write_queues(const struct request *request, FILE *out)
{
	if (request->attach.labels)
		write_label_room(request, out);
	fputs("\n\tchain follow {\n", out);
	if (request->attach.labels) {
		fprintf(out, "\t\tct label %u ", request->attach.label);
		write_range(&request->attach.sure_queues, out);
		fputc('\n', out);
	}
	fprintf(out, "\t\tct mark & 0x%08x == 0x%08x ", request->attach.mark_mask, request->attach.mark);
	write_range(&request->attach.sure_queues, out);
	fputc('\n', out);
	if (request_payload_only(request)) {
		write_normal_queue(request, "@ih,0,8 >= 0 ", out);
		write_normal_queue(request, "tcp flags & (syn | fin | rst) != 0 ", out);
	} else {
		write_normal_queue(request, "", out);
	}
	fputs("\t}\n", out);
}

static void nft_write_queueing(const struct request *request, FILE *out)
{
	nft_write_queues(request, out);
	for (unsigned int i = 0; i < REQUEST_QUEUE_PLACES; i += 2) {
		write_chain_begin(request_queue_places[i].hook, out);
		nft_write_rules(request, &request_queue_places[i], "jump follow", out);
		nft_write_rules(request, &request_queue_places[i + 1], "jump follow", out);
		fputs("\t}\n", out);
	}
}

static void write_assignment(const struct request *request, FILE *out)
{
	for (unsigned int i = 0; i < REQUEST_ASSIGN_PLACES; i++) {
		write_chain_begin(request_assign_places[i].hook, out);
		nft_write_rules(request, &request_assign_places[i], "ct helper set \"carrier\"", out);
		fputs("\t}\n", out);
	}
}

/* A data connection begins with its control connection's mark: whoever routes by marks is not to see ours there. */
static void nft_write_unmarking(const struct request *request, FILE *out)
{
	const struct attach *run = &request->attach;

	for (unsigned int i = 0; i < REQUEST_ASSIGN_PLACES; i++)
		fprintf(out,
			"\n\tchain unmark_%s {\n\t\ttype filter hook %s priority -190; policy accept;\n"
			"\t\tct status expected ct mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x\n\t}\n",
			request_assign_places[i].hook, request_assign_places[i].hook, run->mark_mask, run->mark,
			~run->mark_mask);
}

static void nft_write(const struct request *request, FILE *out)
{
	fprintf(out, "table inet " NFT_TABLE " {\n\tct helper carrier {\n\t\ttype \"%s\" protocol tcp;\n\t}\n",
		request_helper(request));
	write_assignment(request, out);
	nft_write_unmarking(request, out);
	if (request->attach.mode == MODE_QUEUE)
		nft_write_queueing(request, out);
	fputs("}\n", out);
}

/* Give the table to nft; with @check only to ask. */
static int submit(const struct request *request, bool check, char *complaint)
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

static int nft_check(const struct request *request)
{
	return submit(request, true, NULL);
}

/* Would the kernel take a table of this one chain? */
static bool takes(const char *body)
{
	const char *const argv[] = { "nft", "-c", "-f", "-", NULL };
	char text[256];

	snprintf(text, sizeof(text), "table inet " NFT_TABLE "_probe {\n%s\n}\n", body);
	return program_run(argv, text, NULL, NULL) == 0;
}

/* Name what the kernel lacks, where nft says no more than "No such file or directory". */
static void nft_explain(const struct request *request, const char *complaint)
{
	char helper[128];

	snprintf(helper, sizeof(helper), "ct helper carrier {\ntype \"%s\" protocol tcp;\n}", request_helper(request));
	if (!takes("chain c {\n}"))
		say_sentence("nft cannot apply anything here: %s", complaint);
	else if (request->attach.mode == MODE_QUEUE && !takes("chain c {\nqueue num 0 bypass\n}"))
		say_sentence("this kernel has no `queue' statement for nft (CONFIG_NFT_QUEUE, module "
			     "nft_queue), which mode queue needs: use --backend iptables");
	else if (!takes(helper) && request->attach.mode == MODE_QUEUE)
		say_sentence("this kernel has no helper `%s', or no `ct helper' objects: name another with "
			     "--carrier, such as sane, irc or pptp",
			     request_helper(request));
	else if (!takes(helper))
		say_sentence("this kernel knows no helper `" CTHELPER_NAME "' yet: %s first",
			     request_helper_comes_by(request));
	else
		say_sentence("nft did not take the rules: %s", complaint);
}

static int nft_apply(const struct request *request)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "";
	int error = submit(request, false, complaint);

	if (error == -EREMOTEIO)
		nft_explain(request, complaint);
	else if (error == -ENOENT)
		say_sentence("there is no program `nft': install nftables, or use --backend iptables");
	else if (error)
		say_sentence("nft could not be run: %s", strerror(-error));
	return error;
}

static int nft_remove(void)
{
	const char *const argv[] = { "nft", "-f", "-", NULL };
	char complaint[PROGRAM_COMPLAINT_MAX] = "";
	int error = program_run(argv, FORGET, NULL, complaint);

	if (error)
		say_sentence("the table `inet " NFT_TABLE "' could not be removed: %s", complaint);
	return error;
}

const struct backend nft_backend = {
	.name = NFT_NAME,
	.write = nft_write,
	.apply = nft_apply,
	.remove = nft_remove,
	.check = nft_check,
};
