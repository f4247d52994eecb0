// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel module's scan against the engine. Two ends of a control connection talk through a bad network and a
 * router. There the scan decides about each segment, and two engines are at work:
 *
 *   shadow	is fed every segment that carries something, and one by which the module knows that its edit has arrived; it
 *		only watches;
 *   queued	is fed what the scan hands over, with its notes, and does the work.
 *
 * At the end both must have reported the same: each rewrite, expectation, refusal, and what was taken back. A segment
 * that passed must be one that the shadow would have let pass unchanged. And each end must have got what the other
 * wrote, with the rewrites: nothing more, and, where the connection came to its end, nothing less. Where an end lies
 * about what it has got, that last cannot be asked for; nor the first, once something has passed unseen (is_estranged()).
 *
 * In every other session the module is a third party (common/module.h): it deals with plain announcements by itself, which the queued engine
 * never sees. There both must come to the same rewrites and refusals; what the module edits leaves as the shadow would have it leave; what is
 * expected, by the module or by the queued engine, is expected by the shadow at any moment; and where nothing is under way, the other way round.
 *
 * SCAN_SEED=n: that session alone, told packet by packet. SCAN_FIRST=n: from that one on. SCAN_SEGMENTS=n: so many with payload.
 */
#include "unit.h"

#include "common/module.h"
#include "common/packet.h"
#include "core/session/passed.h"
#include "core/session/resume.h"
#include "core/session/session.h"

enum { CLIENT, SERVER };

#define STREAM_MAX	  32768
#define LOG_MAX		  16384
#define REWRITES_MAX	  128
#define SEGMENTS	  1000000 /* with payload */
#define SEGMENTS_VALGRIND 100000
#define TURNS		  20000 /* of a session, many more than it needs */
#define EXPECTED_MAX	  8

static bool verbose;
static bool fast; /* the module is a third party */

/* ---- chance ---- */

static uint64_t chance_state;

static uint32_t pick(uint32_t n)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

static bool one_in(uint32_t n)
{
	return n && pick(n) == 0;
}

/* ---- an engine with a conntrack that says yes, and writes down what is reported ---- */

/* Text in place of other text, by its place in what was written. */
struct rewrite {
	int direction;
	uint32_t seq, from_length, to_length;
	char to[ENDPOINT_TEXT_MAX];
};

/* A data connection that may come. */
struct expected {
	struct endpoint from, to, inside;
	int by; /* whose announcement it is */
};

struct set {
	struct expected expected[EXPECTED_MAX];
	unsigned int count;
};

struct side_engine {
	struct conntrack conntrack; /* first */
	struct engine engine;
	struct table_size size;
	void *memory;
	const struct binding *binding;
	struct seqadj adj[2];
	char log[LOG_MAX];
	size_t logged;
	struct rewrite rewrite[REWRITES_MAX];
	unsigned int rewrites;
	unsigned int refused;
	bool full; /* more announced than are kept at once, which is fewer where the module has some of them */
	struct set set;
	struct module *module; /* its expectations give way to an equal one of the engine's */
	const char *name;
};

static bool expected_equal(const struct expected *a, const struct expected *b)
{
	return endpoint_address_equal(&a->from, &b->from) && endpoint_equal(&a->to, &b->to) &&
	       endpoint_equal(&a->inside, &b->inside) && a->by == b->by;
}

static struct expected expected_of(const struct expectation *expectation)
{
	return (struct expected){ expectation->tuple.src, expectation->tuple.dst, expectation->nat_src,
				  !expectation->nat_direction };
}

/* Forget what comes from there to there. */
static void set_remove(struct set *set, const struct expected *expected)
{
	for (unsigned int i = set->count; i-- > 0;)
		if (endpoint_equal(&set->expected[i].to, &expected->to) &&
		    endpoint_address_equal(&set->expected[i].from, &expected->from))
			set->expected[i] = set->expected[--set->count];
}

static void set_add(struct set *set, const struct expected *expected)
{
	set_remove(set, expected);
	assert_true(set->count < EXPECTED_MAX);
	set->expected[set->count++] = *expected;
}

/* Is all that is in @a in @b, too? */
static bool set_within(const struct set *a, const struct set *b)
{
	for (unsigned int i = 0; i < a->count; i++) {
		unsigned int j = 0;

		while (j < b->count && !expected_equal(&a->expected[i], &b->expected[j]))
			j++;
		if (j == b->count)
			return false;
	}
	return true;
}

static int side_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		     enum direction *direction)
{
	const struct side_engine *side = (struct side_engine *)conntrack;

	(void)zone;
	*binding = *side->binding;
	for (int d = 0; d < 2; d++)
		binding->seqadj[d] = side->adj[d];
	*direction = endpoint_equal(&seen->src, &binding->tuple[0].src) ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
	return 0;
}

/* One port in eight is somebody else's. */
static bool is_taken(const struct tuple *expected)
{
	return expected->dst.port % 8 == 3;
}

static int side_expect(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation)
{
	struct side_engine *side = (struct side_engine *)conntrack;
	const struct expected expected = expected_of(expectation);

	(void)master;
	if (is_taken(&expectation->tuple))
		return -EBUSY;
	if (side->module)
		module_give_way(side->module, &expectation->tuple);
	set_add(&side->set, &expected);
	return 0;
}

static void side_unexpect(struct conntrack *conntrack, const struct binding *master,
			  const struct expectation *expectation)
{
	struct side_engine *side = (struct side_engine *)conntrack;
	const struct expected expected = expected_of(expectation);

	(void)master;
	set_remove(&side->set, &expected);
}

static int side_adjust(struct conntrack *conntrack, const struct binding *master, enum direction direction,
		       const struct seqadj *adjustment)
{
	struct side_engine *side = (struct side_engine *)conntrack;

	(void)master;
	side->adj[direction] = *adjustment;
	return SEQADJ_KERNEL;
}

static void note_rewrite(struct side_engine *side, const struct report *report)
{
	struct rewrite *rewrite = &side->rewrite[side->rewrites++];

	assert_true(side->rewrites <= REWRITES_MAX);
	*rewrite = (struct rewrite){ (int)report->direction, report->seq, report->from_length, report->to_length, "" };
	memcpy(rewrite->to, report->to, report->to_length);
}

static void side_report(void *context, const struct report *report)
{
	struct side_engine *side = context;
	int length;

	if (report->kind == REPORT_REWRITE)
		note_rewrite(side, report);
	side->refused += report->kind == REPORT_REFUSE;
	side->full = side->full || (report->kind == REPORT_REFUSE && report->refusal == REFUSED_LIMIT);
	if (fast && report->kind != REPORT_REFUSE && report->kind != REPORT_OPAQUE)
		return;

	if (report->kind == REPORT_BEGIN || report->kind == REPORT_END)
		return;
	length = snprintf(side->log + side->logged, LOG_MAX - side->logged, "%d %d %s [%.*s] [%.*s] %u %d\n",
			  (int)report->kind, (int)report->direction, report->command, (int)report->from_length,
			  report->from_length ? report->from : "", (int)report->to_length,
			  report->to_length ? report->to : "", report->port, (int)report->refusal);
	if (verbose)
		fprintf(stderr, "%s: %s", side->name, side->log + side->logged);
	side->logged += (size_t)length;
	assert_true(side->logged < LOG_MAX);
}

