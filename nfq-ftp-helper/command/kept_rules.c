// SPDX-License-Identifier: GPL-2.0-or-later
#include "kept_rules.h"

#include "command.h"
#include "daemon/log.h"
#include "host/notify.h"
#include "kernel/cthelper.h"
#include "settle/settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- beginning ---- */

/* Each would take away what the other has put in place. */
static void tell_rules_twice(void)
{
	if (notify_unit_is_active(NOTIFY_UNITS, RULES_UNIT))
		log_why(LOG_LEVEL_WARNING, "rules-twice",
			"the unit " RULES_UNIT
			" has the rules, and `rules = yes' says that the daemon has: at its end it takes away "
			"what the unit has put in place; `systemctl mask --now " RULES_UNIT
			"', or leave `rules' at no");
}

int kept_rules_settle(struct kept_rules *rules, unsigned int backend, struct options *options)
{
	struct request *request = &rules->request;
	char complaint[SETTLE_COMPLAINT_MAX];
	int error;

	request->attach = options->attach;
	error = settle_rules(request, complaint);
	if (error) {
		log_why(LOG_LEVEL_ERROR, "rules", "%s", complaint);
		return error == -ENOENT ? EXIT_FAILED : EXIT_USAGE;
	}
	tell_rules_twice();
	options->attach = request->attach;
	rules->backend = backend < BACKENDS ? backends[backend] : backends_choose(request);
	return OPTION_GO_ON;
}

static int apply(void *context)
{
	const struct kept_rules *rules = context;

	return settle_place_rules(&rules->request, rules->backend);
}

static int take_away(void *context)
{
	const struct kept_rules *rules = context;

	return settle_take_rules_away(rules->backend, NULL);
}

int kept_rules_start(struct kept_rules *rules)
{
	const struct rulekeeper_acts acts = { .apply = apply, .remove = take_away, .context = rules };
	int error;

	if (!rules->backend)
		return 0;
	error = rulekeeper_start(&rules->keeper, &acts);
	if (error)
		log_why(LOG_LEVEL_ERROR, "rules", "no process can be made to keep the rules: %s", strerror(-error));
	return error;
}

/* In the other modes a helper queues, and rules give it to connections. */
static struct sought sought_by(const struct attach *attach, const char *carrier)
{
	struct sought sought = { 0 };

	if (attach->mode == MODE_QUEUE) {
		sought.queues = attach->queues;
		sought.queues.given = true;
		sought.sure_queues = attach->sure_queues;
	}
	snprintf(sought.helper, sizeof(sought.helper), "%s", attach->mode == MODE_QUEUE ? carrier : CTHELPER_NAME);
	return sought;
}

static void set_state(struct kept_rules *rules, enum watched_state state, uint64_t now)
{
	struct watched *watched = &rules->watched;

	if (atomic_exchange_explicit(&watched->state, state, memory_order_relaxed) != (unsigned int)state)
		atomic_store_explicit(&watched->changed, now, memory_order_relaxed);
}

void kept_rules_watch(struct kept_rules *rules, const char *carrier, const struct options *options,
		      const struct user *user)
{
	const struct watcher_config config = {
		.sought = sought_by(&options->attach, carrier),
		.confined = !options->no_sandbox,
		.user = user,
		.directory = options->state_directory,
	};
	const int error = watcher_start(&rules->watcher, &config);

	rules->course = (struct course){ .keeps = rules->backend != NULL };
	if (error)
		log_why(LOG_LEVEL_WARNING, "rules",
			"no process can be made to watch the rules: %s; that they have gone will not be said",
			strerror(-error));
	else
		set_state(rules, WATCHED_NEVER, 0);
}

int kept_rules_place(struct kept_rules *rules)
{
	const int error = rules->backend ? rulekeeper_apply(&rules->keeper) : 0;

	if (error)
		log_why(LOG_LEVEL_ERROR, "rules", "the rules of mode %s could not be put in place, with backend %s: %s",
			mode_names[rules->request.attach.mode], rules->backend->name, strerror(-error));
	rules->placed = rules->backend && !error;
	if (rules->placed)
		watcher_ask(&rules->watcher, WATCHER_AWAIT);
	return error;
}

/* ---- while it runs ---- */

static void tell_trouble(struct kept_rules *rules, const struct watcher_news *news, uint64_t now)
{
	if (news->trouble == WATCHER_BLIND)
		log_line(
			LOG_LEVEL_WARNING,
			"event=rules-unwatched error=\"%s\" why=\"the rules cannot be looked at: that they have gone may not be said\"",
			strerror(-news->error));
	else if (atomic_load_explicit(&rules->watched.state, memory_order_relaxed) != WATCHED_NOT)
		log_line(
			LOG_LEVEL_WARNING,
			"event=rules-unwatched why=\"the process that watches the rules has ended: that they have gone will not be "
			"said\" advice=\"a restart brings it back, and loses no connection\"");
	if (news->trouble == WATCHER_ENDED) {
		set_state(rules, WATCHED_NOT, now);
		atomic_store_explicit(&rules->watched.missing, 0, memory_order_relaxed);
	}
}

static void publish(struct kept_rules *rules, const struct watcher_news *news, uint64_t now)
{
	struct watched *watched = &rules->watched;

	set_state(rules, news->missing ? WATCHED_GONE : WATCHED_THERE, now);
	atomic_store_explicit(&watched->missing, news->missing, memory_order_relaxed);
	if (news->judgement == JUDGEMENT_GONE)
		atomic_fetch_add_explicit(&watched->gone, 1, memory_order_relaxed);
	if (news->judgement == JUDGEMENT_BACK)
		atomic_fetch_add_explicit(&watched->back, 1, memory_order_relaxed);
}

