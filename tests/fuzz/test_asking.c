// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of the daemon's socket, of any bytes. A question: it is refused in words, or written again it reads the same. An answer, as somebody
 * would give it who has taken the daemon over: whatever it is, and however it is told, a terminal has nothing to obey, and metrics have no line but our own.
 */
#include "asking/hearing.h"
#include "asking/place.h"
#include "asking/tell.h"
#include "heard.h"

#include <fcntl.h>

/* ---- questions ---- */

static void check_question(const struct question *question)
{
	const struct filter *filter = &question->filter;

	MUST(question->kind < QUESTIONS);
	MUST(filter->state == 0 || question_state_name(filter->state));
	MUST(filter->network.bits <= (filter->network.family == FAMILY_IPV6 ? 128 : 32));
}

static void read_question(const char *line, size_t length)
{
	struct question question, again;
	const char *complaint = question_read(line, length, &question);
	json_t *object;
	char *text;

	if (complaint) {
		MUST(complaint[0] && question.kind == QUESTIONS);
		return;
	}
	check_question(&question);
	object = question_write(&question);
	text = json_dumps(object, JSON_COMPACT);
	MUST(text && !question_read(text, strlen(text), &again));
	MUST(again.kind == question.kind && again.lines == question.lines);
	MUST(again.filter.port == question.filter.port && again.filter.state == question.filter.state);
	MUST(memcmp(&again.filter.network, &question.filter.network, sizeof(again.filter.network)) == 0);
	free(text);
	json_decref(object);
}

/* ---- answers ---- */

static struct input answer;

/* A daemon that has answered and gone: its lines come from memory, since a socket would take longer than all else. */
int place_connect(const char *directory)
{
	(void)directory;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool hearing_begin(struct hearing *hearing, int file, unsigned int patience, size_t most)
{
	(void)patience;
	(void)most;
	*hearing = (struct hearing){ .file = file };
	return true;
}

const char *hearing_line(struct hearing *hearing, size_t *length)
{
	const char *line = (const char *)answer.at;
	const char *end = answer.left ? memchr(line, '\n', answer.left) : NULL;

	(void)hearing;
	if (!end)
		return NULL;
	*length = (size_t)(end - line) + 1;
	answer.at += *length;
	answer.left -= *length;
	return line;
}

void hearing_end(struct hearing *hearing)
{
	(void)hearing;
}

static const struct {
	enum question_kind kind;
	bool json, metrics;
	bool (*line)(struct telling *telling, const json_t *line);
	void (*end)(struct telling *telling);
} tellers[] = {
	{ QUESTION_STATUS, false, false, tell_status, NULL },
	{ QUESTION_SESSIONS, false, false, tell_kept, tell_sessions_end },
	{ QUESTION_EXPECTATIONS, false, false, tell_kept, tell_expectations_end },
	{ QUESTION_METRICS, false, true, tell_metric, tell_metrics_end },
	{ QUESTION_METRICS, false, true, tell_older_metric, NULL },
	{ QUESTION_FOLLOW, false, false, tell_event, NULL },
	{ QUESTION_FOLLOW, true, false, tell_event, NULL },
};

#define TELLERS (sizeof(tellers) / sizeof(tellers[0]))

ONLY_CHECKS static void check_told(const char *told, size_t length)
{
	MUST(strlen(told) == length && (!length || told[length - 1] == '\n'));
	for (; *told; told++)
		MUST(*told == '\n' || (*told >= ' ' && *told <= '~'));
}

/* Each line: a comment, or a sample of ours. */
ONLY_CHECKS static void check_metrics(const char *told)
{
	static const char *const begins[] = { "# TYPE nfq_ftp_helper_", "# UNIT nfq_ftp_helper_",
					      "# HELP nfq_ftp_helper_", "nfq_ftp_helper_", "# EOF\n" };

	for (; *told; told = strchr(told, '\n') + 1) {
		size_t i = 0;

		while (i < 5 && strncmp(told, begins[i], strlen(begins[i])) != 0)
			i++;
		MUST(i < 5);
	}
}

static void read_answer(unsigned int teller)
{
	const struct question question = { .kind = tellers[teller].kind };
	struct telling telling = { .line = tellers[teller].line, .end = tellers[teller].end };
	static struct heard out, err;
	const char *told, *wrong;
	size_t length, wrong_length;
	bool whole;

	telling.out = heard_begin(&out);
	telling.err = heard_begin(&err);
	whole = client_ask("/nowhere", &question, tellers[teller].json, &telling);
	json_decref(telling.kept);
	told = heard_end(&out, &length);
	wrong = heard_end(&err, &wrong_length);
	MUST(!whole || wrong_length == 0);
	if (whole)
		check_told(told, length);
	if (whole && tellers[teller].metrics)
		check_metrics(told);
	check_told(wrong, wrong_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned int how = input_byte(&input) % (1 + TELLERS);

	setenv("TZ", "UTC0", 1);
	answer = input;
	if (how == TELLERS)
		read_question((const char *)input.at, input.left);
	else
		read_answer(how);
	return 0;
}
