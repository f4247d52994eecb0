/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heard - what is written to a stream, as a text. open_memstream() allocates a room anew for each input, and larger ones as it fills, which takes longer
 * than what is written there; this one stays, and each input finds it empty.
 */
#ifndef FUZZ_HEARD_H
#define FUZZ_HEARD_H

#include "fuzz.h"

#include <sys/types.h>

#define HEARD_MAX    (16u << 20) /* bytes, far more than is written of any input */
#define HEARD_BUFFER 65536

struct heard {
	FILE *stream;
	size_t length;
	char text[HEARD_MAX + 1];
	char buffer[HEARD_BUFFER]; /* the stream's */
};

ONLY_CHECKS static inline ssize_t heard_write(void *context, const char *bytes, size_t length)
{
	struct heard *heard = context;

	MUST(length <= HEARD_MAX - heard->length);
	memcpy(heard->text + heard->length, bytes, length);
	heard->length += length;
	return (ssize_t)length;
}

/* Return: the stream, which nobody closes. */
ONLY_CHECKS static inline FILE *heard_begin(struct heard *heard)
{
	if (!heard->stream) {
		heard->stream = fopencookie(heard, "w", (cookie_io_functions_t){ .write = heard_write });
		MUST(heard->stream && setvbuf(heard->stream, heard->buffer, _IOFBF, HEARD_BUFFER) == 0);
	}
	heard->length = 0;
	return heard->stream;
}

/* Return: all that was written, until heard_begin() is called again. */
ONLY_CHECKS static inline const char *heard_end(struct heard *heard, size_t *length)
{
	MUST(fflush(heard->stream) == 0 && !ferror(heard->stream));
	heard->text[heard->length] = '\0';
	*length = heard->length;
	return heard->text;
}

#endif
