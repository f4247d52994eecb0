// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * opening_try() goes through four steps: policy_judge(), may_open_now(), open_port(), edit_text(). Each either goes on, or has the
 * announcement wait (its sender will send it again; nothing has changed), or names the reason for refusing it. A refused announcement
 * passes unchanged and opens nothing (invariants I4, I5).
 */
#include "opening.h"

#include "core/dialogue/announcement.h"
#include "core/dialogue/dialogue.h"
#include "core/dialogue/policy.h"
#include "core/engine/share.h"
#include "edit.h"
#include "walk.h"

#define ANSWER_PATIENCE 1000 /* milliseconds */

/* What a step comes to. */
enum step {
	GO_ON,
	WAIT,
	REFUSE, /* opening.refusal says why */
};

struct opening {
	struct candidate candidate;
	const struct announced *announced;
	char text[ENDPOINT_TEXT_MAX]; /* of the new argument */
	uint32_t text_length;	      /* 0: it stays as it is */
	enum refusal refusal;
	int error; /* conntrack's, with REFUSED_CONNTRACK */
};

static enum step refused(struct opening *opening, enum refusal refusal)
{
	opening->refusal = refusal;
	return REFUSE;
}

static enum step refused_by_conntrack(struct opening *opening, int error)
{
	opening->error = error;
	return refused(opening, REFUSED_CONNTRACK);
}

/*
 * Has the server still to answer an earlier announcement of the client's? Then that one's data connection is still to come, and
 * a helper with room for one expectation would lose it to this one: others than our module may have no more. It is worth a short wait, but
 * where a reply has come since then: it may have been that one's, and the client, who waits for it, took it so.
 */
static bool answer_is_due(const struct turn *turn, const struct opening *opening)
{
	const struct work *work = opening->candidate.work;
	const struct announced *announced = opening->announced;

	if (turn->engine->conntrack->noted || turn->direction == DIRECTION_REPLY || announced->fixed ||
	    announced->waited >= ANSWER_PATIENCE || edit_swallowed(edit_in_flight(turn)))
		return false;
	for (uint32_t i = 0; i < work->announcements; i++)
		if (!work->announcement[i].answered && !work->announcement[i].heard)
			return true;
	return false;
}

/* The longest that the new argument can become; negative as endpoint_write(). */
static int widest_argument(const struct candidate *candidate)
{
	struct endpoint widest = candidate->told;
	char text[ENDPOINT_TEXT_MAX];

	widest.port = 65535; /* also the longest in two octets: 255,255 */
	return endpoint_write(candidate->word->notation, &widest, candidate->delimiter, text, sizeof(text));
}

/* A swallowed part, which its sender does not send again, leaves with what follows in one piece or as it came. */
static enum step room_for_owed(const struct turn *turn, struct opening *opening)
{
	const struct edit *edit = edit_in_flight(turn);
	const struct candidate *candidate = &opening->candidate;
	const int argument = widest_argument(candidate);

	if (argument < 0 || edit_owed_length(edit, candidate->offset, candidate->length, (uint32_t)argument) >
				    opening->announced->space_alone)
		return refused(opening, REFUSED_SPACE);
	return GO_ON;
}

/* May the text be edited in this segment? */
static enum step room_for_edit(const struct turn *turn, struct opening *opening)
{
	const struct announced *announced = opening->announced;
	const uint32_t offset = opening->candidate.offset;
	int length;

	if (announced->fixed)
		return refused(opening, REFUSED_NO_PORT);
	if (edit_swallowed(edit_in_flight(turn)))
		return room_for_owed(turn, opening);
	if (announced->stale && announced->hopeless)
		return refused(opening, REFUSED_STALE);
	if (edit_in_flight(turn) || turn->busy || announced->stale)
		return WAIT;
	if (offset + ENDPOINT_TEXT_MAX <= announced->space)
		return GO_ON;
	length = widest_argument(&opening->candidate);
	if (length < 0 || offset + (uint32_t)length > announced->space_alone)
		return refused(opening, REFUSED_SPACE);
	return offset + (uint32_t)length > announced->space ? WAIT : GO_ON;
}

