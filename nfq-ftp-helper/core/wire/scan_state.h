/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan_state - what the scan remembers of a connection, and what it makes of a segment on its way: scan.h.
 */
#ifndef CORE_WIRE_SCAN_STATE_H
#define CORE_WIRE_SCAN_STATE_H

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

/* Is there a note of how things stood when the last packet passed? */
enum scan_noted {
	SCAN_NOTED_NOT,
	SCAN_NOTED,
	SCAN_NOTED_EARLY, /* yes, and it had not been shown then that this is FTP */
};

/* What has user space been given of the connection? */
enum scan_given {
	SCAN_GIVEN_NEVER,   /* nothing at all: it does not know of it */
	SCAN_GIVEN_NOTHING, /* since the last packet that passed */
	SCAN_GIVEN_ONE,	    /* packet since then, or in the beginning */
	SCAN_GIVEN_MORE,
};

struct scan_side {
	uint32_t next;	      /* first byte not seen yet, sender space */
	uint16_t handed : 15; /* bytes before it that were handed over since the last packet that passed */
	uint16_t edit : 1;    /* the module's own edit in it is not acknowledged yet */
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
	uint32_t announced : 1;	 /* a data connection, by user space, whose transfer is not over */
	uint32_t auth : 1;	 /* the last command of interest was AUTH, and nothing else was unanswered */
	uint32_t narrow : 1;	 /* an end takes segments that are shorter than SCAN_NARROW only: nothing is fast */
	uint32_t multiline : 10; /* code of the multi-line reply that is open, 0: none */
	uint32_t note : 2;	 /* enum scan_noted */
	uint32_t given : 2;	 /* enum scan_given */
	uint32_t since : 5;	 /* bytes of the client after the segment with the last command of interest */
	uint32_t unmet : 1;	 /* user space has not been given the handshake */

	/* commands unanswered: struct pairing, as far as it fits. What the module has let pass by itself is SCAN_OWN_... */
	uint32_t before_first : 4;
	uint32_t first : 3; /* enum pairing_class, PAIRING_OTHER: there is none */
	uint32_t before_second : 4;
	uint32_t second : 3;
	uint32_t behind : 4;
	uint32_t begun : 1;

	uint32_t tls : 1; /* 234 has answered the AUTH */

	/* the same when the last packet passed */
	uint32_t noted_before : 4;
	uint32_t noted_first : 2;  /* NOTED_...: scan.c */
	uint32_t noted_behind : 4; /* SCAN_NOTED_EARLY: EARLY_... */
	uint32_t noted_begun : 1;  /* SCAN_NOTED_EARLY: the client has spoken */
	uint32_t noted_opaque : 1;
};

/* Changes with what is above. The module has it as a parameter; a daemon of another layout must not read it. */
#define SCAN_LAYOUT	     5
#define SCAN_OUTSTANDING_MAX 15	    /* of no interest, one after the other */
#define SCAN_SINCE_MAX	     31	    /* so many or more */
#define SCAN_HANDED_MAX	     0x7fff /* bytes */
#define SCAN_NARROW	     536    /* bytes: RFC 9293 section 3.7.1 */

/* Of what the module has let pass by itself, in scan.first: nothing that the engine has announced, and none of its questions. */
#define SCAN_OWN_COMMAND  PAIRING_IDLE	  /* it has announced what this command says */
#define SCAN_OWN_QUESTION PAIRING_DOUBTED /* it waits for a 227, 228 or 229 */

_Static_assert(sizeof(struct scan) == 32, "no more fits a conntrack helper's private data");

/* Flags of TCP that matter here, as they stand in the header. */
#define SCAN_FIN BELIEF_FIN
#define SCAN_SYN BELIEF_SYN
#define SCAN_RST BELIEF_RST
#define SCAN_ACK BELIEF_ACK
#define SCAN_URG 0x20

/* What a segment's lines make of an expectation that the module has made by itself. */
enum scan_fate {
	SCAN_STAYS,
	SCAN_ACCEPTED, /* the server has accepted the command that announced it */
	SCAN_GONE,
};

/* And is a transfer waited for, which what is accepted is for? */
enum scan_wait {
	SCAN_WAIT_STAYS,
	SCAN_WAIT_BEGINS, /* one is asked for */
	SCAN_WAIT_ENDS,	  /* none is unanswered any more */
};

/* A segment on its way through the scan. */
struct scan_segment {
	enum direction side; /* who sent it */
	uint32_t seq;	     /* of its first byte; of SYN if set */
	uint32_t ack;	     /* in the other side's own numbers: seqadj_back() */
	uint32_t length;     /* of the payload */
	uint8_t flags;	     /* SCAN_* */
	uint32_t window[2];  /* by enum direction: the largest that was advertised for what it sends; 0: not known */
	uint16_t mss;	     /* SYN: what its sender takes; 0: it does not say */
	bool fast;	     /* the caller may deal with it by himself */
	/* the caller's, between scan_read() and scan_end() */
	bool done;   /* what it announces is expected: scan_announces() */
	bool edited; /* and its text has changed */
	/* the scan's own */
	bool alone; /* the caller deals with the whole connection by himself so far: user space has been given nothing */
	bool unread; /* its receiver would not take it: user space is to know, the scan is not */
	bool hand_over;
	bool interesting;  /* a command that is not counted among the others ends in it */
	uint32_t fresh;	   /* bytes at its end that are to be read */
	uint32_t read;	   /* of these have been */
	uint32_t argument; /* offset of the first argument of an announcement in the payload */
	uint8_t notation;  /* enum notation of that */
	uint8_t arguments; /* that begin in it; 2: or more */
	uint8_t lines;	   /* that end in it; 2: or more */
	bool announced;	   /* the line that ends has such an argument, wherever that began */
	uint8_t asks;	   /* a command that may pass as SCAN_OWN_COMMAND or SCAN_OWN_QUESTION; PAIRING_OTHER: none */
	uint8_t answers;   /* which of these it answers, likewise */
	uint8_t unanswered, accepted; /* enum scan_fate of the module's own expectation that was so before it */
	uint8_t wait;		      /* enum scan_wait for what is accepted then */
};

/* Something went wrong about a segment: from now on all that carry something are handed over. */
static inline void scan_whole(struct scan *scan)
{
	scan->mode = SCAN_WHOLE;
}

#endif
