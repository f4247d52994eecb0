// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

int (*const writers[FORMATS])(const struct ladder *ladder, FILE *out) = {
	[FORMAT_TEXT] = writer_text,
	[FORMAT_SVG] = writer_svg,
	[FORMAT_HTML] = writer_html,
};
