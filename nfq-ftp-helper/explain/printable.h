/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printable - untrusted bytes, made into text that does nothing but be read.
 *
 * What is no printable ASCII becomes \xNN: no terminal obeys it. Where UTF-8 is allowed (files that a browser reads), valid characters stay,
 * but for controls and what turns the direction of writing round.
 */
#ifndef EXPLAIN_PRINTABLE_H
#define EXPLAIN_PRINTABLE_H

#include "ladder.h"

/* To be freed; NULL: no memory. */
char *printable(const char *bytes, size_t length, bool utf8);

/**
 * printable_line - as much of it as goes into a line
 * @text: from printable()
 * @columns: at least 4
 *
 * Broken is behind a blank, else behind a comma or a bar, else anywhere between two characters.
 *
 * Return: bytes; 0 at its end only.
 */
size_t printable_line(const char *text, size_t columns);

#endif
