// SPDX-License-Identifier: GPL-2.0-or-later
#include "tell.h"

#include "output/say.h"

/* A double is exact that far; in seconds, and in packets, it is more than can be. */
#define NUMBER_MAX 1e15

double tell_number(const json_t *object, const char *name)
{
	const double number = json_number_value(json_object_get(object, name));

	return number >= -NUMBER_MAX && number <= NUMBER_MAX ? number : 0;
}

int64_t tell_integer(const json_t *object, const char *name, int64_t least, int64_t most)
{
	const int64_t number = (int64_t)tell_number(object, name);

	return number >= least && number <= most ? number : 0;
}

const char *tell_span(double seconds, char text[TELL_SPAN_MAX])
{
	const unsigned long whole = seconds > 0 ? (unsigned long)seconds : 0;

	if (whole >= 86400)
		snprintf(text, TELL_SPAN_MAX, "%lud %luh", whole / 86400, whole / 3600 % 24);
	else if (whole >= 3600)
		snprintf(text, TELL_SPAN_MAX, "%luh %lum", whole / 3600, whole / 60 % 60);
	else if (whole >= 60)
		snprintf(text, TELL_SPAN_MAX, "%lum %lus", whole / 60, whole % 60);
	else
		snprintf(text, TELL_SPAN_MAX, "%lus", whole);
	return text;
}

#define INDENT 4

const char *tell_span_of(const json_t *object, const char *name, char text[TELL_SPAN_MAX])
{
	if (!json_is_number(json_object_get(object, name)))
		return "-";
	return tell_span(tell_number(object, name), text);
}

void tell_row(FILE *out, char parts[][TELL_PART_MAX], size_t count)
{
	size_t column = 0;

	for (size_t i = 0; i < count; i++) {
		const size_t length = strlen(parts[i]);

		if (column && column + 1 + length > SAY_WIDTH) {
			fprintf(out, "\n%*s", INDENT, "");
			column = INDENT;
		} else if (column) {
			fputc(' ', out);
			column++;
		}
		fputs(parts[i], out);
		column += length;
	}
	fputc('\n', out);
}
