/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer - a ladder, written for somebody to look at: a row of one table a format.
 */
#ifndef EXPLAIN_WRITER_H
#define EXPLAIN_WRITER_H

#include "format.h"
#include "ladder.h"

/* Each returns 0 or -ENOMEM; what cannot be written shows at the stream. */
extern int (*const writers[FORMATS])(const struct ladder *ladder, FILE *out);

int writer_text(const struct ladder *ladder, FILE *out);

/* The same piece by piece, of a ladder that grows: what it is of, a dialogue's heading, a row of it. Each returns 0 or -ENOMEM. */
int writer_text_title(const struct ladder *ladder, FILE *out);
int writer_text_heading(const struct ladder *ladder, size_t number, FILE *out);
int writer_text_row(const struct ladder *ladder, const struct ladder_row *row, FILE *out);
int writer_svg(const struct ladder *ladder, FILE *out);
int writer_html(const struct ladder *ladder, FILE *out);

#endif
