// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints, applies and removes the rules of a mode; the backends know how they are written.
 */
#include "command.h"
#include "host/rights.h"
#include "option.h"
#include "output/say.h"
#include "settle/settle.h"

#include <errno.h>
#include <string.h>

/* What the rules are, and how the daemon is to be started. */
static void print_rules(const struct request *request, const struct backend *backend)
{
	char command[REQUEST_COMMAND_MAX];

	printf("# nfq-ftp-helper: mode %s, backend %s; it goes with: %s\n", mode_names[request->attach.mode],
	       backend->name, request_run(request, command));
	backend->write(request, stdout);
}

static int apply_rules(const struct request *request, const struct backend *backend)
{
	const int error = settle_place_rules(request, backend);
	char command[REQUEST_COMMAND_MAX];

	if (!error)
		say_sentence("applied for mode %s with backend %s; now start: %s", mode_names[request->attach.mode],
			     backend->name, request_run(request, command));
	return error;
}

static const struct option_page page = {
	.command = OPTION_OF_RULES,
	.reads_file = true,
	.about =
		"Prints the netfilter rules that a mode needs. They serve a router, a server and a client on this host\n"
		"at once. --apply puts them in place, in chains of its own, and --remove takes those away.\n",
	.end = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
};

static bool may_act(const struct option_values *values)
{
	if (rights_have(CAP_NET_ADMIN))
		return true;
	say_sentence("--%s needs CAP_NET_ADMIN: run it as root", values->apply ? "apply" : "remove");
	return false;
}

/* What no single option can know. The sure queues are as many as the others, and others. */
static int check_options(const struct option_values *values)
{
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint = attach_complaint(&values->run.attach, text);

	if (values->apply && values->remove)
		complaint = "--apply and --remove are not possible together: give one of them";
	if (complaint)
		say_sentence("%s", complaint);
	return complaint ? -EINVAL : 0;
}

/* The backend that was named; NULL: none. */
static const struct backend *named_backend(const struct option_values *values)
{
	return values->backend < BACKENDS ? backends[values->backend] : NULL;
}

static int choose_attach(struct option_values *values)
{
	char complaint[SETTLE_COMPLAINT_MAX];
	int error;

	values->request.attach = values->run.attach;
	error = settle_rules(&values->request, complaint);
	if (error)
		say_sentence("%s", complaint);
	return error;
}

/* What stands in the way of what was just printed or applied, a line each. */
static void warn(const struct option_values *values)
{
	struct request said = values->request;
	struct findings findings;

	const char *missing = request_missing_interface(&said);

	if (missing)
		say_sentence(REQUEST_MISSING_INTERFACE, missing);
	said.attach = values->run.attach;
	if (findings_look(&findings, &said, &values->request.attach) < 0 || !findings.readable)
		return;
	for (unsigned int i = 0; i < FINDING_KINDS; i++) {
		const struct finding *finding = &findings.wrong[i];

		if (finding->seen && !finding->harmless)
			say_sentence("%s: mend that with `%s'", finding->text, finding->remedy);
	}
}

int command_rules(int argc, char **argv)
{
	struct option_values values;
	const struct request *request = &values.request;
	const struct backend *backend;
	int error = 0, code = option_parse(&page, &values, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	if (check_options(&values) < 0)
		return EXIT_USAGE;
	if ((values.apply || values.remove) && !may_act(&values))
		return EXIT_FAILED;
	if (values.remove)
		return settle_take_rules_away(named_backend(&values), NULL) ? EXIT_FAILED : EXIT_DONE;
	error = choose_attach(&values);
	if (error)
		return error == -ENOENT ? EXIT_FAILED : EXIT_USAGE;
	backend = named_backend(&values) ? named_backend(&values) : backends_choose(request);
	if (values.apply)
		error = apply_rules(request, backend);
	else
		print_rules(request, backend);
	if (!error)
		warn(&values);
	return error ? EXIT_FAILED : EXIT_DONE;
}
