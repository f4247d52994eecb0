// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A transfer: it is announced, somebody connects, and the control connection goes on. Which data connections there are is decided here as
 * the two ends would: whoever has read an announcement that was not refused dials it.
 */
#include "notation.h"

#include <stdio.h>
#include <string.h>

struct announced {
	enum side side; /* who listens */
	uint16_t port;
	bool named;
	bool dialled;
};

struct asking {
	const char *command;
	void (*answer)(struct talk *talk, uint16_t port, struct written *written);
};

/* What real servers answer to what, by the book or not: clients take what they get. */
static void ask(struct talk *talk, struct asking *asking)
{
	static const char *const aliases[] = { "P@SW", "CPSV", "p@sw" };
	static const struct asking book4[] = { { "PASV", notation_227 }, { "PASV", notation_227 },
					       { "EPSV", notation_229 }, { "EPSV 1", notation_229 },
					       { "LPSV", notation_228 }, { "pasv", notation_227 } };
	static const struct asking book6[] = { { "EPSV", notation_229 },
					       { "EPSV 2", notation_229 },
					       { "LPSV", notation_228 } };
	static const struct asking other4[] = { { "EPSV", notation_227 }, { "PASV", notation_229 },
						{ "LPSV", notation_227 }, { "PASV", notation_228 },
						{ "EPSV", notation_228 }, { "LPSV", notation_229 } };
	static const struct asking other6[] = { { "LPSV", notation_229 }, { "EPSV", notation_228 } };
	const bool ipv6 = talk->script->inside[SERVER].family == FAMILY_IPV6;

	if (talk_odd(talk, ODD_OTHER_ANSWER, 8))
		*asking = ipv6 ? TALK_ONE_OF(talk, other6) : TALK_ONE_OF(talk, other4);
	else if (ipv6 && talk_odd(talk, ODD_ZEROS_OVER_IPV6, 8))
		*asking = (struct asking){ talk_chance(talk, 50) ? "PASV" : "EPSV", notation_227 };
	else if (!ipv6 && talk_odd(talk, ODD_VERB, 8))
		*asking = (struct asking){ TALK_ONE_OF(talk, aliases), notation_227 };
	else
		*asking = ipv6 ? TALK_ONE_OF(talk, book6) : TALK_ONE_OF(talk, book4);
}

/* Commands that go in the same flight before an announcement. Return how many. */
static unsigned int say_before(struct talk *talk)
{
	unsigned int count = 0;

	if (talk_odd(talk, ODD_PIPELINED_ANNOUNCEMENT, 8))
		count = 1 + talk_pick(talk, 3);
	for (unsigned int i = 0; i < count; i++) {
		talk_line(talk, CLIENT, i ? "CWD pub" : "TYPE I");
		talk->one_segment = talk_chance(talk, 80);
	}
	return count;
}

static void answer_before(struct talk *talk, unsigned int count)
{
	talk->one_segment = false;
	for (unsigned int i = 0; i < count; i++) {
		talk_line(talk, SERVER, i ? "250 ok" : "200 I");
		talk->one_segment = talk_chance(talk, 80);
	}
}

/*
 * In one line, or in the first of several, or in all of them: in segments of their own, as each may have to be rewritten, and who cannot send again
 * what was cut away for that (a capture) would be left with a hole.
 */
static void answer_with(struct talk *talk, struct written *written)
{
	char last[NOTATION_TEXT];

	if (!talk_odd(talk, ODD_FIRST_OF_LINES, 6)) {
		talk_line(talk, SERVER, "%s", written->text);
		return;
	}
	snprintf(last, sizeof(last), "%.3s end of it", written->text);
	if (talk_chance(talk, 30))
		memcpy(last, written->text, sizeof(last));
	written->text[3] = '-';
	talk_line(talk, SERVER, "%s", written->text);
	if (talk_chance(talk, 30))
		talk_line(talk, SERVER, " and more");
	talk->one_segment = false;
	talk_line(talk, SERVER, "%s", last);
}

/* The end of the transfer before, where it is still to be said. */
static void pay(struct talk *talk)
{
	talk->one_segment = false;
	if (talk->owed)
		talk_line(talk, SERVER, "226 that one is done, too");
	talk->owed = false;
}

static void announce_passive(struct talk *talk, struct announced *announced)
{
	struct written written;
	struct asking asking;
	unsigned int before;

	if (talk_odd(talk, ODD_REFUSED_FIRST, 5))
		talk_exchange(talk, "EPSV", "500 what");
	before = say_before(talk);
	ask(talk, &asking);
	talk_line(talk, CLIENT, "%s", asking.command);
	answer_before(talk, before);
	asking.answer(talk, announced->port, &written);
	script_promise(talk->script, SERVER, announced->port);
	answer_with(talk, &written);
	pay(talk);
	announced->side = SERVER;
	announced->named = written.named;
}

