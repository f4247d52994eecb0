// SPDX-License-Identifier: GPL-2.0-or-later
#include "format.h"

#include <stddef.h>

const char *format_name(unsigned int format)
{
	static const char *const names[FORMATS] = {
		[FORMAT_TEXT] = "text",
		[FORMAT_SVG] = "svg",
		[FORMAT_HTML] = "html",
	};

	return format < FORMATS ? names[format] : NULL;
}
