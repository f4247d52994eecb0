// SPDX-License-Identifier: GPL-2.0-or-later
#include "confinement.h"

#include "log.h"
#include "statefile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int confinement_find(struct confinement *confinement, const struct options *options, const char *said)
{
	const char *name = options->user;
	int error;

	*confinement = (struct confinement){ 0 };
	if (!name[0]) {
		(void)user_find(&confinement->user, USER_DEFAULT);
		return 0;
	}
	error = user_find(&confinement->user, name);
	if (error == -ENOENT)
		log_why(LOG_LEVEL_ERROR, "user",
			"%s is not possible: there is no such user; `useradd --system NAME' makes one, a number "
			"from 1 to 4294967294 needs none",
			said);
	else if (error == -EPERM)
		log_why(LOG_LEVEL_ERROR, "user",
			"%s is not possible: it is root, whose rights this is to be without: name another, or "
			"none, which is " USER_DEFAULT,
			said);
	else if (error)
		log_why(LOG_LEVEL_ERROR, "user", "%s is not possible: %s", said, strerror(-error));
	return error;
}

int confinement_prepare(struct confinement *confinement, const struct options *options, const char *said)
{
	int error = confinement_find(confinement, options, said);

	if (!error && options->user[0] && geteuid() != 0 && geteuid() != confinement->user.uid) {
		log_why(LOG_LEVEL_ERROR, "user",
			"%s is not possible: this is started as user %u, and only root can become another one", said,
			(unsigned int)geteuid());
		error = -EPERM;
	}
	if (!error && confinement->user.known)
		statefile_set_owner(confinement->user.uid, confinement->user.gid);
	return error;
}

static void tell(const struct confinement *confinement)
{
	const struct isolation *isolation = &confinement->isolation;
	char text[ISOLATION_TEXT_MAX];

	log_line(LOG_LEVEL_NOTICE, "event=isolation what=\"%s\"", confinement_text(confinement, text));
	if (!isolation->user)
		log_why(LOG_LEVEL_WARNING, "stays-root",
			"this stays root's process, with CAP_NET_ADMIN alone, since there is no user `" USER_DEFAULT
			"': root's files are its own%s; `useradd --system " USER_DEFAULT
			"' makes one, --user names another",
			isolation->landlock ? ", though it can write to none" : "");
	if (!isolation->landlock)
		log_why(LOG_LEVEL_WARNING, "no-landlock",
			"this kernel has no Landlock, or it is switched off: this process may write to whatever belongs "
			"to its user; CONFIG_SECURITY_LANDLOCK, and landlock in the kernel's parameter lsm=, give it");
	if (!isolation->calls)
		log_why(LOG_LEVEL_WARNING, "no-seccomp", "this process may make any system call: %s",
			isolation->missing);
}

int confinement_enter(struct confinement *confinement, const struct options *options)
{
	const char *failed;
	int error;

	if (options->no_sandbox) {
		log_why(LOG_LEVEL_WARNING, "no-sandbox",
			"--no-sandbox: this process, which reads what strangers write, keeps all its rights, as user %u; "
			"leave it out where nothing has to be debugged",
			(unsigned int)geteuid());
		return 0;
	}
	error = isolation_enter(&confinement->isolation, &confinement->user, options->state_directory, &failed);
	if (error)
		log_why(LOG_LEVEL_ERROR, "isolation",
			"this process cannot %s: %s; --no-sandbox does without, and keeps all rights", failed,
			strerror(-error));
	else
		tell(confinement);
	return error;
}

const char *confinement_text(const struct confinement *confinement, char text[ISOLATION_TEXT_MAX])
{
	return isolation_text(&confinement->isolation, &confinement->user, text);
}
