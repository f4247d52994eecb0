// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who wants a port opened that nobody announced: a server that says anything in any order to an honest client, which never says PORT;
 * and a page in a browser, a mail or a chat, which makes an honest program say FTP's commands to a hostile server.
 */
#include "talk.h"

#include <stdio.h>
#include <string.h>

/* What a server may say. */
// clang-format off
static const char *const server_lines[] = {
	"220 ready", "220-ready", "220 x", "230 in", "230-in", "331 pw", "200 ok", "200-ok", "250 ok", "250-ok",
	"150 go", "125 go", "226 done", "226-", "426 no", "500 no", "550-", "550 no", "553-x", "211-x", "211 end",
	"213-", "213 end", "214-commands", "214 end", "234 go", "120 wait", "421 bye", "", " ", "text", "227", "229 ",
	"PROXY UNKNOWN", "PORT 10,0,0,2,195,81", "EPRT |1|10.0.0.2|50001|", "LPRT 4,4,10,0,0,2,2,195,81",
	"EPRT |2|fd00::2|50001|", "PORT 198,51,100,254,195,81", "227 x (10,0,0,2,195,81)",
	"227 x (198,51,100,254,195,81)", "227 10,0,0,3,195,81", "227 x (192,0,2,10,195,81)", "229 x (|||50001|)",
	"229 x (|1|10.0.0.2|50001|)", "229 x (|2|fd00::2|50001|)", "228 x (4,4,10,0,0,2,2,195,81)",
	"227 x (203,0,113,5,195,81)", "227 x (203,0,113,77,195,81)", "227-x", "USER u", "PASS p", "HTTP/1.1 200 OK",
	"\x16\x03\x01", "\xff\xf4\xff\xf2",
};
// clang-format on

static void say_server(struct talk *talk)
{
	const unsigned int what = talk_pick(talk, 20);
	uint8_t record[] = { 0x17, 3, 3, 0, 5, 'h', 'e', 'l', 'l', 'o' };

	if (what == 0)
		talk_bytes(talk, SERVER, record, sizeof(record));
	else if (what == 1)
		talk_bytes(talk, SERVER, "\0\0\r", 3);
	else
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, server_lines));
	talk->one_segment = talk_chance(talk, 40);
}

static void say_client(struct talk *talk)
{
	static const char *const lines[] = { "USER u",
					     "PASS p",
					     "NOOP",
					     "PASV",
					     "EPSV",
					     "LPSV",
					     "STAT",
					     "TYPE I",
					     "LIST",
					     "RETR file",
					     "FEAT",
					     "AUTH TLS",
					     "SYST",
					     "CWD x",
					     "ABOR",
					     "SITE HELP",
					     "QUIT",
					     "CPSV",
					     "SIZE x\r PORT 10,0,0,2,195,81",
					     "MKD PORT 10,0,0,2,195,81",
					     "STOR EPRT |1|10.0.0.2|50001|" };

	talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, lines));
	talk->one_segment = talk_chance(talk, 20);
}

/* An honest client and a server that says anything. It may open ports of its own; the client has announced none. */
static void lying_server(struct talk *talk)
{
	talk->script->allowed = ALLOWED_SERVERS;
	for (unsigned int count = 5 + talk_pick(talk, 40); count; count--) {
		if (talk_chance(talk, 40))
			say_client(talk);
		else
			say_server(talk);
	}
	talk->one_segment = false;
	script_data(talk->script, CLIENT, 50001, false, false);
}

/* First lines of what is not FTP, and what may follow them. */
// clang-format off
static const char *const openings[] = {
	"GET / HTTP/1.1", "POST /x HTTP/1.0", "USER / HTTP/1.1", "PASV / HTTP/1.1", "NOOP /ftp HTTP/2.0",
	"EHLO example.org", "HELO example.org", "NICK x", "CAP LS 302", "REGISTER sip:a SIP/2.0",
	"OPTIONS sip:a SIP/2.0", "SSH-2.0-OpenSSH_9.2", "*1", "*2", "$4", "\x16\x03\x01", "\x16\x03\x03\x01\x02hello",
	"Host: example.org", "User: x", "PROXY TCP4 1.2.3.4", "PROXY TCP5 192.0.2.9 203.0.113.5 1 2", "{", "<?xml?>",
	"MAIL FROM:<a@b>", "EVAL x 0", "CONNECT a:21 HTTP/1.1",
};
// clang-format on

