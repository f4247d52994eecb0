// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/bytes.h"
#include "core/wire/ftp.h"
#include "follow_state.h"

#include <inttypes.h>
#include <stdlib.h>

#define LINE_ROOM (LINES_TEXT_MAX + 64)

#define TLS_HANDSHAKE 0x16 /* a record's first byte, RFC 8446 section 5.1 */
#define TLS_MAJOR     3	   /* and its second */

/* From now on it is this one that the data connections between its hosts are of. */
static void put_hosts(struct follower *follower, struct follow_connection *connection)
{
	struct follow_connection *before = follow_find_hosts(follower, &connection->inside);

	if (before)
		index_remove(&follower->hosts, &before->hosts_link);
	if (index_insert(&follower->hosts, &connection->hosts_link, index_hash_hosts(&connection->inside)))
		follower->ladder->no_memory = true;
}

void follow_control_begin(struct follower *follower, struct follow_connection *connection,
			  const struct binding *binding)
{
	struct follow_stream *stream = calloc(2, sizeof(*stream));
	struct ladder_dialogue *dialogue = stream ? ladder_add_dialogue(follower->ladder) : NULL;

	follower->ladder->no_memory |= !stream;
	if (!dialogue) {
		free(stream);
		return;
	}
	connection->dialogue = dialogue;
	connection->stream = stream;
	put_hosts(follower, connection);
	dialogue->end[LADDER_CLIENT] = binding->tuple[DIRECTION_ORIGINAL].src;
	dialogue->seen[LADDER_CLIENT] = binding->tuple[DIRECTION_REPLY].dst;
	dialogue->end[LADDER_SERVER] = binding->tuple[DIRECTION_REPLY].src;
	dialogue->seen[LADDER_SERVER] = binding->tuple[DIRECTION_ORIGINAL].dst;
}

static struct ladder_row *text_row(struct follower *follower, struct follow_connection *connection,
				   enum ladder_kind kind, enum ladder_way way, const char *text)
{
	return follow_row(follower, connection, kind, way, text, strlen(text));
}

/* What goes with a new row of a direction: packets that have been waiting. */
static void take_waiting(struct follower *follower, struct follow_stream *stream, struct ladder_row *row)
{
	for (unsigned int i = 0; i < stream->waiting_count; i++)
		ladder_add_packet(follower->ladder, row, &stream->waiting[i]);
	stream->waiting_count = 0;
}

/* Reports that came before the line was at its end. */
static void tell_pending_rows(struct follower *follower, struct announcement_row *announcement)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < follower->pending_count; i++) {
		if (announce_is_about(announcement, &follower->pending[i]))
			announce_tell(follower->ladder, announcement, NULL, &follower->pending[i]);
		else
			follower->pending[left++] = follower->pending[i];
	}
	follower->pending_count = left;
}

/* For one more announcement; the room is a power of two. Return: whether there is memory for it. */
static bool make_room(struct follower *follower)
{
	const size_t count = follower->announcement_count;
	struct announcement_row *grown;

	if (count & (count - 1))
		return true;
	grown = reallocarray(follower->announcements, count ? 2 * count : 1, sizeof(*grown));
	follower->ladder->no_memory |= !grown;
	if (grown)
		follower->announcements = grown;
	return grown != NULL;
}

static void announce(struct follower *follower, struct follow_connection *connection, struct ladder_row *row)
{
	struct announcement_row announcement;

	if (!row || !announce_line(follower->ladder, connection->dialogue, row, &announcement) || !make_room(follower))
		return;
	follower->announcements[follower->announcement_count] = announcement;
	tell_pending_rows(follower, &follower->announcements[follower->announcement_count++]);
}

/* Of which direction a line is read: the sink's context. */
struct reading {
	struct follower *follower;
	struct follow_connection *connection;
	enum direction direction;
};

/* A server that has understood the command says nothing of it back; one that has not may. Return: the length now. */
static size_t hide_secrets(const struct reading *reading, char *text, size_t length, const char *whole)
{
	struct lines_secret *secret = &reading->connection->stream[DIRECTION_ORIGINAL].secret;
	size_t left;

	if (reading->direction == DIRECTION_REPLY)
		return length && (text[0] == '4' || text[0] == '5') ? lines_hide_echo(text, length, secret) : length;
	left = lines_hide_secret(text, length);
	if (left != length || memcmp(text, whole, length) != 0)
		lines_keep_secret(secret, whole, length);
	return left;
}

static void show_line(const struct reading *reading, const char *bytes, uint64_t length, bool whole)
{
	const enum ladder_way way = reading->direction == DIRECTION_ORIGINAL ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
	size_t there = length < LINES_TEXT_MAX ? (size_t)length : LINES_TEXT_MAX;
	struct ladder_row *row;
	char text[LINE_ROOM];

	memcpy(text, bytes, there);
	there = hide_secrets(reading, text, there, bytes);
	row = follow_row(reading->follower, reading->connection, LADDER_LINE, way, text, there);
	take_waiting(reading->follower, &reading->connection->stream[reading->direction], row);
	if (length > LINES_TEXT_MAX)
		ladder_note(reading->follower->ladder, row, LADDER_NOTE_FACT, "the line is of %" PRIu64 " bytes",
			    length);
	if (!whole)
		ladder_note(reading->follower->ladder, row, LADDER_NOTE_FACT, "the line has no end here");
	announce(reading->follower, reading->connection, row);
}

