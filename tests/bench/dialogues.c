// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * A scenario is a dialogue, step by step, that many sessions go through at once: all of them take the first step, then
 * all take the second. So one step of all sessions is a run of packets of one kind, long enough for the clock. Packets
 * are made beforehand. After each round the table is put back to where it was after the logins; before each step, its
 * packets are, outside of the measured time: which also means that they are in the cache, as they are when the kernel
 * has just copied them.
 *
 * What a round asks of conntrack the model answers, and that costs something, too. So each round is followed by one in
 * which it is answered what it was answered before, at once: that is the engine's cost alone, by names with " alone".
 *
 * Rounds before the others look at what the engine does: every verdict as the step says, no allocation, and for
 * what is not edited no byte changed in the packet or written to the output.
 */
#include "engine.h"
#include "measure.h"
#include "stage.h"
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>

#define SESSIONS	512
#define STEPS_MAX	24
#define FIRST_ANNOUNCED 20000

/* What a step measures. The names are the table's rows. */
#define UNINTERESTING "uninteresting"
#define REWRITTEN     "rewritten"
#define HELD	      "held"
#define COMPLETED     "completed"
#define UNCHANGED     "announced"
#define RENUMBERED    "renumbered"

enum part { WHOLE, FIRST_HALF, SECOND_HALF };

struct step {
	const char *kind; /* NULL: not measured */
	const char *detail;
	enum direction direction;
	enum verdict verdict;
	const char *before; /* the text, or what comes before the announced argument */
	const char *after;  /* NULL: there is no argument */
	enum part part;	    /* of an argument that is sent in two segments */
};

struct scenario {
	const char *name;
	uint8_t family;
	bool client_inside;
	bool nat;
	enum seqadj_by seqadj_by;
	enum notation notation;
	struct step steps[STEPS_MAX];
};

#define C DIRECTION_ORIGINAL
#define S DIRECTION_REPLY

