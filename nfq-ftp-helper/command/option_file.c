// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"
#include "option.h"
#include "option_lines.h"
#include "output/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *option_file_usual = SYSCONFDIR "/nfq-ftp-helper.conf";

/* Whoever reads it, it is the daemon's. */
#define SECTION "run"

/* Of a text from the file, this much is shown. */
#define SHOWN_MAX 72

struct reading {
	const struct option_page *page;
	struct option_values *values;
	const char *path;
	struct option_lines lines;
	unsigned int faults;
};

/* What the file has, in printable characters. */
static const char *shown(const char *text, char buffer[SHOWN_MAX])
{
	const size_t length = strlen(text), most = SHOWN_MAX - 4;

	snprintf(buffer, SHOWN_MAX, "%.*s%s", (int)most, text, length > most ? "..." : "");
	visible_only(buffer);
	return buffer;
}

/* ---- names that are nearly right ---- */

#define NAME_MAX_NEAR 24

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	const unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters are to be put in, taken out or changed (Levenshtein). @b is of the table. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_NEAR + 1];
	const size_t length = strlen(b);

	for (unsigned int j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= length; j++) {
			const unsigned int changed = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
		}
	}
	return row[length];
}

/* The key that may have been meant; NULL: none is near. */
static const char *nearest(const char *name)
{
	unsigned int best = (unsigned int)strlen(name) / 2 + 1;
	const struct option_row *row = NULL;
	const char *found = NULL;

	while (strlen(name) <= NAME_MAX_NEAR && (row = option_next(OPTION_OF_RUN, row)) != NULL) {
		unsigned int far;

		if (row->command_line_only || strlen(row->name) > NAME_MAX_NEAR)
			continue;
		far = distance(name, row->name);
		if (far < best) {
			best = far;
			found = row->name;
		}
	}
	return found;
}

/* ---- faults ---- */

static void __attribute__((format(printf, 2, 3))) fault(struct reading *reading, const char *format, ...)
{
	char text[OPTION_COMPLAINT_MAX];
	va_list arguments;

	if (reading->faults++ >= OPTION_FILE_FAULTS)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	option_complain(reading->page, "%s:%d: %s", reading->path, reading->lines.number, text);
}

static void fault_of_line(void *context, const char *text, const char *what)
{
	char line[SHOWN_MAX];

	fault(context, "%s: %s", shown(text, line), what);
}

static void fault_unknown(struct reading *reading, const char *name, const char *value)
{
	const struct option_row *row = option_find(OPTION_OF_ALL, name);
	const char *const near = nearest(name);
	char key[SHOWN_MAX], text[SHOWN_MAX];

	shown(name, key);
	shown(value, text);
	if (row && row->command_line_only)
		fault(reading, "%s: %s: this is for the command line only", key, text);
	else if (near)
		fault(reading, "%s: %s: there is no such key; the nearest is `%s'", key, text, near);
	else
		fault(reading, "%s: %s: there is no such key; `nfq-ftp-helper run --help' lists them", key, text);
}

/* ---- reading ---- */

/* As other programs' files may have it; nothing takes these off here. */
static bool is_quoted(const char *value)
{
	const size_t length = strlen(value);

	return length && (strchr("\"'", value[0]) || strchr("\"'", value[length - 1]));
}

/* Return: false: it is not possible, which has been said. */
static bool take_value(struct reading *reading, const struct option_row *row, const char *value, bool first)
{
	char allowed[OPTION_ALLOWED_MAX], text[SHOWN_MAX];

	if (!is_quoted(value) && option_set(row, reading->values, value, first))
		return true;
	fault(reading, "%s: %s: this is not possible; it takes %s%s", row->name, shown(value, text),
	      option_allowed(row, allowed), is_quoted(value) ? ", without quotes around it" : "");
	return false;
}

