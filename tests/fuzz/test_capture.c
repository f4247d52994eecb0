// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A capture of any bytes, as replay reads it, twice: whatever the file claims, a packet lies within its frame, and what is
 * read of it within what was captured; the view of its segment leaves it as it was. Where it ends early, one sentence
 * says why and names the file. What is written of it is read again as the same packets, and so is another packet in the
 * place of each.
 */
#include "capture/segment.h"
#include "capture/writer.h"
#include "file.h"
#include "large.h"
#include "output/whole.h"

#define PACKETS_MAX 64 /* of an input, so that it takes its time, but not more */

/* One sentence: not empty, no line end in it, and it names the file. */
static void check_sentence(const char *error, const char *path)
{
	MUST(strlen(error) > strlen(path) && strlen(error) < CAPTURE_ERROR_MAX);
	MUST(strncmp(error, path, strlen(path)) == 0);
}

/* In a copy of just its size, so that reading behind it is found out. */
static uint8_t *copy_of(const uint8_t *bytes, uint32_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	MUST(copy);
	memcpy(copy, bytes, length);
	return copy;
}

static void check_place(const struct capture_packet *packet, uint64_t number)
{
	uint8_t *copy = copy_of(packet->frame, packet->captured);
	const struct frame_place *place = &packet->place;
	struct frame_place again = { .ip = 0 };

	MUST(packet->number == number && packet->captured <= packet->length);
	MUST((packet->type && frame_find_ip(packet->type, copy, packet->captured, &again)) == (packet->ip != NULL));
	free(copy);
	if (!packet->ip)
		return;
	MUST(place->ip == again.ip && place->end == again.end);
	MUST(place->ip <= place->end && place->end <= packet->captured);
	MUST(packet->ip == packet->frame + place->ip && packet->ip_captured == place->end - place->ip);
	for (uint32_t i = 0; i < place->length_count; i++)
		MUST(place->lengths[i].at + 2 <= place->ip && place->lengths[i].from <= place->ip);
}

/* A segment's checksum may have been completed, two bytes; of a shortened packet nothing but the headers has been looked at. */
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

static void look_at_segment(const struct capture_packet *packet)
{
	struct capture_packet copy = *packet;
	enum capture_checksum checksum = CHECKSUM_UNKNOWN;
	struct capture_segment view;
	int error;

	copy.frame = copy_of(packet->frame, packet->captured);
	copy.ip = packet->ip ? copy.frame + (packet->ip - packet->frame) : NULL;
	error = capture_segment_open(&view, &copy);
	if (!error) {
		check_segment(&copy, &view);
		checksum = capture_segment_checksum(&view);
	}
	if (checksum != CHECKSUM_UNKNOWN) {
		capture_segment_complete(&view);
		MUST(capture_segment_checksum(&view) == CHECKSUM_RIGHT);
	}
	capture_segment_close(&view);
	MUST(changed(copy.frame, packet->frame, packet->captured) <= (checksum == CHECKSUM_UNKNOWN ? 0 : 2));
	free(copy.frame);
}

/* The next frame comes to the same place: what is read behind its end shall look like an IP packet's Ethertype. */
static void spoil(const struct capture_packet *packet)
{
	for (uint32_t i = 0; i < packet->captured; i++)
		packet->frame[i] = i & 1 ? 0 : 8;
}

struct kept {
	const struct link_type *type; /* NULL: it is not written */
	uint32_t captured, length;
	uint8_t *frame;
};

/* As it is to be written: bare where link types differ. */
static struct kept keep(const struct capture_packet *packet, const struct link_type *type)
{
	if (packet->type == type)
		return (struct kept){ type, packet->captured, packet->length,
				      copy_of(packet->frame, packet->captured) };
	if (!packet->ip)
		return (struct kept){ .type = NULL };
	return (struct kept){ type, packet->ip_captured, packet->length - (packet->captured - packet->ip_captured),
			      copy_of(packet->ip, packet->ip_captured) };
}

/* Return: what the last capture_next() has said. */
static int read_packets(struct capture *capture, const char *path, unsigned int *count, struct capture_writer **writers,
			struct kept *kept)
{
	static const uint8_t other[] = "E: another packet, that has another length than most";
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	int result = 0;

