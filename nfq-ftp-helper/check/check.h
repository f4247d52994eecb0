/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check - what this machine offers, what is missing, and how to get it: each part of the table is a file of this name.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "report.h"
#include "ruleset/findings.h"

void check_rights(struct check_report *report);

/* What the kernel can, and so which modes can run: @report->can is filled in. */
void check_kernel(struct check_report *report);

/* What is set up on this host now. */
void check_setup(struct check_report *report);

/* What the daemon that was found may do. */
void check_isolation(struct check_report *report);

/* What else on this host touches FTP's packets. @findings: NULL: the rules are not known */
void check_surroundings(struct check_report *report, const struct findings *findings);

/* For people, and for programs. */
void check_print(const struct check_report *report);
void check_print_json(const struct check_report *report);

#endif
