// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ends say to each other between transfers: plain exchanges, and all that is odd in them and works.
 */
#include "talk.h"

#include <stdio.h>
#include <string.h>

static const char *const plain[][2] = {
	{ "NOOP", "200 ok" },
	{ "PWD", "257 \"/\" is here" },
	{ "CWD pub", "250 ok" },
	{ "CWD nowhere", "550 no" },
	{ "TYPE A", "200 A" },
	{ "REST 0", "350 from there" },
	{ "SIZE f", "213 4711" },
	{ "MDTM f", "213 20250101000000" },
	{ "OPTS UTF8 ON", "200 on" },
	{ "CLNT x", "200 noted" },
	{ "SITE CHMOD 644 f", "500 what" },
	{ "MODE Z", "504 no" },
	{ "PBSZ 0", "503 no" },
	{ "RNFR a", "350 to what" },
	{ "RNTO b", "250 done" },
	{ "DELE a", "450 busy" },
};

static void exchange_plain(struct talk *talk)
{
	const unsigned int which = talk_pick(talk, sizeof(plain) / sizeof(plain[0]));

	talk_exchange(talk, plain[which][0], plain[which][1]);
}

static void reply_of_lines(struct talk *talk)
{
	static const char *const texts[] = {
		" PORT", " 250 not the end",	"250-nor this", "211 nor this", " (1,2,3,4,5,6)", "text", "-",
		" EPSV", "-rw-r--r-- 1 a b 5 x"
	};
	const bool feat = talk_chance(talk, 50);

	talk_line(talk, CLIENT, feat ? "STAT" : "CWD pub");
	talk_line(talk, SERVER, feat ? "212-status" : "257-welcome");
	talk->one_segment = talk_chance(talk, 60);
	for (unsigned int count = talk_pick(talk, 6); count; count--)
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, texts));
	talk_line(talk, SERVER, feat ? "212 end" : "257 end");
	talk->one_segment = false;
	talk->exchanges++;
}

static void no_hyphen(struct talk *talk)
{
	static const char *const commands[][2] = {
		{ "FEAT", "211" }, { "HELP", "214" }, { "STAT", "211" }, { "SITE HELP", "214" }
	};
	const unsigned int which = talk_pick(talk, 4);

	talk_line(talk, CLIENT, "%s", commands[which][0]);
	talk_line(talk, SERVER, "%s Extensions supported:", commands[which][1]);
	talk->one_segment = talk_chance(talk, 50);
	for (unsigned int count = 1 + talk_pick(talk, 4); count; count--)
		talk_line(talk, SERVER, talk_chance(talk, 50) ? " EPSV" : "MDTM");
	talk_line(talk, SERVER, "%s End", commands[which][1]);
	talk->one_segment = false;
	talk->exchanges++;
}

static void code_bare(struct talk *talk)
{
	talk_line(talk, CLIENT, "TYPE I");
	talk_line(talk, SERVER, talk_chance(talk, 50) ? "200" : "200:I");
	talk->unanswered = true; /* if that is none */
	talk_exchange(talk, "NOOP", "200 ok");
}

static void text_behind(struct talk *talk)
{
	static const char *const texts[] = { "uptime 3 days", "",	 "  and this", "README was changed",
					     "\x80\x81\x82",  "25 users" };

	exchange_plain(talk);
	talk->one_segment = talk_chance(talk, 50);
	for (unsigned int count = 1 + talk_pick(talk, 3); count; count--)
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, texts));
	talk->one_segment = false;
}

static void odd_line(struct talk *talk)
{
	static const char *const lines[] = { "",
					     "   ",
					     "  LIST",
					     "!ls",
					     "-rw-r--r-- pasted",
					     "12345",
					     "\xc3\xa4",
					     "?",
					     "ls;rm",
					     "\x01\x02\x03",
					     "X-Y-Z w",
					     "averyveryverylongwordthatnoserverknows with words behind" };

	talk_exchange(talk, TALK_ONE_OF(talk, lines), "500 what");
}

/* As many in flight as a client without patience has, each answered in turn. */
static void pipeline(struct talk *talk)
{
	unsigned int count = 2 + talk_pick(talk, talk_chance(talk, 20) ? 60 : 12);
	unsigned int which[64];

	for (unsigned int i = 0; i < count; i++) {
		which[i] = talk_pick(talk, sizeof(plain) / sizeof(plain[0]));
		talk_line(talk, CLIENT, "%s", plain[which[i]][0]);
		talk->one_segment = talk_chance(talk, 80);
	}
	for (unsigned int i = 0; i < count; i++) {
		talk_line(talk, SERVER, "%s", plain[which[i]][1]);
		talk->one_segment = talk_chance(talk, 80);
	}
	talk->one_segment = false;
}

