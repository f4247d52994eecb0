// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "binding.h"
#include "core/engine/share.h"
#include "dialogue.h"

/* Is the dialogue at a point where this announcement can stand? */
static enum refusal at_its_place(const struct turn *turn, const struct ftp_word *word)
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

/* A reply's argument stands somewhere in prose. */
static bool find_argument(struct candidate *candidate)
{
	size_t length;
	const int at = endpoint_find(candidate->word->notation, candidate->text, candidate->text_length,
				     &candidate->endpoint, &candidate->delimiter, &length);

	if (at < 0)
		return false;
	candidate->offset = (uint32_t)at;
	candidate->length = (uint32_t)length;
	return true;
}

/* A command's argument is the whole rest of its line. */
static bool read_argument(struct candidate *candidate)
{
	const int length = endpoint_parse(candidate->word->notation, candidate->text, candidate->text_length,
					  &candidate->endpoint, &candidate->delimiter);

	if (length < 0)
		return false;
	for (uint32_t i = (uint32_t)length; i < candidate->text_length; i++)
		if (candidate->text[i] != ' ' && candidate->text[i] != '\r')
			return false;
	candidate->length = (uint32_t)length;
	return true;
}

/* May the client announce once more? Where the connection is still to be looked up, that is what is paid for. */
static bool within_rate(struct turn *turn)
{
	const struct work *work = table_work(turn->engine->table, turn->session);

	return !work || !work->bound || share_spend(turn->engine, turn->session, RATE_ANNOUNCEMENTS, turn->now);
}

/* Whose address is it? A third party's opens nothing, unless that is wanted. Where none is named (229) it is the speaker's. */
static enum refusal whose_address(const struct turn *turn, struct candidate *candidate, bool *third_party)
{
	const struct endpoint *speaker = &candidate->work->binding.tuple[turn->direction].src;
	const struct endpoint *as_translated = &candidate->work->binding.tuple[turn_other(turn->direction)].dst;
	const uint16_t port = candidate->endpoint.port;

	*third_party = false;
	if (candidate->endpoint.family == 0) {
		candidate->endpoint = *speaker;
		candidate->endpoint.port = port;
	}
	if (endpoint_address_equal(&candidate->endpoint, speaker) ||
	    endpoint_address_equal(&candidate->endpoint, as_translated))
		return REFUSED_NOT;
	*third_party = true;
	return turn->engine->policy.loose && candidate->endpoint.family == speaker->family ? REFUSED_NOT :
											     REFUSED_ADDRESS;
}

/* The data connection that may come. It goes to the address that the other side of the NAT knows, and no other. */
static void predict(const struct turn *turn, struct candidate *candidate, bool third_party)
{
	const struct binding *binding = &candidate->work->binding;
	const struct tuple *me = &binding->tuple[turn->direction], *peer = &binding->tuple[turn_other(turn->direction)];
	struct expectation *expectation = &candidate->expectation;

	expectation->translated = binding_translated(binding);
	expectation->nat_direction = turn_other(turn->direction);
	expectation->nat_src = third_party ? candidate->endpoint : me->src;
	expectation->nat_src.port = candidate->endpoint.port;
	expectation->tuple.src = peer->src;
	expectation->tuple.src.port = 0;
	expectation->tuple.dst = third_party && !expectation->translated ? candidate->endpoint : peer->dst;
	expectation->tuple.dst.port = candidate->endpoint.port;
	candidate->must_edit = candidate->word->notation != NOTATION_EXTENDED_PORT &&
			       !endpoint_address_equal(&candidate->endpoint, &expectation->tuple.dst);
}

enum refusal policy_judge(struct turn *turn, struct candidate *candidate)
{
	enum refusal refusal = at_its_place(turn, candidate->word);
	bool third_party;

	if (refusal != REFUSED_NOT)
		return refusal;
	if (!(turn->direction == DIRECTION_REPLY ? find_argument(candidate) : read_argument(candidate)))
		return REFUSED_MALFORMED;
	if (!within_rate(turn))
		return REFUSED_LIMIT;
	candidate->work = binding_get(turn, &refusal);
	if (!candidate->work)
		return refusal;
	refusal = whose_address(turn, candidate, &third_party);
	if (refusal != REFUSED_NOT)
		return refusal;
	if (candidate->endpoint.port < turn->engine->policy.min_port)
		return REFUSED_PORT;
	predict(turn, candidate, third_party);
	return REFUSED_NOT;
}

bool policy_may_edit(const struct turn *turn, const struct ftp_line *line, const struct work *work)
{
	return at_its_place(turn, ftp_line_word(line, turn_side(turn->direction))) == REFUSED_NOT &&
	       binding_speaker_translated(turn, &work->binding);
}
