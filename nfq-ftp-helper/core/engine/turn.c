// SPDX-License-Identifier: GPL-2.0-or-later
#include "turn.h"

void turn_report(const struct turn *turn, const struct report *report)
{
	const struct engine *engine = turn->engine;
	struct report told;

	if (!engine->report)
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
	turn_report(turn, &(struct report){ .kind = kind });
}
