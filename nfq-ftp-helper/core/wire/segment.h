/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment - a checked view of a TCP segment in an IPv4 or IPv6 packet, and the ways in which it may be changed.
 *
 * Theory of operation. segment_parse() looks at every length once; after it, the offsets in struct segment are inside
 * the packet, and nothing else in the program reads a packet. The view borrows the packet; it is valid as long as that is.
 *
 * Checksums are updated incrementally (RFC 1624, equation 3): what arrived broken leaves broken. Where the kernel has
 * not computed the checksum yet (NFQA_SKB_CSUMNOTREADY: the field holds the pseudo header's sum only), a changed
 * packet gets a whole new one.
 *
 * All numbers in the view are host order.
 */
#ifndef CORE_SEGMENT_H
#define CORE_SEGMENT_H

#include "endpoint.h"
#include "seqadj.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

/* Milliseconds: the least retransmission timeout in use. What comes again sooner is a copy; RFC 6298 section 2.4 would have a second. */
#define TCP_TIMEOUT_LEAST 200

struct segment {
	uint8_t *packet;  /* the IP header's first byte */
	uint32_t length;  /* of the IP packet, by its own header: at most 65535 + 40 */
	uint32_t tcp;	  /* offset of the TCP header */
	uint32_t payload; /* offset of the payload */
	uint32_t payload_length;
	uint32_t seq; /* as in the header: of SYN if set, else of the first payload byte */
	uint32_t ack;
	uint16_t urgent;       /* the urgent pointer */
	uint8_t flags;	       /* TCP_* */
	bool checksum_pending; /* NFQA_SKB_CSUMNOTREADY */
	struct endpoint src;
	struct endpoint dst;
};

/**
 * segment_parse - look at a packet
 * @segment: filled in on success
 * @packet: an IPv4 or IPv6 header and what follows; bytes behind its own length are ignored
 * @length: bytes there
 * @checksum_pending: the TCP checksum has not been computed yet
 *
 * Return: 0; -EMSGSIZE: the packet is longer than @length; -EBADMSG: a length in it contradicts another;
 * -EPROTONOSUPPORT: not TCP over IPv4 or IPv6, or a fragment.
 */
int segment_parse(struct segment *segment, uint8_t *packet, size_t length, bool checksum_pending);

/* Is the TCP checksum right? True where it is pending. */
bool segment_checksum_ok(const struct segment *segment);

/*
 * Is there no checksum yet, since the network card was to compute it? Linux writes the pseudo header's sum into its field then, others
 * zero.
 */
bool segment_checksum_left_out(const struct segment *segment);

/* First payload byte. */
static inline const uint8_t *segment_payload(const struct segment *segment)
{
	return segment->packet + segment->payload;
}

/* Sequence number of the first payload byte: SYN takes one itself. */
static inline uint32_t segment_start(const struct segment *segment)
{
	return segment->seq + ((segment->flags & TCP_SYN) ? 1 : 0);
}

/* Bytes of TCP options. */
static inline uint32_t segment_options_length(const struct segment *segment)
{
	return segment->payload - segment->tcp - 20;
}

/* The MSS option's value, 0 where there is none (RFC 9293 section 3.7.1). */
uint16_t segment_mss(const struct segment *segment);

#define SEGMENT_NO_SCALE 0xff

/* The window scale option's value, at most 14; SEGMENT_NO_SCALE where there is none (RFC 7323 section 2.2). */
uint8_t segment_window_scale(const struct segment *segment);

/* Does it carry SACK blocks (RFC 2018)? */
bool segment_has_sack(const struct segment *segment);

/* New sequence and acknowledgement numbers, in place. */
void segment_renumber(struct segment *segment, uint32_t seq, uint32_t ack);

/* Move every edge of the SACK blocks back by @adj (RFC 2018; nf_ct_sack_adjust() in the kernel), in place. */
void segment_map_sack(struct segment *segment, const struct seqadj *adj);

/* New addresses and ports of the same family, in place: what NAT does. Mends the IPv4 header's checksum too. */
void segment_translate(struct segment *segment, const struct endpoint *src, const struct endpoint *dst);

/* After changes in place: where the checksum was pending, compute it whole. */
void segment_complete(struct segment *segment);

/* A piece of a new payload. */
struct chunk {
	const uint8_t *data;
	uint32_t length;
};

struct splice {
	struct chunk chunks[8]; /* the new payload, in order */
	unsigned int count;
	uint32_t seq;	 /* sequence number of its first byte, in the numbering of the segment */
	uint8_t clear;	 /* flags to take away: TCP_FIN when its end is cut off, TCP_URG, TCP_PSH */
	uint16_t urgent; /* the urgent pointer, where TCP_URG is set and stays */
};

/**
 * segment_splice - write the segment with another payload
 * @segment: the original; unchanged
 * @splice: what to change
 * @buffer: where the new packet goes; must not overlap the original
 * @capacity: bytes there
 *
 * Return: the new packet's length, or -EMSGSIZE when it does not fit @capacity or IP.
 */
int segment_splice(const struct segment *segment, const struct splice *splice, uint8_t *buffer, size_t capacity);

#endif
