/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table - all sessions of one worker, in one block of memory without a pointer in it.
 *
 * Theory of operation. The block is a file in a tmpfs (or plain memory), mapped shared, so that a daemon which is
 * killed at any instruction leaves it behind for the next one (invariant I7). It holds, in this order: a header, which
 * begins with a description for other versions of this program (table_description.h); the session slots, and a smaller number of
 * work slots, which a session owns only while it has an argument held back, an edit in flight or an expectation open (or had lately);
 * the clients' budgets; last, the handshakes under way (embryo.h). Sizes are fixed when the file is made. References are indices; 0
 * means none.
 *
 * A slot is three cache lines, and the table needs nothing besides: a flow's hash names its home slot, and a session whose
 * home is free, or taken by one that is not at home there, stands at home (the other moves). So a home slot that is
 * taken by one of its own begins the chain of all of its own, and most look-ups end at the first slot.
 *
 * A packet changes at most one session. Before it does, table_begin() copies the slot into the undo record of the header
 * (and table_work_change() the work slot); table_commit() clears the record. Whoever takes up a table with a filled-in undo record
 * finds the old content there: the packet's verdict was never sent, so its sender will retransmit it. What is taken up is
 * checked and put into a new table (table_take_up.c); "in use" marks are the truth, places and lists are not looked at.
 *
 * The hash is SipHash-1-3 over the key with a random seed: its input comes from the network.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "conntrack.h"
#include "ftp.h"
#include "segment.h"

/* A flow, the same for both of its directions: the lower of the two endpoints first. */
struct flow_key {
	uint8_t low_address[16];
	uint8_t high_address[16];
	uint16_t low_port;
	uint16_t high_port;
	uint16_t zone;
	uint8_t family;
	uint8_t swapped;	/* 1: the client (of a packet: the sender) is the high one. Not compared */
};

/* Everything but the mark at the end, which says who is the client. */
bool flow_key_equal(const struct flow_key *a, const struct flow_key *b);

enum stream_flags {
	STREAM_UNSYNCED = 0x01,	/* next is not known yet */
	STREAM_FIN = 0x02,	/* its FIN has passed */
	STREAM_EDITED = 0x04,	/* an edit has been made: bytes before acked must not be sent again as they were */
	STREAM_HELD = 0x08,	/* work->held[] keeps a part of an argument, up to next */
	STREAM_IN_FLIGHT = 0x10,	/* work->edit[] is not acknowledged yet */
	STREAM_HOLE = 0x20,	/* a segment beyond next was dropped: hole_start and hole_since are set */
	STREAM_HOLE_AGAIN = 0x40,	/* and the same one again, later */
	STREAM_STALE = 0x80,	/* a daemon died since the receiver acknowledged all that we know of */
};

/* One direction, in its own sender space. */
struct stream {
	uint32_t next;		/* first byte not parsed yet */
	uint32_t acked;		/* highest acknowledgement of the other side */
	struct seqadj adj;
	struct ftp_line line;
	uint16_t mss;		/* what the receiver said in its SYN; 0: not seen */
	uint32_t claim;		/* an acknowledgement of bytes that never came this way; none where not after next */
	uint16_t hole_start;	/* sequence number, modulo 2^16 */
	uint8_t hole_since;	/* time, in units of HOLE_UNIT, modulo 256 */
	uint8_t flags;		/* enum stream_flags */
	uint8_t scale;		/* of the windows its receiver advertises (belief.h) */
	uint8_t hole_missed;	/* how often others came without it, well apart */
	uint8_t missed_at;	/* when they did last, as hole_since */
};

enum session_state {
	SESSION_FREE,
	SESSION_HANDSHAKE,	/* just made: nothing is known of it yet */
	SESSION_GREETING,	/* waiting for 220 */
	SESSION_MIDDLE,		/* picked up in the middle: waiting for a command */
	SESSION_EXCHANGE,	/* picked up in the middle: waiting for its reply */
	SESSION_READY,		/* an FTP dialogue */
	SESSION_OPAQUE,		/* encrypted, or not FTP: sequence adjustment only */
	SESSION_CLOSED,		/* both FINs or an RST have passed: sequence adjustment only, for a while */
};

