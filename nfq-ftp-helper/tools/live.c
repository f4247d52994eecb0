// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two questions to the daemon: what it follows, asked once, and then what it does, told as it happens. The second is asked first, so
 * that nothing happens between the two answers.
 */
#include "asking/client.h"
#include "asking/tell.h"
#include "core/wire/text.h"
#include "explain/told.h"
#include "explain/writer.h"
#include "output/say.h"
#include "tools.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* More is drawn of nothing: so much memory, and so long a picture. */
#define ROWS_MAX 100000

#define TITLE_MAX 256

/* Of an announcement's argument. */
#define ANNOUNCED_MAX 256

struct live {
	struct telling telling; /* first: what is told is found by it */
	const struct option_values *options;
	struct whole *whole;
	struct ladder *ladder;
	struct told *told;
	double begin;  /* seconds since 1970 */
	size_t rows;   /* that are written, or would be */
	size_t number; /* of the dialogue that the last one is of, from 1; 0: there is none */
	bool failed;
};

static volatile sig_atomic_t ended;

/* It is said again until somebody hears it: one that comes before a read has begun would not end it. */
static void say_again(unsigned int seconds)
{
	const struct itimerval time = { .it_value.tv_sec = seconds, .it_interval.tv_sec = 1 };

	(void)setitimer(ITIMER_REAL, &time, NULL);
}

static void on_signal(int number)
{
	(void)number;
	ended = 1;
	say_again(1);
}

/* Whoever waits for the daemon is woken. */
static void take_signals(uint32_t seconds)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGALRM };
	const struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		(void)sigaction(ours[i], &action, NULL);
	if (seconds)
		say_again(seconds);
}

/* ---- text, as it comes ---- */

static void write_row(void *context, size_t number, const struct ladder_row *row)
{
	struct live *live = context;

	live->rows++;
	if (live->options->format != FORMAT_TEXT)
		return;
	if (live->number != number + 1)
		live->failed |= writer_text_heading(live->ladder, number, live->whole->file) != 0;
	live->number = number + 1;
	live->failed |= writer_text_row(live->ladder, row, live->whole->file) != 0;
	live->failed |= fflush(live->whole->file) != 0;
}

/* ---- what the daemon says ---- */

/* "192.0.2.1:21", "[2001:db8::1]:21", or no port. Return: whether it is one. */
static bool read_endpoint(const char *text, struct endpoint *endpoint)
{
	struct text_cursor at = { .at = text ? text : "", .end = text ? text + strlen(text) : "" };
	const bool bracket = text_take(&at, '[');
	const struct text_cursor address = at;
	uint32_t port = 0;

	*endpoint = (struct endpoint){ .family = FAMILY_IPV4 };
	if (bracket || !text_take_ipv4(&at, endpoint->address)) {
		at = address;
		*endpoint = (struct endpoint){ .family = FAMILY_IPV6 };
		if (!text_take_ipv6(&at, endpoint->address) || (bracket && !text_take(&at, ']')))
			return false;
	}
	if (text_take(&at, ':') && !text_take_number(&at, 5, UINT16_MAX, &port))
		return false;
	endpoint->port = (uint16_t)port;
	return at.at == at.end;
}

static bool endpoint_of(const json_t *line, const char *name, struct endpoint *endpoint)
{
	return read_endpoint(json_string_value(json_object_get(line, name)), endpoint);
}

static int64_t time_of(const struct live *live, const json_t *line)
{
	const double since = tell_number(line, "ts") - live->begin;

	return since > 0 && since < (double)INT64_MAX / 2e6 ? (int64_t)(since * 1e6) : 0;
}

/* "": none, which is not NULL. */
static const char *text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

static bool kind_of(const json_t *line, enum report_kind *kind)
{
	const char *event = text_of(line, "event");

	for (unsigned int i = 0; i <= REPORT_END; i++) {
		*kind = (enum report_kind)i;
		if (question_events[i] && strcmp(question_events[i], event) == 0)
			return true;
	}
	return false;
}

static enum refusal refusal_of(const char *reason)
{
	unsigned int i = REFUSALS - 1;

	while (i > REFUSED_NOT && strcmp(refusal_name((enum refusal)i), reason) != 0)
		i--;
	return (enum refusal)i;
}

static bool read_expectation(const json_t *line, struct expectation *expectation)
{
	*expectation = (struct expectation){ 0 };
	if (!endpoint_of(line, "data_from", &expectation->tuple.src) ||
	    !endpoint_of(line, "data_to", &expectation->tuple.dst))
		return false;
	expectation->translated = endpoint_of(line, "behind_nat", &expectation->nat_src);
	return true;
}

/* What an announcement says, and what is made of it. */
struct texts {
	char from[ANNOUNCED_MAX], to[ANNOUNCED_MAX];
};

/* The bytes that are told as \xNN, a backslash among them, which may delimit EPRT's parts. Return: how many there are. */
static uint32_t take_bytes(const char *text, char bytes[ANNOUNCED_MAX])
{
	uint32_t length = 0;

	for (; *text && length < ANNOUNCED_MAX; length++) {
		if (text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
		    isxdigit((unsigned char)text[3])) {
			const char digits[] = { text[2], text[3], '\0' };

			bytes[length] = (char)strtoul(digits, NULL, 16);
			text += 4;
		} else {
			bytes[length] = *text++;
		}
	}
	return length;
}

