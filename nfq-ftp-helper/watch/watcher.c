// SPDX-License-Identifier: GPL-2.0-or-later
#include "watcher.h"

#include "host/clock.h"
#include "host/queue_holder.h"
#include "look.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE	100  /* milliseconds: so long after a change, others may belong to it */
#define PERIOD	1000 /* between looks at what nobody tells of, or after one that failed */
#define SPARING 9    /* so many times as long as a look has taken there is none */

#define NEVER INT64_MAX

/* ---- the process ---- */

struct watch {
	struct look look;
	struct judge judge;
	uint32_t sought;	  /* all places where there may be some */
	struct standing standing; /* as last seen */
	int channel;
	unsigned int steps; /* of nf_tables, since the last look */
	int64_t due;	    /* then it looks, milliseconds, or NEVER; ... */
	int64_t spared;	    /* ... but not before */
	int64_t tick;	    /* then it asks whether it has to look without being told, or NEVER */
	bool accepts;	    /* at the next look */
	int blind;	    /* a negative errno, as it was told */
};

/* Who does not hear it any more has ended. */
static void say(const struct watch *watch, const struct watcher_news *news)
{
	if (send(watch->channel, news, sizeof(*news), MSG_NOSIGNAL) != sizeof(*news))
		_exit(0);
}

static void say_blind(struct watch *watch, int error)
{
	if (error != watch->blind && error)
		say(watch, &(struct watcher_news){ .trouble = WATCHER_BLIND, .error = error });
	watch->blind = error;
}

static void say_judgement(struct watch *watch, enum judgement judgement, const struct judge *before)
{
	struct watcher_news news = { .judgement = judgement,
				     .missing = watch->judge.absent ? watch->sought : watch->judge.missing };

	switch (judgement) {
	case JUDGEMENT_SAME:
		return;
	case JUDGEMENT_THERE: /* what has been seen since, has been seen from there on */
		news.begun = watch->judge.expected & ~before->expected;
		break;
	case JUDGEMENT_REPLACED:
		news.concerned = watch->judge.expected;
		break;
	case JUDGEMENT_GONE:
	case JUDGEMENT_OTHER:
	case JUDGEMENT_BACK:
		news.concerned = news.missing | (before->absent ? watch->sought : before->missing);
		break;
	}
	say(watch, &news);
}

static void judge_rules(struct watch *watch)
{
	struct judge before = watch->judge;

	say_judgement(watch, judge_look(&watch->judge, &watch->standing, watch->steps), &before);
	watch->steps = 0;
	if (!watch->accepts)
		return;
	before = watch->judge;
	watch->accepts = false;
	say_judgement(watch, judge_accept(&watch->judge, &watch->standing), &before);
}

static void plan_look(struct watch *watch, int64_t at)
{
	if (at < watch->spared)
		at = watch->spared;
	if (at < watch->due)
		watch->due = at;
}

/* What has been told while it looked may have been seen, and may not. */
static void look(struct watch *watch)
{
	const int64_t begun = clock_milliseconds(CLOCK_MONOTONIC);
	int64_t now;
	int error;

	if (watch->look.events >= 0)
		(void)look_news(&watch->look, &watch->steps);
	watch->due = NEVER;
	error = look_at(&watch->look, &watch->standing);
	now = clock_milliseconds(CLOCK_MONOTONIC);
	watch->spared = now + SPARING * (now - begun);
	if (watch->look.events >= 0 && look_news(&watch->look, &watch->steps))
		plan_look(watch, now + SETTLE);
	if (error)
		plan_look(watch, now + PERIOD);
	if (!error && watch->standing.unsteady)
		plan_look(watch, now + SETTLE);
	else if (!error)
		judge_rules(watch);
	say_blind(watch, error);
}

/* Whatever else is asked for is not done. */
static void hear(struct watch *watch)
{
	uint8_t request;
	const ssize_t length = recv(watch->channel, &request, 1, MSG_TRUNC);

	if (length < 0 && errno == EINTR)
		return;
	if (length != 1)
		_exit(0);
	if (request == WATCHER_ACCEPT)
		watch->accepts = true;
	else if (request == WATCHER_AWAIT)
		watch->judge.awaited = true;
	else
		return;
	plan_look(watch, clock_milliseconds(CLOCK_MONOTONIC));
}

/* Milliseconds until the next thing is due; -1: nothing is. */
static int patience(const struct watch *watch)
{
	const int64_t next = watch->due < watch->tick ? watch->due : watch->tick;
	const int64_t left = next == NEVER ? 0 : next - clock_milliseconds(CLOCK_MONOTONIC);

	if (next == NEVER)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* The clock's: nobody tells of iptables-legacy's rules. */
static void take_time(struct watch *watch)
{
	const int64_t now = clock_milliseconds(CLOCK_MONOTONIC);

	if (now >= watch->tick && look_is_due(&watch->look))
		plan_look(watch, now);
	if (now >= watch->tick || watch->tick == NEVER)
		watch->tick = look_needs_clock(&watch->look) ? now + PERIOD : NEVER;
	if (now >= watch->due)
		look(watch);
}

static void wait_for_something(struct watch *watch)
{
	struct pollfd polled[] = { { .fd = watch->channel, .events = POLLIN },
				   { .fd = watch->look.events, .events = POLLIN } };

	if (poll(polled, 2, patience(watch)) < 0)
		return;
	if (polled[0].revents)
		hear(watch);
	if (polled[1].revents && look_news(&watch->look, &watch->steps))
		plan_look(watch, clock_milliseconds(CLOCK_MONOTONIC) + SETTLE);
}

static int confine(const struct watcher_config *config)
{
	struct isolation isolation;
	const char *failed;

	return config->confined ? isolation_enter(&isolation, config->user, config->directory, &failed) : 0;
}

static _Noreturn void watch_rules(const void *context, int channel)
{
	const struct watcher_config *config = context;
	static struct watch watch;
	int error;

	child_begin(QUEUE_HOLDER_WATCH, channel);
	watch.channel = channel;
	watch.sought = standing_sought(&config->sought);
	watch.due = watch.tick = NEVER;
	error = look_open(&watch.look, &config->sought);
	if (!error)
		error = confine(config);
	if (error) {
		say_blind(&watch, error);
		_exit(0);
	}
	watch.due = 0;
	for (;;) {
		take_time(&watch);
		wait_for_something(&watch);
	}
}

/* ---- the daemon's side ---- */

int watcher_start(struct child *watcher, const struct watcher_config *config)
{
	return child_start(watcher, watch_rules, config);
}

bool watcher_hears(struct child *watcher, struct watcher_news *news)
{
	ssize_t length;

	if (watcher->channel < 0)
		return false;
	do {
		length = recv(watcher->channel, news, sizeof(*news), MSG_DONTWAIT | MSG_TRUNC);
	} while (length < 0 && errno == EINTR);
	if (length == sizeof(*news))
		return true;
	if (length < 0 && errno == EAGAIN)
		return false;
	child_end(watcher);
	*news = (struct watcher_news){ .trouble = WATCHER_ENDED };
	return true;
}

void watcher_ask(const struct child *watcher, enum watcher_request what)
{
	const uint8_t request = (uint8_t)what;

	if (watcher->channel >= 0)
		(void)send(watcher->channel, &request, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}
