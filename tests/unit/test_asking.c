// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's socket: the real server over real tables, with threads in the workers' place that write as these do. What is read
 * is whole although it is being written; who reads slowly, or not at all, or asks nonsense, holds up nobody; 10,000 sessions are listed in under a second.
 */
#include "unit.h"

#include "asking/answer.h"
#include "asking/client.h"
#include "asking/place.h"
#include "asking/tell.h"
#include "core/wire/scan.h"
#include "daemon/log.h"
#include "kernel/ctmessage.h"
#include "output/say.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS     16384
#define LISTED	     10000
#define STALLED	     1000
#define CLIENT_PORTS 20000
#define ASKED_AGAIN  10 /* times, where the clock was too fast */

static const struct table_size size = { .sessions = SESSIONS, .works = 256, .budgets = 4096 };
static const uint64_t seed[2] = { 1, 2 };

static struct options options;
static struct table *table;
static struct published *published;
static struct events *events;
static struct asking *asking;
static atomic_bool stop;

static atomic_llong set_forward; /* seconds, as by who sets this machine's clock */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	const int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += set_forward;
	return result;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Session @number: 10.x.x.x to 192.0.2.1, port 21. */
static struct session *insert(uint32_t number)
{
	struct tuple ends = { .src = { .address = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
						    (uint8_t)number },
				       .family = FAMILY_IPV4,
				       .port = CLIENT_PORTS },
			      .dst = { .address = { 192, 0, 2, 1 }, .family = FAMILY_IPV4, .port = 21 } };
	struct flow_key key;
	const uint32_t hash = table_hash(table, &ends.src, &ends.dst, 0, &key);
	struct session *session = table_insert(table, &key, hash);

	assert_non_null(session);
	session->state = SESSION_READY;
	session->last_seen = (uint32_t)(clock_of_sessions() / 1000);
	session->began = session_began(session->last_seen);
	session->stream[0].word = ftp_word_number(ftp_word_find(DIRECTION_ORIGINAL, "RETR", 4));
	return session;
}

static struct watched watched;
static int counters; /* in the kernel module's place: empty at first */

static int set_up(void **state)
{
	struct asking_config config = {
		.options = &options, .sandbox = "none", .rules = "none", .watched = &watched, .sources = 1
	};

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	options_default(&options);
	options.attach.mode = MODE_QUEUE;
	strcpy(options.state_directory, "/tmp/nfq-ftp-asking-XXXXXX");
	table = table_new(unit_alloc_lines(table_bytes(&size)), &size, seed);
	published = unit_alloc_lines(sizeof(*published));
	events = unit_alloc_lines(sizeof(*events));
	atomic_store(&stop, false);
	memset(&watched, 0, sizeof(watched));
	config.module = counters = memfd_create("counters", MFD_CLOEXEC);
	config.source[0] = (struct asking_source){ table, published, events, 5, NFQUEUE_NONE };
	if (!mkdtemp(options.state_directory) || asking_open(&asking, &config) < 0)
		return -1;
	return asking_start(asking);
}

static int take_down(void **state)
{
	char path[OPTIONS_PATH_MAX + 16];

	(void)state;
	asking_close(asking);
	free(table);
	free(published);
	free(events);
	snprintf(path, sizeof(path), "%s/" ASKING_SOCKET, options.state_directory);
	assert_int_equal(access(path, F_OK), -1);
	return rmdir(options.state_directory);
}

/* ---- the other end ---- */

static int connected(void)
{
	const int file = place_connect(options.state_directory);

	assert_true(file >= 0);
	return file;
}

static void say(int file, const char *text)
{
	assert_int_equal(send(file, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All lines as an array, up to the other's close, which may have cut off the last. */
static json_t *hear(int file)
{
	FILE *stream = unit_stream(fdopen(file, "r"));
	json_t *lines = json_array();
	char *text = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&text, &room, stream)) > 0 && text[length - 1] == '\n') {
		json_t *line = json_loads(text, 0, NULL);

		assert_non_null(line);
		json_array_append_new(lines, line);
	}
	free(text);
	fclose(stream);
	return lines;
}

static bool has_ended(const json_t *lines)
{
	return json_array_size(lines) &&
	       json_is_true(json_object_get(json_array_get(lines, json_array_size(lines) - 1), "end"));
}

/*
 * The other's patience is over by the clock, which goes on where others have the processors, too: what came of an answer then says nothing.
 * @begun: when the question was asked.
 */
static bool is_out_of_time(double begun, unsigned int tries)
{
	return tries < ASKED_AGAIN && (seconds() - begun) * 1000 >= ASKING_PATIENCE;
}

static json_t *ask(const char *question)
{
	for (unsigned int tries = 0;; tries++) {
		const double begun = seconds();
		const int file = connected();
		json_t *lines;

		(void)send(file, question, strlen(question),
			   MSG_NOSIGNAL); /* who is turned away may not be listened to any more */
		lines = hear(file);
		if (has_ended(lines) || !is_out_of_time(begun, tries))
			return lines;
		json_decref(lines);
	}
}

static const char *text_of(const json_t *lines, size_t line, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(lines, line), name));

	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* ---- questions ---- */

static void nonsense_is_refused(void **state)
{
	static const char *const questions[] = {
		"\n",
		"status\n",
		"[]\n",
		"{}\n",
		"{\"version\":2,\"ask\":\"status\"}\n",
		"{\"version\":1,\"ask\":\"statu\"}\n",
		"{\"version\":1,\"ask\":7}\n",
		"{\"version\":1}\n",
		"{\"version\":1,\"ask\":\"sessions\",\"port\":0}\n",
		"{\"version\":1,\"ask\":\"sessions\",\"port\":\"21\"}\n",
		"{\"version\":1,\"ask\":\"sessions\",\"address\":\"10.0.0.1/8\"}\n",
		"{\"version\":1,\"ask\":\"sessions\",\"state\":\"free\"}\n",
		"{\"version\":1,\"ask\":\"status\",\"ask\":\"status\"}\n",
		"{\"version\":1,\"ask\":\"status\"} {}\n",
		"\xff\xfe\n",
	};
	char longest[QUESTION_MAX + 1];
	json_t *lines;

	(void)state;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		lines = ask(questions[i]);
		if (strcmp(text_of(lines, 0, "error"), "question") != 0)
			fail_msg("`%s' was not refused", questions[i]);
		json_decref(lines);
	}
	memset(longest, ' ', QUESTION_MAX);
	longest[QUESTION_MAX] = '\0';
	lines = ask(longest);
	assert_string_equal(text_of(lines, 0, "error"), "question");
	json_decref(lines);
}

/* A question in pieces; and the end in the middle of one. */
static void questions_in_pieces(void **state)
{
	int file = connected();
	json_t *lines;

	(void)state;
	say(file, "{\"version\":1,");
	usleep(20000);
	say(file, "\"ask\":\"status\"}\n");
	lines = hear(file);
	assert_int_equal(number_of(json_array_get(lines, 0), "version"), 1);
	assert_string_equal(text_of(lines, 0, "mode"), "queue");
	assert_true(has_ended(lines));
	json_decref(lines);
	file = connected();
	say(file, "{\"version\":1,");
	close(file);
	lines = ask("{\"version\":1,\"ask\":\"status\"}\n");
	assert_true(has_ended(lines));
	json_decref(lines);
}

