/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - numbers and IP addresses as text. A cursor that cannot run past the end of the text is the only thing that reads it, a writer
 * that cannot run past the end of its memory the only thing that writes. Internal to core.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "bytes.h"

struct text_cursor {
	const char *at;
	const char *end;
};

struct text_writer {
	char *at;
	char *end;
	bool overflow; /* something had no room */
};

/* Each of these goes on behind what it has taken. Return: whether it stands there; if not, the cursor may stand anywhere behind. */
static inline bool text_take(struct text_cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

/* A decimal number of at most @digits digits and at most @max. */
bool text_take_number(struct text_cursor *cursor, unsigned int digits, uint32_t max, uint32_t *number);

bool text_take_ipv4(struct text_cursor *cursor, uint8_t address[4]);

/* RFC 4291 section 2.2: eight groups, one run of zeros as "::", the last two groups possibly dotted. */
bool text_take_ipv6(struct text_cursor *cursor, uint8_t address[16]);

static inline void text_put(struct text_writer *writer, char c)
{
	if (writer->at == writer->end)
		writer->overflow = true;
	else
		*writer->at++ = c;
}

/* At most 65535. */
void text_put_number(struct text_writer *writer, uint32_t number);

void text_put_ipv4(struct text_writer *writer, const uint8_t address[4]);

/* RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
void text_put_ipv6(struct text_writer *writer, const uint8_t address[16]);

#endif
