// SPDX-License-Identifier: GPL-2.0-or-later
#include "check.h"

#include <jansson.h>
#include <string.h>

static const char *const levels[] = {
	[CHECK_YES] = "yes",
	[CHECK_NO] = "no",
	[CHECK_NOTE] = "note",
	[CHECK_UNKNOWN] = "?",
};

/* For programs that look for one. */
static const char *const causes[] = {
	[CAUSE_NONE] = NULL,
	[CAUSE_RIGHTS] = "rights",
	[CAUSE_KERNEL] = "kernel",
	[CAUSE_UNCHANGED] = "changed-packets-dropped",
	[CAUSE_FTP_HELPER] = "kernel-ftp-helper",
	[CAUSE_NOTRACK] = "not-tracked",
	[CAUSE_EARLY] = "helper-before-conntrack",
	[CAUSE_DNAT_PORT] = "dnat-port",
	[CAUSE_NO_HELPER] = "no-helper",
	[CAUSE_DEAD] = "helper-dead",
	[CAUSE_NOT_QUEUED] = "not-queued",
	[CAUSE_DESERTED] = "deserted",
	[CAUSE_QUEUE_TAKEN] = "queue-taken",
	[CAUSE_NO_DAEMON] = "no-daemon",
	[CAUSE_SYNPROXY] = "synproxy",
	[CAUSE_LATE] = "helper-behind-dnat",
	[CAUSE_INVALID] = "invalid-dropped",
	[CAUSE_MARK] = "mark-taken",
	[CAUSE_RELATED] = "related-not-accepted",
	[CAUSE_IPVS] = "ipvs-without-conntrack",
	[CAUSE_TIMEOUT] = "conntrack-timeout",
	[CAUSE_FORWARDING] = "no-forwarding",
};

static void print_row(const struct check_row *row)
{
	printf("  %-22s %-5s %s\n", row->name, levels[row->level], row->text);
	if (row->remedy[0])
		printf("  %-22s       -> %s\n", "", row->remedy);
}

static void print_cause(const struct check_row *cause)
{
	printf("First: %s\n", cause->text);
	if (cause->remedy[0])
		printf("       -> %s\n", cause->remedy);
}

void check_print(const struct check_report *report)
{
	const struct check_row *cause = check_first_cause(report);
	const char *group = "";

	if (cause)
		print_cause(cause);
	else
		printf("Nothing stands in FTP's way here.\n");
	for (unsigned int i = 0; i < report->count; i++) {
		if (strcmp(report->rows[i].group, group) != 0)
			printf("\n%s\n", report->rows[i].group);
		group = report->rows[i].group;
		print_row(&report->rows[i]);
	}
}

static json_t *json_row(const struct check_row *row)
{
	const char *level = row->level == CHECK_UNKNOWN ? "unknown" : levels[row->level];

	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "group", row->group, "name", row->name, "level", level,
			 "text", row->text, "cause", causes[row->cause], "remedy", row->remedy[0] ? row->remedy : NULL);
}

void check_print_json(const struct check_report *report)
{
	const struct check_row *cause = check_first_cause(report);
	json_t *rows = json_array(), *modes = json_object(), *object;

	for (unsigned int i = 0; i < report->count; i++)
		json_array_append_new(rows, json_row(&report->rows[i]));
	for (enum mode mode = MODE_QUEUE; mode < MODES; mode++)
		json_object_set_new(modes, mode_names[mode], json_boolean(report->can[mode]));
	object = json_pack("{s:o, s:o, s:o}", "first", cause ? json_row(cause) : json_null(), "modes", modes, "rows",
			   rows);
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}
