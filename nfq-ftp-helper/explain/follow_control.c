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
static void put_hosts(struct follow_connection *connection)
{
	struct follower *follower = connection->follower;
	struct follow_connection *before = follow_find_hosts(follower, &connection->inside);

	if (before)
		index_remove(&follower->hosts, &before->hosts_link);
	if (index_insert(&follower->hosts, &connection->hosts_link, index_hash_hosts(&connection->inside)))
		follower->ladder->no_memory = true;
}

void follow_control_begin(struct follow_connection *connection, const struct binding *binding)
{
	struct follow_stream *stream = calloc(2, sizeof(*stream));
	struct ladder *ladder = connection->follower->ladder;
	struct ladder_dialogue *dialogue = stream ? ladder_add_dialogue(ladder) : NULL;

	ladder->no_memory |= !stream;
	if (!dialogue) {
		free(stream);
		return;
	}
	connection->dialogue = dialogue;
	connection->stream = stream;
	for (enum direction direction = DIRECTION_ORIGINAL; direction <= DIRECTION_REPLY; direction++) {
		stream[direction].connection = connection;
		stream[direction].direction = direction;
	}
	put_hosts(connection);
	dialogue->end[LADDER_CLIENT] = binding->tuple[DIRECTION_ORIGINAL].src;
	dialogue->seen[LADDER_CLIENT] = binding->tuple[DIRECTION_REPLY].dst;
	dialogue->end[LADDER_SERVER] = binding->tuple[DIRECTION_REPLY].src;
	dialogue->seen[LADDER_SERVER] = binding->tuple[DIRECTION_ORIGINAL].dst;
}

static struct ladder_row *text_row(struct follow_connection *connection, enum ladder_kind kind, enum ladder_way way,
				   const char *text)
{
	return follow_row(connection, kind, way, text, strlen(text));
}

