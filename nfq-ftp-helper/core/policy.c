// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * An announcement (PORT, EPRT, LPRT from the client; 227, 229, 228 from the server) is judged when its line is whole:
 * judge() applies the rules, then seek() finds the connection and checks whose address it is, then open_port() expects the
 * data connection, and edit_text() prepares the new text where NAT calls for one. Each step either goes on or names the reason
 * for refusing; a refused announcement passes unchanged and opens nothing (invariants I4, I5).
 */
#include "announcement.h"
#include "dialogue.h"
#include "edit.h"
#include "share.h"

#define ANSWER_PATIENCE 1000	/* milliseconds */

static const struct {
	const char *name;
	const char *text;
} refusals[REFUSALS] = {
	[REFUSED_NOT] = { "", "" },
	[REFUSED_NO_GREETING] = { "no-greeting", "the server has not greeted with 220 yet" },
	[REFUSED_NO_EXCHANGE] = { "no-exchange", "the connection was picked up in the middle and no command with its "
						 "reply has been seen yet" },
	[REFUSED_NOT_FTP] = { "not-ftp", "the connection does not speak FTP" },
	[REFUSED_MALFORMED] = { "malformed", "the argument is not a legal address and port" },
	[REFUSED_TOO_LONG] = { "too-long", "the line is longer than a legal one" },
	[REFUSED_STALLED] = { "stalled", "the client sends a part of the argument and waits for its acknowledgement" },
	[REFUSED_STALE] = { "stale", "it may have passed unchanged while no daemon was there" },
	[REFUSED_ADDRESS] = { "address", "the address is a third party's" },
	[REFUSED_PORT] = { "port", "the port is below the lowest that may be announced" },
	[REFUSED_UNASKED] = { "unasked", "the reply answers no such command" },
	[REFUSED_PIPELINE] = { "pipeline", "too many commands are outstanding" },
	[REFUSED_UNKNOWN] = { "unknown", "conntrack does not know the control connection" },
	[REFUSED_NO_PORT] = { "no-port", "no port is free for the data connection" },
	[REFUSED_LIMIT] = { "limit", "the client announces more than its limit" },
	[REFUSED_SHARE] = { "share", "the client has its share of the busy sessions or of the expectations" },
	[REFUSED_MEMORY] = { "memory", "no memory is left for another busy session" },
	[REFUSED_SPACE] = { "space", "the new text does not fit into a segment" },
	[REFUSED_CONNTRACK] = { "conntrack", "conntrack refused the expectation" },
};

const char *refusal_text(enum refusal refusal)
{
	return refusals[refusal].text;
}

const char *refusal_name(enum refusal refusal)
{
	return refusals[refusal].name;
}

const struct policy policy_default = {
	.loose = false,
	.min_port = 1024,
	.port_low = 49152,	/* RFC 6335: the dynamic ports */
	.port_high = 65535,
	.port_tries = 16,
	.idle_timeout = 5 * 24 * 3600,	/* as conntrack's own for an established connection */
	.client_sessions = 16384,
	.client_rate = 5000,
	.client_tries = 1000,	/* of some 10 microseconds each */
};

/* An announcement under examination: what the steps below hand to each other. */
struct candidate {
	const struct ftp_line *line;
	const struct ftp_word *word;
	const struct announced *announced;
	struct work *work;
	struct endpoint endpoint;	/* announced */
	uint32_t offset;		/* of the argument in the text */
	uint32_t length;		/* of the argument */
	char delimiter;
	bool must_edit;			/* the address changes */
	struct expectation expectation;
	char text[ENDPOINT_TEXT_MAX];	/* of the new argument */
	uint32_t text_length;
	int error;
};

static void refuse(struct turn *turn, const struct candidate *candidate, enum refusal refusal)
{
	struct report refused = { .kind = REPORT_REFUSE,
				  .command = candidate->word->text,
				  .port = candidate->endpoint.port,
				  .refusal = refusal,
				  .error = candidate->error };

	if (candidate->length) {
		refused.from = candidate->announced->text + candidate->offset;
		refused.from_length = candidate->length;
	} else if (candidate->announced) {
		refused.from = candidate->announced->text;
		refused.from_length = candidate->announced->length;
	}
	turn->engine->counters.refusals[refusal]++;
	dialogue_announced(turn, candidate->line, FTP_OTHER);
	turn_report(turn, &refused);
}

void policy_refuse(struct turn *turn, const struct ftp_line *line, enum refusal refusal)
{
	const struct candidate candidate = { .line = line, .word = ftp_line_word(line, turn_side(turn->direction)) };

	if (turn->direction == DIRECTION_REPLY || dialogue_command_seen(turn, candidate.word))
		refuse(turn, &candidate, refusal);
}

