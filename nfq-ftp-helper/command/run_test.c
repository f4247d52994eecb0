// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `run --test-config': whatever the daemon would not start with, but for what only its start can show.
 */
#include "command.h"
#include "daemon/confinement.h"
#include "daemon/log.h"
#include "daemon/state.h"
#include "option.h"
#include "settle/settle.h"

#include <grp.h>
#include <stdio.h>

/* As the daemon says it, which goes on. */
static void doubt_interfaces(const struct request *request)
{
	const char *missing = request_missing_interface(request);

	if (missing)
		log_why(LOG_LEVEL_WARNING, "rules-doubt", REQUEST_MISSING_INTERFACE, missing);
}

int command_run_test(const struct option_values *values)
{
	struct attach attach = values->run.attach;
	struct confinement confinement;
	char complaint[SETTLE_COMPLAINT_MAX], said[OPTION_SAID_MAX];

	doubt_interfaces(&values->request);
	if (values->rules && !settle_queues(&attach, complaint)) {
		log_why(LOG_LEVEL_ERROR, "rules", "%s", complaint);
		return EXIT_USAGE;
	}
	option_said(values, "user", values->run.user, said);
	if (confinement_find(&confinement, &values->run, said) < 0)
		return EXIT_USAGE;
	/* The daemon would go on, and nobody of the group could ask it. */
	if (values->run.group[0] && !getgrnam(values->run.group)) {
		log_why(LOG_LEVEL_ERROR, "group",
			"%s is not possible: there is no such group; `groupadd --system NAME' makes one",
			option_said(values, "group", values->run.group, said));
		return EXIT_USAGE;
	}
	if (!state_has_room(values->run.state_directory, &attach.queues, values->run.sessions, complaint)) {
		log_why(LOG_LEVEL_ERROR, "state", "%s", complaint);
		return EXIT_USAGE;
	}
	if (values->file[0])
		printf("the configuration in `%s' is good\n", values->file);
	else
		printf("there is no file, and the command line is good\n");
	return EXIT_DONE;
}
