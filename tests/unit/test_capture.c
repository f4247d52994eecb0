// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures, made here: every link layer that is understood, around both families, found again, cut off everywhere, and written with
 * another packet in its place; pcapng of both byte orders with interfaces of all kinds; and what is said of files that are damaged.
 */
#include "unit.h"

#include "capture/segment.h"
#include "capture/writer.h"
#include "common/packet.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX  65536
#define FRAMES	  4096 /* bytes of one frame, at most */
#define PATH_SIZE 32

#define LINK_ETHERNET 1
#define LINK_RAW      101
#define LINK_NFLOG    239

static const struct endpoint ends[2][2] = {
	{ { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 },
	  { .family = FAMILY_IPV4, .address = { 203, 0, 113, 5 }, .port = 21 } },
	{ { .family = FAMILY_IPV6, .address = { 0x20, 1, [15] = 2 }, .port = 40000 },
	  { .family = FAMILY_IPV6, .address = { 0x20, 1, [15] = 5 }, .port = 21 } },
};

static void make_packet(struct packet *packet, bool ipv6, const char *payload)
{
	packet_make(packet, &ends[ipv6][0], &ends[ipv6][1], 1000, 5000, TCP_ACK, NULL, payload,
		    (uint32_t)strlen(payload));
}

/*
 * A link header in hexadecimal digits, and: T the Ethertype; P the PPP protocol, p its last byte alone; F the family, as Linux counts; L the length of
 * what follows, to the packet's end; N the same with the four bytes of which this is the first two, in this machine's byte order;
 * w before four digits: these two bytes in it; M six bytes of an address.
 */
static const struct layout {
	const char *name;
	uint16_t link_type;
	const char *header;
	const char *trailer;
	bool written_shorter; /* without its trailer */
} layouts[] = {
	{ "ethernet", LINK_ETHERNET, "MM T", "", false },
	{ "ethernet, padded", LINK_ETHERNET, "MM T", "000000000000", true },
	{ "802.1Q", LINK_ETHERNET, "MM 8100 0007 T", "", false },
	{ "802.1ad and 802.1Q", LINK_ETHERNET, "MM 88a8 0005 8100 0007 T", "", false },
	{ "three tags", LINK_ETHERNET, "MM 88a8 0005 8100 0007 8100 2008 T", "", false },
	{ "four tags of before 802.1ad", LINK_ETHERNET, "MM 9100 0005 9200 0007 9300 0008 8100 0009 T", "", false },
	{ "802.3 with SNAP", LINK_ETHERNET, "MM L aaaa03 000000 T", "", false },
	{ "802.1H behind a tag", LINK_ETHERNET, "MM 8100 0007 L aaaa03 0000f8 T", "", false },
	{ "PPPoE", LINK_ETHERNET, "MM 8864 1100 0007 L P", "", false },
	{ "PPPoE, padded", LINK_ETHERNET, "MM 8864 1100 0007 L P", "0000", true },
	{ "PPPoE behind a tag, a short protocol", LINK_ETHERNET, "MM 8100 0007 8864 1100 0001 L p", "", false },
	{ "MPLS in PPPoE in SNAP", LINK_ETHERNET, "MM L aaaa03 000000 8864 1100 0007 L 0281 00010140", "", false },
	{ "MPLS", LINK_ETHERNET, "MM 8847 00010140", "", false },
	{ "MPLS, three labels", LINK_ETHERNET, "MM 8847 00010040 00020040 00030140", "", false },
	{ "MPLS, upstream", LINK_ETHERNET, "MM 8848 00010140", "", false },
	{ "Ethernet over MPLS", LINK_ETHERNET, "MM 8847 00010040 00020140 00000000 MM 8100 0007 T", "", false },
	{ "cooked", 113, "0000 0001 0006 M 0000 T", "", false },
	{ "cooked, tagged", 113, "0000 0001 0006 M 0000 8100 0007 T", "", false },
	{ "cooked, PPPoE", 113, "0000 0001 0006 M 0000 8864 1100 0007 L P", "", false },
	{ "cooked, PPP device", 113, "0000 0200 0000 0000000000000000 T", "", false },
	{ "cooked, LLC", 113, "0000 0001 0006 M 0000 0004 aaaa03 000000 T", "", false },
	{ "cooked v2", 276, "T 0000 00000003 0001 00 06 M 0000", "", false },
	{ "cooked v2, tagged twice", 276, "88a8 0000 00000003 0001 00 06 M 0000 0005 8100 0007 T", "", false },
	{ "cooked v2, PPPoE", 276, "8864 0000 00000003 0001 00 06 M 0000 1100 0007 L P", "", false },
	{ "NFLOG", LINK_NFLOG, "F 00 0000 N w0009", "", false },
	{ "NFLOG, payload last", LINK_NFLOG,
	  "F 00 0000 w0008 w0001 T 03 00 w0005 w000a 41 000000 w0008 w0004 00000003 N w0009", "", false },
	{ "NFLOG, payload first", LINK_NFLOG, "F 00 0000 N w0009", "!w0008 w0001 0800 03 00 w0007 w000a 414200 00",
	  true },
	{ "NFLOG, payload between", LINK_NFLOG, "F 00 0005 w0005 w000a 00 000000 N w0009", "!w0008 w000b 00000001",
	  true },
	{ "NFLOG of a bridge", LINK_NFLOG, "07 00 0000 w0008 w0001 T 03 00 N w0009", "", false },
	{ "NFLOG of a bridge, tagged", LINK_NFLOG, "07 00 0000 w0008 w0001 8100 03 00 N w0009 0007 T", "", false },
	{ "NFLOG of a bridge, of two kinds", LINK_NFLOG, "07 00 0000 w0008 w0001 T 03 00 N w0009",
	  "!w0008 w0001 0806 03 00", true },
	{ "NULL, little-endian", 0, "%02000000", "", false },
	{ "NULL, big-endian", 0, "%00000002", "", false },
	{ "LOOP", 108, "%00000002", "", false },
	{ "raw", LINK_RAW, "", "", false },
	{ "raw, padded", LINK_RAW, "", "0000", true },
	{ "raw, by another number", 12, "", "", false },
	{ "PPP", 9, "P", "", false },
	{ "PPP in frames", 9, "ff03 P", "", false },
	{ "PPP, MPLS", 9, "ff03 0281 00010040 00010140", "", false },
	{ "PPP, a short protocol", 9, "p", "", false },
	{ "PPP over HDLC", 50, "ff03 P", "", false },
	{ "PPP over HDLC, a short protocol", 50, "ff03 p", "", false },
	{ "PPP over HDLC, without its address", 50, "P", "", false },
	{ "Cisco HDLC as PPP over HDLC", 50, "0f00 T", "", false },
	{ "Cisco HDLC, multicast", 50, "8f00 T", "", false },
	{ "Cisco HDLC", 104, "0f00 T", "", false },
	{ "PPPoE without Ethernet", 51, "1100 0007 L P", "", false },
	{ "PPP of pppd, received", 166, "0003 P", "", false },
	{ "PPP of pppd, sent", 166, "0103 P", "", false },
	{ "PPP with a direction", 204, "00 ff03 P", "", false },
	{ "PPP with a direction, without frames", 204, "01 P", "", false },
	{ "MPLS without Ethernet", 219, "00010040 00020140", "", false },
	{ "802.11", 105, "0801 0000 MMM 1000 aaaa03 000000 T", "", false },
	{ "802.11, QoS", 105, "8802 0000 MMM 1000 0000 aaaa03 000000 T", "", false },
	{ "802.11, four addresses", 105, "0803 0000 MMM 1000 M aaaa03 000000 T", "", false },
	{ "802.11, HT control", 105, "8881 0000 MMM 1000 0000 00000000 aaaa03 000000 T", "", false },
	{ "radiotap", 127, "0000 0800 00000000 0801 0000 MMM 1000 aaaa03 000000 T", "", false },
	{ "radiotap, padded header", 127,
	  "0000 1200 0f000000 0000000000000000 20 00 8802 0000 MMM 1000 0000 0000 aaaa03 000000 T", "", false },
	{ "radiotap, two words", 127,
	  "0000 1100 020000a0 00000000 20 00000000 8802 0000 MMM 1000 0000 0000 aaaa03 000000 T", "", false },
	{ "AVS", 163, "80211001 00000010 0000000000000000 0801 0000 MMM 1000 aaaa03 000000 T", "", false },
};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