static void side_open(struct side_engine *side, const char *name, const struct binding *binding)
{
	static const struct conntrack_ops ops = {
		.find = side_find,
		.expect = side_expect,
		.unexpect = side_unexpect,
		.adjust_seq = side_adjust,
	};
	static const uint64_t seed[2] = { 5, 6 };
	const struct table_size size = { .sessions = 2, .works = 2, .budgets = 2 };

	if (!side->memory)
		side->memory = unit_alloc_lines(table_bytes(&size));
	memset(side->memory, 0, table_bytes(&size));
	side->size = size;
	side->conntrack.ops = &ops;
	side->binding = binding;
	side->name = name;
	side->logged = side->rewrites = side->refused = 0;
	side->full = false;
	side->set.count = 0;
	side->conntrack.noted = fast; /* it has room for several */
	side->log[0] = '\0';
	memset(side->adj, 0, sizeof(side->adj));
	memset(&side->engine, 0, sizeof(side->engine));
	side->engine.table = table_open(side->memory, &side->size, seed, NULL);
	assert_non_null(side->engine.table);
	side->engine.conntrack = &side->conntrack;
	side->engine.policy = policy_default;
	side->engine.report = side_report;
	side->engine.report_context = side;
	side->engine.random = 7;
}

/* ---- the two ends ---- */

struct end {
	uint8_t out[STREAM_MAX];       /* all it ever writes */
	uint32_t written, sent, acked; /* offsets in it */
	uint32_t reached;	       /* the highest that was sent: SND.NXT, which does not go back */
	uint32_t isn;
	uint8_t in[STREAM_MAX]; /* all it got */
	uint32_t got, read;
	uint32_t peer_isn;
	bool fin_sent, fin_got;
	uint32_t quiet; /* turns since something happened */
};

#define FLIGHT_MAX 16

struct flying {
	int from;
	struct packet packet;
};

struct world {
	struct end end[2];
	struct packet handshake[2]; /* SYN and SYN/ACK: they may come again */
	struct binding binding;
	struct endpoint at[2]; /* as seen where the packets are queued */
	struct side_engine shadow, queued;
	struct module module;
	bool excused; /* user space has refused something: the module has taken back more than the shadow */
	bool bare;    /* likewise: a PORT that announces nothing, which the module takes for one that does */
	struct flying flying[FLIGHT_MAX];
	unsigned int flights;
	uint64_t now;
	uint32_t loss, reorder, again, cutting, pipelining, interest, lies, oddity;
	uint8_t buffer[65536 + 256];
	uint8_t shadow_buffer[65536 + 256];
	/* the dialogue */
	unsigned int commands_left;
	int waiting; /* commands the client has sent that are not answered */
	int login;   /* what the client says first: USER, PASS, and then what it likes */
	bool deaf;   /* the server waits for TLS */
	bool tls, quit, reset;
	uint64_t seed, segments, payloads, passed, handed;
};

static struct world world;
static uint64_t total_segments, total_payloads, total_passed, total_handed, total_announced, total_edited, total_again,
	total_full, total_estranged;

static void write_text(struct end *end, const void *text, uint32_t length)
{
	if (end->written + length > STREAM_MAX)
		return;
	memcpy(end->out + end->written, text, length);
	end->written += length;
}

static void say(struct end *end, const char *text)
{
	write_text(end, text, (uint32_t)strlen(text));
}

/* A line of three parts. */
static void say_line(struct end *end, const char *head, const char *argument, const char *tail)
{
	say(end, head);
	say(end, argument);
	say(end, tail);
}

static const char *argument_text(enum notation notation, const struct endpoint *endpoint,
				 char text[ENDPOINT_TEXT_MAX + 1])
{
	int length = endpoint_write(notation, endpoint, '|', text, ENDPOINT_TEXT_MAX);

	if (length < 0) /* an IPv6 address has no such notation */
		length = sprintf(text, "10,0,0,2,%u,%u", endpoint->port / 256u, endpoint->port % 256u);
	text[length] = '\0';
	return text;
}

static void say_port(struct world *w)
{
	struct end *end = &w->end[CLIENT];
	struct endpoint whose = w->binding.tuple[0].src;
	char text[ENDPOINT_TEXT_MAX + 1];
	const bool v6 = whose.family == FAMILY_IPV6;

	whose.port = (uint16_t)(one_in(12) ? pick(1024) : 1024 + pick(60000));
	if (one_in(10))
		whose.address[3]++;
	if (one_in(40)) {
		say(end, "PORT\r\n");
		w->bare = true;
		return;
	}
	switch (pick(8)) {
	case 0:
		say_line(end, "EPRT ", argument_text(NOTATION_EXTENDED, &whose, text), "\r\n");
		break;
	case 1:
		say_line(end, "port  ", argument_text(NOTATION_HOST_PORT, &whose, text), "\r\n");
		break;
	case 2:
		say_line(end, "LPRT ", argument_text(NOTATION_LONG, &whose, text), "\r\n");
		break;
	case 3:
		argument_text(NOTATION_HOST_PORT, &whose, text);
		say_line(end, "PORT ", text, one_in(3) ? ",7\r\n" : one_in(3) ? " \r\n" : "\n");
		break;
	case 4: /* Telnet has no place there, but it has been seen */
		say_line(end, "\xff\xf1PO\xff\xfb\x03RT ", argument_text(NOTATION_HOST_PORT, &whose, text), "\r\n");
		break;
	default:
		say_line(end, v6 ? "EPRT " : "PORT ",
			 argument_text(v6 ? NOTATION_EXTENDED : NOTATION_HOST_PORT, &whose, text), "\r\n");
	}
}

/* What nobody writes who means well. */
static void say_odd(struct world *w)
{
	struct end *end = &w->end[CLIENT];
	char many[301];

	memset(many, '1', 300);
	many[300] = '\0';
	switch (pick(9)) {
	case 0:
		say_line(end, "SITE ", many, "\r\n");
		break;
	case 1:
		say_line(end, "PORT ", many, "\r\n");
		break;
	case 2:
		say_line(end, many + 300 - 1 - pick(200), "NOOPNOOP", "\r\n");
		break;
	case 3:
		say(end, "NOOP\rPORT 10,0,0,2,7,7\r\n");
		break;
	case 4:
		say(end, "\xff\xf1NOOP\xff\xf1\r\n\xff\xf1\r\n");
		break;
	case 5:
		say(end, "STAT \xff\nNOOP\r\n");
		break;
	case 6:
		say(end, "AUTH TLS\r\nPASV\r\n");
		break;
	case 7:
		write_text(end, "NOOP \0\r\0\nNOOP\r\n", 15);
		break;
	default:
		if (one_in(2))
			write_text(end, "NO\0OP\r\n", 7);
		else
			say(end, one_in(2) ? "X-odd line: x\r\n" : "*?\r\n");
	}
}

static void say_command(struct world *w)
{
	static const char *const plain[] = {
		"NOOP\r\n",
		"TYPE I\r\n",
		"PWD\r\n",
		"CWD /pub/PORT 1,2,3,4,5,6\r\n",
		"SIZE x\r\n",
		"FEAT\r\n",
		"RETR file\r\n",
		"LIST\r\n",
		"STOR f\r\n",
		"STAT\r\n",
		"noop\n",
		"SITE PORT 10,0,0,2,4,5\r\n",
		"XYZZY\r\n",
		"REST 0\r\n",
		"NOOP\r\nTYPE A\r\n",
		"MKD a\r\n",
	};
	struct end *end = &w->end[CLIENT];
	const uint32_t what = pick(w->interest);

	if (w->login < 2) {
		say(end, w->login++ ? "PASS secret\r\n" : "USER somebody\r\n");
		return;
	}

	if (what < 49)
		say(end, plain[pick(sizeof(plain) / sizeof(plain[0]))]);
	else if (what < 50)
		say_odd(w);
	else if (what < 70)
		say_port(w);
	else if (what < 76)
		say(end, "PASV\r\n");
	else if (what < 80)
		say(end, "EPSV\r\n");
	else if (what < 81)
		say(end, "\r\n");
	else if (what < 82)
		say(end, "\377\364\377\362ABOR\r\n");
	else if (what < 83)
		say(end, one_in(4) ? "AUTH TLS\r\n" : "LPSV\r\n");
	else if (what < 84 && one_in(8))
		say(end, "GET / HTTP/1.0\r\n");
	else
		say(end, what % 2 ? "RETR some/file\r\n" : "NOOP\r\n");
}

