// SPDX-License-Identifier: GPL-2.0-or-later
#include "pasted.h"

#include "visible.h"

#include <string.h>

bool pasted_is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       (byte && strchr("@%_+:,./-", byte));
}

static bool is_plain(const char *word)
{
	const char *at = word;

	while (pasted_is_plain(*at))
		at++;
	return at != word && !*at;
}

/* The log has ' for ", which ends its sentences: nor is that to be shown. */
static bool is_shown(const char *word)
{
	size_t left = strlen(word), length = !strchr(word, '"');
	uint32_t character;

	for (; left && length; word += length, left -= length)
		length = visible_character(word, left, &character);
	return length != 0;
}

/* How @byte stands between the quotes. Return: the length. @coded: those of $'...'. */
static size_t put_byte(char byte, bool coded, char text[VISIBLE_ESCAPED + 1])
{
	const bool quote = byte == '\'';

	if (coded && (quote || byte == '"' || byte == '\\' || byte < ' ' || byte > '~'))
		return visible_escape(byte, text);
	if (!coded && quote) {
		memcpy(text, "'\\''", VISIBLE_ESCAPED + 1);
		return VISIBLE_ESCAPED;
	}
	text[0] = byte;
	return 1;
}

/* Return: false: there is no room. */
static bool put_quoted(const char *word, bool coded, char *to, size_t size)
{
	size_t used = 0;

	if (coded)
		to[used++] = '$';
	to[used++] = '\'';
	for (; *word; word++) {
		char text[VISIBLE_ESCAPED + 1];
		const size_t length = put_byte(*word, coded, text);

		if (used + length + 2 > size)
			return false;
		memcpy(to + used, text, length);
		used += length;
	}
	to[used++] = '\'';
	to[used] = '\0';
	return true;
}

const char *pasted(const char *word, char *to, size_t size)
{
	if (is_plain(word) && strlen(word) < size)
		memcpy(to, word, strlen(word) + 1);
	else if (is_plain(word) || size < PASTED_SIZE(0) || !put_quoted(word, !is_shown(word), to, size))
		memcpy(to, "''", sizeof("''"));
	return to;
}
