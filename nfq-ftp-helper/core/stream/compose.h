/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compose - what a segment looks like when it leaves: put together from its own bytes, those held back from earlier ones, and the new text
 * of the edit in flight. stream.c opens with the picture. Internal to core.
 */
#ifndef CORE_COMPOSE_H
#define CORE_COMPOSE_H

#include "passage.h"

/* Does nothing leave but what came, as nearly always? Then there is nothing to compose. */
static inline bool compose_nothing(const struct passage *passage)
{
	return passage->run_start == passage->start && passage->run_end == passage->end && !passage->probe &&
	       !passage->carried_length && !passage->stream->in_flight;
}

/**
 * compose_payload - the payload to forward
 * @passage: after stream_read()
 * @splice: filled in when the segment must change
 *
 * Return: true when @splice says how the segment changes, false when it goes as it came.
 */
bool compose_payload(struct passage *passage, struct splice *splice);

#endif
