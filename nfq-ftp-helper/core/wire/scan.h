/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan - must user space see this packet? Freestanding: the kernel module decides with it, user space tests it.
 *
 * Theory of operation. A scan follows one control connection, both directions, with 32 bytes of memory. It lets a packet
 * pass that cannot matter: bytes that continue what it has seen, whole lines, each a command or a reply that
 * announces nothing, while no command that does is unanswered. Everything else it hands over, and all that comes before it has been shown
 * that this is FTP (dialogue.h: trusted).
 *
 * Two rules keep the engine in user space exact, although it does not see what passes.
 *
 * First, nothing passes while bytes that were handed over, in either direction, are not acknowledged. What user space drops, cuts
 * or holds back is not acknowledged, and what it edits is not settled before it is: so whatever passes is beyond all that.
 * (Should the daemon be away, and the queue bypass it, they are acknowledged as well: they passed.)
 *
 * Second, the scan keeps a note of how things stood when the last packet passed: the sequence numbers of both directions, and the
 * dialogue (how many commands were unanswered: of no interest, and one transfer). From there on user space has been given
 * everything. The note goes with each packet that is handed over, and passed_input() takes it up.
 *
 * What the lines mean is what dialogue.c says they mean, and which reply answers which command is pairing.c's for both; where the two could
 * differ, or the 32 bytes do not suffice, the scan hands over more. It reads what user
 * space may have dropped, so it may be ahead: a reply that the server wrote before he had the command does not answer it.
 * Whoever repeats bytes and changes them deceives himself: which ones arrive he knows as little as the scan. What no receiver would
 * take (belief.h) is handed over and changes nothing here.
 */
#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "belief.h"
#include "ftp.h"
#include "pairing.h"
#include "seqadj.h"

/* What becomes of a connection's packets. */
enum scan_mode {
	SCAN_FOLLOW, /* each is decided on */
	SCAN_OPAQUE, /* not FTP: what is new passes */
	SCAN_WHOLE,  /* TLS, or out of step: all that carry something are handed over */
};

struct scan_side {
	uint32_t next;	 /* first byte not seen yet, sender space */
	uint16_t handed; /* bytes before it that were handed over since the last packet that passed */
	struct ftp_line line;
};

/* All zero in the beginning. It is the module's private data, and CTA_HELP_INFO in ctnetlink, as it is. */
struct scan {
	struct scan_side side[2]; /* by enum direction */

	/* the dialogue as it stands */
	uint32_t started : 1; /* the handshake was seen */
	uint32_t mode : 2;    /* enum scan_mode */
	uint32_t pending : 2; /* bit of a side: handed over bytes of it are not acknowledged yet */
	uint32_t greeted : 1;
	uint32_t logged_in : 1;
	uint32_t exchanged : 2;	 /* enum exchanged, as the engine counts, or later */
	uint32_t announced : 1;	 /* a data connection, whose transfer is not over */
	uint32_t auth : 1;	 /* the last command of interest was AUTH, and nothing else was unanswered */
	uint32_t multiline : 10; /* code of the multi-line reply that is open, 0: none */
	uint32_t version : 3;	 /* SCAN_VERSION once there is a note */
	uint32_t since : 8;	 /* bytes of the client after the segment with the last command of interest */

	/* commands unanswered: struct pairing, as far as it fits */
	uint32_t before_first : 4;
	uint32_t first : 3; /* enum pairing_class, PAIRING_OTHER: there is none */
	uint32_t before_second : 4;
	uint32_t second : 3;
	uint32_t behind : 4;
	uint32_t begun : 1;

	uint32_t tls : 1; /* 234 has answered the AUTH */

	/* the same when the last packet passed */
	uint32_t noted_before : 4;
	uint32_t noted_transfer : 1;
	uint32_t noted_behind : 4;
	uint32_t noted_begun : 1;
	uint32_t noted_opaque : 1;
};

#define SCAN_VERSION	     2
#define SCAN_OUTSTANDING_MAX 15	 /* of no interest, one after the other */
#define SCAN_SINCE_MAX	     255 /* so many or more */

_Static_assert(sizeof(struct scan) == 32, "no more fits a conntrack helper's private data");

/* Flags of TCP that matter here, as they stand in the header. */
#define SCAN_FIN BELIEF_FIN
#define SCAN_SYN BELIEF_SYN
#define SCAN_RST BELIEF_RST
#define SCAN_ACK BELIEF_ACK
#define SCAN_URG 0x20

/* A segment on its way through the scan. */
struct scan_segment {
	enum direction side; /* who sent it */
	uint32_t seq;	     /* of its first byte; of SYN if set */
	uint32_t ack;	     /* in the other side's own numbers: seqadj_back() */
	uint32_t length;     /* of the payload */
	uint8_t flags;	     /* SCAN_* */
	uint32_t window[2];  /* by enum direction: the largest that was advertised for what it sends; 0: not known */
	/* the scan's own */
	bool unread; /* its receiver would not take it: user space is to know, the scan is not */
	bool hand_over;
	bool interesting; /* a command that is not counted among the others ends in it */
	uint32_t fresh;	  /* bytes at its end that are to be read */
};

/**
 * scan_begin - take note of a segment's header
 * @scan: the connection
 * @segment: filled in but for the scan's own
 *
 * Return: how many bytes at the end of the payload scan_read() must be given, in order, in any number of pieces.
 */
uint32_t scan_begin(struct scan *scan, struct scan_segment *segment);

/* Some of those bytes. */
void scan_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length);

/* All of them have been read, or could not be. Return: true when user space must see the segment. */
bool scan_end(struct scan *scan, struct scan_segment *segment);

/* Something went wrong about a segment: from now on all that carry something are handed over. */
void scan_whole(struct scan *scan);

/* How things stood when the last packet passed. */
struct scan_note {
	uint32_t next[2];	/* by enum direction: all before it has gone; a line begins here */
	bool opaque;		/* not FTP: the rest does not matter */
	bool tls;		/* TLS has begun since then */
	bool whole;		/* that was long ago: everything has been handed over since then */
	struct pairing pairing; /* commands unanswered: of no interest, or one transfer */
};

/**
 * scan_note - read a note
 * @scan: the bytes of a struct scan: CTA_HELP_INFO
 * @length: how many
 * @note: filled in
 *
 * Return: false where there is none: nothing has passed yet, or @scan is another version's.
 */
bool scan_note(const void *scan, size_t length, struct scan_note *note);

#endif
