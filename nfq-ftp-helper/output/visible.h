/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * visible - text of others, a file's name perhaps, that does nothing but be read.
 *
 * What a terminal might obey, and what cannot be seen, is written as \xNN, a byte each; so is what is no UTF-8. All else stays.
 */
#ifndef OUTPUT_VISIBLE_H
#define OUTPUT_VISIBLE_H

#include <stddef.h>
#include <stdint.h>

#define VISIBLE_ESCAPED 4 /* "\xNN" */

/* The length in UTF-8 of the character that begins here, with what it is; 0: none does that may be shown. @length: at least 1. */
size_t visible_character(const char *bytes, size_t length, uint32_t *character);

/* One byte as \xNN, and NUL. Return: VISIBLE_ESCAPED. */
size_t visible_escape(char byte, char to[VISIBLE_ESCAPED + 1]);

/* No longer than it was: whatever is no printable ASCII becomes a `?'. */
void visible_only(char *text);

/**
 * visible - as much of a text as there is room for
 * @from: ended by NUL
 * @to: another place; ended by NUL
 * @size: of @to, at least 1
 *
 * Return: the length of what is in @to.
 */
size_t visible(const char *from, char *to, size_t size);

#endif