/* Is the dialogue at a point where this announcement can stand? */
static enum refusal judge_dialogue(const struct turn *turn, const struct ftp_word *word)
{
	struct session *session = turn->session;
	const bool reply = turn->direction == DIRECTION_REPLY;
	const bool asked = reply && dialogue_answers(session, (enum ftp_kind)word->kind);

	if (session->state < SESSION_MIDDLE)
		return REFUSED_NO_GREETING;
	if (session->state != SESSION_READY)
		return REFUSED_NO_EXCHANGE;
	if (reply)
		return asked ? REFUSED_NOT : REFUSED_UNASKED;
	return session->outstanding < COMMANDS_MAX ? REFUSED_NOT : REFUSED_PIPELINE;
}

/* A command's argument is the whole rest of its line; a reply's stands somewhere in prose. */
static bool read_argument(const struct turn *turn, struct candidate *candidate, const char *text, uint32_t length)
{
	size_t argument_length;
	int at;

	if (turn->direction == DIRECTION_REPLY) {
		at = endpoint_find(candidate->word->notation, text, length, &candidate->endpoint,
				   &candidate->delimiter, &argument_length);
		if (at < 0)
			return false;
		candidate->offset = (uint32_t)at;
		candidate->length = (uint32_t)argument_length;
		return true;
	}
	at = endpoint_parse(candidate->word->notation, text, length, &candidate->endpoint, &candidate->delimiter);
	if (at < 0)
		return false;
	for (uint32_t i = (uint32_t)at; i < length; i++)
		if (text[i] != ' ' && text[i] != '\r')
			return false;
	candidate->length = (uint32_t)at;
	return true;
}

static bool within_rate(struct turn *turn, enum rate rate)
{
	return share_spend(turn->engine, turn->session, rate, turn->now);
}

static enum refusal judge(struct turn *turn, struct candidate *candidate)
{
	const enum refusal refusal = judge_dialogue(turn, candidate->word);
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (refusal != REFUSED_NOT)
		return refusal;
	if (!read_argument(turn, candidate, candidate->announced->text, candidate->announced->length))
		return REFUSED_MALFORMED;
	/* Where the connection is still to be looked up, that is what is paid for. */
	return !work || !work->bound || within_rate(turn, RATE_ANNOUNCEMENTS) ? REFUSED_NOT : REFUSED_LIMIT;
}

struct work *policy_bind(struct turn *turn, enum refusal *refusal)
{
	struct engine *engine = turn->engine;
	struct work *work = share_work(engine, turn->session, refusal);
	enum direction direction;
	struct tuple seen;

	if (!work || work->bound)
		return work;
	*refusal = REFUSED_LIMIT;
	if (!within_rate(turn, RATE_ANNOUNCEMENTS))
		return NULL;
	flow_ends(&turn->session->key, &seen.src, &seen.dst);
	*refusal = REFUSED_UNKNOWN;
	if (engine->conntrack->ops->find(engine->conntrack, &seen, turn->session->key.zone, &work->binding, &direction) ||
	    direction != DIRECTION_ORIGINAL)
		return NULL;
	work->bound = 1;
	return work;
}

bool policy_may_edit(const struct turn *turn, const struct ftp_line *line, const struct work *work)
{
	if (judge_dialogue(turn, ftp_line_word(line, turn_side(turn->direction))) != REFUSED_NOT)
		return false;
	return !endpoint_address_equal(&work->binding.tuple[turn->direction].src,
				       &work->binding.tuple[turn_other(turn->direction)].dst);
}

/* Find the connection, check the address, and say what is to be expected. */
static enum refusal seek(struct turn *turn, struct candidate *candidate)
{
	struct engine *engine = turn->engine;
	struct expectation *expectation = &candidate->expectation;
	const struct tuple *me, *peer;
	enum refusal refusal;
	struct work *work = policy_bind(turn, &refusal);
	bool third_party;

	candidate->work = work;
	if (!work)
		return refusal;
	me = &work->binding.tuple[turn->direction];
	peer = &work->binding.tuple[turn_other(turn->direction)];
	if (candidate->endpoint.family == 0) {	/* 229 names a port only */
		const uint16_t port = candidate->endpoint.port;

		candidate->endpoint = me->src;
		candidate->endpoint.port = port;
		third_party = false;
	} else {
		third_party = !endpoint_address_equal(&candidate->endpoint, &me->src) &&
			      !endpoint_address_equal(&candidate->endpoint, &peer->dst);
	}
	if (third_party && (!engine->policy.loose || candidate->endpoint.family != me->src.family))
		return REFUSED_ADDRESS;
	if (candidate->endpoint.port < engine->policy.min_port)
		return REFUSED_PORT;