static const struct scenario scenarios[] = {
	{ "active IPv4",
	  FAMILY_IPV4,
	  true,
	  true,
	  SEQADJ_KERNEL,
	  NOTATION_HOST_PORT,
	  {
		  { UNINTERESTING, "NOOP", C, VERDICT_ACCEPT, "NOOP\r\n", NULL, WHOLE },
		  { UNINTERESTING, "200", S, VERDICT_ACCEPT, "200 NOOP ok.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "ACK", C, VERDICT_ACCEPT, "", NULL, WHOLE },
		  { REWRITTEN, "PORT", C, VERDICT_REPLACE, "PORT ", "\r\n", WHOLE },
		  { UNINTERESTING, "200 to PORT", S, VERDICT_ACCEPT, "200 PORT command successful.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "STOR", C, VERDICT_ACCEPT, "STOR file.txt\r\n", NULL, WHOLE },
		  { UNINTERESTING, "150", S, VERDICT_ACCEPT, "150 Ok to send data.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "ACK", C, VERDICT_ACCEPT, "", NULL, WHOLE },
		  { UNINTERESTING, "226", S, VERDICT_ACCEPT, "226 Transfer complete.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "ACK", C, VERDICT_ACCEPT, "", NULL, WHOLE },
		  { HELD, "first part", C, VERDICT_REPLACE, "PORT ", "\r\n", FIRST_HALF },
		  { COMPLETED, "second part", C, VERDICT_REPLACE, "PORT ", "\r\n", SECOND_HALF },
		  { NULL, "200", S, VERDICT_ACCEPT, "200 PORT command successful.\r\n", NULL, WHOLE },
		  { NULL, "STOR", C, VERDICT_ACCEPT, "STOR file.txt\r\n", NULL, WHOLE },
		  { NULL, "150", S, VERDICT_ACCEPT, "150 Ok to send data.\r\n", NULL, WHOLE },
		  { NULL, "226", S, VERDICT_ACCEPT, "226 Transfer complete.\r\n", NULL, WHOLE },
	  } },
	{ "passive IPv4",
	  FAMILY_IPV4,
	  false,
	  true,
	  SEQADJ_KERNEL,
	  NOTATION_HOST_PORT,
	  {
		  { UNINTERESTING, "PASV", C, VERDICT_ACCEPT, "PASV\r\n", NULL, WHOLE },
		  { REWRITTEN, "227", S, VERDICT_REPLACE, "227 Entering Passive Mode (", ").\r\n", WHOLE },
		  { UNINTERESTING, "RETR", C, VERDICT_ACCEPT, "RETR file.txt\r\n", NULL, WHOLE },
		  { UNINTERESTING, "150", S, VERDICT_ACCEPT, "150 Opening data connection.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "226", S, VERDICT_ACCEPT, "226 Transfer complete.\r\n", NULL, WHOLE },
	  } },
	{ "active IPv6",
	  FAMILY_IPV6,
	  true,
	  true,
	  SEQADJ_KERNEL,
	  NOTATION_EXTENDED,
	  {
		  { UNINTERESTING, "NOOP", C, VERDICT_ACCEPT, "NOOP\r\n", NULL, WHOLE },
		  { UNINTERESTING, "200", S, VERDICT_ACCEPT, "200 NOOP ok.\r\n", NULL, WHOLE },
		  { REWRITTEN, "EPRT", C, VERDICT_REPLACE, "EPRT ", "\r\n", WHOLE },
		  { UNINTERESTING, "200 to EPRT", S, VERDICT_ACCEPT, "200 EPRT command successful.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "RETR", C, VERDICT_ACCEPT, "RETR file.txt\r\n", NULL, WHOLE },
		  { UNINTERESTING, "150", S, VERDICT_ACCEPT, "150 Opening data connection.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "226", S, VERDICT_ACCEPT, "226 Transfer complete.\r\n", NULL, WHOLE },
	  } },
	{ "without NAT",
	  FAMILY_IPV4,
	  true,
	  false,
	  SEQADJ_KERNEL,
	  NOTATION_HOST_PORT,
	  {
		  { UNCHANGED, "PORT", C, VERDICT_ACCEPT, "PORT ", "\r\n", WHOLE },
		  { UNINTERESTING, "200 to PORT", S, VERDICT_ACCEPT, "200 PORT command successful.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "RETR", C, VERDICT_ACCEPT, "RETR file.txt\r\n", NULL, WHOLE },
		  { UNINTERESTING, "150", S, VERDICT_ACCEPT, "150 Opening data connection.\r\n", NULL, WHOLE },
		  { UNINTERESTING, "226", S, VERDICT_ACCEPT, "226 Transfer complete.\r\n", NULL, WHOLE },
	  } },
	{ "active IPv4, self",
	  FAMILY_IPV4,
	  true,
	  true,
	  SEQADJ_SELF,
	  NOTATION_HOST_PORT,
	  {
		  { REWRITTEN, "PORT, self", C, VERDICT_REPLACE, "PORT ", "\r\n", WHOLE },
		  { RENUMBERED, "200 to PORT", S, VERDICT_REPLACE, "200 PORT command successful.\r\n", NULL, WHOLE },
		  { RENUMBERED, "STOR", C, VERDICT_REPLACE, "STOR file.txt\r\n", NULL, WHOLE },
		  { RENUMBERED, "150", S, VERDICT_REPLACE, "150 Ok to send data.\r\n", NULL, WHOLE },
		  { RENUMBERED, "ACK", C, VERDICT_REPLACE, "", NULL, WHOLE },
		  { RENUMBERED, "226", S, VERDICT_REPLACE, "226 Transfer complete.\r\n", NULL, WHOLE },
		  { RENUMBERED, "NOOP", C, VERDICT_REPLACE, "NOOP\r\n", NULL, WHOLE },
		  { RENUMBERED, "200", S, VERDICT_REPLACE, "200 NOOP ok.\r\n", NULL, WHOLE },
	  } },
};

struct rehearsal {
	const struct scenario *scenario;
	struct stage stage;
	struct talk *talks;   /* SESSIONS */
	struct frame *frames; /* SESSIONS a step */
	struct frame *work;   /* SESSIONS: what the engine gets */
	size_t steps;
	struct samples samples[2][STEPS_MAX]; /* with the model; alone */
	bool alone;			      /* which of these is measured */
};

static void *get_memory(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		measure_fail("out of memory");
	return memory;
}

/* ---- packets ---- */

/* The argument in a session's announcement, before and after NAT. */
static size_t write_argument(const struct scenario *scenario, uint32_t number, bool inside, char *text, size_t capacity)
{
	struct endpoint endpoint = inside ? traffic_inside(scenario->family, 0) : traffic_outside(scenario->family);
	const char delimiter = scenario->notation == NOTATION_EXTENDED ? '|' : ',';
	int length;

	endpoint.port = (uint16_t)(FIRST_ANNOUNCED + number);
	length = endpoint_write(scenario->notation, &endpoint, delimiter, text, capacity);
	if (length < 0)
		measure_fail("an argument cannot be written");
	return (size_t)length;
}

static void make_frame(const struct scenario *scenario, struct talk *talk, uint32_t number, const struct step *step,
		       struct frame *frame)
{
	char text[128], outside[ENDPOINT_TEXT_MAX];
	size_t length = strlen(step->before), argument, half;

	memcpy(text, step->before, length);
	if (!step->after) {
		talk_say(talk, frame, step->direction, 0, text, length);
		return;
	}
	argument = write_argument(scenario, number, true, text + length, sizeof(text) - length);
	half = length + argument / 2;
	length += argument;
	memcpy(text + length, step->after, strlen(step->after));
	length += strlen(step->after);
	if (step->part == FIRST_HALF)
		talk_say(talk, frame, step->direction, 0, text, half);
	else if (step->part == SECOND_HALF)
		talk_say(talk, frame, step->direction, 0, text + half, length - half);
	else
		talk_say(talk, frame, step->direction, 0, text, length);
	if (step->part == FIRST_HALF || !scenario->nat)
		return;
	length = write_argument(scenario, number, false, outside, sizeof(outside));
	talk->shift[step->direction] += (int32_t)length - (int32_t)argument;
}

static void feed(struct stage *stage, struct frame *frames, size_t count)
{
	struct packet packets[STAGE_BATCH];

	for (size_t done = 0; done < count; done += STAGE_BATCH) {
		const size_t batch = count - done < STAGE_BATCH ? count - done : STAGE_BATCH;

		for (size_t i = 0; i < batch; i++)
			packets[i] = (struct packet){ frames[done + i].bytes, frames[done + i].length };
		stage_feed(stage, packets, batch);
	}
}

/* ---- before the curtain ---- */

static void set_up_model(struct rehearsal *rehearsal)
{
	const struct scenario *scenario = rehearsal->scenario;
	const struct endpoint inside = traffic_inside(scenario->family, 0), outside = traffic_outside(scenario->family);

	if (scenario->nat && model_add_nat(rehearsal->stage.model, &inside, &outside))
		measure_fail("the model takes no NAT");
}

static void log_in(struct rehearsal *rehearsal, uint32_t number)
{
	struct talk *talk = &rehearsal->talks[number];
	struct frame login[TALK_LOGIN];
	struct model_connection connection;
	struct segment segment;

	talk_begin(talk, rehearsal->scenario->family, rehearsal->scenario->client_inside, number);
	talk_login(talk, login);
	if (segment_parse(&segment, login[0].bytes, login[0].length, false) ||
	    model_track(rehearsal->stage.model, &segment, MODEL_INSIDE, &connection))
		measure_fail("the model does not take a connection");
	feed(&rehearsal->stage, login, TALK_LOGIN);
}

static void prepare(struct rehearsal *rehearsal, const struct scenario *scenario)
{
	const struct table_size size = { 2 * SESSIONS, 2 * SESSIONS, 1024 };

	*rehearsal = (struct rehearsal){ .scenario = scenario };
	stage_open(&rehearsal->stage, &size, scenario->seqadj_by, STAGE_ANONYMOUS, NULL);
	rehearsal->talks = get_memory(SESSIONS, sizeof(*rehearsal->talks));
	rehearsal->work = get_memory(SESSIONS, sizeof(*rehearsal->work));
	rehearsal->frames = get_memory((size_t)SESSIONS * STEPS_MAX, sizeof(*rehearsal->frames));
	set_up_model(rehearsal);
	for (uint32_t i = 0; i < SESSIONS; i++)
		log_in(rehearsal, i);
	while (rehearsal->steps < STEPS_MAX && scenario->steps[rehearsal->steps].detail)
		rehearsal->steps++;
	for (size_t step = 0; step < rehearsal->steps; step++)
		for (uint32_t i = 0; i < SESSIONS; i++)
			make_frame(scenario, &rehearsal->talks[i], i, &scenario->steps[step],
				   &rehearsal->frames[step * SESSIONS + i]);
	stage_keep(&rehearsal->stage);
}

static void clean_up(struct rehearsal *rehearsal)
{
	for (size_t step = 0; step < rehearsal->steps; step++) {
		samples_free(&rehearsal->samples[false][step]);
		samples_free(&rehearsal->samples[true][step]);
	}
	stage_close(&rehearsal->stage);
	free(rehearsal->talks);
	free(rehearsal->work);
	free(rehearsal->frames);
}

static void bring_packets(struct rehearsal *rehearsal, size_t step)
{
	memcpy(rehearsal->work, rehearsal->frames + step * SESSIONS, SESSIONS * sizeof(*rehearsal->work));
}

/* ---- rounds ---- */

static void check_step(struct rehearsal *rehearsal, size_t number)
{
	const struct step *step = &rehearsal->scenario->steps[number];
	const char *name = rehearsal->scenario->name;
	struct stage *stage = &rehearsal->stage;
	size_t allocations;

	bring_packets(rehearsal, number);
	stage_count(stage);
	stage_wipe(stage);
	measure_allocations();
	feed(stage, rehearsal->work, SESSIONS);
	allocations = measure_allocations();
	if (allocations)
		measure_fail("%s, step %zu (%s): the engine allocated memory %zu times", name, number, step->detail,
			     allocations);
	if (stage->verdicts[step->verdict] != SESSIONS)
		measure_fail("%s, step %zu (%s): %zu of %d packets accepted, %zu replaced, %zu dropped", name, number,
			     step->detail, stage->verdicts[VERDICT_ACCEPT], SESSIONS, stage->verdicts[VERDICT_REPLACE],
			     stage->verdicts[VERDICT_DROP]);
	if (step->verdict != VERDICT_ACCEPT)
		return;
	if (stage_written(stage) ||
	    memcmp(rehearsal->work, rehearsal->frames + number * SESSIONS, SESSIONS * sizeof(*rehearsal->work)) != 0)
		measure_fail("%s, step %zu (%s): an unedited packet was copied or changed", name, number, step->detail);
}

/* All steps once, from the logins on. */
static void go_through(struct rehearsal *rehearsal, void (*take)(struct rehearsal *rehearsal, size_t step))
{
	for (size_t step = 0; step < rehearsal->steps; step++)
		take(rehearsal, step);
	stage_restore(&rehearsal->stage);
}

/* The model remembers its first round, and so the second is as all others: its answers are those that are given again. */
static void check(struct rehearsal *rehearsal)
{
	for (int round = 0; round < 2; round++) {
		stage_watch(&rehearsal->stage);
		go_through(rehearsal, check_step);
	}
	stage_answer_again(&rehearsal->stage);
	go_through(rehearsal, check_step);
}

static void measure_step(struct rehearsal *rehearsal, size_t step)
{
	uint64_t start;

	bring_packets(rehearsal, step);
	start = measure_clock();
	feed(&rehearsal->stage, rehearsal->work, SESSIONS);
	samples_add(&rehearsal->samples[rehearsal->alone][step], (double)(measure_clock() - start) / SESSIONS);
}

static void count_step(struct rehearsal *rehearsal, size_t number)
{
	const struct step *step = &rehearsal->scenario->steps[number];
	char name[64];

	snprintf(name, sizeof(name), "%s%s: %s", step->kind ? step->kind : "other", rehearsal->alone ? " alone" : "",
		 step->detail);
	bring_packets(rehearsal, number);
	measure_begin();
	feed(&rehearsal->stage, rehearsal->work, SESSIONS);
	measure_end(name, SESSIONS);
}

static void play(struct rehearsal *rehearsal, void (*take)(struct rehearsal *rehearsal, size_t step))
{
	rehearsal->alone = false;
	stage_ask_model(&rehearsal->stage);
	go_through(rehearsal, take);
	rehearsal->alone = true;
	stage_answer_again(&rehearsal->stage);
	go_through(rehearsal, take);
}

static void tell(struct rehearsal *rehearsal, bool alone)
{
	for (size_t i = 0; i < rehearsal->steps; i++) {
		const struct step *step = &rehearsal->scenario->steps[i];
		struct samples *samples = &rehearsal->samples[alone][i];

		if (step->kind)
			printf("time\t%s%s: %s\t%.1f\t%.1f\n", step->kind, alone ? " alone" : "", step->detail,
			       samples_median(samples), samples_least(samples));
	}
}

static void rehearse(struct rehearsal *rehearsal, unsigned int rounds)
{
	check(rehearsal);
	if (measure_instructions()) {
		play(rehearsal, measure_step);
		play(rehearsal, count_step);
		return;
	}
	for (unsigned int round = 0; round < rounds; round++)
		play(rehearsal, measure_step);
	tell(rehearsal, false);
	tell(rehearsal, true);
}

void bench_dialogues(unsigned int rounds)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct rehearsal rehearsal;

		prepare(&rehearsal, &scenarios[i]);
		rehearse(&rehearsal, rounds);
		clean_up(&rehearsal);
	}
	printf("figure\tallocations\t0\n");
}