struct bytes {
	uint8_t at[FRAMES];
	uint32_t length;
};

static void add(struct bytes *bytes, const void *what, uint32_t length)
{
	assert_true(bytes->length + length <= sizeof(bytes->at));
	memcpy(bytes->at + bytes->length, what, length);
	bytes->length += length;
}

static void add_native(struct bytes *bytes, uint16_t value)
{
	add(bytes, &value, sizeof(value));
}

static void add_big(struct bytes *bytes, uint16_t value)
{
	uint8_t field[2];

	packet_put16(field, value);
	add(bytes, field, sizeof(field));
}

static uint8_t digits(const char *text)
{
	const char pair[3] = { text[0], text[1] };

	return (uint8_t)strtoul(pair, NULL, 16);
}

/* Lengths that are not known yet: where they stand. */
struct lengths {
	uint32_t at[4];
	bool native[4];
	unsigned int count;
};

static void add_symbol(struct bytes *bytes, char symbol, bool ipv6, struct lengths *lengths)
{
	static const uint8_t address[6] = { 2, 0, 0, 0, 0, 1 };
	const uint8_t family = ipv6 ? 10 : 2, protocol = ipv6 ? 0x57 : 0x21;

	switch (symbol) {
	case 'T':
		add_big(bytes, ipv6 ? 0x86dd : 0x0800);
		break;
	case 'P':
		add_big(bytes, protocol);
		break;
	case 'p':
		add(bytes, &protocol, 1);
		break;
	case 'F':
		add(bytes, &family, 1);
		break;
	case 'M':
		add(bytes, address, sizeof(address));
		break;
	default:
		lengths->native[lengths->count] = symbol == 'N';
		lengths->at[lengths->count++] = bytes->length;
		add_big(bytes, 0);
	}
}

