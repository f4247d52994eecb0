// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture - files of captured packets.
 *
 * Theory of operation. libpcap reads pcap, in all of its dialects; pcapng is read by pcapng.c, which says why. This file tells the two apart by
 * their first byte, keeps count of packets and bytes so that damage can be named by its place, finds the IP packet in a frame (frame.c),
 * and says what is wrong in words. A frame's bytes are copied once, into a buffer as large as any frame may be, because the
 * engine renumbers packets in place.
 *
 * A capture can be read again from its beginning. What cannot go back, a pipe, is copied to a file without a name first, if it begins
 * as a capture does.
 *
 * Every length of a frame is checked against the bytes captured before anything behind it is read. A frame in which
 * no IP packet is found is not an error: ARP and the like occur in every capture.
 */
#include "capture.h"

#include "core/wire/bytes.h"
#include "pcapng.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct capture {
	const char *path;
	FILE *file;
	FILE *pcap_file; /* the same, libpcap's own, which closes it */
	pcap_t *pcap;	 /* one of these two */
	struct pcapng *pcapng;
	uint64_t packets;
	/* Of all packets so far, whose link types it understands: it has one, or several. Of a pcap known from its beginning. */
	const struct link_type *type;
	bool several;
	uint64_t foreign; /* packets of link types that it does not understand */
	int foreign_type; /* the first of these */
	uint8_t frame[FRAME_MAX];
};

/* What can be said of a file before anything is read. */
static FILE *open_file(const char *path, char error[CAPTURE_ERROR_MAX])
{
	FILE *file = fopen(path, "rb");
	struct stat status;

	if (!file || fstat(fileno(file), &status) < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be opened: %s", path, strerror(errno));
	} else if (S_ISDIR(status.st_mode)) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: is a directory, not a capture", path);
	} else if (S_ISREG(status.st_mode) && status.st_size == 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: is empty, not a capture", path);
	} else {
		return file;
	}
	if (file)
		fclose(file);
	return NULL;
}

/* pcap (microseconds, nanoseconds, Kuznetzov's with more about each packet), pcapng. */
static bool begins_a_capture(const uint8_t *bytes)
{
	static const uint32_t magics[] = { 0xa1b2c3d4u, 0xa1b23c4du, 0xa1b2cd34u, 0x0a0d0d0au };

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (bytes_get32(bytes) == magics[i] || __builtin_bswap32(bytes_get32(bytes)) == magics[i])
			return true;
	}
	return false;
}

/* Return: whether all of it is there. */
static bool copy(FILE *from, FILE *to)
{
	uint8_t piece[65536];
	size_t length = fread(piece, 1, 4, from);

	if (length == 4 && !begins_a_capture(piece))
		return true; /* what is there suffices to be refused */
	while (length > 0 && fwrite(piece, 1, length, to) == length)
		length = fread(piece, 1, sizeof(piece), from);
	return length == 0 && !ferror(from) && fflush(to) == 0;
}

/* A file that can go back: this one, or a copy of what comes through it. */
static FILE *open_seekable(const char *path, char error[CAPTURE_ERROR_MAX])
{
	FILE *file = open_file(path, error), *copied;

	if (!file || fseeko(file, 0, SEEK_SET) == 0)
		return file;
	copied = tmpfile();
	if (!copied || !copy(file, copied)) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be copied to a temporary file, to be read twice: %s",
			 path, strerror(errno));
		if (copied)
			fclose(copied);
		copied = NULL;
	}
	fclose(file);
	return copied;
}

static int say_foreign(const struct capture *capture, int type, char error[CAPTURE_ERROR_MAX])
{
	snprintf(error, CAPTURE_ERROR_MAX, "%s: its link type %d (%s) is not understood", capture->path, type,
		 link_type_name(type));
	return -EPROTONOSUPPORT;
}

static int open_pcap(struct capture *capture, char error[CAPTURE_ERROR_MAX])
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	const int descriptor = dup(fileno(capture->file));

	capture->pcap_file = descriptor < 0 || lseek(descriptor, 0, SEEK_SET) < 0 ? NULL : fdopen(descriptor, "rb");
	if (capture->pcap_file)
		capture->pcap = pcap_fopen_offline(capture->pcap_file, reason);
	if (!capture->pcap) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: is not a capture, or damaged in its first bytes: %s",
			 capture->path, capture->pcap_file ? reason : strerror(errno));
		if (capture->pcap_file)
			fclose(capture->pcap_file);
		else if (descriptor >= 0)
			close(descriptor);
		return -EIO;
	}
	capture->type = link_type_find(pcap_datalink(capture->pcap));
	return capture->type ? 0 : say_foreign(capture, pcap_datalink(capture->pcap), error);
}

static int open_pcapng(struct capture *capture, char error[CAPTURE_ERROR_MAX])
{
	if (fseeko(capture->file, 0, SEEK_SET) < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: %s", capture->path, strerror(errno));
		return -EIO;
	}
	capture->pcapng = pcapng_new(capture->file);
	if (!capture->pcapng)
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory to read it", capture->path);
	return capture->pcapng ? 0 : -ENOMEM;
}

