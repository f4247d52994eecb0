// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of a configuration file, from the table of options, as troff: a part of nfq-ftp-helper.conf(5).
 */
#include "command.h"
#include "option.h"

/* No line begins with a control character, and a minus is one. */
static void put_troff(const char *text)
{
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '\'')
			fputs("\\(aq", stdout);
		else if (*text == '`')
			fputs("\\(ga", stdout);
		else
			putchar(*text);
	}
}

static void put_key(const struct option_row *row, const struct option_values *defaults)
{
	char allowed[OPTION_ALLOWED_MAX];
	uint32_t number;

	printf(".TP\n.B ");
	put_troff(row->name);
	putchar('\n');
	putchar(row->help[0] - (row->help[0] >= 'a' && row->help[0] <= 'z' ? 'a' - 'A' : 0));
	put_troff(row->help + 1);
	printf(".\nIt takes ");
	put_troff(option_allowed(row, allowed));
	if (option_number(row, defaults, &number))
		printf("; default %u", number);
	printf(".\n");
}

int command_settings(int argc, char **argv)
{
	static struct option_values defaults;
	unsigned int count;
	const struct option_row *rows = option_rows(&count);

	if (argc > 1) {
		fprintf(stderr, "nfq-ftp-helper: `%s' takes nothing, not `%s'\n", argv[0], argv[1]);
		return EXIT_USAGE;
	}
	option_default(&defaults);
	for (unsigned int i = 0; i < count; i++) {
		if ((rows[i].commands & OPTION_OF_RUN) && !rows[i].command_line_only)
			put_key(&rows[i], &defaults);
	}
	if (fflush(stdout) == 0)
		return EXIT_DONE;
	fprintf(stderr, "nfq-ftp-helper: the settings cannot be written to standard output\n");
	return EXIT_FAILED;
}
