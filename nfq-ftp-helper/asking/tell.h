/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell - answers for people: a teller each, for client.h. Tables of at most 100 columns.
 */
#ifndef ASKING_TELL_H
#define ASKING_TELL_H

#include "client.h"

bool tell_status(struct telling *telling, const json_t *line);
bool tell_event(struct telling *telling, const json_t *line);

/* Metrics as OpenMetrics has them, and in the older format of Prometheus. */
bool tell_metric(struct telling *telling, const json_t *line);
void tell_metrics_end(struct telling *telling);
bool tell_older_metric(struct telling *telling, const json_t *line);

/* For tables: lines are kept, and told at the end. */
bool tell_kept(struct telling *telling, const json_t *line);
bool tell_kept_all(struct telling *telling, const json_t *line); /* the first, too */
void tell_sessions_end(struct telling *telling);
void tell_expectations_end(struct telling *telling);

/* A member's number; 0 where there is none, or one that is no time and no count: integers are made of it. */
double tell_number(const json_t *object, const char *name);

/* The same, whole, and 0 where it is not within these. */
int64_t tell_integer(const json_t *object, const char *name, int64_t least, int64_t most);

#define TELL_SPAN_MAX 24

/* "3d 4h", "5m 6s": a time that has passed. Return: @text. */
const char *tell_span(double seconds, char text[TELL_SPAN_MAX]);

/* The same of a member; "-" where that is no number. */
const char *tell_span_of(const json_t *object, const char *name, char text[TELL_SPAN_MAX]);

#define TELL_PART_MAX 64

/* One line of a table, of parts that are padded already; what goes beyond SAY_WIDTH goes on in another line. Each part is the caller's. */
void tell_row(FILE *out, char parts[][TELL_PART_MAX], size_t count);

#endif
