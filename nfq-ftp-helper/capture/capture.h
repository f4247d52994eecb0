/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture - files of captured packets, read and written through libpcap.
 *
 * Reads pcap and pcapng with Ethernet (802.1Q and 802.1ad tags too), Linux cooked v1 and v2, raw IP, and BSD loopback
 * packets; writes pcap of the link type that was read.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "core/wire/types.h"

#include <sys/time.h>

/* Room for a sentence that says what is wrong with a file. */
#define CAPTURE_ERROR_MAX 512

struct capture;
struct capture_writer;

/* A packet of a capture; valid until the next one is read. */
struct capture_packet {
	uint64_t number;      /* from 1 */
	struct timeval time;  /* as the file has it: it may step back, or be nonsense */
	uint8_t *frame;	      /* may be changed */
	uint32_t captured;    /* bytes there */
	uint32_t length;      /* bytes there were; not less than captured */
	uint8_t *ip;	      /* the IP header, inside frame; NULL when it carries no IP */
	uint32_t ip_captured; /* bytes from there on */
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
 * Return: 1; 0 at the end of the file; -EIO when the file is damaged from here on, or cannot be read.
 */
int capture_next(struct capture *capture, struct capture_packet *packet, char error[CAPTURE_ERROR_MAX]);

void capture_close(struct capture *capture);

/**
 * capture_write_open - make a capture
 * @path: the file; what it held is lost
 * @like: where the packets come from: the link type is its
 * @error: filled in on failure: one sentence that names the file
 *
 * Return: the writer, to be closed with capture_write_close(), or NULL.
 */
struct capture_writer *capture_write_open(const char *path, const struct capture *like, char error[CAPTURE_ERROR_MAX]);

/* Write a packet as it stands in its frame now. */
void capture_write(struct capture_writer *writer, const struct capture_packet *packet);

/* Write the packet's link header, then another IP packet. */
void capture_write_ip(struct capture_writer *writer, const struct capture_packet *packet, const uint8_t *ip,
		      uint32_t length);

/* Return: 0, or -EIO with @error filled in when not everything could be written. */
int capture_write_close(struct capture_writer *writer, char error[CAPTURE_ERROR_MAX]);

#endif
