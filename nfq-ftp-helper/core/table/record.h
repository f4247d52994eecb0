/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record - what is kept of a connection: its session; the work slot, which a session has only while it is busy; the handshake before it;
 * and of its client, the budget. Nothing here has a pointer in it: it stands in the table's memory (table.h), and outlives the daemon.
 *
 * Each struct has one file that writes it, and is read by those below that in doc/architecture.md's list. What can be derived is not
 * stored; what is stored is checked when it is found in a file (table_check.c).
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/conntrack.h"
#include "core/wire/ftp.h"
#include "core/wire/pairing.h"
#include "core/wire/tls_records.h"
#include "flow.h"

/* One direction, in its own sender space. */
struct stream {
	uint32_t next;	/* first byte not parsed yet */
	uint32_t acked; /* highest acknowledgement of the other side */
	struct seqadj adj;
	struct ftp_line line;
	uint16_t mss;	     /* what the receiver said in its SYN; 0: not seen */
	uint32_t claim;	     /* an acknowledgement of bytes that never came this way; none where not after next */
	uint32_t beyond;     /* its sender has been seen up to here since nobody was there; none where not after next */
	uint16_t hole_start; /* sequence number, modulo 2^16 */
	uint8_t hole_since;  /* time, in units of HOLE_UNIT, modulo 256 */
	bool unsynced : 1;   /* next is not known yet */
	bool fin : 1;	     /* its FIN has passed */
	bool edited : 1;     /* an edit has been made: bytes before its end must not be sent again as they were */
	bool held : 1;	     /* work->held[] keeps a part of an argument, up to next */
	bool in_flight : 1;  /* work->edit[] is not acknowledged yet */
	bool hole : 1;	     /* a segment beyond next was dropped: hole_start and hole_since are set */
	bool hole_again : 1; /* and the same one again, later */
	bool stale : 1;	     /* bytes may have passed unseen since the receiver acknowledged all that we know of */
	uint8_t scale : 4;   /* of the windows its receiver advertises (belief.h) */
	uint8_t hole_missed : 2; /* how often others came without it, well apart */
	uint8_t replaced;	 /* bytes from adj.pos on that the last edit has replaced, at most; 0: not known */
	uint8_t missed_at;	 /* when they did last, as hole_since */
	uint8_t word;		 /* of its last line, by ftp_word_number(): for people */
};

enum session_state {
	SESSION_FREE,
	SESSION_HANDSHAKE, /* just made: nothing is known of it yet */
	SESSION_GREETING,  /* waiting for the greeting */
	SESSION_MIDDLE,	   /* picked up in the middle: waiting for a command */
	SESSION_EXCHANGE,  /* picked up in the middle: waiting for its reply */
	SESSION_READY,	   /* an FTP dialogue */
	SESSION_TLS,	   /* both directions are in TLS, and have not left it */
	SESSION_OPAQUE,	   /* not FTP, or a TLS of which too much is not known: sequence adjustment only */
	SESSION_CLOSED,	   /* both FINs or an RST have passed: sequence adjustment only, for a while */
};

/* Do the packets of one direction only come this way? core/session/oneway.h counts what shows it. */
enum one_way {
	ONE_WAY_NOT,
	ONE_WAY_ONCE,
	ONE_WAY_TWICE,
	ONE_WAY_SAID, /* they do */
};

/* A control connection. */
struct session {
	struct flow_key key;
	uint32_t home;		 /* the slot its hash names */
	uint32_t chain;		 /* next slot of the same home */
	uint32_t work;		 /* its work slot */
	uint32_t last_seen;	 /* seconds */
	struct stream stream[2]; /* by enum direction: what the client writes, what the server writes */
	uint32_t conntrack_id;	 /* conntrack's own for it, CTA_ID; 0: not told */
	uint16_t multiline;	 /* code of the multi-line reply that is open, 0: none */
	uint8_t state;		 /* enum session_state */
	bool self : 1;		 /* we renumber every packet */
	bool first_line : 1;	 /* the client's first line was FTP */
	bool reset : 1;		 /* an RST was believed; what follows from it may be undone yet, by a kill */
	bool resumed : 1;	 /* bytes before those read first were not seen: lines may begin in their middle */
	bool unsure : 1;	 /* the numbers are not known yet: both directions have to agree on them */
	bool heard : 1;		 /* they are as one packet has them */
	bool heard_reply : 1;	 /* which was the server's */
	bool misplaced : 1;	 /* conntrack adjusts it as another's, and could not be told otherwise yet */
	uint8_t logged_in; /* 2xx to USER, PASS or ACCT, or a greeting of 230; where these were not seen, what takes a login */
	uint8_t exchanged : 2; /* enum exchanged */
	bool met : 1;	       /* its beginning, or bytes of it, were not seen */
	bool doubt : 1; /* a multi-line reply has ended oddly, at session.doubted: lines behind it may be its text */
	uint8_t one_way : 2;	   /* enum one_way */
	uint16_t began;		   /* session_began(): for people */
	struct pairing pairing;	   /* the outstanding commands */
	uint32_t answered;	   /* the server's first byte behind the first answer */
	uint32_t doubted;	   /* and behind the line that ended such a reply */
	struct tls_records tls[2]; /* by enum direction */
};