static void add_text(struct bytes *bytes, const char *text, bool ipv6, struct lengths *lengths)
{
	for (; *text; text++) {
		uint8_t byte;

		if (*text == 'w') {
			add_native(bytes, (uint16_t)(digits(text + 1) << 8 | digits(text + 3)));
			text += 4;
		} else if (strchr("TPpFLNM", *text)) {
			add_symbol(bytes, *text, ipv6, lengths);
		} else if (strchr("0123456789abcdef", *text)) {
			byte = digits(text++);
			add(bytes, &byte, 1);
		} else if (*text == '!') { /* up to whole words */
			add(bytes, "\0\0\0", -bytes->length & 3);
		}
	}
}

static void fill_in(struct bytes *bytes, const struct lengths *lengths)
{
	for (unsigned int i = 0; i < lengths->count; i++) {
		const uint32_t at = lengths->at[i];
		const uint16_t native = (uint16_t)(bytes->length - at);

		if (lengths->native[i])
			memcpy(bytes->at + at, &native, 2);
		else
			packet_put16(bytes->at + at, bytes->length - at - 2);
	}
}

/* Families of BSD loopback are not what Linux counts: its IPv6 is 10, and so on. */
static void make_frame(struct bytes *frame, const struct layout *layout, const struct packet *packet, bool ipv6)
{
	struct lengths lengths = { .count = 0 };

	frame->length = 0;
	add_text(frame, layout->header, ipv6, &lengths);
	if (layout->header[0] == '%' && ipv6)
		frame->at[frame->at[0] ? 0 : 3] = 30;
	add(frame, packet->bytes, packet->length);
	fill_in(frame, &lengths);
	if (layout->link_type == LINK_NFLOG && !layout->trailer[0])
		add_text(frame, "!", ipv6, &lengths);
	add_text(frame, layout->trailer, ipv6, &lengths);
}

/* Files in memory: pcap and pcapng, of either byte order. */

struct file {
	uint8_t bytes[FILE_MAX];
	uint32_t length;
	bool big;
};

static void put16(struct file *file, uint32_t value)
{
	file->bytes[file->length++] = (uint8_t)(file->big ? value >> 8 : value);
	file->bytes[file->length++] = (uint8_t)(file->big ? value : value >> 8);
}

static void put32(struct file *file, uint32_t value)
{
	put16(file, file->big ? value >> 16 : value & 0xffff);
	put16(file, file->big ? value & 0xffff : value >> 16);
}

static void put_bytes(struct file *file, const void *bytes, uint32_t length)
{
	memcpy(file->bytes + file->length, bytes, length);
	file->length += length;
}

static void pcap_begin(struct file *file, uint16_t link_type)
{
	file->length = 0;
	put32(file, 0xa1b2c3d4u);
	put16(file, 2);
	put16(file, 4);
	put32(file, 0);
	put32(file, 0);
	put32(file, FRAME_MAX);
	put32(file, link_type);
}

static void pcap_packet(struct file *file, const struct bytes *frame)
{
	put32(file, 1700000000);
	put32(file, 5);
	put32(file, frame->length);
	put32(file, frame->length);
	put_bytes(file, frame->at, frame->length);
}

/* Return: where the block begins, for block_end(). */
static uint32_t block_begin(struct file *file, uint32_t type)
{
	put32(file, type);
	put32(file, 0);
	return file->length - 8;
}

static void block_end(struct file *file, uint32_t begin)
{
	const uint32_t length = file->length - begin + 4, end = file->length;

	file->length = begin + 4;
	put32(file, length);
	file->length = end;
	put32(file, length);
}

static void section(struct file *file, bool big)
{
	uint32_t begin;

	file->big = big;
	begin = block_begin(file, 0x0a0d0d0au);
	put32(file, 0x1a2b3c4du);
	put16(file, 1);
	put16(file, 0);
	put32(file, UINT32_MAX);
	put32(file, UINT32_MAX);
	block_end(file, begin);
}

static void pad(struct file *file)
{
	while (file->length % 4)
		file->bytes[file->length++] = 0;
}

/* @resolution: -1: not said; @offset: 0: not said */
static void interface(struct file *file, uint16_t link_type, int resolution, int64_t offset)
{
	const uint32_t begin = block_begin(file, 1);
	const uint8_t byte = (uint8_t)resolution;

	put16(file, link_type);
	put16(file, 0);
	put32(file, 0);
	put16(file, 2); /* its name */
	put16(file, 5);
	put_bytes(file, "ppp0\0", 5);
	pad(file);
	if (resolution >= 0) {
		put16(file, 9);
		put16(file, 1);
		put_bytes(file, &byte, 1);
		pad(file);
	}
	if (offset) {
		put16(file, 14);
		put16(file, 8);
		put32(file, (uint32_t)((uint64_t)offset >> (file->big ? 32 : 0)));
		put32(file, (uint32_t)((uint64_t)offset >> (file->big ? 0 : 32)));
	}
	put32(file, 0);
	block_end(file, begin);
}