static void questions_come_back(void **state)
{
	const struct question question = { .kind = QUESTION_SESSIONS,
					   .filter = {
						   .network = { .address = { 10 }, .family = FAMILY_IPV4, .bits = 8 },
						   .port = 21,
						   .state = SESSION_TLS } };
	json_t *object = question_write(&question);
	char *text = json_dumps(object, 0);
	struct question back;

	(void)state;
	assert_null(question_read(text, strlen(text), &back));
	assert_int_equal(back.kind, question.kind);
	assert_memory_equal(&back.filter.network, &question.filter.network, sizeof(question.filter.network));
	assert_int_equal(back.filter.port, 21);
	assert_int_equal(back.filter.state, SESSION_TLS);
	free(text);
	json_decref(object);
}

/* ---- what is told ---- */

static void texts_are_escaped(void **state)
{
	static const char raw[] = "PORT \x1b[2J\xff\\\r\n";
	char text[4 * sizeof(raw) + 1];

	(void)state;
	assert_string_equal(answer_text(raw, sizeof(raw) - 1, text), "PORT \\x1b[2J\\xff\\x5c");
}

/* The last refusal of a reason, with what to do about it; what was typed in the wrong place is nowhere. */
static void status_tells_refusals(void **state)
{
	static const struct endpoint client = { .address = { 10, 0, 0, 2 }, .family = FAMILY_IPV4, .port = 4000 };
	const struct report report = { .kind = REPORT_REFUSE,
				       .client = client,
				       .server = client,
				       .command = "PORT",
				       .from = "my-secret",
				       .from_length = 9,
				       .refusal = REFUSED_PORT };
	struct figures figures = { .sessions = 3 };
	json_t *lines, *refusal;
	char *text;

	(void)state;
	figures.counters.refusals[REFUSED_PORT] = 7;
	figures_publish(published, &figures);
	events_put(events, &report, clock_of_sessions());
	lines = ask("{\"version\":1,\"ask\":\"status\"}\n");
	assert_int_equal(number_of(json_object_get(json_array_get(lines, 0), "sessions"), "now"), 3);
	assert_int_equal(number_of(json_object_get(json_array_get(lines, 0), "sessions"), "room"), SESSIONS);
	refusal = json_array_get(json_object_get(json_array_get(lines, 0), "refusals"), 0);
	assert_int_equal(number_of(refusal, "count"), 7);
	assert_string_equal(json_string_value(json_object_get(refusal, "reason")), "port");
	assert_string_equal(json_string_value(json_object_get(refusal, "advice")), "--min-port sets the limit");
	assert_string_equal(json_string_value(json_object_get(refusal, "client")), "10.0.0.2:4000");
	text = json_dumps(lines, 0);
	assert_null(strstr(text, "secret"));
	free(text);
	json_decref(lines);
}

static json_int_t metric(const char *name)
{
	json_t *lines = ask("{\"version\":1,\"ask\":\"metrics\"}\n"), *line;
	json_int_t value = -1;
	size_t index;

	json_array_foreach (lines, index, line) {
		const char *is = json_string_value(json_object_get(line, "name"));

		if (is && strcmp(is, name) == 0)
			value = number_of(json_array_get(json_object_get(line, "samples"), 0), "value");
	}
	json_decref(lines);
	return value;
}

/* A module of the kernel's that counts: as often as somebody asks its file is read anew. Where there is none nothing is told. */
static void the_module_is_told(void **state)
{
	static const char text[] = "packets 12\nqueued 3\nannounced 5\nedited 4\n";

	(void)state;
	assert_int_equal(metric("module_packets"), -1);
	assert_int_equal(pwrite(counters, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	assert_int_equal(metric("module_packets"), 12);
	assert_int_equal(metric("module_packets_queued"), 3);
	assert_int_equal(metric("module_expectations_made"), 5);
	assert_int_equal(metric("module_rewrites"), 4);
	assert_int_equal(metric("module_declined"), -1);
	assert_int_equal(pwrite(counters, "packets 99", 10, 0), 10);
	assert_int_equal(metric("module_packets"), 99);
}

/* In a status, and as metrics: a gauge, of which there is none where nobody looks. */
static void rules_are_told(void **state)
{
	static const struct {
		enum watched_state state;
		const char *name;
		int gauge;
	} cases[] = {
		{ WATCHED_NOT, "unwatched", -1 },
		{ WATCHED_NEVER, "never-seen", 0 },
		{ WATCHED_THERE, "in-place", 1 },
		{ WATCHED_GONE, "gone", 0 },
	};

	(void)state;
	atomic_store(&watched.gone, 3);
	atomic_store(&watched.put_back, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *lines, *found;

		atomic_store(&watched.state, cases[i].state);
		atomic_store(&watched.missing, cases[i].state == WATCHED_GONE);
		lines = ask("{\"version\":1,\"ask\":\"status\"}\n");
		found = json_object_get(json_array_get(lines, 0), "rules_found");
		assert_string_equal(json_string_value(json_object_get(found, "state")), cases[i].name);
		assert_int_equal(json_object_get(found, "missing") != NULL, cases[i].state == WATCHED_GONE);
		json_decref(lines);
		assert_int_equal(metric("rules_in_place"), cases[i].gauge);
		assert_int_equal(metric("rules_gone"), cases[i].state == WATCHED_NOT ? -1 : 3);
		assert_int_equal(metric("rules_put_back"), cases[i].state == WATCHED_NOT ? -1 : 2);
	}
}

/* Nothing is told in place of what cannot be seen: no 0, and not nothing. Nobody has the queue of these tests. */
static void what_the_kernel_hides_is_said(void **state)
{
	struct question question = { .kind = QUESTION_STATUS };
	char text[4096] = "";
	struct telling telling = { .line = tell_status, .out = fmemopen(text, sizeof(text), "w") };
	json_t *lines = ask("{\"version\":1,\"ask\":\"status\"}\n"), *queue;
	char *metrics;

	(void)state;
	queue = json_array_get(json_object_get(json_array_get(lines, 0), "queues"), 0);
	assert_int_equal(number_of(queue, "queue"), 5);
	assert_null(json_object_get(queue, "waiting"));
	assert_non_null(strstr(json_string_value(json_object_get(queue, "unseen")), "nobody gets its packets"));
	json_decref(lines);
	assert_true(client_ask(options.state_directory, &question, false, &telling));
	fclose(telling.out);
	assert_non_null(strstr(text, "queue 5         the kernel has no such queue any more"));
	lines = ask("{\"version\":1,\"ask\":\"metrics\"}\n");
	metrics = json_dumps(lines, JSON_COMPACT);
	assert_non_null(strstr(metrics, "{\"name\":\"queue_seen\",\"type\":\"gauge\""));
	assert_non_null(strstr(metrics, "{\"value\":0,\"labels\":{\"queue\":\"5\"}}"));
	assert_null(strstr(metrics, "{\"value\":1,\"labels\":{\"queue\":\"5\"}}"));
	free(metrics);
	json_decref(lines);
}

static void sessions_are_filtered(void **state)
{
	static const struct {
		const char *filter;
		size_t count;
	} cases[] = {
		{ "", 300 },
		{ ",\"address\":\"10.0.1.0/24\"", 44 },
		{ ",\"address\":\"10.0.0.7\"", 1 },
		{ ",\"address\":\"192.0.2.1\"", 300 },
		{ ",\"address\":\"2001:db8::/32\"", 0 },
		{ ",\"port\":21", 300 },
		{ ",\"port\":22", 0 },
		{ ",\"state\":\"tls\"", 1 },
		{ ",\"state\":\"tls\",\"address\":\"10.0.0.7\"", 0 },
	};
	struct session *session;
	json_t *lines, *line;

	(void)state;
	for (uint32_t i = 0; i < 299; i++)
		insert(i);
	session = insert(299);
	session->state = SESSION_TLS;
	session->self = true;
	session->stream[0].adj.after = -5;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char question[128];

		snprintf(question, sizeof(question), "{\"version\":1,\"ask\":\"sessions\"%s}\n", cases[i].filter);
		lines = ask(question);
		assert_true(has_ended(lines));
		assert_int_equal(json_array_size(lines), cases[i].count + 2);
		json_decref(lines);
	}
	lines = ask("{\"version\":1,\"ask\":\"sessions\",\"state\":\"tls\"}\n");
	line = json_array_get(lines, 1);
	assert_string_equal(text_of(lines, 1, "client"), "10.0.1.43:20000");
	assert_string_equal(text_of(lines, 1, "command"), "RETR");
	assert_string_equal(text_of(lines, 1, "seqadj"), "self");
	assert_int_equal(number_of(json_object_get(line, "shift"), "client"), -5);
	assert_in_range(number_of(line, "age"), 0, SESSION_AGE_UNIT);
	json_decref(lines);
}

static void expectations_are_listed(void **state)
{
	struct session *session = insert(1);
	struct work *work;
	json_t *lines;

	(void)state;
	table_budget_of(table, session);
	work = work_of(table, session);
	assert_non_null(work);
	work->announcements = 1;
	work->announcement[0] = (struct announcement){
		.expectation = { .tuple = { .src = { .address = { 192, 0, 2, 1 }, .family = FAMILY_IPV4 },
					    .dst = { .address = { 10, 0, 0, 1 },
						     .family = FAMILY_IPV4,
						     .port = 3001 } } },
		.since = (uint32_t)(clock_of_sessions() / 1000) - 7,
		.until = (uint32_t)(clock_of_sessions() / 1000) + 293,
		.kind = FTP_PORT,
	};
	lines = ask("{\"version\":1,\"ask\":\"expectations\"}\n");
	assert_true(has_ended(lines));
	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(text_of(lines, 1, "command"), "PORT");
	assert_string_equal(text_of(lines, 1, "from"), "192.0.2.1");
	assert_string_equal(text_of(lines, 1, "to"), "10.0.0.1:3001");
	assert_in_range(number_of(json_array_get(lines, 1), "age"), 7, 8);
	assert_in_range(number_of(json_array_get(lines, 1), "left"), 292, 293);
	json_decref(lines);
}

/* ---- what the kernel module deals with by itself ---- */

struct fast_object {
	struct scan scan;
	const char *helper;
	uint8_t tcp_state;
	int cut; /* bytes that are missing at its end */
};

static void put_nested(struct nlmsghdr *message, uint16_t outer, uint16_t inner, uint16_t type, const void *data,
		       size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(message, outer), *deeper;

	deeper = inner ? mnl_attr_nest_start(message, inner) : NULL;
	mnl_attr_put(message, type, length, data);
	if (deeper)
		mnl_attr_nest_end(message, deeper);
	mnl_attr_nest_end(message, nest);
}

/* As conntrack has it: 10.0.0.9 to 192.0.2.1, masqueraded. */
static struct nlmsghdr *make_object(const struct fast_object *object)
{
	static _Alignas(8) uint8_t buffer[CTMESSAGE_MAX];
	const struct endpoint client = { .address = { 10, 0, 0, 9 }, .family = FAMILY_IPV4, .port = 4000 };
	const struct endpoint server = { .address = { 192, 0, 2, 1 }, .family = FAMILY_IPV4, .port = 21 };
	const struct endpoint outside = { .address = { 198, 51, 100, 254 }, .family = FAMILY_IPV4, .port = 4000 };
	struct nlmsghdr *message =
		ctmessage_begin(buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, FAMILY_IPV4, 1);
	struct nlattr *nest;

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &(struct tuple){ client, server });
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &(struct tuple){ server, outside });
	ctmessage_put_zone(message, CTA_ZONE, 3);
	put_nested(message, CTA_PROTOINFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE, &object->tcp_state, 1);
	ctmessage_put_seqadj(message, CTA_SEQ_ADJ_ORIG, &(struct seqadj){ 1000, 0, 7 });
	ctmessage_put_seqadj(message, CTA_SEQ_ADJ_REPLY, &(struct seqadj){ 2000, 0, -2 });
	nest = mnl_attr_nest_start(message, CTA_HELP);
	mnl_attr_put_strz(message, CTA_HELP_NAME, object->helper);
	mnl_attr_put(message, CTA_HELP_INFO, sizeof(object->scan), &object->scan);
	mnl_attr_nest_end(message, nest);
	message->nlmsg_len -= (uint32_t)object->cut;
	return message;
}

