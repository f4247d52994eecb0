// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Whatever an address is taken for, what may open for it is a port of the speaker's, who has asked for it himself; only
 * a network that the administrator names opens another's. So a foreign address in a reply can be mended without harm: servers announce
 * the address that they were configured with, or have at home, and common clients dial the server that they are connected to
 * where the announced address cannot be reached (FileZilla, curl, lftp, FluentFTP). A command of the client's is another matter: the server
 * dials what it is told.
 */
#include "address.h"

#include "binding.h"

struct announced_address {
	const struct turn *turn;
	const struct binding *binding;
	enum notation notation;
	const struct endpoint *address;
};

/* What is dialed by nobody who is somewhere else: RFC 6890's networks for one host, one link and one site. */
static const struct network unreachable[] = {
	{ { 0 }, FAMILY_IPV4, 8 },	   { { 10 }, FAMILY_IPV4, 8 },		{ { 100, 64 }, FAMILY_IPV4, 10 },
	{ { 127 }, FAMILY_IPV4, 8 },	   { { 169, 254 }, FAMILY_IPV4, 16 },	{ { 172, 16 }, FAMILY_IPV4, 12 },
	{ { 192, 168 }, FAMILY_IPV4, 16 }, { { 0 }, FAMILY_IPV6, 128 },		{ { [15] = 1 }, FAMILY_IPV6, 128 },
	{ { 0xfc }, FAMILY_IPV6, 7 },	   { { 0xfe, 0x80 }, FAMILY_IPV6, 10 },
};

/* Of these, what is dialed by nobody at all: no third party, whatever is let loose. */
static const struct network nobodys[] = {
	{ { 0 }, FAMILY_IPV4, 8 },
	{ { 127 }, FAMILY_IPV4, 8 },
	{ { 0 }, FAMILY_IPV6, 128 },
	{ { [15] = 1 }, FAMILY_IPV6, 128 },
};

static bool is_in(const struct network *networks, size_t count, const struct endpoint *address)
{
	for (size_t i = 0; i < count; i++)
		if (network_has(&networks[i], address))
			return true;
	return false;
}

/* RFC 2428 section 3: what else stands in it counts for nothing. */
static bool is_a_port_alone(const struct announced_address *question)
{
	return question->notation == NOTATION_EXTENDED_PORT;
}

/* As he has it, or as NAT shows it. */
static bool is_the_speakers(const struct announced_address *question)
{
	const struct tuple *tuple = question->binding->tuple;
	const enum direction direction = question->turn->direction;

	return endpoint_address_equal(question->address, &tuple[direction].src) ||
	       endpoint_address_equal(question->address, &tuple[direction_other(direction)].dst);
}

/* No connection leads from one family to the other. A network that is named comes first; where any is meant, so is none that is nobody's. */
static bool is_let_loose(const struct announced_address *question)
{
	const struct policy_loose *loose = &question->turn->engine->policy.loose;

	if (question->address->family != question->binding->tuple[question->turn->direction].src.family)
		return false;
	if (is_in(loose->network, loose->count, question->address))
		return true;
	return loose->any && question->turn->direction == DIRECTION_REPLY &&
	       !is_in(nobodys, sizeof(nobodys) / sizeof(nobodys[0]), question->address);
}

static bool is_in_a_command(const struct announced_address *question)
{
	return question->turn->direction == DIRECTION_ORIGINAL;
}

/* A server behind NAT knows its public address by hearsay. */
static bool is_of_one_behind_nat(const struct announced_address *question)
{
	return binding_speaker_translated(question->turn, question->binding);
}

static bool reaches_nobody(const struct announced_address *question)
{
	const struct endpoint *address = question->address;

	return is_in(unreachable, sizeof(unreachable) / sizeof(unreachable[0]), address) ||
	       (address->family == FAMILY_IPV4 && address->address[3] == 0); /* a network's own */
}

static bool is_any(const struct announced_address *question)
{
	(void)question;
	return true;
}

// clang-format off
/* The first that fits. */
static const struct {
	bool (*fits)(const struct announced_address *question);
	enum address_meaning meaning;
} cases[] = {
	{ is_a_port_alone, ADDRESS_SPEAKER },
	{ is_the_speakers, ADDRESS_SPEAKER },
	{ is_let_loose, ADDRESS_ITSELF },
	{ is_in_a_command, ADDRESS_THIRD_PARTY },
	{ is_of_one_behind_nat, ADDRESS_MENDED },
	{ reaches_nobody, ADDRESS_MENDED },
	{ is_any, ADDRESS_THIRD_PARTY },
};
// clang-format on

void address_unmap(struct endpoint *endpoint)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (endpoint->family != FAMILY_IPV6 || memcmp(endpoint->address, mapped, sizeof(mapped)) != 0)
		return;
	endpoint->family = FAMILY_IPV4;
	memmove(endpoint->address, endpoint->address + 12, 4);
	memset(endpoint->address + 4, 0, 12);
}

enum address_meaning address_meaning(const struct turn *turn, const struct binding *binding, enum notation notation,
				     const struct endpoint *address)
{
	const struct announced_address question = { turn, binding, notation, address };
	unsigned int i = 0;

	while (!cases[i].fits(&question))
		i++;
	if (cases[i].meaning == ADDRESS_MENDED && turn->engine->policy.foreign == POLICY_FOREIGN_REFUSE)
		return ADDRESS_FOREIGN;
	return cases[i].meaning;
}