	expectation->translated = binding_translated(&work->binding);
	expectation->nat_direction = turn_other(turn->direction);
	expectation->nat_src = third_party ? candidate->endpoint : me->src;
	expectation->nat_src.port = candidate->endpoint.port;
	expectation->tuple.src = peer->src;
	expectation->tuple.src.port = 0;
	expectation->tuple.dst = third_party && !expectation->translated ? candidate->endpoint : peer->dst;
	expectation->tuple.dst.port = candidate->endpoint.port;
	candidate->must_edit = candidate->word->notation != NOTATION_EXTENDED_PORT &&
			       !endpoint_address_equal(&candidate->endpoint, &expectation->tuple.dst);
	return REFUSED_NOT;
}

/*
 * Has the server still to answer an earlier announcement of the client's? Then that one's data connection is still to come, and
 * a helper with room for one expectation would lose it to this one. It is worth a short wait.
 */
static bool answer_is_due(const struct turn *turn, const struct candidate *candidate)
{
	const struct work *work = candidate->work;

	if (turn->direction == DIRECTION_REPLY || candidate->announced->fixed ||
	    candidate->announced->waited >= ANSWER_PATIENCE || edit_swallowed(edit_in_flight(turn)))
		return false;
	for (uint32_t i = 0; i < work->announcements; i++)
		if (!work->announcement[i].answered)
			return true;
	return false;
}

/* The longest that the new argument can become; negative as endpoint_write(). */
static int widest_argument(const struct candidate *candidate)
{
	struct endpoint widest = candidate->expectation.tuple.dst;
	char text[ENDPOINT_TEXT_MAX];

	widest.port = 65535;	/* also the longest in two octets: 255,255 */
	return endpoint_write(candidate->word->notation, &widest, candidate->delimiter, text, sizeof(text));
}

/* A swallowed part, which its sender does not send again, leaves with what follows in one piece or as it came. */
static enum refusal room_for_owed(const struct turn *turn, const struct candidate *candidate)
{
	const struct edit *edit = edit_in_flight(turn);
	const int argument = widest_argument(candidate);

	if (argument < 0 || edit_owed_length(edit, candidate->offset, candidate->length, (uint32_t)argument) >
				    candidate->announced->space_alone)
		return REFUSED_SPACE;
	return REFUSED_NOT;
}

/* May the text be edited in this segment? Where it may in another, @wait says so. */
static enum refusal room_for_edit(const struct turn *turn, const struct candidate *candidate, bool *wait)
{
	const struct announced *announced = candidate->announced;
	int length;

	if (announced->fixed)
		return REFUSED_NO_PORT;
	if (edit_swallowed(edit_in_flight(turn)))
		return room_for_owed(turn, candidate);
	if (announced->stale && announced->hopeless)
		return REFUSED_STALE;
	*wait = edit_in_flight(turn) || announced->stale;
	if (*wait)
		return REFUSED_NOT;
	if (candidate->offset + ENDPOINT_TEXT_MAX <= announced->space)
		return REFUSED_NOT;
	length = widest_argument(candidate);
	if (length < 0 || candidate->offset + (uint32_t)length > announced->space_alone)
		return REFUSED_SPACE;
	*wait = candidate->offset + (uint32_t)length > announced->space;
	return REFUSED_NOT;
}

