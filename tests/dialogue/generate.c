// SPDX-License-Identifier: GPL-2.0-or-later
#include "generate.h"

#include "talk.h"

#include <stdlib.h>
#include <string.h>

/* What was said in one go comes in segments of any size. */
static void cut_into_segments(struct talk *talk)
{
	struct script *script = talk->script;
	static _Thread_local struct step whole[SCRIPT_STEPS];
	const unsigned int count = script->steps;
	unsigned int room = SCRIPT_STEPS - count;

	memcpy(whole, script->step, count * sizeof(whole[0]));
	script->steps = 0;
	for (unsigned int i = 0; i < count; i++) {
		struct step rest = whole[i];

		while (rest.kind == STEP_SAY && rest.length > 1 && room && talk_chance(talk, 50)) {
			struct step first = rest;

			first.length = (uint16_t)(1 + talk_pick(talk, rest.length - 1u));
			script->step[script->steps++] = first;
			rest.at += first.length;
			rest.length = (uint16_t)(rest.length - first.length);
			room--;
		}
		script->step[script->steps++] = rest;
	}
}

static void honest(struct talk *talk)
{
	opening(talk);
	for (unsigned int count = 1 + talk_pick(talk, 5); count; count--) {
		if (!talk->owed)
			between(talk);
		transfer(talk);
	}
}

void generate(struct script *script, uint64_t seed, const struct wish *wish)
{
	struct talk talk = { .script = script, .random = seed };
	const unsigned int world = talk_pick(&talk, WORLDS),
			   family = talk_chance(&talk, 30) ? FAMILY_IPV6 : FAMILY_IPV4;
	const bool is_hostile = talk_chance(&talk, 20), cut = talk_chance(&talk, 15);

	script_begin(script, seed, wish->world < 0 ? (enum world)world : (enum world)wish->world,
		     (uint8_t)(wish->family ? wish->family : (int)family));
	talk.odd_left = wish->odd ? 1 + talk_pick(&talk, wish->odd) : 0;
	talk.next_port = (uint16_t)(1024 + talk_pick(&talk, 60000));
	if (wish->hostile < 0 ? is_hostile : wish->hostile)
		hostile(&talk);
	else
		honest(&talk);
	if (cut && (script->hostile || talk_odd(&talk, ODD_SEGMENTS, 100)))
		cut_into_segments(&talk);
}
