// SPDX-License-Identifier: GPL-2.0-or-later
#include "format.h"

const char *const format_names[FORMATS + 1] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_SVG] = "svg",
	[FORMAT_HTML] = "html",
};
