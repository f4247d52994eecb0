// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

#include <stdlib.h>
#include <string.h>

#define ESCAPED 4 /* "\xNN" */

/* RFC 3629's table: bytes of a character, by its first; and the least and most that it may be. */
static const struct {
	uint8_t low, high;
	size_t length;
	uint32_t least, most;
} forms[] = {
	{ 0x20, 0x7e, 1, 0x20, 0x7e },
	{ 0xc2, 0xdf, 2, 0xa0, 0x7ff }, /* not the controls of ISO 6429 */
	{ 0xe0, 0xef, 3, 0x800, 0xffff },
	{ 0xf0, 0xf4, 4, 0x10000, 0x10ffff },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static bool between(uint32_t character, uint32_t low, uint32_t high)
{
	return character >= low && character <= high;
}

/* Marks of direction and of nothing, separators of lines, surrogates, what is private or no character: none is to be read. */
static bool is_hidden(uint32_t character)
{
	return character == 0xad || character == 0x61c || character == 0x180e || between(character, 0x200b, 0x200f) ||
	       between(character, 0x2028, 0x202e) || between(character, 0x2060, 0x206f) ||
	       between(character, 0xd800, 0xf8ff) || between(character, 0xfe00, 0xfe0f) || character == 0xfeff ||
	       between(character, 0xfff0, 0xfffb) || (character & 0xfffe) == 0xfffe ||
	       between(character, 0xfdd0, 0xfdef) || character >= 0xe0000;
}

/* The length of the character that begins here, with what it is; 0: none does that may be shown. */
static size_t decode(const uint8_t *bytes, size_t length, uint32_t *character)
{
	size_t form = 0;

	while (form < FORMS && !between(bytes[0], forms[form].low, forms[form].high))
		form++;
	if (form == FORMS || forms[form].length > length)
		return 0;
	*character = forms[form].length == 1 ? bytes[0] : bytes[0] & (0x7fu >> forms[form].length);
	for (size_t i = 1; i < forms[form].length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (bytes[i] & 0x3f);
	}
	if (!between(*character, forms[form].least, forms[form].most) || is_hidden(*character))
		return 0;
	return forms[form].length;
}

char *printable(const char *bytes, size_t length, bool utf8)
{
	char *text = malloc(length * ESCAPED + 1), *to = text;
	size_t at = 0;

	if (!text)
		return NULL;
	while (at < length) {
		uint32_t character;
		const size_t size = decode((const uint8_t *)bytes + at, length - at, &character);

		if (size == 0 || (size > 1 && !utf8)) {
			to += snprintf(to, ESCAPED + 1, "\\x%02x", (unsigned char)bytes[at++]);
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
	const size_t size = decode((const uint8_t *)text, strnlen(text, 4), &character);

	*columns = size ? width_of(character) : 1;
	return size ? size : 1;
}

size_t printable_width(const char *text)
{
	size_t width = 0, columns;

	for (; *text; text += next(text, &columns))
		width += (next(text, &columns), columns);
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