static void enhanced(struct file *file, uint32_t id, uint64_t stamp, const struct bytes *frame)
{
	const uint32_t begin = block_begin(file, 6);

	put32(file, id);
	put32(file, (uint32_t)(stamp >> 32));
	put32(file, (uint32_t)stamp);
	put32(file, frame->length);
	put32(file, frame->length);
	put_bytes(file, frame->at, frame->length);
	pad(file);
	put16(file, 1); /* a comment */
	put16(file, 3);
	put_bytes(file, "odd\0", 4);
	put32(file, 0);
	block_end(file, begin);
}

static void other_block(struct file *file, uint32_t type, uint32_t length)
{
	const uint32_t begin = block_begin(file, type);

	for (uint32_t i = 0; i < length; i++)
		file->bytes[file->length++] = (uint8_t)i;
	block_end(file, begin);
}

/* The file's bytes under a name. */
static const char *path_of(const struct file *file)
{
	static char path[PATH_SIZE];
	static int memory = -1;

	if (memory < 0)
		memory = memfd_create("capture", 0);
	assert_true(memory >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	assert_int_equal(ftruncate(memory, 0), 0);
	assert_int_equal(pwrite(memory, file->bytes, file->length, 0), file->length);
	return path;
}

static const char *path_to_write(void)
{
	static char path[PATH_SIZE];
	static int memory = -1;

	if (memory < 0)
		memory = memfd_create("written", 0);
	assert_true(memory >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return path;
}

static struct capture *open_good(const char *path)
{
	char error[CAPTURE_ERROR_MAX] = "";
	struct capture *capture = capture_open(path, error);

	if (!capture)
		fail_msg("%s", error);
	return capture;
}

static void next_good(struct capture *capture, struct capture_packet *packet)
{
	char error[CAPTURE_ERROR_MAX] = "it has ended";

	if (capture_next(capture, packet, error) != 1)
		fail_msg("%s", error);
}

static void ends_well(struct capture *capture)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;

	assert_int_equal(capture_next(capture, &packet, error), 0);
	capture_close(capture);
}

static void is_packet(const struct capture_packet *found, const struct packet *packet, const char *where)
{
	if (!found->ip || found->ip_captured < packet->length || memcmp(found->ip, packet->bytes, packet->length) != 0)
		fail_msg("%s: the packet is not found", where);
}

static struct file file;
static struct bytes frame;

static void every_layer_is_found(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * LAYOUTS; i++) {
		const struct layout *layout = &layouts[i / 2];
		struct capture_packet found;
		struct capture *capture;
		struct packet packet;

		make_packet(&packet, i % 2, "PORT 10,0,0,2,195,81\r\n");
		make_frame(&frame, layout, &packet, i % 2);
		pcap_begin(&file, layout->link_type);
		pcap_packet(&file, &frame);
		capture = open_good(path_of(&file));
		next_good(capture, &found);
		is_packet(&found, &packet, layout->name);
		ends_well(capture);
	}
}

/* Of the packet only what has been captured is there, and never what comes behind it. */
static void cut_off_anywhere(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < LAYOUTS; i++) {
		const struct link_type *type = link_type_find(layouts[i].link_type);
		struct frame_place place;
		struct packet packet;
		uint32_t whole;

		make_packet(&packet, false, "QUIT\r\n");
		make_frame(&frame, &layouts[i], &packet, false);
		assert_true(frame_find_ip(type, frame.at, frame.length, &place));
		whole = place.ip;
		for (uint32_t captured = 0; captured < frame.length; captured++) {
			uint8_t *copy = unit_alloc(captured); /* of just its size, for sanitizers */

			memcpy(copy, frame.at, captured);
			if (frame_find_ip(type, copy, captured, &place))
				assert_true(place.ip == whole && place.ip <= place.end && place.end <= captured);
			else
				assert_true(captured <= whole + 8);
			free(copy);
		}
	}
}

/* The view ends where NFLOG's payload does: what comes behind is no part of a packet that was cut off. */
static void nflog_payload_is_cut_off(void **state)
{
	const struct link_type *type = link_type_find(LINK_NFLOG);
	struct lengths lengths = { .count = 0 };
	struct frame_place place;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	frame.length = 0;
	add_text(&frame, "F 00 0000 N w0009", false, &lengths);
	add(&frame, packet.bytes, 44);
	fill_in(&frame, &lengths);
	add_text(&frame, "!w0008 w0001 0800 03 00", false, &lengths);
	assert_true(frame_find_ip(type, frame.at, frame.length, &place));
	assert_int_equal(place.end - place.ip, 44);
}

