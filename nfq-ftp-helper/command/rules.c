// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints, applies and removes the rules of a mode; the backends know how they are written.
 */
#include "command.h"

#include "check/report.h"
#include "daemon/attachment.h"
#include "rules_options.h"
#include "ruleset/findings.h"
#include "ruleset/iptables.h"
#include "ruleset/machine.h"
#include "ruleset/nft.h"

#include <errno.h>
#include <string.h>

static void print_rules(const struct ruleset_request *request)
{
	ruleset_write_head(request, stdout);
	if (request->backend == RULESET_BACKEND_NFT)
		nft_write(request, stdout);
	else
		iptables_write(request, stdout);
}

/* A rule can only name a helper that the kernel knows. */
static int prepare_helper(const struct ruleset_request *request)
{
	int error = request->run.mode == MODE_CTHELPER ? machine_register() : 0;

	if (error == -EPERM)
		fprintf(stderr, "rules: --apply needs CAP_NET_ADMIN: run it as root\n");
	else if (error == -EEXIST)
		fprintf(stderr, "rules: the helper `" RULESET_HELPER "' is a kernel module's: use --mode kmod\n");
	else if (error)
		fprintf(stderr,
			"rules: this kernel cannot register the helper `" RULESET_HELPER "' (%s; "
			"CONFIG_NF_CT_NETLINK_HELPER, module nfnetlink_cthelper): use --mode queue\n",
			strerror(-error));
	return error;
}

/* The other backend's rules go: with both in place every packet would be queued twice. */
static int apply_rules(const struct ruleset_request *request)
{
	const bool nft = request->backend == RULESET_BACKEND_NFT;
	int error = prepare_helper(request);

	if (!error)
		error = nft ? nft_apply(request) : iptables_apply(request);
	if (!error && machine_has(nft ? RULESET_BACKEND_IPTABLES : RULESET_BACKEND_NFT))
		error = nft ? iptables_remove() : nft_remove();
	if (error)
		return error;
	fprintf(stderr, "rules: applied for mode %s with backend %s; now start: ", attachment_name(request->run.mode),
		ruleset_backend_name(request->backend));
	ruleset_write_run(request, stderr);
	fputc('\n', stderr);
	return 0;
}

/* From the backend that was named, or from both. */
static int remove_rules(const struct ruleset_request *request)
{
	const bool both = !request->backend_given;
	int nft = 0, iptables = 0;

	if ((both && machine_has(RULESET_BACKEND_NFT)) || (!both && request->backend == RULESET_BACKEND_NFT))
		nft = nft_remove();
	if ((both && machine_has(RULESET_BACKEND_IPTABLES)) || (!both && request->backend == RULESET_BACKEND_IPTABLES))
		iptables = iptables_remove();
	return nft ? nft : iptables;
}

static bool may_act(const struct ruleset_request *request)
{
	if (check_has_rights())
		return true;
	fprintf(stderr, "rules: --%s needs CAP_NET_ADMIN: run it as root\n",
		request->action == RULESET_APPLY ? "apply" : "remove");
	return false;
}

/* What was not said on the command line. */
static void choose(struct ruleset_request *request)
{
	if (request->run.mode == MODE_AUTO)
		request->run.mode = machine_mode(request);
	if (!request->backend_given)
		request->backend = machine_backend(request);
}

int command_rules(int argc, char **argv)
{
	struct ruleset_request request;
	int error = 0;

	if (rules_options_parse(&request, argc, argv) < 0)
		return EXIT_USAGE;
	if (request.help) {
		rules_options_print_help();
		return EXIT_DONE;
	}
	if (request.action != RULESET_PRINT && !may_act(&request))
		return EXIT_FAILED;
	if (request.action == RULESET_REMOVE)
		return remove_rules(&request) ? EXIT_FAILED : EXIT_DONE;
	choose(&request);
	if (request.action == RULESET_APPLY)
		error = apply_rules(&request);
	else
		print_rules(&request);
	if (!error)
		findings_warn(&request);
	return error ? EXIT_FAILED : EXIT_DONE;
}
