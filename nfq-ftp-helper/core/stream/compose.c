// SPDX-License-Identifier: GPL-2.0-or-later
#include "compose.h"

static void add_chunk(struct splice *splice, const void *data, uint32_t length)
{
	splice->chunks[splice->count++] = (struct chunk){ data, length };
}

/* The bytes [from, to) as they came: what was carried here from the carried copy, the rest from the segment. */
static void add_original(const struct passage *passage, struct splice *splice, uint32_t from, uint32_t to)
{
	const uint32_t carried_end = passage->carried_start + passage->carried_length;
	const bool carried = passage->carried_length && !passage->copied;

	if (carried && seq_before(from, passage->carried_start)) {
		const uint32_t stop = seq_min(to, passage->carried_start);

		add_chunk(splice, passage_bytes(passage, from), stop - from);
		from = stop;
	}
	if (carried && seq_before(from, to) && seq_before(from, carried_end)) {
		const uint32_t stop = seq_min(to, carried_end);

		add_chunk(splice, passage->carried + (from - passage->carried_start), stop - from);
		from = stop;
	}
	if (seq_before(from, to))
		add_chunk(splice, passage_bytes(passage, from), to - from);
}

/* Nothing of the payload goes on; what the packet acknowledges does. */
static void compose_empty(const struct passage *passage, struct splice *splice)
{
	splice->seq = passage->probe ? passage->stream->acked - 1 : passage->run_start;
	splice->clear = TCP_FIN | TCP_PSH | TCP_URG;
}

static uint32_t urgent_seq(const struct passage *passage)
{
	return passage->start + passage->segment->urgent;
}

/* Does the urgent pointer reach over the edit in flight, from this run that begins before its end? */
static bool urgent_crosses(const struct passage *passage, const struct edit *edit)
{
	return edit && passage->segment->flags & TCP_URG && seq_before(passage->run_start, edit_end(edit)) &&
	       !seq_before(urgent_seq(passage), edit_end(edit));
}

/* The urgent pointer counts from the sequence number, over the new text (RFC 9293 section 3.8.5). */
static void set_urgent(const struct passage *passage, const struct edit *edit, struct splice *splice)
{
	uint32_t urgent = urgent_seq(passage);

	splice->urgent = passage->segment->urgent;
	if (!(passage->segment->flags & TCP_URG))
		return;
	if (urgent_crosses(passage, edit))
		urgent += (uint32_t)edit->new_length - edit->old_length;
	if (seq_after(urgent, splice->seq))
		splice->urgent = (uint16_t)(urgent - splice->seq);
	else
		splice->clear |= TCP_URG;
}

bool compose_payload(struct passage *passage, struct splice *splice)
{
	const struct edit *in_flight = edit_in_flight(passage->turn);
	const struct edit *edit = in_flight;
	uint32_t start = passage->run_start, end = passage->run_end;

	if (!seq_before(start, end)) {
		if (passage->start == passage->end && !passage->probe)
			return false;
		*splice = (struct splice){ .urgent = passage->segment->urgent };
		compose_empty(passage, splice);
		return true;
	}
	if (edit && !passage_touches(edit, start, end))
		edit = NULL;
	if (!edit && start == passage->start && end == passage->end && !urgent_crosses(passage, in_flight) &&
	    (!passage->carried_length || passage->copied || !seq_after(end, passage->carried_start)))
		return false;

	splice->count = 0;
	splice->clear = end == passage->end ? 0 : TCP_FIN;
	splice->seq = start;
	if (edit) {
		splice->seq = seq_min(start, edit->start);
		if (seq_before(start, edit->start))
			add_original(passage, splice, start, edit->start);
		add_chunk(splice, edit->text, edit->new_length);
		start = edit_end(edit);
		end = seq_max(end, start);
	}
	if (seq_before(start, end))
		add_original(passage, splice, start, end);
	set_urgent(passage, in_flight, splice);
	return true;
}
