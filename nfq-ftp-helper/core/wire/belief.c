// SPDX-License-Identifier: GPL-2.0-or-later
#include "belief.h"

const char *belief_name(enum belief belief)
{
	static const char *const names[BELIEFS] = {
		[BELIEVED] = "believed",	[BELIEF_INVALID] = "invalid",	  [BELIEF_FLAGS] = "flags",
		[BELIEF_SEQUENCE] = "sequence", [BELIEF_OLD_ACK] = "old-ack",	  [BELIEF_ACK_AHEAD] = "ack-ahead",
		[BELIEF_RESET] = "reset",	[BELIEF_HANDSHAKE] = "handshake",
	};

	return names[belief];
}

/* Is @seq in [@low, @high], modulo 2^32? */
static bool within(uint32_t seq, uint32_t low, uint32_t high)
{
	return !seq_before(seq, low) && !seq_after(seq, high);
}

/*
 * RFC 5961 section 3.2: at the next byte exactly. What that is its receiver knows best: where bytes are on their way, or were held
 * back here, it is what the receiver has acknowledged; an RST that answers a segment stands there, too.
 */
static enum belief judge_reset(const struct belief_side *mine, uint32_t seq)
{
	if (!mine->known)
		return BELIEF_RESET;
	return seq == mine->next + mine->fin || seq == mine->sent || seq == mine->acked ? BELIEVED : BELIEF_RESET;
}

/* RFC 9293 section 3.10.7.4, first check: some of it in the window, or not older than one. */
static bool sequence_ok(const struct belief_side *mine, const struct belief_segment *segment)
{
	const uint32_t window = mine->window;
	const uint32_t end = segment->seq + segment->length;

	if (!mine->known)
		return true;
	if (segment->length > window ||
	    !within(segment->seq, mine->next - window - segment->length, mine->next + 1 + window))
		return false;
	/*
	 * Behind a FIN there is nothing (section 3.10.7.4, seventh). One that has not been acknowledged may have been another's, and its
	 * receiver may have refused it: its sender goes on in its place then; or behind it, where that has more already.
	 */
	return !mine->fin || !seq_after(end, mine->next) || (segment->length == 0 && end == mine->next + 1) ||
	       (!seq_after(mine->acked, mine->next) && (mine->doubted || !seq_after(segment->seq, mine->next)));
}

enum belief belief_judge(const struct belief_side *mine, const struct belief_side *theirs,
			 const struct belief_segment *segment)
{
	const uint32_t window = theirs->window;
	const uint32_t highest = theirs->sent + theirs->fin;

	if (segment->flags & BELIEF_RST)
		return judge_reset(mine, segment->seq);
	if (!(segment->flags & BELIEF_ACK))
		return BELIEF_FLAGS;
	if (!sequence_ok(mine, segment))
		return BELIEF_SEQUENCE;
	if (!theirs->known || within(segment->ack, theirs->acked - window, highest))
		return BELIEVED;
	return within(segment->ack, highest, highest + window) ? BELIEF_ACK_AHEAD : BELIEF_OLD_ACK;
}
