// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a line may be, and which reply answers which command: each kind of odd but working dialogue in several spellings, and beside it the
 * hostile ones that look like it and must stay shut.
 */
#include "unit.h"

#include "common/dialogue.h"

#include <stdio.h>

/* A dialogue is one text: lines with "C:" and "S:" in front, each a segment; "\n" stands for itself. */
#define C "\001" /* the client says what follows */
#define S "\002" /* and the server */

#define LOGIN	S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "230 x\r\n"
#define PASV	C "PASV\r\n" S PASSIVE
#define TEXT(t) t, sizeof(t) - 1

static void play(struct dialogue *d, const char *text, size_t length)
{
	const char *const end = text + length;

	while (text < end) {
		const int side = *text == *S ? SERVER : CLIENT;
		const char *next = ++text;

		while (next < end && *next != *C && *next != *S)
			next++;
		dialogue_says_bytes(d, side, text, (uint32_t)(next - text));
		text = next;
	}
}

/* The port 3001, of the client or the server, and nothing else opens. */
static void opens(const char *text, size_t length)
{
	struct dialogue d;

	dialogue_open(&d, NO_NAT);
	play(&d, text, length);
	if (d.expectations != 1)
		fail_msg("%u are expected after \"%.*s\"", d.expectations, (int)length, text);
	dialogue_ends_open(&d, 3001);
}

/* Nothing ever does. */
static void shut(const char *text, size_t length)
{
	struct dialogue d;

	dialogue_open(&d, NO_NAT);
	play(&d, text, length);
	if (d.expect_calls)
		fail_msg("something is expected after \"%.*s\"", (int)length, text);
	dialogue_close(&d);
}

#define OPENS(text) opens(TEXT(text))
#define SHUT(text)  shut(TEXT(text))

/* ---- which reply answers which command ---- */

static void unanswered(void **state)
{
	(void)state;
	OPENS(LOGIN C "NOOP\r\n" PASV);
	OPENS(LOGIN C "NOOP\r\n" C "TYPE I\r\n" C "SYST\r\n" PASV);
	OPENS(LOGIN C "RETR a\r\n" S "150 x\r\n" C "NOOP\r\n" S "226 x\r\n" PASV);
	OPENS(LOGIN C "NOOP\r\n" C PORT_IN S "200 x\r\n" C "LIST\r\n" S "150 x\r\n");
	OPENS(LOGIN C "XYZZY\r\n" C "PASV\r\n" S "227-a\r\n" PASSIVE);
}

static void answered_twice(void **state)
{
	(void)state;
	OPENS(LOGIN C "NOOP\r\n" S "200 x\r\n200 x\r\n" PASV);
	OPENS(LOGIN C "NOOP\r\n" S "200 x\r\n" C "PASV\r\n" S "200 x\r\n" PASSIVE);
	OPENS(LOGIN C "TYPE I\r\n" S "200 x\r\n" C "PASV\r\n" S "250-x\r\n250 x\r\n" S "226 x\r\n" PASSIVE);
	OPENS(LOGIN C "PASV\r\n" S PASSIVE S "227 x (192,168,7,3,11,186)\r\n");
}

static void one_reply_to_an_abort(void **state)
{
	(void)state;
	OPENS(LOGIN C "RETR a\r\n" S "150 x\r\n" C "\377\364\377\362ABOR\r\n" S "426 x\r\n" PASV);
	OPENS(LOGIN C "RETR a\r\n" S "150 x\r\n" C "ABOR\r\n" S "226 x\r\n" C PORT_IN S "200 x\r\n");
	OPENS(LOGIN C "RETR a\r\n" S "150 x\r\n" C "\377\364\362ABOR\r\n" S "426 x\r\n225 x\r\n226 x\r\n" PASV);
	OPENS(LOGIN C "STOR a\r\n" S "125 x\r\n" C "ABOR\r\n" S PASSIVE C "PASV\r\n" S PASSIVE);
}