static uint64_t random_next(struct engine *engine)
{
	uint64_t z = engine->random += 0x9e3779b97f4a7c15;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/*
 * A walk through the configured range, each port once: from a random one on, in steps of a random width that has no factor in
 * common with the range's. Which port it is an attacker need not be kept from knowing: only the peer may connect to it.
 */
struct walk {
	uint32_t ports;
	uint32_t at;
	uint32_t step;
};

static uint32_t common_factor(uint32_t a, uint32_t b)
{
	while (b) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static struct walk walk_begin(struct engine *engine)
{
	struct walk walk = { .ports = (uint32_t)(engine->policy.port_high - engine->policy.port_low) + 1 };

	walk.at = (uint32_t)(random_next(engine) % walk.ports);
	walk.step = (uint32_t)(random_next(engine) % walk.ports) + 1;
	while (common_factor(walk.step, walk.ports) != 1)
		walk.step++;
	return walk;
}

static uint16_t walk_next(struct walk *walk, const struct policy *policy)
{
	walk->at = (walk->at + walk->step) % walk->ports;
	return (uint16_t)(policy->port_low + walk->at);
}

/* The announced port, where another connection does not expect it already. -EBUSY then. */
static int expect_port(struct turn *turn, struct candidate *candidate, uint16_t port)
{
	struct conntrack *conntrack = turn->engine->conntrack;

	candidate->expectation.tuple.dst.port = port;
	if (port != candidate->endpoint.port)
		candidate->expectation.translated = true;
	return conntrack->ops->expect(conntrack, &candidate->work->binding, &candidate->expectation);
}

/*
 * The announced port is taken: another one. Each is a request to conntrack, so there are few, and they are charged to the client; of a
 * small range each is tried once.
 */
static enum refusal open_another(struct turn *turn, struct candidate *candidate)
{
	const struct policy *policy = &turn->engine->policy;
	struct walk walk = walk_begin(turn->engine);

	for (uint32_t tries = 0; tries < policy->port_tries && tries < walk.ports; tries++) {
		const uint16_t port = walk_next(&walk, policy);

		if (port == candidate->endpoint.port)
			continue;
		if (!within_rate(turn, RATE_TRIES))
			return REFUSED_LIMIT;
		candidate->error = expect_port(turn, candidate, port);
		if (candidate->error != -EBUSY)
			return candidate->error ? REFUSED_CONNTRACK : REFUSED_NOT;
	}
	return REFUSED_NO_PORT;
}

static enum refusal open_port(struct turn *turn, struct candidate *candidate, bool *wait)
{
	enum refusal refusal = REFUSED_NOT;

	*wait = answer_is_due(turn, candidate);
	if (!*wait && candidate->must_edit)
		refusal = room_for_edit(turn, candidate, wait);
	if (*wait || refusal != REFUSED_NOT)
		return refusal;
	if (candidate->work->announcements == ANNOUNCEMENTS_MAX)
		return REFUSED_LIMIT;
	if (!announcement_room(turn))
		return REFUSED_SHARE;
	candidate->error = expect_port(turn, candidate, candidate->endpoint.port);
	if (candidate->error == 0)
		return REFUSED_NOT;
	if (candidate->error != -EBUSY)
		return REFUSED_CONNTRACK;
	if (!candidate->must_edit)
		refusal = room_for_edit(turn, candidate, wait);
	if (*wait || refusal != REFUSED_NOT)
		return refusal;
	return open_another(turn, candidate);
}

/* The text changes. */
static int edit_text(struct turn *turn, struct candidate *candidate)
{
	const int length = endpoint_write(candidate->word->notation, &candidate->expectation.tuple.dst,
					  candidate->delimiter, candidate->text, sizeof(candidate->text));
	int error;

	if (length < 0)
		return length;
	candidate->text_length = (uint32_t)length;
	error = edit_replace(turn, candidate->announced, candidate->offset, candidate->length, candidate->text,
			     candidate->text_length);
	if (!error)
		turn->engine->counters.edits++;
	return error;
}

static void report_announcement(struct turn *turn, const struct candidate *candidate, bool edited)
{
	struct report told = { .kind = REPORT_EXPECT,
			       .command = candidate->word->text,
			       .from = candidate->announced->text + candidate->offset,
			       .from_length = candidate->length,
			       .expectation = &candidate->expectation,
			       .port = candidate->endpoint.port,
			       .seq = candidate->announced->seq + candidate->offset,
			       .adj = turn->session->stream[turn->direction].adj };

	turn_report(turn, &told);
	if (!edited)
		return;
	told.kind = REPORT_REWRITE;
	told.to = candidate->text;
	told.to_length = candidate->text_length;
	turn_report(turn, &told);
}

bool policy_judge(struct turn *turn, const struct ftp_line *line, const struct announced *announced)
{
	struct engine *engine = turn->engine;
	struct candidate candidate = { .line = line,
				       .word = ftp_line_word(line, turn_side(turn->direction)),
				       .announced = announced };
	bool wait = false;
	enum refusal refusal;
	bool edited = false;

	if (turn->direction == DIRECTION_ORIGINAL && !dialogue_command_seen(turn, candidate.word))
		return true;
	refusal = judge(turn, &candidate);
	if (refusal == REFUSED_NOT)
		refusal = seek(turn, &candidate);
	if (refusal == REFUSED_NOT)
		refusal = open_port(turn, &candidate, &wait);
	if (wait)
		return false;
	if (refusal != REFUSED_NOT) {
		refuse(turn, &candidate, refusal);
		return true;
	}
	if (candidate.must_edit || candidate.expectation.tuple.dst.port != candidate.endpoint.port) {
		candidate.error = edit_text(turn, &candidate);
		if (candidate.error) {
			engine->conntrack->ops->unexpect(engine->conntrack, &candidate.work->binding,
							 &candidate.expectation);
			refuse(turn, &candidate, REFUSED_CONNTRACK);
			return true;
		}
		edited = true;
	}
	dialogue_announced(turn, line, (enum ftp_kind)candidate.word->kind);
	announcement_add(turn, (enum ftp_kind)candidate.word->kind, &candidate.expectation);
	engine->counters.expectations++;
	report_announcement(turn, &candidate, edited);
	return true;
}
