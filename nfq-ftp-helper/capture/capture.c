// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture - files of captured packets.
 *
 * Theory of operation. libpcap reads and writes the files; this file finds the IP packet in a frame, keeps count of
 * packets and bytes so that damage can be named by its place, and says what is wrong in words. A frame's bytes are
 * copied once, into a buffer as large as any frame may be, because the engine renumbers packets in place.
 *
 * Every length of a frame is checked against the bytes captured before anything behind it is read. A frame in which
 * no IP packet is found is not an error: ARP and the like occur in every capture.
 */
#include "capture.h"

#include "core/wire/bytes.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What libpcap allows a record of these link types to have; one that claims more is damaged. */
#define FRAME_MAX 262144u

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_QINQ = 0x9100
};

#define VLAN_TAG 4u

struct link_type {
	int dlt;
	uint32_t header;   /* bytes */
	uint32_t protocol; /* offset of the Ethertype, where there is one */
	/* Is an IP packet in the frame? *offset says where. */
	bool (*find_ip)(const struct link_type *type, const uint8_t *frame, uint32_t captured, uint32_t *offset);
};

struct capture {
	pcap_t *pcap;
	FILE *file;
	const char *path;
	const struct link_type *type;
	uint64_t packets;
	uint8_t frame[FRAME_MAX];
};

struct capture_writer {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	const char *path;
	uint8_t frame[FRAME_MAX];
};

static bool find_by_ethertype(const struct link_type *type, const uint8_t *frame, uint32_t captured, uint32_t *offset)
{
	uint32_t header = type->header;
	uint16_t protocol;

	if (captured < header)
		return false;
	protocol = bytes_get16(frame + type->protocol);
	while (protocol == ETHERTYPE_8021Q || protocol == ETHERTYPE_8021AD || protocol == ETHERTYPE_QINQ) {
		if (captured - header < VLAN_TAG)
			return false;
		protocol = bytes_get16(frame + header + 2);
		header += VLAN_TAG;
	}
	*offset = header;
	return protocol == ETHERTYPE_IPV4 || protocol == ETHERTYPE_IPV6;
}

/*
 * BSD loopback: the address family of the system that captured, in its byte order (NULL) or the network's (LOOP).
 * Each system has its own number for IPv6.
 */
static bool find_by_family(const struct link_type *type, const uint8_t *frame, uint32_t captured, uint32_t *offset)
{
	static const uint8_t families[] = { 2, 10, 24, 28, 30 };
	uint8_t family;

	if (captured < type->header || frame[1] || frame[2] || (frame[0] && frame[3]))
		return false;
	family = frame[0] | frame[3];
	*offset = type->header;
	return memchr(families, family, sizeof(families));
}

static bool find_raw(const struct link_type *type, const uint8_t *frame, uint32_t captured, uint32_t *offset)
{
	(void)frame;
	*offset = type->header;
	return captured > 0;
}

static const struct link_type link_types[] = {
	{ DLT_EN10MB, 14, 12, find_by_ethertype },
	{ DLT_LINUX_SLL, 16, 14, find_by_ethertype },
	{ DLT_LINUX_SLL2, 20, 0, find_by_ethertype },
	{ DLT_NULL, 4, 0, find_by_family },
	{ DLT_LOOP, 4, 0, find_by_family },
	{ DLT_RAW, 0, 0, find_raw },
	{ DLT_IPV4, 0, 0, find_raw },
	{ DLT_IPV6, 0, 0, find_raw },
};

static const struct link_type *link_type_find(int dlt)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++)
		if (link_types[i].dlt == dlt)
			return &link_types[i];
	return NULL;
}

/* What can be said of a file before libpcap looks at it. */
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

static pcap_t *open_pcap(FILE *file, const char *path, const struct link_type **type, char error[CAPTURE_ERROR_MAX])
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_fopen_offline(file, reason);
	const char *name;

	if (!pcap) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: is not a capture, or damaged in its first bytes: %s", path,
			 reason);
		fclose(file);
		return NULL;
	}
	*type = link_type_find(pcap_datalink(pcap));
	if (*type)
		return pcap;
	name = pcap_datalink_val_to_name(pcap_datalink(pcap));
	snprintf(error, CAPTURE_ERROR_MAX, "%s: its link type %d (%s) is not understood", path, pcap_datalink(pcap),
		 name ? name : "unknown");
	pcap_close(pcap); /* and the file */
	return NULL;
}

struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_MAX])
{
	FILE *file = open_file(path, error);
	struct capture *capture;

	if (!file)
		return NULL;
	capture = malloc(sizeof(*capture));
	if (!capture) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory to read it", path);
		fclose(file);
		return NULL;
	}
	capture->file = file;
	capture->path = path;
	capture->packets = 0;
	capture->pcap = open_pcap(file, path, &capture->type, error);
	if (capture->pcap)
		return capture;
	free(capture);
	return NULL;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	pcap_close(capture->pcap);
	free(capture);
}

static void say_damage(const struct capture *capture, off_t at, const char *reason, char error[CAPTURE_ERROR_MAX])
{
	char place[40] = "";

	if (at >= 0)
		snprintf(place, sizeof(place), ", byte %lld", (long long)at);
	snprintf(error, CAPTURE_ERROR_MAX, "%s: damaged at packet %llu%s: %s", capture->path,
		 (unsigned long long)capture->packets + 1, place, reason);
}

static void fill_in(struct capture *capture, const struct pcap_pkthdr *header, const uint8_t *bytes,
		    struct capture_packet *packet)
{
	const struct link_type *type = capture->type;
	uint32_t offset;

	memcpy(capture->frame, bytes, header->caplen);
	*packet = (struct capture_packet){
		.number = ++capture->packets,
		.time = header->ts,
		.frame = capture->frame,
		.captured = header->caplen,
		.length = header->len > header->caplen ? header->len : header->caplen,
	};
	if (!type->find_ip(type, packet->frame, packet->captured, &offset))
		return;
	packet->ip = packet->frame + offset;
	packet->ip_captured = packet->captured - offset;
}

int capture_next(struct capture *capture, struct capture_packet *packet, char error[CAPTURE_ERROR_MAX])
{
	const off_t at = ftello(capture->file);
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int result = pcap_next_ex(capture->pcap, &header, &bytes);

	if (result == PCAP_ERROR_BREAK)
		return 0;
	if (result != 1) {
		say_damage(capture, at, pcap_geterr(capture->pcap), error);
		return -EIO;
	}
	if (header->caplen > FRAME_MAX) {
		say_damage(capture, at, "a packet larger than any can be", error);
		return -EIO;
	}
	fill_in(capture, header, bytes, packet);
	return 1;
}

static bool same_file(const char *path, const struct capture *capture)
{
	struct stat ours, theirs;

	return stat(path, &ours) == 0 && fstat(fileno(capture->file), &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

struct capture_writer *capture_write_open(const char *path, const struct capture *like, char error[CAPTURE_ERROR_MAX])
{
	struct capture_writer *writer;

	if (same_file(path, like)) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: is the capture that is being read", path);
		return NULL;
	}
	writer = malloc(sizeof(*writer));
	if (!writer) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory to write it", path);
		return NULL;
	}
	writer->path = path;
	writer->dumper = NULL;
	writer->pcap = pcap_open_dead(like->type->dlt, FRAME_MAX);
	if (writer->pcap)
		writer->dumper = pcap_dump_open(writer->pcap, path);
	if (writer->dumper)
		return writer;
	snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be written: %s", path,
		 writer->pcap ? pcap_geterr(writer->pcap) : strerror(ENOMEM));
	if (writer->pcap)
		pcap_close(writer->pcap);
	free(writer);
	return NULL;
}

void capture_write(struct capture_writer *writer, const struct capture_packet *packet)
{
	const struct pcap_pkthdr header = { .ts = packet->time, .caplen = packet->captured, .len = packet->length };

	pcap_dump((uint8_t *)writer->dumper, &header, packet->frame);
}

void capture_write_ip(struct capture_writer *writer, const struct capture_packet *packet, const uint8_t *ip,
		      uint32_t length)
{
	const uint32_t offset = (uint32_t)(packet->ip - packet->frame);
	struct pcap_pkthdr header = { .ts = packet->time };

	if (length > FRAME_MAX - offset)
		return;
	memcpy(writer->frame, packet->frame, offset);
	memcpy(writer->frame + offset, ip, length);
	header.caplen = offset + length;
	header.len = header.caplen;
	pcap_dump((uint8_t *)writer->dumper, &header, writer->frame);
}

int capture_write_close(struct capture_writer *writer, char error[CAPTURE_ERROR_MAX])
{
	int failed = pcap_dump_flush(writer->dumper) < 0 || ferror(pcap_dump_file(writer->dumper));

	if (failed)
		snprintf(error, CAPTURE_ERROR_MAX, "%s: not everything could be written: %s", writer->path,
			 strerror(errno));
	pcap_dump_close(writer->dumper);
	pcap_close(writer->pcap);
	free(writer);
	return failed ? -EIO : 0;
}
