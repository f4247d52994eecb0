// SPDX-License-Identifier: GPL-2.0-or-later
#include "reload.h"

#include "command.h"
#include "daemon/log.h"

#include <string.h>

/* Names of options, separated by commas. */
#define NAMES_MAX 512

static bool goes_together(const struct option_page *page, const struct option_values *values)
{
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint = attach_complaint(&values->run.attach, text);

	if (complaint)
		option_complain(page, "%s", complaint);
	return !complaint;
}

int reload_begin(struct reload *reload)
{
	const int code = option_parse(reload->page, &reload->values, reload->argc, reload->argv);

	if (code != OPTION_GO_ON)
		return code;
	return goes_together(reload->page, &reload->values) ? OPTION_GO_ON : EXIT_USAGE;
}

static bool read_again(const struct reload *reload, struct option_values *values)
{
	if (option_read(reload->page, values, reload->argc, reload->argv) != OPTION_GO_ON)
		return false;
	if (reload->values.file[0] && !values->file[0]) {
		option_complain(reload->page, "the file `%s' is gone", reload->values.file);
		return false;
	}
	return goes_together(reload->page, values);
}

static void add_name(char names[NAMES_MAX], const char *name)
{
	const size_t length = strlen(names);

	snprintf(names + length, NAMES_MAX - length, "%s%s", length ? "," : "", name);
}

/* The options of which @values says something else; those that are live are taken over. */
static void compare(struct reload *reload, const struct option_values *values, char changed[NAMES_MAX],
		    char restart[NAMES_MAX])
{
	unsigned int count;
	const struct option_row *rows = option_rows(&count);

	changed[0] = restart[0] = '\0';
	for (unsigned int i = 0; i < count; i++) {
		if (!(rows[i].commands & OPTION_OF_RUN) || rows[i].command_line_only ||
		    option_same(&rows[i], &reload->values, values))
			continue;
		add_name(rows[i].live ? changed : restart, rows[i].name);
	}
	for (unsigned int i = 0; i < count; i++) {
		if ((rows[i].commands & OPTION_OF_RUN) && rows[i].live)
			memcpy((char *)&reload->values + rows[i].at, (const char *)values + rows[i].at, rows[i].size);
	}
}

bool reload_again(struct reload *reload)
{
	static struct option_values values;
	char changed[NAMES_MAX], restart[NAMES_MAX];

	if (!read_again(reload, &values)) {
		log_line(LOG_LEVEL_ERROR, "event=reload result=refused: what was in force stays in force");
		return false;
	}
	snprintf(reload->values.file, sizeof(reload->values.file), "%s", values.file);
	compare(reload, &values, changed, restart);
	log_line(LOG_LEVEL_NOTICE, "event=reload result=%s file=%s%s%s", changed[0] ? "changed" : "same",
		 values.file[0] ? values.file : "none", changed[0] ? " changed=" : "", changed);
	if (restart[0])
		log_line(LOG_LEVEL_WARNING,
			 "event=reload result=restart-needed for=%s: these stay as they were until the "
			 "daemon is started anew",
			 restart);
	return changed[0];
}