static void say_gone(const struct request *request, const char *missing)
{
	char command[REQUEST_COMMAND_MAX];

	log_line(
		LOG_LEVEL_WARNING,
		"event=rules-gone missing=\"%s\" why=\"rules that were in place are not any more: what they handed over "
		"passes unseen, and transfers fail\" advice=\"`%s', or where systemd has them "
		"`systemctl restart nfq-ftp-helper-rules', puts them back; with `rules = yes' this program does\"",
		missing, request_apply(request, command));
}

static void say_failed(const struct request *request, const char *missing, bool alone, int error)
{
	char command[REQUEST_COMMAND_MAX];

	if (alone)
		log_line(
			LOG_LEVEL_ERROR,
			"event=rules-gone missing=\"%s\" result=failed error=\"%s\" why=\"somebody has taken them away, and the process "
			"that puts them in place has ended\" advice=\"`%s' puts them back; a restart brings the process back\"",
			missing, strerror(-error), request_apply(request, command));
	else
		log_line(
			LOG_LEVEL_ERROR,
			"event=rules-gone missing=\"%s\" result=failed error=\"%s\" why=\"somebody has taken them away, and they "
			"could not be put in place again: it is tried anew\" advice=\"`nfq-ftp-helper check'\"",
			missing, strerror(-error));
}

static void say(const struct kept_rules *rules, enum course_word word, int error, uint64_t now)
{
	const struct course *course = &rules->course;
	const double seconds = (double)(now - course->gone_at) / 1000;
	char missing[STANDING_TEXT_MAX];

	standing_text(course->missing, missing);
	switch (word) {
	case COURSE_NOTHING:
		return;
	case COURSE_GONE:
		say_gone(&rules->request, missing);
		return;
	case COURSE_BACK:
		log_line(LOG_LEVEL_NOTICE, "event=rules-back after=%.1f why=\"the rules are in place again\"", seconds);
		return;
	case COURSE_BLINK:
		log_line(
			LOG_LEVEL_NOTICE,
			"event=rules-back after=%.1f missing=\"%s\" why=\"the rules were gone for a moment, and what passed was not seen\"",
			seconds, missing);
		return;
	case COURSE_PUT_BACK:
		log_line(
			LOG_LEVEL_WARNING,
			"event=rules-gone missing=\"%s\" result=put-back after=%.1f why=\"somebody has taken them away, and they "
			"have been put in place again: what passed meanwhile was not seen\"",
			missing, seconds);
		return;
	case COURSE_FAILED:
	case COURSE_ALONE:
		say_failed(&rules->request, missing, word == COURSE_ALONE, error);
		return;
	}
}

static struct kept_rules_news hear(struct kept_rules *rules, uint64_t now)
{
	struct kept_rules_news heard = { 0 };
	struct watcher_news news;

	while (watcher_hears(&rules->watcher, &news)) {
		if (news.trouble != WATCHER_SEES) {
			tell_trouble(rules, &news, now);
			continue;
		}
		publish(rules, &news, now);
		heard.unseen |= standing_queues(news.concerned);
		heard.begun |= standing_queues(news.begun);
		say(rules, course_hear(&rules->course, &news, now), 0, now);
	}
	return heard;
}

static void put_back(struct kept_rules *rules, uint64_t now, bool known)
{
	struct course *course = &rules->course;
	int result = -EINPROGRESS;

	if (course_applies(course, now, known))
		result = rulekeeper_begin_to_apply(&rules->keeper);
	if (course->applying && (!result || result == -EINPROGRESS))
		result = rulekeeper_answer(&rules->keeper);
	if (!course->applying || result == -EINPROGRESS)
		return;
	say(rules, course_applied(course, result, now), result, now);
	if (result)
		return;
	atomic_fetch_add_explicit(&rules->watched.put_back, 1, memory_order_relaxed);
	watcher_ask(&rules->watcher, WATCHER_ACCEPT);
}

/* What goes from here on is not put back, and the end leaves what is there. */
static void look_after_keeper(struct kept_rules *rules)
{
	if (!rulekeeper_has_ended(&rules->keeper))
		return;
	rules->course.keeps = false;
	log_line(
		LOG_LEVEL_WARNING,
		"event=rules-unkept why=\"the process that puts the rules in place has ended: should they go, they will not be put "
		"back, and at this program's end they stay\" advice=\"a restart brings it back\"");
}

struct kept_rules_news kept_rules_attend(struct kept_rules *rules, uint64_t now, bool known)
{
	const struct kept_rules_news heard = hear(rules, now);

	look_after_keeper(rules);
	say(rules, course_wait(&rules->course, now), 0, now);
	put_back(rules, now, known && !heard.unseen);
	return heard;
}

void kept_rules_again(struct kept_rules *rules, const struct request *asked)
{
	const struct attach attach = rules->request.attach;

	if (!rules->backend) {
		rules->request = *asked;
		rules->request.attach = attach;
	}
	course_again(&rules->course);
	if (!rules->course.gone || !rules->course.keeps)
		watcher_ask(&rules->watcher, WATCHER_ACCEPT);
}

/* ---- end ---- */

void kept_rules_take_away(struct kept_rules *rules)
{
	child_end(&rules->watcher);
	if (rules->placed && rulekeeper_remove(&rules->keeper))
		log_why(LOG_LEVEL_WARNING, "rules",
			"the rules could not be taken away: `nfq-ftp-helper rules --remove' does that");
	rulekeeper_end(&rules->keeper);
}
