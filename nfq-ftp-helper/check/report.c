// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include "output/visible.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static struct check_row *
add(struct check_report *report, const char *name, enum check_level level, const char *format, va_list arguments)
{
	struct check_row *row = &report->rows[report->count];
	char text[CHECK_TEXT_MAX];

	*row = (struct check_row){ .group = report->group, .name = name, .level = level };
	vsnprintf(text, sizeof(text), format, arguments);
	visible(text, row->text, sizeof(row->text));
	if (report->count < CHECK_ROWS_MAX - 1)
		report->count++;
	return row;
}

struct check_row *check_add(struct check_report *report, const char *name, enum check_level level, const char *format,
			    ...)
{
	struct check_row *row;
	va_list arguments;

	va_start(arguments, format);
	row = add(report, name, level, format, arguments);
	va_end(arguments);
	return row;
}

void check_fault(struct check_report *report, const char *name, enum check_level level, enum check_cause cause,
		 const char *remedy, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	check_mend(add(report, name, level, format, arguments), cause, "%s", remedy);
	va_end(arguments);
}

void check_mend(struct check_row *row, enum check_cause cause, const char *format, ...)
{
	char remedy[CHECK_REMEDY_MAX];
	va_list arguments;

	row->cause = cause;
	va_start(arguments, format);
	vsnprintf(remedy, sizeof(remedy), format, arguments);
	va_end(arguments);
	visible(remedy, row->remedy, sizeof(row->remedy));
}

const struct check_row *check_first_cause(const struct check_report *report)
{
	const struct check_row *first = NULL;

	for (unsigned int i = 0; i < report->count; i++) {
		const struct check_row *row = &report->rows[i];

		if (row->cause != CAUSE_NONE && (!first || row->cause < first->cause))
			first = row;
	}
	return first;
}
