/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow_state - what a follower knows of connections. Internal to follow: follow.c has the capture, follow_control.c and follow_data.c a kind of
 * connection each.
 */
#ifndef EXPLAIN_FOLLOW_STATE_H
#define EXPLAIN_FOLLOW_STATE_H

#include "announce.h"
#include "lines.h"
#include "model/index.h"
#include "playback/playback.h"

#define FOLLOW_WAITING_MAX 8 /* packets of a line that is not at its end */
#define FOLLOW_PENDING_MAX 8 /* reports about such a line */

/* A control connection's direction. */
struct follow_stream {
	struct follow_connection *connection;
	enum direction direction;
	struct lines lines;
	struct ladder_packet waiting[FOLLOW_WAITING_MAX];
	unsigned int waiting_count;
	uint64_t encrypted;	    /* bytes that are none of lines */
	struct lines_secret secret; /* the client's: the last that it has said */
};

/* A data connection's direction. */
struct follow_flow {
	bool known;
	uint32_t next;
	uint64_t bytes;
};

struct follow_connection {
	struct follower *follower;
	struct index_link link, hosts_link;
	struct follow_connection *older; /* the one that was made before: all of them */
	struct tuple inside;
	struct ladder_dialogue *dialogue; /* NULL: none of our business */
	bool control;
	/* Control: */
	struct follow_stream *stream; /* two, by enum direction; NULL where the dialogue is */
	bool opaque;		      /* TLS: what comes is shown by its length */
	bool closing;		      /* a row says that it ends */
	struct ladder_row *opaque_row;
	/* Data: */
	struct follow_flow flow[2];
	bool to_client;			       /* its opener is the dialogue's server */
	struct announcement_row *announcement; /* NULL: nobody announced it */
	unsigned int steps;		       /* of its handshake that have been shown */
	bool expected;
	int64_t first, last;
	struct ladder_row *last_row, *data_row;
};

struct follower {
	struct ladder *ladder;
	struct index index, hosts; /* all connections; of control connections the last between two hosts */
	struct follow_connection *newest;
	struct announcement_row *announcements; /* the last of them */
	struct announce_report pending[FOLLOW_PENDING_MAX];
	unsigned int pending_count;
	bool begun;
	struct timeval first_time;
	int64_t now; /* microseconds since then */
	/* Of the packet that is being looked at: */
	struct follow_connection *connection;
	struct ladder_packet packet;
	size_t rows_before;	/* that its dialogue had */
	struct ladder_row *row; /* the first that has it; NULL: it waits */
};

/* The packet that is being looked at, in a row: as one of its own, or of what has been waiting with it. */
static inline void follow_put_packet(struct follower *follower, struct ladder_row *row)
{
	ladder_add_packet(follower->ladder, row, &follower->packet);
	if (!follower->row)
		follower->row = row;
}

/* A row of the connection's dialogue, at this time; the packet is put there, too. NULL: no memory, or no room. */
static inline struct ladder_row *follow_row(struct follow_connection *connection, enum ladder_kind kind,
					    enum ladder_way way, const char *text, size_t length)
{
	struct follower *follower = connection->follower;
	const enum ladder_side opener = connection->to_client ? LADDER_SERVER : LADDER_CLIENT;
	struct ladder_row row = { .time = follower->now, .kind = kind, .way = way };

	row.port[opener] = connection->inside.src.port;
	row.port[opener == LADDER_CLIENT ? LADDER_SERVER : LADDER_CLIENT] = connection->inside.dst.port;
	connection->last_row = ladder_add_row(follower->ladder, connection->dialogue, &row, text, length);
	follow_put_packet(follower, connection->last_row);
	return connection->last_row;
}

static inline bool follow_same_hosts(const struct tuple *one, const struct tuple *other)
{
	return (endpoint_address_equal(&one->src, &other->src) && endpoint_address_equal(&one->dst, &other->dst)) ||
	       (endpoint_address_equal(&one->src, &other->dst) && endpoint_address_equal(&one->dst, &other->src));
}

/* The last control connection between these hosts, whoever began it; NULL: there is none. */
static inline struct follow_connection *follow_find_hosts(const struct follower *follower, const struct tuple *inside)
{
	struct index_link *link = index_first(&follower->hosts, index_hash_hosts(inside));

	for (; link; link = index_next(link)) {
		struct follow_connection *connection = index_entry(link, struct follow_connection, hosts_link);

		if (follow_same_hosts(&connection->inside, inside))
			return connection;
	}
	return NULL;
}

/* A packet of a control connection, of a data connection. */
void follow_control(struct follow_connection *connection, const struct segment *segment, enum direction direction);
void follow_data(struct follow_connection *connection, const struct capture_segment *view, enum direction direction);

/* The control connection begins. */
void follow_control_begin(struct follow_connection *connection, const struct binding *binding);

/* A connection that is none of control: find whose it is. */
void follow_data_begin(struct follow_connection *connection);

/* Nothing more comes. */
void follow_control_end(struct follow_connection *connection);
void follow_data_end(struct follow_connection *connection);

#endif
