// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * Of every inside capture the packets of control connections are kept in memory, and the model is told of their
 * connections beforehand. A round takes every capture from its first SYN to its last FIN, with an empty table:
 * handshakes, greetings, announcements and ends, in the proportion in which real programs send them.
 */
#include "engine.h"
#include "measure.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPTURES_MAX 256
#define PACKETS_MAX  1024 /* of control connections in one capture */
#define ETHERNET     14
#define FTP_PORT     21
#define MANIFEST_NAT 1 /* column */

struct capture {
	struct model *model;
	uint8_t *bytes;	   /* of all packets */
	uint8_t *pristine; /* the same, unchanged */
	size_t size;
	struct packet packets[PACKETS_MAX];
	size_t count;
};

static bool parse_address(const char *text, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){ .family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4 };
	return inet_pton(endpoint->family == FAMILY_IPV6 ? AF_INET6 : AF_INET, text, endpoint->address) == 1;
}

/* "10.0.0.2=198.51.100.254" */
static void add_nat(struct model *model, char *pairs)
{
	char *rest, *pair;

	for (pair = strtok_r(pairs, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
		struct endpoint inside, outside;
		char *equals = strchr(pair, '=');

		if (!equals)
			continue;
		*equals++ = '\0';
		if (!parse_address(pair, &inside) || !parse_address(equals, &outside))
			measure_fail("no translation: `%s=%s'", pair, equals);
		inside.port = outside.port = 0;
		model_add_nat(model, &inside, &outside);
	}
}

/* Keep the packet if it is one of a control connection. */
static void take_packet(struct capture *capture, const uint8_t *frame, size_t length)
{
	struct model_connection connection;
	struct segment segment;
	uint8_t *copy = capture->pristine + capture->size;

	if (length <= ETHERNET || capture->count == PACKETS_MAX)
		return;
	memcpy(copy, frame + ETHERNET, length - ETHERNET);
	if (segment_parse(&segment, copy, length - ETHERNET, false) ||
	    (segment.src.port != FTP_PORT && segment.dst.port != FTP_PORT) ||
	    model_track(capture->model, &segment, MODEL_INSIDE, &connection))
		return;
	capture->packets[capture->count++] = (struct packet){ capture->bytes + capture->size, segment.length };
	capture->size += segment.length;
}

static void read_packets(struct capture *capture, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const uint8_t *frame;
	size_t capacity = 0;

	if (!pcap)
		measure_fail("%s", error);
	if (pcap_datalink(pcap) != DLT_EN10MB)
		measure_fail("%s: not Ethernet", path);
	while (pcap_next_ex(pcap, &header, &frame) == 1)
		capacity += header->caplen;
	pcap_close(pcap);
	capture->bytes = calloc(2, capacity + 1);
	if (!capture->bytes)
		measure_fail("out of memory");
	capture->pristine = capture->bytes + capacity + 1;
	pcap = pcap_open_offline(path, error);
	if (!pcap)
		measure_fail("%s", error);
	while (pcap_next_ex(pcap, &header, &frame) == 1)
		take_packet(capture, frame, header->caplen);
	pcap_close(pcap);
}

static struct capture *read_capture(const char *directory, const char *name, char *nat)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	char path[512];

	if (!capture)
		measure_fail("out of memory");
	capture->model = model_new(SEQADJ_KERNEL);
	if (!capture->model)
		measure_fail("out of memory");
	add_nat(capture->model, nat);
	snprintf(path, sizeof(path), "%s/%s.inside.pcap", directory, name);
	read_packets(capture, path);
	return capture;
}

/* The captures that the manifest names, in its order. */
static size_t read_captures(const char *directory, struct capture *captures[CAPTURES_MAX])
{
	char path[512], line[1024];
	size_t count = 0;
	FILE *manifest;

	snprintf(path, sizeof(path), "%s/manifest.tsv", directory);
	manifest = fopen(path, "r");
	if (!manifest)
		measure_fail("%s: %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), manifest))
		measure_fail("%s: empty", path);
	while (count < CAPTURES_MAX && fgets(line, sizeof(line), manifest)) {
		char *rest = line, *name = strsep(&rest, "\t"), *nat = rest ? strsep(&rest, "\t\n") : NULL;

		if (nat)
			captures[count++] = read_capture(directory, name, nat);
	}
	fclose(manifest);
	return count;
}

/* Return the nanoseconds it took. */
static uint64_t play(struct stage *stage, struct capture *capture)
{
	uint64_t start, took;

	memcpy(capture->bytes, capture->pristine, capture->size);
	stage->engine.conntrack = model_conntrack(capture->model);
	start = measure_clock();
	for (size_t done = 0; done < capture->count; done += STAGE_BATCH) {
		const size_t rest = capture->count - done;

		stage_feed(stage, capture->packets + done, rest < STAGE_BATCH ? rest : STAGE_BATCH);
	}
	took = measure_clock() - start;
	stage_restore(stage);
	return took;
}

static void play_all(struct stage *stage, struct capture **captures, size_t count, unsigned int rounds)
{
	struct samples samples = { 0 };
	size_t packets = 0;

	for (size_t i = 0; i < count; i++)
		packets += captures[i]->count;
	for (unsigned int round = 0; round < rounds; round++) {
		uint64_t took = 0;

		stage_count(stage);
		for (size_t i = 0; i < count; i++)
			took += play(stage, captures[i]);
		samples_add(&samples, (double)took / (double)packets);
	}
	printf("time\tcaptures\t%.1f\t%.1f\n", samples_median(&samples), samples_least(&samples));
	printf("figure\tcaptures\t%zu\n", count);
	printf("figure\tcaptured packets\t%zu\n", packets);
	printf("figure\tcaptured packets rewritten\t%zu\n", stage->verdicts[VERDICT_REPLACE]);
	samples_free(&samples);
}

static void count_all(struct stage *stage, struct capture **captures, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		measure_begin();
		play(stage, captures[i]);
		measure_end("captures", captures[i]->count);
	}
}

void bench_captures(const char *directory, unsigned int rounds)
{
	static struct capture *captures[CAPTURES_MAX];
	const struct table_size size = { 64, 64, 64 };
	const size_t count = read_captures(directory, captures);
	struct stage stage;

	stage_open(&stage, &size, SEQADJ_KERNEL, STAGE_ANONYMOUS, NULL);
	stage_keep(&stage);
	if (measure_instructions())
		count_all(&stage, captures, count);
	else
		play_all(&stage, captures, count, rounds);
	for (size_t i = 0; i < count; i++) {
		model_free(captures[i]->model);
		free(captures[i]->bytes);
		free(captures[i]);
	}
	stage_close(&stage);
}
