/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim - two TCP endpoints with an FTP dialogue between them, a network that loses, doubles, delays and reorders, and
 * the real engine on the router in the middle. One seed decides everything, so every run can be repeated.
 *
 *	client --leg 0--> router (engine, then the kernel's sequence adjustment) --leg 1--> server
 *
 *   schedule.c   what a seed means: the network's vices, both TCPs' habits, NAT, what happens to the daemon
 *   dialogue.c   the script: both whole streams, where the announcements are, what each of them may open
 *   packet.c     packets to bytes and back; the kernel's nf_ct_seq_adjust(). Shares no code with core
 *   tcp.c        an endpoint
 *   network.c    legs and time
 *   router.c     the engine, killed and restarted; what surrounds it
 *   check.c      the invariants of the streams and of every packet
 *   oracle.c     what may and must be opened and rewritten
 *   adversary.c  --adversary: third parties that inject segments, and an end that lies
 *   judge.c      would an endpoint's TCP take this segment?
 *   main.c       seeds in, verdicts out
 *
 * Offsets count bytes of a stream from 0, in sender or in receiver space; sequence numbers appear in packets only.
 */
#ifndef SIM_H
#define SIM_H

#include "core/session/resume.h"
#include "core/session/session.h"

#include <setjmp.h>

#define STREAM_MAX   12288 /* bytes of a stream, rewritten or not */
#define PACKET_MAX   3072
#define PACKETS	     4096 /* under way at once */
#define PROMISES     128
#define GATES	     128
#define EDITS	     64
#define NOTES	     16
#define EXPECTATIONS 32
#define NEVER	     UINT64_MAX
#define SECOND	     1000000u /* simulated time is in microseconds */

enum side { CLIENT, SERVER };

enum cutting {
	CUT_NONE,     /* as large as MSS and what was written allow */
	CUT_BYTE,     /* one byte a segment */
	CUT_SMALL,    /* 1 to 8 bytes */
	CUT_ANY,      /* 1 to MSS */
	CUT_ARGUMENT, /* mostly inside of arguments */
	CUTTINGS,
};

enum upset {
	UPSET_NONE,
	UPSET_RESTART, /* the daemon restarts between two packets */
	UPSET_KILL,    /* it is killed amid a packet and restarts */
	UPSET_FRESH,   /* it starts anew, knowing nothing, amid the connection */
	UPSET_BYPASS,  /* it is away for a while; packets pass unseen */
	UPSETS,
};

enum ending {
	END_CLIENT, /* the client closes when it has everything */
	END_SERVER, /* the server closes after its last reply */
	END_HALF,   /* the client closes its half after its last command */
	END_RESET,  /* somebody sends RST in the middle */
	ENDINGS,
};

struct leg {
	uint16_t loss; /* per mille */
	uint16_t duplicate;
	uint16_t corrupt; /* on the way to the router */
	bool ordered;
	uint32_t delay;
	uint32_t jitter;
};

/* How an endpoint's TCP behaves. */
struct habit {
	uint32_t iss;
	uint32_t window;
	uint16_t mss;  /* announced to the other */
	uint8_t scale; /* of the window field, RFC 7323; only where both sides scale */
	uint8_t cutting;
	bool nagle;
	bool go_back;	    /* a retransmission timeout sends everything again */
	bool bursts;	    /* and at once, not when the first segment of it has been acknowledged */
	bool original_cuts; /* what is sent again ends where it did the first time */
	bool quick_ack;
	bool duplicate_sack;
	bool dribble;	    /* the application writes in pieces */
	uint16_t keepalive; /* milliseconds, 0: none */
};

struct schedule {
	uint8_t family;
	bool self;	   /* SEQADJ_SELF */
	bool payload_only; /* pure acknowledgements are not queued */
	bool scaled;	   /* both sides offer window scaling */
	bool sack;
	bool timestamps;
	bool clean; /* the network does nothing bad */
	bool masqueraded;
	bool translated_server;
	bool pipelined;
	struct leg leg[2];
	struct habit habit[2];
	uint16_t busy;	 /* per mille of ports taken */
	uint16_t errors; /* per mille of conntrack calls that fail */
	uint8_t upset;
	uint8_t ending;
	uint32_t upset_at; /* packets through the router until it happens */
	uint32_t away;	   /* microseconds */
	uint32_t reset_at;
};

enum opens { MUST_NOT, MAY, MUST };

/* An announcement of the script. All offsets are sender space. */
struct promise {
	uint8_t by; /* enum side */
	uint8_t notation;
	uint8_t opens; /* enum opens */
	uint8_t exchange;
	bool opened, refused, edited, excused;
	bool in_tls;		      /* it is the content of records */
	bool hidden;		      /* nothing but the connection's past tells that it must not open */
	bool whole;		      /* a legal one, in a line of its own that is not quoted from anybody */
	uint8_t answer;		      /* first digit of the reply that the script has for it */
	uint32_t line, argument, end; /* end: behind the line feed */
	uint32_t length;	      /* of the argument */
	uint32_t answered;	      /* a command's: end of the reply to it, in the server's stream */
	uint16_t port;		      /* announced */
	char delimiter;
	uint64_t came;	  /* when its argument's first byte came to the router */
	bool mended;	  /* the address is neither; it stands for the server all the same */
	bool public_name; /* the address is as NAT shows it, not as the speaker has it */
	struct expectation expectation;
};

/* The application writes up to end when it has read so many lines. */
struct gate {
	uint32_t end;
	uint32_t lines;
	uint32_t delay;
};

struct script {
	uint8_t stream[2][STREAM_MAX];
	uint32_t length[2];
	uint32_t lines[2];
	uint32_t urgent[2][4]; /* ends of urgent data */
	unsigned int urgents[2];
	struct gate gate[2][GATES];
	unsigned int gates[2];
	struct promise promise[PROMISES];
	unsigned int promises;
	unsigned int exchanges;
	uint32_t close_lines[2]; /* lines after which a side closes */
	bool is_ftp;
	bool speaks[2];		    /* which side's first line is FTP */
	bool fast_open;		    /* the client's first bytes are in its SYN */
	bool opaque;		    /* AUTH TLS was accepted: all is said in records, and MUST_NOT */
	bool ccc;		    /* and CCC was accepted */
	bool left_tls;		    /* and then they went on in plain text (CCC) */
	uint32_t auth_end, proceed; /* offsets: behind the client's first AUTH, and where the server's 234 begins */
	uint32_t clear;		    /* and where its first 200 to CCC does */
	uint16_t next_port;
};

/* Whose packet it is. What is not HONEST is held against no stream. */
enum origin {
	HONEST,
	BLIND, /* a third party's, who knows the addresses and ports only */
	NEAR,  /* who knows the numbers, but not exactly */
	EXACT, /* who knows them exactly */
	STRAY, /* an honest end's answer to what the others have sent */
	LIE,   /* of an end itself */
};

struct packet {
	uint64_t due;
	uint32_t order;
	uint16_t length;
	uint8_t to;	/* enum side */
	bool at_router; /* its next stop */
	bool corrupt;
	bool unseen; /* passed the router without the daemon */
	bool disbelieved;
	uint8_t origin; /* enum origin */
	uint8_t bytes[PACKET_MAX];
};

/* A packet, taken apart. */
struct view {
	uint32_t seq, ack;
	uint16_t window, urgent, mss;
	uint8_t flags;
	uint8_t scale;
	bool scaled; /* the option is there */
	bool checksum_ok;
	uint8_t sacks;
	uint32_t sack[4][2];
	uint32_t tcp, options, payload, length; /* offsets; length of the payload */
	const uint8_t *data;
};

enum tcp_state { TCP_LISTEN, TCP_SYN_SENT, TCP_SYN_RECEIVED, TCP_OPEN, TCP_DEAD };

struct tcp {
	uint8_t side;
	uint8_t state;
	const struct habit *habit;
	uint32_t peer_iss;
	uint16_t peer_mss;
	uint32_t peer_window, peer_window_max;
	uint8_t peer_scale;
	/* writing */
	const uint8_t *out;
	uint32_t written, una, next, top, recover;
	unsigned int dupacks, timeouts, timeouts_row, losses_then;
	bool closed;
	bool restrained; /* since a timeout: one segment until it is acknowledged */
	uint64_t timer, interval;
	uint8_t sacked[STREAM_MAX];
	uint8_t cut[STREAM_MAX]; /* a segment has ended behind this byte */
	/* reading */
	uint32_t in_next, in_top, in_fin, acked_in;
	uint32_t lines;
	uint64_t ack_at;
	unsigned int unacked_segments;
	uint32_t dsack[2];
	bool have_dsack;
	bool urgent_seen[4];
	uint8_t in[STREAM_MAX];
	uint8_t have[STREAM_MAX];
	/* application */
	unsigned int at;
	uint64_t app_at, keepalive_at;
	unsigned int probes;
};

/* A rewrite, as the engine reported it. */
struct rewrite {
	uint32_t start, old_length, new_length;
};

struct note {
	enum report_kind kind;
	enum direction direction;
	uint32_t seq;
	uint16_t port;
	enum refusal refusal;
	uint32_t from_length, to_length;
	char from[128], to[128];
	struct expectation expectation;
};

/* What the checks know of a direction, index: the writer's side. */
struct wire {
	uint8_t expected[STREAM_MAX]; /* rewritten so far */
	uint32_t expected_length;
	struct rewrite rewrite[EDITS];
	unsigned int rewrites;
	uint32_t emitted;	/* receiver space: behind the last byte that left the router */
	uint32_t swallow_start; /* sender space: an argument's part that its sender must believe delivered, to go on */
	uint32_t swallowed;	/* its length, 0: none */
	uint32_t lent;		/* sender space: behind the last byte ever acknowledged in that way */
	uint32_t lent_end;	/* sender space: the end of the line it stands in */
	uint32_t engine_next;	/* sender space: what the engine has consumed */
	uint32_t engine_acked;	/* sender space: the highest acknowledgement the engine has seen */
	uint32_t engine_heard;	/* the same in receiver space, as the receiver wrote it */
	uint32_t vouched;	/* sender space: acknowledged in a forged segment, by who knows that it has been */
	uint32_t unread;	/* sender space: behind the last byte that has passed without being read */
	uint32_t told;		/* sender space: how far its writer had got, as he showed a daemon that did not know */
	uint16_t mss;		/* as the engine saw it; 0: it did not */
	bool fin_seen;		/* by the engine */
};

struct surroundings {
	struct conntrack conntrack;
	struct binding binding;
	struct endpoint inside[2];  /* as queued: client, server */
	struct endpoint outside[2]; /* as the other one sees them */
	struct expectation open[EXPECTATIONS];
	unsigned int count;
	unsigned int busy_answers, errors_given;
	bool renumbering; /* adjust_seq() has been called */
	bool misplaced;	  /* for a connection that a blind third party has invented */
	bool known;	  /* a SYN has left the router: conntrack has the connection in its table */
	bool shaken;	  /* and the handshake has come to it: conntrack is beyond it */
	bool marked;	  /* packets must not pass unseen: an edit is in flight, or the daemon renumbers */
};

#define NOBODY 2

/* What the adversary of this run is, and has done. */
struct adversary {
	uint64_t random; /* its own, so that the schedule is the same without it */
	bool present;
	uint8_t hostile; /* enum side, or NOBODY: third parties */
	uint8_t origins; /* of third parties: bits */
	bool web;	 /* a browser that was sent to a hostile server on port 21 */
	bool tracked;	 /* conntrack looks at windows */
	bool beforehand; /* a handshake is invented before there is a connection */
	unsigned int left, sent, lost;
	uint32_t invented[2]; /* initial numbers */
	uint64_t deaf_until;  /* the hostile end takes nothing */
	unsigned int opened;  /* of the hostile end's own ports */
	unsigned int asked;   /* commands in its lies that a server may answer with a port */
	bool ciphered;	      /* the honest end speaks TLS */
	bool cleared;	      /* and as a server has left it, since it was told to */
	uint16_t port[64];
};

struct options {
	uint64_t from, to;
	bool verbose;
	bool first_only;  /* stop at the first failure */
	bool every;	  /* print every failure */
	const char *skip; /* seeds not to run, with commas between them */
	bool small;	  /* small windows and segments, window scaling, hidden acknowledgements everywhere */
	bool adversary;
};

struct sim {
	uint64_t seed, random;
	bool verbose;
	bool small;
	struct adversary adversary;
	uint8_t at_hand; /* enum origin of the packet that the engine has */
	uint8_t judged;	 /* the same, while its reports are checked */
	struct schedule schedule;
	struct script script;
	struct tcp tcp[2];
	struct wire wire[2];
	struct surroundings around;
	/* network */
	uint64_t now;
	uint64_t last_due[4];
	uint32_t order;
	unsigned int under_way;
	uint16_t heap[PACKETS], free_list[PACKETS];
	unsigned int free_count;
	unsigned int lost;
	unsigned int
		unacceptable; /* segments that came too late for their receiver, and what they acknowledged with them */
	/* router */
	struct engine engine;
	uint32_t routed;
	uint64_t honest_at; /* when the last packet of the connection's own came to it */
	bool upset_armed, upset_done, away;
	bool reset_seen, resuming;
	bool shown; /* this daemon, or those whose table it has, has read the greeting and the client's first line */
	bool left_alone; /* it has said, and may, that the connection does not speak FTP: for good, whatever it takes up afterwards */
	bool passed_by; /* the packet at hand was not read, if it passes */
	bool took_up;	/* the packet at hand has made it take up a stream again */
	bool picked_up; /* in the middle, by the engine: windows may be of any scale to it */
	bool claimed; /* the packet at hand acknowledges what may have passed while nobody was there: it has to come again */
	bool invented;	      /* the engine's session is of a connection that a blind third party has played */
	bool reset_missed;    /* an end has reset that one, and nobody was there to see it */
	bool reset_overtaken; /* or in a number behind which the third party had gone on by then */
	bool followed;	      /* the engine had a session when the packet at hand came */
	bool superseded;      /* the connection is over, and an invented one has taken its place */
	bool misled; /* who knows the numbers could as well end the connection: he may make the helper useless to it */
	uint64_t resynced; /* how often the engine had taken up a stream before the packet at hand */
	uint64_t back_at;
	unsigned int kills, resyncs, restarts, resets;
	int kill_countdown; /* callbacks until the daemon dies; -1: it lives */
	unsigned int exempt_from,
		exempt_until; /* exchanges in which nothing must be opened, since the daemon was away */
	unsigned int cuts_waiting, cuts_space, cuts_hole, cuts_held;
	struct note note[NOTES];
	unsigned int notes;
	jmp_buf killed, over;
	char reason[512];
	struct packet packet[PACKETS];
};

/* main.c */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
/* Nothing moves any more. That is a failure, but not of those who talk to a liar: then the run is over. */
void sim_stuck(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
/* There is nothing more to see. */
void sim_over(struct sim *sim, const char *reason) __attribute__((noreturn));
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sim_text(const uint8_t *data, uint32_t length);

static inline uint32_t sim_random(struct sim *sim)
{
	uint64_t x = sim->random += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) >> 16);
}