static void no_ip_in_there(void **state)
{
	static const struct layout others[] = {
		{ "ARP", LINK_ETHERNET, "MM 0806", "", false },
		{ "PPPoE discovery", LINK_ETHERNET, "MM 8863 1109 0000 L", "", false },
		{ "PPPoE of a session, not data", LINK_ETHERNET, "MM 8864 11a7 0007 L P", "", false },
		{ "PPPoE of another version", LINK_ETHERNET, "MM 8864 2100 0007 L P", "", false },
		{ "spanning tree", LINK_ETHERNET, "MM L 424203", "", false },
		{ "SNAP of Cisco", LINK_ETHERNET, "MM L aaaa03 00000c 2000", "", false },
		{ "lengths in lengths", LINK_ETHERNET,
		  "MM L aaaa03 000000 8864 1100 0007 L 0281 00010140 00000000 MM L aaaa03 000000 8864 1100 0007 L 0281 "
		  "00010140 00000000 MM 8864 1100 0007 0000 P",
		  "", false },
		{ "LCP", 9, "ff03 c021", "", false },
		{ "PPP in frames of another kind", 9, "ff13 P", "", false },
		{ "MPLS, a channel of its own", 219, "00010140 10000000", "", false },
		{ "NFLOG without a packet", LINK_NFLOG, "F 00 0000 w0008 w0001 0800 03 00 N w000a", "", false },
		{ "NFLOG of ARP", LINK_NFLOG, "07 00 0000 w0008 w0001 0806 03 00 N w0009", "", false },
		{ "NFLOG, a length below its header", LINK_NFLOG, "F 00 0000 w0003 w0009 N w0009", "", false },
		{ "loopback of no family", 108, "00000011", "", false },
		{ "802.11, encrypted", 105, "0841 0000 MMM 1000 aaaa03 000000 T", "", false },
		{ "802.11, without data", 105, "4801 0000 MMM 1000 aaaa03 000000 T", "", false },
		{ "802.11, a beacon", 105, "8000 0000 MMM 1000 aaaa03 000000 T", "", false },
		{ "802.11, a second fragment", 105, "0801 0000 MMM 1100 aaaa03 000000 T", "", false },
		{ "802.11, several packets", 105, "8801 0000 MMM 1000 8000 aaaa03 000000 T", "", false },
		{ "AVS, shorter than itself", 163, "80211001 00000007 0801 0000 MMM 1000 aaaa03 000000 T", "", false },
	};
	struct frame_place place;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "QUIT\r\n");
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		make_frame(&frame, &others[i], &packet, false);
		if (frame_find_ip(link_type_find(others[i].link_type), frame.at, frame.length, &place))
			fail_msg("%s: there is IP in it", others[i].name);
	}
}

/* Another packet in its place: the link header is that of a frame made with it, all its lengths too. */
static void another_packet_is_written(void **state)
{
	static const char *const texts[] = { "", "EPRT |1|198.51.100.254|50001|\r\n", "PORT 10,0,0,2,195,81\r\n" };

	(void)state;
	for (unsigned int i = 0; i < LAYOUTS * 6; i++) {
		const struct layout *layout = &layouts[i / 6];
		char error[CAPTURE_ERROR_MAX];
		struct packet packet, longer;
		struct capture_packet found;
		struct capture_writer *writer;
		struct capture *capture;

		make_packet(&packet, i % 2, "PORT 10,0,0,2,195,81\r\n");
		make_packet(&longer, i % 2, texts[i / 2 % 3]);
		make_frame(&frame, layout, &packet, i % 2);
		pcap_begin(&file, layout->link_type);
		pcap_packet(&file, &frame);
		capture = open_good(path_of(&file));
		next_good(capture, &found);
		writer = capture_write_open(path_to_write(), capture, error);
		assert_non_null(writer);
		capture_write_ip(writer, &found, longer.bytes, longer.length);
		capture_close(capture);
		assert_int_equal(capture_write_close(writer, error), 0);

		make_frame(&frame, layout, &longer, i % 2);
		capture = open_good(path_to_write());
		next_good(capture, &found);
		is_packet(&found, &longer, layout->name);
		if (!layout->written_shorter &&
		    (found.captured != frame.length || memcmp(found.frame, frame.at, frame.length) != 0))
			fail_msg("%s: written otherwise than made", layout->name);
		ends_well(capture);
	}
}

/* pcapng */

static void simple(struct file *to, const struct bytes *packet)
{
	const uint32_t begin = block_begin(to, 3);

	put32(to, packet->length);
	put_bytes(to, packet->at, packet->length);
	pad(to);
	block_end(to, begin);
}

static void obsolete(struct file *to, uint32_t id, uint64_t stamp, const struct bytes *packet)
{
	const uint32_t begin = block_begin(to, 2);

	put16(to, id);
	put16(to, 0xffff);
	put32(to, (uint32_t)(stamp >> 32));
	put32(to, (uint32_t)stamp);
	put32(to, packet->length);
	put32(to, packet->length + 100);
	put_bytes(to, packet->at, packet->length);
	pad(to);
	block_end(to, begin);
}

static const struct layout *layout_of(const char *name)
{
	for (unsigned int i = 0; i < LAYOUTS; i++)
		if (strcmp(layouts[i].name, name) == 0)
			return &layouts[i];
	fail_msg("no layout %s", name);
	return NULL;
}

