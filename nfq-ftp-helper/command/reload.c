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

/* The names of options that say something else now, by what it takes to have it hold. */
struct news {
	char live[NAMES_MAX];	 /* nothing more: it does */
	char restart[NAMES_MAX]; /* a daemon that is started anew; of these the rules are made of ... */
	char both[NAMES_MAX];	 /* ... these, too */
	/* The rules put in place anew: nothing else is made of these, and they are somebody else's to put there. */
	char rules[NAMES_MAX];
};

static void sort(const struct option_row *row, bool keeps_rules, struct news *news)
{
	if (row->live) {
		add_name(news->live, row->name);
	} else if (row->rules_only && !keeps_rules) {
		add_name(news->rules, row->name);
	} else {
		add_name(news->restart, row->name);
		if (row->commands & OPTION_OF_RULES && !keeps_rules)
			add_name(news->both, row->name);
	}
}

/* What @values says otherwise than what is in force; what takes no restart is taken over. */
static void compare(struct reload *reload, const struct option_values *values, struct news *news)
{
	const bool keeps_rules = reload->values.rules;
	const struct option_row *row = NULL;

	*news = (struct news){ .live = "" };
	while ((row = option_next(OPTION_OF_RUN, row)) != NULL) {
		if (row->command_line_only || option_same(row, &reload->values, values))
			continue;
		sort(row, keeps_rules, news);
		if (row->live || (row->rules_only && !keeps_rules))
			memcpy((char *)&reload->values + row->at, (const char *)values + row->at, row->size);
	}
}

static void tell_rules(const struct option_values *values, const struct attach *attach, const char *names)
{
	struct request request = values->request;
	char command[REQUEST_COMMAND_MAX];

	request.attach = *attach;
	log_line(
		LOG_LEVEL_WARNING,
		"event=reload result=rules-needed for=%s why=\"the rules are made of these, and they are as they were\" "
		"advice=\"`%s', or where systemd has them `systemctl reload nfq-ftp-helper-rules'\"",
		names, request_apply(&request, command));
}

static void tell(const struct option_values *values, const struct attach *attach, const struct news *news)
{
	char path[LOG_VALUE_MAX];

	log_line(LOG_LEVEL_NOTICE, "event=reload result=%s file=%s%s%s", news->live[0] ? "changed" : "same",
		 values->file[0] ? log_value(values->file, path) : "none", news->live[0] ? " changed=" : "",
		 news->live);
	if (news->rules[0])
		tell_rules(values, attach, news->rules);
	if (news->restart[0])
		log_line(
			LOG_LEVEL_WARNING,
			"event=reload result=restart-needed for=%s%s%s why=\"these stay as they were until the daemon is started "
			"anew%s\"",
			news->restart, news->both[0] ? " rules-too=" : "", news->both,
			news->both[0] ? ", and the rules that are made of them are put in place anew" : "");
}

bool reload_again(struct reload *reload, const struct attach *attach)
{
	static struct option_values values;
	struct news news;

	if (!read_again(reload, &values)) {
		log_line(LOG_LEVEL_ERROR, "event=reload result=refused why=\"what was in force stays in force\"");
		return false;
	}
	snprintf(reload->values.file, sizeof(reload->values.file), "%s", values.file);
	compare(reload, &values, &news);
	reload->values.request.backend = values.request.backend;
	reload->values.request.in_file = values.request.in_file;
	reload->values.request.ports.given = values.request.ports.given;
	tell(&values, attach, &news);
	return news.live[0];
}