static bool begins(const uint8_t *line, uint32_t length, const char *word)
{
	uint32_t n = (uint32_t)strlen(word);

	if (length < n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if ((line[i] & ~0x20) != (uint8_t)word[i] && line[i] != (uint8_t)word[i])
			return false;
	return true;
}

/* The line's first bytes without Telnet. */
static uint32_t plain_text(const uint8_t *line, uint32_t length, uint8_t plain[16])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < length && n < 16; i++) {
		if (line[i] == 0xff && i + 1 < length)
			i += line[i + 1] >= 0xfb && line[i + 1] < 0xff ? 2 : 1;
		else
			plain[n++] = line[i];
	}
	return n;
}

static void say_passive(struct world *w, unsigned int code)
{
	struct end *end = &w->end[SERVER];
	struct endpoint server = w->binding.tuple[1].src;
	char text[ENDPOINT_TEXT_MAX + 1];

	server.port = (uint16_t)(1024 + pick(60000));
	if (one_in(30))
		say(end, code == 229 ? "229 none (here)\r\n" :
			 code == 228 ? "228 none\r\n" :
				       "227 no address here\r\n");
	else if (code == 229)
		say_line(end, "229 Entering Extended Passive Mode ",
			 argument_text(NOTATION_EXTENDED_PORT, &server, text), "\r\n");
	else if (code == 228)
		say_line(end, "228 Long (", argument_text(NOTATION_LONG, &server, text), ")\r\n");
	else if (one_in(4))
		say_line(end, "227-Mode (", argument_text(NOTATION_HOST_PORT, &server, text), ")\r\n227 end\r\n");
	else
		say_line(end, one_in(2) ? "227 Entering Passive Mode (" : "227-Passive\r\n227 Mode (",
			 argument_text(NOTATION_HOST_PORT, &server, text), one_in(2) ? ").\r\n" : ")\r\n");
}

static void say_reply(struct end *end)
{
	static const char *const fine[] = {
		"200 yes\r\n",
		"200 yes\r\n",
		"200 yes\r\n",
		"250-yes\r\n250 yes\r\n",
		"200 \r\n",
		"200\r\n",
		"\377\361200 yes\r\n",
		"250-a\r\n 250 b\r\n250-150 c\r\n2501\r\n\r\n250 d\r\n",
		"550 no (1,2,3,4,5,6)\r\n",
	};

	say(end, fine[pick(sizeof(fine) / sizeof(fine[0]))]);
}

/* What no server says that was written by the book: nothing, too much, an end that is none. */
static void say_oddly(struct end *end, const uint8_t *plain, uint32_t length)
{
	static const char *const odd[] = {
		"",
		"hello\r\n",
		"200 yes\r\n200 and again\r\n",
		"211 Extensions:\r\n EPSV\r\n211 End\r\n",
		"226 done\r\nbye\r\n",
		"226done\r\n200 yes\r\n",
		"425 no\r\n227 x (1,2,3,4,5,6)\r\n",
		"150 x\r\n",
		"250-x\r\n150 y\r\n250 z\r\n",
		"426 gone\r\n226 so be it\r\n",
	};

	if (begins(plain, length, "STOR") && one_in(2))
		say(end, "553-\r\n553- no\r\n150 but yes\r\n226 done\r\n");
	else
		say(end, odd[pick(sizeof(odd) / sizeof(odd[0]))]);
}

/* The server's answer to a line. */
static void answer(struct world *w, const uint8_t *line, uint32_t whole_length)
{
	struct end *end = &w->end[SERVER];
	uint8_t plain[16];
	const uint32_t length = plain_text(line, whole_length, plain);

	if ((length <= 2 && whole_length <= 4) || begins(plain, length, "PROXY "))
		return;
	if (one_in(w->oddity)) {
		say_oddly(end, plain, length);
		return;
	}
	if (begins(plain, length, "USER")) {
		say(end, one_in(8) ? "230 welcome\r\n" : "331 password\r\n");
	} else if (begins(plain, length, "PASS")) {
		say(end, one_in(8) ? "530 no\r\n" : "230-welcome\r\n to us\r\n230 in\r\n");
	} else if (begins(plain, length, "RETR") || begins(plain, length, "STOR") || begins(plain, length, "LIST")) {
		if (one_in(8)) {
			say(end, "425 no\r\n");
			return;
		}
		say(end, one_in(4) ? "125 go on\r\n" :
			 one_in(8) ? "150-here\r\n150 it comes\r\n" :
				     "150 here it comes\r\n");
		say(end, one_in(8) ? "226-done\r\n227 x (1,2,3,4,5,6)\r\n226 really\r\n" : "226 done\r\n");
	} else if (begins(plain, length, "PASV") || one_in(100)) {
		say_passive(w, 227);
	} else if (begins(plain, length, "EPSV")) {
		say_passive(w, 229);
	} else if (begins(plain, length, "LPSV")) {
		say_passive(w, one_in(2) ? 228 : 227);
	} else if (begins(plain, length, "AUTH")) {
		w->deaf = one_in(2);
		say(end, w->deaf ? "234 go on\r\n" : "534 no\r\n");
	} else if (begins(plain, length, "FEAT") || begins(plain, length, "STAT")) {
		say(end, "211-Features\r\n UTF8\r\n227 Entering Passive Mode (192,168,7,3,4,5)\r\n");
		say(end, one_in(2) ? " SIZE\r\n211-more\r\n211 End\r\n" : "211 End\r\n");
	} else if (begins(plain, length, "PORT") || begins(plain, length, "EPRT") || begins(plain, length, "LPRT")) {
		/* Not 3xx, which is no answer to these: the shadow would keep what the queued engine takes back. */
		say(end, one_in(6) ? "500 no\r\n" : "200 fine\r\n");
	} else if (one_in(400)) {
		say(end, one_in(2) ? "hello\r\n" : "000-hello\r\n");
	} else {
		say_reply(end);
		if (one_in(100)) /* once more than it was asked */
			say_reply(end);
	}
}

/* Take what has come, line by line; the client only counts final replies. */
static void read_lines(struct world *w, int who)
{
	struct end *end = &w->end[who];
	const uint8_t *line_feed;

	if (w->tls || (w->deaf && who == SERVER))
		return;
	while ((line_feed = memchr(end->in + end->read, '\n', end->got - end->read)) != NULL) {
		const uint8_t *line = end->in + end->read;
		const uint32_t length = (uint32_t)(line_feed - line) + 1;

		end->read += length;
		if (who == SERVER) {
			answer(w, line, length);
			if (w->deaf)
				return;
		} else if (begins(line, length, "234 GO ON")) {
			w->tls = true;
			return;
		} else if (length > 4 && line[3] == ' ' && line[0] >= '2' && line[0] <= '5') {
			w->waiting = 0;
		}
	}
}

/* ---- segments ---- */

static void make_segment(struct world *w, int who, uint32_t from, uint32_t length, uint8_t flags, struct packet *packet)
{
	struct packet_options options = { .tcp_length = 0 };
	static const uint8_t mss[4] = { 2, 4, 5, 0xb4 };
	struct end *end = &w->end[who];

	/* Of a handshake that passes the queued engine knows nothing, so there the ends do not say it. */
	if (flags & TCP_SYN && !fast) {
		options.tcp = mss;
		options.tcp_length = 4;
	}
	if (!(flags & TCP_SYN))
		end->reached = seq_max(end->reached, from + length);
	packet_make(packet, &w->at[who], &w->at[!who], end->isn + from + (flags & TCP_SYN ? 0 : 1),
		    flags & TCP_ACK ? end->peer_isn + 1 + end->got + end->fin_got : 0, flags, &options, end->out + from,
		    length);
}

/* Does it acknowledge what was never sent? */
static bool acks_ahead(const struct end *end, uint32_t ack)
{
	return seq_after(ack, end->isn + 1 + end->reached + end->fin_sent);
}

