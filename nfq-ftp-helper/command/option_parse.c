// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line is read twice, around the file: first for what it says about the file, then for all the rest, so
 * that it wins.
 */
#include "command.h"
#include "option.h"
#include "output/say.h"
#include "ruleset/backends.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELP_MAX	512
#define OPTION_TEXT_MAX 64

/* Long options are numbered from here on, behind all letters: by their rows. */
#define LONG_BASE 256

struct reading {
	const struct option_page *page;
	const char *command;
	struct option_values *values;
	uint64_t seen; /* rows, a bit each */
};

struct parser {
	struct option longs[OPTION_ROWS_MAX + 1];
	char shorts[2 * OPTION_ROWS_MAX + 2];
};

/* @parser is zeroed. */
static void build_parser(struct parser *parser, unsigned int command)
{
	const struct option_row *row = NULL;
	struct option *next = parser->longs;
	char *letters = parser->shorts;

	*letters++ = ':';
	while ((row = option_next(command, row)) != NULL) {
		*next++ = (struct option){
			.name = row->name,
			.has_arg = row->optional ? optional_argument :
				   row->argument ? required_argument :
						   no_argument,
			.val = LONG_BASE + (int)(row - option_rows),
		};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
}

static const struct option_row *row_of(const struct reading *reading, int result)
{
	const struct option_row *row = option_next(reading->page->command, NULL);

	if (result >= LONG_BASE)
		return &option_rows[result - LONG_BASE];
	while (row && row->letter != result)
		row = option_next(reading->page->command, row);
	return row;
}

static bool has_stored(const struct reading *reading, const struct option_row *row)
{
	return reading->seen & 1ull << (row - option_rows);
}

/* Store it. Return: whether it is allowed. */
static bool take(struct reading *reading, const struct option_row *row, const char *text)
{
	const bool first = !has_stored(reading, row);

	reading->seen |= 1ull << (row - option_rows);
	reading->values->line[row - option_rows] = 0;
	return option_set(row, reading->values, text, first);
}

/* What getopt_long did not take. */
static int complain_option(const struct reading *reading, int result, char **argv)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	const char *text = optopt > 0 && optopt < LONG_BASE ? letter : argv[optind - 1];
	const char *why = "is no option";

	if (result == ':')
		why = "needs a value";
	else if (optopt >= LONG_BASE)
		why = "is not possible: this option takes no value";
	option_complain(reading->page, "`%s' %s; `nfq-ftp-helper %s --help' tells more", text, why, reading->command);
	return EXIT_USAGE;
}

static int complain_value(const struct reading *reading, const struct option_row *row, const char *value)
{
	char allowed[OPTION_ALLOWED_MAX];

	option_complain(reading->page, "--%s `%s' is not possible: it takes %s", row->name, value,
			option_allowed(row, allowed));
	return EXIT_USAGE;
}

static int complain_contradiction(const struct reading *reading, const struct option_row *row, const char *value)
{
	option_complain(reading->page, "--%s `%s' contradicts another --%s before it; leave one of the two out",
			row->name, value, row->name);
	return EXIT_USAGE;
}

static int read_operand(struct reading *reading, int argc, char **argv)
{
	const struct option_page *page = reading->page;
	const bool none = page->no_operand && page->no_operand(reading->values);
	const char *operand = none ? NULL : page->operand;
	const char *text = argv[optind];

	if (!operand && optind < argc)
		option_complain(reading->page, "`%s' takes options only%s, not `%s'", reading->command,
				none ? " with these" : "", text);
	else if (operand && optind == argc)
		option_complain(reading->page, "no %s is named; `nfq-ftp-helper %s --help' tells more", operand,
				reading->command);
	else if (operand && argc - optind > 1)
		option_complain(reading->page, "one %s at a time, not `%s' besides", operand, argv[optind + 1]);
	else {
		reading->values->operand = text;
		return OPTION_GO_ON;
	}
	return EXIT_USAGE;
}

/* getopt finds a value that is optional only behind `='; where it stands apart it is one if it can be one. */
static const char *value_of(const struct option_row *row, int argc, char **argv)
{
	if (!row->argument)
		return "yes";
	if (optarg || !row->optional)
		return optarg;
	return optind < argc && option_is_value(argv[optind]) ? argv[optind++] : "yes";
}

static int read_line(const struct option_page *page, struct option_values *values, int argc, char **argv)
{
	struct reading reading = { .page = page, .command = argv[0], .values = values };
	struct parser parser = { 0 };
	int result;

	build_parser(&parser, page->command);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	while ((result = getopt_long(argc, argv, parser.shorts, parser.longs, NULL)) != -1) {
		const struct option_row *row = row_of(&reading, result);
		const char *value;

		if (!row)
			return complain_option(&reading, result, argv);
		value = value_of(row, argc, argv);
		if (has_stored(&reading, row) && option_contradicts(row, values, value))
			return complain_contradiction(&reading, row, value);
		if (!take(&reading, row, value))
			return complain_value(&reading, row, value);
		if (values->help)
			return OPTION_GO_ON;
	}
	return read_operand(&reading, argc, argv);
}