/* Commands in a request's body, or its headers, or a message; with each the server plays along. */
static void smuggled(struct talk *talk)
{
	static const char *const lines[][2] = {
		{ "USER u", "331 pw" }, { "PASS p", "230 in" },	 { "USER u", "230 in" },
		{ "NOOP", "200 ok" },	{ "Host: x", "200 ok" }, { "TYPE I", "200 I" },
		{ "", "200 ok" },	{ "X-Y: z", "331 pw" },	 { "SYST", "215 x" },
	};
	const unsigned int which = talk_pick(talk, sizeof(lines) / sizeof(lines[0]));

	talk_line(talk, CLIENT, "%s", lines[which][0]);
	talk->one_segment = talk_chance(talk, 30);
	talk_line(talk, SERVER, "%s", lines[which][1]);
}

static void smuggled_announcement(struct talk *talk)
{
	static const char *const announcements[][2] = {
		{ "PORT 10,0,0,2,195,81", "200 ok" },	    { "EPRT |1|10.0.0.2|50001|", "200 ok" },
		{ "EPRT |2|fd00::2|50001|", "200 ok" },	    { "LPRT 4,4,10,0,0,2,2,195,81", "200 ok" },
		{ "PASV", "227 x (203,0,113,5,195,81)" },   { "EPSV", "229 x (|||50001|)" },
		{ "PORT 198,51,100,254,195,81", "200 ok" },
	};
	const unsigned int which = talk_pick(talk, sizeof(announcements) / sizeof(announcements[0]));

	talk_exchange(talk, announcements[which][0], announcements[which][1]);
	talk_line(talk, CLIENT, "LIST");
	talk_line(talk, SERVER, "150 here");
}

/* Nothing may open at all. Before the opening nothing of the client's has been said; a header may come a little later. */
static void browser(struct talk *talk)
{
	talk->script->allowed = ALLOWED_NOTHING;
	if (talk_chance(talk, 60))
		talk_line(talk, SERVER, talk_chance(talk, 80) ? "220 ready" : "220-ready");
	talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, openings));
	talk->one_segment = talk_chance(talk, 40);
	for (unsigned int count = talk_pick(talk, 8); count; count--)
		smuggled(talk);
	talk->one_segment = false;
	for (unsigned int count = 1 + talk_pick(talk, 3); count; count--)
		smuggled_announcement(talk);
	script_data(talk->script, CLIENT, 50001, false, false);
	script_data(talk->script, SERVER, 50001, false, false);
}

/* Names of files, messages and helps that somebody has put on an honest server. */
static void hostile_line(struct talk *talk)
{
	static const char *const lines4[] = {
		"227 x (203,0,113,5,195,81)",  "227 x (10,0,0,94,195,81)", "228 x (4,4,203,0,113,5,2,195,81)",
		"229 x (|||50001|)",	       "227 x (0,0,0,0,195,81)",   "227-x (203,0,113,5,195,81)",
		"227 x (203,0,113,5,195,81,)", "229 x (||| 50001|)",	   "227 x (0203,0000,0113,0005,0195,0081)"
	};
	static const char *const lines6[] = { "229 x (|||50001|)", "229-x (|||50001|)", "227 x (0,0,0,0,195,81)",
					      "229 x (|2|fe80::1|50001|)" };
	static const char *const others[] = { "150 x", "226 x",	 "200 x", "230 x",
					      "234 x", " 213 x", "213-x", "PORT 10,0,0,2,195,81",
					      "" };

	if (talk_chance(talk, 60) && talk->script->inside[SERVER].family == FAMILY_IPV6)
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, lines6));
	else if (talk_chance(talk, 60))
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, lines4));
	else
		talk_line(talk, SERVER, "%s", TALK_ONE_OF(talk, others));
}

