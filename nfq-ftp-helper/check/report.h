/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report - the table that `check' prints, and its rows.
 */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "host/attach.h"
#include "ruleset/finding.h"

#include <stdbool.h>

#define CHECK_TEXT_MAX	 400
#define CHECK_REMEDY_MAX FINDING_REMEDY_MAX
#define CHECK_ROWS_MAX	 64

enum check_level {
	CHECK_YES,
	CHECK_NO,
	CHECK_NOTE,    /* neither: worth knowing */
	CHECK_UNKNOWN, /* it could not be found out */
};

/*
 * Why FTP does not work here. The lower, the more likely it is the one reason for all: what comes first keeps what
 * follows from mattering, or from being known.
 */
enum check_cause {
	CAUSE_NONE,
	CAUSE_RIGHTS,	   /* no CAP_NET_ADMIN */
	CAUSE_KERNEL,	   /* no mode can run */
	CAUSE_UNCHANGED,   /* the kernel drops what is changed */
	CAUSE_FTP_HELPER,  /* the kernel's own helper has the connections */
	CAUSE_NOTRACK,	   /* connections are not tracked */
	CAUSE_EARLY,	   /* the helper is assigned before conntrack */
	CAUSE_DNAT_PORT,   /* the port behind destination NAT is another */
	CAUSE_NO_HELPER,   /* no helper is assigned */
	CAUSE_DEAD,	   /* the helper that is assigned has been taken away */
	CAUSE_NOT_QUEUED,  /* packets are not queued */
	CAUSE_DESERTED,	   /* the helper queues packets for nobody */
	CAUSE_QUEUE_TAKEN, /* another program has the queue */
	CAUSE_NO_DAEMON,   /* nobody has */
	CAUSE_SYNPROXY,	   /* packets are renumbered before they come to us */
	CAUSE_LATE,	   /* the helper is assigned behind destination NAT */
	CAUSE_INVALID,	   /* packets are dropped before they come to us */
	CAUSE_MARK,	   /* others use our bit of the connmark */
	CAUSE_RELATED,	   /* data connections are not accepted */
	CAUSE_IPVS,	   /* IPVS hides its connections from conntrack */
	CAUSE_TIMEOUT,	   /* conntrack forgets idle control connections */
	CAUSE_FORWARDING,  /* not a router */
};

struct check_row {
	const char *group; /* the table's part: "kernel", "set-up" */
	const char *name;
	enum check_level level;
	enum check_cause cause;
	char text[CHECK_TEXT_MAX];
	char remedy[CHECK_REMEDY_MAX]; /* a command, where possible; "": there is none, or nothing to mend */
};

struct check_report {
	struct request request; /* what was asked, as it was said */
	const char *group;	/* that rows are added to: a literal */
	unsigned int count;
	struct check_row rows[CHECK_ROWS_MAX];
	bool can[MODES]; /* by enum mode */
	int daemon;	 /* our process that has a queue; 0: none is seen */
};

/**
 * check_add - one more row
 * @report: rows beyond CHECK_ROWS_MAX are left out
 * @name: a literal
 * @format: of its text, in which names of others are made visible (output/visible.h): for terminals, and for JSON, which has UTF-8 only
 *
 * Return: the row, for its cause and remedy.
 */
struct check_row *check_add(struct check_report *report, const char *name, enum check_level level, const char *format,
			    ...) __attribute__((format(printf, 4, 5)));

/* The same with these, where the remedy is a text. */
void check_fault(struct check_report *report, const char *name, enum check_level level, enum check_cause cause,
		 const char *remedy, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* @format: of its remedy. */
void check_mend(struct check_row *row, enum check_cause cause, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The row that names the most important cause; NULL: nothing is wrong. */
const struct check_row *check_first_cause(const struct check_report *report);

#endif