/* And for what the text ought to say? Where it may as well stay as it is, it does. */
static enum step room_for_text(const struct turn *turn, struct opening *opening)
{
	enum policy_text *change = &opening->candidate.text_change;
	const enum step step = *change == POLICY_TEXT_STAYS ? GO_ON : room_for_edit(turn, opening);

	if (step == GO_ON || *change == POLICY_TEXT_CHANGES)
		return step;
	*change = POLICY_TEXT_STAYS;
	return GO_ON;
}

/* Policy has nothing against it. Is this the moment, and is there room? */
static enum step may_open_now(struct turn *turn, struct opening *opening)
{
	enum step step;

	if (answer_is_due(turn, opening))
		return WAIT;
	step = room_for_text(turn, opening);
	if (step != GO_ON)
		return step;
	if (opening->candidate.work->announcements == ANNOUNCEMENTS_MAX)
		return refused(opening, REFUSED_LIMIT);
	return announcement_room(turn) ? GO_ON : refused(opening, REFUSED_SHARE);
}

/* -EBUSY: another connection expects this port already. */
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
static enum step open_another(struct turn *turn, struct opening *opening)
{
	struct walk walk = walk_begin(turn->engine);

	for (uint32_t tries = 0; tries < turn->engine->policy.port_tries && tries < walk.ports; tries++) {
		const uint16_t port = walk_next(&walk);
		int error;

		if (port == opening->candidate.endpoint.port)
			continue;
		if (!share_spend(turn->engine, turn->session, RATE_TRIES, turn->now))
			return refused(opening, REFUSED_LIMIT);
		error = expect_port(turn, &opening->candidate, port);
		if (error != -EBUSY)
			return error ? refused_by_conntrack(opening, error) : GO_ON;
	}
	return refused(opening, REFUSED_NO_PORT);
}

/* The announced port, or another one where it is taken. */
static enum step open_port(struct turn *turn, struct opening *opening)
{
	const int error = expect_port(turn, &opening->candidate, opening->candidate.endpoint.port);

	if (error == 0)
		return GO_ON;
	if (error != -EBUSY)
		return refused_by_conntrack(opening, error);
	if (opening->candidate.text_change == POLICY_TEXT_STAYS) { /* but now it must not */
		const enum step step = room_for_edit(turn, opening);

		if (step != GO_ON)
			return step;
	}
	return open_another(turn, opening);
}

/* The new argument in the place of the old one. Return: 0, or why not; nothing has changed then. */
static int replace_text(struct turn *turn, struct opening *opening)
{
	const struct candidate *candidate = &opening->candidate;
	const struct announced *announced = opening->announced;
	const struct edit_place place = { announced->text, announced->seq, candidate->offset, candidate->length };
	struct endpoint told = candidate->told;
	int result;

	told.port = candidate->expectation.tuple.dst.port;
	result = endpoint_write(candidate->word->notation, &told, candidate->delimiter, opening->text,
				sizeof(opening->text));
	if (result < 0)
		return result;
	opening->text_length = (uint32_t)result;
	result = edit_replace(turn, &place, opening->text, opening->text_length);
	if (result)
		opening->text_length = 0;
	return result;
}

/* The text changes where the address or the port does. Where it cannot, what was opened is closed again. */
static enum step edit_text(struct turn *turn, struct opening *opening)
{
	struct candidate *candidate = &opening->candidate;
	struct conntrack *conntrack = turn->engine->conntrack;
	const bool same_port = candidate->expectation.tuple.dst.port == candidate->endpoint.port;
	int error;

