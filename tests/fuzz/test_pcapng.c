// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A pcapng of any bytes, without a file system around it: read to its end or to where it is damaged, which comes once and in words. Each packet
 * lies in the frame, and its block in the file, behind the one before.
 */
#include "capture/pcapng.h"
#include "fuzz.h"

#define BEYOND	    64
#define UNTOUCHED   0xa5
#define BLOCK_LEAST 16u /* of a packet without bytes */

static uint8_t frame[FRAME_MAX + BEYOND];

static void check_packet(const struct pcapng_packet *packet, uint64_t place, uint64_t *behind, size_t size)
{
	MUST(packet->captured <= FRAME_MAX && packet->captured <= size);
	MUST(place >= *behind && place + BLOCK_LEAST + packet->captured <= size);
	MUST(packet->time.tv_usec >= 0 && packet->time.tv_usec < 1000000);
	for (uint32_t i = 0; i < BEYOND; i++)
		MUST(frame[packet->captured + i] == UNTOUCHED);
	memset(frame, UNTOUCHED, packet->captured);
	*behind = place + BLOCK_LEAST + packet->captured;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	struct pcapng *pcapng = file ? pcapng_new(file) : NULL;
	struct pcapng_packet packet;
	const char *reason = NULL;
	uint64_t behind = 0;
	int result;

	if (!file)
		return 0;
	MUST(pcapng);
	memset(frame, UNTOUCHED, size + BEYOND < sizeof(frame) ? size + BEYOND : sizeof(frame));
	while ((result = pcapng_next(pcapng, &packet, frame, &reason)) > 0)
		check_packet(&packet, pcapng_place(pcapng), &behind, size);
	MUST(result == 0 || (reason && reason[0] && pcapng_place(pcapng) < size));
	pcapng_free(pcapng);
	fclose(file);
	return 0;
}