/* Return: whether it is a report. Its texts are @line's, and @texts. */
static bool read_report(const json_t *line, struct report *report, struct expectation *expectation, struct texts *texts)
{
	*report = (struct report){ .command = text_of(line, "command"),
				   .from = texts->from,
				   .from_length = take_bytes(text_of(line, "from"), texts->from),
				   .to = texts->to,
				   .to_length = take_bytes(text_of(line, "to"), texts->to),
				   .port = (uint16_t)tell_integer(line, "port", 0, UINT16_MAX),
				   .adj.after = (int32_t)tell_integer(line, "shift", INT32_MIN, INT32_MAX),
				   .refusal = refusal_of(text_of(line, "reason")),
				   .direction = strcmp(text_of(line, "by"), "server") == 0 ? DIRECTION_REPLY :
											     DIRECTION_ORIGINAL };
	if (read_expectation(line, expectation))
		report->expectation = expectation;
	return kind_of(line, &report->kind) && endpoint_of(line, "client", &report->client) &&
	       endpoint_of(line, "server", &report->server);
}

/* ---- the sessions that go on ---- */

static bool take_session(struct telling *telling, const json_t *line)
{
	struct live *live = (struct live *)telling;
	const json_t *shift = json_object_get(line, "shift");
	char text[256], command[CLIENT_TEXT_MAX], state[CLIENT_TEXT_MAX], age[TELL_SPAN_MAX];
	struct endpoint client, server;

	if (!endpoint_of(line, "client", &client) || !endpoint_of(line, "server", &server))
		return true; /* the first line says nothing else */
	if (strcmp(text_of(line, "state"), "closed") == 0)
		return true;
	if (json_is_true(json_object_get(line, "fast")))
		snprintf(text, sizeof(text), "( goes on, the kernel module's alone so far: %.16s, shift %+.0f/%+.0f )",
			 client_text(line, "state", state), tell_number(shift, "client"), tell_number(shift, "server"));
	else
		snprintf(text, sizeof(text), "( goes on, for %s: %.16s, last %.8s, shift %+.0f/%+.0f, %.0f expected )",
			 tell_span(tell_number(line, "age"), age), client_text(line, "state", state),
			 client_text(line, "command", command), tell_number(shift, "client"),
			 tell_number(shift, "server"), tell_number(line, "expectations"));
	told_session(live->told, 0, &client, &server, text);
	return live->rows < ROWS_MAX;
}

static bool list_sessions(struct live *live)
{
	const struct question question = { .kind = QUESTION_SESSIONS, .filter = { .network = live->options->live } };
	const struct telling before = live->telling;
	bool told;

	live->telling = (struct telling){ .line = take_session };
	told = client_ask(live->options->run.state_directory, &question, false, &live->telling);
	live->telling = before;
	if (told && !told_going_on(live->told))
		say_sentence("no session of that address goes on; one that begins will be drawn");
	return told;
}

/* ---- what happens ---- */

/* The daemon answers: text comes from now on. */
static bool take_place(const struct live *live)
{
	const int error = live->options->format == FORMAT_TEXT ? whole_take_place(live->whole) : 0;

	if (error)
		say_sentence("%s cannot be written: %s", live->options->picture, strerror(-error));
	return !error;
}

static bool take_event(struct telling *telling, const json_t *line)
{
	struct live *live = (struct live *)telling;
	struct expectation expectation;
	struct report report;
	struct texts texts;

	if (!telling->lines)
		return (list_sessions(live) && take_place(live)) || !(live->failed = true);
	if (read_report(line, &report, &expectation, &texts))
		told_report(live->told, time_of(live, line), &report);
	else if (json_object_get(line, "count"))
		told_lost(live->told, time_of(live, line), (uint64_t)tell_integer(line, "count", 0, INT64_MAX));
	if (live->ladder->dialogue_count && !told_going_on(live->told))
		ended = 1;
	return !ended && !live->failed && !live->ladder->no_memory && live->rows < ROWS_MAX;
}

static void set_title(char title[TITLE_MAX], const struct network *network)
{
	char text[NETWORK_PRINT_MAX];

	snprintf(title, TITLE_MAX, "Live, of %s: of lines that announce nothing the word or the code is told",
		 network_print(network, text));
}

/* What the client says of an end that was asked for is nobody's business. Return: whether it was one. */
static bool follow(struct live *live)
{
	const struct question question = { .kind = QUESTION_FOLLOW,
					   .filter = { .network = live->options->live },
					   .lines = true };
	char *said = NULL;
	size_t length;
	FILE *err = open_memstream(&said, &length);

	live->telling = (struct telling){ .line = take_event, .err = err };
	(void)client_ask(live->options->run.state_directory, &question, false, &live->telling);
	if (err)
		fclose(err);
	if (!ended && said)
		fputs(said, stderr);
	free(said);
	told_flush(live->told);
	if (live->rows >= ROWS_MAX)
		say_sentence("it ends here: more than %d lines are not drawn", ROWS_MAX);
	return ended || live->rows >= ROWS_MAX;
}

static int draw(struct live *live)
{
	const unsigned int format = live->options->format;
	bool whole;

	if (format == FORMAT_TEXT && writer_text_title(live->ladder, live->whole->file) < 0)
		return -ENOMEM;
	take_signals(live->options->live_seconds);
	whole = follow(live);
	if (live->ladder->no_memory)
		return -ENOMEM;
	if (!whole || live->failed)
		return -EIO;
	return format == FORMAT_TEXT ? 0 : writers[format](live->ladder, live->whole->file);
}

int tools_live(const struct option_values *options, struct whole *whole)
{
	struct timeval now;
	char title[TITLE_MAX];
	struct live live = { .options = options, .whole = whole };
	int error = -ENOMEM;

	gettimeofday(&now, NULL);
	live.begin = (double)now.tv_sec + (double)now.tv_usec / 1e6;
	set_title(title, &options->live);
	live.ladder = ladder_new(title, true);
	live.told = live.ladder ? told_new(live.ladder, write_row, &live) : NULL;
	if (live.told)
		error = draw(&live);
	told_free(live.told);
	ladder_free(live.ladder);
	return error;
}
