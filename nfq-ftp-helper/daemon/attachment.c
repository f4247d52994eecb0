// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A conntrack helper of user space queues its connections' packets in conntrack's last hook, the
 * one that confirms a connection and adjusts sequence numbers, and the kernel does that for a packet when its verdict
 * comes back. Where nobody listens to the queue no verdict comes: the packet passes the queue by, and with it the
 * rest of that hook. Connections that begin then are never confirmed, so that their replies belong to nobody, and
 * established ones whose numbers are adjusted break. A helper that is disabled queues nothing, and the whole
 * hook is run.
 *
 * So the helper is enabled only while somebody listens. It is enabled after the queue is bound. At an orderly end it
 * is disabled before the queue is given up. For any other end (kill -9) there is a guard (guard.h): a process forked
 * off when the queue is bound, which outlives the daemon, disables the helper, and ends. It has inherited the queue's
 * socket, so until then the queue stays bound: packets wait, and are dropped, and sent again, when the guard ends. For
 * the same reason a new daemon cannot have the queue, and enable the helper, before the old one's guard is through. A
 * guard that is killed itself is replaced at once. Only both at one blow (the kill of a control group) leave the helper
 * enabled with nobody on its queue; `check' sees that, and the next daemon mends it.
 *
 * The helper itself stays registered, so that rules that name it stay valid; --unregister takes it away.
 *
 * A helper is the whole machine's, but a daemon serves one network namespace. So each holds a shared lock on one
 * file, and only the last one disables the helper. It has one queue: a daemon that wants another one is refused.
 */
#include "attachment.h"

#include "core/wire/scan.h"
#include "host/file.h"
#include "host/helper.h"
#include "host/module.h"
#include "host/sysctl.h"
#include "kernel/cthelper.h"
#include "log.h"
#include "statefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* Whoever uses the helper holds this, whichever state directory it has. */
#define USERS_DIRECTORY OPTIONS_STATE_DIRECTORY
#define USERS_NAME	"cthelper.lock"

/* So long a daemon waits for the guard of one that had another queue. */
#define JOIN_TRIES 50
#define JOIN_WAIT  10000000 /* nanoseconds */

/* Make a stub of the helper, unless a daemon of another network namespace uses it. The guard's task, too. */
static int disable(void *context)
{
	struct attachment *attachment = context;

	if (attachment->users >= 0 && flock(attachment->users, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EUSERS;
	return cthelper_disable(&attachment->exchange);
}

/* ---- the module ---- */

/* As it calls them: the policy that it is told, and what it may deal with by itself. */
enum { MIN_PORT, RATE, TIMEOUT, LONGEST, MOST, ASIDE };

static const char *const parameter_names[ATTACHMENT_PARAMETERS] = {
	[MIN_PORT] = "min_port", [RATE] = "rate", [TIMEOUT] = "timeout",
	[LONGEST] = "longest",	 [MOST] = "most", [ASIDE] = "aside",
};

/* What it has noted of connections is read as this program's own: so it must be of one make with it. */
static int match_layout(void)
{
	long long layout = 0;
	int error = module_parameter("layout", &layout);

	if (!error && layout == SCAN_LAYOUT)
		return 0;
	log_why(LOG_LEVEL_ERROR, "module",
		"the kernel module " MODULE_NAME
		" is of another version than this program (its parameter `layout' is %lld, and not %d): build "
		"it from this program's own source, `rmmod " MODULE_NAME "', and load it",
		layout, SCAN_LAYOUT);
	return -EPROTO;
}

/* 0 would be its own idea of that. */
static int tell_most(const struct attachment_module *module)
{
	const int allowed = sysctl_number("net/netfilter/nf_conntrack_expect_max");
	const uint32_t most = allowed > 0 ? module_expectations((uint32_t)allowed) : 0;

	return most ? module_write_parameter(module->parameters[MOST], most) : 0;
}

/* What it deals with by itself it deals with by this program's policy. One that is built without that has no such parameters. */
void attachment_tell(const struct attachment *attachment)
{
	const struct attachment_module *module = &attachment->module;
	const struct options *options = attachment->options;
	const long long values[] = {
		[MIN_PORT] = options->policy.min_port,
		[RATE] = options->policy.client_rate,
		[TIMEOUT] = options->expect_timeout,
		[LONGEST] = options->policy.expect_longest,
	};
	int error = 0;

	if (options->attach.mode != MODE_KMOD)
		return;
	for (unsigned int i = MIN_PORT; i <= LONGEST && !error; i++)
		error = module_write_parameter(module->parameters[i], values[i]);
	if (!error)
		error = tell_most(module);
	if (error && error != -ENOENT)
		log_why(LOG_LEVEL_WARNING, "module",
			"the kernel module " MODULE_NAME
			" cannot be told which ports it may open, how often, for how long "
			"and how many: %s; it goes by min_port, rate, timeout, longest and most in `" MODULE_PARAMETERS
			"'",
			strerror(-error));
}

