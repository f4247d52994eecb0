/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * markup - untrusted text inside XML and HTML: between tags, or in an attribute's quotes.
 */
#ifndef EXPLAIN_MARKUP_H
#define EXPLAIN_MARKUP_H

#include "ladder.h"

/* @text: from printable(); so many bytes of it. */
void markup_put(FILE *out, const char *text, size_t length);

/* A whole text, made printable. Return: false: no memory. */
bool markup_put_text(FILE *out, const struct ladder_text *text);

/* Who speaks to whom. */
struct markup_way {
	const char *class;
	const char *words; /* for those who do not see arrows and lines */
};

/* By enum ladder_way. */
extern const struct markup_way markup_ways[];

#endif
