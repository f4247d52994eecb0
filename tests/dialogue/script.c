// SPDX-License-Identifier: GPL-2.0-or-later
#include "script.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ends {
	const char *client, *server; /* as they have themselves */
	const char *shown, *known;   /* as the other side sees them */
};

/* By family and world; those of the lab (tests/lab/lab.py, addresses "grow") and of tests/field. */
static const struct ends worlds[2][WORLDS] = {
	{ { "10.0.0.2", "203.0.113.5", "10.0.0.2", "203.0.113.5" },
	  { "10.0.0.2", "203.0.113.5", "198.51.100.254", "203.0.113.5" },
	  { "192.0.2.10", "10.0.0.94", "192.0.2.10", "203.0.113.94" } },
	{ { "fd00::2", "2001:db8:100:200::10", "fd00::2", "2001:db8:100:200::10" },
	  { "fd00::2", "2001:db8:100:200::10", "2001:db8:100:200::c1a0:254", "2001:db8:100:200::10" },
	  { "2001:db8:c::10", "fd00::94", "2001:db8:c::10", "2001:db8:100:200::94" } },
};

static struct endpoint endpoint_of(const char *text, uint8_t family, uint16_t port)
{
	struct endpoint endpoint = { .family = family, .port = port };

	if (inet_pton(family == FAMILY_IPV6 ? AF_INET6 : AF_INET, text, endpoint.address) != 1)
		abort();
	return endpoint;
}

void script_begin(struct script *script, uint64_t seed, enum world world, uint8_t family)
{
	const struct ends *ends = &worlds[family == FAMILY_IPV6][world];

	memset(script, 0, offsetof(struct script, step));
	script->seed = seed;
	script->world = world;
	script->inside[CLIENT] = endpoint_of(ends->client, family, 40000);
	script->inside[SERVER] = endpoint_of(ends->server, family, SCRIPT_TALK_PORT);
	script->seen[CLIENT] = endpoint_of(ends->shown, family, 40000);
	script->seen[SERVER] = endpoint_of(ends->known, family, SCRIPT_TALK_PORT);
	script->steps = 0;
	script->length = 0;
	script->promises = 0;
	script->odd = 0;
}

/* No seed makes that many: one that does is a fault of the generator. */
static struct step *next_step(struct script *script)
{
	if (script->steps == SCRIPT_STEPS)
		abort();
	memset(&script->step[script->steps], 0, sizeof(script->step[0]));
	return &script->step[script->steps++];
}

static void append(struct script *script, struct step *step, const void *bytes, uint32_t length)
{
	if (length > SCRIPT_TEXT - script->length)
		abort();
	memcpy(script->text + script->length, bytes, length);
	script->length += length;
	step->length = (uint16_t)(step->length + length);
}

void script_say(struct script *script, enum side side, const void *bytes, uint32_t length)
{
	struct step *step = next_step(script);

	step->kind = STEP_SAY;
	step->side = side;
	step->at = script->length;
	append(script, step, bytes, length);
}

void script_say_more(struct script *script, const void *bytes, uint32_t length)
{
	append(script, &script->step[script->steps - 1], bytes, length);
}

void script_silence(struct script *script, uint32_t seconds)
{
	struct step *step = next_step(script);

	step->kind = STEP_SILENCE;
	step->seconds = seconds;
}

void script_data(struct script *script, enum side side, uint16_t port, bool must, bool named)
{
	struct step *step = next_step(script);

	step->kind = STEP_DATA;
	step->side = side;
	step->port = port;
	step->must = must;
	step->named = named;
}

void script_promise(struct script *script, enum side side, uint16_t port)
{
	if (script->promises == SCRIPT_PROMISES)
		abort();
	script->promise[script->promises++] = (struct promise){ .side = side, .port = port };
}

bool script_promised(const struct script *script, enum side side, uint16_t port)
{
	for (unsigned int i = 0; i < script->promises; i++)
		if (script->promise[i].side == side && script->promise[i].port == port)
			return true;
	return false;
}

static void print_quoted(const uint8_t *bytes, uint32_t length)
{
	putchar('"');
	for (uint32_t i = 0; i < length; i++) {
		if (bytes[i] == '\r' || bytes[i] == '\n')
			fputs(bytes[i] == '\r' ? "\\r" : "\\n", stdout);
		else if (bytes[i] < ' ' || bytes[i] >= 0x7f)
			printf("\\x%02x", bytes[i]);
		else
			printf(bytes[i] == '"' || bytes[i] == '\\' ? "\\%c" : "%c", bytes[i]);
	}
	puts("\"");
}

static const char *address_of(const struct endpoint *endpoint, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(endpoint->family == FAMILY_IPV6 ? AF_INET6 : AF_INET, endpoint->address, text,
			 INET6_ADDRSTRLEN);
}

static void print_data(const struct script *script, const struct step *step)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	const bool ipv6 = script->inside[CLIENT].family == FAMILY_IPV6;

	address_of(&script->inside[!step->side], from);
	address_of(&script->inside[step->side], to);
	printf(ipv6 ? "    %c: [%s]:%u > [%s]:%u\n" : "    %c: %s:%u > %s:%u\n", step->must ? 'D' : 'X', from,
	       step->side == CLIENT ? 20u : 41000u + step->port % 1000u, to, step->port);
}

static void print_header(const struct script *script)
{
	char text[4][INET6_ADDRSTRLEN];
	const enum side translated = script->world == DNATED ? SERVER : CLIENT;
	unsigned int must = 0;

	for (unsigned int i = 0; i < script->steps; i++)
		must += script->step[i].kind == STEP_DATA && script->step[i].must;
	printf("## %" PRIu64, script->seed);
	for (unsigned int i = 0; i < ODDITIES; i++)
		if (script->odd >> i & 1)
			printf("%s %s", script->odd & ((UINT64_C(1) << i) - 1) ? "," : "", oddity_name[i]);
	printf("%s\nOptions: ", script->hostile ? " hostile" : "");
	if (script->world == PLAIN)
		printf("none. ");
	else
		printf("--nat %s=%s. ", address_of(&script->inside[translated], text[0]),
		       address_of(&script->seen[translated], text[1]));
	printf("Ends: %s > %s. Expected: %u.\n\n", address_of(&script->inside[CLIENT], text[2]),
	       address_of(&script->inside[SERVER], text[3]), must);
}

void script_print(const struct script *script)
{
	print_header(script);
	for (unsigned int i = 0; i < script->steps; i++) {
		const struct step *step = &script->step[i];

		if (step->kind == STEP_SILENCE) {
			printf("    T: %" PRIu32 " s\n", step->seconds);
		} else if (step->kind == STEP_DATA) {
			print_data(script, step);
		} else {
			printf("    %c: ", step->side == CLIENT ? 'C' : 'S');
			print_quoted(script->text + step->at, step->length);
		}
	}
	putchar('\n');
}