_Static_assert(sizeof(struct session) <= 192 && sizeof(struct session) % 64 == 0,
	       "whole cache lines a session, three at the most");

/* Its age is kept in units of so many seconds, and up to so many of these: older ones are as old as that. */
#define SESSION_AGE_UNIT 8
#define SESSION_AGE_MAX	 432000

/* The time as session.began has it, which is never 0: that is a session of an earlier version. */
static inline uint16_t session_began(uint32_t seconds)
{
	return (uint16_t)(seconds / SESSION_AGE_UNIT % UINT16_MAX + 1);
}

/* Seconds since it was first seen. Return false: not known. */
static inline bool session_age(const struct session *session, uint32_t seconds, uint32_t *age)
{
	*age = (uint32_t)(session_began(seconds) + UINT16_MAX - session->began) % UINT16_MAX * SESSION_AGE_UNIT;
	return session->began != 0;
}

/* Is a direction of it in TLS? */
static inline bool session_in_tls(const struct session *session)
{
	return tls_records_inside(&session->tls[0]) || tls_records_inside(&session->tls[1]);
}

/* Has an end said that it knows nothing of it any more, or have both said their last byte? */
static inline bool session_over(const struct session *session)
{
	return session->state == SESSION_CLOSED || session->reset;
}

/* Is an edit of it not acknowledged yet? */
static inline bool session_in_flight(const struct session *session)
{
	return session->stream[0].in_flight || session->stream[1].in_flight;
}

/* Is a part of an argument held back? */
static inline bool session_held(const struct session *session)
{
	return session->stream[0].held || session->stream[1].held;
}

/* An argument that had to wait, and since when. */
struct waiting {
	uint64_t since;	   /* milliseconds; 0: none */
	uint64_t last;	   /* milliseconds: when it was counted last */
	uint32_t start;	   /* sender space */
	uint8_t sightings; /* of the times it has come again since, well apart, those with nothing before it */
	uint8_t repeats;   /* all of them */
};

/* Room for an argument that is split over segments: the longest one that is read, and a reply's prose behind it. */
#define HELD_MAX (ENDPOINT_READ_MAX + 57)

enum edit_kind {
	EDIT_REPLACED,	/* an argument, by another */
	EDIT_SWALLOWED, /* a part of an argument, by nothing: its rest has not come yet */
	EDIT_OWED,	/* such a part, with what followed: the receiver has none of it yet */
};

/* The longest text of an edit: the byte before a swallowed part, its prose, and the longest argument. */
#define EDIT_TEXT_MAX (1 + HELD_MAX + ENDPOINT_TEXT_MAX)

_Static_assert(1 + HELD_MAX <= UINT8_MAX, "stream.replaced holds what an edit replaces");

/* Text in place of other text, which may have to be sent again: edit.h. */
struct edit {
	uint32_t start; /* sender space */
	uint16_t old_length;
	uint16_t new_length;
	uint32_t since; /* seconds: when it was made, or amended */
	uint8_t kind;	/* enum edit_kind */
	/* Nothing of its connection passes without us, as long as it is in flight (conntrack.h). Of a swallowed part: nothing has. */
	uint8_t guarded;
	char text[EDIT_TEXT_MAX];
};

/* Has the server accepted what was announced? */
enum announcement_answer {
	ANNOUNCEMENT_OPEN,
	ANNOUNCEMENT_ACCEPTED,
	ANNOUNCEMENT_FOR_NEXT, /* it has, while another transfer went on: it is for the one behind that */
	ANNOUNCEMENT_ANSWERS,
};

