/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment - the TCP segment in a captured packet, which may lack what a packet on its way has.
 *
 * One that was captured on its way to a network card which computes checksums has none yet: it can be given it here. One
 * that was cut off by the snapshot length is given shorter lengths for as long as it is looked at, so that its
 * headers can be read and translated.
 */
#ifndef CAPTURE_SEGMENT_H
#define CAPTURE_SEGMENT_H

#include "capture.h"
#include "core/wire/segment.h"

struct capture_segment {
	struct segment segment;
	bool truncated;	      /* not all of it was captured */
	uint8_t *length;      /* the IP length field, where it has been changed */
	uint8_t *data_offset; /* TCP's, where it has been changed */
	uint8_t old_length[2];
	uint8_t old_data_offset;
	uint32_t payload_length; /* of the packet as it was sent: captured or not */
};

/**
 * capture_segment_open - look at the TCP segment in a packet
 * @view: filled in; to be closed in any case
 * @packet: what it is a view of
 *
 * Return: 0, or as segment_parse(); -EMSGSIZE when too little was captured even of the headers.
 */
int capture_segment_open(struct capture_segment *view, struct capture_packet *packet);

enum capture_checksum {
	CHECKSUM_UNKNOWN, /* cut off */
	CHECKSUM_RIGHT,
	CHECKSUM_LEFT_OUT, /* for the network card to fill in, as Linux and others leave it */
	CHECKSUM_WRONG,
};

enum capture_checksum capture_segment_checksum(const struct capture_segment *view);

/* Give it the right one, as the card would have. Not where it has been cut off. */
void capture_segment_complete(struct capture_segment *view);

/* Put back the packet's own lengths. */
void capture_segment_close(const struct capture_segment *view);

#endif
