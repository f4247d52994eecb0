/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seqadj - how one direction's sequence numbers move once its text has changed length.
 *
 * The model is the kernel's own (net/netfilter/nf_conntrack_seqadj.c), so that either may apply it. It remembers the
 * last edit only: whoever adds a second one must know the first to be acknowledged.
 *
 * "Sender space" is a number as its sender wrote it, "receiver space" the same byte's number as the receiver sees it.
 * All numbers are host order and compared modulo 2^32.
 */
#ifndef CORE_SEQADJ_H
#define CORE_SEQADJ_H

#include "types.h"

struct seqadj {
	uint32_t pos;	/* sender space: the first byte of the edited argument */
	int32_t before; /* shift of sequence numbers up to and including pos */
	int32_t after;	/* shift of those beyond it */
};

/* Is a beyond b, modulo 2^32? */
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}

/* The other way round: modulo 2^32 as well. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return seq_after(b, a);
}

/* The later of two. */
static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_after(a, b) ? a : b;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_after(a, b) ? b : a;
}

/* Does this adjustment move anything? */
static inline bool seqadj_active(const struct seqadj *adj)
{
	return adj->before != 0 || adj->after != 0;
}

/* A sequence number of the edited direction: sender space to receiver space. */
static inline uint32_t seqadj_forward(const struct seqadj *adj, uint32_t seq)
{
	return seq + (uint32_t)(seq_after(seq, adj->pos) ? adj->after : adj->before);
}

/* An acknowledgement or SACK edge of the other side: receiver space back to sender space. */
static inline uint32_t seqadj_back(const struct seqadj *adj, uint32_t ack)
{
	return ack - (uint32_t)(seq_after(ack - (uint32_t)adj->before, adj->pos) ? adj->after : adj->before);
}

/* Behind the edit, whatever stood before it: once the edit has been acknowledged, no other number is of use. */
static inline struct seqadj seqadj_settled(const struct seqadj *adj)
{
	return (struct seqadj){ .pos = adj->pos, .before = adj->after, .after = adj->after };
}

/*
 * Where conntrack adjusts, it adjusts right. But its window tracking (tcp_in_window(), by nf_ct_seq_offset()) compares an
 * acknowledgement with pos before that is in sender space. In a stream that has become shorter, one of the new text looks as if
 * it were from before it; and where that is longer than the old, as if it acknowledged what was never sent: INVALID, so neither
 * translated nor adjusted. All other mistakes move an acknowledgement by a few bytes within what
 * has been sent.
 */
static inline bool seqadj_misjudged(const struct seqadj *adj)
{
	return adj->after < 0 && adj->after > adj->before;
}

/* So there conntrack is told the later shift only. What that leaves to do is done to every packet before conntrack adjusts it: */
static inline struct seqadj seqadj_told(const struct seqadj *adj)
{
	return seqadj_misjudged(adj) ? seqadj_settled(adj) : *adj;
}

/* to its sequence number, by seqadj_forward() ... */
static inline struct seqadj seqadj_untold(const struct seqadj *adj)
{
	const struct seqadj told = seqadj_told(adj);

	return (struct seqadj){ .pos = adj->pos,
				.before = adj->before - told.before,
				.after = adj->after - told.after };
}

/* ... and to what it acknowledges, by seqadj_back(), from which conntrack has not taken its part yet. */
static inline struct seqadj seqadj_untold_back(const struct seqadj *adj)
{
	struct seqadj untold = seqadj_untold(adj);

	untold.pos += (uint32_t)adj->after;
	return untold;
}

/* The adjustment after one more edit, whose argument began at @pos and grew by @growth bytes. */
static inline struct seqadj seqadj_edited(const struct seqadj *adj, uint32_t pos, int32_t growth)
{
	return (struct seqadj){ .pos = pos, .before = adj->after, .after = adj->after + growth };
}

#endif
