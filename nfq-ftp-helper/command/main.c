// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"
#include "option.h"

const struct command command_table[] = {
	{ "run", command_run, "follow FTP control connections from an NFQUEUE, in the foreground", OPTION_OF_RUN },
	{ "replay", command_tools, "put a capture through the same engine, offline", OPTION_OF_REPLAY },
	{ "explain", command_tools,
	  "draw the dialogues of a capture as ladders: who says what, what is rewritten and why", OPTION_OF_EXPLAIN },
	{ "rules", command_rules, "print, apply or remove the netfilter rules that a mode needs", OPTION_OF_RULES },
	{ "check", command_check, "what this machine offers, what is missing, and how to get it", OPTION_OF_CHECK },
	{ "status", command_ask, "ask the running daemon how it is", OPTION_OF_STATUS },
	{ "sessions", command_ask, "list the control connections that it follows", OPTION_OF_SESSIONS },
	{ "expectations", command_ask, "list the data connections that it expects", OPTION_OF_EXPECTATIONS },
	{ "follow", command_ask, "print what it does, as it happens", OPTION_OF_FOLLOW },
	{ "metrics", command_ask, "print what it has counted, as OpenMetrics", OPTION_OF_METRICS },
	{ "top", command_tools, "show what it follows, again every second", OPTION_OF_TOP },
	{ "completion", command_completion, NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
	return command_main(command_table, argc, argv);
}