static const char *listed(const struct fast_object *object, const struct filter *filter)
{
	static char text[ANSWER_LINE_MAX];
	struct response answer = { .question = { .kind = QUESTION_SESSIONS, .filter = *filter } };

	answer_fast_object(&answer, make_object(object));
	snprintf(text, sizeof(text), "%.*s", (int)answer.lines.length, answer.lines.text ? answer.lines.text : "");
	free(answer.lines.text);
	return text;
}

#define FAST_READY                                                                                                                  \
	"{\"client\":\"10.0.0.9:4000\",\"server\":\"192.0.2.1:21\",\"zone\":3,\"queue\":null,\"state\":\"ready\",\"command\":\"\"," \
	"\"age\":null,\"idle\":null,\"logged_in\":true,\"seqadj\":\"kernel\",\"shift\":{\"client\":7,\"server\":-2},"               \
	"\"expectations\":null,\"fast\":true}\n"

static void fast_sessions_are_listed(void **state)
{
	const struct fast_object whole = { .helper = "nfq-ftp",
					   .tcp_state = TCP_CONNTRACK_ESTABLISHED,
					   .scan = { .started = 1, .note = SCAN_NOTED } };
	const struct filter all = { .port = 0 };
	struct fast_object object = whole;
	struct filter filter = { .port = 21 };

	(void)state;
	assert_string_equal(listed(&object, &all), FAST_READY);
	assert_string_equal(listed(&object, &filter), FAST_READY);
	filter.port = 22;
	assert_string_equal(listed(&object, &filter), "");
	filter = (struct filter){ .state = SESSION_GREETING };
	assert_string_equal(listed(&object, &filter), "");
	object.scan.note = SCAN_NOTED_EARLY;
	assert_non_null(strstr(listed(&object, &filter), "\"state\":\"greeting\""));
	assert_non_null(strstr(listed(&object, &filter), "\"logged_in\":false"));
	for (unsigned int i = 0; i < 16; i++) {
		struct scan_note note;

		object.scan.noted_behind = i & 15;
		assert_true(scan_note(&object.scan, sizeof(object.scan), &note));
		assert_non_null(
			strstr(listed(&object, &all), note.greeted ? "\"state\":\"ready\"" : "\"state\":\"greeting\""));
		assert_non_null(
			strstr(listed(&object, &all), note.logged_in ? "\"logged_in\":true" : "\"logged_in\":false"));
	}
	object.scan.note = SCAN_NOTED_NOT; /* nothing has passed */
	assert_string_equal(listed(&object, &all), "");
	object = whole;
	object.scan.given = SCAN_GIVEN_ONE; /* a worker has it */
	assert_string_equal(listed(&object, &all), "");
	object = whole;
	object.helper = "ftp";
	assert_string_equal(listed(&object, &all), "");
	object = whole;
	object.tcp_state = TCP_CONNTRACK_TIME_WAIT;
	assert_string_equal(listed(&object, &all), "");
	for (object = whole; object.cut < 60; object.cut++)
		assert_string_equal(listed(&object, &all), object.cut ? "" : FAST_READY);
}

