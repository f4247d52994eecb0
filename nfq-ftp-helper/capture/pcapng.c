// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A block is its type, its length, a body of whole words, and its length again. read_block() reads what is around
 * the body; what is in it is reached through body_take() only, which knows how much of it is left. What nobody has taken is skipped.
 */
#include "pcapng.h"

#include "core/wire/bytes.h"

#include <stdlib.h>

#define BLOCK_SECTION  0x0a0d0d0au
#define BLOCK_OBSOLETE 2u  /* before enhanced packet blocks */
#define BLOCK_MIN      12u /* a block without a body */
#define ORDER_MAGIC    0x1a2b3c4du
#define MAJOR_VERSION  1
#define INTERFACES_MAX 65536u

#define OPTION_RESOLUTION 9
#define OPTION_OFFSET	  14

#define RESOLUTION_DEFAULT 6	/* 10^-6 seconds */
#define RESOLUTION_BINARY  0x80 /* 2^-n */

/* __int128, without -Wpedantic's word about it. */
__extension__ typedef unsigned __int128 wide;

struct interface {
	int64_t offset;	  /* of its time stamps: seconds */
	uint32_t snaplen; /* 0: no limit */
	uint16_t link_type;
	uint8_t resolution;
};

struct pcapng {
	FILE *file;
	uint64_t at;		      /* bytes read of the file */
	uint64_t block;		      /* where the current one begins */
	uint32_t type;		      /* of that one */
	uint32_t body;		      /* bytes of it that nobody has taken yet */
	struct pcapng_packet *packet; /* to be filled in, ... */
	uint8_t *frame;		      /* ... with its bytes here */
	bool begun;		      /* a section has */
	bool big;		      /* its byte order */
	uint32_t count, room;
	struct interface *interfaces;
	const char *reason;
};

struct pcapng *pcapng_new(FILE *file)
{
	struct pcapng *pcapng = calloc(1, sizeof(*pcapng));

	if (pcapng)
		pcapng->file = file;
	return pcapng;
}

void pcapng_free(struct pcapng *pcapng)
{
	if (!pcapng)
		return;
	free(pcapng->interfaces);
	free(pcapng);
}

uint64_t pcapng_place(const struct pcapng *pcapng)
{
	return pcapng->block;
}

static int damaged(struct pcapng *pcapng, const char *reason)
{
	pcapng->reason = reason;
	return -EIO;
}

static uint16_t get16(const struct pcapng *pcapng, const uint8_t *at)
{
	return pcapng->big ? bytes_get16(at) : (uint16_t)(at[1] << 8 | at[0]);
}

static uint32_t get32(const struct pcapng *pcapng, const uint8_t *at)
{
	return pcapng->big ? (uint32_t)get16(pcapng, at) << 16 | get16(pcapng, at + 2) :
			     (uint32_t)get16(pcapng, at + 2) << 16 | get16(pcapng, at);
}

static uint64_t get64(const struct pcapng *pcapng, const uint8_t *at)
{
	const uint64_t first = get32(pcapng, at), second = get32(pcapng, at + 4);

	return pcapng->big ? first << 32 | second : second << 32 | first;
}

static int file_take(struct pcapng *pcapng, void *bytes, uint32_t length)
{
	const size_t read = fread(bytes, 1, length, pcapng->file);

	pcapng->at += read;
	if (read == length)
		return 0;
	return damaged(pcapng, ferror(pcapng->file) ? "it cannot be read" : "the file ends within a block");
}

static int body_take(struct pcapng *pcapng, void *bytes, uint32_t length)
{
	if (length > pcapng->body)
		return damaged(pcapng, "a block is too short for what it says is in it");
	pcapng->body -= length;
	return file_take(pcapng, bytes, length);
}

static int body_skip(struct pcapng *pcapng, uint32_t length)
{
	uint8_t ignored[4096];
	int error = 0;

	while (!error && length > 0) {
		const uint32_t piece = length < sizeof(ignored) ? length : (uint32_t)sizeof(ignored);

		error = body_take(pcapng, ignored, piece);
		length -= piece;
	}
	return error;
}

/* Ten to that power; 0 where that is more than 64 bits hold. */
static uint64_t power_of_ten(unsigned int exponent)
{
	uint64_t power = 1;

	if (exponent > 19)
		return 0;
	while (exponent--)
		power *= 10;
	return power;
}

