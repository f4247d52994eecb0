/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey - what a capture's first reading tells the second, which plays it back.
 *
 * Whose checksums are of no use: a host's packets to another, of which more than three in four have a wrong one, have been changed after they
 * were sent (anonymised), or captured before the network card filled them in; a packet that was damaged on its way is one of few.
 * Where hosts have said too little to tell, it is looked at what all in the capture say together. And who has a control connection
 * with whom: what else there is between these two may be a data connection that nobody announced; what is between others, and has not been
 * announced either, has nothing to do with FTP.
 */
#ifndef PLAYBACK_SURVEY_H
#define PLAYBACK_SURVEY_H

#include "capture/segment.h"
#include "core/engine/report.h"
#include "settings.h"

struct survey;

/* @nat: borrowed. NULL: no memory. */
struct survey *survey_new(const struct nat *nat);
void survey_free(struct survey *survey);

/* First reading: a packet. @control: it is one of a control connection. Return: 0 or -ENOMEM. */
int survey_take(struct survey *survey, const struct capture_segment *view, bool control);

/* Second reading: what the engine has been told to expect, or has refused to. Where memory is short, it is forgotten. */
void survey_announced(struct survey *survey, const struct report *report);

/* Are the checksums of packets of this one's sender to this one's receiver of no use? */
bool survey_no_checksums(const struct survey *survey, const struct segment *segment);

/* How many TCP packets have a wrong one that is of no use; and how many have any that is right. */
uint64_t survey_useless(const struct survey *survey, uint64_t *right);

/* Has a connection that is none of control, by its ends as the capture has them, to do with one? */
bool survey_related(const struct survey *survey, const struct tuple *connection);

#endif
