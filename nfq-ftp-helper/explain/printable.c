// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

#include "output/visible.h"

#include <stdlib.h>
#include <string.h>

char *printable(const char *bytes, size_t length, bool utf8)
{
	char *text = malloc(length * VISIBLE_ESCAPED + 1), *to = text;
	size_t at = 0;

	if (!text)
		return NULL;
	while (at < length) {
		uint32_t character;
		const size_t size = visible_character(bytes + at, length - at, &character);

		if (size == 0 || (size > 1 && !utf8)) {
			to += visible_escape(bytes[at++], to);
			continue;
		}
		memcpy(to, bytes + at, size);
		to += size;
		at += size;
	}
	*to = '\0';
	return text;
}

/* East Asian characters and pictures take two columns, roughly. */
static size_t width_of(uint32_t character)
{
	return character >= 0x1100 && (character <= 0x115f || character >= 0x2e80) ? 2 : 1;
}

/* The next character of such a text: its bytes and its columns. */
static size_t next(const char *text, size_t *columns)
{
	uint32_t character = 0;
	const size_t size = visible_character(text, strnlen(text, 4), &character);

	*columns = size ? width_of(character) : 1;
	return size ? size : 1;
}

size_t printable_width(const char *text)
{
	size_t width = 0, columns;

	while (*text) {
		text += next(text, &columns);
		width += columns;
	}
	return width;
}

size_t printable_line(const char *text, size_t columns)
{
	size_t at = 0, width = 0, blank = 0, comma = 0;

	while (text[at]) {
		size_t wide;
		const size_t size = next(text + at, &wide);

		if (width + wide > columns && text[at] != ' ' && (blank || comma))
			return blank ? blank : comma;
		if (width + wide > columns)
			return at;
		width += wide;
		at += size;
		if (text[at - 1] == ' ')
			blank = at;
		else if (text[at - 1] == ',' || text[at - 1] == '|')
			comma = at;
	}
	return at;
}
