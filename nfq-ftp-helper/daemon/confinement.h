/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confinement - isolation, as the daemon is told to have it, and what is said of it.
 */
#ifndef DAEMON_CONFINEMENT_H
#define DAEMON_CONFINEMENT_H

#include "isolation/isolation.h"
#include "options.h"

struct confinement {
	struct user user;
	struct isolation isolation;
};

/**
 * confinement_find - who is the daemon to be, so far as that is the machine's affair and not that of whoever asks?
 * @confinement: filled in
 * @options: as told
 * @said: how a sentence about its user begins, which goes on with "is not possible"
 *
 * Return: 0, or a negative errno.
 */
int confinement_find(struct confinement *confinement, const struct options *options, const char *said);

/**
 * confinement_prepare - who is the daemon to be? Its files are this user's
 * @confinement: filled in
 * @options: as told
 * @said: likewise
 *
 * Call it before files are opened. What is wrong is said, in one sentence; so it is below.
 *
 * Return: 0, or a negative errno.
 */
int confinement_prepare(struct confinement *confinement, const struct options *options, const char *said);

/* Give up what is not needed any more: isolation_enter(). Call it while there is one thread. Return: 0, or a negative errno. */
int confinement_enter(struct confinement *confinement, const struct options *options);

/* What is in force, for a status. Return: @text. */
const char *confinement_text(const struct confinement *confinement, char text[ISOLATION_TEXT_MAX]);

#endif
