// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle of what may and what must be opened and rewritten: the script's promises against what the engine asks of
 * conntrack and reports. Sections 4 (I4) and 6 of the design.
 */
#include "sim.h"

#include <stdio.h>
#include <strings.h>

#define WHO(side) ((side) == CLIENT ? "client" : "server")

/*
 * A connection that somebody has invented is told from the real one by its ends' resets alone: each is sent once (RFC 9293 section 3.5.2), what
 * else they say may be left out (RFC 5961 section 7), and the rest a third party can play. So where they came while nobody was there, or were old
 * to their receiver, the engine cannot know, as long as it follows that one, that its place is another's; nor is the other's end that one's.
 */
bool check_unknowable(const struct sim *sim)
{
	return sim->invented && (sim->reset_missed || sim->reset_overtaken);
}

static bool exempted(const struct sim *sim, const struct promise *promise)
{
	return sim->left_alone || check_unknowable(sim) ||
	       (promise->exchange >= sim->exempt_from && promise->exchange <= sim->exempt_until);
}

/* Does the line, be it the content of a TLS record, end with this? */
static bool ends_with(const struct tcp *tcp, uint32_t end, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);

	return end >= length && strncasecmp((const char *)tcp->in + end - length, text, length) == 0;
}

/*
 * The script goes on by the number of lines that have been read, whatever they say. Where one end is hostile, what makes the other speak
 * TLS is what it has read in fact: a client, 234 after its AUTH; a server, AUTH before its 234. So does what makes a server leave it: CCC, be it
 * that the script had it say its 200 for some line before. What such a server still said in TLS would stand in records, and not as a line.
 */
static void note_cipher(struct sim *sim, enum side reader, uint32_t offset)
{
	const struct script *script = &sim->script;
	const struct tcp *tcp = &sim->tcp[reader];
	uint32_t start = offset;

	if (!script->auth_end || reader == sim->adversary.hostile)
		return;
	while (start && tcp->in[start - 1] != '\n')
		start--;
	if (reader == CLIENT)
		sim->adversary.ciphered |=
			tcp->top >= script->auth_end && strncmp((const char *)tcp->in + start, "234", 3) == 0;
	else
		sim->adversary.ciphered |=
			tcp->written <= script->proceed && strncasecmp((const char *)tcp->in + start, "AUTH", 4) == 0;
	sim->adversary.cleared |=
		reader == SERVER && sim->adversary.ciphered && script->clear && ends_with(tcp, offset + 1, "CCC\r\n");
}

/* A line has been read: what it announces must have been opened by then. */
void check_line(struct sim *sim, enum side reader, uint32_t offset)
{
	enum side from = (enum side) !reader;

	if (sim_hostile(sim)) { /* he may well have spoilt it */
		note_cipher(sim, reader, offset);
		return;
	}
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		const struct promise *promise = &sim->script.promise[i];

		if (promise->by != from || promise->opens != MUST || promise->opened || promise->excused ||
		    check_forward(&sim->wire[from], promise->end) != offset + 1)
			continue;
		if (!exempted(sim, promise))
			sim_fail(sim, "the announcement at byte %u of the %s has opened nothing%s", promise->argument,
				 WHO(from), promise->refused ? " (refused)" : "");
	}
}

/* Commands in what the client has sent that a server may answer with a port. */
static unsigned int asked(const struct sim *sim)
{
	static const char *const commands[] = { "PASV\r\n", "EPSV\r\n", "LPSV\r\n" };
	const uint8_t *text = sim->script.stream[CLIENT];
	unsigned int count = sim->adversary.hostile == CLIENT ? sim->adversary.asked : 0;

	for (uint32_t at = 0; at + 6 <= sim->tcp[CLIENT].top; at++)
		for (unsigned int i = 0; i < 3; i++)
			count += strncasecmp((const char *)text + at, commands[i], 6) == 0;
	return count;
}

/*
 * What an honest end says to a hostile one, in the clear and in a line of its own, it has announced, whatever the script has it
 * follow: a client that was not told to speak TLS, a server whose every reply comes for a line of the client's, whatever was in that.
 */
