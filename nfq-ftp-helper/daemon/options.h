/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - what the daemon is told, by whoever starts it: `run' has it from command/option.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "core/session/session.h"
#include "host/attach.h"
#include "isolation/user.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_PATH_MAX	256
#define OPTIONS_GROUP_MAX	33
#define OPTIONS_STATE_DIRECTORY "/run/nfq-ftp-helper"

struct options {
	struct attach attach;
	bool unregister;	 /* at the end, mode cthelper */
	uint32_t expect_max;	 /* expectations of a connection, mode cthelper */
	uint32_t expect_timeout; /* seconds */
	struct policy policy;
	uint32_t sessions; /* per queue */
	uint32_t queue_length;
	uint32_t receive_buffer;
	char state_directory[OPTIONS_PATH_MAX];
	char group[OPTIONS_GROUP_MAX]; /* who may ask besides root; "": nobody */
	char user[USER_NAME_MAX];      /* that it becomes; "": USER_DEFAULT, where there is one */
	bool no_sandbox;	       /* it keeps all its rights */
};

/* What holds where nothing is said. */
void options_default(struct options *options);

#endif
