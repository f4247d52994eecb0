/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng - files of blocks (draft-ietf-opsawg-pcapng), read in order.
 *
 * Why not libpcap: it has one link type a file, and refuses a file whose interfaces have several, which is what is written where tcpdump,
 * dumpcap or Wireshark capture on several interfaces at once, or where captures are merged. So the blocks are read here: sections of either
 * byte order, each with its own interfaces, each of these with its own link type, resolution and offset of time stamps; packets in
 * enhanced, simple and (obsolete) packet blocks. All other blocks are skipped.
 *
 * Every length in a block is checked against the block's own before anything is read, and that against the file while it is. Nothing is kept
 * but the interfaces of the current section.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include "frame.h"

#include <stdio.h>
#include <sys/time.h>

/* The first byte of the file, which no pcap has. */
#define PCAPNG_FIRST 0x0a

struct pcapng;

struct pcapng_packet {
	struct timeval time;
	uint16_t link_type; /* its number in files */
	bool exchanged;	    /* whoever captured has the other byte order than this machine */
	uint32_t captured;
	uint32_t length; /* as the file has it */
};

/* @file: the caller's, at its beginning. NULL: no memory. */
struct pcapng *pcapng_new(FILE *file);
void pcapng_free(struct pcapng *pcapng);

/**
 * pcapng_next - read up to and with the next packet
 * @pcapng: from pcapng_new()
 * @packet: filled in
 * @frame: the packet's bytes
 * @reason: where it fails: what is wrong, in words
 *
 * Return: 1; 0 at the end of the file; -EIO where it is damaged from here on, or cannot be read.
 */
int pcapng_next(struct pcapng *pcapng, struct pcapng_packet *packet, uint8_t frame[FRAME_MAX], const char **reason);

/* In bytes of the file: where the block began that was read last. */
uint64_t pcapng_place(const struct pcapng *pcapng);

#endif