/* This machine's conntrack is asked, behind the tables, and may refuse: the answer is whole in any case. */
static void conntrack_is_asked(void **state)
{
	json_t *lines;

	(void)state;
	options.attach.mode = MODE_KMOD;
	insert(7);
	for (unsigned int i = 0; i < 3; i++) {
		lines = ask("{\"version\":1,\"ask\":\"sessions\",\"address\":\"10.0.0.7\"}\n");
		assert_true(has_ended(lines));
		assert_int_equal(json_array_size(lines), 3);
		assert_true(json_is_false(json_object_get(json_array_get(lines, 1), "fast")));
		json_decref(lines);
	}
}

/* Where nobody says how old one is, or how much is expected, a table for people says nothing either. */
static void fast_sessions_for_people(void **state)
{
	struct telling telling = { .lines = 1 };
	json_t *line = json_loads(FAST_READY, 0, NULL);
	char text[1024];

	(void)state;
	assert_non_null(line);
	assert_true(tell_kept(&telling, line));
	telling.out = unit_stream(fmemopen(text, sizeof(text), "w"));
	tell_sessions_end(&telling);
	fclose(telling.out);
	assert_non_null(strstr(text, " FAST\n"));
	assert_non_null(
		strstr(text, "10.0.0.9:4000 192.0.2.1:21 ready     -          -       - kernel       +7/-2   - yes\n"));
	json_decref(telling.kept);
	json_decref(line);
}

/* Every number of the figures is told: each is another one here, and found once; but those of a histogram, which are added up. */
static void metrics_tell_every_counter(void **state)
{
	struct figures figures;
	uint64_t *words = (uint64_t *)&figures;
	const size_t count = sizeof(figures) / sizeof(*words);
	size_t missing = 0;
	json_t *lines;
	char *text;

	(void)state;
	for (size_t i = 0; i < count; i++)
		words[i] = 1000000 + i;
	memset(figures.latency, 0, sizeof(figures.latency));
	figures.latency[0] = 3;
	figures.latency[FIGURES_BUCKETS - 1] = 4;
	figures.latency_nanoseconds = 5000000000;
	figures_publish(published, &figures);
	lines = ask("{\"version\":1,\"ask\":\"metrics\"}\n");
	assert_true(has_ended(lines));
	text = json_dumps(lines, JSON_COMPACT);
	for (size_t i = 0; i < count; i++) {
		char number[32];
		const char *first;

		if (words[i] < 1000000 || words[i] == 5000000000)
			continue;
		snprintf(number, sizeof(number), ":%zu", 1000000 + i);
		first = strstr(text, number);
		if (!first || strstr(first + 1, number))
			missing++;
	}
	assert_int_equal(missing, 2); /* REFUSED_NOT and BELIEVED are nothing that happens */
	assert_non_null(strstr(text, "{\"count\":3,\"le\":"));
	assert_non_null(strstr(text, "\"sum\":5.0,\"count\":7"));
	free(text);
	json_decref(lines);
}

static void latencies_have_their_bucket(void **state)
{
	struct figures figures = { .latency_nanoseconds = 0 };

	(void)state;
	figures_latency(&figures, 2, 0);
	figures_latency(&figures, 3, figures_bounds[0]);
	figures_latency(&figures, 4, figures_bounds[0] + 1);
	figures_latency(&figures, 5, UINT64_C(1000000000));
	assert_int_equal(figures.latency[0], 5);
	assert_int_equal(figures.latency[1], 4);
	assert_int_equal(figures.latency[FIGURES_BUCKETS - 1], 5);
	assert_int_equal(figures.latency_nanoseconds, 3 * figures_bounds[0] + 4 * (figures_bounds[0] + 1) + 5000000000);
}

/* ---- while it is written ---- */

#define BUSY 8 /* sessions that change all the time; numbers that belong together are the same */

static void *change_sessions(void *context)
{
	struct session **sessions = context;

	for (uint32_t number = 1; !atomic_load_explicit(&stop, memory_order_relaxed); number++) {
		struct session *session = sessions[number % BUSY];
		struct work *work;

		table_begin(table, session);
		session->stream[0].next = number;
		session->stream[1].next = number;
		session->last_seen = number;
		if (number % 64 == 0) /* others may look in the middle, also where there are few processors */
			sched_yield();
		session->doubted = number;
		work = table_work_change(table, session);
		work->announcements = 1 + number % ANNOUNCEMENTS_MAX;
		work->waiting[0].since = number;
		for (unsigned int i = 0; i < ANNOUNCEMENTS_MAX; i++)
			work->announcement[i].since = work->announcement[i].until =
				number + (i == ANNOUNCEMENTS_MAX - 1);
		if (number % 64 == 3) /* all announcements are seen then */
			sched_yield();
		work->announcement[ANNOUNCEMENTS_MAX - 1].since = work->announcement[ANNOUNCEMENTS_MAX - 1].until =
			number;
		session->answered = number;
		table_commit(table);
	}
	return NULL;
}

static bool is_whole(const struct table_view *view)
{
	const struct session *session = &view->session;
	const uint32_t number = session->stream[0].next;
	bool whole = session->stream[1].next == number && session->last_seen == number && session->doubted == number &&
		     session->answered == number;

	for (unsigned int i = 0; i < view->announcements; i++)
		whole = whole && view->announcement[i].since == view->announcement[0].since &&
			view->announcement[i].until == view->announcement[0].since;
	return whole;
}

/* At least so many views are looked at, however long it takes: one of eighty that are tried is to be had. */
#define VIEWS_LEAST 1000
#define PASSES_MOST (80 * VIEWS_LEAST / BUSY)

/* Each is as between two packets. A reader that does without the undo record fails this; one that does without comparing was not seen to. */
static void sessions_are_whole_while_they_change(void **state)
{
	struct session *sessions[BUSY];
	struct table_view view;
	unsigned int seen = 0, torn = 0, passes = 0;
	pthread_t writer;
	double end;

	(void)state;
	if (RUNNING_ON_VALGRIND)
		unit_skip("of valgrind one thread runs at a time, and slowly: plain and sanitized it is run");
	for (uint32_t i = 0; i < BUSY; i++) {
		sessions[i] = insert(i);
		work_of(table, sessions[i])->announcements = 1;
	}
	for (uint32_t i = 0; i < BUSY; i++)
		sessions[i] = NULL;
	for (uint32_t i = 1, found = 0; i <= table_slots(table); i++)
		if (table_slot(table, i))
			sessions[found++] = table_slot(table, i);
	for (uint32_t i = 0; i < BUSY; i++) { /* as the writer leaves them */
		sessions[i]->stream[0].next = sessions[i]->stream[1].next = sessions[i]->last_seen = 0;
		sessions[i]->doubted = sessions[i]->answered = 0;
	}
	assert_int_equal(pthread_create(&writer, NULL, change_sessions, sessions), 0);
	for (end = seconds() + 2; seconds() < end || (seen < VIEWS_LEAST && passes < PASSES_MOST); passes++) {
		for (uint32_t i = 1; i <= table_slots(table); i++) {
			if (!table_view(table, i, &view))
				continue;
			seen++;
			torn += !is_whole(&view);
		}
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	print_message("%u views of sessions that changed all the time, %u of them torn\n", seen, torn);
	assert_int_equal(torn, 0);
	assert_in_range(seen, VIEWS_LEAST, UINT32_MAX);
}

static void *count(void *context)
{
	struct figures figures;

	(void)context;
	for (uint64_t number = 1; !atomic_load_explicit(&stop, memory_order_relaxed); number++) {
		uint64_t *words = (uint64_t *)&figures;

		for (size_t i = 0; i < sizeof(figures) / sizeof(*words); i++)
			words[i] = number;
		figures_publish(published, &figures);
	}
	return NULL;
}

#define FIGURES_LEAST 10
#define READS_MOST    10000

static void figures_are_whole_while_they_change(void **state)
{
	struct figures figures = { .sessions = 0 };
	const uint64_t *words = (const uint64_t *)&figures;
	unsigned int seen = 0, torn = 0, reads = 0;
	pthread_t writer;
	double end;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, count, NULL), 0);
	for (end = seconds() + 1; seconds() < end || (seen < FIGURES_LEAST && reads < READS_MOST); reads++) {
		if (!figures_read(published, &figures))
			continue;
		seen++;
		for (size_t i = 1; i < sizeof(figures) / sizeof(*words); i++)
			torn += words[i] != words[0];
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	assert_int_equal(torn, 0);
	assert_in_range(seen, FIGURES_LEAST, UINT32_MAX);
}

