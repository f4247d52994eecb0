// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A capture of any bytes, as replay reads it: whatever the file claims, a packet lies within its frame, and what is
 * read of it within what was captured; the view of its segment leaves it as it was. Where it ends early, one sentence
 * says why and names the file. What is written of it is read again as the same packets.
 */
#include "capture/segment.h"
#include "file.h"

#define PACKETS_MAX 64 /* of an input, so that it takes its time, but not more */

/* One sentence: not empty, no line end in it, and it names the file. */
static void check_sentence(const char *error, const char *path)
{
	MUST(strlen(error) > strlen(path) && strlen(error) < CAPTURE_ERROR_MAX);
	MUST(strncmp(error, path, strlen(path)) == 0);
}

static void check_place(const struct capture_packet *packet, uint64_t number)
{
	MUST(packet->number == number && packet->captured <= packet->length);
	if (!packet->ip)
		return;
	MUST(packet->ip_captured <= packet->captured);
	MUST(packet->ip == packet->frame + (packet->captured - packet->ip_captured));
}

/* A segment's checksum may have been completed, two bytes; of a shortened packet nothing but the headers has been
 * looked at. */
static uint32_t changed(const uint8_t *a, const uint8_t *b, uint32_t length)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < length; i++)
		count += a[i] != b[i];
	return count;
}

static void check_segment(const struct capture_packet *packet, const struct capture_segment *view)
{
	const struct segment *segment = &view->segment;

	MUST(segment->packet == packet->ip && segment->length <= packet->ip_captured);
	MUST(segment->tcp >= 20 && segment->payload >= segment->tcp + 20);
	MUST(segment->payload + segment->payload_length == segment->length);
}

/* In a copy of just its size, so that reading behind it is found out. */
static void look_at_segment(const struct capture_packet *packet)
{
	struct capture_packet copy = *packet;
	struct capture_segment view;
	int error;

	copy.frame = malloc(packet->captured ? packet->captured : 1);
	MUST(copy.frame);
	memcpy(copy.frame, packet->frame, packet->captured);
	copy.ip = packet->ip ? copy.frame + (packet->ip - packet->frame) : NULL;
	error = capture_segment_open(&view, &copy);
	if (!error)
		check_segment(&copy, &view);
	capture_segment_close(&view);
	MUST(changed(copy.frame, packet->frame, packet->captured) <= (error || view.truncated ? 0 : 2));
	free(copy.frame);
}

/* The next frame comes to the same place: what is read behind its end shall look like an IP packet's Ethertype. */
static void spoil(const struct capture_packet *packet)
{
	for (uint32_t i = 0; i < packet->captured; i++)
		packet->frame[i] = i & 1 ? 0 : 8;
}

struct kept {
	uint32_t captured, length;
	uint8_t *frame;
};

/* Return: how many packets there were. */
static unsigned int read_packets(struct capture *capture, const char *path, struct capture_writer *writer,
				 struct kept *kept)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	unsigned int count = 0;
	int result = 0;

	while (count < PACKETS_MAX && (result = capture_next(capture, &packet, error)) > 0) {
		struct kept *one = &kept[count++];

		check_place(&packet, count);
		look_at_segment(&packet);
		*one = (struct kept){ packet.captured, packet.length, malloc(packet.captured ? packet.captured : 1) };
		MUST(one->frame);
		memcpy(one->frame, packet.frame, packet.captured);
		capture_write(writer, &packet);
		spoil(&packet);
	}
	if (result < 0)
		check_sentence(error, path);
	return count;
}

static void check_written(const char *path, const struct kept *kept, unsigned int count)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture = capture_open(path, error);
	struct capture_packet packet;

	MUST(capture);
	for (unsigned int i = 0; i < count; i++) {
		MUST(capture_next(capture, &packet, error) == 1);
		MUST(packet.captured == kept[i].captured && packet.length == kept[i].length);
		MUST(memcmp(packet.frame, kept[i].frame, packet.captured) == 0);
	}
	MUST(capture_next(capture, &packet, error) == 0);
	capture_close(capture);
}

static const char *written_path(void)
{
	static char path[FILE_PATH_MAX];
	int file;

	if (!path[0]) {
		file = memfd_create("written", 0);
		MUST(file >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = file_of(data, size), *written = written_path();
	struct kept kept[PACKETS_MAX];
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture = capture_open(path, error);
	struct capture_writer *writer;
	unsigned int count;

	if (!capture) {
		check_sentence(error, path);
		return 0;
	}
	writer = capture_write_open(written, capture, error);
	MUST(writer);
	count = read_packets(capture, path, writer, kept);
	capture_close(capture);
	MUST(capture_write_close(writer, error) == 0);
	check_written(written, kept, count);
	for (unsigned int i = 0; i < count; i++)
		free(kept[i].frame);
	return 0;
}
