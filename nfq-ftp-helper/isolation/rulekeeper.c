// SPDX-License-Identifier: GPL-2.0-or-later
#include "rulekeeper.h"

#include "capabilities.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/queue_holder.h"
#include "host/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 30000 /* milliseconds: nft may wait for another one, and load modules */

enum request { REQUEST_APPLY = 'a', REQUEST_REMOVE = 'r' };

/* ---- the process ---- */

/* What nft and iptables take; the last is for iptables-legacy, which loads modules itself. */
#define RULES_CAPABILITIES (1ull << CAP_NET_ADMIN | 1ull << CAP_NET_RAW | 1ull << CAP_SYS_MODULE)

/*
 * Of root's power, for itself and its programs. Who is another user, with ambient capabilities, has no more than was meant for it.
 * Where it does not work the rules are kept all the same.
 */
static void bound_rights(void)
{
	struct rights rights;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() != 0 || rights_of(getpid(), &rights) < 0)
		return;
	capabilities_bound(RULES_CAPABILITIES);
	(void)capabilities_keep(rights.capabilities & RULES_CAPABILITIES);
}

/* Whatever else is asked for is not done: there is no third thing. */
static int32_t act_upon(const struct rulekeeper_acts *acts, uint8_t request)
{
	switch (request) {
	case REQUEST_APPLY:
		return acts->apply(acts->context);
	case REQUEST_REMOVE:
		return acts->remove(acts->context);
	default:
		return -EINVAL;
	}
}

static _Noreturn void keep_rules(const void *acts, int channel)
{
	uint8_t request;

	child_begin(QUEUE_HOLDER_RULES, channel);
	bound_rights();
	for (;;) {
		const ssize_t length = recv(channel, &request, 1, MSG_TRUNC);
		int32_t answer;

		if (length < 0 && errno == EINTR)
			continue;
		if (length != 1)
			_exit(0);
		answer = act_upon(acts, request);
		if (send(channel, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			_exit(0);
	}
}

/* ---- the daemon's side ---- */

int rulekeeper_start(struct rulekeeper *keeper, const struct rulekeeper_acts *acts)
{
	*keeper = RULEKEEPER_NONE;
	return child_start(&keeper->child, keep_rules, acts);
}

/* Late answers must not be taken for those of later requests. */
static int give_up(struct rulekeeper *keeper, int error)
{
	file_close(&keeper->child.channel);
	keeper->asked = false;
	return error;
}

static int request_of(struct rulekeeper *keeper, uint8_t request)
{
	if (keeper->child.channel < 0)
		return -EPIPE;
	if (send(keeper->child.channel, &request, 1, MSG_NOSIGNAL) != 1)
		return give_up(keeper, -EPIPE);
	keeper->asked = true;
	keeper->until = clock_milliseconds(CLOCK_MONOTONIC) + PATIENCE;
	return 0;
}

/* Wait for so long at most. Return: as rulekeeper_answer(). */
static int answer_within(struct rulekeeper *keeper, int64_t patience)
{
	struct pollfd polled = { .fd = keeper->child.channel, .events = POLLIN };
	int32_t answer;
	int ready;

	if (!keeper->asked)
		return keeper->child.channel < 0 ? -EPIPE : -EINVAL;
	do {
		ready = poll(&polled, 1, patience > 0 ? (int)patience : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return give_up(keeper, -errno);
	if (!ready)
		return clock_milliseconds(CLOCK_MONOTONIC) < keeper->until ? -EINPROGRESS : give_up(keeper, -ETIMEDOUT);
	if (recv(keeper->child.channel, &answer, sizeof(answer), 0) != sizeof(answer))
		return give_up(keeper, -EPIPE);
	keeper->asked = false;
	return answer;
}

static int wait_for_answer(struct rulekeeper *keeper)
{
	int answer;

	do {
		answer = answer_within(keeper, keeper->until - clock_milliseconds(CLOCK_MONOTONIC));
	} while (answer == -EINPROGRESS);
	return answer;
}

/* What is still being done is waited for first. */
static int ask(struct rulekeeper *keeper, uint8_t request)
{
	int error;

	if (keeper->asked)
		(void)wait_for_answer(keeper);
	error = request_of(keeper, request);
	return error ? error : wait_for_answer(keeper);
}

int rulekeeper_apply(struct rulekeeper *keeper)
{
	return ask(keeper, REQUEST_APPLY);
}

int rulekeeper_remove(struct rulekeeper *keeper)
{
	return ask(keeper, REQUEST_REMOVE);
}

int rulekeeper_begin_to_apply(struct rulekeeper *keeper)
{
	return keeper->asked ? -EBUSY : request_of(keeper, REQUEST_APPLY);
}

int rulekeeper_answer(struct rulekeeper *keeper)
{
	return answer_within(keeper, 0);
}

bool rulekeeper_has_ended(struct rulekeeper *keeper)
{
	struct pollfd polled = { .fd = keeper->child.channel, .events = 0 };

	if (keeper->child.channel < 0 || keeper->asked || poll(&polled, 1, 0) <= 0)
		return false;
	(void)give_up(keeper, 0);
	(void)waitpid(keeper->child.process, NULL, 0); /* its files are closed, so it is about to end */
	return true;
}

void rulekeeper_end(struct rulekeeper *keeper)
{
	child_end(&keeper->child);
	*keeper = RULEKEEPER_NONE;
}
