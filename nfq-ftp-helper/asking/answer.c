// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"

#include "output/visible.h"
#include "watch/standing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* How far the distance of two clocks seems to change without doing so, milliseconds; and how often they are read where something came between. */
#define EPOCH_SLACK 3
#define EPOCH_TRIES 5

static bool (*const answers[QUESTIONS])(struct response *answer) = {
	[QUESTION_STATUS] = answer_status,	   [QUESTION_SESSIONS] = answer_sessions,
	[QUESTION_EXPECTATIONS] = answer_sessions, [QUESTION_METRICS] = answer_metrics,
	[QUESTION_FOLLOW] = answer_follow,
};

bool answer_more(struct response *answer)
{
	return answers[answer->question.kind](answer);
}

/* Between two clocks' milliseconds lies one more or less, as they are read one behind the other: that is no change, or times would go back. */
static int64_t epoch(void)
{
	static _Atomic int64_t kept;
	int64_t before, after, distance, known = atomic_load_explicit(&kept, memory_order_relaxed);
	unsigned int tries = 0;

	do {
		before = clock_milliseconds(CLOCK_BOOTTIME);
		distance = clock_milliseconds(CLOCK_REALTIME) - before;
		after = clock_milliseconds(CLOCK_BOOTTIME);
	} while (after - before > 1 && ++tries < EPOCH_TRIES);
	if (distance - known > EPOCH_SLACK || known - distance > EPOCH_SLACK) {
		known = distance;
		atomic_store_explicit(&kept, known, memory_order_relaxed);
	}
	return known;
}

double view_time(uint64_t at)
{
	return (double)((int64_t)at + epoch()) / 1000;
}

void view_sum(const struct view *view, struct figures *sum)
{
	struct figures figures;

	memset(sum, 0, sizeof(*sum));
	for (unsigned int i = 0; i < view->config.sources; i++) {
		if (figures_read(view->config.source[i].published, &figures))
			view->known[i] = figures;
		figures_add(sum, &view->known[i]);
	}
}

const char *view_queue(const struct view *view, int32_t number, struct nfqueue_stat *stat)
{
	int error;

	if (view->stat_file < 0)
		return nfqueue_stat_complaint(view->stat_file);
	error = nfqueue_stat_read(view->stat_file, (uint16_t)number, stat);
	if (error == -ENOENT)
		return "the kernel has no such queue any more: nobody gets its packets; start this program anew";
	return error ? nfqueue_stat_complaint(error) : NULL;
}

void view_sample(struct view *view)
{
	struct view_sample *sample = &view->samples[view->taken++ % VIEW_SAMPLES];

	sample->at = clock_of_sessions();
	view_sum(view, &sample->sum);
}

/* ---- lines ---- */

static bool grow_lines(struct answer_lines *lines, size_t more)
{
	const size_t room = lines->length + more > 2 * lines->room ? lines->length + more : 2 * lines->room;
	char *text;

	if (lines->room - lines->length >= more)
		return true;
	text = realloc(lines->text, room);
	if (!text)
		return false;
	lines->text = text;
	lines->room = room;
	return true;
}

static void add_to_lines(struct answer_lines *lines, const char *text, size_t length)
{
	if (!text || !grow_lines(lines, length + 1)) {
		lines->failed = true;
		return;
	}
	memcpy(lines->text + lines->length, text, length);
	lines->length += length;
	lines->text[lines->length++] = '\n';
}

void answer_line(struct response *answer, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

	add_to_lines(&answer->lines, text, text ? strlen(text) : 0);
	json_decref(object);
	free(text);
}

void answer_format(struct response *answer, const char *format, ...)
{
	char text[ANSWER_LINE_MAX];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	add_to_lines(&answer->lines, length >= 0 && (size_t)length < sizeof(text) ? text : NULL, (size_t)length);
}

json_t *answer_begin(const struct response *answer)
{
	return json_pack("{s:i, s:s}", "version", ASKING_VERSION, "answer", question_names[answer->question.kind]);
}

const char *answer_text(const char *bytes, size_t length, char *text)
{
	char *to = text;

	while (length && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n'))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\')
			*to++ = bytes[i];
		else
			to += visible_escape(bytes[i], to);
	}
	*to = '\0';
	return text;
}

json_t *answer_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_PRINT_MAX];

	return json_string(endpoint_print(endpoint, text));
}

const char *answer_adjusted_by(bool self, const struct seqadj *original, const struct seqadj *reply)
{
	if (self)
		return attach_seqadj_names[SEQADJ_MODE_SELF];
	return seqadj_active(original) || seqadj_active(reply) ? attach_seqadj_names[SEQADJ_MODE_KERNEL] :
								 ATTACH_ADJUSTED_BY_NONE;
}

enum watched_state answer_rules_state(const struct watched *watched)
{
	return watched ? (enum watched_state)atomic_load_explicit(&watched->state, memory_order_relaxed) : WATCHED_NOT;
}

void answer_missing(json_t *object, const struct watched *watched)
{
	const unsigned int missing = atomic_load_explicit(&watched->missing, memory_order_relaxed);
	char text[STANDING_TEXT_MAX];

	if (missing)
		json_object_set_new(object, "missing", json_string(standing_text(missing, text)));
}
