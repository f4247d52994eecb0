// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#define DEFAULT_SESSIONS 65536u
/*
 * A second and a half of an attack with 10,000 packets a second, gone through in a seventh of a second once the daemon
 * is scheduled again. A packet takes 830 bytes of the buffer, a full-sized one 2300 (6.18).
 */
#define DEFAULT_QUEUE_LENGTH   16384u
#define DEFAULT_RECEIVE_BUFFER (32u << 20)

void options_default(struct options *options)
{
	*options = (struct options){
		.attach = attach_default,
		.expect_max = ANNOUNCEMENTS_MAX,
		.expect_timeout = FTP_EXPECTED_SECONDS,
		.policy = policy_default,
		.sessions = DEFAULT_SESSIONS,
		.queue_length = DEFAULT_QUEUE_LENGTH,
		.receive_buffer = DEFAULT_RECEIVE_BUFFER,
		.state_directory = OPTIONS_STATE_DIRECTORY,
	};
}
