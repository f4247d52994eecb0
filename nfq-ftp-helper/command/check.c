// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/check.h"

#include "command.h"
#include "option.h"

static const struct option_page page = {
	.command = OPTION_OF_CHECK,
	.reads_file = true,
	.about =
		"Finds out which modes can run here and why others cannot, by trying in a network namespace of its own, and\n"
		"what stands in FTP's way in the present one: the most important cause first, with the command that mends it.\n",
	.end = "Exit codes: 0 a mode can run, 1 none can, 2 wrong usage.\n",
};

int command_check(int argc, char **argv)
{
	static struct check_report report;
	struct option_values values;
	int code = option_parse(&page, &values, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	report.request = values.request;
	report.request.attach = values.run.attach;
	check_rights(&report);
	check_kernel(&report);
	check_setup(&report);
	if (values.json)
		check_print_json(&report);
	else
		check_print(&report);
	return report.can[MODE_QUEUE] || report.can[MODE_CTHELPER] || report.can[MODE_KMOD] ? EXIT_DONE : EXIT_FAILED;
}