/*
 * A segment has come through to the other end: seq and ack are as that end sees them. A handshake that has come again says nothing to it (RFC 5961
 * section 4.2); an RST is lost on the way, and may have been anybody's: the ends go on. Of a segment that acknowledges what was never sent TCP takes
 * nothing (RFC 9293 section 3.10.7.4, fifth).
 */
static void arrive(struct world *w, int who, const uint8_t *bytes, uint32_t length)
{
	const uint32_t tcp = bytes[0] >> 4 == 4 ? 20 : 40, payload = tcp + (bytes[tcp + 12] >> 4) * 4u;
	struct end *end = &w->end[who];
	const uint32_t seq = packet_get32(bytes + tcp + 4), ack = packet_get32(bytes + tcp + 8);
	const uint8_t flags = bytes[tcp + 13];
	uint32_t offset, count = length - payload;

	if (flags & (TCP_SYN | TCP_RST))
		return;
	if (flags & TCP_ACK && acks_ahead(end, ack)) {
		if (!w->lies)
			fail_msg("SCAN_SEED=%llu: what was never sent is acknowledged", (unsigned long long)w->seed);
		return;
	}
	if (flags & TCP_ACK && seq_after(ack, end->isn + 1 + end->acked)) {
		uint32_t acked = ack - end->isn - 1;

		if (acked > end->written) /* the FIN */
			acked = end->written;
		end->acked = acked;
		if (end->sent < acked)
			end->sent = acked;
		end->quiet = 0;
	}
	offset = end->peer_isn + 1 + end->got - seq; /* bytes of it that are there already */
	if ((int32_t)offset < 0)
		return; /* out of order: forgotten */
	if (offset < count) {
		memcpy(end->in + end->got, bytes + payload + offset, count - offset);
		end->got += count - offset;
		assert_true(end->got < STREAM_MAX);
		offset = count;
		end->quiet = 0;
	}
	if (flags & TCP_FIN && offset == count)
		end->fin_got = true;
}

/* What the kernel does behind the queue. */
static void adjust(const struct seqadj adj[2], int from, struct packet *packet, const uint8_t *bytes, uint32_t length)
{
	memmove(packet->bytes, bytes, length);
	packet->length = length;
	packet_put32(packet->bytes + packet->tcp + 4,
		     seqadj_forward(&adj[from], packet_get32(packet->bytes + packet->tcp + 4)));
	packet_put32(packet->bytes + packet->tcp + 8,
		     seqadj_back(&adj[!from], packet_get32(packet->bytes + packet->tcp + 8)));
}

static enum verdict feed(struct side_engine *side, const struct packet *packet, uint64_t now,
			 const struct scan_note *note, struct packet *copy, struct output *output)
{
	struct arrival arrival;

	*copy = *packet;
	assert_int_equal(session_arrive(&side->engine, &arrival, copy->bytes, copy->length, false, 0), 0);
	if (note)
		passed_input(&side->engine, &arrival, now, note);
	output->packet = copy->bytes;
	output->length = copy->length;
	return session_input(&side->engine, &arrival, now, output);
}

/* What may come by the module's doing. */
static struct set module_set(const struct module *module)
{
	struct set set = { .count = 0 };

	for (unsigned int i = 0; i < module->opens; i++) {
		const struct module_open *open = &module->open[i];
		const struct expected expected = { open->expected.src, open->expected.dst, open->inside,
						   (int)open->by };

		set_add(&set, &expected);
	}
	return set;
}

/* From then on the shadow does without what the other two have room for. */
static bool is_full(const struct world *w)
{
	return fast && (w->shadow.full || w->queued.full);
}

/* After each packet. */
static void check_sets(struct world *w)
{
	struct set own = module_set(&w->module), shadow = w->shadow.set;

	if (is_full(w))
		return;
	if (!set_within(&own, &shadow) || !set_within(&w->queued.set, &shadow))
		fail_msg("SCAN_SEED=%llu: something is open that the shadow has not open", (unsigned long long)w->seed);
	for (unsigned int i = 0; i < w->queued.set.count; i++)
		set_add(&own, &w->queued.set.expected[i]);
	if (!shadow.count)
		w->excused = false;
	if (!set_within(&shadow, &own) && !w->excused && !w->bare && w->module.scan.mode == SCAN_FOLLOW &&
	    !w->module.scan.pending)
		fail_msg("SCAN_SEED=%llu: something is not open that the shadow has open", (unsigned long long)w->seed);
}

/* The module's text is what the shadow would have made of the segment. */
static void check_edited(const struct world *w, const struct packet *packet, enum verdict verdict,
			 const struct output *output)
{
	if (verdict != VERDICT_REPLACE || output->length != packet->length ||
	    memcmp(output->packet + packet->tcp + 4, packet->bytes + packet->tcp + 4, 4) != 0 ||
	    memcmp(output->packet + packet->payload, packet->bytes + packet->payload,
		   packet->length - packet->payload) != 0)
		fail_msg("SCAN_SEED=%llu: the shadow would have edited otherwise", (unsigned long long)w->seed);
}

static void note_edited(struct world *w)
{
	const struct plain_edit *edit = &w->module.plain.edit;
	struct report report = { .kind = REPORT_REWRITE,
				 .direction = (enum direction)edit->side,
				 .seq = edit->start,
				 .from_length = edit->old_length,
				 .to = edit->text,
				 .to_length = edit->new_length };

	note_rewrite(&w->queued, &report);
}

/* Of a segment that the module sends again nobody sees more than what is left of it. */
static void cut_packet(struct packet *packet, uint32_t length)
{
	if (length == packet->length)
		return;
	packet->length = length;
	if (packet->bytes[0] >> 4 == 4)
		packet_put16(packet->bytes + 2, length);
	else
		packet_put16(packet->bytes + 4, length - 40);
	packet_mend(packet);
}

/*
 * Has one of them taken bytes for such as have passed unseen? Where an end lies they may have: it acknowledges what it has not got, and the other goes
 * on behind that (RFC 9293 section 3.10.7.4, fifth), which neither engine has read where it came along with an acknowledgement of what was never sent.
 * When a stream is taken up behind them depends on what is seen of it (unseen.h), and the shadow sees more. Where nobody lies nothing is unseen.
 */
static bool is_estranged(const struct world *w)
{
	const bool estranged = w->shadow.engine.counters.resynced || w->queued.engine.counters.resynced;

	if (estranged && !w->lies)
		fail_msg("SCAN_SEED=%llu: something has passed unseen", (unsigned long long)w->seed);
	return estranged;
}

/* Both report the same, at once where the module announces nothing. */
static void check_logs(const struct world *w)
{
	if (is_full(w) || is_estranged(w) || strcmp(w->shadow.log, w->queued.log) == 0)
		return;
	fprintf(stderr, "the shadow reports\n%s\nthe queued\n%s", w->shadow.log, w->queued.log);
	fail_msg("SCAN_SEED=%llu", (unsigned long long)w->seed);
}

static void tell(const struct world *w, int from, const struct packet *packet, const char *fate)
{
	if (verbose)
		fprintf(stderr, "%llu %s %s seq %u ack %u flags %x [%.*s]\n", (unsigned long long)w->now,
			from ? "server" : "client", fate, packet_get32(packet->bytes + packet->tcp + 4),
			packet_get32(packet->bytes + packet->tcp + 8), packet->bytes[packet->tcp + 13],
			(int)(packet->length - packet->payload), packet->bytes + packet->payload);
}

/* Of the module's own, on its way. */
static bool has_edit(const struct module *module)
{
	return module->scan.side[0].edit || module->scan.side[1].edit;
}

static bool is_marked(const struct world *w)
{
	struct session *session;
	uint32_t at = 0;

	for (uint32_t i = 0; i < table_slots(w->queued.engine.table); i++) {
		session = table_walk(w->queued.engine.table, &at);
		if (session && session_in_flight(session))
			return true;
	}
	return false;
}

