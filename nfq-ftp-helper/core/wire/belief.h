/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * belief - would the receiver's TCP take this segment? The one front door of invariant I8: nothing else decides that. Freestanding:
 * the session asks, and the kernel module's scan.
 *
 * Theory of operation. Whoever knows a connection's addresses and ports can send packets that look as if they were of it. TCP
 * itself believes them by their numbers only (RFC 9293 section 3.10.7.4, RFC 5961), and so does this file: the bytes must touch
 * what the receiver's window can be, the acknowledgement must be one of bytes that were sent, RST must stand at the very byte
 * that is due. A segment that fails changes nothing here, and nothing at its receiver; it passes unread.
 *
 * Wrong disbelief is the worse fault: a byte that its receiver takes and we do not read is lost to us, and what follows
 * with it. So each bound is the widest that an honest end can reach. Windows grow in bare acknowledgements, which we may not be
 * given; so the bound is not the last window seen, but the largest that the handshake's scale allows (RFC 7323 section 2.3), beyond
 * the last byte that can have got through. Late copies may be as old as such a window, too. The kernel module, where
 * conntrack has seen every packet, knows the largest window there was.
 *
 * Timestamps (RFC 7323 section 5) are no part of it. Their values are easily kept, but in the middle they prove little: whether a
 * receiver discards an old one depends on what it has received last, which we do not know where packets are lost behind us, and an
 * attacker who has guessed the numbers passes by leaving the option out, which many receivers allow.
 */
#ifndef CORE_BELIEF_H
#define CORE_BELIEF_H

#include "seqadj.h"

/* Why a segment is not believed. The texts are belief_name()'s. */
enum belief {
	BELIEVED,
	BELIEF_INVALID,	  /* conntrack calls it invalid */
	BELIEF_FLAGS,	  /* a combination that no TCP takes: no ACK, SYN with RST or FIN */
	BELIEF_SEQUENCE,  /* its bytes are outside of what the receiver's window can be */
	BELIEF_OLD_ACK,	  /* it acknowledges what was acknowledged more than a window ago */
	BELIEF_ACK_AHEAD, /* it acknowledges bytes that never came this way */
	BELIEF_RESET,	  /* an RST that is not at the byte which is due (RFC 5961 section 3.2) */
	BELIEF_HANDSHAKE, /* SYN or SYN/ACK where no handshake is due (RFC 5961 section 4.2) */
	BELIEFS,
};

const char *belief_name(enum belief belief); /* "sequence": for logs and metrics */

/* The flags of the TCP header that count here, as they stand in it. */
#define BELIEF_FIN 0x01
#define BELIEF_SYN 0x02
#define BELIEF_RST 0x04
#define BELIEF_ACK 0x10

#define BELIEF_SCALE_MAX 14 /* RFC 7323 section 2.3; also where the handshake was not seen */

/* What is known of one direction, in its sender's own numbers. */
struct belief_side {
	uint32_t next;	 /* behind the last byte that came this way without a gap */
	uint32_t sent;	 /* behind the last byte that was let through to the receiver */
	uint32_t acked;	 /* the highest acknowledgement of it */
	uint32_t window; /* the largest that its receiver can advertise, bytes; at most 2^30 */
	bool known;	 /* the numbers above are; else nothing of this direction is judged */
	bool fin;	 /* its FIN has passed, which takes the number next */
	bool doubted;	 /* its receiver may have more than came this way */
};

struct belief_segment {
	uint32_t seq;	 /* of its first payload byte */
	uint32_t length; /* of its payload */
	uint32_t ack;	 /* in the other direction's sender's numbers */
	uint8_t flags;	 /* BELIEF_* */
};

/* The largest window (bytes) that can be advertised with a scale. */
static inline uint32_t belief_window(uint8_t scale)
{
	return 0xffffu << (scale < BELIEF_SCALE_MAX ? scale : BELIEF_SCALE_MAX);
}

/**
 * belief_judge - would the receiver take it?
 * @mine: the direction the segment goes in
 * @theirs: the other one
 * @segment: neither SYN nor SYN/ACK
 *
 * Return: BELIEVED, or why not. BELIEF_ACK_AHEAD only where everything else is right, and the acknowledgement within a window: where
 * bytes may pass unseen, the caller may know better.
 */
enum belief belief_judge(const struct belief_side *mine, const struct belief_side *theirs,
			 const struct belief_segment *segment);

#endif
