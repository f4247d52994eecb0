/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints, applies and removes the rules of a mode; the backends know how they are written.
 */
#include "rules.h"

#include "check.h"
#include "command.h"
#include "daemon/attachment.h"
#include "rules_conflicts.h"
#include "rules_iptables.h"
#include "rules_machine.h"
#include "rules_nft.h"
#include "rules_options.h"

#include <errno.h>
#include <string.h>

const struct rules_place rules_assign_places[RULES_ASSIGN_PLACES] = {
	{ .hook = "prerouting", .chain = "PREROUTING", .to_server = true, .sees_in = true },
	{ .hook = "output", .chain = "OUTPUT", .to_server = true, .sees_out = true },
};

const struct rules_place rules_queue_places[RULES_QUEUE_PLACES] = {
	{ .hook = "forward", .chain = "FORWARD", .to_server = true, .sees_in = true, .sees_out = true },
	{ .hook = "forward", .chain = "FORWARD", .to_server = false, .sees_in = true, .sees_out = true },
	{ .hook = "input", .chain = "INPUT", .to_server = true, .sees_in = true, .not_lo = true },
	{ .hook = "input", .chain = "INPUT", .to_server = false, .sees_in = true, .not_lo = true },
	{ .hook = "postrouting", .chain = "POSTROUTING", .to_server = true, .sees_out = true, .from_here = true },
	{ .hook = "postrouting", .chain = "POSTROUTING", .to_server = false, .sees_out = true, .from_here = true },
};

static const char *name_or_any(const char *name)
{
	return name[0] ? name : NULL;
}

const char *rules_in(const struct rules_place *place, const struct rules_interfaces *interfaces)
{
	if (!place->sees_in)
		return NULL;
	return name_or_any(place->to_server ? interfaces->client : interfaces->server);
}

const char *rules_out(const struct rules_place *place, const struct rules_interfaces *interfaces)
{
	if (!place->sees_out)
		return NULL;
	return name_or_any(place->to_server ? interfaces->server : interfaces->client);
}

const char *rules_helper(const struct rules_request *request)
{
	return request->run.mode == MODE_QUEUE ? request->carrier : RULES_HELPER;
}

bool rules_payload_only(const struct rules_request *request)
{
	return request->run.seqadj == SEQADJ_MODE_KERNEL;
}

const char *rules_backend_name(enum rules_backend backend)
{
	return backend == RULES_BACKEND_NFT ? "nft" : "iptables";
}

static void write_queue_option(const char *option, const struct queue_range *range, FILE *out)
{
	fprintf(out, " --%s %u", option, range->first);
	if (range->last != range->first)
		fprintf(out, ":%u", range->last);
}

/* What the daemon is to be told, so that it fits the rules. */
static void write_run(const struct rules_request *request, FILE *out)
{
	static const char *const seqadj[] = {
		[SEQADJ_MODE_AUTO] = "auto",
		[SEQADJ_MODE_KERNEL] = "kernel",
		[SEQADJ_MODE_SELF] = "self",
	};
	const struct options *run = &request->run;

	fprintf(out, "nfq-ftp-helper run --mode %s", attachment_name(request->run.mode));
	if (request->run.mode == MODE_CTHELPER && run->queues.first > 0)
		write_queue_option("queue", &run->queues, out);
	if (request->run.mode != MODE_QUEUE)
		return;
	write_queue_option("queue", &run->queues, out);
	write_queue_option("sure-queue", &run->sure_queues, out);
	fprintf(out, " --mark 0x%x/0x%x --seqadj %s", run->mark, run->mark_mask, seqadj[run->seqadj]);
}

void rules_write_head(const struct rules_request *request, FILE *out)
{
	fprintf(out, "# nfq-ftp-helper: mode %s, backend %s; it goes with: ", attachment_name(request->run.mode),
		rules_backend_name(request->backend));
	write_run(request, out);
	fputc('\n', out);
}

static void print_rules(const struct rules_request *request)
{
	rules_write_head(request, stdout);
	if (request->backend == RULES_BACKEND_NFT)
		rules_nft_write(request, stdout);
	else
		rules_iptables_write(request, stdout);
}

/* A rule can only name a helper that the kernel knows. */
static int prepare_helper(const struct rules_request *request)
{
	int error = request->run.mode == MODE_CTHELPER ? rules_machine_register() : 0;

	if (error == -EPERM)
		fprintf(stderr, "rules: --apply needs CAP_NET_ADMIN: run it as root\n");
	else if (error == -EEXIST)
		fprintf(stderr, "rules: the helper `" RULES_HELPER "' is a kernel module's: use --mode kmod\n");
	else if (error)
		fprintf(stderr,
			"rules: this kernel cannot register the helper `" RULES_HELPER "' (%s; "
			"CONFIG_NF_CT_NETLINK_HELPER, module nfnetlink_cthelper): use --mode queue\n",
			strerror(-error));
	return error;
}

/* The other backend's rules go: with both in place every packet would be queued twice. */
static int apply_rules(const struct rules_request *request)
{
	const bool nft = request->backend == RULES_BACKEND_NFT;
	int error = prepare_helper(request);

	if (!error)
		error = nft ? rules_nft_apply(request) : rules_iptables_apply(request);
	if (!error && rules_machine_has(nft ? RULES_BACKEND_IPTABLES : RULES_BACKEND_NFT))
		error = nft ? rules_iptables_remove() : rules_nft_remove();
	if (error)
		return error;
	fprintf(stderr, "rules: applied for mode %s with backend %s; now start: ", attachment_name(request->run.mode),
		rules_backend_name(request->backend));
	write_run(request, stderr);
	fputc('\n', stderr);
	return 0;
}

/* From the backend that was named, or from both. */
static int remove_rules(const struct rules_request *request)
{
	const bool both = !request->backend_given;
	int nft = 0, iptables = 0;

	if ((both && rules_machine_has(RULES_BACKEND_NFT)) ||
	    (!both && request->backend == RULES_BACKEND_NFT))
		nft = rules_nft_remove();
	if ((both && rules_machine_has(RULES_BACKEND_IPTABLES)) ||
	    (!both && request->backend == RULES_BACKEND_IPTABLES))
		iptables = rules_iptables_remove();
	return nft ? nft : iptables;
}

static bool may_act(const struct rules_request *request)
{
	if (check_has_rights())
		return true;
	fprintf(stderr, "rules: --%s needs CAP_NET_ADMIN: run it as root\n",
		request->action == RULES_APPLY ? "apply" : "remove");
	return false;
}

/* What was not said on the command line. */
static void choose(struct rules_request *request)
{
	if (request->run.mode == MODE_AUTO)
		request->run.mode = rules_machine_mode(request);
	if (!request->backend_given)
		request->backend = rules_machine_backend(request);
}

int command_rules(int argc, char **argv)
{
	struct rules_request request;
	int error = 0;

	if (rules_options_parse(&request, argc, argv) < 0)
		return EXIT_USAGE;
	if (request.help) {
		rules_options_print_help();
		return EXIT_DONE;
	}
	if (request.action != RULES_PRINT && !may_act(&request))
		return EXIT_FAILED;
	if (request.action == RULES_REMOVE)
		return remove_rules(&request) ? EXIT_FAILED : EXIT_DONE;
	choose(&request);
	if (request.action == RULES_APPLY)
		error = apply_rules(&request);
	else
		print_rules(&request);
	if (!error)
		rules_conflicts_warn(&request);
	return error ? EXIT_FAILED : EXIT_DONE;
}
