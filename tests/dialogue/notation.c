// SPDX-License-Identifier: GPL-2.0-or-later
#include "notation.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Addresses that can reach nobody, as a server that knows no better writes them. */
static const uint8_t unreachable[][4] = {
	{ 10, 20, 30, 40 }, { 192, 168, 1, 111 }, { 172, 16, 0, 1 }, { 172, 31, 255, 254 },
	{ 127, 0, 0, 1 },   { 127, 0, 1, 1 },	  { 0, 0, 0, 0 },    { 100, 64, 0, 9 },
	{ 169, 254, 7, 7 }, { 203, 0, 113, 0 },	  { 198, 18, 5, 0 }, { 0, 1, 2, 3 },
};

/* And those of somebody: where NAT translates the server they stand for it as well. */
static const uint8_t elsewhere[][4] = { { 203, 0, 113, 93 }, { 198, 51, 100, 17 }, { 192, 0, 2, 200 }, { 8, 8, 8, 8 } };

/*
 * The address that an end writes: its own, as it has it or as NAT shows it; a server's may be another's. Without NAT nobody looks at one that
 * reaches nobody, and where it came in pieces it is left as it is.
 */
static const uint8_t *address_of(struct talk *talk, enum side side, struct written *written)
{
	const struct script *script = talk->script;

	if (side == SERVER && script->inside[SERVER].family == FAMILY_IPV4) {
		if (script->world == DNATED && talk_odd(talk, ODD_DNAT_FOREIGN, 15))
			return TALK_ONE_OF(talk, elsewhere);
		if (talk_odd(talk, ODD_FOREIGN, 10)) {
			written->named = script->world == DNATED;
			return TALK_ONE_OF(talk, unreachable);
		}
	}
	return talk_chance(talk, 15) ? script->seen[side].address : script->inside[side].address;
}

/* The prose with the argument where its @ stands. */
static void fill(char text[NOTATION_TEXT], const char *prose, const char *argument)
{
	const char *at = strchr(prose, '@');

	snprintf(text, NOTATION_TEXT, "%.*s%s%s", (int)(at - prose), prose, argument, at + 1);
}

/* How many digits each of six numbers has at least. */
static const int *digits(struct talk *talk)
{
	static const int usual[][6] = { { 1, 1, 1, 1, 1, 1 }, { 3, 3, 3, 3, 3, 3 } };
	static const int wide[][6] = {
		{ 4, 4, 4, 4, 4, 4 }, { 4, 1, 1, 1, 1, 1 }, { 1, 1, 1, 1, 5, 4 }, { 3, 4, 5, 6, 7, 3 }
	};

	if (talk_odd(talk, ODD_WIDE_OCTETS, 6))
		return TALK_ONE_OF(talk, wide);
	return usual[talk_chance(talk, 10)];
}

static void put_six(char *text, const uint8_t *address, uint16_t port, const char *between, const int *digits)
{
	const unsigned int numbers[6] = { address[0], address[1], address[2], address[3], port >> 8u, port & 255u };
	int at = 0;

	for (unsigned int i = 0; i < 6; i++)
		at += snprintf(text + at, (size_t)(NOTATION_TEXT / 2 - at), "%s%0*u", i ? between : "", digits[i],
			       numbers[i]);
}

/* Behind the last number. */
static void put_end(struct talk *talk, char *text)
{
	const size_t length = strlen(text);

	if (talk_odd(talk, ODD_COMMA_AT_END, 6))
		snprintf(text + length, NOTATION_TEXT / 2 - length, talk_chance(talk, 30) ? ", " : ",");
}

static const char *comma(struct talk *talk)
{
	static const char *const blanks[] = { ", ", ",  " };

	return talk_odd(talk, ODD_BLANKS, 6) ? TALK_ONE_OF(talk, blanks) : ",";
}

void notation_227(struct talk *talk, uint16_t port, struct written *written)
{
	static const char *const proses[] = { "227 Entering Passive Mode (@).", "227 Entering Passive Mode (@)",
					      "227 ok (@)", "227 (@)", "227 Passive mode: (@), go" };
	static const char *const bare[] = { "227 Entering Passive Mode @", "227 @", "227 =@", "227 Passive @." };
	static const uint8_t zeros[4];
	const uint8_t *address = zeros;
	char numbers[NOTATION_TEXT / 2];
	const char *prose;

	written->named = talk->script->inside[SERVER].family == FAMILY_IPV4;
	if (written->named)
		address = address_of(talk, SERVER, written);
	put_six(numbers, address, port, comma(talk), digits(talk));
	put_end(talk, numbers);
	prose = talk_odd(talk, ODD_NO_PARENTHESES, 6) ? TALK_ONE_OF(talk, bare) : TALK_ONE_OF(talk, proses);
	fill(written->text, prose, numbers);
}

/* RFC 1639: version, length, address, length, port, all in octets. */
static void put_long(char *text, uint8_t family, const uint8_t *address, uint16_t port)
{
	const unsigned int version = family, length = family == FAMILY_IPV6 ? 16 : 4;
	int at = snprintf(text, NOTATION_TEXT / 2, "%u,%u", version, length);

	for (unsigned int i = 0; i < length; i++)
		at += snprintf(text + at, (size_t)(NOTATION_TEXT / 2 - at), ",%u", address[i]);
	snprintf(text + at, (size_t)(NOTATION_TEXT / 2 - at), ",2,%d,%d", port >> 8, port & 255);
}