enum session_flags {
	SESSION_SELF = 0x01,		/* we renumber every packet */
	SESSION_FIRST_LINE = 0x02,	/* the client's first line was FTP */
	SESSION_TRANSFER = 0x04,	/* a 1xx reply to the oldest command has been seen */
	SESSION_RESUMED = 0x08,		/* bytes before those read first were not seen: lines may begin in their middle */
	SESSION_UNSURE = 0x10,		/* the numbers are not known yet: both directions have to agree on them */
	SESSION_HEARD = 0x20,		/* they are as one packet has them */
	SESSION_HEARD_REPLY = 0x40,	/* which was the server's */
	SESSION_FLAGS = 0x7f,		/* all of them */
};

/* A control connection. */
struct session {
	struct flow_key key;
	uint32_t home;			/* the slot its hash names */
	uint32_t chain;			/* next slot of the same home */
	uint32_t work;			/* its work slot */
	uint32_t last_seen;		/* seconds */
	struct stream stream[2];	/* by enum direction: what the client writes, what the server writes */
	uint32_t commands;		/* kinds of outstanding commands, oldest lowest, four bits each */
	uint32_t conntrack_id;		/* conntrack's own for it, CTA_ID; 0: not told */
	uint16_t multiline;		/* code of the multi-line reply that is open, 0: none */
	uint8_t outstanding;		/* how many; those beyond the eighth are FTP_OTHER */
	uint8_t state;			/* enum session_state */
	uint8_t flags;			/* enum session_flags */
	uint8_t logged_in;		/* the server has said so, or has taken an announcement, which comes to the same */
	uint8_t unused[42];		/* to three whole cache lines */
};

_Static_assert(sizeof(struct session) == 192, "three cache lines a session");

/* The client's and server's endpoints as seen where the packets are queued. */
void session_endpoints(const struct session *session, struct endpoint *client, struct endpoint *server);

/* Is an edit of it not acknowledged yet? */
static inline bool session_in_flight(const struct session *session)
{
	return (session->stream[0].flags | session->stream[1].flags) & STREAM_IN_FLIGHT;
}

#define COMMANDS_MAX 8		/* commands in session.commands */

/* An argument that had to wait, and since when. */
struct waiting {
	uint64_t since;		/* milliseconds; 0: none */
	uint64_t last;		/* milliseconds: when it was counted last */
	uint32_t start;		/* sender space */
	uint8_t sightings;	/* of the times it has come again since, well apart, those with nothing before it */
	uint8_t repeats;	/* all of them */
};

/* Room for an argument that is split over segments: the longest legal one, and a reply's prose behind it. */
#define HELD_MAX 128

enum edit_kind {
	EDIT_REPLACED,		/* an argument, by another */
	EDIT_SWALLOWED,		/* a part of an argument, by nothing: its rest has not come yet */
	EDIT_OWED,		/* such a part, with what followed: the receiver has none of it yet */
};

/* The longest text of an edit: the byte before a swallowed part, its prose, and the longest argument. */
#define EDIT_TEXT_MAX (1 + HELD_MAX + ENDPOINT_TEXT_MAX)

/* Text in place of other text, which may have to be sent again: edit.h. */
struct edit {
	uint32_t start;		/* sender space */
	uint16_t old_length;
	uint16_t new_length;
	uint32_t since;		/* seconds: when it was made, or amended */
	uint8_t kind;		/* enum edit_kind */
	char text[EDIT_TEXT_MAX];
};

/* An announced data connection. */
struct announcement {
	struct expectation expectation;
	uint32_t since;		/* seconds */
	uint8_t kind;		/* enum ftp_kind of the command */
	uint8_t direction;	/* enum direction of the announcement */
	uint8_t answered;	/* the server has accepted it */
};

#define ANNOUNCEMENTS_MAX 4

struct held {
	uint32_t start;		/* sender space */
	uint32_t since;		/* seconds: its first byte */
	uint16_t length;	/* up to stream.next */
	uint8_t pieces;		/* segments it came in, or that repeated it */
	uint8_t copied;		/* it was passed on all the same: no text will be changed here */
	char before;		/* the byte before it */
	uint8_t bytes[HELD_MAX];
};

