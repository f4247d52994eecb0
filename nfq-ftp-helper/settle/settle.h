/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle - what was not said of how we are attached to the kernel. `rules' and `run' come to the same, and `run' goes by the rules that are
 * there.
 */
#ifndef SETTLE_SETTLE_H
#define SETTLE_SETTLE_H

#include "ruleset/backends.h"
#include "ruleset/findings.h"

#define SETTLE_COMPLAINT_MAX (360 + REQUEST_COMMAND_MAX)

/**
 * settle_rules - for rules that are to be made: mode, mark, and sure queues where the mode uses them
 * @request: completed
 * @complaint: filled in where that is not possible
 *
 * Return: 0; -EINVAL: there are no numbers for sure queues; -ENOENT: the module that the mode is of is not loaded.
 */
int settle_rules(struct request *request, char complaint[SETTLE_COMPLAINT_MAX]);

/* Of this only what needs no look at the machine: the sure queues, where the mode is named. Return: false: there are no numbers for them. */
bool settle_queues(struct attach *attach, char complaint[SETTLE_COMPLAINT_MAX]);

/**
 * settle_run - for a daemon that makes none
 * @attach: completed: by the rules that are there, where no mode was said, else as settle_rules() does
 * @asked: what was asked of rules, besides
 * @complaint: filled in where it does not go with the rules that are there: a sentence that says so, and what to do
 *
 * Return: whether it goes with them, or there are none.
 */
bool settle_run(struct attach *attach, const struct request *asked, char complaint[SETTLE_COMPLAINT_MAX]);

/* What of this place makes a daemon of little use, and is no error: an interface that is not there, a kernel that drops what is changed. */
void settle_doubts(const struct request *asked, void (*tell)(const char *sentence));

/* ---- rules put in place and taken away: `rules' does it, and `run' where it is told `rules = yes' (rules_place.c) ---- */

/* The unit of systemd that has the rules, where there is one. */
#define RULES_UNIT "nfq-ftp-helper-rules.service"

/**
 * settle_place_rules - put them in place, instead of whatever rules of ours are there, also another backend's
 * @request: complete
 * @backend: whose
 *
 * What fails is said on standard error.
 *
 * Return: 0, or a negative errno.
 */
int settle_place_rules(const struct request *request, const struct backend *backend);

/* Take ours away: @named's, or where that is NULL all but @kept's. Return: 0, or a negative errno; what fails is said. */
int settle_take_rules_away(const struct backend *named, const struct backend *kept);

#endif