static bool has_said_so(const struct sim *sim, const struct promise *promise)
{
	const bool is_ftp = sim->script.is_ftp || sim->adversary.hostile == CLIENT; /* his lies may be */
	/* A server that has read AUTH speaks TLS behind its 234, and not before it; nor behind the CCC that it has read. */
	const bool clear = promise->end <= sim->script.proceed || (!promise->in_tls && sim->adversary.cleared);
	const bool ciphered = sim->adversary.ciphered && (promise->by == CLIENT || !clear);
	unsigned int opened = 0;

	if (!sim_hostile(sim) || !promise->whole || !is_ftp || ciphered)
		return false;
	for (unsigned int i = 0; i < sim->script.promises; i++)
		opened += sim->script.promise[i].by == SERVER && sim->script.promise[i].opened &&
			  &sim->script.promise[i] != promise; /* it opens again, where the daemon was killed */
	return promise->by == CLIENT || opened < asked(sim);
}

/* A daemon that was away cannot know that TLS or something else than FTP is spoken. */
static bool may_open(const struct sim *sim, const struct promise *promise)
{
	bool forgot = sim->schedule.upset >= UPSET_FRESH && sim->upset_done;

	return promise->opens != MUST_NOT || (promise->hidden && forgot) || has_said_so(sim, promise);
}

static struct promise *promise_by_port(struct sim *sim, enum side by, uint16_t port)
{
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		struct promise *promise = &sim->script.promise[i];

		if (promise->by == by && promise->port == port && may_open(sim, promise))
			return promise;
	}
	return NULL;
}

/* A hostile end may open its own ports, as every end may, if the other one speaks FTP; a server only if it was asked. */
static void check_own(struct sim *sim, uint16_t port)
{
	struct adversary *adversary = &sim->adversary;

	for (unsigned int i = 0; i < adversary->opened; i++)
		if (adversary->port[i] == port)
			return;
	if (adversary->opened < sizeof(adversary->port) / sizeof(adversary->port[0]))
		adversary->port[adversary->opened++] = port;
	if (port < sim->engine.policy.min_port)
		sim_fail(sim, "I4: port %u is opened", port);
	if (!sim->script.speaks[!adversary->hostile])
		sim_fail(sim, "I4: port %u is opened by a hostile %s of one that does not speak FTP", port,
			 WHO((enum side)adversary->hostile));
	if (adversary->hostile == SERVER && adversary->opened > asked(sim) && !sim->kills)
		sim_fail(sim, "I4: port %u is opened by a hostile server; it was asked %u times and has opened %u",
			 port, asked(sim), adversary->opened);
}

/* Section 6 of the design. */
void check_expectation(struct sim *sim, enum direction direction, const struct expectation *expectation)
{
	const struct surroundings *around = &sim->around;
	const struct tuple *me = &around->binding.tuple[direction], *peer = &around->binding.tuple[!direction];
	const struct policy *policy = &sim->engine.policy;
	uint16_t announced = expectation->nat_src.port, port = expectation->tuple.dst.port;
	const bool own = sim->adversary.hostile == (enum side)direction;
	struct promise *promise = own ? NULL : promise_by_port(sim, (enum side)direction, announced);

	if (own)
		check_own(sim, announced);
	else if (!promise && !(sim->at_hand == BLIND && adversary_alone(sim)))
		sim_fail(sim, "I4: port %u is opened for the %s, which nothing it said allows", announced,
			 WHO((enum side)direction));
	if (!endpoint_address_equal(&expectation->tuple.src, &peer->src) ||
	    !endpoint_address_equal(&expectation->tuple.dst, &peer->dst))
		sim_fail(sim, "the expectation's addresses are wrong");
	if (!endpoint_address_equal(&expectation->nat_src, &me->src))
		sim_fail(sim, "the expectation's NAT address is wrong");
	if (!expectation->translated && (binding_translated(&around->binding) || port != announced))
		sim_fail(sim, "the expectation is not translated");
	if (port != announced && (!around->busy_answers || port < policy->port_low || port > policy->port_high))
		sim_fail(sim, "port %u is opened for the announced %u", port, announced);
	if (!promise)
		return;
	promise->expectation = *expectation;
	promise->opened |= sim_hostile(sim); /* his reports are not looked at */
}

/* What is quoted may go on behind the argument, but not with another digit of its last number. */
static bool text_is(const struct sim *sim, const struct promise *promise, const struct note *note)
{
	if (note->from_length > promise->length && note->from[promise->length] >= '0' &&
	    note->from[promise->length] <= '9')
		return false;
	return note->from_length >= promise->length && note->direction == (enum direction)promise->by &&
	       memcmp(sim->script.stream[promise->by] + promise->argument, note->from, promise->length) == 0;
}