/* The address may stand in any line of the reply that has its code; a line of others' text, or one that nobody has asked for, is none. */
static void any_of_its_lines(void **state)
{
	(void)state;
	OPENS(LOGIN C "PASV\r\n" S "227-x (192,168,7,3,11,185)\r\n227 end\r\n" C "LIST\r\n");
	OPENS(LOGIN C "EPSV\r\n" S "229-2 lines\r\n" S "229-x (|||3001|)\r\n text (|||3002|)\r\n" S "229 end\r\n");
	OPENS(LOGIN C "PASV\r\n" S "227-x (192,168,7,3,11,186)\r\n" S PASSIVE);
	OPENS(LOGIN C "PASV\r\n" S "227-x (192,168,7,3,11,186)\r\n227 x\r\n" C "LIST\r\n" S "150 x\r\n226 x\r\n" PASV);
	SHUT(LOGIN S "227-x (192,168,7,3,11,185)\r\n227 end\r\n" C "PASV\r\n");
	SHUT(LOGIN C "PASV\r\n" S "211-x\r\n227-x (192,168,7,3,11,185)\r\n211 end\r\n");
	SHUT(LOGIN C "PASV\r\n" S "227-x (203,0,113,77,11,185)\r\n227 end\r\n" S "227-x (192,168,7,3,2,185)\r\n");
	SHUT(LOGIN C "TYPE x\n227-x\r\n" C "PASV\r\n" S PASSIVE);
}

