/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture - files of captured packets, read.
 *
 * Reads pcap and pcapng, the latter with interfaces of different link types; which these are frame.h says.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "frame.h"

#include <sys/time.h>

/* Room for a sentence that says what is wrong with a file. */
#define CAPTURE_ERROR_MAX 512

struct capture;

/* A packet of a capture; valid until the next one is read. */
struct capture_packet {
	uint64_t number;	      /* from 1 */
	struct timeval time;	      /* as the file has it: it may step back, or be nonsense */
	uint8_t *frame;		      /* may be changed */
	uint32_t captured;	      /* bytes there */
	uint32_t length;	      /* bytes there were; not less than captured */
	uint8_t *ip;		      /* the IP header, inside frame; NULL when it carries no IP */
	uint32_t ip_captured;	      /* bytes from there on, of a trailer too where nothing says where it begins */
	const struct link_type *type; /* NULL: it is not understood */
	struct frame_place place;     /* where ip is not NULL */
};

/**
 * capture_open - open a capture for reading
 * @path: the file
 * @error: filled in on failure: one sentence that names the file
 *
 * Return: the capture, to be closed with capture_close(), or NULL.
 */
struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_MAX]);

/**
 * capture_next - read a packet
 * @capture: from capture_open()
 * @packet: filled in
 * @error: filled in on failure: one sentence that names the file, the packet's number, and the byte where its
 *         record begins
 *
 * Return: 1; 0 at the end of the file; -EIO when the file is damaged from here on, or cannot be read; -EPROTONOSUPPORT at the end of one of
 * which no packet was of a link type that is understood.
 */
int capture_next(struct capture *capture, struct capture_packet *packet, char error[CAPTURE_ERROR_MAX]);

/* From its first packet again. Return: 0, or a negative errno with @error filled in. */
int capture_rewind(struct capture *capture, char error[CAPTURE_ERROR_MAX]);

/* Of a capture that has been read: have some packets, and not all, not been understood? In one sentence, that names the file. */
bool capture_foreign(const struct capture *capture, char sentence[CAPTURE_ERROR_MAX]);

/* What all packets have that have ever been read, and whose link types are understood; where these are several, bare IP. */
const struct link_type *capture_link_type(const struct capture *capture);

/* Is @path the file that is being read? */
bool capture_is(const struct capture *capture, const char *path);

void capture_close(struct capture *capture);

#endif