/* Seconds and microseconds of a time stamp. What no clock has, such as years beyond what fits, may be any time. */
static struct timeval time_of(const struct interface *interface, uint64_t stamp)
{
	const unsigned int exponent = interface->resolution & ~RESOLUTION_BINARY;
	const uint64_t unit = power_of_ten(exponent);
	uint64_t seconds = 0, micros = 0;

	if (interface->resolution & RESOLUTION_BINARY) {
		seconds = exponent < 64 ? stamp >> exponent : 0;
		stamp -= exponent < 64 ? seconds << exponent : 0;
		micros = exponent < 84 ? (uint64_t)((wide)stamp * 1000000 >> exponent) : 0;
	} else if (unit) {
		seconds = stamp / unit;
		micros = (uint64_t)((wide)(stamp % unit) * 1000000 / unit);
	} else if (power_of_ten(exponent - 6)) {
		micros = stamp / power_of_ten(exponent - 6);
	}
	seconds += (uint64_t)interface->offset;
	return (struct timeval){ .tv_sec = (time_t)(int64_t)seconds, .tv_usec = (suseconds_t)micros };
}

/* An interface's options: each of a code, a length, and a value that is padded to whole words. */
static int read_options(struct pcapng *pcapng, struct interface *interface)
{
	uint8_t header[4], value[8];
	int error = 0;

	while (!error && pcapng->body >= sizeof(header)) {
		uint32_t length, padded;
		uint16_t code;

		error = body_take(pcapng, header, sizeof(header));
		if (error)
			break;
		code = get16(pcapng, header);
		length = get16(pcapng, header + 2);
		padded = (length + 3) & ~3u;
		if (code == 0)
			break;
		if ((code == OPTION_RESOLUTION && length == 1) || (code == OPTION_OFFSET && length == 8)) {
			error = body_take(pcapng, value, padded);
			if (!error && code == OPTION_RESOLUTION)
				interface->resolution = value[0];
			else if (!error)
				interface->offset = (int64_t)get64(pcapng, value);
		} else {
			error = body_skip(pcapng, padded);
		}
	}
	return error;
}

static struct interface *room_for_interface(struct pcapng *pcapng)
{
	const uint32_t room = pcapng->room ? pcapng->room * 2 : 8;
	struct interface *interfaces;

	if (pcapng->count < pcapng->room)
		return &pcapng->interfaces[pcapng->count];
	if (pcapng->room >= INTERFACES_MAX)
		return NULL;
	interfaces = realloc(pcapng->interfaces, room * sizeof(*interfaces));
	if (!interfaces)
		return NULL;
	pcapng->interfaces = interfaces;
	pcapng->room = room;
	return &interfaces[pcapng->count];
}

static int read_interface(struct pcapng *pcapng)
{
	struct interface *interface = room_for_interface(pcapng);
	uint8_t fields[8]; /* link type, reserved, snapshot length */
	int error;

	if (!interface)
		return damaged(pcapng, "more interfaces than there is room for");
	error = body_take(pcapng, fields, sizeof(fields));
	if (error)
		return error;
	*interface = (struct interface){
		.link_type = get16(pcapng, fields),
		.snaplen = get32(pcapng, fields + 4),
		.resolution = RESOLUTION_DEFAULT,
	};
	error = read_options(pcapng, interface);
	pcapng->count += !error;
	return error;
}

/* What all packets have; @packet->captured and ->length have been filled in. Return: 1, or an error. */
static int read_packet(struct pcapng *pcapng, uint32_t id, uint64_t stamp)
{
	struct pcapng_packet *packet = pcapng->packet;
	int error;

	if (id >= pcapng->count)
		return damaged(pcapng, "a packet of an interface that is not described");
	if (packet->captured > FRAME_MAX)
		return damaged(pcapng, "a packet larger than any can be");
	packet->link_type = pcapng->interfaces[id].link_type;
	packet->time = time_of(&pcapng->interfaces[id], stamp);
	packet->exchanged = pcapng->big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	error = body_take(pcapng, pcapng->frame, packet->captured);
	return error ? error : 1;
}

/*
 * Interface, time (the upper half first), bytes captured, bytes there were. In obsolete blocks the interface has two bytes, and the next two
 * count losses.
 */
static int read_timed(struct pcapng *pcapng)
{
	uint8_t fields[20];
	int error = body_take(pcapng, fields, sizeof(fields));

	if (error)
		return error;
	pcapng->packet->captured = get32(pcapng, fields + 12);
	pcapng->packet->length = get32(pcapng, fields + 16);
	return read_packet(pcapng, pcapng->type == BLOCK_OBSOLETE ? get16(pcapng, fields) : get32(pcapng, fields),
			   (uint64_t)get32(pcapng, fields + 4) << 32 | get32(pcapng, fields + 8));
}