/* An announced data connection. */
struct announcement {
	struct expectation expectation;
	uint32_t since;	   /* seconds */
	uint32_t until;	   /* conntrack lets go of it then, unless it is renewed */
	uint32_t due;	   /* not to be renewed before */
	uint8_t kind;	   /* enum ftp_kind of the command */
	uint8_t direction; /* enum direction of the announcement */
	uint8_t answered;  /* enum announcement_answer */
	uint8_t heard;	   /* a reply has come since: its own, perhaps */
};

#define ANNOUNCEMENTS_MAX FTP_EXPECTED_MAX

struct held {
	uint32_t start;	 /* sender space */
	uint32_t since;	 /* seconds: its first byte */
	uint16_t length; /* up to stream.next */
	uint8_t pieces;	 /* segments it came in, or that repeated it */
	uint8_t copied;	 /* it was passed on all the same: no text will be changed here */
	char before;	 /* the byte before it */
	uint8_t bytes[HELD_MAX];
};

/* What a session needs besides while it is busy. The undo record keeps what precedes edit always, the rest where it is in use. */
struct work {
	uint32_t owner; /* its session; 0: free */
	uint32_t free_next;
	uint32_t budget;       /* its client's, which stays where it is while the client has something */
	uint8_t bound;	       /* binding is filled in */
	uint8_t announcements; /* how many, oldest first */
	struct waiting waiting[2];
	struct binding binding;
	struct edit edit[2]; /* in use where stream.in_flight */
	struct held held[2]; /* in use where stream.held */
	struct announcement announcement[ANNOUNCEMENTS_MAX];
};

enum embryo_state {
	EMBRYO_FREE,
	EMBRYO_OPEN,	 /* SYN seen */
	EMBRYO_ANSWERED, /* and its SYN/ACK */
	EMBRYO_CLOSED,	 /* a session was made of it; another copy of its SYN makes no other */
	EMBRYO_LEFT,	 /* none was: no room, or answered too late, or amid a connection; or it was forgotten */
	EMBRYO_STATES,
};

/* A handshake under way: embryo.h. */
#define EMBRYO_WAYS    8  /* embryos that share a place in the table */
#define EMBRYO_SECONDS 60 /* as conntrack's SYN_RECV */

/*
 * So many seconds a connection that is left alone is not forgiven: who wants it picked up in its middle has to keep it for longer, and to
 * meet a daemon's start.
 */
#define EMBRYO_NOTE_SECONDS 86400

struct embryo {
	struct flow_key key; /* swapped: who is the client */
	uint32_t since;	     /* seconds; when its SYN came */
	uint32_t start[2];   /* by enum direction: the first byte behind SYN, sender space */
	uint32_t acked;	     /* what the SYN/ACK acknowledges */
	uint16_t data;	     /* bytes in the SYN (RFC 7413) */
	uint16_t mss[2];     /* by enum direction: what its sender says of itself */
	uint8_t scale[2];    /* likewise; SEGMENT_NO_SCALE */
	uint8_t state;	     /* enum embryo_state */
	/* what the SYN's bytes are as FTP */
	uint8_t strange;      /* none */
	uint8_t lines;	      /* whole lines */
	uint8_t one_way;      /* not 0: its client went on without an answer, which has been said */
	struct ftp_line line; /* where the last one stands */
	uint16_t turn;	      /* the place of its SYN/ACK among those of its flow */
};

/* What clients share: there is only so much of each. */
enum share {
	SHARE_SESSIONS,
	SHARE_WORKS,
	SHARE_EXPECTATIONS,
	SHARES,
};

/* What a client may do only so often a second. */
enum rate {
	RATE_ANNOUNCEMENTS, /* and looks for a work slot and the connection, where there is none yet */
	RATE_TRIES,	    /* of another port than the announced one */
	RATES,
};

/*
 * What one client has and may still do. What it has is counted anew on recovery. A hash names a set of eight. Whoever finds the set
 * full of others who have something is one of "the others" of this set, who are taken for one client: the last of the eight.
 * While these have something, no newcomer is given a place of its own, since it may be one of them; so where a client's
 * things are counted is never in doubt. It takes eight clients of one set to get there, and nobody can choose the set.
 */
struct client_budget {
	uint64_t network;  /* the IPv4 address, or the first half of the IPv6 one */
	uint64_t refilled; /* milliseconds; 0: never */
	uint32_t taken[SHARES];
	uint32_t tokens[RATES]; /* thousandths */
	uint8_t family;		/* 0: nobody's, or the others' */
	uint8_t unused[23];
};

_Static_assert(sizeof(struct client_budget) == 64, "a cache line a client");

#endif
