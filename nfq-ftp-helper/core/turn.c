// SPDX-License-Identifier: GPL-2.0-or-later
#include "turn.h"

void turn_report(const struct turn *turn, struct report *report)
{
	const struct engine *engine = turn->engine;

	if (!engine->report)
		return;
	flow_ends(&turn->session->key, &report->client, &report->server);
	report->direction = turn->direction;
	if (!report->command)
		report->command = "";
	engine->report(engine->report_context, report);
}

void turn_report_plain(const struct turn *turn, enum report_kind kind)
{
	struct report plain = { .kind = kind };

	turn_report(turn, &plain);
}