/* Whichever reads it. The file may be anywhere. */
static int open_reader(struct capture *capture, char error[CAPTURE_ERROR_MAX])
{
	uint8_t first = 0;

	if (pread(fileno(capture->file), &first, 1, 0) == 1 && first == PCAPNG_FIRST)
		return open_pcapng(capture, error);
	return open_pcap(capture, error);
}

static void close_reader(struct capture *capture)
{
	if (capture->pcap)
		pcap_close(capture->pcap); /* and its file */
	pcapng_free(capture->pcapng);
	capture->pcap = NULL;
	capture->pcapng = NULL;
}

struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_MAX])
{
	FILE *file = open_seekable(path, error);
	struct capture *capture;

	if (!file)
		return NULL;
	capture = malloc(sizeof(*capture));
	if (!capture) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory to read it", path);
		fclose(file);
		return NULL;
	}
	memset(capture, 0, offsetof(struct capture, frame)); /* that is large, and filled in packet by packet */
	capture->file = file;
	capture->path = path;
	if (open_reader(capture, error) == 0)
		return capture;
	capture_close(capture);
	return NULL;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	close_reader(capture);
	fclose(capture->file);
	free(capture);
}

int capture_rewind(struct capture *capture, char error[CAPTURE_ERROR_MAX])
{
	close_reader(capture);
	capture->packets = 0;
	capture->foreign = 0;
	return open_reader(capture, error);
}

static int say_damage(const struct capture *capture, int64_t at, const char *reason, char error[CAPTURE_ERROR_MAX])
{
	snprintf(error, CAPTURE_ERROR_MAX, "%s: damaged at packet %llu, byte %lld: %s", capture->path,
		 (unsigned long long)capture->packets + 1, (long long)at, reason);
	return -EIO;
}

/* Into the capture's frame. Return: as capture_next(). */
static int next_pcap(struct capture *capture, struct pcapng_packet *packet, char error[CAPTURE_ERROR_MAX])
{
	const off_t at = ftello(capture->pcap_file);
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int result = pcap_next_ex(capture->pcap, &header, &bytes);

	if (result == PCAP_ERROR_BREAK)
		return 0;
	if (result != 1)
		return say_damage(capture, at, pcap_geterr(capture->pcap), error);
	if (header->caplen > FRAME_MAX)
		return say_damage(capture, at, "a packet larger than any can be", error);
	*packet = (struct pcapng_packet){
		.time = header->ts,
		.link_type = capture->type->number,
		.captured = header->caplen,
		.length = header->len,
	};
	memcpy(capture->frame, bytes, header->caplen);
	return 1;
}

static int next_pcapng(struct capture *capture, struct pcapng_packet *packet, char error[CAPTURE_ERROR_MAX])
{
	const char *reason;
	int result = pcapng_next(capture->pcapng, packet, capture->frame, &reason);

	return result < 0 ? say_damage(capture, (int64_t)pcapng_place(capture->pcapng), reason, error) : result;
}

/* What its link type says of a frame; and what link types there are. */
static void look_at_frame(struct capture *capture, const struct pcapng_packet *read, struct capture_packet *packet)
{
	const struct link_type *type = link_type_find(read->link_type);

	if (!type) {
		if (capture->foreign++ == 0)
			capture->foreign_type = read->link_type;
		return;
	}
	packet->type = type;
	capture->several |= capture->type && capture->type != type;
	capture->type = type;
	if (read->exchanged && type->exchange)
		type->exchange(packet->frame, packet->captured);
	if (!frame_find_ip(type, packet->frame, packet->captured, &packet->place))
		return;
	packet->ip = packet->frame + packet->place.ip;
	packet->ip_captured = packet->place.end - packet->place.ip;
}

int capture_next(struct capture *capture, struct capture_packet *packet, char error[CAPTURE_ERROR_MAX])
{
	struct pcapng_packet read;
	int result = capture->pcap ? next_pcap(capture, &read, error) : next_pcapng(capture, &read, error);

	if (result == 0 && capture->foreign > 0 && capture->foreign == capture->packets)
		return say_foreign(capture, capture->foreign_type, error);
	if (result <= 0)
		return result;
	*packet = (struct capture_packet){
		.number = ++capture->packets,
		.time = read.time,
		.frame = capture->frame,
		.captured = read.captured,
		.length = read.length > read.captured ? read.length : read.captured,
	};
	look_at_frame(capture, &read, packet);
	return 1;
}

bool capture_foreign(const struct capture *capture, char sentence[CAPTURE_ERROR_MAX])
{
	if (capture->foreign == 0 || capture->foreign == capture->packets)
		return false;
	snprintf(sentence, CAPTURE_ERROR_MAX,
		 "%s: %llu of its packets are of link types that are not understood, the first of %d (%s): "
		 "not read",
		 capture->path, (unsigned long long)capture->foreign, capture->foreign_type,
		 link_type_name(capture->foreign_type));
	return true;
}

const struct link_type *capture_link_type(const struct capture *capture)
{
	return capture->type && !capture->several ? capture->type : link_type_raw();
}

bool capture_is(const struct capture *capture, const char *path)
{
	struct stat ours, theirs;

	return stat(path, &theirs) == 0 && fstat(fileno(capture->file), &ours) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}
