// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread, one poll(). A reader is asking (its line has not come yet), being answered, or follows. What it may take at a time is one
 * piece of an answer, so nobody waits for who asks for much.
 */
#include "answer.h"
#include "daemon/log.h"
#include "host/file.h"
#include "kernel/nfqueue_stat.h"
#include "place.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often the workers' rings are looked at while somebody follows, and the clocks else; milliseconds. */
#define FOLLOW_PERIOD 50
#define IDLE_PERIOD   1000

struct reader {
	int file;
	uid_t user;
	/* Milliseconds: then its patience is over; who follows: since when nothing was taken of what waits, 0: nothing waits. */
	uint64_t until;
	bool answering; /* its question has come */
	bool over;	/* nothing comes behind what is in its lines */
	char in[QUESTION_MAX];
	size_t in_length;
	struct response answer;
};

struct asking {
	struct view view;
	struct place place;
	int wake; /* eventfd: the end */
	pthread_t thread;
	bool running;
	atomic_uint followers;		/* for other threads to read */
	uint64_t lost[QUEUE_RANGE_MAX]; /* of the workers' rings, as told */
	uint64_t deaf_until;		/* milliseconds: nobody is admitted before, for want of files or memory */
	struct reader *readers[ASKING_READERS]; /* view.readers of them */
	struct figures known[];			/* the view's */
};

static bool follows(const struct reader *reader)
{
	return reader->answer.follow != NULL;
}

/* ---- coming and going ---- */

static void want_events(struct asking *asking)
{
	enum events_wanted wanted = EVENTS_NONE;

	for (unsigned int i = 0; i < asking->view.readers; i++)
		if (follows(asking->readers[i]) && wanted != EVENTS_LINES)
			wanted = asking->readers[i]->answer.question.lines ? EVENTS_LINES : EVENTS_REPORTS;
	for (unsigned int i = 0; i < asking->view.config.sources; i++)
		events_want(asking->view.config.source[i].events, wanted);
}

static void dismiss(struct asking *asking, unsigned int index)
{
	struct reader *reader = asking->readers[index];
	const bool followed = follows(reader);

	close(reader->file);
	answer_fast_end(&reader->answer);
	free(reader->answer.follow);
	free(reader->answer.lines.text);
	free(reader);
	asking->readers[index] = asking->readers[--asking->view.readers];
	if (followed) {
		asking->followers--;
		want_events(asking);
	}
}

/* Somebody has to go: who follows and has not taken what waits for it, for longest. Return: whether there is such. */
static bool make_room_for_reader(struct asking *asking, uint64_t now)
{
	unsigned int longest = asking->view.readers;

	for (unsigned int i = 0; i < asking->view.readers; i++) {
		const struct reader *reader = asking->readers[i];

		if (follows(reader) && reader->until && now - reader->until > ASKING_PATIENCE &&
		    (longest == asking->view.readers || reader->until < asking->readers[longest]->until))
			longest = i;
	}
	if (longest == asking->view.readers)
		return false;
	dismiss(asking, longest);
	return true;
}