/* It is asked once a second; should it not be any more, since this has been killed, it goes on by itself after so many. */
#define ASK_MILLISECONDS 1000
#define ASIDE_SECONDS	 5

static void complain_aside(struct attachment_module *module, int error)
{
	if (module->complained || error == -ENOENT)
		return;
	module->complained = true;
	log_why(LOG_LEVEL_WARNING, "module",
		"the kernel module cannot be told to leave all sessions to this program: %s; not all is seen that "
		"-v and `follow' tell: write N to `" MODULE_PARAMETERS "/fast'",
		strerror(-error));
}

void attachment_see(struct attachment *attachment, uint64_t now, bool followed)
{
	struct attachment_module *module = &attachment->module;
	const bool logged = log_enabled(LOG_LEVEL_INFO);
	int error;

	if (attachment->options->attach.mode != MODE_KMOD)
		return;
	if (!followed && !logged)
		module->asked = 0;
	if ((!followed && !logged) || (module->asked && now - module->asked < ASK_MILLISECONDS))
		return;
	module->asked = now;
	error = module_write_parameter(module->parameters[ASIDE], ASIDE_SECONDS);
	if (error)
		complain_aside(module, error);
}

static int adopt_module(struct attachment *attachment, struct options *options)
{
	struct attach *attach = &options->attach;
	int error = attach_adopt_module(attach);
	char text[ATTACH_COMPLAINT_MAX], way[MODULE_WAY_MAX];
	const char *complaint = error ? NULL : attach_complaint(attach, text);

	if (error == -ENOENT)
		log_why(LOG_LEVEL_ERROR, "module",
			"the kernel module " MODULE_NAME " is not loaded: %s; or choose another --mode",
			module_way(MODULE_NAME, way));
	else if (error || complaint)
		log_why(LOG_LEVEL_ERROR, "module", "the queues in `" MODULE_PARAMETERS "' cannot be used: %s",
			complaint ? complaint : strerror(-error));
	if (error || complaint)
		return complaint ? -EINVAL : error;
	error = match_layout();
	if (error)
		return error;
	/* While there are rights for it. */
	for (unsigned int i = 0; i < ATTACHMENT_PARAMETERS; i++)
		attachment->module.parameters[i] = module_open_parameter(parameter_names[i]);
	attachment_tell(attachment);
	return 0;
}

static int complain_cthelper(int error)
{
	char way[MODULE_WAY_MAX];

	if (error == -EPERM)
		log_why(LOG_LEVEL_ERROR, "helper",
			"the kernel does not let us at its conntrack helpers: start this as root, or "
			"with CAP_NET_ADMIN in the first user namespace");
	else if (error == -EPROTONOSUPPORT)
		log_why(LOG_LEVEL_ERROR, "helper",
			"the kernel has no helpers of user space (CONFIG_NF_CT_NETLINK_HELPER): %s; --mode queue does "
			"without",
			module_way("nfnetlink_cthelper", way));
	else if (error == -EEXIST)
		log_why(LOG_LEVEL_ERROR, "helper",
			"a kernel module has the conntrack helper `" CTHELPER_NAME "': --mode kmod uses "
			"it, `rmmod " MODULE_NAME "' removes it");
	else if (error == -EBUSY)
		log_why(LOG_LEVEL_ERROR, "helper",
			"another program has a conntrack helper `" CTHELPER_NAME "' of another kind: when no "
			"rule names it, and no connection has it, `nfct helper delete " CTHELPER_NAME " inet "
			"tcp' takes it away, and with inet6 likewise");
	else
		log_why(LOG_LEVEL_ERROR, "helper", "the conntrack helper `" CTHELPER_NAME "' cannot be registered: %s",
			strerror(-error));
	return error;
}

int attachment_open(struct attachment *attachment, struct options *options)
{
	struct attach *attach = &options->attach;
	int error = exchange_open(&attachment->exchange, NETLINK_NETFILTER);

	attachment->options = options;
	attachment->guard = (struct guard){ .act = disable, .context = attachment, .file = -1, .pipe = -1 };
	attachment->users = -1;
	attachment->module = (struct attachment_module){ .parameters = { -1, -1, -1, -1, -1, -1 } };
	if (error) {
		log_why(LOG_LEVEL_ERROR, "netlink", "the kernel has no netfilter netlink sockets: %s",
			strerror(-error));
		return error;
	}
	if (attach->mode == MODE_KMOD)
		return adopt_module(attachment, options);
	if (attach->mode == MODE_QUEUE)
		return 0;
	error = helper_offered();
	return error ? complain_cthelper(error) : 0;
}

