// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel module deals with by itself: scan and plain together, over any segments in any order. Where it acts, what it does is
 * within the payload, opens what the line says and no other, and leaves a text that says it; what it has acted upon passes; it acts upon
 * nothing while anything is on its way; and what it sends again lies within the segment, whichever that is.
 */
#include "core/plain/plain.h"
#include "fuzz.h"

struct world {
	struct scan scan;
	struct plain_connection connection; /* but for adj */
	struct seqadj adj[2];
	struct plain_edit edit;
	bool kept;
};

static const char *const lines[] = {
	"PORT 10,0,0,2,11,185\r\n",
	"PORT 10,0,0,2,255,255 \r\n",
	"EPRT |1|10.0.0.2|4000|\r\n",
	"LPRT 4,4,10,0,0,2,2,11,185\r\n",
	"PASV\r\n",
	"RETR f\r\n",
	"NOOP\r\n",
	"AUTH TLS\r\n",
	"227 x (192,168,7,3,11,185)\r\n",
	"229 x (|||4000|)\r\n",
	"228 x (4,4,192,168,7,3,2,11,185)\r\n",
	"200 yes\r\n",
	"500 no\r\n",
	"150 here\r\n",
	"226 done\r\n",
	"200-x\r\n",
};

static struct endpoint ipv4(uint8_t a, uint8_t d, uint16_t port)
{
	return (struct endpoint){ .family = FAMILY_IPV4, .address = { a, 0, 0, d }, .port = port };
}

static void begin(struct world *w, uint8_t how)
{
	static const struct endpoint server = { .family = FAMILY_IPV4, .address = { 192, 168, 7, 3 }, .port = 21 };
	const struct endpoint client = ipv4(10, 2, 40000);

	memset(w, 0, sizeof(*w));
	w->scan.started = w->scan.greeted = w->scan.logged_in = 1;
	w->scan.exchanged = EXCHANGED_TWO;
	w->connection.adjustable = !(how & 4);
	w->connection.port_min = PLAIN_PORT_MIN;
	w->connection.tuple[DIRECTION_ORIGINAL] = (struct tuple){ client, how & 2 ? ipv4(203, 80, 21) : server };
	w->connection.tuple[DIRECTION_REPLY] = (struct tuple){ server, how & 1 ? ipv4(198, 254, 40000) : client };
	w->adj[0] = (struct seqadj){ .pos = 0xfffffff0u, .after = (int8_t)(how & 0xf0) };
}

/* A segment about where the scan stands: mostly right there, and a line; also what was edited, cut anyhow. */
static struct scan_segment segment_of(struct input *input, const struct world *w, uint8_t **payload)
{
	const uint8_t how = input_byte(input), which = input_byte(input);
	struct scan_segment segment = { .flags = SCAN_ACK, .fast = how != 0xff };
	size_t length = 0;

	if (how >> 4 < 12) {
		const char *line = lines[which & 15];

		segment.side = (which & 15) >= 8 ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
		length = strlen(line);
		*payload = malloc(length);
		MUST(*payload);
		memcpy(*payload, line, length);
		if (which & 0x80)
			(*payload)[input_byte(input) % length] = input_byte(input);
		if (which & 0x40)
			length = 1 + input_byte(input) % length;
	} else {
		segment.side = which & 1 ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
		*payload = input_copy(input, which, &length);
	}
	segment.length = (uint32_t)length;
	segment.seq = w->scan.side[segment.side].next;
	segment.ack = w->scan.side[direction_other(segment.side)].next;
	if ((how & 15) == 1)
		segment.seq -= input_byte(input);
	if ((how & 15) == 2)
		segment.ack -= input_byte(input);
	if ((how & 15) == 3)
		segment.flags = input_byte(input);
	if ((how & 15) == 4)
		segment.seq = input_u32(input);
	if ((how & 15) == 5)
		segment.seq = w->edit.start - (input_byte(input) & 31);
	return segment;
}