/* The report does not quote the argument: it is the one that the engine is reading. */
static bool in_hand(const struct sim *sim, const struct promise *promise, const struct note *note)
{
	uint32_t next = sim->wire[note->direction].engine_next;

	if (next == UINT32_MAX)
		next = sim->tcp[promise->by].una;
	return note->direction == (enum direction)promise->by && next >= promise->line && next < promise->end;
}

/*
 * A held part that comes again is swallowed. It is given up where that cannot be: in a segment that it does not fit, soon; while an earlier edit
 * has not been acknowledged, conntrack fails, or it may have passed while nobody was there, when it has come six times, well apart. And in any
 * case after five minutes.
 */
static bool has_stalled(const struct sim *sim, const struct promise *promise)
{
	const uint64_t waited = sim->now - promise->came, apart = SECOND / 4;

	if (sim->wire[promise->by].mss < promise->length + 40 + 1)
		return waited >= 3 * apart;
	if (check_edit_unheard(sim, promise->by) || sim->around.errors_given || sim->restarts)
		return waited >= 6 * apart;
	return waited >= 300 * (uint64_t)SECOND;
}

/* Is there a reason, outside of the engine, to refuse what should be opened? */
static bool may_refuse(const struct sim *sim, const struct promise *promise, enum refusal refusal)
{
	uint32_t mss = sim->wire[promise->by].mss;

	switch (refusal) {
	case REFUSED_NO_PORT:
		/* Without NAT a split argument passes while it is read: too late to change its port. */
		return sim->around.busy_answers >= sim->engine.policy.port_tries ||
		       (sim->around.busy_answers &&
			endpoint_address_equal(&sim->around.inside[promise->by], &sim->around.outside[promise->by]));
	case REFUSED_CONNTRACK:
		return sim->around.errors_given > 0;
	case REFUSED_LIMIT:
		return sim->schedule.pipelined;
	case REFUSED_STALLED:
		return has_stalled(sim, promise);
	case REFUSED_SPACE:
		return mss < promise->length + 32 + 40 + ENDPOINT_TEXT_MAX;
	default:
		return false;
	}
}

/*
 * Bytes have passed unseen, this packet shows, and neither the greeting nor the client's first line had been read: then it is left alone
 * (resync() in session.c).
 */
static bool is_unshown(const struct sim *sim)
{
	return sim->took_up && !sim->shown && (sim->upset_done || sim->adversary.present);
}

/* For good; and it may, be it by a forged packet of somebody's who knows the numbers. */
static bool is_left_alone(const struct sim *sim, const struct note *note)
{
	return note->kind == REPORT_REFUSE && note->refusal == REFUSED_NOT_FTP && is_unshown(sim) &&
	       (sim->judged == HONEST || sim->judged == NEAR || sim->judged == EXACT);
}

/* The announcement that is refused: of those that what is quoted begins with, the longest. */
static struct promise *refused_promise(struct sim *sim, const struct note *note)
{
	struct promise *found = NULL;

	for (unsigned int i = 0; i < sim->script.promises; i++) {
		struct promise *promise = &sim->script.promise[i];

		if (promise->refused || promise->opened || (found && promise->length <= found->length) ||
		    !(note->from_length ? text_is(sim, promise, note) : in_hand(sim, promise, note)))
			continue;
		found = promise;
	}
	return found;
}

static void note_refusal(struct sim *sim, const struct note *note)
{
	struct promise *promise = refused_promise(sim, note);

	sim_trace(sim, "     refused: %s", refusal_text(note->refusal));
	if (!promise)
		return;
	promise->refused = true;
	promise->excused = may_refuse(sim, promise, note->refusal);
}

static void note_expect(struct sim *sim, const struct note *note)
{
	struct promise *promise = promise_by_port(sim, (enum side)note->direction, note->port);

	if (!promise || !text_is(sim, promise, note))
		sim_fail(sim, "an expectation is reported for an argument that nobody wrote: port %u, \"%s\"",
			 note->port, sim_text((const uint8_t *)note->from, note->from_length));
	if (promise->opened && !sim->kills && !sim->around.errors_given)
		sim_fail(sim, "the announcement at byte %u opens twice", promise->argument);
	promise->opened = true;
	promise->expectation = note->expectation;
	sim_trace(sim, "     expects port %u", note->expectation.tuple.dst.port);
}

