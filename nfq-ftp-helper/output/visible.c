// SPDX-License-Identifier: GPL-2.0-or-later
#include "visible.h"

#include <stdbool.h>
#include <string.h>

/* RFC 3629's table: bytes of a character that is none of ASCII, by its first; and the least and most that it may be. */
static const struct {
	uint8_t low, high;
	size_t length;
	uint32_t least, most;
} forms[] = {
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

size_t visible_character(const char *text, size_t length, uint32_t *character)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t form = 0;

	/* ASCII, which is most of what there is. */
	if (between(bytes[0], ' ', '~')) {
		*character = bytes[0];
		return 1;
	}
	while (form < FORMS && !between(bytes[0], forms[form].low, forms[form].high))
		form++;
	if (form == FORMS || forms[form].length > length)
		return 0;
	*character = bytes[0] & (0x7fu >> forms[form].length);
	for (size_t i = 1; i < forms[form].length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (bytes[i] & 0x3f);
	}
	if (!between(*character, forms[form].least, forms[form].most) || is_hidden(*character))
		return 0;
	return forms[form].length;
}

size_t visible_escape(char byte, char to[VISIBLE_ESCAPED + 1])
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t value = (uint8_t)byte;
	const char text[] = { '\\', 'x', digits[value >> 4], digits[value & 15], '\0' };

	memcpy(to, text, sizeof(text));
	return VISIBLE_ESCAPED;
}

void visible_only(char *text)
{
	for (; *text; text++)
		if (!between((uint8_t)*text, ' ', '~'))
			*text = '?';
}

size_t visible(const char *from, char *to, size_t size)
{
	size_t left = strlen(from), used = 0;

	while (left) {
		uint32_t character;
		char escaped[VISIBLE_ESCAPED + 1];
		const size_t whole = visible_character(from, left, &character);
		const size_t taken = whole ? whole : 1, given = whole ? whole : visible_escape(*from, escaped);

		if (used + given >= size)
			break;
		memcpy(to + used, whole ? from : escaped, given);
		used += given;
		from += taken;
		left -= taken;
	}
	to[used] = '\0';
	return used;
}