/* What is not answered is not remembered for ever: the client goes on after a while. */
static void unanswered(struct talk *talk)
{
	static const char *const commands[] = { "NOOP", "ALLO 100",	"SITE UMASK 022",
						"STAT", "SITE IDLE 60", "OPTS MLST" };

	talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, commands));
	script_silence(talk->script, 1 + talk_pick(talk, 30));
	talk->unanswered = true;
}

static void double_answer(struct talk *talk)
{
	talk_exchange(talk, "TYPE I", "200 I");
	for (unsigned int count = 1 + talk_pick(talk, 2); count; count--)
		talk_line(talk, SERVER, talk_chance(talk, 70) ? "200 I" : "250 as I said");
}

static void record(struct talk *talk, enum side side, uint8_t type)
{
	static const char *const inside[] = {
		"hello", "PORT 10,0,0,2,195,81\r\n", "NOOP\r\n", "\x17\x03\x03", "\r\n", "200 ok\r\n", "\x01"
	};
	const char *text = TALK_ONE_OF(talk, inside);
	const uint32_t length = (uint32_t)strlen(text);
	uint8_t bytes[64] = { type, 3, (uint8_t)(1 + talk_pick(talk, 3)), 0, (uint8_t)length };

	for (uint32_t i = 0; i < length; i++)
		bytes[5 + i] = (uint8_t)text[i];
	talk_bytes(talk, side, bytes, 5 + length);
}

/* TLS for a while, records cut anywhere, and plain text again (RFC 4217 section 12.3), where the dialogue has to show itself anew. */
static void tls_and_back(struct talk *talk)
{
	talk->telnet = talk->nul_of[CLIENT] = talk->nul_of[SERVER] = false; /* such ends have no TLS */
	talk->nul_before = false;
	talk_exchange(talk, talk_chance(talk, 50) ? "AUTH TLS" : "AUTH SSL", "234 go");
	record(talk, CLIENT, 0x16);
	record(talk, SERVER, 0x16);
	for (unsigned int count = talk_pick(talk, 5); count; count--) {
		record(talk, talk_chance(talk, 50) ? CLIENT : SERVER, talk_chance(talk, 80) ? 0x17 : 0x14);
		talk->one_segment = talk_chance(talk, 30);
	}
	if (talk_chance(talk, 60))
		record(talk, CLIENT, 0x15);
	if (talk_chance(talk, 60))
		record(talk, SERVER, 0x15);
	talk->one_segment = talk_chance(talk, 20);
	if (talk_chance(talk, 30))
		talk_exchange(talk, "FEAT", "211-these\r\n EPSV\r\n211 end");
	else
		talk_exchange(talk, "NOOP", "200 ok");
	talk->one_segment = false;
	for (unsigned int count = 1 + talk_pick(talk, 2); count; count--)
		exchange_plain(talk);
	talk->logged_in = false; /* nobody has seen it */
}

struct between {
	enum oddity oddity;
	unsigned int percent;
	void (*say)(struct talk *talk);
};

static const struct between odd[] = {
	{ ODD_NO_HYPHEN, 6, no_hyphen },
	{ ODD_CODE_BARE, 5, code_bare },
	{ ODD_TEXT_BEHIND, 6, text_behind },
	{ ODD_PIPELINE, 6, pipeline },
	{ ODD_COMMAND_UNANSWERED, 6, unanswered },
	{ ODD_DOUBLE_ANSWER, 6, double_answer },
	{ ODD_CCC, 5, tls_and_back },
};

void between(struct talk *talk)
{
	if (talk_chance(talk, 30))
		exchange_plain(talk);
	if (talk_chance(talk, 15))
		reply_of_lines(talk);
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (talk_odd(talk, odd[i].oddity, odd[i].percent))
			odd[i].say(talk);
	if (talk_tolerant(talk) && talk_odd(talk, ODD_CLIENT_LINE, 6))
		odd_line(talk);
	if (talk_odd(talk, ODD_IDLE, 2))
		script_silence(talk->script, 60 + talk_pick(talk, 3000));
}