static json_int_t packets_told(void)
{
	json_t *lines = ask("{\"version\":1,\"ask\":\"status\"}\n");
	const json_int_t packets = number_of(json_object_get(json_array_get(lines, 0), "packets"), "seen");

	json_decref(lines);
	return packets;
}

/* A worker that lost its processor while it was writing: what it had counted before is told, and no 0, which would be a new start to Prometheus. */
static void counters_never_fall(void **state)
{
	struct figures figures = { .sessions = 0 };

	(void)state;
	figures.counters.packets = 7;
	figures_publish(published, &figures);
	assert_int_equal(packets_told(), 7);
	atomic_fetch_add(&published->version, 1);
	assert_int_equal(packets_told(), 7);
	atomic_fetch_add(&published->version, 1);
	figures.counters.packets = 8;
	figures_publish(published, &figures);
	assert_int_equal(packets_told(), 8);
}

/* What has been sent, as lines. */
static size_t lines_until_end(int file)
{
	static char text[65536];
	size_t lines = 0;
	ssize_t length;

	while ((length = recv(file, text, sizeof(text), 0)) > 0)
		for (ssize_t i = 0; i < length; i++)
			lines += text[i] == '\n';
	close(file);
	return lines;
}

/* While a worker writes. How long it took is printed; that it is bounded at all is asserted, since the processors may be others'. */
static void ten_thousand_sessions(void **state)
{
	static struct session *sessions[BUSY];
	double start, best = 1000;
	pthread_t writer;
	size_t lines = 0;

	(void)state;
	if (RUNNING_ON_VALGRIND)
		unit_skip("of valgrind one thread runs at a time, and slowly: plain and sanitized it is run");
	for (uint32_t i = 0; i < LISTED; i++)
		insert(i);
	for (uint32_t i = 1, found = 0; found < BUSY; i++) {
		sessions[found] = table_slot(table, i);
		if (sessions[found])
			work_of(table, sessions[found++])->announcements = 1;
	}
	assert_int_equal(pthread_create(&writer, NULL, change_sessions, sessions), 0);
	for (unsigned int tries = 0; tries < 5; tries++) {
		const int file = place_connect(options.state_directory);
		size_t came;

		start = seconds();
		(void)send(file, "{\"version\":1,\"ask\":\"sessions\"}\n", 31, MSG_NOSIGNAL);
		came = lines_until_end(file);
		if (seconds() - start >= best) /* others' processors, which may have cut it off, too */
			continue;
		best = seconds() - start;
		lines = came;
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	print_message("%zu sessions listed in %.0f ms\n", lines - 2, best * 1000);
	assert_in_range(lines, LISTED - BUSY + 2, LISTED + 2);
	assert_true(best < 4);
}

/* ---- who reads slowly ---- */

static unsigned int works_done;
static double longest_gap;

/* In a worker's place: does what a worker does with each packet, and sees whether it is ever held up. */
static void *work_on(void *context)
{
	const struct report report = { .kind = REPORT_EXPECT, .command = "PORT" };
	struct figures figures = { .sessions = 1 };

	(void)context;
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		const struct timespec pause = { .tv_nsec = 100000 };
		double begun = seconds();

		events_put(events, &report, clock_of_sessions());
		figures_publish(published, &figures);
		works_done++;
		begun = seconds() - begun;
		if (begun > longest_gap)
			longest_gap = begun;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* How many of them are told that it is busy. */
static unsigned int told_busy(const int files[STALLED])
{
	unsigned int busy = 0;
	char text[128];

	for (unsigned int i = 0; i < STALLED; i++) {
		const ssize_t length = recv(files[i], text, sizeof(text) - 1, MSG_DONTWAIT | MSG_PEEK);

		text[length > 0 ? length : 0] = '\0';
		busy += strstr(text, "\"busy\"") != NULL;
	}
	return busy;
}

/* Asks until it is answered. Return: whether it was, before @until. */
static bool answered(double until)
{
	bool ended = false;

	while (!ended && seconds() < until) {
		json_t *lines = ask("{\"version\":1,\"ask\":\"status\"}\n");

		ended = has_ended(lines);
		json_decref(lines);
		usleep(100000);
	}
	return ended;
}

/*
 * At least so many of them must be told, if it took @elapsed seconds until all had connected. A place is held for ASKING_PATIENCE, so as many
 * have one as there is room for, and as many again each time that is over; who is still in the socket's backlog may be of a next one.
 */
static unsigned int least_busy(double elapsed)
{
	const unsigned int places = ASKING_READERS * (2 + (unsigned int)(elapsed * 1000 / ASKING_PATIENCE));

	return places < STALLED ? STALLED - places : 0;
}

/* Those beyond what there is room for are told so at once; the others lose their place after their time; and the next is answered. */
static void thousand_who_stall(void **state)
{
	static int files[STALLED];
	const struct rlimit limit = { 4096, 4096 };
	const double start = seconds();
	unsigned int busy = 0, least;
	double connecting;
	pthread_t writer;
	bool again;

	(void)state;
	if (RUNNING_ON_VALGRIND)
		unit_skip("of valgrind one thread runs at a time, and slowly: plain and sanitized it is run");
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	for (uint32_t i = 0; i < LISTED; i++)
		insert(i);
	assert_int_equal(pthread_create(&writer, NULL, work_on, NULL), 0);
	connecting = seconds();
	for (unsigned int i = 0; i < STALLED; i++) {
		files[i] = place_connect(options.state_directory);
		if (i % 2) /* half of them ask for much, and take nothing */
			(void)send(files[i], "{\"version\":1,\"ask\":\"sessions\"}\n", 31, MSG_NOSIGNAL);
	}
	connecting = seconds() - connecting;
	least = least_busy(connecting);
	for (unsigned int tries = 0; tries < 30 && busy < least; tries++) {
		usleep(100000);
		busy = told_busy(files);
	}
	again = answered(start + 30);
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	print_message(
		"%u of %u, connected in %.1f s, told that it is busy; answered again after %.1f s; %u rounds of a worker, the "
		"longest %.2f ms\n",
		busy, STALLED, connecting, seconds() - start, works_done, longest_gap * 1000);
	for (unsigned int i = 0; i < STALLED; i++)
		close(files[i]);
	assert_in_range(busy, least, STALLED - ASKING_READERS);
	assert_true(again);
}

/* ---- who follows ---- */

static json_t *next_line(FILE *stream)
{
	char *text = NULL;
	size_t room = 0;
	const bool read = !feof(stream) && !ferror(stream) && getline(&text, &room, stream) > 0;
	json_t *line = read ? json_loads(text, 0, NULL) : NULL;

	free(text);
	assert_non_null(line);
	return line;
}

static FILE *follow_by(const char *question)
{
	const int file = connected();
	FILE *stream = unit_stream(fdopen(file, "r"));

	say(file, question);
	json_decref(next_line(stream));
	return stream;
}

static FILE *follow(void)
{
	return follow_by("{\"version\":1,\"ask\":\"follow\"}\n");
}

static void events_are_followed(void **state)
{
	static const char *const wanted[] = { "opened", "rewrite", "expect", "refuse", "closed" };
	static const enum report_kind kinds[] = { REPORT_BEGIN, REPORT_REWRITE, REPORT_EXPECT, REPORT_REFUSE,
						  REPORT_END };
	const struct expectation expectation = { .tuple = { .dst = { .family = FAMILY_IPV4, .port = 3001 } } };
	FILE *streams[] = { follow(), follow() };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		const struct report report = { .kind = kinds[i],
					       .command = "PORT",
					       .from = "a\x1b"
						       "b",
					       .from_length = 3,
					       .to = "c",
					       .to_length = 1,
					       .expectation = kinds[i] == REPORT_EXPECT ? &expectation : NULL,
					       .refusal = kinds[i] == REPORT_REFUSE ? REFUSED_MALFORMED : REFUSED_NOT };

		events_put(events, &report, clock_of_sessions());
	}
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int j = 0; j < 5; j++) {
			json_t *line = next_line(streams[i]);
			const char *from = json_string_value(json_object_get(line, "from"));

			assert_string_equal(json_string_value(json_object_get(line, "event")), wanted[j]);
			/* What was refused since it is no address may be a password. */
			assert_true(kinds[j] == REPORT_REFUSE ? !from : from && strcmp(from, "a\\x1bb") == 0);
			json_decref(line);
		}
		fclose(streams[i]);
	}
}