	if (same_port && candidate->text_change == POLICY_TEXT_STAYS)
		return GO_ON;
	error = replace_text(turn, opening);
	if (error && same_port && candidate->text_change == POLICY_TEXT_MAY_STAY)
		return GO_ON;
	if (error) {
		conntrack->ops->unexpect(conntrack, &candidate->work->binding, &candidate->expectation);
		return refused_by_conntrack(opening, error);
	}
	turn->engine->counters.edits++;
	return GO_ON;
}

static void tell_opened(struct turn *turn, const struct opening *opening)
{
	const struct candidate *candidate = &opening->candidate;
	struct report told = { .kind = REPORT_EXPECT,
			       .command = candidate->word->text,
			       .from = candidate->text + candidate->offset,
			       .from_length = candidate->length,
			       .expectation = &candidate->expectation,
			       .port = candidate->endpoint.port,
			       .seq = opening->announced->seq + candidate->offset,
			       .adj = turn->mine->adj };

	turn_report(turn, &told);
	if (!opening->text_length)
		return;
	told.kind = REPORT_REWRITE;
	told.to = opening->text;
	told.to_length = opening->text_length;
	turn_report(turn, &told);
}

static void opened(struct turn *turn, const struct opening *opening)
{
	const enum ftp_kind kind = (enum ftp_kind)opening->candidate.word->kind;

	dialogue_announced(turn, opening->candidate.line, PAIRING_ACTIVE);
	announcement_add(turn, kind, &opening->candidate.expectation);
	turn->engine->counters.expectations++;
	if (turn_is_listened_to(turn))
		tell_opened(turn, opening);
}

/* A reply of several lines, and no address in this one: nothing has been announced yet. */
static bool says_nothing(const struct opening *opening)
{
	return opening->refusal == REFUSED_MALFORMED && ftp_goes_on(opening->candidate.line);
}

static void refuse(struct turn *turn, const struct opening *opening)
{
	const struct candidate *candidate = &opening->candidate;
	const struct report told = { .kind = REPORT_REFUSE,
				     .command = candidate->word->text,
				     .from = candidate->text ? candidate->text + candidate->offset : NULL,
				     .from_length = candidate->length ? candidate->length : candidate->text_length,
				     .port = candidate->endpoint.port,
				     .refusal = opening->refusal,
				     .error = opening->error };

	dialogue_announced(turn, candidate->line, PAIRING_IDLE);
	if (says_nothing(opening))
		return;
	turn->engine->counters.refusals[opening->refusal]++;
	turn_report(turn, &told);
}

void opening_refuse(struct turn *turn, const struct ftp_line *line, enum refusal refusal)
{
	const struct opening opening = {
		.candidate = { .line = line, .word = ftp_line_word(line, turn->direction) },
		.refusal = refusal,
	};

	if (turn->direction == DIRECTION_REPLY || dialogue_command_seen(turn, opening.candidate.word, false))
		refuse(turn, &opening);
}

static enum step run(struct turn *turn, struct opening *opening)
{
	enum step step;

	opening->refusal = policy_judge(turn, &opening->candidate);
	step = opening->refusal == REFUSED_NOT ? may_open_now(turn, opening) : REFUSE;
	if (step == GO_ON)
		step = open_port(turn, opening);
	return step == GO_ON ? edit_text(turn, opening) : step;
}

bool opening_try(struct turn *turn, const struct ftp_line *line, const struct announced *announced)
{
	struct opening opening = { .candidate = { .line = line,
						  .word = ftp_line_word(line, turn->direction),
						  .text = announced->text,
						  .text_length = announced->length },
				   .announced = announced };
	enum step step;

	if (turn->direction == DIRECTION_ORIGINAL &&
	    !dialogue_command_seen(turn, opening.candidate.word, ftp_text_is_web(announced->text, announced->length)))
		return true;
	step = run(turn, &opening);
	if (step == GO_ON)
		opened(turn, &opening);
	else if (step == REFUSE)
		refuse(turn, &opening);
	return step != WAIT;
}
