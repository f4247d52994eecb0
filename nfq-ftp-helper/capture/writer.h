/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer - captures, written through libpcap: pcap of the link type of the capture that the packets are of.
 *
 * Where that has several, packets are written without their link headers (LINKTYPE_RAW), and what is no IP is left out; as are packets of link
 * types that are not understood.
 */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include "capture.h"

struct capture_writer;

/**
 * capture_write_open - make a capture
 * @path: the file; what it held is lost
 * @like: where the packets come from, read to its end: the link type is capture_link_type()'s
 * @error: filled in on failure: one sentence that names the file
 *
 * Return: the writer, to be closed with capture_write_close(), or NULL.
 */
struct capture_writer *capture_write_open(const char *path, const struct capture *like, char error[CAPTURE_ERROR_MAX]);

/* Write a packet as it stands in its frame now. */
void capture_write(struct capture_writer *writer, const struct capture_packet *packet);

/* Write the packet's link header, its length fields mended, then another IP packet. */
void capture_write_ip(struct capture_writer *writer, const struct capture_packet *packet, const uint8_t *ip,
		      uint32_t length);

/* Return: 0, or -EIO with @error filled in when not everything could be written. */
int capture_write_close(struct capture_writer *writer, char error[CAPTURE_ERROR_MAX]);

#endif
