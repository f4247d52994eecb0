// SPDX-License-Identifier: GPL-2.0-or-later
#include "markup.h"

#include "printable.h"

#include <stdlib.h>
#include <string.h>

/* What stands for a character that markup has another use for; NULL: none does. */
static const char *entity_of(char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void markup_put(FILE *out, const char *text, size_t length)
{
	size_t done = 0;

	for (size_t i = 0; i < length; i++) {
		const char *entity = entity_of(text[i]);

		if (!entity)
			continue;
		fwrite(text + done, 1, i - done, out);
		fputs(entity, out);
		done = i + 1;
	}
	fwrite(text + done, 1, length - done, out);
}

bool markup_put_text(FILE *out, const struct ladder_text *text)
{
	char *shown = printable(text->bytes ? text->bytes : "", text->length, true);

	if (!shown)
		return false;
	markup_put(out, shown, strlen(shown));
	free(shown);
	return true;
}

const struct markup_way markup_ways[] = {
	[LADDER_TO_SERVER] = { "up", "client to server" },
	[LADDER_TO_CLIENT] = { "down", "server to client" },
	[LADDER_BOTH_WAYS] = { "both", "both ways" },
};