static void route(struct world *w, int from, struct packet *packet)
{
	static const char *const ways[] = { "passes", "edited", "again", "queued" };
	struct output output = { .buffer = w->buffer, .capacity = sizeof(w->buffer) };
	struct output shadow = { .buffer = w->shadow_buffer, .capacity = sizeof(w->shadow_buffer) };
	static struct packet copy, shadow_copy, came, last;
	const bool payload = packet->length > packet->payload;
	enum verdict verdict, expected = VERDICT_ACCEPT;
	struct scan_note note;
	const unsigned int refused = w->queued.refused;
	const size_t logged = w->shadow.logged + w->queued.logged;
	const bool had_edit = has_edit(&w->module);
	enum module_way way;

	w->now += 1 + pick(20);
	w->segments++;
	w->payloads += payload;
	came = *packet;
	way = module_input(&w->module, from == CLIENT ? DIRECTION_ORIGINAL : DIRECTION_REPLY, packet, is_marked(w),
			   one_in(3) ? 1 + pick(40) : UINT32_MAX);
	tell(w, from, &came, ways[way]);
	if (way == MODULE_AGAIN)
		cut_packet(&came, came.payload + w->module.left.kept);
	if (had_edit != has_edit(&w->module) || payload || came.bytes[came.tcp + 13] & (TCP_SYN | TCP_FIN | TCP_RST))
		expected = feed(&w->shadow, &came, w->now, NULL, &shadow_copy, &shadow);
	if (way == MODULE_EDITED) {
		check_edited(w, packet, expected, &shadow);
		note_edited(w);
	}
	if (way != MODULE_QUEUED) {
		w->passed += payload;
		if (payload && way == MODULE_PASSES && expected != VERDICT_ACCEPT)
			fail_msg("SCAN_SEED=%llu: a segment passes that the shadow does not accept",
				 (unsigned long long)w->seed);
		verdict = VERDICT_ACCEPT;
		output.packet = packet->bytes;
		output.length = packet->length;
	} else {
		const bool noted = scan_note(&w->module.scan, sizeof(w->module.scan), &note);

		memcpy(note.adj, w->queued.adj, sizeof(note.adj));
		w->handed += payload;
		verdict = feed(&w->queued, packet, w->now, noted ? &note : NULL, &copy, &output);
		if (verdict == VERDICT_ACCEPT) {
			output.packet = packet->bytes;
			output.length = packet->length;
		}
	}
	w->excused = w->excused || w->queued.refused != refused;
	if (fast)
		check_sets(w);
	else if (logged != w->shadow.logged + w->queued.logged)
		check_logs(w);
	if (verdict == VERDICT_DROP || one_in(w->loss))
		return;
	last = *packet;
	adjust(w->queued.adj, from, &last, output.packet, (uint32_t)output.length);
	last.payload = last.tcp + (last.bytes[last.tcp + 12] >> 4) * 4u;
	tell(w, from, &last, "  arrives");
	arrive(w, !from, last.bytes, last.length);
}

/* A liar acknowledges what he has not got, or not what he has. */
static void lie(struct packet *packet)
{
	uint8_t *ack = packet->bytes + packet->tcp + 8;

	packet_put32(ack, packet_get32(ack) + pick(81) - 40);
	packet_mend(packet);
}

/* Onto the network: there it may be lost, doubled, or stay for a while. */
static void launch(struct world *w, int from, struct packet *packet)
{
	if (w->lies && one_in(w->lies) && packet != &w->handshake[from])
		lie(packet);
	if (one_in(w->loss))
		return;
	for (int copies = one_in(w->loss * 2) ? 2 : 1; copies; copies--) {
		if (w->flights == FLIGHT_MAX)
			return;
		w->flying[w->flights].from = from;
		w->flying[w->flights++].packet = *packet;
	}
}

static void land(struct world *w)
{
	const unsigned int which = w->reorder && one_in(w->reorder) ? pick(w->flights) : 0;
	static struct flying flight;

	flight = w->flying[which];
	w->flights--;
	memmove(&w->flying[which], &w->flying[which + 1], (w->flights - which) * sizeof(w->flying[0]));
	route(w, flight.from, &flight.packet);
}

/* What is old comes again: a copy of the handshake, a byte to see if the other is there, other boundaries. */
static void send_again(struct world *w, int who)
{
	struct end *end = &w->end[who];
	static struct packet packet;

	if (one_in(4)) {
		launch(w, who, &w->handshake[who]);
	} else if (end->sent) {
		const uint32_t back = 1 + pick(end->sent < 60 ? end->sent : 60);
		const uint32_t most = end->written - end->sent + back;

		make_segment(w, who, end->sent - back, one_in(2) ? 1 : 1 + pick(most < 200 ? most : 200), TCP_ACK,
			     &packet);
		launch(w, who, &packet);
	}
}

static void send_text(struct world *w, int who, uint32_t length)
{
	struct end *end = &w->end[who];
	static struct packet packet;

	if (length > 1400)
		length = 1400;
	if (one_in(w->cutting))
		length = 1 + pick(length);
	make_segment(w, who, end->sent, length, TCP_ACK | TCP_PSH, &packet);
	if (one_in(200)) {
		packet.bytes[packet.tcp + 13] |= TCP_URG;
		packet_put16(packet.bytes + packet.tcp + 18, 1 + pick(length));
		packet_mend(&packet);
	}
	end->sent += length;
	launch(w, who, &packet);
}

static bool may_end(const struct world *w, int who)
{
	const struct end *end = &w->end[who];

	return w->quit && end->acked == end->written && (who == CLIENT || (end->fin_got && end->read == end->got));
}

static void send_something(struct world *w, int who)
{
	struct end *end = &w->end[who];
	static struct packet packet;

	if (++end->quiet > 12 && end->acked < end->written) { /* timeout: go back, cut otherwise */
		end->sent = end->acked;
		end->quiet = 0;
		w->now += 250;
	}
	if (w->again && one_in(w->again) && !w->quit)
		send_again(w, who);
	if (end->written != end->sent) {
		send_text(w, who, end->written - end->sent);
	} else if (one_in(3)) {
		make_segment(w, who, end->sent, 0, TCP_ACK, &packet);
		launch(w, who, &packet);
	} else if (may_end(w, who) && one_in(4)) {
		w->reset = who == CLIENT && !end->fin_sent && one_in(4);
		make_segment(w, who, end->sent, 0, TCP_ACK | (w->reset ? TCP_RST : TCP_FIN), &packet);
		end->fin_sent = true;
		launch(w, who, &packet);
	}
}

/* ---- a session ---- */

/* The client and the server as they are, and as each shows itself to the other where it is translated. */
static void place(struct world *w)
{
	static const struct endpoint places[2][4] = {
		{ { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 },
		  { .family = FAMILY_IPV4, .address = { 192, 168, 7, 3 }, .port = 21 },
		  { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 }, .port = 40000 },
		  { .family = FAMILY_IPV4, .address = { 203, 0, 113, 80 }, .port = 21 } },
		{ { .family = FAMILY_IPV6, .address = { 0xfd, 1, [15] = 2 }, .port = 40000 },
		  { .family = FAMILY_IPV6, .address = { 0xfd, 7, [15] = 3 }, .port = 21 },
		  { .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8, 1, [15] = 0xfe }, .port = 40000 },
		  { .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8, [15] = 0x80 }, .port = 21 } },
	};
	const uint32_t nat = pick(4);
	const struct endpoint *at = places[one_in(4)];

	w->at[CLIENT] = at[0];
	w->at[SERVER] = at[1];
	w->binding = (struct binding){
		.tuple[DIRECTION_ORIGINAL] = { at[0], at[nat & 2 ? 3 : 1] },
		.tuple[DIRECTION_REPLY] = { at[1], at[nat & 1 ? 2 : 0] },
	};
}

