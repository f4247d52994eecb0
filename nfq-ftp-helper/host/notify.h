/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify - what whoever started this program as a service wants to hear: that it is ready, how it is, that it lives, that it ends.
 *
 * The protocol is systemd's (sd_notify(3)), which others speak, too: a datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names.
 * libsystemd would bring in more than there is here. Where nobody wants to hear, nothing is said. Nobody waits for whoever listens: what he
 * does not take at once he does not get.
 */
#ifndef HOST_NOTIFY_H
#define HOST_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#define NOTIFY_STATUS_MAX   256
#define NOTIFY_STATUS_PAUSE 5000 /* milliseconds */

struct notify {
	int socket;			/* -1: nobody listens */
	uint64_t watchdog;		/* milliseconds: no longer than this without a sign of life; 0: for ever */
	uint64_t alive_said;		/* when the last one was given */
	uint64_t status_said;		/* likewise */
	char status[NOTIFY_STATUS_MAX]; /* the last one */
};

/* Call it before rights are dropped: later ones only send. */
void notify_open(struct notify *notify);

/* It serves. @status: how, a line. */
void notify_ready(struct notify *notify, const char *status);

/* Said where it is another than before, and no more often than NOTIFY_STATUS_PAUSE. @now: milliseconds. */
void notify_status(struct notify *notify, uint64_t now, const char *status);

/**
 * notify_alive - a sign of life, where one is due
 * @notify: as opened
 * @now: milliseconds
 * @idle: milliseconds since the last sign of whoever does the work: where that is too long ago none is given, and who waits for it acts
 */
void notify_alive(struct notify *notify, uint64_t now, uint64_t idle);

/* It is on its way to its end. */
void notify_stopping(struct notify *notify);

void notify_close(struct notify *notify);

/* Here systemd has a link for each unit that is active, named "invocation:UNIT". */
#define NOTIFY_UNITS "/run/systemd/units"

/* Is this unit of systemd active? @directory: NOTIFY_UNITS. */
bool notify_unit_is_active(const char *directory, const char *unit);

#endif
