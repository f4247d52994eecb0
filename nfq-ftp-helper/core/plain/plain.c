// SPDX-License-Identifier: GPL-2.0-or-later
#include "plain.h"

#define IAC 255

/* An argument in its segment. */
struct argument {
	uint32_t offset; /* in the payload */
	uint32_t length;
	char delimiter;
	struct endpoint endpoint;
};

/* Nothing in it that a receiver may read otherwise than we do: Telnet sequences, NULs. */
static bool is_clean(const uint8_t *payload, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		if (payload[i] == IAC || payload[i] == 0)
			return false;
	return true;
}

/* Behind a command's argument there are blanks, and the line's end. */
static bool is_line_end(const uint8_t *text, uint32_t length)
{
	uint32_t at = 0;

	while (at < length && text[at] == ' ')
		at++;
	at += at < length && text[at] == '\r';
	return at == length;
}

/* Both read what is between the word and the line feed. */
static bool read_command(enum notation notation, const uint8_t *payload, uint32_t begin, uint32_t end,
			 struct argument *argument)
{
	const int length = endpoint_parse(notation, (const char *)payload + begin, end - begin, &argument->endpoint,
					  &argument->delimiter);

	if (length <= 0 || !is_line_end(payload + begin + length, end - begin - (uint32_t)length))
		return false;
	argument->offset = begin;
	argument->length = (uint32_t)length;
	return true;
}

static bool read_reply(enum notation notation, const uint8_t *payload, uint32_t begin, uint32_t end,
		       struct argument *argument)
{
	size_t length;
	const int at = endpoint_find(notation, (const char *)payload + begin, end - begin, &argument->endpoint,
				     &argument->delimiter, &length);

	if (at < 0)
		return false;
	argument->offset = begin + (uint32_t)at;
	argument->length = (uint32_t)length;
	return true;
}

static bool read_argument(const struct scan_segment *segment, const uint8_t *payload, struct argument *argument)
{
	const enum notation notation = (enum notation)segment->notation;
	const uint32_t end = segment->length - 1;

	if (segment->length > PLAIN_PAYLOAD_MAX || segment->argument >= segment->length || payload[end] != '\n' ||
	    !is_clean(payload, segment->length))
		return false;
	if (segment->side == DIRECTION_REPLY)
		return read_reply(notation, payload, segment->argument, end, argument);
	return read_command(notation, payload, segment->argument, end, argument);
}

/* A port alone, or the address that the speaker has on his own side. All others are user space's affair. */
static bool is_the_speakers_own(enum notation notation, const struct endpoint *endpoint, const struct endpoint *speaker)
{
	if (notation == NOTATION_EXTENDED_PORT)
		return endpoint->family == 0;
	return endpoint_address_equal(endpoint, speaker);
}

/* The other side must be told what it has to dial. Return false where that cannot be done here. */
static bool replace(const struct scan_segment *segment, const struct argument *argument,
		    const struct plain_connection *connection, struct plain *plain)
{
	struct plain_edit *edit = &plain->edit;
	const int length = endpoint_write((enum notation)segment->notation, &plain->expected.dst, argument->delimiter,
					  edit->text, sizeof(edit->text));
	int32_t growth;

	if (length < 0 || !connection->adjustable)
		return false;
	growth = length - (int32_t)argument->length;
	plain->offset = argument->offset;
	edit->start = segment->seq + argument->offset;
	edit->end = segment->seq + segment->length;
	edit->old_length = (uint16_t)argument->length;
	edit->new_length = (uint16_t)length;
	edit->side = (uint8_t)segment->side;
	plain->adj = growth ? seqadj_edited(&connection->adj, edit->start, growth) : connection->adj;
	return !seqadj_misjudged(&plain->adj); /* there conntrack is not to be told all: conntrack_told() */
}

enum plain_action plain_decide(const struct scan_segment *segment, const uint8_t *payload,
			       const struct plain_connection *connection, struct plain *plain)
{
	const struct tuple *mine = &connection->tuple[segment->side];
	const struct tuple *theirs = &connection->tuple[direction_other(segment->side)];
	struct argument argument;

	if (!read_argument(segment, payload, &argument))
		return PLAIN_DECLINE;
	if (!is_the_speakers_own((enum notation)segment->notation, &argument.endpoint, &mine->src) ||
	    argument.endpoint.port < connection->port_min)
		return PLAIN_DECLINE;
	*plain = (struct plain){ .expected = { theirs->src, theirs->dst }, .inside = mine->src };
	plain->expected.src.port = 0;
	plain->expected.dst.port = plain->inside.port = argument.endpoint.port;
	if (argument.endpoint.family == 0 || endpoint_address_equal(&mine->src, &theirs->dst))
		return PLAIN_EXPECT;
	return replace(segment, &argument, connection, plain) ? PLAIN_EDIT : PLAIN_DECLINE;
}

/*
 * It may begin long before the line. Where the longer text has no room (I2) the rest is cut off as well: what is before it has arrived, or does so now,
 * and its sender goes on at the text.
 */
static void make_room(const struct plain_edit *edit, const struct scan_segment *segment, struct plain_again *again)
{
	const uint32_t whole = again->kept - again->length + edit->new_length;
	const bool fits = whole <= segment->length || whole <= PLAIN_ROOM;

	again->new_length = fits ? edit->new_length : 0;
	if (fits)
		return;
	again->kept = again->offset;
	again->length = 0;
}

bool plain_again(const struct plain_edit *edit, const struct seqadj *adj, const struct scan_segment *segment,
		 struct plain_again *again)
{
	const uint32_t old_end = edit->start + edit->old_length;
	const uint32_t seq = segment->seq, end = seq + segment->length;
	uint32_t from;

	if (segment->unread || (uint8_t)segment->side != edit->side || !segment->length)
		return false;
	if (seqadj_active(adj) && seq_after(adj->pos, edit->start))
		return false;
	if (!seq_before(seq, old_end) || !seq_after(end, edit->start))
		return false;
	from = seq_max(seq, edit->start);
	again->seq = seq_min(seq, edit->start);
	again->kept = seq_min(end, edit->end) - seq;
	again->offset = from - seq;
	again->length = seq_min(end, old_end) - from;
	make_room(edit, segment, again);
	return true;
}
