// SPDX-License-Identifier: GPL-2.0-or-later
#include "isolation.h"

#include "calls.h"
#include "capabilities.h"
#include "host/rights.h"
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What the stages are about. */
struct stage_context {
	struct isolation *isolation;
	const struct user *user;
	int directory;
};

/* Stage 3. Bounds can be set as root only, so that of stage 4 is done here. Who is not root stays who it is. */
static int become_user(const struct stage_context *context)
{
	int error = 0;

	capabilities_bound(0);
	if (context->user->known && geteuid() == 0)
		error = user_become(context->user);
	context->isolation->user = !error && geteuid() != 0;
	return error;
}

/*
 * Stage 4. A process that has changed its user is closed to debuggers, and leaves no core: here are passwords. So is it where it has not;
 * but a build with sanitizers looks into itself at its end.
 */
static int keep_net_admin(const struct stage_context *context)
{
	const int error = capabilities_keep(1ull << CAP_NET_ADMIN);

	(void)context;
	if (error)
		return error;
	return prctl(PR_SET_DUMPABLE, calls_missing() != NULL, 0, 0, 0) < 0 ? -errno : 0;
}

/* Stage 5 */
static int forgo_privileges(const struct stage_context *context)
{
	(void)context;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Stage 6 */
static int lock_files(const struct stage_context *context)
{
	const unsigned int version = landlock_version();
	const int error = version ? landlock_enter(version, context->directory) : 0;

	context->isolation->landlock = error ? 0 : version;
	return error;
}

/* Stage 7 */
static int list_calls(const struct stage_context *context)
{
	struct isolation *isolation = context->isolation;
	const int error = calls_enter(&isolation->calls);

	if (error != -ENOTSUP)
		return error;
	isolation->missing = calls_missing() ? calls_missing() : "this kernel has no seccomp";
	return 0;
}

/* In this order: each leaves what the next one takes. */
static const struct {
	int (*enter)(const struct stage_context *context);
	const char *what;
} stages[] = {
	{ become_user, "become another user" },
	{ keep_net_admin, "keep CAP_NET_ADMIN alone" },
	{ forgo_privileges, "forgo new privileges" },
	{ lock_files, "be kept from files (Landlock)" },
	{ list_calls, "be kept to a list of system calls (seccomp)" },
};

static int enter_stages(const struct stage_context *context, const char **failed)
{
	struct rights rights;
	int error = rights_of(getpid(), &rights);

	*failed = "give its rights up, which its threads would keep";
	if (!error && rights.threads != 1)
		error = -EBUSY;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]) && !error; i++) {
		*failed = stages[i].what;
		error = stages[i].enter(context);
	}
	return error;
}

/* The way to the directory may be closed to the user that it becomes. */
int isolation_enter(struct isolation *isolation, const struct user *user, const char *directory, const char **failed)
{
	const int file = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error;

	*isolation = (struct isolation){ 0 };
	*failed = "open its state directory again";
	if (file < 0)
		return -errno;
	error = enter_stages(&(struct stage_context){ isolation, user, file }, failed);
	close(file);
	isolation->entered = !error;
	return error;
}

const char *isolation_text(const struct isolation *isolation, const struct user *user, char text[ISOLATION_TEXT_MAX])
{
	char landlock[32] = "no Landlock", calls[32] = "any system call", who[64] = "";

	if (!isolation->entered) {
		snprintf(text, ISOLATION_TEXT_MAX, "none");
		return text;
	}
	if (isolation->landlock)
		snprintf(landlock, sizeof(landlock), "Landlock %u", isolation->landlock);
	if (isolation->calls)
		snprintf(calls, sizeof(calls), "%u system calls", isolation->calls);
	if (user->known && user->name[0] && user->uid == geteuid())
		snprintf(who, sizeof(who), " (%s)", user->name);
	snprintf(text, ISOLATION_TEXT_MAX, "user %u%s, CAP_NET_ADMIN alone, no new privileges, %s, %s",
		 (unsigned int)geteuid(), who, landlock, calls);
	return text;
}