static void show_missing(const struct reading *reading, enum lines_event event, uint64_t length)
{
	const enum ladder_way way = reading->direction == DIRECTION_ORIGINAL ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
	char text[LINE_ROOM];

	if (event == LINES_GAP)
		snprintf(text, sizeof(text), "( %" PRIu64 " bytes are not in the capture )", length);
	else
		snprintf(text, sizeof(text),
			 "( the last %" PRIu64 " bytes of a line whose beginning is not in the capture )", length);
	text_row(reading->follower, reading->connection, LADDER_MISSING, way, text);
}

static void sink(void *context, enum lines_event event, const char *bytes, uint64_t length)
{
	const struct reading *reading = context;

	if (event == LINES_LINE || event == LINES_PART)
		show_line(reading, bytes, length, event == LINES_LINE);
	else if (length)
		show_missing(reading, event, length);
}

/* As a whole one or several lines of FTP, and nothing else: plain text behind TLS (CCC). */
static bool is_plain(const struct segment *segment, enum direction direction)
{
	const char *text = (const char *)segment_payload(segment);
	const uint32_t length = segment->payload_length;
	uint32_t word = 0;

	if (length < 5 || text[length - 1] != '\n')
		return false;
	for (uint32_t i = 0; i < length; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\r' && text[i] != '\n')
			return false;
	if (direction == DIRECTION_REPLY)
		return text[0] >= '1' && text[0] <= '6' && bytes_is_digit((uint8_t)text[1]) &&
		       bytes_is_digit((uint8_t)text[2]) && (text[3] == ' ' || text[3] == '-');
	while (word < length && word < FTP_WORD_MAX && text[word] > ' ')
		word++;
	return ftp_word_find(DIRECTION_ORIGINAL, text, word) != NULL;
}

static void show_encrypted(struct follower *follower, struct follow_connection *connection,
			   const struct segment *segment, enum direction direction)
{
	struct follow_stream *stream = &connection->stream[direction];

	if (!connection->opaque_row)
		connection->opaque_row =
			text_row(follower, connection, LADDER_MISSING, LADDER_BOTH_WAYS, "( encrypted )");
	else
		follow_put_packet(follower, connection->opaque_row);
	stream->encrypted += segment->payload_length;
	lines_skip(&stream->lines, segment_start(segment) + segment->payload_length);
}

static bool begins_tls(const struct segment *segment)
{
	const uint8_t *bytes = segment_payload(segment);

	return segment->payload_length >= 2 && bytes[0] == TLS_HANDSHAKE && bytes[1] == TLS_MAJOR;
}

static void take_payload(struct follower *follower, struct follow_connection *connection, const struct segment *segment,
			 enum direction direction)
{
	struct follow_stream *stream = &connection->stream[direction];
	struct reading reading = { .follower = follower, .connection = connection, .direction = direction };

	if (connection->opaque && is_plain(segment, direction))
		connection->opaque = false;
	connection->opaque |= begins_tls(segment);
	if (connection->opaque) {
		show_encrypted(follower, connection, segment, direction);
		return;
	}
	lines_take(&stream->lines, segment_start(segment), segment_payload(segment), segment->payload_length, sink,
		   &reading);
	if (!follower->row && stream->waiting_count < FOLLOW_WAITING_MAX)
		stream->waiting[stream->waiting_count++] = follower->packet;
}

static void take_ack(struct follower *follower, struct follow_connection *connection, const struct segment *segment,
		     enum direction direction)
{
	const enum direction other = direction_other(direction);
	struct reading reading = { .follower = follower, .connection = connection, .direction = other };

	if (segment->flags & TCP_ACK)
		lines_acked(&connection->stream[other].lines, segment->ack, sink, &reading);
}

static void show_closing(struct follower *follower, struct follow_connection *connection, const struct segment *segment,
			 enum ladder_way way)
{
	const bool reset = segment->flags & TCP_RST;

	if (!connection->closing)
		text_row(follower, connection, LADDER_CONTROL, way,
			 reset ? "( RST: the control connection is cut )" : "( FIN: the control connection ends )");
	connection->closing = true;
}

void follow_control(struct follower *follower, struct follow_connection *connection, const struct segment *segment,
		    enum direction direction)
{
	const enum ladder_way way = direction == DIRECTION_ORIGINAL ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
	const struct ladder_dialogue *dialogue = connection->dialogue;

	take_ack(follower, connection, segment, direction);
	if (segment->flags & TCP_SYN) {
		lines_begin(&connection->stream[direction].lines, segment_start(segment));
		if (dialogue->row_count == 0)
			text_row(follower, connection, LADDER_CONTROL, way, "( the control connection begins )");
	}
	if (segment->payload_length > 0)
		take_payload(follower, connection, segment, direction);
	if (segment->flags & (TCP_FIN | TCP_RST))
		show_closing(follower, connection, segment, way);
	if (!follower->row && segment->payload_length == 0 && dialogue->row_count)
		follow_put_packet(follower, dialogue->rows[dialogue->row_count - 1]);
}

void follow_control_end(struct follower *follower, struct follow_connection *connection)
{
	for (enum direction direction = DIRECTION_ORIGINAL; direction <= DIRECTION_REPLY; direction++) {
		struct reading reading = { .follower = follower, .connection = connection, .direction = direction };

		follower->packet = (struct ladder_packet){ 0 };
		follower->now = connection->last;
		follower->row = NULL;
		lines_end(&connection->stream[direction].lines, sink, &reading);
	}
	if (connection->opaque_row) {
		char text[LINE_ROOM];
		const int length = snprintf(text, sizeof(text),
					    "( encrypted: %" PRIu64 " bytes to the server, %" PRIu64 " to the client )",
					    connection->stream[DIRECTION_ORIGINAL].encrypted,
					    connection->stream[DIRECTION_REPLY].encrypted);

		ladder_set_text(follower->ladder, &connection->opaque_row->text, text, (size_t)length);
	}
}
