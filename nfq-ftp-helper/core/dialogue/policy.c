// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "binding.h"
#include "core/engine/share.h"
#include "dialogue.h"

/* Is the dialogue at a point where this announcement can stand? */
static enum refusal at_its_place(const struct turn *turn)
{
	const struct session *session = turn->session;

	if (session->state < SESSION_MIDDLE)
		return REFUSED_NO_GREETING;
	if (session->state != SESSION_READY)
		return REFUSED_NO_EXCHANGE;
	if (turn->direction == DIRECTION_REPLY)
		return pairing_asked(&session->pairing) ? REFUSED_NOT : REFUSED_UNASKED;
	return pairing_full(&session->pairing) ? REFUSED_PIPELINE : REFUSED_NOT;
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

/* A command's argument is the whole rest of its line, as far as a CR. NUL is what ends a client's own text. */
static bool read_argument(struct candidate *candidate)
{
	const int length = endpoint_parse(candidate->word->notation, candidate->text, candidate->text_length,
					  &candidate->endpoint, &candidate->delimiter);

	if (length < 0)
		return false;
	for (uint32_t i = (uint32_t)length; i < candidate->text_length && candidate->text[i] != '\r'; i++)
		if (candidate->text[i] != ' ' && candidate->text[i] != '\t' && candidate->text[i] != 0)
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

/* Whose address is it? A third party's opens nothing. */
static enum refusal whose_address(const struct turn *turn, struct candidate *candidate)
{
	static const enum refusal refusals[] = {
		[ADDRESS_SPEAKER] = REFUSED_NOT,	 [ADDRESS_ITSELF] = REFUSED_NOT,
		[ADDRESS_MENDED] = REFUSED_NOT,		 [ADDRESS_FOREIGN] = REFUSED_FOREIGN,
		[ADDRESS_THIRD_PARTY] = REFUSED_ADDRESS,
	};

	address_unmap(&candidate->endpoint);
	candidate->meaning = address_meaning(turn, &candidate->work->binding, (enum notation)candidate->word->notation,
					     &candidate->endpoint);
	return refusals[candidate->meaning];
}

/* The speaker's data connection goes to the address that the other side of the NAT knows him by, and no other. */
static void predict_speaker(const struct turn *turn, struct candidate *candidate)
{
	const struct binding *binding = &candidate->work->binding;
	struct expectation *expectation = &candidate->expectation;

	expectation->translated = binding_translated(binding);
	expectation->nat_src = binding->tuple[turn->direction].src;
	expectation->tuple.dst = binding->tuple[direction_other(turn->direction)].dst;
}

/*
 * A third party's goes to that very address, which is what the text says and goes on to say. Whether it is translated on its way is not
 * the control connection's affair, but that of the router's rules for this address.
 */
static void predict_itself(struct candidate *candidate)
{
	struct expectation *expectation = &candidate->expectation;

	expectation->translated = false;
	expectation->nat_src = expectation->tuple.dst = candidate->endpoint;
}

/* The data connection that may come. */
static void predict(const struct turn *turn, struct candidate *candidate)
{
	struct expectation *expectation = &candidate->expectation;

	if (candidate->meaning == ADDRESS_ITSELF)
		predict_itself(candidate);
	else
		predict_speaker(turn, candidate);
	expectation->nat_direction = direction_other(turn->direction);
	expectation->nat_src.port = expectation->tuple.dst.port = candidate->endpoint.port;
	expectation->tuple.src = candidate->work->binding.tuple[direction_other(turn->direction)].src;
	expectation->tuple.src.port = 0;
}

/*
 * Text changes where the address that the other side must dial is not the one that is written. Where that is one that no client looks at
 * (229's; a mended one of a server without NAT) nothing depends on it. 227 has no room for an IPv6 address.
 */
static void change_text(const struct turn *turn, struct candidate *candidate)
{
	const struct endpoint *written = &candidate->endpoint, *dialed = &candidate->expectation.tuple.dst;
	const enum notation notation = (enum notation)candidate->word->notation;
	const bool mended = candidate->meaning == ADDRESS_MENDED;

	candidate->told = notation == NOTATION_HOST_PORT && dialed->family != FAMILY_IPV4 ? *written : *dialed;
	candidate->text_change = POLICY_TEXT_CHANGES;
	if (written->family == 0 || endpoint_address_equal(written, &candidate->told))
		candidate->text_change = POLICY_TEXT_STAYS;
	else if (notation == NOTATION_EXTENDED_PORT ||
		 (mended && !binding_speaker_translated(turn, &candidate->work->binding)))
		candidate->text_change = POLICY_TEXT_MAY_STAY;
}

enum refusal policy_judge(struct turn *turn, struct candidate *candidate)
{
	enum refusal refusal = at_its_place(turn);

	if (refusal != REFUSED_NOT)
		return refusal;
	if (!(turn->direction == DIRECTION_REPLY ? find_argument(candidate) : read_argument(candidate)))
		return REFUSED_MALFORMED;
	if (!within_rate(turn))
		return REFUSED_LIMIT;
	candidate->work = binding_get(turn, &refusal);
	if (!candidate->work)
		return refusal;
	refusal = whose_address(turn, candidate);
	if (refusal != REFUSED_NOT)
		return refusal;
	if (candidate->endpoint.port < turn->engine->policy.min_port)
		return REFUSED_PORT;
	predict(turn, candidate);
	change_text(turn, candidate);
	return REFUSED_NOT;
}

bool policy_may_edit(const struct turn *turn, const struct work *work)
{
	return at_its_place(turn) == REFUSED_NOT && binding_speaker_translated(turn, &work->binding);
}
