/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay_survey - what a capture's first reading tells the second, which is the replay.
 *
 * Whose checksums are of no use: a host's packets to another, of which more than three in four have a wrong one, have been changed after they
 * were sent (anonymised), or captured before the network card filled them in; a packet that was damaged on its way is one of few.
 * Where hosts have said too little to tell, it is looked at what all in the capture say together. And who has a control connection
 * with whom: what else there is between these two may be a data connection that nobody announced; what is between others, and has not been
 * announced either, has nothing to do with FTP.
 */
#ifndef TOOLS_REPLAY_SURVEY_H
#define TOOLS_REPLAY_SURVEY_H

#include "capture/segment.h"
#include "command/option.h"
#include "core/engine/report.h"

struct replay_survey;

/* @nats: borrowed. NULL: no memory. */
struct replay_survey *replay_survey_new(const struct option_nats *nats);
void replay_survey_free(struct replay_survey *survey);

/* First reading: a packet. @control: it is one of a control connection. Return: 0 or -ENOMEM. */
int replay_survey_take(struct replay_survey *survey, const struct capture_segment *view, bool control);

/* Second reading: what the engine has been told to expect, or has refused to. Where memory is short, it is forgotten. */
void replay_survey_announced(struct replay_survey *survey, const struct report *report);

/* Are the checksums of packets of this one's sender to this one's receiver of no use? */
bool replay_survey_no_checksums(const struct replay_survey *survey, const struct segment *segment);

/* How many TCP packets have a wrong one that is of no use; and how many have any that is right. */
uint64_t replay_survey_useless(const struct replay_survey *survey, uint64_t *right);

/* Has a connection that is none of control, by its ends as the capture has them, to do with one? */
bool replay_survey_related(const struct replay_survey *survey, const struct tuple *connection);

#endif
