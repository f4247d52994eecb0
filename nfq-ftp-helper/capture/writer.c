// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

#include "output/whole.h"

#include <pcap/pcap.h>
#include <stdlib.h>

struct capture_writer {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	const char *path;
	struct whole whole; /* the file; none: standard output */
	const struct link_type *type;
	uint8_t frame[FRAME_MAX];
};

/* Libpcap's name of standard output. */
static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Return: false: @error says why not. */
static bool begin(struct capture_writer *writer, const char *path, char error[CAPTURE_ERROR_MAX])
{
	int failure = writer->pcap ? 0 : -ENOMEM;

	writer->whole = (struct whole){ 0 };
	if (!failure && !is_stdout(path))
		failure = whole_begin(&writer->whole, path);
	if (failure) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be written: %s", path, strerror(-failure));
		return false;
	}
	writer->dumper = is_stdout(path) ? pcap_dump_open(writer->pcap, path) :
					   pcap_dump_fopen(writer->pcap, writer->whole.file);
	if (writer->dumper)
		return true;
	snprintf(error, CAPTURE_ERROR_MAX, "%s: cannot be written: %s", path, pcap_geterr(writer->pcap));
	writer->whole.file = NULL; /* libpcap has closed it, or not */
	(void)whole_end(&writer->whole, false);
	return false;
}

struct capture_writer *capture_write_open(const char *path, const struct capture *like, char error[CAPTURE_ERROR_MAX])
{
	struct capture_writer *writer;

	if (capture_is(like, path)) {
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
	writer->type = capture_link_type(like);
	writer->pcap = pcap_open_dead(writer->type->dlt, FRAME_MAX);
	if (begin(writer, path, error))
		return writer;
	if (writer->pcap)
		pcap_close(writer->pcap);
	free(writer);
	return NULL;
}

static void dump(struct capture_writer *writer, const struct capture_packet *packet, const uint8_t *bytes,
		 uint32_t captured, uint32_t length)
{
	const struct pcap_pkthdr header = { .ts = packet->time, .caplen = captured, .len = length };

	pcap_dump((uint8_t *)writer->dumper, &header, bytes);
}

void capture_write(struct capture_writer *writer, const struct capture_packet *packet)
{
	uint32_t before = 0, captured = packet->captured;

	if (packet->type != writer->type) {
		if (!packet->ip)
			return;
		before = packet->place.ip;
		captured = packet->ip_captured;
	}
	dump(writer, packet, packet->frame + before, captured, packet->length - (packet->captured - captured));
}

void capture_write_ip(struct capture_writer *writer, const struct capture_packet *packet, const uint8_t *ip,
		      uint32_t length)
{
	const uint32_t offset = packet->type == writer->type ? packet->place.ip : 0;
	uint32_t end = offset + length, rest;

	if (end + packet->place.alignment > FRAME_MAX) /* all of these are far below 2^32 */
		return;
	memcpy(writer->frame, packet->frame, offset);
	memcpy(writer->frame + offset, ip, length);
	if (offset > 0) {
		if (!frame_set_length(writer->frame, &packet->place, length))
			return;
		rest = -end % packet->place.alignment;
		memset(writer->frame + end, 0, rest);
		end += rest;
	}
	dump(writer, packet, writer->frame, end, end);
}

int capture_write_close(struct capture_writer *writer, char error[CAPTURE_ERROR_MAX])
{
	bool failed = pcap_dump_flush(writer->dumper) < 0 || ferror(pcap_dump_file(writer->dumper));
	int why = errno, result;

	pcap_dump_close(writer->dumper);
	writer->whole.file = NULL;
	result = whole_end(&writer->whole, !failed);
	if (result < 0 && !failed)
		why = -result;
	failed |= result < 0;
	if (failed)
		snprintf(error, CAPTURE_ERROR_MAX, "%s: not everything could be written: %s", writer->path,
			 strerror(why));
	pcap_close(writer->pcap);
	free(writer);
	return failed ? -EIO : 0;
}