/* What a session needs besides while it is busy. The undo record keeps what precedes edit always, the rest where it is in use. */
struct work {
	uint32_t owner;		/* its session; 0: free */
	uint32_t free_next;
	uint32_t budget;	/* its client's, which stays where it is while the client has something */
	uint8_t bound;		/* binding is filled in */
	uint8_t announcements;	/* how many, oldest first */
	struct waiting waiting[2];
	struct binding binding;
	struct edit edit[2];	/* in use where STREAM_IN_FLIGHT */
	struct held held[2];	/* in use where STREAM_HELD */
	struct announcement announcement[ANNOUNCEMENTS_MAX];
};

enum embryo_state {
	EMBRYO_FREE,
	EMBRYO_OPEN,		/* SYN seen */
	EMBRYO_ANSWERED,	/* and its SYN/ACK */
	EMBRYO_CLOSED,		/* a session was made of it; another copy of its SYN makes no other */
	EMBRYO_LEFT,		/* none was: there was no room, or it was answered too late */
	EMBRYO_STATES,
};

/* A handshake under way: embryo.h. */
#define EMBRYO_WAYS 8		/* embryos that share a place in the table */
#define EMBRYO_SECONDS 60	/* as conntrack's SYN_RECV */

struct embryo {
	struct flow_key key;	/* swapped: who is the client */
	uint32_t since;		/* seconds; when its SYN came */
	uint32_t start[2];	/* by enum direction: the first byte behind SYN, sender space */
	uint32_t acked;		/* what the SYN/ACK acknowledges */
	uint16_t data;		/* bytes in the SYN (RFC 7413) */
	uint16_t mss[2];	/* by enum direction: what its sender says of itself */
	uint8_t scale[2];	/* likewise; SEGMENT_NO_SCALE */
	uint8_t state;		/* enum embryo_state */
	/* what the SYN's bytes are as FTP */
	uint8_t strange;	/* none */
	uint8_t lines;		/* whole lines */
	struct ftp_line line;	/* where the last one stands */
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
	RATE_ANNOUNCEMENTS,	/* and look-ups of their connection */
	RATE_TRIES,		/* of another port than the announced one */
	RATES,
};

/*
 * What one client has and may still do. What it has is counted anew on recovery. A hash names a set of eight. Whoever finds the set
 * full of others who have something is one of "the others" of this set, who are taken for one client: the last of the eight.
 * While these have something, no newcomer is given a place of its own, since it may be one of them; so where a client's
 * things are counted is never in doubt. It takes eight clients of one set to get there, and nobody can choose the set.
 */
struct client_budget {
	uint64_t network;		/* the IPv4 address, or the first half of the IPv6 one */
	uint64_t refilled;		/* milliseconds; 0: never */
	uint32_t taken[SHARES];
	uint32_t tokens[RATES];		/* thousandths */
	uint8_t family;			/* 0: nobody's, or the others' */
	uint8_t unused[23];
};

_Static_assert(sizeof(struct client_budget) == 64, "a cache line a client");

struct table_size {
	uint32_t sessions;	/* rounded up to a power of two, at least 2 */
	uint32_t works;
	uint32_t budgets;	/* rounded up to a power of two, at least 8 */
};

struct table;

/* Bytes of memory a table of this size takes. */
size_t table_bytes(const struct table_size *size);

/* A new, empty table in @memory: table_bytes() bytes, all zero, aligned to 64. @seed is the hash's. */
struct table *table_new(void *memory, const struct table_size *size, const uint64_t seed[2]);

/* What something that was left turned out to be. */
enum table_left {
	TABLE_TAKEN_UP,
	TABLE_STRANGE,		/* no table, or one of which nothing can be made */
	TABLE_CUT_SHORT,	/* it says that it goes on behind its end */
};

struct table_taken {
	uint32_t sessions;	/* taken up */
	uint32_t forgotten;	/* found, but not what a session can be */
	uint32_t crowded;	/* good, but there was no room for them */
	bool own;		/* the layout was this program's; else dialogues are picked up in their middle */
};

