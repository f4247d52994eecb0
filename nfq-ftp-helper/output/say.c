// SPDX-License-Identifier: GPL-2.0-or-later
#include "say.h"

#include "visible.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory[] = SAY_PREFIX "no memory to say what there is to say\n";

/* The whole line at once, so that those of several processes do not mix. */
static void put(FILE *stream, const char *prefix, const char *sentence)
{
	const size_t size = strlen(prefix) + strlen(sentence) * VISIBLE_ESCAPED + 2;
	char *line = malloc(size);
	size_t length;

	if (!line) {
		fputs(no_memory, stream);
		return;
	}
	length = (size_t)snprintf(line, size, "%s", prefix);
	length += visible(sentence, line + length, size - length - 1);
	line[length++] = '\n';
	fwrite(line, 1, length, stream);
	free(line);
}

__attribute__((format(printf, 3, 0))) static void format_to(FILE *stream, const char *prefix, const char *format,
							    va_list arguments)
{
	char *sentence;

	if (vasprintf(&sentence, format, arguments) < 0) {
		fputs(no_memory, stream);
		return;
	}
	put(stream, prefix, sentence);
	free(sentence);
}

void say_sentence(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_to(stderr, SAY_PREFIX, format, arguments);
	va_end(arguments);
}

void say_to(FILE *stream, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_to(stream, SAY_PREFIX, format, arguments);
	va_end(arguments);
}

void say_wrapped(FILE *out, const char *label, int column, const char *text)
{
	const size_t room = (size_t)(SAY_WIDTH - column);

	fprintf(out, "%-*s", column, label);
	while (strlen(text) > room) {
		size_t length = room;

		while (length > 1 && text[length] != ' ')
			length--;
		if (length == 1) /* a word that is longer than a line */
			length = room;
		fprintf(out, "%.*s\n%*s", (int)length, text, column, "");
		text += length;
		text += strspn(text, " ");
	}
	fprintf(out, "%s\n", text);
}

void say_line(FILE *stream, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_to(stream, "", format, arguments);
	va_end(arguments);
}