/* It arrives, whatever the network is like. */
static void shake_hands(struct world *w)
{
	const uint32_t loss = w->loss;
	struct packet packet;

	w->loss = 0;
	make_segment(w, CLIENT, 0, 0, TCP_SYN, &w->handshake[CLIENT]);
	make_segment(w, SERVER, 0, 0, TCP_SYN | TCP_ACK, &w->handshake[SERVER]);
	for (int i = 0; i < 2; i++) {
		packet = w->handshake[i];
		route(w, i, &packet);
	}
	w->loss = loss;
}

/* What a liar acknowledges the shadow takes otherwise than the engine, which has not seen all of it. */
static void open_router(struct world *w)
{
	fast = !w->lies && one_in(2);
	side_open(&w->shadow, "shadow", &w->binding);
	side_open(&w->queued, "queued", &w->binding);
	w->module = (struct module){ .adj = w->queued.adj, .fast = fast, .is_taken = is_taken };
	memcpy(w->module.connection.tuple, w->binding.tuple, sizeof(w->binding.tuple));
	w->module.connection.adjustable = true;
	w->module.connection.port_min = PLAIN_PORT_MIN;
	w->queued.module = &w->module;
	w->excused = w->bare = false;
}

static void open_world(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		struct end *end = &w->end[i];

		end->written = end->sent = end->reached = end->acked = end->got = end->read = end->quiet = 0;
		end->fin_sent = end->fin_got = false;
		end->isn = one_in(4) ? 0xffffff00u + pick(512) : pick(UINT32_MAX);
	}
	for (int i = 0; i < 2; i++)
		w->end[i].peer_isn = w->end[!i].isn;
	place(w);
	w->lies = one_in(12) ? 10 + pick(100) : 0;
	open_router(w);
	w->flights = 0;
	w->loss = one_in(2) ? 0 : 6 + pick(100);
	w->reorder = one_in(2) ? 0 : 2 + pick(20);
	w->again = one_in(2) ? 0 : 10 + pick(200);
	w->cutting = one_in(2) ? 0 : 1 + pick(20);
	w->pipelining = one_in(3) ? 1 + pick(30) : 0;
	w->interest = one_in(2) ? 100 : 100 * (1 + pick(10));
	w->commands_left = 10 + pick(100);
	w->login = one_in(20) ? 2 : 0;
	w->oddity = one_in(2) ? 0 : 5 + pick(50);
	w->waiting = 0;
	w->tls = w->deaf = w->quit = w->reset = false;
	w->now = 100000;
	w->segments = w->payloads = w->passed = w->handed = 0;

	shake_hands(w);
	if (one_in(60))
		say(&w->end[SERVER], one_in(2) ? "SSH-2.0-x\r\n" : "200 what\r\n");
	else if (one_in(60))
		say(&w->end[SERVER], "421 busy\r\n");
	else
		say(&w->end[SERVER], one_in(4) ? "220-hello\r\n227 not yet (1,2,3,4,5,6)\r\n220 ready\r\n" :
				     one_in(8) ? "120 soon\r\n220 now\r\n" :
						 "220 ready\r\n");
	if (one_in(20))
		say(&w->end[CLIENT], one_in(2) ? "PROXY TCP4 192.0.2.9 203.0.113.5 56079 21\r\n" : "PROXY UNKNOWN\r\n");
	if (one_in(60))
		say(&w->end[CLIENT], one_in(2) ? "GET / HTTP/1.0\r\n\r\n" : "\x16\x03\x01");
	w->waiting = 1;
}

/* What the client says next. */
static void talk(struct world *w)
{
	struct end *client = &w->end[CLIENT];

	if (w->tls) {
		uint8_t noise[200];
		const uint32_t length = 1 + pick(sizeof(noise));
		const int who = (int)pick(2);

		for (uint32_t i = 0; i < length; i++)
			noise[i] = (uint8_t)pick(256);
		if (w->commands_left && one_in(6) && w->end[who].acked == w->end[who].written) {
			w->commands_left--;
			write_text(&w->end[who], noise, length);
		}
		return;
	}
	if (w->waiting && !one_in(w->pipelining) && client->quiet < 40)
		return;
	if (!w->commands_left) {
		w->quit = true;
		return;
	}
	w->commands_left--;
	w->waiting = 1;
	client->quiet = 0;
	say_command(w);
}

static bool settled(const struct world *w)
{
	for (int i = 0; i < 2; i++)
		if (w->end[i].acked != w->end[i].written || w->end[i].read != w->end[i].got)
			return false;
	return true;
}

/* Return: whether it came to its end in peace: not where nobody listened any more, or somebody lied. */
static bool session(struct world *w, uint64_t seed)
{
	uint32_t turn, turns;

	chance_state = w->seed = seed;
	open_world(w);
	turns = w->lies ? TURNS / 10 : TURNS;
	for (turn = 0; turn < turns && !(w->quit && w->flights == 0 && settled(w) && w->end[0].fin_sent); turn++) {
		if ((w->tls || w->deaf) && !w->commands_left)
			break;
		talk(w);
		for (int i = 0; i < 2; i++)
			if (one_in(2))
				send_something(w, i);
		if (w->flights && !one_in(3))
			land(w);
		read_lines(w, CLIENT);
		read_lines(w, SERVER);
		w->now += 10;
	}
	if (turn == turns && !w->lies)
		fail_msg("SCAN_SEED=%llu does not come to its end", (unsigned long long)seed);
	total_segments += w->segments;
	total_payloads += w->payloads;
	total_passed += w->passed;
	total_handed += w->handed;
	total_announced += w->module.announced;
	total_edited += w->module.edited;
	total_again += w->module.again;
	return w->quit && !w->deaf && !w->tls && !w->lies;
}

/* Each end got what the other wrote, with the rewrites; @whole: all of it. */
static void check_stream(const struct world *w, int from, bool whole)
{
	const struct end *writer = &w->end[from], *reader = &w->end[!from];
	static uint8_t expected[2 * STREAM_MAX];
	uint32_t length = 0, at = 0;

	for (unsigned int i = 0; i < w->queued.rewrites; i++) {
		const struct rewrite *rewrite = &w->queued.rewrite[i];
		const uint32_t place = rewrite->seq - writer->isn - 1;

		if (rewrite->direction != from)
			continue;
		assert_true(place >= at && place + rewrite->from_length <= writer->written);
		memcpy(expected + length, writer->out + at, place - at);
		length += place - at;
		memcpy(expected + length, rewrite->to, rewrite->to_length);
		length += rewrite->to_length;
		at = place + rewrite->from_length;
	}
	memcpy(expected + length, writer->out + at, writer->written - at);
	length += writer->written - at;
	if (reader->got > length || (whole && reader->got < length))
		fail_msg("SCAN_SEED=%llu: %u bytes of %u have arrived", (unsigned long long)w->seed, reader->got,
			 length);
	if (memcmp(reader->in, expected, reader->got) != 0)
		fail_msg("SCAN_SEED=%llu: what has arrived is not what was written", (unsigned long long)w->seed);
}

/* By the module or by the queued engine, whoever was there: all that the shadow would have made, and nothing else. */
static void check_rewrites(const struct world *w)
{
	bool same = w->shadow.rewrites == w->queued.rewrites;

	for (unsigned int i = 0; same && i < w->shadow.rewrites; i++)
		same = memcmp(&w->shadow.rewrite[i], &w->queued.rewrite[i], sizeof(w->shadow.rewrite[i])) == 0;
	if (!same)
		fail_msg("SCAN_SEED=%llu: %u rewrites, the shadow made %u", (unsigned long long)w->seed,
			 w->queued.rewrites, w->shadow.rewrites);
}