/* A server that pads the names which begin with a digit pads none that begins with a byte of Telnet's. */
static void seeming_end(struct talk *talk, const char *code)
{
	static const char *const before[] = { "\xf0", "\xfe", "\xff\xf1", "\xff\xfb\x01" };
	const char *bytes = TALK_ONE_OF(talk, before);

	talk_line(talk, SERVER, "%s%s end", bytes, code);
	talk_line(talk, SERVER, "%s%s", bytes,
		  talk->script->inside[SERVER].family == FAMILY_IPV6 ? "229 x (|||50001|)" :
								       "227 x (203,0,113,5,195,81)");
}

/* In the text of a reply to another command, while an answer to PASV is awaited: there was one flight of both. */
static void in_a_text(struct talk *talk, const char *passive)
{
	static const char *const commands[][2] = { { "STAT .", "212" }, { "CWD pub", "257" }, { "SITE HELP", "214" },
						   { "HELP", "214" },	{ "FEAT", "211" },    { "STAT", "211" },
						   { "MLST f", "251" } };
	const unsigned int which = talk_pick(talk, sizeof(commands) / sizeof(commands[0]));

	talk_line(talk, CLIENT, "%s", commands[which][0]);
	talk->one_segment = talk_chance(talk, 80);
	talk_line(talk, CLIENT, "%s", passive);
	talk->one_segment = false;
	talk_line(talk, SERVER, "%s-this is", commands[which][1]);
	talk->one_segment = talk_chance(talk, 50);
	if (talk_chance(talk, 30))
		seeming_end(talk, commands[which][1]);
	for (unsigned int count = 1 + talk_pick(talk, 4); count; count--)
		hostile_line(talk);
	talk_line(talk, SERVER, "%s end", commands[which][1]);
	talk->one_segment = false;
}

/* A reply to RETR may be ended by a 1xx: neither that line nor the next opens anything. */
static void behind_an_odd_end(struct talk *talk, const char *passive)
{
	talk_line(talk, CLIENT, "RETR f");
	talk->one_segment = talk_chance(talk, 80);
	talk_line(talk, CLIENT, "%s", passive);
	talk->one_segment = false;
	talk_line(talk, SERVER, "550-name");
	talk->one_segment = talk_chance(talk, 50);
	talk_line(talk, SERVER, "150 x");
	talk_line(talk, SERVER,
		  talk->script->inside[SERVER].family == FAMILY_IPV6 ? "229 x (|||50001|)" :
								       "227 x (203,0,113,5,195,81)");
	talk->one_segment = false;
}

/* What an announcement may not name, by whichever end. */
static void refused_by_name(struct talk *talk)
{
	static const char *const commands[] = { "PORT 10,0,0,3,195,81",	   "PORT 203,0,113,5,195,81",
						"PORT 10,0,0,2,3,255",	   "PORT 266,0,0,2,195,81",
						"EPRT |1|10.0.0.3|50001|", "EPRT |2|fd00::3|50001|",
						"EPRT |2|fd00::2|80|",	   "LPRT 4,4,10,0,0,3,2,195,81",
						"PORT 10,0,0,2,195,81,1",  "EPRT |3|10.0.0.2|50001|",
						"PORT 10,0,0,3,195,81,",   "PORT 10,0,0,2,195,81, 1",
						"PORT 10,0,0,2,195,0081",  "PORT 0010,0000,0000,0003,0195,0081",
						"PORT 10,0,0,2,0003,0255", "LPRT 4,4,10,0,0,3,2,195,81," };
	static const char *const replies[] = {
		"227 x (198,18,0,7,195,81)",
		"227 x (203,0,113,77,195,81)",
		"229 x (|||80|)",
		"229 x (|||0|)",
		"227 x (203,0,113,261,195,81)",
		"227 x (203,0,113,5,300,81)",
		"227 x (203,0,113,77,195,81,)",
		"227 x (203,0,113,5,195,0081)",
		"227 x (203,0,113,5,195,81, 7)",
		"227 x (2, 203,0,113,5,195,81)",
		"229 x (||| 80|)",
		"229 x ||| 50001|",
		"229 x (|||50 001|)",
		"227 x (0203,0000,0113,0077,0195,0081)",
	};

	talk_exchange(talk, TALK_ONE_OF(talk, commands), "200 ok");
	if (talk->script->world != DNATED)
		talk_exchange(talk, "PASV", TALK_ONE_OF(talk, replies));
	talk_exchange(talk, "NOOP", "200 ok");
}

