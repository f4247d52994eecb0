// SPDX-License-Identifier: GPL-2.0-or-later
#include "rulekeeper.h"

#include "capabilities.h"
#include "host/queue_holder.h"
#include "host/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 30000 /* milliseconds: nft may wait for another one, and load modules */

enum request { REQUEST_APPLY = 'a', REQUEST_REMOVE = 'r' };

/* ---- the process ---- */

/* What nft and iptables take; the last is for iptables-legacy, which loads modules itself. */
#define RULES_CAPABILITIES                                                                                             \
	(capability_bit(CAP_NET_ADMIN) | capability_bit(CAP_NET_RAW) | capability_bit(CAP_SYS_MODULE))

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

/* The standard ones stay: what is wrong is said there. */
static void close_others(int channel)
{
	if (channel > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)channel - 1, 0);
	close_range((unsigned int)channel + 1, ~0u, 0);
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

/* A signal to the daemon's group, such as a terminal's, is for the daemon, who has something to ask for first. */
static _Noreturn void keep_rules(const struct rulekeeper_acts *acts, int channel)
{
	sigset_t all;
	uint8_t request;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, QUEUE_HOLDER_RULES);
	bound_rights();
	close_others(channel);
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
	int ends[2], error;

	*keeper = (struct rulekeeper)RULEKEEPER_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	keeper->process = fork();
	if (keeper->process == 0)
		keep_rules(acts, ends[1]);
	error = keeper->process < 0 ? -errno : 0;
	close(ends[1]);
	keeper->channel = ends[0];
	if (error)
		rulekeeper_end(keeper);
	return error;
}

/* Late answers must not be taken for those of later requests. */
static int give_up(struct rulekeeper *keeper, int error)
{
	close(keeper->channel);
	keeper->channel = -1;
	return error;
}

static int wait_for_answer(const struct rulekeeper *keeper)
{
	struct pollfd answer = { .fd = keeper->channel, .events = POLLIN };
	int ready;

	do {
		ready = poll(&answer, 1, PATIENCE);
	} while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready ? 0 : -ETIMEDOUT;
}

static int ask(struct rulekeeper *keeper, uint8_t request)
{
	int32_t answer;
	int error;

	if (keeper->channel < 0)
		return -EPIPE;
	if (send(keeper->channel, &request, 1, MSG_NOSIGNAL) != 1)
		return give_up(keeper, -EPIPE);
	error = wait_for_answer(keeper);
	if (error)
		return give_up(keeper, error);
	if (recv(keeper->channel, &answer, sizeof(answer), 0) != sizeof(answer))
		return give_up(keeper, -EPIPE);
	return answer;
}

int rulekeeper_apply(struct rulekeeper *keeper)
{
	return ask(keeper, REQUEST_APPLY);
}

int rulekeeper_remove(struct rulekeeper *keeper)
{
	return ask(keeper, REQUEST_REMOVE);
}

void rulekeeper_end(struct rulekeeper *keeper)
{
	const bool answers = keeper->channel >= 0;

	if (answers)
		close(keeper->channel);
	/* One that was given up may be stuck in a program for ever. */
	if (keeper->process > 0 && answers)
		waitpid(keeper->process, NULL, 0);
	*keeper = (struct rulekeeper)RULEKEEPER_NONE;
}