/* A frame of the layout, as a machine of the section's byte order has it. */
static const struct bytes *frame_of(const struct file *to, const char *name, const struct packet *packet)
{
	const struct layout *layout = layout_of(name);

	make_frame(&frame, layout, packet, false);
	if (layout->link_type == LINK_NFLOG && to->big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)) {
		for (unsigned int at = 4; at < 8; at += 2) {
			const uint8_t first = frame.at[at];

			frame.at[at] = frame.at[at + 1];
			frame.at[at + 1] = first;
		}
	}
	return &frame;
}

#define SECONDS 1700000000u

static void put_section(struct file *to, const struct packet *packet, bool big)
{
	section(to, big);
	interface(to, LINK_ETHERNET, -1, 0);
	other_block(to, 4, 40); /* names */
	interface(to, LINK_NFLOG, 9, 0);
	enhanced(to, 1, SECONDS * 1000000000ull + 5000, frame_of(to, "NFLOG", packet));
	other_block(to, 0xbad, 0);
	interface(to, 50, 0x80 | 10, 1000);
	enhanced(to, 2, (SECONDS - 1000ull) * 1024 + 512, frame_of(to, "Cisco HDLC, multicast", packet));
	enhanced(to, 0, SECONDS * 1000000ull + 5, frame_of(to, "PPPoE", packet));
	obsolete(to, 0, SECONDS * 1000000ull + 5, frame_of(to, "802.1Q", packet));
	simple(to, frame_of(to, "ethernet", packet));
	other_block(to, 5, 12000); /* statistics, more than are read at once */
}

#define SECTION_PACKETS 5

static const struct timeval section_times[SECTION_PACKETS] = {
	{ SECONDS, 5 }, { SECONDS, 500000 }, { SECONDS, 5 }, { SECONDS, 5 }, { 0, 0 },
};

static void make_pcapng(const struct packet *packet)
{
	file.length = 0;
	put_section(&file, packet, false);
	put_section(&file, packet, true);
	put_section(&file, packet, false);
}

static void read_sections(struct capture *capture, const struct packet *packet)
{
	struct capture_packet found;

	for (unsigned int i = 0; i < 3 * SECTION_PACKETS; i++) {
		const struct timeval *time = &section_times[i % SECTION_PACKETS];

		next_good(capture, &found);
		is_packet(&found, packet, "pcapng");
		assert_int_equal(found.number, i + 1);
		assert_int_equal(found.time.tv_sec, time->tv_sec);
		assert_int_equal(found.time.tv_usec, time->tv_usec);
		assert_int_equal(found.length - found.captured, i % SECTION_PACKETS == 3 ? 100 : 0);
	}
}

static void sections_and_interfaces(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *capture;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	make_pcapng(&packet);
	capture = open_good(path_of(&file));
	read_sections(capture, &packet);
	assert_false(capture_foreign(capture, error));
	assert_int_equal(capture_rewind(capture, error), 0);
	read_sections(capture, &packet);
	assert_int_equal(capture_rewind(capture, error), 0);
	read_sections(capture, &packet);
	ends_well(capture);
}

/* What cannot go back is read twice all the same. */
static void through_a_pipe(void **state)
{
	char error[CAPTURE_ERROR_MAX], path[PATH_SIZE];
	struct capture *capture;
	struct packet packet;
	int ends_of_pipe[2];

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	for (unsigned int i = 0; i < 2; i++) {
		make_pcapng(&packet);
		if (i == 1)
			file.bytes[0] = 0xb;
		assert_int_equal(pipe(ends_of_pipe), 0);
		assert_int_equal(fcntl(ends_of_pipe[1], F_SETPIPE_SZ, FILE_MAX), FILE_MAX);
		assert_int_equal(write(ends_of_pipe[1], file.bytes, file.length), file.length);
		close(ends_of_pipe[1]);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", ends_of_pipe[0]);
		capture = capture_open(path, error);
		close(ends_of_pipe[0]);
		if (i == 1) {
			assert_null(capture);
			assert_non_null(strstr(error, "not a capture"));
			continue;
		}
		read_sections(capture, &packet);
		assert_int_equal(capture_rewind(capture, error), 0);
		read_sections(capture, &packet);
		ends_well(capture);
	}
}

/* Several link types come to one: bare IP; what is none is left out. */
static void several_link_types_are_written(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet found;
	struct capture_writer *writer;
	struct capture *capture;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	make_pcapng(&packet);
	make_frame(&frame, &(struct layout){ "ARP", LINK_ETHERNET, "MM 0806", "", false }, &packet, false);
	enhanced(&file, 0, 0, &frame);
	capture = open_good(path_of(&file));
	assert_ptr_equal(capture_link_type(capture), link_type_raw()); /* nothing is known yet */
	while (capture_next(capture, &found, error) == 1)
		;
	assert_int_equal(capture_rewind(capture, error), 0);
	assert_ptr_equal(capture_link_type(capture), link_type_raw());
	writer = capture_write_open(path_to_write(), capture, error);
	assert_non_null(writer);
	for (unsigned int i = 0; capture_next(capture, &found, error) == 1; i++) {
		if (i % 2 && found.ip)
			capture_write_ip(writer, &found, packet.bytes, packet.length);
		else
			capture_write(writer, &found);
	}
	capture_close(capture);
	assert_int_equal(capture_write_close(writer, error), 0);
	capture = open_good(path_to_write());
	for (unsigned int i = 0; i < 3 * SECTION_PACKETS; i++) {
		next_good(capture, &found);
		assert_int_equal(found.type->number, LINK_RAW);
		is_packet(&found, &packet, "written");
	}
	ends_well(capture);
}

