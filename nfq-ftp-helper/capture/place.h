/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place - where an IP packet lies in a frame, and which fields before it say how long it is.
 */
#ifndef CAPTURE_PLACE_H
#define CAPTURE_PLACE_H

#include "core/wire/types.h"

/* Length fields around one packet: PPPoE's in an 802.3 frame's comes to two. */
#define FRAME_LENGTHS_MAX 4

/* A field of two bytes. Of this machine's byte order, or big-endian. */
struct frame_length {
	uint32_t at;
	uint32_t from; /* what it counts begins here, and ends with the packet */
	bool native;
};

struct frame_place {
	uint32_t ip;	    /* offset of the IP header */
	uint32_t end;	    /* of what may be of the packet: behind that there are trailers */
	uint32_t alignment; /* the frame's length is a multiple of this; at least 1 */
	uint32_t length_count;
	struct frame_length lengths[FRAME_LENGTHS_MAX];
};

#endif