/* An event of 10.0.0.@client; its command is the client's number and kind. */
static void put_event(uint8_t client, enum report_kind kind, enum direction by)
{
	struct report report = { .kind = kind, .direction = by };
	char command[EVENTS_COMMAND_MAX];

	snprintf(command, sizeof(command), "%u%.5s", client, question_events[kind]);
	report.command = command;
	report.client =
		(struct endpoint){ .address = { 10, 0, 0, client }, .family = FAMILY_IPV4, .port = CLIENT_PORTS };
	report.server = (struct endpoint){ .address = { 192, 0, 2, 1 }, .family = FAMILY_IPV4, .port = 21 };
	events_put(events, &report, clock_of_sessions());
}

static void hears(FILE *stream, const char *command, const char *by)
{
	json_t *line = next_line(stream);

	assert_string_equal(json_string_value(json_object_get(line, "command")), command);
	assert_string_equal(json_string_value(json_object_get(line, "by")), by);
	json_decref(line);
}

/* Who follows one host hears of no other; lines are for who asks for them, and are kept only while somebody does. */
static void lines_are_for_who_asks(void **state)
{
	FILE *lines = follow_by("{\"version\":1,\"ask\":\"follow\",\"lines\":true,\"address\":\"10.0.0.1\"}\n");
	FILE *reports = follow_by("{\"version\":1,\"ask\":\"follow\",\"address\":\"10.0.0.0/8\",\"port\":21}\n");
	FILE *nothing = follow_by("{\"version\":1,\"ask\":\"follow\",\"port\":22}\n");

	(void)state;
	assert_true(events_want_lines(events));
	put_event(1, REPORT_LINE, DIRECTION_ORIGINAL);
	put_event(2, REPORT_LINE, DIRECTION_ORIGINAL);
	put_event(2, REPORT_REWRITE, DIRECTION_REPLY);
	put_event(1, REPORT_REWRITE, DIRECTION_REPLY);
	hears(lines, "1line", "client");
	hears(lines, "1rewri", "server");
	hears(reports, "2rewri", "server");
	hears(reports, "1rewri", "server");
	fclose(nothing);
	fclose(lines);
	for (double start = seconds(); events_want_lines(events) && seconds() < start + 10;)
		usleep(10000);
	assert_false(events_want_lines(events));
	put_event(3, REPORT_REWRITE, DIRECTION_ORIGINAL);
	hears(reports, "3rewri", "client");
	fclose(reports);
}

/* What is not read fast enough is counted: what came and what is said to be lost are all there was. */
static void losses_are_counted(void **state)
{
	const struct report report = { .kind = REPORT_END, .command = "" };
	const unsigned int put = 40 * FOLLOW_EVENTS;
	FILE *stream = follow();
	uint64_t came = 0, lost = 0;

	(void)state;
	for (unsigned int i = 0; i < put; i++) {
		events_put(events, &report, clock_of_sessions());
		if (i % EVENTS_MAX == 0)
			usleep(60000);
	}
	while (came + lost < put) {
		json_t *line = next_line(stream);

		if (strcmp(json_string_value(json_object_get(line, "event")), "lost") == 0)
			lost += (uint64_t)number_of(line, "count");
		else
			came++;
		json_decref(line);
	}
	assert_int_equal(came + lost, put);
	print_message("%llu came, %llu were told to be lost\n", (unsigned long long)came, (unsigned long long)lost);
	assert_true(came >= FOLLOW_EVENTS && lost > 0);
	fclose(stream);
}

/* That rules have gone, and are back; nothing of what was before. */
static void becomes_followed(bool followed)
{
	for (double start = seconds(); asking_is_followed(asking) != followed && seconds() < start + 10;)
		usleep(10000);
	assert_true(asking_is_followed(asking) == followed);
}

/* Others see whether somebody does: what the kernel module deals with by itself he would not hear of. */
static void that_somebody_follows_is_seen(void **state)
{
	FILE *streams[2];

	(void)state;
	assert_false(asking_is_followed(NULL));
	assert_false(asking_is_followed(asking));
	streams[0] = follow();
	becomes_followed(true);
	streams[1] = follow();
	fclose(streams[0]);
	usleep(200000);
	assert_true(asking_is_followed(asking));
	fclose(streams[1]);
	becomes_followed(false);
}

static void rules_are_followed(void **state)
{
	json_t *line;
	FILE *stream;

	(void)state;
	atomic_store(&watched.gone, 5);
	atomic_store(&watched.back, 5);
	stream = follow();
	usleep(200000);
	atomic_store(&watched.missing, 1);
	atomic_store(&watched.gone, 6);
	line = next_line(stream);
	assert_string_equal(json_string_value(json_object_get(line, "event")), "rules-gone");
	assert_string_equal(json_string_value(json_object_get(line, "missing")), "queue at prerouting (IPv4)");
	json_decref(line);
	atomic_store(&watched.missing, 0);
	atomic_store(&watched.back, 6);
	line = next_line(stream);
	assert_string_equal(json_string_value(json_object_get(line, "event")), "rules-back");
	assert_null(json_object_get(line, "missing"));
	json_decref(line);
	fclose(stream);
}

static bool is_empty(const struct events *ring)
{
	return atomic_load(&ring->taken) == atomic_load(&ring->put);
}

/* All places are taken by some who follow and do not read: they keep them for a while, and then make room for who asks. */
static void followers_who_stall_make_room(void **state)
{
	const struct report report = { .kind = REPORT_END, .command = "" };
	FILE *streams[ASKING_READERS];
	double start;

	(void)state;
	if (RUNNING_ON_VALGRIND)
		unit_skip("of valgrind one thread runs at a time, and slowly: plain and sanitized it is run");
	for (unsigned int i = 0; i < ASKING_READERS; i++)
		streams[i] = follow();
	/* more than sockets and rings have room for; however slowly they are handed out here, all of them are */
	for (unsigned int i = 0; i < 64 * EVENTS_MAX; i++) {
		events_put(events, &report, clock_of_sessions());
		for (start = seconds(); i % EVENTS_MAX == 0 && !is_empty(events) && seconds() < start + 10;)
			usleep(10000);
	}
	start = seconds();
	assert_true(answered(start + 30));
	for (unsigned int i = 0; i < ASKING_READERS; i++)
		fclose(streams[i]);
}