/* Of one interface whose packets are all of one link type the link headers stay. */
static void one_link_type_is_kept(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet found;
	struct capture *capture;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "QUIT\r\n");
	file.length = 0;
	section(&file, true);
	interface(&file, LINK_NFLOG, -1, 0);
	interface(&file, LINK_ETHERNET, -1, 0); /* on which there was nothing */
	enhanced(&file, 0, 0, frame_of(&file, "NFLOG", &packet));
	capture = open_good(path_of(&file));
	while (capture_next(capture, &found, error) == 1)
		;
	assert_int_equal(capture_link_type(capture)->number, LINK_NFLOG);
	capture_close(capture);
}

static void time_stamps(void **state)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t stamp;
		int64_t seconds;
		long micros;
	} rows[] = {
		{ -1, 0, 1700000000123456, 1700000000, 123456 },
		{ 6, 0, 1700000000123456, 1700000000, 123456 },
		{ 9, 0, 1700000000123456789, 1700000000, 123456 },
		{ 3, 0, 1700000000123, 1700000000, 123000 },
		{ 0, 0, 1700000000, 1700000000, 0 },
		{ 0, 0, UINT64_MAX, -1, 0 },
		{ 19, 0, 12345678901234567890u, 1, 234567 },
		{ 20, 0, 12345678901234567890u, 0, 123456 },
		{ 24, 0, 12345678901234567890u, 0, 12 },
		{ 25, 0, 12345678901234567890u, 0, 1 },
		{ 26, 0, 12345678901234567890u, 0, 0 },
		{ 127, 0, UINT64_MAX, 0, 0 },
		{ 0x80, 0, 1700000000, 1700000000, 0 },
		{ 0x80 | 10, 0, 1700000000ull * 1024 + 256, 1700000000, 250000 },
		{ 0x80 | 32, 0, (1700000000ull << 32) + (1ull << 31), 1700000000, 500000 },
		{ 0x80 | 63, 0, 3ull << 62, 1, 500000 },
		{ 0x80 | 64, 0, 1ull << 63, 0, 500000 },
		{ 0x80 | 83, 0, UINT64_MAX, 0, 1 },
		{ 0xff, 0, UINT64_MAX, 0, 0 },
		{ 6, 1700000000, 5, 1700000000, 5 },
		{ 6, -10, 1700000000000005, 1699999990, 5 },
	};

	(void)state;
	make_frame(&frame, &layouts[0], &(struct packet){ .length = 0 }, false);
	for (unsigned int i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture_packet found;
		struct capture *capture;

		file.length = 0;
		section(&file, i % 2);
		interface(&file, LINK_ETHERNET, rows[i / 2].resolution, rows[i / 2].offset);
		enhanced(&file, 0, rows[i / 2].stamp, &frame);
		capture = open_good(path_of(&file));
		next_good(capture, &found);
		if (found.time.tv_sec != rows[i / 2].seconds || found.time.tv_usec != rows[i / 2].micros)
			fail_msg("row %u: %lld.%06ld", i / 2, (long long)found.time.tv_sec, (long)found.time.tv_usec);
		ends_well(capture);
	}
}

/* A sentence that names the file, has these words, and ends the reading. */
static void fails(unsigned int packets, const char *words)
{
	const char *path = path_of(&file);
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet found;
	struct capture *capture = capture_open(path, error);

	for (unsigned int i = 0; capture && i < packets; i++)
		next_good(capture, &found);
	if (capture && capture_next(capture, &found, error) >= 0)
		fail_msg("nothing is wrong, although: %s", words);
	if (strncmp(error, path, strlen(path)) != 0 || !strstr(error, words))
		fail_msg("not `%s': %s", words, error);
	capture_close(capture);
}

/* One packet, in its block; @length: of the block, 0: the right one. Return: where that begins. */
static uint32_t one_packet(bool big, uint32_t id, uint32_t captured, uint32_t length)
{
	uint32_t begin, end;

	file.length = 0;
	section(&file, big);
	interface(&file, LINK_ETHERNET, -1, 0);
	begin = file.length;
	enhanced(&file, id, 0, &frame);
	end = file.length;
	file.length = begin + 20;
	put32(&file, captured);
	if (length) {
		file.length = begin + 4;
		put32(&file, length);
	}
	file.length = end;
	return begin;
}

