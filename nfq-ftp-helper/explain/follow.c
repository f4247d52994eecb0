// SPDX-License-Identifier: GPL-2.0-or-later
#include "follow.h"

#include "follow_state.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOOK_BACK 256 /* announcements in which one is looked for */

struct follower *follow_new(struct ladder *ladder)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (follower)
		follower->ladder = ladder;
	return follower;
}

void follow_free(struct follower *follower)
{
	if (!follower)
		return;
	while (follower->newest) {
		struct follow_connection *connection = follower->newest;

		follower->newest = connection->older;
		for (unsigned int side = 0; connection->stream && side < 2; side++)
			lines_free(&connection->stream[side].lines);
		free(connection->stream);
		free(connection);
	}
	index_free(&follower->index);
	index_free(&follower->hosts);
	while (follower->announcements) {
		struct announcement_row *announcement = follower->announcements;

		follower->announcements = announcement->older;
		free(announcement);
	}
	free(follower);
}

/* Never back, and a damaged record's time, which may be any number, is as if it were the one before. */
void follow_time(void *context, const struct timeval *time)
{
	struct follower *follower = context;
	struct timeval since;
	int64_t now;

	if (time->tv_sec < 0 || time->tv_sec > UINT32_MAX)
		return;
	if (!follower->begun)
		follower->first_time = *time;
	follower->begun = true;
	follower->row = NULL;
	timersub(time, &follower->first_time, &since);
	now = (int64_t)since.tv_sec * 1000000 + since.tv_usec;
	if (now > follower->now)
		follower->now = now;
}

static uint64_t hash(const struct tuple *inside)
{
	return index_hash_ends(&inside->src, &inside->dst);
}

static struct follow_connection *find(const struct follower *follower, const struct tuple *inside)
{
	struct index_link *link = index_first(&follower->index, hash(inside));

	for (; link; link = index_next(link)) {
		struct follow_connection *connection = index_entry(link, struct follow_connection, link);

		if (tuple_equal(&connection->inside, inside))
			return connection;
	}
	return NULL;
}

/* NULL: no memory. One of the same ends that was there before is done. */
static struct follow_connection *begin(struct follower *follower, const struct playback_packet *packet)
{
	const struct tuple inside = playback_inside(packet);
	struct follow_connection *connection = find(follower, &inside);

	if (connection)
		index_remove(&follower->index, &connection->link);
	connection = calloc(1, sizeof(*connection));
	if (!connection || index_insert(&follower->index, &connection->link, hash(&inside))) {
		follower->ladder->no_memory = true;
		free(connection);
		return NULL;
	}
	connection->follower = follower;
	connection->inside = inside;
	connection->control = packet->control;
	connection->expected = packet->connection.expected;
	connection->first = follower->now;
	connection->older = follower->newest;
	follower->newest = connection;
	if (packet->control)
		follow_control_begin(connection, &packet->connection.binding);
	else if (packet->related)
		follow_data_begin(connection);
	return connection;
}

static struct ladder_packet describe(const struct follow_connection *connection, const struct playback_packet *packet)
{
	const struct segment *segment = &packet->view.segment;
	const bool to_server = (packet->connection.direction == DIRECTION_ORIGINAL) != connection->to_client;

	return (struct ladder_packet){
		.number = packet->packet->number,
		.time = connection->follower->now,
		.way = to_server ? LADDER_TO_SERVER : LADDER_TO_CLIENT,
		.flags = segment->flags,
		.seq = segment->seq,
		.ack = segment->ack,
		.length = packet->view.payload_length,
	};
}

void follow_arrival(void *context, const struct playback_packet *packet)
{
	struct follower *follower = context;
	const struct tuple inside = playback_inside(packet);
	struct follow_connection *connection = find(follower, &inside);

	if (packet->connection.is_new || !connection)
		connection = begin(follower, packet);
	follower->connection = connection;
	follower->row = NULL;
	if (!connection || !connection->dialogue)
		return;
	connection->last = follower->now;
	follower->rows_before = connection->dialogue->row_count;
	follower->packet = describe(connection, packet);
	if (connection->control)
		follow_control(connection, &packet->view.segment, packet->connection.direction);
	else
		follow_data(connection, &packet->view, packet->connection.direction);
}

/* The announcement that a report is about: of those in the packet that is being looked at the first, else the last that there was. */
static struct announcement_row *announcement_of(const struct follow_connection *connection,
						const struct announce_report *kept)
{
	const struct follower *follower = connection->follower;
	struct announcement_row *found = NULL, *row = follower->announcements;

	for (unsigned int i = 0; row && i < LOOK_BACK; i++, row = row->older) {
		if (row->dialogue != connection->dialogue || !announce_is_about(row, kept))
			continue;
		if (found && row->row->time != follower->now)
			break;
		found = row;
	}
	return found;
}

/* What there was to be seen when something is said of the connection: the packet's first row, else the last of all. */
static struct ladder_row *last_row(const struct follow_connection *connection)
{
	const struct follower *follower = connection->follower;
	const struct ladder_dialogue *dialogue = connection->dialogue;

	if (follower->row && follower->connection == connection)
		return follower->row;
	return dialogue->row_count ? dialogue->rows[dialogue->row_count - 1] : NULL;
}

/* An expectation that is taken back before anything came is worth a word. */
static void tell_unexpect(const struct follow_connection *connection, const struct report *report)
{
	const struct follower *follower = connection->follower;
	struct announcement_row *row = report->expectation ? follower->announcements : NULL;

	for (unsigned int i = 0; row && i < LOOK_BACK; i++, row = row->older) {
		if (row->dialogue != connection->dialogue || row->came || row->reported[REPORT_UNEXPECT] ||
		    row->port != report->port)
			continue;
		row->reported[REPORT_UNEXPECT] = true;
		ladder_note(follower->ladder, last_row(connection), LADDER_NOTE_FACT,
			    "shut again, and nothing had come: what port %u was opened for", row->port);
		return;
	}
}

