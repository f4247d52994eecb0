// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the first byte to the login. Until then the client speaks plain FTP, as a helper may demand (I4); the server may be as odd as
 * it likes.
 */
#include "talk.h"

#include <string.h>

static void proxy_version_1(struct talk *talk)
{
	static const char *const headers[] = {
		"PROXY UNKNOWN\r\n",
		"PROXY TCP4 192.0.2.9 203.0.113.5 56079 21\r\n",
		"PROXY TCP4 10.0.0.2 203.0.113.5 40000 21\r\n",
		"PROXY TCP6 2001:db8::9 2001:db8:5::5 56079 21\r\n",
		"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
	};
	const char *header = TALK_ONE_OF(talk, headers);

	talk_bytes(talk, CLIENT, header, (uint32_t)strlen(header));
}

/* The addresses in it are never used, so that any will do; behind them there may be more (TLVs). */
static void proxy_version_2(struct talk *talk)
{
	uint8_t header[16 + 36 + 16] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n', 0x21, 0x11 };
	const bool local = talk_chance(talk, 20), ipv6 = talk_chance(talk, 30);
	const uint32_t addresses = ipv6 ? 36 : 12, more = talk_chance(talk, 30) ? 3 + talk_pick(talk, 13) : 0;
	const uint32_t length = local ? 0 : addresses + more;

	header[12] = local ? 0x20 : 0x21;
	header[13] = local ? 0x00 : ipv6 ? 0x21 : 0x11;
	header[15] = (uint8_t)length;
	for (uint32_t i = 0; i < length; i++)
		header[16 + i] = (uint8_t)talk_random(talk);
	if (more) {
		header[16 + addresses] = 4; /* PP2_TYPE_NOOP */
		header[16 + addresses + 1] = 0;
		header[16 + addresses + 2] = (uint8_t)(more - 3);
	}
	talk_bytes(talk, CLIENT, header, 16 + length);
}

static void banner(struct talk *talk)
{
	static const char *const lines[] = { "*** private property ***",
					     "",
					     "   authorised users only",
					     "test disclaimer",
					     "Welcome to 1.2.3.4!",
					     "- - -",
					     "12 users",
					     "\t" };

	for (unsigned int count = 1 + talk_pick(talk, 3); count; count--) {
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, lines));
		talk->one_segment = talk_chance(talk, 50);
	}
}

static void greeting_of_lines(struct talk *talk, const char *code)
{
	talk_line(talk, SERVER, "%s-welcome", code);
	for (unsigned int count = talk_pick(talk, 3); count; count--)
		talk_line(talk, SERVER, talk_chance(talk, 50) ? " to this server" : "%s-to this server", code);
}

/* Return whether it says that the user is logged in already. */
static bool greeting(struct talk *talk)
{
	static const char *const others[] = { "200", "211", "221", "215", "250" };
	const char *code = "220";

	if (talk_odd(talk, ODD_BANNER, 8))
		banner(talk);
	if (talk_odd(talk, ODD_GREETING_120, 5))
		talk_line(talk, SERVER, "120 ready in %u minutes", 1 + talk_pick(talk, 9));
	if (talk_odd(talk, ODD_GREETING_230, 6))
		code = "230";
	else if (talk_odd(talk, ODD_GREETING_2XX, 5))
		code = TALK_ONE_OF(talk, others);
	if (talk_chance(talk, 25))
		greeting_of_lines(talk, code);
	talk_line(talk, SERVER, "%s ready", code);
	talk->one_segment = false;
	return strcmp(code, "230") == 0;
}

static void login_in_one(struct talk *talk)
{
	talk_line(talk, CLIENT, "USER u");
	talk->one_segment = true;
	talk_line(talk, CLIENT, "PASS p");
	talk_line(talk, SERVER, "331 pw");
	talk_line(talk, SERVER, "230 in");
	talk->one_segment = false;
	talk->exchanges++;
}

static void login(struct talk *talk)
{
	static const char *const other_yes[] = { "200 in", "220 in", "221-in\r\n221 now", "240 in", "257 in" };

	if (talk_chance(talk, 15)) {
		talk_exchange(talk, "USER anonymous", "230 in");
	} else if (talk_odd(talk, ODD_LOGIN_IN_ONE, 4)) {
		login_in_one(talk);
	} else if (talk_odd(talk, ODD_ACCOUNT, 4)) {
		talk_exchange(talk, "USER u", "331 pw");
		talk_exchange(talk, "PASS p", "332 account");
		talk_exchange(talk, "ACCT a", talk_chance(talk, 50) ? "230 in" : "202 superfluous");
	} else if (talk_odd(talk, ODD_LOGIN_2XX, 4)) {
		talk_exchange(talk, "USER u", "331 pw");
		talk_exchange(talk, "PASS p", TALK_ONE_OF(talk, other_yes));
	} else {
		talk_exchange(talk, "USER u", "331 pw");
		talk_exchange(talk, "PASS p", "230 in");
	}
	if (talk_odd(talk, ODD_DOUBLE_ANSWER, 4))
		talk_line(talk, SERVER, "230 you have mail");
	talk->logged_in = true;
}

/* A greeting whose last line has the hyphen too: the answer to USER ends it, and one exchange more shows that it did. */
static void open_without_end(struct talk *talk)
{
	greeting_of_lines(talk, "220");
	talk->one_segment = false;
	if (talk_chance(talk, 25)) {
		talk_exchange(talk, "USER u", "230 in");
	} else {
		talk_exchange(talk, "USER u", "331 pw");
		talk_exchange(talk, "PASS p", "230 in");
	}
	talk_exchange(talk, "TYPE I", "200 I");
	talk_exchange(talk, "PWD", "257 \"/\"");
	talk->logged_in = true;
}

void opening(struct talk *talk)
{
	bool autologin;

	if (talk_odd(talk, ODD_PROXY_1, 4))
		proxy_version_1(talk);
	else if (talk_odd(talk, ODD_PROXY_2, 4))
		proxy_version_2(talk);
	talk->lines_end_bare = talk_odd(talk, ODD_LINE_FEED, 4);
	talk->nul_of[CLIENT] = talk_odd(talk, ODD_CLIENT_NUL, 4);
	talk->nul_before = !talk->nul_of[CLIENT] && talk_odd(talk, ODD_CLIENT_NUL, 4);
	talk->nul_of[SERVER] = talk_odd(talk, ODD_SERVER_NUL, 4);
	if (talk_odd(talk, ODD_GREETING_NO_END, 5)) {
		open_without_end(talk);
		return;
	}
	autologin = greeting(talk);
	if (talk_chance(talk, 10))
		talk_exchange(talk, "AUTH TLS", "502 no");
	if (talk_chance(talk, 20))
		talk_exchange(talk, "FEAT", "500 what");
	if (!autologin)
		login(talk);
	talk->logged_in = true;
	if (talk_chance(talk, 40))
		talk_exchange(talk, "SYST", "215 UNIX Type: L8");
	if (talk_chance(talk, 60))
		talk_exchange(talk, "TYPE I", "200 I");
	talk->telnet = talk_odd(talk, ODD_TELNET, 5);
}