/* Two honest ends, and what others have written where they read it. Only what they announce themselves may open. */
static void hostile_texts(struct talk *talk)
{
	const char *passive = talk->script->inside[SERVER].family == FAMILY_IPV6 ? "EPSV" : "PASV";

	opening(talk);
	for (unsigned int count = 1 + talk_pick(talk, 3); count; count--) {
		const unsigned int what = talk_pick(talk, 3);

		if (what == 0)
			refused_by_name(talk);
		else if (what == 1)
			behind_an_odd_end(talk, passive);
		else
			in_a_text(talk, passive);
		script_data(talk->script, talk_chance(talk, 50) ? CLIENT : SERVER, 50001, false, false);
		talk_line(talk, SERVER, "500 that was it");
		talk_exchange(talk, "TYPE I", "200 I");
	}
	transfer(talk);
}

/* A hostile client, and a server that says back what it was told, an LF in it too: no reply of its own, whatever stands behind that. */
static void said_back(struct talk *talk)
{
	static const char *const lines4[] = { "227 x (203,0,113,5,195,81)", "228 x (4,4,203,0,113,5,2,195,81)",
					      "229 x (|||50001|)", "227 x (10,0,0,94,195,81)",
					      "227-x (203,0,113,5,195,81)" };
	const bool ipv6 = talk->script->inside[SERVER].family == FAMILY_IPV6;
	const char *reply = ipv6 ? "229 x (|||50001|)" : TALK_ONE_OF(talk, lines4);
	static const char *const asking[] = { "PASV", "EPSV", "LPSV" };
	const bool asked_before = talk_chance(talk, 30);

	opening(talk);
	if (asked_before) /* and never answered */
		talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, asking));
	talk->one_segment = talk_chance(talk, 50);
	talk_line(talk, CLIENT, "TYPE x\n%s", reply);
	if (!asked_before)
		talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, asking));
	talk->one_segment = false;
	talk_line(talk, SERVER, "504 Unsupported type \"x\n%s\".", reply);
	script_data(talk->script, CLIENT, 50001, false, false);
	script_data(talk->script, SERVER, 50001, false, false);
}

/*
 * A hostile client and the text of others on an honest server, to whom CR LF alone ends a line: the transfer behind an LF is none to it, and
 * outstanding for ever. The text comes no faster than the client likes.
 */
static void hidden_transfer(struct talk *talk)
{
	static const char *const transfers[] = { "LIST", "NLST", "RETR f", "STOR f", "MLSD" };
	static const char *const commands[] = { "CWD pub", "MLST f", "CDUP", "XCWD pub" };
	const bool ipv6 = talk->script->inside[SERVER].family == FAMILY_IPV6;
	const char *passive = ipv6 ? "EPSV" : "PASV";

	opening(talk);
	talk_line(talk, CLIENT, "NOOP x\n%s", TALK_ONE_OF(talk, transfers));
	talk_line(talk, SERVER, "200 ok");
	talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, commands));
	talk_line(talk, SERVER, "250-welcome");
	talk->one_segment = talk_chance(talk, 50);
	talk_line(talk, SERVER, talk_chance(talk, 50) ? "150 x" : "125 x");
	if (talk_chance(talk, 50))
		talk_line(talk, SERVER, "226 x");
	talk->one_segment = false;
	talk_line(talk, CLIENT, "%s", passive);
	talk_line(talk, SERVER, ipv6 ? "229 x (|||50001|)" : "227 x (203,0,113,5,195,81)");
	script_data(talk->script, SERVER, 50001, false, false);
}

void hostile(struct talk *talk)
{
	static void (*const wanted[])(struct talk *) = { lying_server,	lying_server, browser,	      browser,
							 hostile_texts, said_back,    hidden_transfer };

	talk->script->hostile = true;
	TALK_ONE_OF(talk, wanted)(talk);
}