/* ---- other daemons ---- */

void attachment_keep(struct attachment *attachment)
{
	if (attachment->registered)
		guard_keep(&attachment->guard);
}

/* The queue that the helper has now; -1: none. */
static int32_t present_queue(void)
{
	struct helper helper;

	(void)helper_look(&helper);
	return helper.enabled ? helper.queue : -1;
}

static bool queue_suits(const struct attachment *attachment)
{
	const int32_t queue = present_queue();

	return queue < 0 || queue == attachment->options->attach.queues.first;
}

/* Become one of those who use the helper: the first, with an exclusive lock, or one more. Return: 0 or -EBUSY. */
static int join_users(struct attachment *attachment)
{
	char why[STATEFILE_WHY_MAX];
	const int file = statefile_open_lock(USERS_DIRECTORY, USERS_NAME, why);

	if (file < 0) {
		log_why(LOG_LEVEL_WARNING, "helper-shared",
			"the file `" USERS_DIRECTORY "/" USERS_NAME
			"' cannot be opened: %s%s; daemons of other network "
			"namespaces are not seen, and the conntrack helper, which they have in common with this one, "
			"ends with it: make that directory, for this program's user",
			why[0] ? "its directory " : "", why[0] ? why : strerror(-file));
		return 0;
	}
	attachment->users = file;
	for (unsigned int tries = 0; tries < JOIN_TRIES; tries++) {
		if (flock(attachment->users, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return 0;
		if (queue_suits(attachment)) {
			(void)flock(attachment->users, LOCK_SH);
			if (queue_suits(attachment))
				return 0;
			(void)flock(attachment->users, LOCK_UN);
		}
		nanosleep(&(struct timespec){ .tv_nsec = JOIN_WAIT }, NULL);
	}
	log_why(LOG_LEVEL_ERROR, "helper-taken",
		"another nfq-ftp-helper, perhaps of another network namespace, has the conntrack helper "
		"`" CTHELPER_NAME "', with queue %d, and it is the whole machine's: give --queue %d, too, or --mode "
		"queue",
		present_queue(), present_queue());
	return -EBUSY;
}

/* ---- beginning and end ---- */

int attachment_join(struct attachment *attachment)
{
	return attachment->options->attach.mode == MODE_CTHELPER ? join_users(attachment) : 0;
}

int attachment_begin(struct attachment *attachment)
{
	const struct options *options = attachment->options;
	const struct cthelper_policy policy = { .expectations = options->expect_max,
						.seconds = options->expect_timeout };
	int error;

	if (options->attach.mode != MODE_CTHELPER)
		return 0;
	attachment->guard.file = attachment->users;
	error = guard_start(&attachment->guard);
	if (error) {
		log_why(LOG_LEVEL_ERROR, "guard", "no process can be made to guard the conntrack helper: %s",
			strerror(-error));
		return error;
	}
	error = cthelper_register(&attachment->exchange, options->attach.queues.first, &policy);
	if (error)
		return complain_cthelper(error);
	attachment->registered = true;
	if (attachment->users >= 0)
		(void)flock(attachment->users, LOCK_SH);
	return 0;
}

static void unregister(struct attachment *attachment)
{
	int error = cthelper_unregister(&attachment->exchange);

	if (error == -EBUSY)
		log_why(LOG_LEVEL_WARNING, "helper-stays",
			"the conntrack helper `" CTHELPER_NAME "' stays registered, idle: a rule or a "
			"connection still uses it, or rules of iptables-legacy may");
	else if (error)
		log_why(LOG_LEVEL_WARNING, "helper-stays",
			"the conntrack helper `" CTHELPER_NAME "' stays registered, idle: %s", strerror(-error));
}

void attachment_end(struct attachment *attachment)
{
	const int error = attachment->registered ? disable(attachment) : 0;

	if (error == -EUSERS)
		log_why(LOG_LEVEL_NOTICE, "helper-stays",
			"the conntrack helper `" CTHELPER_NAME "' stays active: another network "
			"namespace uses it");
	else if (error)
		log_why(LOG_LEVEL_WARNING, "helper-stays",
			"the conntrack helper `" CTHELPER_NAME "' could not be made idle: %s", strerror(-error));
	else if (attachment->registered && attachment->options->unregister)
		unregister(attachment);
	attachment->registered = false;
	guard_end(&attachment->guard);
}

void attachment_close(struct attachment *attachment)
{
	for (unsigned int i = 0; i < ATTACHMENT_PARAMETERS; i++)
		file_close(&attachment->module.parameters[i]);
	guard_end(&attachment->guard);
	file_close(&attachment->users);
	exchange_close(&attachment->exchange);
}
