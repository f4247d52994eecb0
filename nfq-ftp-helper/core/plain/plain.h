/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain - may the kernel module deal with this announcement by itself, and what is to be done? Freestanding: the module performs what is
 * decided here, and user space tests it.
 *
 * Theory of operation. In a plain transfer nothing is in doubt: one line in one segment, nothing else unanswered, the speaker's own address,
 * a port that is free. There the module does what the engine would do: the data connection is expected, the text names the address that the
 * other side must dial, and conntrack adjusts the numbers behind it. The decision is in two parts: the dialogue's is scan_announces()'s
 * (scan.h), the argument's is here. Whatever either declines goes to user space as if there were no module that can do more; it may decline
 * whatever it likes, but what it opens is what I4 lets open (policy.h), and no more.
 *
 * The module keeps its edit while that may have to be sent again: the last one of a connection, acknowledged or not. It answers for it alone:
 * what touches the bytes that it has replaced never reaches user space, which would not know what the receiver has in their place. Such a
 * segment leaves with the text in their place, whole, however its sender has cut it; and what is behind the line that announced is cut off, as
 * its sender sends that again; so is the text, too, where a segment that begins long before it has no room for it. So a segment is either the
 * module's or user space's, and neither has to tell the other a text.
 *
 * How a segment goes through the module:
 *
 *	scan_begin()
 *	an edit is kept, and plain_again()		the text once more; done
 *	scan_read()
 *	segment.unanswered, .accepted, .wait		what they say is carried out
 *	scan_announces(), plain_decide()		expectation, then text and adjustment; segment.done, .edited
 *	scan_end()					once more; handed over, or passes
 *	scan_transfer(), plain_keeps()			and conntrack keeps it
 */
#ifndef CORE_PLAIN_PLAIN_H
#define CORE_PLAIN_PLAIN_H

#include "core/wire/scan.h"
#include "core/wire/tuple.h"

#define PLAIN_PAYLOAD_MAX 128  /* bytes of the segment's */
#define PLAIN_PORT_MIN	  1024 /* policy.h: where nothing else is said */

/* Also where TCP has all of its 40 bytes of options, nothing grows past the path (I2): narrower ones are never fast. */
#define PLAIN_ROOM (SCAN_NARROW - 40u) /* bytes of a payload that every path has */

_Static_assert(PLAIN_PAYLOAD_MAX + ENDPOINT_TEXT_MAX <= PLAIN_ROOM, "an edited line may be too long");

/*
 * For so long conntrack keeps the connection of a transfer that goes on, though it is silent; what is longer is lost where conntrack's own time
 * for an established connection is shorter, too.
 */
#define PLAIN_TRANSFER_SECONDS 86400u

/* For how long conntrack is to keep the connection from this packet on, at least; 0: as it likes. @longest: seconds that a transfer may be waited for */
static inline uint32_t plain_keeps(enum scan_transfer transfer, uint32_t longest)
{
	if (transfer == SCAN_TRANSFER_GOES_ON)
		return PLAIN_TRANSFER_SECONDS;
	return transfer == SCAN_TRANSFER_AWAITED ? longest : 0;
}

/* Of one connection, as conntrack has it. */
struct plain_connection {
	struct tuple tuple[2]; /* by enum direction */
	struct seqadj adj;     /* of the direction the segment goes in */
	bool adjustable;       /* conntrack can adjust its numbers */
	uint16_t port_min;     /* no lower one is opened */
};

/* An argument that the module has replaced. */
struct plain_edit {
	uint32_t start; /* its first byte, sender space */
	uint32_t end;	/* behind the line it stands in */
	uint16_t old_length;
	uint16_t new_length;
	uint8_t side; /* enum direction */
	char text[ENDPOINT_TEXT_MAX];
};

enum plain_action {
	PLAIN_DECLINE,
	PLAIN_EXPECT, /* the data connection */
	PLAIN_EDIT,   /* and replace the argument */
};

/* What is to be done. */
struct plain {
	struct tuple expected;	/* the data connection; src.port 0: any */
	struct endpoint inside; /* where the announcing side listens, which is where expected.dst is translated to */
	uint32_t offset;	/* PLAIN_EDIT: of the argument in the payload */
	struct plain_edit edit;
	struct seqadj adj; /* and how its direction is adjusted from then on */
};

/**
 * plain_decide - look at the argument
 * @segment: scan_announces() says that it is one plain announcement
 * @payload: all of it: segment->length bytes
 * @connection: its connection
 * @plain: filled in, unless it is declined
 */
enum plain_action plain_decide(const struct scan_segment *segment, const uint8_t *payload,
			       const struct plain_connection *connection, struct plain *plain);

/* How a segment leaves that touches replaced bytes. */
struct plain_again {
	uint32_t seq;	 /* its number from now on: not behind the first of them */
	uint32_t kept;	 /* so many bytes of its payload; the rest is cut off, with FIN and URG */
	uint32_t offset; /* in the payload: of what the whole text takes the place of */
	uint32_t length;
	uint32_t new_length; /* of the text; 0: it is cut off, too */
};

/**
 * plain_again - does it touch the bytes that were replaced?
 * @edit: the last edit of its connection
 * @adj: how its direction is adjusted now
 * @segment: after scan_begin()
 * @again: filled in
 *
 * Return: true where it does. A segment that its receiver would not take, or of a direction that has been edited again since, by whomever,
 * does not.
 */
bool plain_again(const struct plain_edit *edit, const struct seqadj *adj, const struct scan_segment *segment,
		 struct plain_again *again);

#endif
