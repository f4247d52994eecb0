// SPDX-License-Identifier: GPL-2.0-or-later
#include "command/command.h"
#include "tools.h"

static const struct command commands[] = {
	{ "replay", tools_replay, "put a capture through the same engine, offline", OPTION_OF_REPLAY },
	{ "explain", tools_explain,
	  "draw the dialogues of a capture as ladders: who says what, what is rewritten and why", OPTION_OF_EXPLAIN },
	{ "top", tools_top, "show what the daemon follows, again every second", OPTION_OF_TOP },
	{ NULL, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
	return command_main(commands, argc, argv);
}
