// SPDX-License-Identifier: GPL-2.0-or-later
#include "markup.h"

#include "printable.h"

#include <stdlib.h>
#include <string.h>

void markup_put(FILE *out, const char *text, size_t length)
{
	static const char special[] = "&<>\"'";
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	for (size_t i = 0; i < length; i++) {
		const char *found = text[i] ? strchr(special, text[i]) : NULL;

		if (found)
			fputs(entities[found - special], out);
		else
			fputc(text[i], out);
	}
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