/* Whichever of the three was asked for, and of the three that answer. */
static void any_of_the_three(void **state)
{
	static const char *const commands[] = { "PASV", "EPSV", "LPSV", "CPSV", "P@SW", "epsv 1", "p@sw", "Cpsv" };
	static const char *const replies[] = { "227 x (192,168,7,3,11,185)", "229 x (|||3001|)",
					       "228 x (4,4,192,168,7,3,2,11,185)" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (unsigned int k = 0; k < sizeof(replies) / sizeof(replies[0]); k++) {
			char text[200];
			const int length =
				snprintf(text, sizeof(text), LOGIN C "%s\r\n" S "%s\r\n", commands[i], replies[k]);

			opens(text, (size_t)length);
		}
	SHUT(LOGIN C "PASVX\r\n" S PASSIVE);
	SHUT(LOGIN C "NOOP\r\n" S PASSIVE);
	SHUT(LOGIN S PASSIVE C "PASV\r\n");
}

static void in_flight(unsigned int count, const char *last, const char *reply)
{
	struct dialogue d;

	dialogue_open(&d, NO_NAT);
	play(&d, TEXT(LOGIN));
	for (unsigned int i = 0; i < count; i++)
		dialogue_says(&d, CLIENT, i % 3 ? "NOOP\r\n" : "SIZE x\r\n");
	dialogue_says(&d, CLIENT, last);
	for (unsigned int i = 0; i < count; i++)
		dialogue_says(&d, SERVER, i % 3 ? "200 x\r\n" : "213 1\r\n");
	dialogue_says(&d, SERVER, reply);
	dialogue_ends_open(&d, 3001);
}

static void any_number_in_flight(void **state)
{
	static const unsigned int counts[] = { 1, 12, 100, 10000, 70000 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		in_flight(counts[i], "PASV\r\n", PASSIVE);
		in_flight(counts[i], PORT_IN, "200 x\r\n");
	}
}

/* Nor is anything left of a transfer whose last reply never comes, or is no transfer's, once the next has begun: however many there are. */
static void never_over(void **state)
{
	static const char *const last[] = { "", "200 complete\r\n", "503 x\r\n", "226-x\r\n226 x\r\n226 x\r\n",
					    "150 x\r\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		struct dialogue d;

		dialogue_open(&d, NO_NAT);
		play(&d, TEXT(LOGIN));
		for (unsigned int count = 1; count <= 20; count++) {
			dialogue_says(&d, CLIENT, PORT_IN);
			assert_int_equal(d.expect_calls, count);
			play(&d, TEXT(S "200 x\r\n" C "RETR x\r\n" S "150 x\r\n"));
			if (*last[i])
				dialogue_says(&d, SERVER, last[i]);
		}
		/* In step again: a refusal is the last PORT's. */
		play(&d, TEXT(C "PORT 10,0,0,2,11,186\r\n" S "501 x\r\n"));
		assert_int_equal(d.unexpect_calls >= 1, 1);
		dialogue_close(&d);
	}
}

/* What stands before a PASV counts as answered once that is: nothing of it is left for what comes behind. */
static void older_is_answered(void **state)
{
	static const char *const rows[] = {
		LOGIN C "NOOP\r\n" PASV C "PORT 10,0,0,2,11,186\r\n" S "500 x\r\n",
		LOGIN C "USER u\r\nTYPE I\r\n" PASV C "NOOP\r\n" S "200 x\r\n" C "PORT 10,0,0,2,11,186\r\n" S
			"530 x\r\n",
		LOGIN PASV C "NOOP\r\nRETR x\r\n" S "150 x\r\n" C "PORT 10,0,0,2,11,186\r\n" S "550 x\r\n501 x\r\n",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dialogue d;

		dialogue_open(&d, NO_NAT);
		play(&d, rows[i], strlen(rows[i]));
		assert_int_equal(d.expect_calls, 2);
		assert_int_equal(d.unexpect_calls, i == 2 ? 2 : 1); /* in the third, the transfer is over as well */
		assert_int_equal(d.expectations, i == 2 ? 0 : 1);
		dialogue_close(&d);
	}
	OPENS(LOGIN C "NOOP\r\n" PASV S "227 x (192,168,7,3,11,186)\r\n");
}

/* Taken back, as soon as it is refused; the reply to what stands before it is not one to it. */
static void refused(void **state)
{
	static const struct {
		const char *commands, *replies;
		bool taken_back;
	} rows[] = {
		{ "TYPE I\r\n" PORT_IN, "200 x\r\n500 x\r\n", true },
		{ "TYPE I\r\nCWD x\r\n" PORT_IN, "200 x\r\n550 x\r\n530 x\r\n", true },
		{ PORT_IN "NOOP\r\n", "501 x\r\n200 x\r\n", true },
		{ "TYPE I\r\n" PORT_IN, "500 x\r\n200 x\r\n", false },
		{ "CWD x\r\n" PORT_IN, "550 x\r\n200 x\r\n", false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dialogue d;

		dialogue_open(&d, NO_NAT);
		play(&d, TEXT(LOGIN));
		dialogue_says(&d, CLIENT, rows[i].commands);
		assert_int_equal(d.expect_calls, 1);
		dialogue_says(&d, SERVER, rows[i].replies);
		assert_int_equal(d.unexpect_calls, rows[i].taken_back);
		dialogue_close(&d);
	}
}

/* ---- the server's lines ---- */

static void no_form(void **state)
{
	(void)state;
	OPENS(S "a banner\r\n" LOGIN PASV);
	OPENS(S "*****\r\n\r\n  no code\r\n" LOGIN PASV);
	OPENS(S "12\r\n1234 x\r\n999 x\r\n\377\376\r\n" LOGIN PASV);
	OPENS(LOGIN C "FEAT\r\n" S "211 Extensions:\r\n EPSV\r\n MDTM\r\n211 End\r\n" PASV);
	OPENS(LOGIN C "HELP\r\n" S "214 Help:\r\nUSER PASS\r\n QUIT\r\n214 End\r\n" C PORT_IN S "200 x\r\n");
	OPENS(LOGIN C "STAT\r\n" S "211 Status\r\n     Connected\r\n211 End\r\n" C "EPSV\r\n" S "229 x (|||3001|)\r\n");
	OPENS(LOGIN C "NOOP\r\n" S "200OK\r\n" PASV);
	OPENS(LOGIN C "RETR x\r\n" S "150 x\r\n226 x\r\nand some text\r\n" PASV);
	opens(TEXT(
		"\002220 x\r\n\0\001USER u\r\n\002331 x\r\n\0\0\001PASS p\r\n\002230 x\0y\r\n\001PASV\r\n\002" PASSIVE));
}

/* And proves nothing. */
static void no_form_proves_nothing(void **state)
{
	(void)state;
	SHUT(S "a banner\r\n" C PORT_IN);
	SHUT(S "SSH-2.0-x\r\n" C "USER u\r\n" C PORT_IN);
	SHUT(S "220x\r\n" C PORT_IN);
	SHUT(LOGIN C "PASV\r\n" S "text 227 x (192,168,7,3,11,185)\r\n");
	SHUT(LOGIN C "PASV\r\n" S " " PASSIVE);
	SHUT(LOGIN C "PASV\r\n" S "227x (192,168,7,3,11,185)\r\n");
}

static void greetings(void **state)
{
	(void)state;
	OPENS(S "230 x\r\n" C "TYPE I\r\n" S "200 x\r\n" PASV);
	OPENS(S "200 x\r\n" C "USER u\r\n" S "230 x\r\n" PASV);
	OPENS(S "120 x\r\n" S "250-a\r\n250 b\r\n" C PORT_IN);
	OPENS(S "220-a\r\nno end\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "230 x\r\n" PASV);
	OPENS(S "220-a\r\n" C "USER u\r\n" S "230 x\r\n" PASV);
	SHUT(S "220-a\r\n" C PORT_IN);
	SHUT(S "220-a\r\n331 x\r\n" C PORT_IN);
	SHUT(S "421 x\r\n" C PORT_IN);
	SHUT(S "500-x\r\n" C "USER u\r\n" S "331 x\r\n" C PORT_IN);
}

/* ---- a multi-line reply that ends oddly ---- */

static void ends_oddly(void **state)
{
	(void)state;
	OPENS(LOGIN C "STOR x\r\n" S "553-\r\n553- no\r\n150 but yes\r\n226 x\r\n" PASV);
	OPENS(LOGIN C "RETR x\r\n" S "226-a\r\n125 b\r\n" S "226 x\r\n" C PORT_IN S "200 x\r\n");
	OPENS(LOGIN C "NOOP\r\n" C "APPE x\r\n" S "550-a\r\nb\r\n150 c\r\n" S "250 x\r\n" PASV);
	OPENS(LOGIN C "LIST\r\n" S "450-a\r\n150-b\r\n150 c\r\n226 x\r\n" PASV);
}

/* Hostile texts: names of files in STAT, what CWD shows, SITE HELP; the PASV behind them is on its way, or comes before its client has read them. */
static void text_stays_text(void **state)
{
	(void)state;
	SHUT(LOGIN C "STAT\r\nPASV\r\n" S "213-x\r\n150 x\r\n" PASSIVE "213 x\r\n");
	SHUT(LOGIN C "STAT\r\nPASV\r\nLIST\r\n" S "213-x\r\n150 x\r\n" PASSIVE);
	SHUT(LOGIN C "CWD x\r\nPASV\r\n" S "250-\r\n230 x\r\n226 x\r\n" PASSIVE);
	SHUT(LOGIN C "SITE HELP\r\nPASV\r\n" S "214-\r\n" PASSIVE "331 x\r\n" PASSIVE);
	SHUT(LOGIN C "RETR x\r\nPASV\r\n" S "550-x\r\n150 x\r\n" PASSIVE);
	SHUT(LOGIN C "STOR x\r\nPASV\r\n" S "553-x\r\n150 x\r\n226 x\r\n" PASSIVE);
	SHUT(LOGIN C "DELE x\r\nLIST\r\nPASV\r\n" S "550-x\r\n125 x\r\n" PASSIVE PASSIVE);
	SHUT(S "220-x\r\n" C "USER u\r\nPASV\r\n" S "331 x\r\n" PASSIVE);
}

/*
 * The same of a server that pads names which begin with a digit: FreeBSD's to "STAT -1 ." Only these do not begin with one, and what is skipped
 * elsewhere is a part of them.
 */
static void padded_text_stays_text(void **state)
{
	(void)state;
	SHUT(LOGIN C "STAT -1 .\r\nPASV\r\n" S "211-x\r\n\360211 x\r\n\360" PASSIVE "211 x\r\n");
	SHUT(LOGIN C "STAT -1 .\r\nPASV\r\n" S "211-x\r\n\377\361211 x\r\n\377\361" PASSIVE "211 x\r\n");
	SHUT(LOGIN C "STAT -1 .\r\nPASV\r\n" S "211-x\r\n2\377\36111 x\r\n" PASSIVE "211 x\r\n");
	SHUT(LOGIN C "STAT -1 .\r\nPASV\r\n" S "211-x\r\n\377\373\r211 x\r\n" PASSIVE "211 x\r\n");
	SHUT(LOGIN C "RETR x\r\n" S "550-x\r\n\360150 x\r\n" C "PASV\r\n" S PASSIVE);
	opens(TEXT(LOGIN "\001STAT\r\n\002211-x\r\n\0 y\r\n\0"
			 "211 x\r\n\0\001PASV\r\n\002" PASSIVE));
	OPENS(LOGIN C "\377\375\003NOOP\r\n" S "\377\374\003200 x\r\n" C "PASV\r\n" S "\377\376\003" PASSIVE);
}

/* A PASV that was sent before its client had the line that ended the reply does not count; one sent behind that does. */
static void sent_before_the_end(void **state)
{
	(void)state;
	for (int knows = 0; knows < 2; knows++) {
		struct dialogue d;
		uint32_t acked;

		dialogue_open(&d, NO_NAT);
		play(&d, TEXT(LOGIN C "STOR x\r\n"));
		acked = d.acked[CLIENT];
		dialogue_says(&d, SERVER, "553-x\r\n150 x\r\n");
		d.silent = !knows;
		if (!knows)
			d.acked[CLIENT] = acked;
		dialogue_says(&d, CLIENT, "PASV\r\n");
		d.silent = false;
		dialogue_says(&d, SERVER, PASSIVE);
		assert_int_equal(d.expect_calls, knows);
		dialogue_close(&d);
	}
}

/* ---- the client's lines ---- */

#define ODD_THEN_PORT(odd) LOGIN C odd S "500 x\r\n" C PORT_IN S "200 x\r\n"

static void odd_lines_once_trusted(void **state)
{
	(void)state;
	OPENS(ODD_THEN_PORT("XYZZY\r\n"));
	OPENS(ODD_THEN_PORT("*?\r\n"));
	OPENS(ODD_THEN_PORT("\303\244\r\n"));
	OPENS(ODD_THEN_PORT(" NOOP\r\n"));
	OPENS(ODD_THEN_PORT("NOOP;x\r\n"));
	OPENS(ODD_THEN_PORT("RETR a HTTP/1.1\r\n"));
	OPENS(ODD_THEN_PORT("XSHA256 a:b\r\n"));
	opens(TEXT(LOGIN "\001NO\0OP\r\n\002500 x\r\n\001" PORT_IN));
	SHUT(LOGIN C "X " PORT_IN);
	SHUT(LOGIN C "*" PORT_IN);
	SHUT(LOGIN C "NOOP\r" PORT_IN);
}

static void odd_lines_before(void **state)
{
	(void)state;
	SHUT(S "220 x\r\n" C "XYZZY\r\n" S "500 x\r\n" C PORT_IN);
	SHUT(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "XYZZY\r\n" S
	       "230 x\r\n" C PORT_IN); /* 331 loosens nothing */
	SHUT(S "220 x\r\n" C "TYPE I\r\n" S "200 x\r\n" C "NOOP\r\n" S "200 x\r\n" C "*\r\n" C PORT_IN); /* no login */
	SHUT(S "230 x\r\n" C "TYPE I\r\n" S "200 x\r\n" C "*\r\n" C PORT_IN); /* one command */
	SHUT(S "230 x\r\n" C "TYPE I\r\nNOOP\r\n*\r\n" S "200 x\r\n200 x\r\n" C PORT_IN);
	OPENS(S "230 x\r\n" C "TYPE I\r\n" S "200 x\r\n" C "NOOP\r\n" S "200 x\r\n" C "*\r\n" C PORT_IN);
	OPENS(S "220 x\r\n" C "OPEN ftp.example.org\r\n" S "220 y\r\n" C "USER u\r\n" S "230 x\r\n" PASV);
	OPENS(S "220 x\r\n" C "USER u\r\n" S "332 x\r\n" C "ACCT a\r\n" S "202 x\r\n" C "*\r\n" C PORT_IN);
	/* any 2xx, where nobody else may have it; and no other reply */
	OPENS(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "220 x\r\n" C "*\r\n" C PORT_IN);
	OPENS(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "257-a\r\n257 x\r\n" C "*\r\n" C PORT_IN);
	SHUT(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S PASSIVE C "*\r\n" C PORT_IN);
	SHUT(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "350 x\r\n" C "*\r\n" C PORT_IN);
	SHUT(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "SYST\r\nPASS p\r\n" S "215 x\r\n" C "*\r\n" C PORT_IN);
}

/* The second command has to come from somebody who had the first one's answer. */
static void sent_behind_the_answer(void **state)
{
	(void)state;
	for (int knows = 0; knows < 2; knows++) {
		struct dialogue d;
		uint32_t acked;

		dialogue_open(&d, NO_NAT);
		dialogue_says(&d, SERVER, "230 x\r\n");
		dialogue_says(&d, CLIENT, "TYPE I\r\n");
		acked = d.acked[CLIENT];
		dialogue_says(&d, SERVER, "200 x\r\n");
		d.silent = !knows;
		if (!knows)
			d.acked[CLIENT] = acked;
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 x\r\n");
		dialogue_says(&d, CLIENT, "*\r\n");
		dialogue_says(&d, CLIENT, PORT_IN);
		assert_int_equal(d.expect_calls, knows);
		dialogue_close(&d);
	}
}

#define REST_OF_IT S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS p\r\n" S "230 x\r\n" C PORT_IN S "200 x\r\n"

/* Each of these first: nothing that the server says behind it opens anything. */
static void other_protocols(void **state)
{
	(void)state;
	SHUT(C "GET / HTTP/1.1\r\nHost: x\r\n\r\n" REST_OF_IT);
	SHUT(C "USER / HTTP/1.1\r\n" REST_OF_IT);
	SHUT(C "PORT / HTTP/1.1\r\n" REST_OF_IT);
	SHUT(C "PORT 10,0,0,2,11,185 HTTP/1.1\r\n" REST_OF_IT);
	SHUT(C "PASV /a HTTP/1.0\n" REST_OF_IT);
	SHUT(C "RETR /a HT" C "TP/1.1\r" C "\n" REST_OF_IT);
	SHUT(C "PORT /a HT" C "TP/1.1\r" C "\n" REST_OF_IT);
	SHUT(C "EHLO x\r\n" REST_OF_IT);
	SHUT(C "HELO x\r\nMAIL FROM:<a>\r\n" REST_OF_IT);
	SHUT(C "NICK a\r\nUSER a 0 * :b\r\n" REST_OF_IT);
	SHUT(C "CAP LS\r\n" REST_OF_IT);
	SHUT(C ":a PRIVMSG b\r\n" REST_OF_IT);
	SHUT(C "INVITE sip:a@b SIP/2.0\r\n" REST_OF_IT);
	SHUT(C "OPTIONS sip:a SIP/2.0\r\n" REST_OF_IT);
	SHUT(C "SSH-2.0-x\r\n" REST_OF_IT);
	SHUT(C "\026\003\001x\r\n" REST_OF_IT);
	SHUT(C "*1\r\n$4\r\nPING\r\n" REST_OF_IT);
	SHUT(C "PING\r\n" REST_OF_IT);
}

/* And at any time. */
static void foreign_at_any_time(void **state)
{
	(void)state;
	SHUT(LOGIN C "Host: x\r\n" C PORT_IN);
	SHUT(LOGIN C "User-Agent: x\r\n" C PORT_IN);
	SHUT(LOGIN C "NO" C "OP" C ":x\r\n" C PORT_IN);
	SHUT(LOGIN C "X_y.z:\r\n" C PORT_IN);
	SHUT(LOGIN C "GET / HTTP/1.1\r\n" C PORT_IN);
	SHUT(S "220 x\r\n" C "USER u\r\n" S "331 x\r\n" C "PASS /a HTTP/1.1\r\n" S "230 x\r\n" C PORT_IN);
}

/*
 * What a server says back of what it was told, to whom only CR LF ends a line: an LF in a name, and what looks like a reply behind it. Seen:
 * pyftpdlib 1.5.7 says "504 Unsupported type "x<LF>227 x (...)"." to TYPE.
 */
#define SAID_BACK(behind, reply)                                                                                       \
	LOGIN C "TYPE x" behind "\r\nPASV\r\n" S "504 Unsupported type \"x\n" reply "\".\r\n" PASSIVE C "NOOP\r\n" S   \
		"200 x\r\n"

static void said_back(void **state)
{
	(void)state;
	SHUT(SAID_BACK("\n227 x (192,168,7,3,12,234)", "227 x (192,168,7,3,12,234)"));
	SHUT(SAID_BACK("\n228 x (4,4,192,168,7,3,2,12,234)", "228 x (4,4,192,168,7,3,2,12,234)"));
	SHUT(SAID_BACK("\n229 x (|||3306|)", "229 x (|||3306|)"));
	SHUT(SAID_BACK("\n2" C "2" C "9" C " x (|||3306|)", "229 x (|||3306|)"));
	SHUT(SAID_BACK("\n\377\361" C "22\377\361"
		       "9 x (|||3306|)",
		       "229 x (|||3306|)"));
	SHUT(SAID_BACK("\nNO\377\373\n229 x (|||3306|)", "229 x (|||3306|)"));
	SHUT(LOGIN C "PASV\r\n" C "MKD a\n227 x (192,168,7,3,12,234)\r\n" S "227 x (192,168,7,3,12,234)\r\n");
	SHUT(LOGIN C "227 x\r\n" C PORT_IN);
	/* What begins with digits is a line of no interest else. */
	OPENS(ODD_THEN_PORT("12345\r\n"));
	OPENS(ODD_THEN_PORT("227\r\n"));
	OPENS(ODD_THEN_PORT("227x y\r\n"));
	OPENS(ODD_THEN_PORT("22\r\n"));
	OPENS(ODD_THEN_PORT("200 x\r\n"));
	SHUT(LOGIN C "2" PORT_IN);
}

static void nul_and_cr(void **state)
{
	(void)state;
	opens(TEXT(LOGIN "\001\0PORT 10,0,0,2,11,185\r\n"));
	opens(TEXT(LOGIN "\001NOOP\r\n\0\0\001PORT 10,0,0,2,11,185\r\n\0"));
	opens(TEXT(LOGIN "\001PORT 10,0,0,2,11,185\r\0\n"));
	opens(TEXT(LOGIN "\001PORT 10,0,0,2,11,185\0\r\n"));
	opens(TEXT(LOGIN "\001PASV\0\r\n\002" PASSIVE));
	opens(TEXT(
		"\002220 x\r\n\001SYST\0\r\n\002215 x\r\n\001USER u\0\r\n\002331 x\r\n\001PASV\0 x\r\n\002" PASSIVE));
	shut(TEXT(LOGIN "\001PORT\0 10,0,0,2,11,185\r\n"));
	shut(TEXT(LOGIN "\001XY\0PORT 10,0,0,2,11,185\r\n"));
	shut(TEXT("\002220 x\r\n\001GET\0\r\n\002200 x\r\n\001" PORT_IN));
	SHUT(LOGIN C "NOOP x\r\rPORT 10,0,0,2,11,185\r\n");
	SHUT(C "\rGET / HTTP/1.1\r\n" REST_OF_IT);
	OPENS(LOGIN C "PORT\t10,0,0,2,11,185\t \r\n");
	SHUT(LOGIN C "PORT 10,0,0,2,11,185\tx\r\n");
	OPENS(LOGIN C "PORT 10,0,0,2,11,185\r\r\n");
	OPENS(LOGIN C "PORT 10,0,0,2,11,185\n");
	SHUT(LOGIN C "PORT 10,0,0,2,11,185\r");
	opens(TEXT(
		"\002220 x\r\n\001USER u\r\n\0\002331 x\r\n\001PASS p\r\n\0\002230 x\r\n\001PORT 10,0,0,2,11,185\r\n\0"));
}

/* ---- a load balancer's header ---- */

#define BINARY(command, family, length) "\r\n\r\n\0\r\nQUIT\n" command family "\0" length
#define TWELVE				"123456789012"

static void proxy_headers(void **state)
{
	(void)state;
	OPENS(C "PROXY TCP4 192.0.2.9 203.0.113.5 56079 21\r\n" LOGIN PASV);
	OPENS(C "PROXY TCP6 2001:db8::9 ::1 1 65535\r\n" LOGIN PASV);
	OPENS(C "PROXY TCP6 ::ffff:192.168.0.1 ::ffff:192.168.0.1 53740 10001\r\n" LOGIN PASV);
	OPENS(C "PROXY TCP6 2001:db8::1 192.0.2.1 51512 22\r\n" LOGIN PASV);
	OPENS(C "PROXY TCP6 ::ffff:1" C "92.0.2.1 1:2:3:4::0.10.255.0 51512 22\r\n" LOGIN PASV);
	OPENS(C "PROXY UNKNOWN\r\n" LOGIN PASV);
	OPENS(C "PROXY UNKNOWN ffff::1 whatever\r\n" LOGIN PASV);
	OPENS(C "PROXY TCP4 1.2.3.4" C " 5.6.7.8 1 2\r" C "\nUSER u\r\n" S "220 x\r\n331 x\r\n" PASV);
	opens(TEXT("\001" BINARY("\x21", "\x11", "\x0c") TWELVE LOGIN PASV));
	opens(TEXT("\001" BINARY("\x20", "\x00", "\x00") LOGIN PASV));
	opens(TEXT("\001\r\n\r\n\0\r\nQU\001IT\n\x21\x11\0\x0f\001" TWELVE "\n\r\0" LOGIN PASV));
}

static void no_proxy_headers(void **state)
{
	(void)state;
	SHUT(C "proxy TCP4 192.0.2.9 203.0.113.5 56079 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.9 203.0.113.5 56079\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.9  203.0.113.5 56079 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.256 203.0.113.5 56079 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.09 203.0.113.5 56079 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.9 203.0.113.5 65536 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP4 192.0.2.9 203.0.113.5 56079 21\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 192.0.2.9 203.0.113.5 56079 21\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 1::2::3 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 :1:2:3:4:5:6:7:8 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:192.0.2.256 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:256.0.2.1 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:01.0.2.1 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:1a.0.2.1 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:a1.0.2.1 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:.0.2.1 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:1.2.3 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:1.2.3.4.5 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::ffff:1.2.3.4:5 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::1:2:3:4:5:1.2.3.4 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 1:2:3:4:5:6:1.2.3.4 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 :1.2.3.4 ::1 1 2\r\n" REST_OF_IT);
	SHUT(C "PROXY TCP6 ::1 192.0.2.1\r\n" REST_OF_IT);
	SHUT(C "PROXY UNKNOWNX\r\n" REST_OF_IT);
	SHUT(C "PROXY\r\n" REST_OF_IT);
	SHUT(C "PROXY UNKNOWN " TWELVE TWELVE TWELVE TWELVE TWELVE TWELVE TWELVE TWELVE "\r\n" REST_OF_IT);
	/* Once, and before the first line. */
	SHUT(C "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n" REST_OF_IT);
	SHUT(C "USER u\r\nPROXY UNKNOWN\r\n" REST_OF_IT);
	SHUT(C "\r\nPROXY UNKNOWN\r\n" REST_OF_IT);
	SHUT(C "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n" REST_OF_IT);
	shut(TEXT("\001" BINARY("\x31", "\x11", "\x0c") TWELVE REST_OF_IT));
	shut(TEXT("\001" BINARY("\x21", "\x12", "\x0c") TWELVE REST_OF_IT));
	shut(TEXT("\001" BINARY("\x21", "\x11", "\x0b") "12345678901" REST_OF_IT));
	shut(TEXT("\001\r\n\r\n\0\r\nQUIT\n\x21\x11\x03\x0c" TWELVE REST_OF_IT));
	/* What only looks like one is what it is. */
	OPENS(C "PASS p\r\n" S "220 x\r\n230 x\r\n" PASV);
	opens(TEXT("\001\r\n\r\n\0\r\nQUIT\r\n\002220 x\r\n221 x\r\n" PASV));
	opens(TEXT("\001\r\n\r\nUSER u\r\n\002220 x\r\n230 x\r\n" PASV));
}

/* ---- who watches ---- */

static char watched[512];

/* "USER>331<": who said it, and no more of it than its word or code. */
static void watch(void *context, const struct report *report)
{
	const size_t length = strlen(watched);

	(void)context;
	if (report->kind == REPORT_LINE)
		snprintf(watched + length, sizeof(watched) - length, "%s%c", report->command,
			 report->direction == DIRECTION_ORIGINAL ? '>' : '<');
}

/* Each line that announces nothing, once; of a multi-line reply its end; of what announces, and is told as that, nothing. */
static void watched_by_their_words(void **state)
{
	static const char text[] =
		C "SITE PSWD secret\r\n" S "200 x\r\n" C "XYZZY secret\r\n" S "500-x\r\n 226 x\r\n500 x\r\n" C "NO" C
		  "OP\r\n" S "2" S "00 x\r\n" PASV C "RETR secret\r\n" S "150 x\r\n" S "226 x\r\n";
	struct dialogue d;

	(void)state;
	for (unsigned int lines = 0; lines < 2; lines++) {
		dialogue_open(&d, NO_NAT);
		d.engine.report = watch;
		d.engine.lines = lines;
		watched[0] = '\0';
		play(&d, TEXT(LOGIN));
		play(&d, TEXT(text));
		assert_string_equal(watched,
				    lines ? "220<USER>331<PASS>230<SITE>200<>500<NOOP>200<PASV>RETR>150<226<" : "");
		dialogue_close(&d);
	}
	/* One that another reply ends. */
	dialogue_open(&d, NO_NAT);
	d.engine.report = watch;
	d.engine.lines = true;
	watched[0] = '\0';
	play(&d, TEXT(S "220-x\r\n" C "USER u\r\n" S "331 x\r\n"));
	assert_string_equal(watched, "USER>331<");
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unanswered),
		cmocka_unit_test(answered_twice),
		cmocka_unit_test(one_reply_to_an_abort),
		cmocka_unit_test(any_of_its_lines),
		cmocka_unit_test(any_of_the_three),
		cmocka_unit_test(any_number_in_flight),
		cmocka_unit_test(never_over),
		cmocka_unit_test(older_is_answered),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_form),
		cmocka_unit_test(no_form_proves_nothing),
		cmocka_unit_test(greetings),
		cmocka_unit_test(ends_oddly),
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(padded_text_stays_text),
		cmocka_unit_test(sent_before_the_end),
		cmocka_unit_test(odd_lines_once_trusted),
		cmocka_unit_test(odd_lines_before),
		cmocka_unit_test(sent_behind_the_answer),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(foreign_at_any_time),
		cmocka_unit_test(said_back),
		cmocka_unit_test(nul_and_cr),
		cmocka_unit_test(proxy_headers),
		cmocka_unit_test(no_proxy_headers),
		cmocka_unit_test(watched_by_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
