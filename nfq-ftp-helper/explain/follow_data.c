// SPDX-License-Identifier: GPL-2.0-or-later
#include "follow_state.h"

#include <inttypes.h>

#define TEXT_MAX 128

#define LOOK_BACK 4096 /* announcements among which a data connection's is looked for: what comes of one comes soon */

enum step { STEP_SYN = 1, STEP_SYN_ACK = 2, STEP_ACK = 4 };

/* The last that leads there: ports are used again. */
static struct announcement_row *find_announcement(const struct follow_connection *connection)
{
	struct announcement_row *row = connection->follower->announcements;

	for (unsigned int i = 0; row && i < LOOK_BACK; i++, row = row->older)
		if (!row->came && announce_leads_to(row, &connection->inside.dst))
			return row;
	return NULL;
}

void follow_data_begin(struct follow_connection *connection)
{
	const struct follow_connection *control;
	struct announcement_row *announcement = find_announcement(connection);

	connection->announcement = announcement;
	if (announcement) {
		announcement->came = true;
		connection->dialogue = announcement->dialogue;
		connection->to_client = announcement->row->way == LADDER_TO_SERVER;
		return;
	}
	control = follow_find_hosts(connection->follower, &connection->inside);
	connection->dialogue = control ? control->dialogue : NULL;
	if (connection->dialogue)
		connection->to_client =
			!endpoint_address_equal(&connection->dialogue->end[LADDER_CLIENT], &connection->inside.src);
}

/* Bytes by sequence numbers, so that what is sent twice counts once, and what was not captured all the same. */
static void count(struct follow_flow *flow, const struct segment *segment, uint32_t length)
{
	const uint32_t start = segment_start(segment);
	const uint32_t end = start + length;

	if (!flow->known) {
		flow->known = true;
		flow->next = start;
	}
	if (seq_after(end, flow->next)) {
		flow->bytes += end - flow->next;
		flow->next = end;
	}
	/* FIN takes a number itself. */
	if ((segment->flags & TCP_FIN) && end == flow->next)
		flow->next++;
}

static void note_unannounced(const struct follow_connection *connection)
{
	if (connection->expected)
		return;
	if (connection->announcement)
		ladder_note(connection->follower->ladder, connection->last_row, LADDER_NOTE_REFUSED,
			    "this is what was announced and not opened: a firewall does not let it in");
	else
		ladder_note(connection->follower->ladder, connection->last_row, LADDER_NOTE_REFUSED,
			    "nobody announced this connection: a firewall does not let it in");
}

/* A step of the handshake, once. */
static bool show_step(struct follow_connection *connection, unsigned int step, const char *text)
{
	const bool first = connection->steps == 0;

	if (connection->steps & step)
		return false;
	connection->steps |= step;
	follow_row(connection, LADDER_STEP, connection->follower->packet.way, text, strlen(text));
	if (first)
		note_unannounced(connection);
	return true;
}

static bool show_handshake(struct follow_connection *connection, const struct segment *segment)
{
	const uint8_t flags = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);

	if (flags == TCP_SYN)
		return show_step(connection, STEP_SYN, "( SYN )");
	if (flags == (TCP_SYN | TCP_ACK))
		return show_step(connection, STEP_SYN_ACK, "( SYN , ACK )");
	if (flags == TCP_ACK && segment->payload_length == 0 && (connection->steps & STEP_SYN_ACK) &&
	    !connection->data_row)
		return show_step(connection, STEP_ACK, "( ACK )");
	if ((flags & TCP_RST) && !connection->data_row) {
		follow_row(connection, LADDER_STEP, connection->follower->packet.way, "( RST )", strlen("( RST )"));
		return true;
	}
	return false;
}

void follow_data(struct follow_connection *connection, const struct capture_segment *view, enum direction direction)
{
	count(&connection->flow[direction], &view->segment, view->payload_length);
	if (show_handshake(connection, &view->segment))
		return;
	if (view->payload_length > 0 && !connection->data_row) {
		const bool first = connection->steps == 0;

		connection->data_row = follow_row(connection, LADDER_DATA, connection->follower->packet.way, "( data )",
						  strlen("( data )"));
		connection->steps |= STEP_ACK;
		if (first)
			note_unannounced(connection);
		return;
	}
	follow_put_packet(connection->follower, connection->data_row ? connection->data_row : connection->last_row);
}

/* "download: 600 bytes in 0.003 s", "upload" where the client sent more. */
static enum ladder_way summary(const struct follow_connection *connection, char text[TEXT_MAX])
{
	const enum direction opener = connection->to_client ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
	const uint64_t up = connection->flow[opener].bytes;
	const uint64_t down = connection->flow[direction_other(opener)].bytes;
	const int64_t micros = connection->last - connection->first;
	const uint64_t most = up > down ? up : down;
	int length;

	length = snprintf(text, TEXT_MAX, "%s: %" PRIu64 " byte%s in %.4f s", up > down ? "upload" : "download", most,
			  most == 1 ? "" : "s", (double)micros / 1e6);
	if (up > 0 && down > 0)
		snprintf(text + length, TEXT_MAX - (size_t)length, ", and %" PRIu64 " the other way",
			 up > down ? down : up);
	return up > down ? LADDER_TO_SERVER : LADDER_TO_CLIENT;
}

void follow_data_end(struct follow_connection *connection)
{
	char src[ENDPOINT_PRINT_MAX], dst[ENDPOINT_PRINT_MAX], text[TEXT_MAX], shown[TEXT_MAX + 4];
	const enum ladder_way way = summary(connection, text);

	if (connection->announcement)
		ladder_note(connection->follower->ladder, connection->announcement->row, LADDER_NOTE_LED_TO,
			    "%s to %s, %s", endpoint_print(&connection->inside.src, src),
			    endpoint_print(&connection->inside.dst, dst), text);
	if (!connection->data_row)
		return;
	connection->data_row->way = way;
	snprintf(shown, sizeof(shown), "( %s )", text);
	ladder_set_text(connection->follower->ladder, &connection->data_row->text, shown, strlen(shown));
}
