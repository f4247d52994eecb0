// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * All sessions log in; then they say NOOP, are answered 200, and acknowledge that, in a random order that visits each
 * of them once before the next word. A batch of packets is made right before it is handed over, outside of the measured
 * time, in a few buffers that are used again and again: so the packets are in the cache, as they are when the kernel
 * has just copied them, and the sessions are not. Time is taken a batch; what the clock itself costs is taken off.
 *
 * This program needs to know of a session only how far it is, and that is the same for all: nothing but the table is as
 * large as the number of sessions, apart from the order of visits, which is read from front to back.
 */
#include "engine.h"
#include "measure.h"
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>

#define NOOP  "NOOP\r\n"
#define REPLY "200 NOOP ok.\r\n"

struct crowd {
	struct stage stage;
	uint32_t sessions;
	uint32_t *order;
	uint32_t rounds; /* NOOPs that all have said */
	uint64_t random;
	struct samples samples;
	struct frame frames[STAGE_BATCH];
	double clock_cost; /* nanoseconds */
};

static uint32_t random_below(struct crowd *crowd, uint32_t limit)
{
	crowd->random = crowd->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((crowd->random >> 32) * limit >> 32);
}

static void shuffle(struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->sessions; i++)
		crowd->order[i] = i;
	for (uint32_t i = crowd->sessions; i > 1; i--) {
		const uint32_t other = random_below(crowd, i), moved = crowd->order[other];

		crowd->order[other] = crowd->order[i - 1];
		crowd->order[i - 1] = moved;
	}
}

/* The least of many: an interruption is no cost of the clock. */
static double clock_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		const uint64_t start = measure_clock();
		uint64_t took;

		for (int j = 0; j < 9; j++)
			measure_clock();
		took = measure_clock() - start;
		least = took < least ? took : least;
	}
	return (double)least / 10;
}

static void hand_over(struct crowd *crowd, size_t count)
{
	struct packet packets[STAGE_BATCH];

	for (size_t i = 0; i < count; i++)
		packets[i] = (struct packet){ crowd->frames[i].bytes, crowd->frames[i].length };
	stage_feed(&crowd->stage, packets, count);
}

static void log_in(struct crowd *crowd, uint32_t number)
{
	struct talk talk;

	talk_begin(&talk, FAMILY_IPV4, true, number);
	talk_login(&talk, crowd->frames);
	hand_over(crowd, TALK_LOGIN);
}

/* Where a session stands that has said so many NOOPs, and then the words up to @word. */
static void make_frame(const struct crowd *crowd, uint32_t number, unsigned int word, struct frame *frame)
{
	struct frame login[TALK_LOGIN];
	struct talk talk;
	static uint32_t said[2];

	talk_begin(&talk, FAMILY_IPV4, true, number);
	if (!said[0]) { /* how much the login says is the same for all */
		const uint32_t start[2] = { talk.next[0], talk.next[1] };

		talk_login(&talk, login);
		said[0] = talk.next[0] - start[0];
		said[1] = talk.next[1] - start[1];
		talk_begin(&talk, FAMILY_IPV4, true, number);
	}
	talk.next[0] += said[0] + crowd->rounds * (uint32_t)strlen(NOOP) + (word > 0 ? (uint32_t)strlen(NOOP) : 0);
	talk.next[1] += said[1] + crowd->rounds * (uint32_t)strlen(REPLY) + (word > 1 ? (uint32_t)strlen(REPLY) : 0);
	if (word == 0)
		talk_say(&talk, frame, DIRECTION_ORIGINAL, 0, NOOP, strlen(NOOP));
	else if (word == 1)
		talk_say(&talk, frame, DIRECTION_REPLY, 0, REPLY, strlen(REPLY));
	else
		talk_say(&talk, frame, DIRECTION_ORIGINAL, 0, "", 0);
}

/* All sessions say one word. */
static void say(struct crowd *crowd, unsigned int word)
{
	for (uint32_t done = 0; done < crowd->sessions; done += STAGE_BATCH) {
		const uint32_t rest = crowd->sessions - done, count = rest < STAGE_BATCH ? rest : STAGE_BATCH;
		uint64_t start;

		for (uint32_t i = 0; i < count; i++)
			make_frame(crowd, crowd->order[done + i], word, &crowd->frames[i]);
		start = measure_clock();
		hand_over(crowd, count);
		samples_add(&crowd->samples, ((double)(measure_clock() - start) - crowd->clock_cost) / count);
	}
}

static void open_crowd(struct crowd *crowd, uint32_t sessions, enum stage_memory memory, const char *directory)
{
	const struct table_size size = { sessions, 4096, 65536 };

	*crowd = (struct crowd){ .sessions = sessions, .random = 1, .clock_cost = clock_cost() };
	crowd->order = malloc(sessions * sizeof(*crowd->order));
	if (!crowd->order)
		measure_fail("out of memory");
	stage_open(&crowd->stage, &size, SEQADJ_KERNEL, memory, directory);
	shuffle(crowd);
	for (uint32_t i = 0; i < sessions; i++)
		log_in(crowd, crowd->order[i]);
	shuffle(crowd);
}

void bench_scale(uint32_t sessions, unsigned int packets, enum stage_memory memory, const char *directory)
{
	static const char *const names[] = {
		[STAGE_FILE] = "file in tmpfs",
		[STAGE_ANONYMOUS] = "anonymous",
		[STAGE_HUGE] = "anonymous, huge pages",
	};
	struct crowd *crowd = malloc(sizeof(*crowd));
	size_t said = 0, accepted;

	if (!crowd)
		measure_fail("out of memory");
	open_crowd(crowd, sessions, memory, directory);
	stage_count(&crowd->stage);
	for (; said < packets; crowd->rounds++)
		for (unsigned int word = 0; word < 3; word++, said += sessions)
			say(crowd, word);
	accepted = crowd->stage.verdicts[VERDICT_ACCEPT];
	if (accepted != said)
		measure_fail("%u sessions: %zu of %zu packets accepted", sessions, accepted, said);
	printf("time\t%u sessions, %s\t%.1f\t%.1f\n", sessions, names[memory], samples_median(&crowd->samples),
	       samples_least(&crowd->samples));
	samples_free(&crowd->samples);
	stage_close(&crowd->stage);
	free(crowd->order);
	free(crowd);
}

void bench_bytes(void)
{
	const struct table_size small = { 1u << 16, 1024, 1024 }, large = { 1u << 17, 1024, 1024 };
	const struct table_size busy = { 1u << 16, 2048, 1024 };

	printf("figure\tbytes a session\t%.1f\n", (double)(table_bytes(&large) - table_bytes(&small)) / (1u << 16));
	printf("figure\tbytes of struct session\t%zu\n", sizeof(struct session));
	printf("figure\tbytes more while busy\t%.1f\n", (double)(table_bytes(&busy) - table_bytes(&small)) / 1024);
}