void notation_228(struct talk *talk, uint16_t port, struct written *written)
{
	char numbers[NOTATION_TEXT / 2];

	written->named = true;
	put_long(numbers, talk->script->inside[SERVER].family, address_of(talk, SERVER, written), port);
	put_end(talk, numbers);
	fill(written->text, "228 Entering Long Passive Mode (@)", numbers);
}

static void put_address(char text[INET6_ADDRSTRLEN], uint8_t family, const uint8_t *address)
{
	inet_ntop(family == FAMILY_IPV6 ? AF_INET6 : AF_INET, address, text, INET6_ADDRSTRLEN);
}

/* Its address is nobody's business, if it is there at all. */
static void put_filled(struct talk *talk, char *text, char d, uint16_t port)
{
	const struct endpoint *server = &talk->script->inside[SERVER];
	char address[INET6_ADDRSTRLEN];

	put_address(address, server->family, server->address);
	snprintf(text, NOTATION_TEXT / 2, "%c%u%c%s%c%u%c", d, server->family == FAMILY_IPV6 ? 2u : 1u, d, address, d,
		 port, d);
}

static void put_apart(char *text, char d, uint16_t port, const char *const blanks[2])
{
	snprintf(text, NOTATION_TEXT / 2, "%c%c%c%s%u%s%c", d, d, d, blanks[0], port, blanks[1], d);
}

void notation_229(struct talk *talk, uint16_t port, struct written *written)
{
	static const char *const bare[] = { "229 Entering Extended Passive Mode @", "229 @" };
	static const char *const blanks[][2] = { { " ", "" }, { "   ", "" }, { "", " " }, { " ", " " }, { "\t", "" } };
	const char d = talk_chance(talk, 12) ? '!' : '|';
	char bars[NOTATION_TEXT / 2];
	const bool apart = talk_odd(talk, ODD_BLANKS_229, 6);

	if (apart)
		put_apart(bars, d, port, TALK_ONE_OF(talk, blanks));
	else if (talk_odd(talk, ODD_ZEROS_229, 6))
		snprintf(bars, sizeof(bars), talk_chance(talk, 50) ? "%c%c%c%06u%c" : "%c%c%c%09u%c", d, d, d, port, d);
	else if (talk_odd(talk, ODD_FILLED_229, 6))
		put_filled(talk, bars, d, port);
	else if (talk_odd(talk, ODD_BAR_TOO_FEW, 6) && talk_chance(talk, 50))
		snprintf(bars, sizeof(bars), "%c%c%u%c", d, d, port, d);
	else if (talk->script->odd >> ODD_BAR_TOO_FEW & 1)
		snprintf(bars, sizeof(bars), "%c%c%c%u", d, d, d, port);
	else
		snprintf(bars, sizeof(bars), "%c%c%c%u%c", d, d, d, port, d);
	written->named = false;
	if (d == '|' && !apart && talk_odd(talk, ODD_NO_PARENTHESES, 4))
		fill(written->text, TALK_ONE_OF(talk, bare), bars);
	else
		fill(written->text, "229 Entering Extended Passive Mode (@)", bars);
}

/* What stands between an argument and its line's end: RFC 854 knows CR NUL. */
static const char *argument_end(struct talk *talk)
{
	return talk_odd(talk, ODD_CR_IN_ARGUMENT, 4) ? "\r" : "";
}

void notation_port(struct talk *talk, uint16_t port, struct written *written)
{
	const uint8_t *address = address_of(talk, CLIENT, written);
	char numbers[NOTATION_TEXT / 2];

	put_six(numbers, address, port, comma(talk), digits(talk));
	put_end(talk, numbers);
	written->named = true;
	snprintf(written->text, sizeof(written->text), talk_chance(talk, 10) ? "port %s%s" : "PORT %s%s", numbers,
		 argument_end(talk));
}

void notation_lprt(struct talk *talk, uint16_t port, struct written *written)
{
	char numbers[NOTATION_TEXT / 2];

	put_long(numbers, talk->script->inside[CLIENT].family, address_of(talk, CLIENT, written), port);
	put_end(talk, numbers);
	written->named = true;
	snprintf(written->text, sizeof(written->text), "LPRT %s", numbers);
}

void notation_eprt(struct talk *talk, uint16_t port, struct written *written)
{
	static const char *const mapped[] = { "::ffff:", "::FFFF:", "0:0:0:0:0:ffff:" };
	const uint8_t family = talk->script->inside[CLIENT].family;
	const char d = talk_chance(talk, 15) ? '!' : '|';
	char address[INET6_ADDRSTRLEN], written_so[INET6_ADDRSTRLEN + 20];
	unsigned int protocol = family == FAMILY_IPV6 ? 2 : 1;
	bool end = true;

	put_address(address, family, address_of(talk, CLIENT, written));
	snprintf(written_so, sizeof(written_so), "%s", address);
	if (family == FAMILY_IPV4 && talk_odd(talk, ODD_MAPPED, 10)) {
		protocol = 2;
		snprintf(written_so, sizeof(written_so), "%s%s", TALK_ONE_OF(talk, mapped), address);
	} else if (talk_odd(talk, ODD_EPRT_NO_END, 6)) {
		end = false;
	}
	written->named = true;
	snprintf(written->text, sizeof(written->text), "EPRT %c%u%c%s%c%u%s%s", d, protocol, d, written_so, d, port,
		 end ? (char[]){ d, '\0' } : "", argument_end(talk));
}