static void turn_away(struct asking *asking, int file)
{
	static const char busy[] =
		"{\"version\":1,\"error\":\"busy\",\"text\":\"as many as there may be are asking: try again\"}\n";

	asking->view.turned_away++;
	(void)send(file, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(file);
}

/* Who has connected; somebody whom nobody knows, where that cannot be told. */
static uid_t user_of(int file)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(file, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.uid : (uid_t)-1;
}

/* As with everything that is limited (core/engine/share.h): a user may have another one while it has fewer than are free. Root is no stranger. */
static bool has_share(const struct asking *asking, uid_t user)
{
	unsigned int has = 0;

	for (unsigned int i = 0; i < asking->view.readers; i++)
		has += asking->readers[i]->user == user;
	return user == 0 || has < ASKING_READERS - asking->view.readers;
}

/* Return: false: nobody waits. */
static bool admit(struct asking *asking, uint64_t now)
{
	const int file = accept4(asking->place.socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const uid_t user = file < 0 ? 0 : user_of(file);
	struct reader *reader;

	if (file < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			asking->deaf_until = now + IDLE_PERIOD;
		return false;
	}
	reader = (asking->view.readers < ASKING_READERS || make_room_for_reader(asking, now)) &&
				 has_share(asking, user) ?
			 calloc(1, sizeof(*reader)) :
			 NULL;
	if (!reader) {
		turn_away(asking, file);
		return true;
	}
	reader->file = file;
	reader->user = user;
	reader->until = now + ASKING_PATIENCE;
	reader->answer.view = &asking->view;
	asking->readers[asking->view.readers++] = reader;
	return true;
}

/* ---- one reader ---- */

static void refuse(struct reader *reader, const char *why)
{
	answer_line(&reader->answer,
		    json_pack("{s:i, s:s, s:s}", "version", ASKING_VERSION, "error", "question", "text", why));
	reader->answering = true;
	reader->over = true;
}

static void begin_to_follow(struct asking *asking, struct reader *reader)
{
	reader->answer.follow = calloc(1, sizeof(*reader->answer.follow));
	if (!reader->answer.follow) {
		refuse(reader, "there is no memory for another who follows");
		return;
	}
	answer_follow_rules_begin(reader->answer.follow, asking->view.config.watched);
	reader->until = 0;
	asking->followers++;
	want_events(asking);
}

static void take_question(struct asking *asking, struct reader *reader, size_t length)
{
	const char *complaint = question_read(reader->in, length, &reader->answer.question);

	if (complaint) {
		refuse(reader, complaint);
		return;
	}
	reader->answering = true;
	if (reader->answer.question.kind == QUESTION_FOLLOW)
		begin_to_follow(asking, reader);
}

/* Return: false: it is gone. */
static bool listen_to(struct asking *asking, struct reader *reader)
{
	const ssize_t length =
		recv(reader->file, reader->in + reader->in_length, sizeof(reader->in) - reader->in_length, 0);
	const char *end;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (length <= 0)
		return false;
	reader->in_length += (size_t)length;
	end = memchr(reader->in, '\n', reader->in_length);
	if (end)
		take_question(asking, reader, (size_t)(end - reader->in));
	else if (reader->in_length == sizeof(reader->in))
		refuse(reader, "it is longer than a question can be");
	return true;
}

/* Return: false: it is gone, or has everything. */
static bool speak_to(struct reader *reader)
{
	struct answer_lines *lines = &reader->answer.lines;
	ssize_t sent;

	if (lines->sent == lines->length && !reader->over) {
		lines->sent = lines->length = 0;
		if (answer_more(&reader->answer)) {
			answer_line(&reader->answer, json_pack("{s:b}", "end", 1));
			reader->over = true;
		}
	}
	if (lines->failed)
		return false;
	if (lines->sent == lines->length)
		return !reader->over;
	sent = send(reader->file, lines->text + lines->sent, lines->length - lines->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	lines->sent += (size_t)sent;
	if (follows(reader))
		reader->until = 0;
	return !reader->over || lines->sent < lines->length;
}

/* Has it something to be sent, or to be made first? */
static bool has_more(const struct reader *reader)
{
	const struct answer_lines *lines = &reader->answer.lines;
	const struct answer_follow *follow = reader->answer.follow;

	if (!reader->answering)
		return false;
	return lines->sent < lines->length || !follow || !reader->answer.begun || follow->count || follow->lost ||
	       answer_follow_rules_news(follow, reader->answer.view->config.watched);
}

/* Return: false: it is to be dismissed. */
static bool serve(struct asking *asking, struct reader *reader, short events, uint64_t now)
{
	if (!reader->answering && events & (POLLIN | POLLHUP | POLLERR) && !listen_to(asking, reader))
		return false;
	/* Whoever has asked says no more, or what nobody reads: its end is seen without that. */
	if (reader->answering && events & (POLLHUP | POLLERR))
		return false;
	if (reader->answering && has_more(reader)) {
		if (!speak_to(reader))
			return false;
		if (follows(reader) && !reader->until && has_more(reader))
			reader->until = now;
	}
	return follows(reader) || now < reader->until;
}

/* ---- all of them ---- */

/* What it is waited for. Who is gone is told in any case. */
static short wanted_of(const struct reader *reader)
{
	if (!reader->answering)
		return POLLIN;
	return has_more(reader) ? POLLOUT : 0;
}

/* Does who follows want this? */
static bool wants(const struct reader *reader, const struct event *event)
{
	const struct question *question = &reader->answer.question;

	return follows(reader) && (question->lines || event->kind != REPORT_LINE) &&
	       filter_takes_ends(&question->filter, &event->client, &event->server);
}

/* What the workers have reported since, for everybody who follows. */
static void hand_out(struct asking *asking)
{
	static struct event event;

	for (unsigned int i = 0; i < asking->view.config.sources; i++) {
		struct events *events = asking->view.config.source[i].events;
		const uint64_t lost = atomic_load_explicit(&events->lost, memory_order_relaxed);

		for (unsigned int taken = 0; taken < EVENTS_MAX && events_take(events, &event); taken++)
			for (unsigned int j = 0; j < asking->view.readers; j++)
				if (wants(asking->readers[j], &event))
					answer_follow_add(asking->readers[j]->answer.follow, &event);
		for (unsigned int j = 0; j < asking->view.readers; j++)
			if (follows(asking->readers[j]))
				asking->readers[j]->answer.follow->lost += lost - asking->lost[i];
		asking->lost[i] = lost;
	}
}

/* Return: false: it has to end. */
static bool wait_for_them(struct asking *asking, struct pollfd polled[2 + ASKING_READERS])
{
	int ready;

	polled[0] = (struct pollfd){ .fd = asking->wake, .events = POLLIN };
	polled[1] = (struct pollfd){
		.fd = clock_of_sessions() < asking->deaf_until ? -1 : asking->place.socket,
		.events = POLLIN,
	};
	for (unsigned int i = 0; i < asking->view.readers; i++)
		polled[2 + i] = (struct pollfd){
			.fd = asking->readers[i]->file,
			.events = wanted_of(asking->readers[i]),
		};
	ready = poll(polled, 2 + asking->view.readers, asking->followers ? FOLLOW_PERIOD : IDLE_PERIOD);
	return ready < 0 ? errno == EINTR : !polled[0].revents;
}

static void *run_thread(void *context)
{
	struct asking *asking = context;
	struct pollfd polled[2 + ASKING_READERS];
	uint64_t sampled = 0;

	while (wait_for_them(asking, polled)) {
		const uint64_t now = clock_of_sessions();

		if (now - sampled >= 1000) {
			view_sample(&asking->view);
			sampled = now;
		}
		if (asking->followers)
			hand_out(asking);
		/* From behind: the last takes the place of one that goes. */
		for (unsigned int i = asking->view.readers; i-- > 0;)
			if (!serve(asking, asking->readers[i], polled[2 + i].revents, now))
				dismiss(asking, i);
		for (unsigned int i = 0; polled[1].revents && i < ASKING_READERS && admit(asking, now); i++)
			;
	}
	return NULL;
}

/* ---- beginning and end ---- */

static void release(struct asking *asking)
{
	file_close(&asking->wake);
	file_close(&asking->view.stat_file);
	file_close(&asking->view.config.module);
	free(asking);
}

int asking_open(struct asking **asking, const struct asking_config *config)
{
	struct asking *new = calloc(1, sizeof(*new) + config->sources * sizeof(new->known[0]));
	int error;

	*asking = NULL;
	if (!new)
		return -ENOMEM;
	new->view.config = *config;
	new->view.known = new->known;
	new->view.stat_file = nfqueue_stat_open();
	new->view.since = clock_of_sessions();
	new->wake = eventfd(0, EFD_CLOEXEC);
	error = new->wake < 0 ? -errno :
				place_open(&new->place, config->options->state_directory, config->options->group);
	if (error) {
		release(new);
		return error;
	}
	*asking = new;
	return 0;
}

int asking_start(struct asking *asking)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&asking->thread, NULL, run_thread, asking);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	asking->running = error == 0;
	if (error)
		log_why(LOG_LEVEL_WARNING, "asking", "no thread can be made to answer questions: %s", strerror(error));
	return -error;
}

bool asking_is_followed(const struct asking *asking)
{
	return asking && atomic_load_explicit(&asking->followers, memory_order_relaxed);
}

void asking_close(struct asking *asking)
{
	if (!asking)
		return;
	if (asking->running) {
		(void)eventfd_write(asking->wake, 1);
		pthread_join(asking->thread, NULL);
	}
	while (asking->view.readers)
		dismiss(asking, asking->view.readers - 1);
	place_close(&asking->place);
	release(asking);
}
