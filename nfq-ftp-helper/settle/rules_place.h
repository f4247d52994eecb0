/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_place - rules put in place and taken away: `rules' does it, and `run' where it is told `rules = yes'.
 */
#ifndef SETTLE_RULES_PLACE_H
#define SETTLE_RULES_PLACE_H

#include "ruleset/backends.h"

/* The unit of systemd that has the rules, where there is one. */
#define RULES_UNIT "nfq-ftp-helper-rules.service"

/**
 * rules_place - put them in place, instead of whatever rules of ours are there, also another backend's
 * @request: complete
 * @backend: whose
 *
 * What fails is said on standard error.
 *
 * Return: 0, or a negative errno.
 */
int rules_place(const struct request *request, const struct backend *backend);

/* Take ours away: @named's, or where that is NULL all but @kept's. Return: 0, or a negative errno; what fails is said. */
int rules_take_away(const struct backend *named, const struct backend *kept);

#endif