/* A line of the file. The return value is the library's, which needs not hear of faults. */
static int read_key(void *context, const char *section, const char *name, const char *value)
{
	struct reading *reading = context;
	const struct option_row *row = option_find(OPTION_OF_RUN, name);
	char key[SHOWN_MAX], text[SHOWN_MAX], part[SHOWN_MAX];
	int *line;

	reading->lines.waits = false;
	shown(name, key);
	shown(value, text);
	if (section[0] && strcmp(section, SECTION) != 0)
		fault(reading, "%s: %s: there is no section [%s]; there is only [" SECTION "], which may be left out",
		      key, text, shown(section, part));
	if (!row || row->command_line_only) {
		fault_unknown(reading, name, value);
		return 1;
	}
	line = &reading->values->line[row - option_rows];
	if (*line && !option_repeats(row))
		fault(reading, "%s: %s: this key stands in line %d already; give it once", key, text, *line);
	else if (*line && option_contradicts(row, reading->values, value))
		fault(reading, "%s: %s: this contradicts line %d; leave one of the two out", key, text, *line);
	else if (!take_value(reading, row, value, !*line) && option_repeats(row))
		return 1; /* what was not taken contradicts nothing */
	if (!*line)
		*line = reading->lines.number;
	return 1;
}

/* Whoever may change the file may change what a program with rights over the network does. Return: false: that has been said. */
static bool is_safe(const struct option_page *page, const char *path, const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		option_complain(page, "the file `%s' cannot be read: %s", path, strerror(EISDIR));
	else if (!S_ISREG(status->st_mode))
		option_complain(page, "the file `%s' cannot be read: it is no regular file", path);
	else if (status->st_uid != 0 && status->st_uid != geteuid())
		option_complain(page,
				"the file `%s' belongs to user %u, who could change what this does: `chown root' it",
				path, (unsigned int)status->st_uid);
	else if (status->st_mode & (S_IWGRP | S_IWOTH))
		option_complain(page, "others than its owner may write to the file `%s' (mode %04o): `chmod go-w' it",
				path, (unsigned int)status->st_mode & 07777);
	else if (status->st_size > OPTION_LINES_BYTES)
		option_complain(page, "the file `%s' is longer than %d bytes: that is no configuration file", path,
				OPTION_LINES_BYTES);
	else
		return true;
	return false;
}

static int complain_unreadable(const struct option_page *page, const char *path, int error)
{
	option_complain(page, "the file `%s' cannot be read: %s", path, strerror(-error));
	return EXIT_USAGE;
}

static int read_all(struct reading *reading)
{
	const int result = ini_parse_stream(option_lines_next, &reading->lines, read_key, reading);

	if (reading->lines.error)
		return complain_unreadable(reading->page, reading->path, reading->lines.error);
	if (result == -2)
		return complain_unreadable(reading->page, reading->path, -ENOMEM);
	if (reading->faults > OPTION_FILE_FAULTS)
		option_complain(reading->page, "%s: there are %u more faults", reading->path,
				reading->faults - OPTION_FILE_FAULTS);
	return reading->faults ? EXIT_USAGE : OPTION_GO_ON;
}

int option_file_read(const struct option_page *page, struct option_values *values, const char *path)
{
	struct reading reading = { .page = page, .values = values, .path = path };
	/* Whoever waits for the other end of a FIFO waits for long. */
	const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int code = EXIT_USAGE;

	reading.lines = (struct option_lines){ .fault = fault_of_line, .context = &reading };
	if (file < 0)
		return complain_unreadable(page, path, -errno);
	if (fstat(file, &status) < 0)
		complain_unreadable(page, path, -errno);
	else if (is_safe(page, path, &status)) {
		reading.lines.file = fdopen(file, "r");
		if (reading.lines.file)
			code = read_all(&reading);
		else
			complain_unreadable(page, path, -errno);
	}
	if (reading.lines.file)
		fclose(reading.lines.file);
	else
		close(file);
	return code;
}