static void damaged_blocks(void **state)
{
	char place[64];

	(void)state;
	make_frame(&frame, &layouts[0], &(struct packet){ .length = 40 }, false);
	for (unsigned int big = 0; big < 2; big++) {
		const uint32_t begin = one_packet(big, 1, frame.length, 0);

		snprintf(place, sizeof(place), "damaged at packet 1, byte %u: ", begin);
		fails(0, place);
		fails(0, "not described");
		one_packet(big, 0, frame.length + 100, 0);
		fails(0, "too short");
		one_packet(big, 0, FRAME_MAX + 1, 0);
		fails(0, "larger than any");
		one_packet(big, 0, frame.length, 8);
		fails(0, "no length that it can have");
		one_packet(big, 0, frame.length, 101);
		fails(0, "no length that it can have");
		one_packet(big, 0, frame.length, 1000000);
		fails(0, "ends within a block");
		one_packet(big, 0, frame.length, 0);
		file.bytes[file.length - (big ? 1 : 4)] ^= 4;
		fails(0, "two lengths");
		one_packet(big, 0, frame.length, 0);
		section(&file, big);
		enhanced(&file, 0, 0, &frame); /* the interface was the other section's */
		fails(1, "packet 2, byte");
		section(&file, big);
		file.bytes[8] ^= 1;
		fails(0, "byte order");
		one_packet(big, 0, frame.length, 0);
		file.bytes[big ? 13 : 12] = 2;
		fails(0, "version");
	}
}

/* Each end but between blocks is within one. */
static void cut_pcapng(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet found;
	unsigned int whole = 0;
	struct packet packet;

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	make_pcapng(&packet);
	for (const uint32_t length = file.length; file.length > 0; file.length -= file.length > 200 ? 4 : 1) {
		struct capture *capture = capture_open(path_of(&file), error);
		int result;

		assert_non_null(capture);
		do {
			result = capture_next(capture, &found, error);
		} while (result == 1);
		whole += result == 0;
		if (result < 0)
			assert_non_null(strstr(error, "ends within a block"));
		assert_true(result == 0 || file.length < length);
		capture_close(capture);
	}
	assert_int_equal(whole, 3 * (4 + 3 + SECTION_PACKETS)); /* as many as there are blocks */
}

static void link_types_that_are_not_understood(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet found;
	struct capture *capture;

	(void)state;
	make_frame(&frame, &layouts[0], &(struct packet){ .length = 40 }, false);
	file.length = 0;
	section(&file, false);
	interface(&file, 189, -1, 0);
	interface(&file, LINK_ETHERNET, -1, 0);
	enhanced(&file, 0, 0, &frame);
	fails(1, "link type 189 (USB_LINUX) is not understood");
	enhanced(&file, 1, 0, &frame);
	capture = open_good(path_of(&file));
	next_good(capture, &found);
	assert_true(!found.ip && !found.type);
	next_good(capture, &found);
	assert_int_equal(capture_next(capture, &found, error), 0);
	assert_true(capture_foreign(capture, error));
	assert_non_null(strstr(error, "1 of its packets"));
	assert_non_null(strstr(error, "189 (USB_LINUX)"));
	assert_int_equal(capture_rewind(capture, error), 0);
	assert_int_equal(capture_link_type(capture)->number, LINK_ETHERNET);
	capture_close(capture);
}

/* What a checksum is, and how it is made right. */
static void checksums(void **state)
{
	struct packet packet;
	struct capture_packet captured = { .ip = packet.bytes };
	struct capture_segment view;
	uint8_t *check;
	uint8_t right[2];

	(void)state;
	make_packet(&packet, false, "PORT 10,0,0,2,195,81\r\n");
	captured.ip_captured = packet.length;
	check = packet.bytes + packet.tcp + 16;
	memcpy(right, check, 2);
	assert_int_equal(capture_segment_open(&view, &captured), 0);
	assert_int_equal(capture_segment_checksum(&view), CHECKSUM_RIGHT);
	memset(check, 0, 2);
	assert_int_equal(capture_segment_checksum(&view), CHECKSUM_LEFT_OUT);
	packet_put16(check, 0x1234);
	assert_int_equal(capture_segment_checksum(&view), CHECKSUM_WRONG);
	capture_segment_complete(&view);
	assert_memory_equal(check, right, 2);
	assert_int_equal(capture_segment_checksum(&view), CHECKSUM_RIGHT);
	capture_segment_close(&view);
	captured.ip_captured--;
	assert_int_equal(capture_segment_open(&view, &captured), 0);
	assert_int_equal(capture_segment_checksum(&view), CHECKSUM_UNKNOWN);
	capture_segment_close(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layer_is_found),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(nflog_payload_is_cut_off),
		cmocka_unit_test(no_ip_in_there),
		cmocka_unit_test(another_packet_is_written),
		cmocka_unit_test(sections_and_interfaces),
		cmocka_unit_test(through_a_pipe),
		cmocka_unit_test(several_link_types_are_written),
		cmocka_unit_test(one_link_type_is_kept),
		cmocka_unit_test(time_stamps),
		cmocka_unit_test(damaged_blocks),
		cmocka_unit_test(cut_pcapng),
		cmocka_unit_test(link_types_that_are_not_understood),
		cmocka_unit_test(checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