/* 0 to n - 1 */
static inline uint32_t sim_pick(struct sim *sim, uint32_t n)
{
	return (uint32_t)(((uint64_t)sim_random(sim) * n) >> 32);
}

static inline bool sim_chance(struct sim *sim, uint32_t permille)
{
	return permille && sim_pick(sim, 1000) < permille;
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* schedule.c */
void schedule_draw(struct sim *sim);
void schedule_print(const struct sim *sim);

/* dialogue.c */
void dialogue_write(struct sim *sim);
uint32_t dialogue_format(struct sim *sim, const struct promise *promise, uint16_t port, char *text);

/* packet.c */
struct header {
	uint32_t seq, ack;
	uint16_t window, urgent, mss;
	uint8_t flags;
	uint8_t scale;
	bool sack_permitted, timestamps, scaled;
	uint32_t stamp;
	unsigned int sacks;
	uint32_t sack[4][2];
};

uint32_t packet_write(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		      const struct header *header, const uint8_t *data, uint32_t length);
void packet_view(const uint8_t *bytes, uint32_t length, struct view *view);
void packet_kernel_adjust(uint8_t *bytes, uint32_t length, const struct seqadj *mine, const struct seqadj *others);

/* tcp.c */
void tcp_start(struct sim *sim, enum side side);
void tcp_receive(struct sim *sim, struct tcp *tcp, const struct packet *packet);
uint64_t tcp_deadline(const struct tcp *tcp);
void tcp_timers(struct sim *sim, struct tcp *tcp);
void tcp_reset(struct sim *sim, struct tcp *tcp);
void tcp_refuse(struct sim *sim, struct tcp *tcp, const struct packet *packet);
bool tcp_finished(const struct sim *sim, const struct tcp *tcp);
uint32_t tcp_options_length(const struct sim *sim, const struct tcp *tcp, unsigned int *sacks);

/* network.c */
struct packet *network_packet(struct sim *sim);
void network_release(struct sim *sim, struct packet *packet);
void network_send(struct sim *sim, struct packet *packet, unsigned int leg);
void network_inject(struct sim *sim, struct packet *packet, uint32_t delay);
void network_drain(struct sim *sim);
void network_flush(struct sim *sim);
void network_run(struct sim *sim);

/* router.c */
void router_start(struct sim *sim);
void router_packet(struct sim *sim, struct packet *packet);
void router_timer(struct sim *sim);
void router_finish(struct sim *sim);
uint32_t router_maps_back(const struct sim *sim, enum side side, uint32_t ack);
bool router_misplaces(const struct sim *sim);
bool router_adjusts(const struct sim *sim, enum side from, const struct view *in);

/* judge.c */
enum judgement {
	REFUSES,  /* as if it had not come; it may be answered */
	HARMLESS, /* taken, and nothing changes */
	TAKES,	  /* something changes */
};

enum judgement judge_segment(const struct sim *sim, const struct tcp *tcp, const struct view *view);

/* adversary.c */
void adversary_draw(struct sim *sim, bool present);
bool adversary_chance(struct sim *sim, uint32_t permille);
uint32_t adversary_pick(struct sim *sim, uint32_t n);
const char *adversary_name(const struct sim *sim);
void adversary_begin(struct sim *sim);
void adversary_turn(struct sim *sim);
bool adversary_goes_too_far(struct sim *sim, const struct packet *packet);
void adversary_stray(struct sim *sim, const struct tcp *tcp, uint32_t seq, uint32_t ack, uint8_t flags);
bool adversary_is_invalid(const struct sim *sim, const struct packet *packet);
bool adversary_invented(uint16_t port);
bool adversary_alone(const struct sim *sim);
bool adversary_hears(struct sim *sim, const struct packet *packet);

static inline bool sim_hostile(const struct sim *sim)
{
	return sim->adversary.hostile != NOBODY;
}

/* check.c */
void check_forged(struct sim *sim, enum side from, const struct view *in, const struct view *out, bool unseen);
uint32_t check_forward(const struct wire *wire, uint32_t offset);
uint32_t check_displayed(const struct wire *wire, uint32_t offset);
void check_emission(struct sim *sim, enum side from, const struct view *in, const struct view *out,
		    const uint8_t *in_bytes, const uint8_t *out_bytes, bool unseen);
void check_trace_in(struct sim *sim, enum side from, const struct view *in);
void check_reset(struct sim *sim, enum side from, const struct view *in);
void check_dropped(struct sim *sim, enum side from, const struct view *in);
void check_bytes(struct sim *sim, enum side from, uint32_t offset, const uint8_t *data, uint32_t length,
		 const char *where);
void check_ack(struct sim *sim, const struct tcp *tcp, uint32_t ack);
void check_sack(struct sim *sim, const struct tcp *tcp, uint32_t left, uint32_t right);
void check_urgent(struct sim *sim, struct tcp *tcp, uint32_t position);
bool check_edit_unheard(const struct sim *sim, enum side by);
void check_swallowed(struct sim *sim);
void check_engine(struct sim *sim);
void check_end(struct sim *sim);

/* oracle.c */
void check_expectation(struct sim *sim, enum direction direction, const struct expectation *expectation);
void check_coming(struct sim *sim, enum side from, const struct view *in);
void check_note(struct sim *sim, const struct note *note);
void check_line(struct sim *sim, enum side reader, uint32_t offset);
void check_promises(struct sim *sim);
bool check_unknowable(const struct sim *sim);

#endif