/* Of the first interface, without a time: the bytes there were. Captured are as many, but for the snapshot length. */
static int read_simple(struct pcapng *pcapng)
{
	struct pcapng_packet *packet = pcapng->packet;
	uint8_t field[4];
	int error = body_take(pcapng, field, sizeof(field));

	if (error)
		return error;
	if (pcapng->count == 0)
		return damaged(pcapng, "a packet of an interface that is not described");
	packet->length = get32(pcapng, field);
	packet->captured = packet->length;
	if (pcapng->interfaces[0].snaplen && packet->captured > pcapng->interfaces[0].snaplen)
		packet->captured = pcapng->interfaces[0].snaplen;
	return read_packet(pcapng, 0, 0);
}

/* What is in a block. Each returns 0, 1 where the packet is filled in, or an error. */
static const struct block {
	uint32_t type;
	int (*read)(struct pcapng *pcapng);
} blocks[] = {
	{ 1, read_interface },
	{ BLOCK_OBSOLETE, read_timed },
	{ 3, read_simple },
	{ 6, read_timed },
};

/* A section begins: its byte order is that of all that follows in it, of this block's length too. */
static int begin_section(struct pcapng *pcapng, const uint8_t *length_field, uint32_t *length)
{
	uint8_t fields[16]; /* byte order, versions, and the section's length, which is of no use here */
	int error = file_take(pcapng, fields, sizeof(fields));

	if (error)
		return error;
	pcapng->big = bytes_get32(fields) == ORDER_MAGIC;
	if (get32(pcapng, fields) != ORDER_MAGIC)
		return damaged(pcapng, "a section of no known byte order");
	if (get16(pcapng, fields + 4) != MAJOR_VERSION)
		return damaged(pcapng, "a section of a version that is not known");
	*length = get32(pcapng, length_field);
	if (*length < BLOCK_MIN + sizeof(fields) || *length % 4)
		return damaged(pcapng, "a section's first block has no length that it can have");
	pcapng->body = *length - BLOCK_MIN - (uint32_t)sizeof(fields);
	pcapng->begun = true;
	pcapng->count = 0;
	return 0;
}

static int begin_block(struct pcapng *pcapng, const uint8_t *header, uint32_t *length)
{
	if (bytes_get32(header) == BLOCK_SECTION) /* the same in both byte orders */
		return begin_section(pcapng, header + 4, length);
	if (!pcapng->begun)
		return damaged(pcapng, "it does not begin with a section");
	*length = get32(pcapng, header + 4);
	if (*length < BLOCK_MIN || *length % 4)
		return damaged(pcapng, "a block has no length that it can have");
	pcapng->body = *length - BLOCK_MIN;
	return 0;
}

static int read_body(struct pcapng *pcapng)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (blocks[i].type == pcapng->type)
			return blocks[i].read(pcapng);
	}
	return 0;
}

/* Return: as those in blocks[]. */
static int read_block(struct pcapng *pcapng, const uint8_t *header)
{
	uint32_t length;
	uint8_t trailer[4];
	int error = begin_block(pcapng, header, &length);
	int found;

	if (error)
		return error;
	pcapng->type = get32(pcapng, header);
	found = read_body(pcapng);
	if (found < 0)
		return found;
	error = body_skip(pcapng, pcapng->body);
	if (!error)
		error = file_take(pcapng, trailer, sizeof(trailer));
	if (!error && get32(pcapng, trailer) != length)
		error = damaged(pcapng, "a block's two lengths are not the same");
	return error ? error : found;
}

int pcapng_next(struct pcapng *pcapng, struct pcapng_packet *packet, uint8_t frame[FRAME_MAX], const char **reason)
{
	uint8_t header[8]; /* type and length */
	int found = 0;

	pcapng->packet = packet;
	pcapng->frame = frame;
	while (found == 0) {
		const int first = getc(pcapng->file);

		pcapng->block = pcapng->at;
		if (first == EOF && !ferror(pcapng->file))
			return 0;
		ungetc(first, pcapng->file);
		found = file_take(pcapng, header, sizeof(header));
		if (!found)
			found = read_block(pcapng, header);
	}
	*reason = pcapng->reason;
	return found;
}
