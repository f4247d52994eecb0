// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints, applies and removes the rules of a mode; the backends know how they are written.
 */
#include "command.h"

#include "host/helper.h"
#include "host/rights.h"
#include "kernel/cthelper.h"
#include "rules_options.h"
#include "ruleset/backends.h"
#include "ruleset/findings.h"

#include <errno.h>
#include <string.h>

/* What the rules are, and how the daemon is to be started. */
static void print_rules(const struct request *request, const struct backend *backend)
{
	printf("# nfq-ftp-helper: mode %s, backend %s; it goes with: ", mode_names[request->attach.mode],
	       backend->name);
	request_write_run(request, stdout);
	putchar('\n');
	backend->write(request, stdout);
}

/* A rule can only name a helper that the kernel knows. */
static int prepare_helper(const struct request *request)
{
	int error = request->attach.mode == MODE_CTHELPER ? helper_prepare() : 0;

	if (error == -EPERM)
		fprintf(stderr, "rules: --apply needs CAP_NET_ADMIN: run it as root\n");
	else if (error == -EEXIST)
		fprintf(stderr, "rules: the helper `" CTHELPER_NAME "' is a kernel module's: use --mode kmod\n");
	else if (error)
		fprintf(stderr,
			"rules: this kernel cannot register the helper `" CTHELPER_NAME "' (%s; "
			"CONFIG_NF_CT_NETLINK_HELPER, module nfnetlink_cthelper): use --mode queue\n",
			strerror(-error));
	return error;
}

/* From the backend that was named, or from all; @kept is left alone. */
static int remove_rules(const struct backend *named, const struct backend *kept)
{
	int failure = 0;

	for (unsigned int i = 0; i < BACKENDS; i++) {
		const bool meant = named ? backends[i] == named : backends[i] != kept && backends_have(backends[i]);
		int error = meant ? backends[i]->remove() : 0;

		if (!failure)
			failure = error;
	}
	return failure;
}

/* The other backends' rules go: with both in place every packet would be queued twice. */
static int apply_rules(const struct request *request, const struct backend *backend)
{
	int error = prepare_helper(request);

	if (!error)
		error = backend->apply(request);
	if (!error)
		error = remove_rules(NULL, backend);
	if (error)
		return error;
	fprintf(stderr, "rules: applied for mode %s with backend %s; now start: ", mode_names[request->attach.mode],
		backend->name);
	request_write_run(request, stderr);
	fputc('\n', stderr);
	return 0;
}

static bool may_act(enum rules_action action)
{
	if (rights_net_admin())
		return true;
	fprintf(stderr, "rules: --%s needs CAP_NET_ADMIN: run it as root\n",
		action == RULES_APPLY ? "apply" : "remove");
	return false;
}

/* What was not said on the command line. */
static void choose(struct rules_options *options)
{
	struct attach *attach = &options->request.attach;

	if (attach->mode == MODE_AUTO)
		attach_choose(attach);
	(void)attach_settle(attach);
	if (!options->backend)
		options->backend = backends_choose(&options->request);
}

int command_rules(int argc, char **argv)
{
	struct rules_options options;
	int error = 0;

	if (rules_options_parse(&options, argc, argv) < 0)
		return EXIT_USAGE;
	if (options.help) {
		rules_options_print_help();
		return EXIT_DONE;
	}
	if (options.action != RULES_PRINT && !may_act(options.action))
		return EXIT_FAILED;
	if (options.action == RULES_REMOVE)
		return remove_rules(options.backend, NULL) ? EXIT_FAILED : EXIT_DONE;
	choose(&options);
	if (options.action == RULES_APPLY)
		error = apply_rules(&options.request, options.backend);
	else
		print_rules(&options.request, options.backend);
	if (!error)
		findings_warn(&options.request.ports);
	return error ? EXIT_FAILED : EXIT_DONE;
}
