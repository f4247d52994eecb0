// SPDX-License-Identifier: GPL-2.0-or-later
#include "turn.h"

void turn_report(const struct turn *turn, const struct report *report)
{
	const struct engine *engine = turn->engine;
	struct report told;

	if (!turn_is_listened_to(turn))
		return;
	told = *report;
	flow_ends(&turn->session->key, &told.client, &told.server);
	told.direction = turn->direction;
	if (!told.command)
		told.command = "";
	engine->report(engine->report_context, &told);
}

void turn_report_plain(const struct turn *turn, enum report_kind kind)
{
	if (turn_is_listened_to(turn))
		turn_report(turn, &(struct report){ .kind = kind });
}
