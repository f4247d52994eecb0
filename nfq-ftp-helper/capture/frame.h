/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame - where IP begins in a captured frame.
 *
 * A link type says how a frame begins: a first layer. Each layer is a function that takes its own header, as far as it has been
 * captured, and names the next layer: a new encapsulation is a row. Known are Ethernet (DIX and SNAP, with any number of 802.1Q and
 * 802.1ad tags), PPPoE, PPP (with and without HDLC-like framing, Cisco HDLC), MPLS (any number of labels, Ethernet over it too), Linux
 * cooked v1 and v2, NFLOG, IEEE 802.11 (bare, and behind radiotap, Prism or AVS headers), BSD loopback and bare IP.
 *
 * Some headers say how long the packet behind them is. Where they do is noted, so that another packet can be put in its place.
 */
#ifndef CAPTURE_FRAME_H
#define CAPTURE_FRAME_H

#include "place.h"

/* What libpcap allows a record of these link types to have; one that claims more is damaged. */
#define FRAME_MAX 262144u

/* A link type that is understood. */
struct link_type {
	/* Numbers that whoever captured wrote in his own byte order become this machine's; NULL: there are none. */
	void (*exchange)(uint8_t *frame, uint32_t captured);
	int dlt;	 /* libpcap's number for it, which may be another */
	uint16_t number; /* in files: LINKTYPE_ */
	uint8_t first;	 /* layer */
};

/* By its number in a file, or libpcap's; NULL: it is not understood. */
const struct link_type *link_type_find(int number);

/* Packets without any link header: what is written where frames of several link types have been read. */
const struct link_type *link_type_raw(void);

/* What people call it. */
const char *link_type_name(int number);

/**
 * frame_find_ip - find the IP packet in a frame
 * @type: how it begins
 * @frame: its bytes
 * @captured: bytes there
 * @place: filled in on success
 *
 * Return: whether there is one. place->end is at most @captured then.
 */
bool frame_find_ip(const struct link_type *type, const uint8_t *frame, uint32_t captured, struct frame_place *place);

/* An IP packet of @length bytes stands at @place->ip now: mend the length fields before it. Return: false: one cannot say it. */
bool frame_set_length(uint8_t *frame, const struct frame_place *place, uint32_t length);

#endif
