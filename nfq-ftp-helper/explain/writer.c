// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

const struct writer writers[] = {
	{ "text", writer_text },
	{ "svg", writer_svg },
	{ "html", writer_html },
};

const unsigned int writer_count = sizeof(writers) / sizeof(writers[0]);
