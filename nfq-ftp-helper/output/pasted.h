/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pasted - a word of others in a command that somebody is told, who may paste it into his shell.
 *
 * As it is where that means nothing to a shell; else in '...': so it is one word, and the same one. Where it has what is not to be shown (visible.h), or a ",
 * it is in $'...', which bash, zsh and busybox's ash know, and dash does not.
 */
#ifndef OUTPUT_PASTED_H
#define OUTPUT_PASTED_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a word of @length bytes, whatever it has. */
#define PASTED_SIZE(length) (4 * (length) + 4)

/**
 * pasted - the word, as a command has it
 * @word: ended by NUL
 * @to: another place; ended by NUL
 * @size: of @to, at least 3
 *
 * One that has no room, of which a part would be another, is '', which names nothing. Return: @to.
 */
const char *pasted(const char *word, char *to, size_t size);

/* Does a shell take this byte for itself, wherever it stands? */
bool pasted_is_plain(char byte);

#endif