static void announce_active(struct talk *talk, struct announced *announced)
{
	const bool ipv6 = talk->script->inside[CLIENT].family == FAMILY_IPV6;
	const unsigned int how = talk_pick(talk, 10);
	struct written written;
	unsigned int before;

	if (talk_odd(talk, ODD_REFUSED_FIRST, 5)) {
		const uint16_t port = talk_port(talk);

		notation_lprt(talk, port, &written);
		script_promise(talk->script, CLIENT, port);
		talk_exchange(talk, written.text, "501 what");
	}
	before = say_before(talk);
	if (how < 2)
		notation_lprt(talk, announced->port, &written);
	else if (how < 6 || ipv6)
		notation_eprt(talk, announced->port, &written);
	else
		notation_port(talk, announced->port, &written);
	script_promise(talk->script, CLIENT, announced->port);
	talk_line(talk, CLIENT, "%s", written.text);
	answer_before(talk, before);
	talk_line(talk, SERVER, talk_chance(talk, 90) ? "200 ok" : "250 ok");
	talk->unanswered |= talk->owed; /* 250 may be taken for the end of that */
	pay(talk);
	announced->side = CLIENT;
	announced->named = written.named;
}

static void dial(struct talk *talk, struct announced *announced, unsigned int percent)
{
	if (announced->dialled || !talk_chance(talk, percent))
		return;
	announced->dialled = true;
	script_data(talk->script, announced->side, announced->port, true, announced->named);
}

/*
 * "553-" that a script before the transfer says, and then it begins all the same. Words of success are taken for those of whatever has been left
 * unanswered before, if there is any.
 */
static void begins(struct talk *talk)
{
	static const char *const codes[] = { "553", "550", "250", "226" };
	const char *begun = talk_chance(talk, 70) ? "150 here it comes" : "125 go on";

	if (talk_odd(talk, ODD_MULTI_OTHER_END, 6)) {
		const char *code = codes[talk_pick(talk, talk->unanswered ? 2 : 4)];

		talk_line(talk, SERVER, "%s-", code);
		talk->one_segment = talk_chance(talk, 50);
		for (unsigned int count = talk_pick(talk, 3); count; count--)
			talk_line(talk, SERVER, talk_chance(talk, 50) ? "%s- looked at" : " looked at", code);
	}
	talk_line(talk, SERVER, "%s", begun);
	talk->one_segment = false;
}

/* A transfer that is ended by hand, and how servers say so. */
static bool aborted(struct talk *talk)
{
	static const char *const abor[] = { "ABOR",
					    "\xff\xf4\xff\xf2"
					    "ABOR",
					    "\xff\xf4\xf2"
					    "ABOR" };
	const char *command = abor[talk_pick(talk, talk_tolerant(talk) && talk->exchanges > 3 ? 3 : 2)];

	if (talk_odd(talk, ODD_ABOR_ONE, 4)) {
		talk_exchange(talk, command, talk_chance(talk, 50) ? "426 closed" : "226 done");
		talk->unanswered = true;
	} else if (talk_odd(talk, ODD_ABOR_MANY, 4)) {
		talk_exchange(talk, command, "426 closed");
		for (unsigned int count = 1 + talk_pick(talk, 2); count; count--)
			talk_line(talk, SERVER, count == 2 ? "226 aborted" : "225 nothing left");
	} else if (talk_odd(talk, ODD_ABOR_NONE, 4)) {
		talk_line(talk, SERVER, "226 done");
		talk_line(talk, CLIENT, "%s", command);
		script_silence(talk->script, 2);
		talk->unanswered = true;
	} else {
		return false;
	}
	return true;
}

static void ends(struct talk *talk)
{
	for (unsigned int count = talk_odd(talk, ODD_KEEPALIVE_UNANSWERED, 8) ? 1 + talk_pick(talk, 2) : 0; count;
	     count--)
		talk_line(talk, CLIENT, talk_chance(talk, 60) ? "NOOP" : "STAT"), talk->unanswered = true;
	talk->owed = talk_odd(talk, ODD_LATE_FINAL, 4);
	if (talk->owed || aborted(talk))
		return;
	talk_line(talk, SERVER, talk_chance(talk, 80) ? "226 done" : "250 done");
	if (talk_odd(talk, ODD_DOUBLE_ANSWER, 3))
		talk_line(talk, SERVER, "226 done");
}

void transfer(struct talk *talk)
{
	static const char *const commands[] = { "RETR f", "STOR f", "LIST",   "NLST",	 "MLSD",
						"APPE f", "STOU",   "retr f", "LIST -al" };
	const bool passive = talk_chance(talk, 55);
	struct announced announced = { .port = talk_port(talk) };

	if (passive)
		announce_passive(talk, &announced);
	else
		announce_active(talk, &announced);
	if (passive)
		dial(talk, &announced, 40);
	talk_line(talk, CLIENT, "%s", TALK_ONE_OF(talk, commands));
	talk->exchanges++;
	if (!announced.dialled && talk_odd(talk, ODD_TAPE, 4))
		script_silence(talk->script, 60 + talk_pick(talk, 3000));
	dial(talk, &announced, 40);
	begins(talk);
	dial(talk, &announced, 100);
	ends(talk);
}
