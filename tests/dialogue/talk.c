// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64: any seed will do, also neighbouring ones. */
uint64_t talk_random(struct talk *talk)
{
	uint64_t z = talk->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

unsigned int talk_pick(struct talk *talk, unsigned int of)
{
	return (unsigned int)(talk_random(talk) >> 11) % of;
}

bool talk_chance(struct talk *talk, unsigned int percent)
{
	return talk_pick(talk, 100) < percent;
}

bool talk_odd(struct talk *talk, enum oddity oddity, unsigned int percent)
{
	if (!talk->odd_left || !talk_chance(talk, percent))
		return false;
	talk->odd_left--;
	talk->script->odd |= UINT64_C(1) << oddity;
	return true;
}

void talk_bytes(struct talk *talk, enum side side, const void *bytes, uint32_t length)
{
	const struct script *script = talk->script;
	const struct step *last = script->steps ? &script->step[script->steps - 1] : NULL;

	if (talk->one_segment && last && last->kind == STEP_SAY && last->side == side)
		script_say_more(talk->script, bytes, length);
	else
		script_say(talk->script, side, bytes, length);
}

/* What a Telnet client puts before an ABOR, and what stray negotiation there is. */
static size_t put_telnet(struct talk *talk, char *line)
{
	static const char *const before[] = { "\xff\xf4\xff\xf2", "\xff\xfb\x01", "\xff\xf2" };
	const char *bytes = TALK_ONE_OF(talk, before);
	size_t length = 0;

	for (; bytes[length]; length++)
		line[length] = bytes[length];
	return length;
}

void talk_line(struct talk *talk, enum side side, const char *format, ...)
{
	char line[TALK_LINE];
	size_t length = 0;
	int said;
	va_list arguments;

	if (side == CLIENT && talk->telnet && talk_chance(talk, 30))
		length = put_telnet(talk, line);
	va_start(arguments, format);
	said = vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);
	length += (size_t)said;
	if (said < 0 || length + 3 > sizeof(line))
		abort();
	if (side == CLIENT && talk->nul_before)
		line[length++] = '\0';
	if (!talk->lines_end_bare)
		line[length++] = '\r';
	line[length++] = '\n';
	if (talk->nul_of[side])
		line[length++] = '\0';
	talk_bytes(talk, side, line, (uint32_t)length);
}

void talk_exchange(struct talk *talk, const char *command, const char *reply)
{
	talk_line(talk, CLIENT, "%s", command);
	talk_line(talk, SERVER, "%s", reply);
	talk->exchanges++;
}

bool talk_tolerant(const struct talk *talk)
{
	return talk->logged_in && talk->exchanges >= 2;
}

/* None comes twice in a dialogue; of few digits and of many. */
uint16_t talk_port(struct talk *talk)
{
	talk->next_port = (uint16_t)(talk->next_port + 1 + talk_pick(talk, 37));
	return talk->next_port;
}