static void tell_opaque(struct follow_connection *connection)
{
	connection->opaque = true;
	connection->opaque_row = NULL;
	announce_tell_opaque(connection->follower->ladder, last_row(connection));
}

static void tell_rest(struct follow_connection *connection, const struct report *report)
{
	struct ladder *ladder = connection->follower->ladder;

	if (report->kind == REPORT_OPAQUE)
		tell_opaque(connection);
	else if (report->kind == REPORT_UNEXPECT)
		tell_unexpect(connection, report);
	else if (report->kind == REPORT_LIMIT)
		announce_tell_limit(ladder, last_row(connection));
	else if (report->kind == REPORT_ONE_WAY)
		ladder_note(ladder, last_row(connection), LADDER_NOTE_REFUSED,
			    "packets of the %s only are in this capture: nothing is rewritten or opened; let both "
			    "directions pass the same router",
			    report->direction == DIRECTION_ORIGINAL ? "client" : "server");
}

void follow_report(void *context, const struct report *report)
{
	struct follower *follower = context;
	const struct tuple inside = { .src = report->client, .dst = report->server };
	struct follow_connection *connection = find(follower, &inside);
	struct announce_report kept;
	struct announcement_row *row;

	if (!connection || !connection->dialogue)
		return;
	if (report->kind != REPORT_REWRITE && report->kind != REPORT_EXPECT && report->kind != REPORT_REFUSE) {
		tell_rest(connection, report);
		return;
	}
	announce_keep(&kept, report);
	row = announcement_of(connection, &kept);
	if (row)
		announce_tell(follower->ladder, row, NULL, &kept);
	else if (kept.command[0] && follower->pending_count < FOLLOW_PENDING_MAX)
		follower->pending[follower->pending_count++] = kept;
	else
		announce_tell(follower->ladder, NULL, last_row(connection), &kept);
}

static const char *const fates[] = {
	[PLAYBACK_PASSED] = "passes",
	[PLAYBACK_REPLACED] = "passes, changed",
	[PLAYBACK_UNREAD] = "passes unread: it was cut off when it was captured",
	[PLAYBACK_HELD] = "held back: its sender sends it again",
};

static void set_fate(const struct follower *follower, struct ladder_packet *packet,
		     const struct playback_packet *played, enum playback_fate fate)
{
	const uint32_t length = played->view.segment.payload_length;

	if (packet->number != follower->packet.number)
		return;
	if (fate == PLAYBACK_REPLACED && length != packet->length)
		snprintf(packet->fate, sizeof(packet->fate), "passes with %" PRIu32 " bytes", length);
	else
		snprintf(packet->fate, sizeof(packet->fate), "%s", fates[fate]);
}

/* The rows that have it are those that it has made, or an older one; where it is in none, it waits. */
void follow_decision(void *context, const struct playback_packet *packet, enum playback_fate fate)
{
	struct follower *follower = context;
	const struct follow_connection *connection = follower->connection;
	struct ladder_row *row = follower->row;

	if (!connection || !connection->dialogue)
		return;
	for (unsigned int side = 0; connection->stream && side < 2; side++) {
		struct follow_stream *stream = &connection->stream[side];

		for (unsigned int i = 0; i < stream->waiting_count; i++)
			set_fate(follower, &stream->waiting[i], packet, fate);
	}
	if (row && row->packet_count)
		set_fate(follower, &row->packets[row->packet_count - 1], packet, fate);
	for (size_t i = connection->dialogue->row_count; i-- > follower->rows_before;) {
		row = connection->dialogue->rows[i];
		if (row->packet_count)
			set_fate(follower, &row->packets[row->packet_count - 1], packet, fate);
	}
}

/* What was opened, and nothing came through it; and what the engine said nothing about, though it looks like an announcement. */
static void tell_silent(struct follower *follower)
{
	for (const struct announcement_row *row = follower->announcements; row; row = row->older) {
		if (row->reported[REPORT_EXPECT] && !row->came)
			ladder_note(follower->ladder, row->row, LADDER_NOTE_LED_TO,
				    "no data connection in this capture came of it");
		if (row->reported[REPORT_EXPECT] || row->reported[REPORT_REFUSE] || row->reported[REPORT_REWRITE])
			continue;
		ladder_note(
			follower->ladder, row->row, LADDER_NOTE_REFUSED,
			"nothing is opened for it: this is not taken for an announcement. It is the text of another "
			"reply, or the connection is not followed, since its client began with what is no FTP");
	}
}

/* About lines that have not come to their end. */
static void tell_pending(struct follower *follower)
{
	for (unsigned int i = 0; i < follower->pending_count; i++) {
		const struct announce_report *kept = &follower->pending[i];
		const struct tuple inside = { .src = kept->report.client, .dst = kept->report.server };
		const struct follow_connection *connection = find(follower, &inside);

		if (connection && connection->dialogue)
			announce_tell(follower->ladder, NULL, last_row(connection), kept);
	}
}

void follow_end(struct follower *follower)
{
	for (struct follow_connection *connection = follower->newest; connection; connection = connection->older) {
		if (!connection->dialogue)
			continue;
		if (connection->control)
			follow_control_end(connection);
		else
			follow_data_end(connection);
	}
	follower->connection = NULL;
	tell_pending(follower);
	tell_silent(follower);
}