static uint64_t asked_for(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_shadow(void **state)
{
	const char *only = getenv("SCAN_SEED");
	const uint64_t wanted = asked_for("SCAN_SEGMENTS", RUNNING_ON_VALGRIND ? SEGMENTS_VALGRIND : SEGMENTS);
	uint64_t seed = asked_for(only ? "SCAN_SEED" : "SCAN_FIRST", 1);

	(void)state;
	verbose = only;
	do {
		const bool whole = session(&world, seed);

		total_full += is_full(&world);
		total_estranged += is_estranged(&world);
		check_logs(&world);
		if (!is_full(&world) && !is_estranged(&world))
			check_rewrites(&world);
		for (int who = 0; who < 2 && !world.lies; who++)
			check_stream(&world, who, whole);
		seed++;
	} while (total_payloads < wanted && !only);
	print_message("%llu segments, %llu with payload: %llu passed, %llu handed over; %llu sessions\n",
		      (unsigned long long)total_segments, (unsigned long long)total_payloads,
		      (unsigned long long)total_passed, (unsigned long long)total_handed, (unsigned long long)seed - 1);
	print_message("by the module: %llu announced, %llu edited, %llu sent again; %llu sessions announced too much\n",
		      (unsigned long long)total_announced, (unsigned long long)total_edited,
		      (unsigned long long)total_again, (unsigned long long)total_full);
	print_message("by liars: %llu sessions in which something passed unseen\n",
		      (unsigned long long)total_estranged);
	assert_true(only || total_passed * 4 > total_payloads);
	assert_true(only || (total_announced && total_edited && total_again));
}

/* ---- what passed may be lost behind the router ---- */

struct exchange {
	struct world *world;
	uint64_t now;
	uint32_t next[2];
};

/* A segment from @from, of the byte @seq on, with a note or without, comes to the queue. */
static enum verdict queue(const struct exchange *exchange, int from, uint32_t seq, const char *text, uint8_t flags,
			  const struct scan_note *note)
{
	struct world *w = exchange->world;
	struct output output = { .buffer = w->buffer, .capacity = sizeof(w->buffer) };
	static struct packet packet, copy;

	packet_make(&packet, &w->at[from], &w->at[!from], seq, exchange->next[!from], flags, NULL, text,
		    (uint32_t)strlen(text));
	return feed(&w->queued, &packet, exchange->now, note, &copy, &output);
}

static enum verdict queue_next(struct exchange *exchange, int from, const char *text)
{
	const enum verdict verdict = queue(exchange, from, exchange->next[from], text, TCP_ACK | TCP_PSH, NULL);

	exchange->next[from] += (uint32_t)strlen(text);
	return verdict;
}

/* A greeting, and a client behind NAT. */
static void begin_exchange(struct exchange *exchange)
{
	struct world *w = &world;

	*exchange = (struct exchange){ w, 100000, { 1001, 5001 } };
	verbose = false;
	w->at[CLIENT] = (struct endpoint){ .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 };
	w->at[SERVER] = (struct endpoint){ .family = FAMILY_IPV4, .address = { 192, 168, 7, 3 }, .port = 21 };
	w->binding =
		(struct binding){ .tuple = { { w->at[CLIENT], w->at[SERVER] }, { w->at[SERVER], w->at[CLIENT] } } };
	w->binding.tuple[DIRECTION_REPLY].dst.address[0] = 198;
	side_open(&w->queued, "queued", &w->binding);
	assert_int_equal(queue(exchange, CLIENT, 1000, "", TCP_SYN, NULL), VERDICT_ACCEPT);
	assert_int_equal(queue(exchange, SERVER, 5000, "", TCP_SYN | TCP_ACK, NULL), VERDICT_ACCEPT);
	assert_int_equal(queue_next(exchange, SERVER, "220 ready\r\n"), VERDICT_ACCEPT);
}

static void test_lost_behind(void **state)
{
	struct exchange exchange;
	struct scan_note note = { .pairing.before[0] = 1 };
	uint32_t passed;

	(void)state;
	begin_exchange(&exchange);
	assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"), VERDICT_REPLACE);
	exchange.next[CLIENT] += 1; /* as the server sees it: 198 is one byte more */
	assert_int_equal(queue_next(&exchange, SERVER, "200 fine\r\n"), VERDICT_ACCEPT);
	exchange.next[CLIENT] -= 1;

	/* NOOP passes, and is lost; the server repeats his reply; the client goes on. */
	passed = exchange.next[CLIENT];
	note.next[SERVER] = exchange.next[SERVER];
	note.next[CLIENT] = passed + 6;
	exchange.next[CLIENT] += 1;
	assert_int_equal(queue(&exchange, SERVER, note.next[SERVER] - 10, "200 fine\r\n", TCP_ACK, &note),
			 VERDICT_ACCEPT);
	note.next[CLIENT] = passed + 14;
	note.pairing.before[0] = 2;
	assert_int_equal(queue(&exchange, CLIENT, passed, "NOOP\r\nTYPE I\r\n", TCP_ACK, &note), VERDICT_ACCEPT);
}

/* What passes shows that all before it was acknowledged: an edit in flight has arrived, and another may follow. */
static void test_arrived(void **state)
{
	struct exchange exchange;
	struct scan_note note = { .opaque = false };

	(void)state;
	begin_exchange(&exchange);
	assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"), VERDICT_REPLACE);
	exchange.next[SERVER] += 10; /* 200, which nobody was there to see */
	for (int side = 0; side < 2; side++)
		note.next[side] = exchange.next[side];
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "PORT 10,0,0,2,11,186\r\n", TCP_ACK, &note),
			 VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 2);
}

/* The module has edited "PORT 10,0,0,2,11,185" by itself, behind what the queued engine has seen. */
static struct scan_note note_by_module(struct exchange *exchange)
{
	struct scan_note note = { .pairing = { .classes = PAIRING_IDLE, .count = 1 } };
	struct seqadj *adj = &exchange->world->queued.adj[CLIENT];

	*adj = (struct seqadj){ .pos = exchange->next[CLIENT] + 5, .after = 1 };
	exchange->next[CLIENT] += 22;
	note.next[CLIENT] = exchange->next[CLIENT];
	note.next[SERVER] = exchange->next[SERVER];
	note.edit[CLIENT] = true;
	note.adj[CLIENT] = *adj;
	return note;
}

/* While it is on its way the engine edits nothing there, but what precedes it goes on; then it edits behind it. */
static void test_edit_of_the_module(void **state)
{
	struct exchange exchange;
	struct scan_note note;
	uint32_t line;

	(void)state;
	begin_exchange(&exchange);
	line = exchange.next[CLIENT];
	note = note_by_module(&exchange);
	assert_int_equal(queue(&exchange, CLIENT, line, "PORT ", TCP_ACK, &note), VERDICT_ACCEPT);
	assert_int_equal(queue(&exchange, CLIENT, line + 20, "\r\n", TCP_ACK, &note), VERDICT_ACCEPT);
	assert_int_equal(queue(&exchange, CLIENT, line + 22, "PORT 10,0,0,2,11,186\r\n", TCP_ACK, &note),
			 VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 0);
	note.edit[CLIENT] = false;
	exchange.now += 300;
	assert_int_equal(queue(&exchange, CLIENT, line + 22, "PORT 10,0,0,2,11,186\r\n", TCP_ACK, &note),
			 VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 1);
	assert_int_equal(world.queued.adj[CLIENT].pos, line + 22 + 5);
	assert_int_equal(world.queued.adj[CLIENT].before, 1);
	assert_int_equal(world.queued.adj[CLIENT].after, 2);
}

