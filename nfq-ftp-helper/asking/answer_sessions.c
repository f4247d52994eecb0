// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions, a line each, and what they have announced. A piece of an answer is at most PIECE lines, and a walk over at most WALK slots,
 * so that an empty table of any size holds nobody up.
 */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>

#define PIECE 256
#define WALK  65536

/* The line's beginning, which all have: the two ends. What is in these lines is numbers and this program's own words. */
#define ENDS_MAX (2 * ENDPOINT_PRINT_MAX + 64)

static const char *ends_of(const struct session *session, char text[ENDS_MAX])
{
	struct endpoint client, server;
	char of_client[ENDPOINT_PRINT_MAX], of_server[ENDPOINT_PRINT_MAX];

	flow_ends(&session->key, &client, &server);
	snprintf(text, ENDS_MAX, "\"client\":\"%s\",\"server\":\"%s\",\"zone\":%u", endpoint_print(&client, of_client),
		 endpoint_print(&server, of_server), session->key.zone);
	return text;
}

/* Seconds from the one to the other; none where that is in the past. */
static uint32_t seconds_to(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from) > 0 ? to - from : 0;
}

static void add_session(struct response *answer, const struct table_view *view, unsigned int queue)
{
	const struct session *session = &view->session;
	const uint32_t now = (uint32_t)(clock_of_sessions() / 1000);
	const struct ftp_word *word = ftp_word_of(session->stream[DIRECTION_ORIGINAL].word);
	const char *state = question_state_name(session->state);
	char ends[ENDS_MAX], since[24] = "null";
	uint32_t age;

	if (session_age(session, now, &age))
		snprintf(since, sizeof(since), "%" PRIu32, age);
	answer_format(answer,
		      "{%s,\"queue\":%u,\"state\":\"%s\",\"command\":\"%s\",\"age\":%s,\"idle\":%" PRIu32
		      ",\"logged_in\":%s,\"seqadj\":\"%s\",\"shift\":{\"client\":%" PRId32 ",\"server\":%" PRId32
		      "},\"expectations\":%u,\"fast\":false}",
		      ends_of(session, ends), queue, state ? state : "unknown", word ? word->text : "", since,
		      seconds_to(session->last_seen, now), session->logged_in ? "true" : "false",
		      answer_adjusted_by(session->self, &session->stream[0].adj, &session->stream[1].adj),
		      session->stream[DIRECTION_ORIGINAL].adj.after, session->stream[DIRECTION_REPLY].adj.after,
		      view->announcements);
}

static const char *command_of(const struct announcement *announcement)
{
	const struct ftp_word *word =
		ftp_word_announcing((enum direction)announcement->direction, (enum ftp_kind)announcement->kind);

	return word ? word->text : "";
}

static void add_expectation(struct response *answer, const struct table_view *view,
			    const struct announcement *announcement)
{
	const struct expectation *expectation = &announcement->expectation;
	const uint32_t now = (uint32_t)(clock_of_sessions() / 1000);
	char ends[ENDS_MAX], from[ENDPOINT_PRINT_MAX], to[ENDPOINT_PRINT_MAX], inner[ENDPOINT_PRINT_MAX] = "";

	if (expectation->translated)
		endpoint_print(&expectation->nat_src, inner);
	answer_format(answer,
		      "{%s,\"command\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"behind_nat\":\"%s\",\"age\":%" PRIu32
		      ",\"left\":%" PRIu32 ",\"accepted\":%s}",
		      ends_of(&view->session, ends), command_of(announcement),
		      endpoint_print_address(&expectation->tuple.src, from),
		      endpoint_print(&expectation->tuple.dst, to), inner, seconds_to(announcement->since, now),
		      seconds_to(now, announcement->until), announcement->answered ? "true" : "false");
}

/* Return: lines added. */
static unsigned int add_worker_sessions(struct response *answer, const struct table_view *view, unsigned int queue)
{
	if (!filter_takes(&answer->question.filter, &view->session))
		return 0;
	if (answer->question.kind == QUESTION_SESSIONS) {
		add_session(answer, view, queue);
		return 1;
	}
	for (unsigned int i = 0; i < view->announcements; i++)
		add_expectation(answer, view, &view->announcement[i]);
	return view->announcements;
}

bool answer_sessions(struct response *answer)
{
	const struct asking_config *config = &answer->view->config;
	unsigned int lines = 0;
	struct table_view view;

	if (!answer->begun)
		answer_line(answer, answer_begin(answer));
	answer->begun = true;
	for (unsigned int walked = 0; lines < PIECE && walked < WALK; walked++) {
		const struct asking_source *source = &config->source[answer->source];

		if (answer->source == config->sources)
			return answer_fast(answer);
		if (answer->slot == table_slots(source->table)) {
			answer->source++;
			answer->slot = 0;
		} else if (table_view(source->table, ++answer->slot, &view)) {
			lines += add_worker_sessions(answer, &view, source->queue);
		}
	}
	return false;
}