static void apply_rewrite(struct sim *sim, enum side from, const struct promise *promise, const struct note *note)
{
	struct wire *wire = &sim->wire[from];
	uint32_t at = check_forward(wire, promise->argument);
	uint32_t tail = at + promise->length;

	if (wire->emitted > at)
		sim_fail(sim, "I1: an argument is rewritten that has left already: byte %u", promise->argument);
	if (wire->rewrites == EDITS)
		sim_fail(sim, "too many rewrites");
	memmove(wire->expected + at + note->to_length, wire->expected + tail, wire->expected_length - tail);
	memcpy(wire->expected + at, note->to, note->to_length);
	wire->expected_length = wire->expected_length - promise->length + note->to_length;
	wire->rewrite[wire->rewrites++] = (struct rewrite){ promise->argument, promise->length, note->to_length };
}

static void note_rewrite(struct sim *sim, const struct note *note)
{
	enum side from = (enum side)note->direction;
	uint32_t offset = note->seq - (sim->schedule.habit[from].iss + 1);
	struct promise *promise = NULL;
	char text[160];
	uint32_t length;

	for (unsigned int i = 0; i < sim->script.promises && !promise; i++)
		if (sim->script.promise[i].by == from && sim->script.promise[i].argument == offset)
			promise = &sim->script.promise[i];
	if (!promise || !may_open(sim, promise) || promise->edited)
		sim_fail(sim, "byte %u of the %s is rewritten; there is nothing to rewrite", offset, WHO(from));
	length = dialogue_format(sim, promise, promise->expectation.tuple.dst.port, text);
	if (note->from_length != promise->length || !text_is(sim, promise, note))
		sim_fail(sim, "what is rewritten is not the argument: \"%s\"",
			 sim_text((const uint8_t *)note->from, note->from_length));
	if (note->to_length != length || memcmp(note->to, text, length) != 0)
		sim_fail(sim, "the argument is rewritten as \"%s\"",
			 sim_text((const uint8_t *)note->to, note->to_length));
	promise->edited = true;
	apply_rewrite(sim, from, promise, note);
	/* An acknowledgement of a swallowed part, still under way, will be mapped by the new adjustment. */
	if (sim->wire[from].lent > promise->argument)
		sim->wire[from].lent = max_u32(sim->wire[from].lent, promise->argument + promise->length);
	sim_trace(sim, "     rewrites byte %u: \"%s\"", offset, sim_text((const uint8_t *)note->to, note->to_length));
}

/* Bytes come to the engine: when was it that an argument began to? */
void check_coming(struct sim *sim, enum side from, const struct view *in)
{
	const uint32_t start = in->seq - (sim->schedule.habit[from].iss + 1);

	for (unsigned int i = 0; i < sim->script.promises && in->checksum_ok; i++) {
		struct promise *promise = &sim->script.promise[i];

		if (promise->by == from && !promise->came && start + in->length > promise->argument)
			promise->came = sim->now;
	}
}

void check_note(struct sim *sim, const struct note *note)
{
	if (sim_hostile(sim)) {
		sim_trace(sim, "     report %d of the %s, port %u: \"%s\" %s", note->kind,
			  WHO((enum side)note->direction), note->port,
			  sim_text((const uint8_t *)note->from, note->from_length), refusal_text(note->refusal));
		return;
	}
	sim->left_alone |= is_left_alone(sim, note);
	if (sim->judged != HONEST &&
	    (note->kind == REPORT_REFUSE || adversary_alone(sim))) /* it is not of the script */
		return;
	if (note->kind == REPORT_REWRITE)
		note_rewrite(sim, note);
	else if (note->kind == REPORT_EXPECT)
		note_expect(sim, note);
	else if (note->kind == REPORT_REFUSE)
		note_refusal(sim, note);
}

/* Where a mended address is not looked at by anybody the text may stay as it is. */
static bool needs_rewrite(const struct sim *sim, const struct promise *promise)
{
	bool renamed = !endpoint_address_equal(&sim->around.inside[promise->by], &sim->around.outside[promise->by]);

	if (promise->expectation.tuple.dst.port != promise->port)
		return true;
	if (promise->mended)
		return renamed || promise->edited;
	return promise->notation != NOTATION_EXTENDED_PORT && renamed && !promise->public_name;
}

void check_promises(struct sim *sim)
{
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		const struct promise *promise = &sim->script.promise[i];

		if (promise->opened && promise->edited != needs_rewrite(sim, promise) && !sim->kills &&
		    !sim->around.errors_given)
			sim_fail(sim, "the announcement at byte %u of the %s %s rewritten", promise->argument,
				 WHO(promise->by), promise->edited ? "need not have been" : "should have been");
	}
}
