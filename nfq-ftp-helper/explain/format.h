/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * format - which pictures of a ladder there are, by name; apart from what draws them (writer.h), which the table of options does not need.
 */
#ifndef EXPLAIN_FORMAT_H
#define EXPLAIN_FORMAT_H

enum format {
	FORMAT_TEXT,
	FORMAT_SVG,
	FORMAT_HTML,
	FORMATS,
};

/* Behind the last NULL. */
extern const char *const format_names[FORMATS + 1];

#endif
