// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

static const struct {
	const char *name;
	const char *text;
} refusals[REFUSALS] = {
	[REFUSED_NOT] = { "", "" },
	[REFUSED_NO_GREETING] = { "no-greeting", "the server has not greeted yet" },
	[REFUSED_NO_EXCHANGE] = { "no-exchange", "the connection was picked up in the middle and no command with its "
						 "reply has been seen yet" },
	[REFUSED_NOT_FTP] = { "not-ftp", "the connection does not speak FTP" },
	[REFUSED_MALFORMED] = { "malformed", "the argument is not a legal address and port" },
	[REFUSED_TOO_LONG] = { "too-long", "the line is longer than a legal one" },
	[REFUSED_STALLED] = { "stalled", "the client sends a part of the argument and waits for its acknowledgement" },
	[REFUSED_STALE] = { "stale", "it may have passed unchanged while no daemon was there" },
	[REFUSED_ADDRESS] = { "address", "the address is a third party's" },
	[REFUSED_FOREIGN] = { "foreign", "the address is not the server's, and such addresses are not mended" },
	[REFUSED_PORT] = { "port", "the port is below the lowest that may be announced" },
	[REFUSED_UNASKED] = { "unasked", "the reply answers no such command" },
	[REFUSED_PIPELINE] = { "pipeline", "too many commands are outstanding" },
	[REFUSED_UNKNOWN] = { "unknown", "conntrack does not know the control connection" },
	[REFUSED_NO_PORT] = { "no-port", "no port is free for the data connection" },
	[REFUSED_LIMIT] = { "limit", "the client announces more than its limit" },
	[REFUSED_SHARE] = { "share", "the client has its share of the busy sessions or of the expectations" },
	[REFUSED_MEMORY] = { "memory", "no memory is left for another busy session" },
	[REFUSED_SPACE] = { "space", "the new text does not fit into a segment" },
	[REFUSED_CONNTRACK] = { "conntrack", "conntrack refused the expectation" },
};

const char *refusal_text(enum refusal refusal)
{
	return refusals[refusal].text;
}

const char *refusal_name(enum refusal refusal)
{
	return refusals[refusal].name;
}

const char *refusal_advice(enum refusal refusal)
{
	static const char *const advice[REFUSALS] = {
		[REFUSED_ADDRESS] = "--loose NETWORK allows the addresses of a network",
		[REFUSED_FOREIGN] = "--foreign mend takes it for the server's own, as clients do",
		[REFUSED_PORT] = "--min-port sets the limit",
		[REFUSED_UNKNOWN] = "its packets must be tracked, and queued behind conntrack",
		[REFUSED_NO_PORT] = "--ports sets the range",
		[REFUSED_LIMIT] =
			"--client-rate sets the limit, and --share-exempt lifts it for a network that stands for many",
		[REFUSED_SHARE] = "--share-exempt lifts the limit for a network that stands for many clients",
		[REFUSED_MEMORY] = "--sessions sets how many there are",
	};

	return advice[refusal];
}