/* Many routers have no clock of their own, and learn the time when the daemon has begun already. */
static void a_clock_that_is_set_changes_no_age(void **state)
{
	const double start = seconds();
	json_t *status;

	(void)state;
	set_forward = 1700000000;
	status = ask("{\"version\":1,\"ask\":\"status\"}\n");
	set_forward = 0;
	assert_true(json_number_value(json_object_get(json_array_get(status, 0), "uptime")) < seconds() - start + 60);
	assert_true(json_number_value(json_object_get(json_array_get(status, 0), "since")) >
		    1700000000.0 + (double)time(NULL) - 60);
	json_decref(status);
}

/* Two clocks are read for it, one behind the other; times that come of it stay in their order. */
static void clocks_keep_their_distance(void **state)
{
	const double start = seconds();
	const double epoch = view_time(0);

	(void)state;
	while (seconds() < start + 0.1)
		assert_true(view_time(0) == epoch);
	assert_true(fabs(view_time(clock_of_sessions()) - (double)time(NULL)) < 5);
}

static double processor_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* Who has said more than a question, which nobody reads, and has gone, is gone at once: it takes no time to find that out. */
static void who_is_gone_is_gone(void **state)
{
	static const char more[4096];
	FILE *streams[ASKING_READERS / 2];
	struct rusage before, after;

	(void)state;
	for (unsigned int i = 0; i < ASKING_READERS / 2; i++) {
		streams[i] = follow();
		while (send(fileno(streams[i]), more, sizeof(more), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
	}
	becomes_followed(true);
	getrusage(RUSAGE_SELF, &before);
	for (unsigned int i = 0; i < ASKING_READERS / 2; i++)
		fclose(streams[i]);
	becomes_followed(false);
	getrusage(RUSAGE_SELF, &after);
	assert_true(processor_seconds(&after) - processor_seconds(&before) < 1);
}

/* Nobody can be admitted, as there are no more files for this process, or the machine: who waits is not asked after all the time. */
static void there_are_no_files_left(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rlimit before, none;
	struct rusage start, end;
	int file, next;
	json_t *lines;

	(void)state;
	if (RUNNING_ON_VALGRIND)
		unit_skip("valgrind accepts, and closes what is beyond the limit: plain and sanitized it is run");
	file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	next = dup(file);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/" ASKING_SOCKET, options.state_directory);
	assert_true(file >= 0 && next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(connect(file, (const struct sockaddr *)&address, sizeof(address)), 0);
	say(file, "{\"version\":1,\"ask\":\"status\"}\n");
	getrusage(RUSAGE_SELF, &start);
	usleep(1500000);
	getrusage(RUSAGE_SELF, &end);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	lines = hear(file);
	assert_true(has_ended(lines));
	json_decref(lines);
	assert_true(processor_seconds(&end) - processor_seconds(&start) < 0.1);
}

/* As another user: of this thread alone. */
static int connected_as(uid_t user)
{
	int file;

	assert_int_equal(syscall(SYS_setresuid, -1, user, -1), 0);
	file = place_connect(options.state_directory);
	assert_int_equal(syscall(SYS_setresuid, -1, 0, -1), 0);
	assert_true(file >= 0);
	return file;
}

static bool is_busy(int file)
{
	json_t *lines = hear(file);
	const bool busy = strcmp(text_of(lines, 0, "error"), "busy") == 0;

	json_decref(lines);
	return busy;
}

/* Members of the group who follow, while nothing happens, may stay: they take a share, and root and others are answered. */
static void no_user_has_all_places(void **state)
{
	char path[OPTIONS_PATH_MAX + 16];
	int files[ASKING_READERS];
	unsigned int count = 0;

	(void)state;
	if (geteuid() != 0)
		unit_skip("only root can try it");
	snprintf(path, sizeof(path), "%s/" ASKING_SOCKET, options.state_directory);
	assert_true(chmod(options.state_directory, 0711) == 0 && chmod(path, 0666) == 0);
	for (; count < ASKING_READERS / 2; count++) {
		files[count] = connected_as(4711);
		say(files[count], "{\"version\":1,\"ask\":\"follow\"}\n");
	}
	assert_true(is_busy(connected_as(4711)));
	for (; count < ASKING_READERS * 3 / 4; count++) {
		files[count] = connected_as(4712);
		say(files[count], "{\"version\":1,\"ask\":\"follow\"}\n");
	}
	assert_true(is_busy(connected_as(4712)));
	assert_true(answered(seconds() + 2));
	while (count)
		close(files[--count]);
}

/* A ring that nobody empties costs nothing but what it loses. */
static void rings_are_bounded(void **state)
{
	const struct report report = { .kind = REPORT_END, .command = "" };
	struct event event;
	unsigned int taken = 0;

	(void)state;
	asking_close(asking);
	asking = NULL;
	events_put(events, &report, 1);
	assert_false(events_take(events, &event)); /* nobody follows */
	events_want(events, EVENTS_REPORTS);
	for (uint64_t i = 0; i < EVENTS_MAX + 100; i++)
		events_put(events, &report, i);
	assert_int_equal(atomic_load(&events->lost), 100);
	while (events_take(events, &event))
		assert_int_equal(event.at, taken++);
	assert_int_equal(taken, EVENTS_MAX);
}

/* ---- the client ---- */

static bool told(const char *directory, const struct telling *how, char text[8192])
{
	const struct question question = { .kind = QUESTION_SESSIONS };

	for (unsigned int tries = 0;; tries++) {
		const double begun = seconds();
		struct telling telling = *how;
		bool whole;

		telling.out = unit_stream(fmemopen(text, 8192, "w"));
		whole = client_ask(directory, &question, false, &telling);
		json_decref(telling.kept);
		fclose(telling.out);
		if (whole || !is_out_of_time(begun, tries))
			return whole;
	}
}

static void tables_for_people(void **state)
{
	const struct telling telling = { .line = tell_kept, .end = tell_sessions_end };
	char text[8192];

	(void)state;
	insert(7);
	assert_true(told(options.state_directory, &telling, text));
	assert_non_null(strstr(text, "10.0.0.7:20000 192.0.2.1:21 ready     RETR"));
	assert_non_null(strstr(text, "\n1 sessions\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 1, SAY_WIDTH);
	assert_false(told("/nonexistent", &telling, text));
}

/* Where its standard output takes nothing, it says so, once. Of a process of its own, whose output that is. */
static void a_full_disk_is_said(void **state)
{
	const struct question question = { .kind = QUESTION_SESSIONS };
	struct telling telling = { .line = tell_kept, .end = tell_sessions_end };
	char said[1024] = "";
	int ends[2], status;
	pid_t asker;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	asker = fork();
	if (asker == 0) {
		dup2(ends[1], STDERR_FILENO);
		telling.out = freopen("/dev/full", "we", stdout);
		_exit(client_ask(options.state_directory, &question, false, &telling));
	}
	close(ends[1]);
	assert_int_equal(waitpid(asker, &status, 0), asker);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(said, "nfq-ftp-helper: the answer cannot be written to standard output\n");
}

/* Where both ends are long, a session takes more than one line, and none of them is too long. */
static void long_addresses_go_on_below(void **state)
{
	struct tuple ends = { .src = { .family = FAMILY_IPV6, .port = 50000 },
			      .dst = { .family = FAMILY_IPV6, .port = 50001 } };
	struct telling telling = { .line = tell_kept, .end = tell_sessions_end };
	struct flow_key key;
	char text[8192];
	uint32_t hash;

	(void)state;
	memset(ends.src.address, 0xfe, 16);
	memset(ends.dst.address, 0xfd, 16);
	hash = table_hash(table, &ends.src, &ends.dst, 0, &key);
	table_insert(table, &key, hash)->state = SESSION_GREETING;
	assert_true(told(options.state_directory, &telling, text));
	assert_non_null(strstr(text, "]:50000 [fdfd:"));
	assert_non_null(strstr(text, "\n    greeting  -"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 1, SAY_WIDTH);
}

static struct {
	int socket;
	const char *answer;
} hostile;

static void *speak_hostile(void *context)
{
	struct pollfd comes = { .fd = hostile.socket, .events = POLLIN };
	char question[QUESTION_MAX];
	int file;

	(void)context;
	assert_int_equal(poll(&comes, 1, 10000), 1);
	file = accept(hostile.socket, NULL, NULL);
	assert_true(recv(file, question, sizeof(question), 0) > 0);
	say(file, hostile.answer);
	close(file);
	return NULL;
}

/* Somebody who has taken the daemon over answers, as root asks: no line of it moves a terminal's cursor, or is one of its own choice. */
static void a_hostile_daemon_is_quoted(void **state)
{
	static const char with_labels[] =
		"{\"version\":1}\n{\"name\":\"a\",\"type\":\"gauge\",\"help\":\"\\u001b[2J\\nup 1\",\"samples\":[{\"value\":1,"
		"\"labels\":{\"l\\nup 1\":\"\\\"\\nup 1\\u001b[2J\"}}]}\n{\"end\":true}\n";
	static const char *const answers[] = {
		"{\"version\":1,\"error\":\"b\\u001b[2J\",\"text\":\"t\\u001b]0;x\\u0007\\nnfq-ftp-helper: all is well\"}\n",
		"{\"version\":1}\n{\"name\":\"a\\nup 1\\n#\",\"type\":\"gauge\",\"samples\":[{\"value\":1}]}\n",
		"{\"version\":1}\n{\"name\":\"a\",\"type\":\"gauge\\nup 1\",\"samples\":[]}\n",
		"{\"version\":1}\n{\"name\":\"a\",\"type\":\"gauge\",\"unit\":\"s\\nup 1\",\"samples\":[]}\n",
		with_labels,
	};

	(void)state;
	asking_close(asking);
	asking = NULL;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		char text[8192] = "", said[8192] = "";
		struct telling telling = { .line = tell_metric,
					   .out = unit_stream(fmemopen(text, sizeof(text), "w")),
					   .err = unit_stream(fmemopen(said, sizeof(said), "w")) };
		const struct question question = { .kind = QUESTION_METRICS };
		struct place place;
		pthread_t speaker;

		assert_int_equal(place_open(&place, options.state_directory, ""), 0);
		hostile.socket = place.socket;
		hostile.answer = answers[i];
		assert_int_equal(pthread_create(&speaker, NULL, speak_hostile, NULL), 0);
		assert_int_equal(client_ask(options.state_directory, &question, false, &telling), i == 4);
		pthread_join(speaker, NULL);
		fclose(telling.out);
		fclose(telling.err);
		place_close(&place);
		assert_null(strpbrk(text, "\x1b\x07"));
		assert_null(strpbrk(said, "\x1b\x07"));
		assert_null(strstr(text, "\nup"));
		assert_null(strstr(said, "\nnfq"));
	}
}

/* Nor are numbers believed that no daemon's can be: none of them becomes an integer that it does not fit into. */
static void numbers_that_cannot_be(void **state)
{
	static const char *const numbers[] = { "1e300", "-1e300", "1e19", "-9223372036854775808",
					       "9223372036854775807" };
	char text[64], span[TELL_SPAN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_t *object;

		snprintf(text, sizeof(text), "{\"n\":%s}", numbers[i]);
		object = json_loads(text, 0, NULL);
		assert_non_null(object);
		assert_true(tell_number(object, "n") == 0);
		assert_string_equal(tell_span_of(object, "n", span), "0s");
		assert_int_equal(tell_integer(object, "n", INT64_MIN, INT64_MAX), 0);
		json_decref(object);
	}
}

static void numbers_within_bounds(void **state)
{
	json_t *object = json_loads("{\"n\":65536,\"f\":-2.5}", 0, NULL);

	(void)state;
	assert_int_equal(tell_integer(object, "n", 0, 65536), 65536);
	assert_int_equal(tell_integer(object, "n", 0, UINT16_MAX), 0);
	assert_int_equal(tell_integer(object, "f", INT32_MIN, INT32_MAX), -2);
	assert_true(tell_number(object, "f") == -2.5);
	json_decref(object);
}

#define ENDLESS 64 /* MiB: it gives up then */

static void *speak_without_end(void *context)
{
	struct pollfd comes = { .fd = hostile.socket, .events = POLLIN };
	static char text[1 << 20];
	int file;

	(void)context;
	memset(text, 'x', sizeof(text));
	assert_int_equal(poll(&comes, 1, 10000), 1);
	file = accept(hostile.socket, NULL, NULL);
	for (unsigned int i = 0; i < ENDLESS && send(file, text, sizeof(text), MSG_NOSIGNAL) > 0; i++)
		;
	close(file);
	return NULL;
}

/* It is not read until the memory of whoever asks, root perhaps, is full. */
static void a_line_without_end_is_cut_off(void **state)
{
	char said[8192] = "";
	struct telling telling = { .line = tell_status, .err = unit_stream(fmemopen(said, sizeof(said), "w")) };
	const struct question question = { .kind = QUESTION_FOLLOW };
	struct place place;
	pthread_t speaker;

	(void)state;
	asking_close(asking);
	asking = NULL;
	assert_int_equal(place_open(&place, options.state_directory, ""), 0);
	hostile.socket = place.socket;
	assert_int_equal(pthread_create(&speaker, NULL, speak_without_end, NULL), 0);
	assert_false(client_ask(options.state_directory, &question, false, &telling));
	pthread_join(speaker, NULL);
	fclose(telling.err);
	place_close(&place);
	assert_non_null(strstr(said, "cut off"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nonsense_is_refused),
		CASE(questions_in_pieces),
		CASE(questions_come_back),
		CASE(texts_are_escaped),
		CASE(status_tells_refusals),
		CASE(what_the_kernel_hides_is_said),
		CASE(sessions_are_filtered),
		CASE(expectations_are_listed),
		CASE(fast_sessions_are_listed),
		CASE(conntrack_is_asked),
		CASE(fast_sessions_for_people),
		CASE(numbers_that_cannot_be),
		CASE(numbers_within_bounds),
		CASE(metrics_tell_every_counter),
		CASE(the_module_is_told),
		CASE(rules_are_told),
		CASE(that_somebody_follows_is_seen),
		CASE(rules_are_followed),
		CASE(latencies_have_their_bucket),
		CASE(sessions_are_whole_while_they_change),
		CASE(figures_are_whole_while_they_change),
		CASE(counters_never_fall),
		CASE(ten_thousand_sessions),
		CASE(thousand_who_stall),
		CASE(events_are_followed),
		CASE(lines_are_for_who_asks),
		CASE(losses_are_counted),
		CASE(followers_who_stall_make_room),
		CASE(clocks_keep_their_distance),
		CASE(a_clock_that_is_set_changes_no_age),
		CASE(who_is_gone_is_gone),
		CASE(there_are_no_files_left),
		CASE(no_user_has_all_places),
		CASE(rings_are_bounded),
		CASE(tables_for_people),
		CASE(long_addresses_go_on_below),
		CASE(a_full_disk_is_said),
		CASE(a_hostile_daemon_is_quoted),
		CASE(a_line_without_end_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