/**
 * table_take_up - fill a new table with what an earlier one left
 * @table: from table_new(), nothing in it yet
 * @left: what was left, of any version and any size; nobody else writes to it
 * @bytes: its size
 * @taken: filled in
 *
 * Return: TABLE_TAKEN_UP, or why @left is of no use; @table is empty then.
 */
enum table_left table_take_up(struct table *table, const void *left, size_t bytes, struct table_taken *taken);

/**
 * table_open - the two at once and in one place: a new table where @memory is all zero, else what is in it is taken up
 * @recovered: filled in: sessions found in it; may be NULL
 *
 * For memory that ends with this program: a kill in the middle of this loses everything.
 *
 * Return: the table (which is @memory), or NULL when the memory holds something else than such a table of this size (errno EINVAL).
 */
struct table *table_open(void *memory, const struct table_size *size, const uint64_t seed[2], uint32_t *recovered);

/* The flow of a segment, and its hash. */
uint32_t table_hash(const struct table *table, const struct segment *segment, uint16_t zone, struct flow_key *key);

/* The same of a sender and a receiver. */
uint32_t table_hash_ends(const struct table *table, const struct tuple *ends, uint16_t zone, struct flow_key *key);

/*
 * Bring a flow's home slot into the cache; later, if the flow is not there, the next of its chain. Each for all packets of a batch in a
 * loop of nothing else: only then do the page walks of a large table overlap.
 */
void table_prefetch(const struct table *table, uint32_t hash);
void table_prefetch_chain(const struct table *table, const struct flow_key *key, uint32_t hash);

struct session *table_find(struct table *table, const struct flow_key *key, uint32_t hash);

/*
 * A new, zeroed session in the table; NULL when it is full, or no free slot is found in a bounded search. Another session may
 * move: no pointer to one is valid any more.
 */
struct session *table_insert(struct table *table, const struct flow_key *key, uint32_t hash);
void table_remove(struct table *table, struct session *session);

/* The session's work slot, to look at; NULL when it has none. */
const struct work *table_work(const struct table *table, const struct session *session);
/* The same, to change. */
struct work *table_work_change(struct table *table, const struct session *session);
/* The same, given one when it has none; NULL when none is left. */
struct work *table_work_get(struct table *table, struct session *session);
/* The same where it has none, and its client's budget has been looked up. */
struct work *table_work_take(struct table *table, struct session *session, struct client_budget *budget);
void table_work_put(struct table *table, struct session *session);
/* Look at the next so many work slots, and take back those whose session can do without. */
void table_work_reclaim(struct table *table, uint32_t steps);
/* A work slot, from 1 to table_work_slots(), and its session; NULL for a free one. For walking. */
struct work *table_work_slot(struct table *table, uint32_t index, struct session **owner);

/*
 * One packet's changes: from table_begin() to table_commit(), a kill undoes them. To begin anew, or to remove the session, commits
 * what was begun before.
 */
void table_begin(struct table *table, const struct session *session);
void table_commit(struct table *table);

/* The session whose last change was undone when the table was opened; NULL when there is none. Asked once. */
struct session *table_undone(struct table *table);

/* The EMBRYO_WAYS in which a handshake of a flow with this hash can stand: embryo.c's. */
struct embryo *table_embryo_ways(struct table *table, uint32_t hash);

/* Are these the same client: the same IPv4 address, or in the same IPv6 /64? */
bool table_same_client(const struct endpoint *a, const struct endpoint *b);

/* The client's budget: core/share.h. It is valid until the next call. */
struct client_budget *table_budget(struct table *table, const struct endpoint *client);

/* The same of a session's client: without a search where it has a work slot. */
struct client_budget *table_budget_of(struct table *table, const struct session *session);

/* A client takes some of what is shared, or gives it back. Work slots are counted by the table itself. */
void table_count(struct table *table, struct client_budget *budget, enum share what, int32_t change);

/* What all clients together have. */
uint32_t table_taken(const struct table *table, enum share what);

/* Slots are numbered from 1 to table_slots(); table_slot() is NULL for a free one. For walking. */
uint32_t table_slots(const struct table *table);
struct session *table_slot(struct table *table, uint32_t index);
uint32_t table_sessions(const struct table *table);
uint32_t table_works(const struct table *table);
uint32_t table_work_slots(const struct table *table);

#endif