static void check_again(const struct world *w, const struct scan_segment *segment, const struct plain_again *again)
{
	MUST(!segment->unread && segment->side == (enum direction)w->edit.side);
	MUST(again->kept && again->offset + again->length <= again->kept && again->kept <= segment->length);
	MUST(again->new_length ? again->length && again->new_length == w->edit.new_length :
				 again->offset == again->kept);
	MUST(again->kept - again->length + again->new_length <= seq_max(segment->length, PLAIN_ROOM));
	MUST(!seq_after(again->seq, w->edit.start) && !seq_after(again->seq, segment->seq));
	MUST(segment->seq + again->offset - w->edit.start < w->edit.old_length);
	MUST(again->new_length || segment->seq + again->offset == w->edit.start);
	MUST(again->length <= w->edit.old_length);
	MUST(again->seq == segment->seq || again->offset == 0);
}

/* What is expected is what the text says, to whom it is for: also where it has been replaced. */
static void check_decided(const struct world *w, const struct scan_segment *segment, const uint8_t *payload,
			  enum plain_action action, const struct plain *plain)
{
	const struct tuple *mine = &w->connection.tuple[segment->side];
	const struct tuple *theirs = &w->connection.tuple[direction_other(segment->side)];
	const enum notation notation = (enum notation)segment->notation;
	struct endpoint said;
	char delimiter;

	MUST(endpoint_address_equal(&plain->expected.src, &theirs->src) && plain->expected.src.port == 0);
	MUST(endpoint_address_equal(&plain->expected.dst, &theirs->dst));
	MUST(endpoint_address_equal(&plain->inside, &mine->src));
	MUST(plain->expected.dst.port == plain->inside.port && plain->inside.port >= PLAIN_PORT_MIN);
	MUST(payload[segment->length - 1] == '\n' && segment->length <= PLAIN_PAYLOAD_MAX);
	if (action != PLAIN_EDIT)
		return;
	MUST(plain->offset + plain->edit.old_length < segment->length);
	MUST(plain->edit.start == segment->seq + plain->offset && plain->edit.end == segment->seq + segment->length);
	MUST(endpoint_parse(notation, (const char *)payload + plain->offset, plain->edit.old_length, &said,
			    &delimiter) == plain->edit.old_length);
	MUST(endpoint_equal(&said, &plain->inside));
	MUST(endpoint_parse(notation, plain->edit.text, plain->edit.new_length, &said, &delimiter) ==
	     plain->edit.new_length);
	MUST(endpoint_equal(&said, &plain->expected.dst));
	MUST(!seqadj_misjudged(&plain->adj));
	MUST(plain->adj.after - w->adj[segment->side].after == plain->edit.new_length - plain->edit.old_length);
}

static bool announce(struct world *w, struct scan_segment *segment, const uint8_t *payload)
{
	struct plain_connection connection = w->connection;
	enum plain_action action;
	struct plain plain;

	connection.adj = w->adj[segment->side];
	action = plain_decide(segment, payload, &connection, &plain);
	if (action == PLAIN_DECLINE)
		return false;
	check_decided(w, segment, payload, action, &plain);
	segment->done = true;
	if (action == PLAIN_EXPECT)
		return true;
	segment->edited = w->kept = true;
	w->edit = plain.edit;
	w->adj[segment->side] = plain.adj;
	return true;
}

static void pass_by(struct world *w, struct scan_segment *segment, const uint8_t *payload)
{
	const struct scan before = w->scan;
	uint32_t fresh = scan_begin(&w->scan, segment);
	const uint32_t pending = w->scan.pending;
	struct plain_again again;
	bool acted = false, queued;

	if (w->kept && plain_again(&w->edit, &w->adj[segment->side], segment, &again)) {
		check_again(w, segment, &again);
		return;
	}
	scan_read(&w->scan, segment, payload + segment->length - fresh, fresh);
	if (scan_announces(&w->scan, segment))
		acted = announce(w, segment, payload);
	queued = scan_end(&w->scan, segment);
	MUST(!acted || (!queued && !pending && segment->fast && segment->fresh == segment->length &&
			segment->seq == before.side[segment->side].next && before.mode == SCAN_FOLLOW));
	MUST(!acted || segment->side == DIRECTION_ORIGINAL || before.first == SCAN_OWN_QUESTION);
	MUST(!segment->arguments || queued || acted);
	MUST(!segment->edited || w->scan.side[segment->side].edit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct world world;

	begin(&world, input_byte(&input));
	while (input.left) {
		uint8_t *payload;
		struct scan_segment segment = segment_of(&input, &world, &payload);

		pass_by(&world, &segment, payload);
		free(payload);
	}
	return 0;
}