	for (*count = 0; (!kept || *count < PACKETS_MAX) && (result = capture_next(capture, &packet, error)) > 0;) {
		check_place(&packet, ++*count);
		look_at_segment(&packet);
		if (kept) {
			kept[*count - 1] = keep(&packet, capture_link_type(capture));
			capture_write(writers[0], &packet);
			if (packet.ip)
				capture_write_ip(writers[1], &packet, other, *count % sizeof(other));
		}
		spoil(&packet);
	}
	if (result < 0)
		check_sentence(error, path);
	return result;
}

static void check_written(const char *path, const struct kept *kept, unsigned int count)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture = capture_open(path, error);
	struct capture_packet packet;

	MUST(capture);
	for (unsigned int i = 0; i < count; i++) {
		if (!kept[i].type)
			continue;
		MUST(capture_next(capture, &packet, error) == 1);
		MUST(packet.type == kept[i].type);
		MUST(packet.captured == kept[i].captured && packet.length == kept[i].length);
		MUST(memcmp(packet.frame, kept[i].frame, packet.captured) == 0);
	}
	MUST(capture_next(capture, &packet, error) == 0);
	capture_close(capture);
}

/* The others: they are found where they were put, whole, and nothing but what fills the frame up is behind them. */
static void check_others(const char *path)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture = capture_open(path, error);
	struct capture_packet packet;
	int result;

	MUST(capture);
	while ((result = capture_next(capture, &packet, error)) > 0) {
		if (packet.ip && packet.ip_captured > 0)
			MUST(packet.ip[0] == 'E');
		if (packet.ip && packet.ip_captured > 1)
			MUST(packet.ip[1] == ':');
	}
	MUST(result == 0);
	capture_close(capture);
}

/*
 * What is written is written at once where it is read again, but where it is a file. What output/whole does so that nothing is lost of a file that
 * is there already does not depend on the input, takes several times longer than all else, and has tests of its own.
 */
int __real_whole_begin(struct whole *whole, const char *path);
int __wrap_whole_begin(struct whole *whole, const char *path);
int __real_whole_end(struct whole *whole, bool keep);
int __wrap_whole_end(struct whole *whole, bool keep);

int __wrap_whole_begin(struct whole *whole, const char *path)
{
	if (file_is_real)
		return __real_whole_begin(whole, path);
	*whole = (struct whole){ .unnamed = -1, .file = fopen(path, "w") };
	return whole->file ? 0 : -errno;
}

int __wrap_whole_end(struct whole *whole, bool keep)
{
	if (file_is_real)
		return __real_whole_end(whole, keep);
	MUST(keep && !whole->file); /* libpcap has closed it */
	return 0;
}

/* Read again, written, and what has been written read. */
static void write_and_check(struct capture *capture, const char *path, unsigned int expected, int ended)
{
	const char *const written[] = { file_to_write(0), file_to_write(1) };
	struct capture_writer *writers[2];
	struct kept kept[PACKETS_MAX];
	char error[CAPTURE_ERROR_MAX];
	unsigned int count;
	int result;

	MUST(capture_rewind(capture, error) == 0);
	for (unsigned int i = 0; i < 2; i++) {
		writers[i] = capture_write_open(written[i], capture, error);
		MUST(writers[i]);
	}
	result = read_packets(capture, path, &count, writers, kept);
	MUST(expected > PACKETS_MAX ? count == PACKETS_MAX : count == expected);
	MUST(count == PACKETS_MAX || result == ended);
	for (unsigned int i = 0; i < 2; i++)
		MUST(capture_write_close(writers[i], error) == 0);
	check_written(written[0], kept, count);
	check_others(written[1]);
	for (unsigned int i = 0; i < count; i++)
		free(kept[i].frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = file_of(data, size);
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture = capture_open(path, error);
	unsigned int count;
	int ended;

	if (capture) {
		ended = read_packets(capture, path, &count, NULL, NULL);
		write_and_check(capture, path, count, ended);
	} else {
		check_sentence(error, path);
	}
	capture_close(capture);
	file_check();
	large_check();
	return 0;
}
