// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture.h"

#include "common/packet_bytes.h"
#include "core/wire/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINKTYPE_RAW 101

struct capture {
	FILE *file;
	uint64_t now; /* microseconds */
	uint16_t client_port;
	uint8_t packet[65536];
};

/* Two ends of a connection that is captured. */
struct talkers {
	struct endpoint end[2];
	uint32_t seq[2];
};

static void put32(FILE *file, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put_packet(struct capture *capture, struct talkers *talkers, unsigned int from, uint8_t flags,
		       const void *bytes, uint32_t length)
{
	const struct packet_header header = {
		.seq = talkers->seq[from],
		.ack = flags & TCP_ACK ? talkers->seq[!from] : 0,
		.flags = flags,
		.window = 65535,
		.tcp = (const uint8_t *)"\2\4\5\264",
		.tcp_length = flags & TCP_SYN ? 4 : 0,
	};
	const uint32_t size =
		packet_put(capture->packet, &talkers->end[from], &talkers->end[!from], &header, bytes, length);

	talkers->seq[from] += length + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	capture->now += 500;
	put32(capture->file, (uint32_t)(capture->now / 1000000));
	put32(capture->file, (uint32_t)(capture->now % 1000000));
	put32(capture->file, size);
	put32(capture->file, size);
	fwrite(capture->packet, 1, size, capture->file);
}

static void put_handshake(struct capture *capture, struct talkers *talkers)
{
	put_packet(capture, talkers, 0, TCP_SYN, NULL, 0);
	put_packet(capture, talkers, 1, TCP_SYN | TCP_ACK, NULL, 0);
	put_packet(capture, talkers, 0, TCP_ACK, NULL, 0);
}

static void put_end(struct capture *capture, struct talkers *talkers)
{
	put_packet(capture, talkers, 0, TCP_FIN | TCP_ACK, NULL, 0);
	put_packet(capture, talkers, 1, TCP_FIN | TCP_ACK, NULL, 0);
	put_packet(capture, talkers, 0, TCP_ACK, NULL, 0);
}

/* A port of its own each, so that no connection is taken for an earlier one. */
static uint16_t next_source(struct capture *capture)
{
	capture->client_port = capture->client_port < 32768 || capture->client_port == 60999 ?
				       32768 :
				       (uint16_t)(capture->client_port + 1);
	return capture->client_port;
}

static void put_data(struct capture *capture, const struct script *script, const struct step *step)
{
	struct talkers talkers = { .end = { script->inside[!step->side], script->inside[step->side] },
				   .seq = { 7, 9 } };

	talkers.end[0].port = next_source(capture);
	talkers.end[1].port = step->port;
	put_handshake(capture, &talkers);
	put_packet(capture, &talkers, 0, TCP_PSH | TCP_ACK, "data", 4);
	put_end(capture, &talkers);
}

/*
 * Between two dialogues: nothing that the engine keeps is still there. Nobody sends again in a capture, so of a dialogue of which a part
 * has been held back, a second rewritten reply of one segment, the end is not seen.
 */
#define PAUSE UINT64_C(4000000000) /* microseconds */

static void put_script(struct capture *capture, const struct script *script, uint64_t counts[2])
{
	struct talkers talkers = { .end = { script->inside[CLIENT], script->inside[SERVER] },
				   .seq = { (uint32_t)script->seed, (uint32_t)script->seed * 31 } };

	talkers.end[CLIENT].port = next_source(capture);
	put_handshake(capture, &talkers);
	for (unsigned int i = 0; i < script->steps; i++) {
		const struct step *step = &script->step[i];

		if (step->kind == STEP_SILENCE) {
			capture->now += step->seconds * 1000000u;
		} else if (step->kind == STEP_DATA) {
			put_data(capture, script, step);
			counts[step->must]++;
		} else {
			put_packet(capture, &talkers, step->side, TCP_PSH | TCP_ACK, script->text + step->at,
				   step->length);
			put_packet(capture, &talkers, !step->side, TCP_ACK, NULL, 0);
		}
	}
	put_end(capture, &talkers);
	capture->now += PAUSE;
}

int capture_seeds(const char *path, uint64_t from, uint64_t to, const struct wish *wish)
{
	static struct capture capture;
	static struct script script;
	uint64_t counts[2] = { 0 };

	capture = (struct capture){ .file = fopen(path, "wb"), .now = UINT64_C(1000000000000) };
	if (!capture.file) {
		fprintf(stderr, "dialogue: %s cannot be written: %m\n", path);
		return 1;
	}
	fwrite("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0", 1, 16, capture.file);
	put32(capture.file, 262144);
	put32(capture.file, LINKTYPE_RAW);
	for (uint64_t seed = from; seed <= to && seed >= from; seed++) {
		generate(&script, seed, wish);
		put_script(&capture, &script, counts);
	}
	printf("%" PRIu64 " %" PRIu64 "\n", counts[1], counts[0]);
	if (ferror(capture.file) | fclose(capture.file)) {
		fprintf(stderr, "dialogue: %s cannot be written: %m\n", path);
		return 1;
	}
	return 0;
}
