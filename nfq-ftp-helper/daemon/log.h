/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - lines on standard error. No timestamps: whoever collects the lines has a clock. Where that is systemd's journal each line begins with
 * its priority, else with this program's name. Whatever of others stands in one: it is one line, and no terminal obeys it (output/visible.h).
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,   /* the program ends, or cannot do what it was started for */
	LOG_LEVEL_WARNING, /* a refusal, a limit */
	LOG_LEVEL_NOTICE,  /* start, stop */
	LOG_LEVEL_INFO,	   /* what was done; -v */
	LOG_LEVEL_DEBUG,   /* -v -v */
};

/* Lines above this level are not written. LOG_LEVEL_NOTICE at first. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* From here on lines wait for log_start(), which a process that still has rights to give up calls later: rights are a thread's own. */
void log_hold(void);

/*
 * From here on lines are written by a thread of its own, and log_line() never waits: what is said faster than it is read is
 * lost, and how much is said then. Return: 0, or a negative errno.
 */
int log_start(void);

/* Write what is left, for so long at most. Call it when nobody else logs any more; the process is about to end. */
void log_stop(unsigned int milliseconds);

/* In a child process of fork(), which has no such thread: lines are written at once, and may block. */
void log_forked(void);

/* One line, "event=WHAT key=value ...". Written by one system call, so that the lines of several threads do not mix. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One that says why, and what to do, in a sentence: event=@event why="SENTENCE", whatever stands in it. */
void log_why(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define LOG_VALUE_MAX 300

/* A path or the like as the value of a key: in quotes where it would not be one word. Return: @buffer. */
const char *log_value(const char *text, char buffer[LOG_VALUE_MAX]);

/* How many lines of a kind may be written in a second; zeroed at first. Its owner is one thread. */
struct log_limit {
	uint64_t second;
	uint32_t written;
	uint32_t suppressed;
};

/**
 * log_allowed - may one more line of this kind be written?
 * @limit: of this kind
 * @now: milliseconds
 * @per_second: how many may
 */
bool log_allowed(struct log_limit *limit, uint64_t now, uint32_t per_second);

/* Say how many lines were not written, once their second is over. @what: "refusals". */
void log_settle(struct log_limit *limit, uint64_t now, enum log_level level, const char *what);

#endif