/* Once it has arrived, what it replaced does not go again as it was; a note from before an edit of our own moves nothing back. */
static void test_edit_has_arrived(void **state)
{
	struct exchange exchange;
	struct scan_note note, earlier;
	uint32_t line;

	(void)state;
	begin_exchange(&exchange);
	line = exchange.next[CLIENT];
	note = note_by_module(&exchange);
	note.edit[CLIENT] = false;
	earlier = note;
	assert_int_equal(queue(&exchange, CLIENT, line, "PORT ", TCP_ACK, &note), VERDICT_REPLACE);
	assert_int_equal(queue(&exchange, CLIENT, line + 22, "PORT 10,0,0,2,11,186\r\n", TCP_ACK, &note),
			 VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 1);
	exchange.next[CLIENT] = line + 44 + 2; /* as the server sees it */
	assert_int_equal(queue(&exchange, SERVER, exchange.next[SERVER], "200 a\r\n200 b\r\n", TCP_ACK, &earlier),
			 VERDICT_ACCEPT);
	exchange.next[SERVER] += 14;
	assert_int_equal(queue(&exchange, CLIENT, line + 44, "PORT 10,0,0,2,11,188\r\n", TCP_ACK, &earlier),
			 VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 2);
	assert_int_equal(world.queued.adj[CLIENT].before, 2);
	assert_int_equal(world.queued.adj[CLIENT].after, 3);
}

/* A session that the module has dealt with alone so far, and how far it had come. */
static struct scan_note early_note(struct exchange *exchange, bool greeted, uint8_t exchanged)
{
	struct scan_note note = { .single = true, .early = true, .greeted = greeted, .exchanged = exchanged };

	begin_exchange(exchange);
	side_open(&world.queued, "queued", &world.binding);
	for (int side = 0; side < 2; side++)
		note.next[side] = exchange->next[side];
	return note;
}

/* Before the greeting nothing opens; the greeting is read then. */
static void test_early_ungreeted(void **state)
{
	struct exchange exchange;
	struct scan_note note = early_note(&exchange, false, EXCHANGED_NOTHING);

	(void)state;
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "PORT 10,0,0,2,11,185\r\n", TCP_ACK, &note),
			 VERDICT_ACCEPT);
	assert_int_equal(world.queued.rewrites, 0);
	note = early_note(&exchange, false, EXCHANGED_NOTHING);
	assert_int_equal(queue(&exchange, SERVER, note.next[SERVER], "220-hi\r\n220 hi\r\n", TCP_ACK, &note),
			 VERDICT_ACCEPT);
	exchange.next[SERVER] += 16;
	assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"), VERDICT_REPLACE);
}

/* Greeted, and not trusted yet: a word that is none of FTP's settles it. The first line in pieces, however, is edited at once. */
static void test_early_greeted(void **state)
{
	struct exchange exchange;
	struct scan_note note = early_note(&exchange, true, EXCHANGED_ONE);

	(void)state;
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "XYZZY\r\n", TCP_ACK, &note), VERDICT_ACCEPT);
	exchange.next[CLIENT] += 7;
	assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"), VERDICT_ACCEPT);
	assert_int_equal(world.queued.rewrites, 0);
	note = early_note(&exchange, true, EXCHANGED_NOTHING);
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "POR", TCP_ACK, &note), VERDICT_ACCEPT);
	exchange.next[CLIENT] += 3;
	assert_int_equal(queue_next(&exchange, CLIENT, "T 10,0,0,2,11,185\r\n"), VERDICT_REPLACE);
	assert_int_equal(world.queued.rewrites, 1);
}

/* A load balancer's header is the engine's to read, unless one has passed: another is no line of FTP's. */
static void test_early_header(void **state)
{
	(void)state;
	for (int passed = 0; passed < 2; passed++) {
		struct exchange exchange;
		struct scan_note note = early_note(&exchange, true, EXCHANGED_NOTHING);

		note.spoken = passed;
		assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "PROXY UNKNOWN\r\n", TCP_ACK, &note),
				 VERDICT_ACCEPT);
		exchange.next[CLIENT] += 15;
		assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"),
				 passed ? VERDICT_ACCEPT : VERDICT_REPLACE);
	}
}

/* The answer to PASS comes in pieces: the exchange that trust takes is complete. */
static void test_early_login(void **state)
{
	struct exchange exchange;
	struct scan_note note = early_note(&exchange, true, EXCHANGED_SENT);

	(void)state;
	note.pairing = (struct pairing){ .classes = PAIRING_LOGIN, .count = 1 };
	assert_int_equal(queue(&exchange, SERVER, note.next[SERVER], "230-hi\r\n", TCP_ACK, &note), VERDICT_ACCEPT);
	exchange.next[SERVER] += 8;
	assert_int_equal(queue_next(&exchange, SERVER, "230 in\r\n"), VERDICT_ACCEPT);
	assert_int_equal(queue_next(&exchange, CLIENT, "XYZZY\r\n"), VERDICT_ACCEPT);
	assert_int_equal(queue_next(&exchange, CLIENT, "PORT 10,0,0,2,11,185\r\n"), VERDICT_REPLACE);
}

/* The first packet that is handed over is out of step: what there is before it has been seen to pass. */
static void test_early_whole(void **state)
{
	struct exchange exchange;
	struct scan_note note = early_note(&exchange, true, EXCHANGED_NOTHING);

	(void)state;
	note.whole = true;
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "PORT 10,0,0,2,11,185\r\n", TCP_ACK, &note),
			 VERDICT_REPLACE);
	note = early_note(&exchange, true, EXCHANGED_NOTHING);
	note.whole = true;
	note.single = false;
	assert_int_equal(queue(&exchange, CLIENT, note.next[CLIENT], "PORT 10,0,0,2,11,185\r\n", TCP_ACK, &note),
			 VERDICT_ACCEPT);
}

/* The daemon dies, and another takes over its table. */
static void restart(struct exchange *exchange)
{
	static const uint64_t seed[2] = { 5, 6 };
	struct side_engine *side = &exchange->world->queued;
	uint32_t recovered;

	side->engine.table = table_open(side->memory, &side->size, seed, &recovered);
	assert_non_null(side->engine.table);
	assert_int_equal(recovered, 1);
}

/* While nobody was there a PORT bypassed the queue, perhaps: sent again it must not be changed before its sender shows,
 * twice, that he knows of nothing behind "PORT " that has arrived. */
static void test_bypassed(void **state)
{
	struct exchange exchange;
	struct scan_note note = { .opaque = false };
	uint32_t port;

	(void)state;
	begin_exchange(&exchange);
	restart(&exchange);
	port = exchange.next[CLIENT] + 6; /* NOOP and its reply passed, when there was a daemon */
	exchange.next[SERVER] += 8;
	note.next[CLIENT] = port;
	note.next[SERVER] = exchange.next[SERVER];
	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t from = i ? 5 : 0;

		assert_int_equal(
			queue(&exchange, CLIENT, port + from, &"PORT 10,0,0,2,11,185\r\n"[from], TCP_ACK, &note),
			VERDICT_REPLACE);
		assert_int_equal(world.queued.rewrites, i < 3 ? 0 : 1);
		exchange.now += 200u << i;
	}
}

/* A sender that repeats the whole line for ever shows nothing: it passes as it is, and opens nothing. */
static void test_bypassed_for_good(void **state)
{
	struct exchange exchange;
	enum verdict verdict = VERDICT_DROP;
	uint32_t port;

	(void)state;
	begin_exchange(&exchange);
	restart(&exchange);
	port = exchange.next[CLIENT];
	for (uint32_t i = 0; i < 6; i++) {
		verdict = queue(&exchange, CLIENT, port, "PORT 10,0,0,2,11,185\r\n", TCP_ACK, NULL);
		exchange.now += 300u << i;
	}
	assert_int_equal(verdict, VERDICT_ACCEPT);
	assert_int_equal(world.queued.rewrites, 0);
	assert_int_equal(world.queued.engine.counters.refusals[REFUSED_STALE], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_behind),	   cmocka_unit_test(test_arrived),
		cmocka_unit_test(test_edit_of_the_module), cmocka_unit_test(test_edit_has_arrived),
		cmocka_unit_test(test_early_ungreeted),	   cmocka_unit_test(test_early_greeted),
		cmocka_unit_test(test_early_header),	   cmocka_unit_test(test_early_login),
		cmocka_unit_test(test_early_whole),	   cmocka_unit_test(test_bypassed),
		cmocka_unit_test(test_bypassed_for_good),  cmocka_unit_test(test_shadow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
