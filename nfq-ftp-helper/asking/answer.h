/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer - what the daemon says to each question: a row of a table each. Internal to asking.
 */
#ifndef ASKING_ANSWER_H
#define ASKING_ANSWER_H

#include "asking.h"
#include "host/clock.h"
#include "kernel/exchange.h"
#include "kernel/nfqueue_stat.h"
#include "question.h"

#include <jansson.h>

/* What all answers are made from. */
#define VIEW_SAMPLES 11 /* one a second, of which two are so many seconds apart */

struct view_sample {
	uint64_t at; /* milliseconds */
	struct figures sum;
};

struct view {
	struct asking_config config;
	/* Of each source, as last read whole: what counts up must not fall, or a reader takes it for a new start. */
	struct figures *known;
	uint64_t since; /* the start, by clock_of_sessions(): what is known of 1970 may change */
	int stat_file;	/* of nfqueue_stat_open(): a file, or why there is none */
	struct view_sample samples[VIEW_SAMPLES];
	unsigned int taken; /* of these, in all */
	unsigned int readers;
	uint64_t turned_away; /* who was told that it is busy, in all */
};

/* Of a time of clock_of_sessions(): seconds since 1970. */
double view_time(uint64_t at);

/* All workers' figures. */
void view_sum(const struct view *view, struct figures *sum);

/* What the kernel has of a queue. Return: NULL, or why that cannot be told: a sentence. */
const char *view_queue(const struct view *view, int32_t number, struct nfqueue_stat *stat);

/* Once a second: what rates are made of. */
void view_sample(struct view *view);

/* Lines on their way to somebody: sent, and what is left. */
struct answer_lines {
	char *text;
	size_t length, sent, room;
	bool failed; /* no memory */
};

#define FOLLOW_EVENTS 512

/* What waits for somebody who follows. */
struct answer_follow {
	struct event ring[FOLLOW_EVENTS];
	unsigned int first, count;
	uint64_t lost;			 /* behind what waits */
	uint64_t rules_gone, rules_back; /* so often, as told */
};

/* An answer being given. */
struct response {
	const struct view *view;
	struct question question;
	struct answer_lines lines;
	bool begun;
	unsigned int source; /* how far it has come */
	uint32_t slot;
	struct answer_follow *follow;
	struct exchange *walk; /* through conntrack: answer_fast() */
};

/* One more line. It takes @object. */
void answer_line(struct response *answer, json_t *object);

/* The same of a text that is JSON as it stands: quicker, where there may be many. */
#define ANSWER_LINE_MAX 1024
void answer_format(struct response *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Go on: some more lines, but where it waits for something. Return: whether it is over. */
bool answer_more(struct response *answer);

/* The first line of an answer: {"version":1,"answer":...}, to add to. */
json_t *answer_begin(const struct response *answer);

#define ANSWER_TEXT_MAX (4 * EVENTS_TEXT_MAX + 1)

/* Bytes of the network, without the end of their line, as printable ASCII. Return: @text, which has room for four a byte and a NUL. */
const char *answer_text(const char *bytes, size_t length, char *text);

/* As endpoint_print() has it, a string; NULL: no memory. The caller's. */
json_t *answer_endpoint(const struct endpoint *endpoint);

/* Who adjusts the sequence numbers of a session: itself, or conntrack one of these, or nobody. */
const char *answer_adjusted_by(bool self, const struct seqadj *original, const struct seqadj *reply);

/* Each question's. Return: whether it is over. */
bool answer_status(struct response *answer);
bool answer_sessions(struct response *answer);
bool answer_metrics(struct response *answer);
bool answer_follow(struct response *answer);

/* The kernel module's own sessions. Return: whether it is over. */
bool answer_fast(struct response *answer);

/* One of them, where @object is one; nothing, else: for exchange_walk_on(). @context: the answer. */
void answer_fast_object(void *context, const struct nlmsghdr *object);

/* In any case, before the memory of @answer goes. */
void answer_fast_end(struct response *answer);

/* How the rules stand. @watched: NULL: nobody looks. */
enum watched_state answer_rules_state(const struct watched *watched);

/* Those that are missing, for people, as a member of @object; where none are: nothing. */
void answer_missing(json_t *object, const struct watched *watched);

/* Who begins to follow hears of what becomes of the rules from then on. Is there something new? */
void answer_follow_rules_begin(struct answer_follow *follow, const struct watched *watched);
bool answer_follow_rules_news(const struct answer_follow *follow, const struct watched *watched);

/* One more event for somebody who follows; or so many that are lost. */
void answer_follow_add(struct answer_follow *follow, const struct event *event);

#endif