/* A link that leads nowhere is there, too: what it is to lead to is missed when it is read. */
static bool is_there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* The file that is to be read: the one that is named, or the usual one where it is there. Return: false: none. */
static bool find_file(const struct option_page *page, struct option_values *values)
{
	if (!page->reads_file || values->remove)
		return false;
	if (!values->file[0] && is_there(option_file_usual))
		snprintf(values->file, sizeof(values->file), "%s", option_file_usual);
	return values->file[0];
}

static bool says(const struct option_values *values, const char *name)
{
	return values->line[option_find(OPTION_OF_RUN, name) - option_rows];
}

/* Before the command line is read, which may say them otherwise. */
static void note_file(struct option_values *values)
{
	values->request.in_file = (struct request_in_file){
		.mode = says(values, "mode"),
		.carrier = says(values, "carrier"),
		.queues = says(values, "queue"),
		.sure_queues = says(values, "sure-queue"),
		.seqadj = says(values, "seqadj"),
	};
}

static int read_both(const struct option_page *page, struct option_values *values, int argc, char **argv)
{
	char file[OPTIONS_PATH_MAX];
	int code;

	option_default(values);
	code = read_line(page, values, argc, argv);
	if (code != OPTION_GO_ON || values->help || !find_file(page, values))
		return code;
	memcpy(file, values->file, sizeof(file));
	option_default(values);
	code = option_file_read(page, values, file);
	note_file(values);
	if (code == OPTION_GO_ON)
		code = read_line(page, values, argc, argv);
	memcpy(values->file, file, sizeof(file));
	return code;
}

/* Who pastes a command need not stand where this does. One that has no room stays as it is. */
static const char *from_root(struct option_values *values)
{
	const size_t size = sizeof(values->from_root), length = strlen(values->file);
	size_t used;

	if (values->file[0] == '/' || !getcwd(values->from_root, size))
		return values->file;
	used = strlen(values->from_root);
	if (used + 1 + length >= size)
		return values->file;
	values->from_root[used] = '/';
	memcpy(values->from_root + used + 1, values->file, length + 1);
	return values->from_root;
}

int option_read(const struct option_page *page, struct option_values *values, int argc, char **argv)
{
	const int code = read_both(page, values, argc, argv);
	struct request *request = &values->request;

	if (values->file[0] && strcmp(values->file, option_file_usual) != 0)
		request->file = from_root(values);
	if (values->backend < BACKENDS)
		request->backend = backends[values->backend]->name;
	return code;
}

int option_parse(const struct option_page *page, struct option_values *values, int argc, char **argv)
{
	const int code = option_read(page, values, argc, argv);

	if (code != OPTION_GO_ON || !values->help)
		return code;
	option_print_help(page, argv[0], stdout);
	return EXIT_DONE;
}

/* "-c, --config FILE". Return: its length. */
static int option_text(const struct option_row *row, char text[OPTION_TEXT_MAX])
{
	return snprintf(text, OPTION_TEXT_MAX, "  %c%c%s --%s%s%s", row->letter ? '-' : ' ',
			row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name, row->argument ? " " : "",
			row->argument ? row->argument : "");
}

static void print_row(const struct option_row *row, const struct option_values *values, int column, FILE *out)
{
	char option[OPTION_TEXT_MAX], help[HELP_MAX];
	uint32_t number;

	option_text(row, option);
	if (option_number(row, values, &number))
		snprintf(help, sizeof(help), "%s; default %u", row->help, number);
	else
		snprintf(help, sizeof(help), "%s", row->help);
	say_wrapped(out, option, column, help);
}

void option_print_help(const struct option_page *page, const char *name, FILE *out)
{
	const struct option_row *row = NULL;
	struct option_values defaults;
	int column = 0;

	option_default(&defaults);
	fprintf(out, "Usage: nfq-ftp-helper %s [OPTION]...%s%s\n\n%s\n", name, page->operand ? " " : "",
		page->operand ? page->operand : "", page->about);
	while ((row = option_next(page->command, row)) != NULL) {
		char option[OPTION_TEXT_MAX];
		const int length = option_text(row, option) + 2;

		column = length > column ? length : column;
	}
	while ((row = option_next(page->command, row)) != NULL)
		print_row(row, &defaults, column, out);
	fprintf(out, "\n%s", page->end);
}