/* What goes with a new row of a direction: packets that have been waiting. */
static void take_waiting(struct follow_stream *stream, struct ladder_row *row)
{
	for (unsigned int i = 0; i < stream->waiting_count; i++)
		ladder_add_packet(stream->connection->follower->ladder, row, &stream->waiting[i]);
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

static void announce(struct follow_connection *connection, struct ladder_row *row)
{
	struct follower *follower = connection->follower;
	struct announcement_row announcement, *kept;

	if (!row || !announce_line(follower->ladder, connection->dialogue, row, &announcement))
		return;
	kept = malloc(sizeof(*kept));
	follower->ladder->no_memory |= !kept;
	if (!kept)
		return;
	*kept = announcement;
	kept->older = follower->announcements;
	follower->announcements = kept;
	tell_pending_rows(follower, kept);
}

/* A server that has understood the command says nothing of it back; one that has not may. Return: the length now. */
static size_t hide_secrets(struct follow_stream *stream, char *text, size_t length, const char *whole)
{
	struct lines_secret *secret = &stream->connection->stream[DIRECTION_ORIGINAL].secret;
	size_t left;

	if (stream->direction == DIRECTION_REPLY)
		return length && (text[0] == '4' || text[0] == '5') ? lines_hide_echo(text, length, secret) : length;
	left = lines_hide_secret(text, length);
	if (left != length || memcmp(text, whole, length) != 0)
		lines_keep_secret(secret, whole, length);
	return left;
}

static enum ladder_way way_from(enum direction direction)
{
	return direction == DIRECTION_ORIGINAL ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
}

static void show_line(struct follow_stream *stream, const char *bytes, uint64_t length, bool whole)
{
	struct ladder *ladder = stream->connection->follower->ladder;
	size_t there = length < LINES_TEXT_MAX ? (size_t)length : LINES_TEXT_MAX;
	struct ladder_row *row;
	char text[LINE_ROOM];

	memcpy(text, bytes, there);
	there = hide_secrets(stream, text, there, bytes);
	row = follow_row(stream->connection, LADDER_LINE, way_from(stream->direction), text, there);
	take_waiting(stream, row);
	if (length > LINES_TEXT_MAX)
		ladder_note(ladder, row, LADDER_NOTE_FACT, "the line is of %" PRIu64 " bytes", length);
	if (!whole)
		ladder_note(ladder, row, LADDER_NOTE_FACT, "the line has no end here");
	announce(stream->connection, row);
}

static void show_missing(const struct follow_stream *stream, enum lines_event event, uint64_t length)
{
	char text[LINE_ROOM];

	if (event == LINES_GAP)
		snprintf(text, sizeof(text), "( %" PRIu64 " bytes are not in the capture )", length);
	else
		snprintf(text, sizeof(text),
			 "( the last %" PRIu64 " bytes of a line whose beginning is not in the capture )", length);
	text_row(stream->connection, LADDER_MISSING, way_from(stream->direction), text);
}

/* @context: the stream. */
static void sink(void *context, enum lines_event event, const char *bytes, uint64_t length)
{
	if (event == LINES_LINE || event == LINES_PART)
		show_line(context, bytes, length, event == LINES_LINE);
	else if (length)
		show_missing(context, event, length);
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

static void show_encrypted(struct follow_stream *stream, const struct segment *segment)
{
	struct follow_connection *connection = stream->connection;

	if (!connection->opaque_row)
		connection->opaque_row = text_row(connection, LADDER_MISSING, LADDER_BOTH_WAYS, "( encrypted )");
	else
		follow_put_packet(connection->follower, connection->opaque_row);
	stream->encrypted += segment->payload_length;
	lines_skip(&stream->lines, segment_start(segment) + segment->payload_length);
}

static bool begins_tls(const struct segment *segment)
{
	const uint8_t *bytes = segment_payload(segment);

	return segment->payload_length >= 2 && bytes[0] == TLS_HANDSHAKE && bytes[1] == TLS_MAJOR;
}

static void take_payload(struct follow_stream *stream, const struct segment *segment)
{
	struct follow_connection *connection = stream->connection;
	const struct follower *follower = connection->follower;

	if (connection->opaque && is_plain(segment, stream->direction))
		connection->opaque = false;
	connection->opaque |= begins_tls(segment);
	if (connection->opaque) {
		show_encrypted(stream, segment);
		return;
	}
	lines_take(&stream->lines, segment_start(segment), segment_payload(segment), segment->payload_length, sink,
		   stream);
	if (!follower->row && stream->waiting_count < FOLLOW_WAITING_MAX)
		stream->waiting[stream->waiting_count++] = follower->packet;
}

static void show_closing(struct follow_connection *connection, const struct segment *segment, enum ladder_way way)
{
	const bool reset = segment->flags & TCP_RST;

	if (!connection->closing)
		text_row(connection, LADDER_CONTROL, way,
			 reset ? "( RST: the control connection is cut )" : "( FIN: the control connection ends )");
	connection->closing = true;
}

void follow_control(struct follow_connection *connection, const struct segment *segment, enum direction direction)
{
	struct follow_stream *stream = &connection->stream[direction];
	struct follow_stream *other = &connection->stream[direction_other(direction)];
	const struct ladder_dialogue *dialogue = connection->dialogue;

	if (segment->flags & TCP_ACK)
		lines_acked(&other->lines, segment->ack, sink, other);
	if (segment->flags & TCP_SYN) {
		lines_begin(&stream->lines, segment_start(segment));
		if (dialogue->row_count == 0)
			text_row(connection, LADDER_CONTROL, way_from(direction), "( the control connection begins )");
	}
	if (segment->payload_length > 0)
		take_payload(stream, segment);
	if (segment->flags & (TCP_FIN | TCP_RST))
		show_closing(connection, segment, way_from(direction));
	if (!connection->follower->row && segment->payload_length == 0 && dialogue->row_count)
		follow_put_packet(connection->follower, dialogue->rows[dialogue->row_count - 1]);
}

void follow_control_end(struct follow_connection *connection)
{
	struct follower *follower = connection->follower;

	for (enum direction direction = DIRECTION_ORIGINAL; direction <= DIRECTION_REPLY; direction++) {
		struct follow_stream *stream = &connection->stream[direction];

		follower->packet = (struct ladder_packet){ 0 };
		follower->now = connection->last;
		follower->row = NULL;
		lines_end(&stream->lines, sink, stream);
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
