/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records - a stream in TLS: its records are skipped, whatever stands in them (core/wire/tls_records.h). Internal to core.
 */
#ifndef CORE_RECORDS_H
#define CORE_RECORDS_H

#include "passage.h"

/* The same of a direction that has been in TLS, and of a line that is lost: internal to these two. */
bool records_follow(const struct passage *passage);
bool records_begin_unseen(const struct passage *passage);

/* Is the next byte in TLS, or behind it where a record may stand between lines? The run has it. */
static inline bool records_here(const struct passage *passage)
{
	return passage->turn->session->tls[passage->turn->direction].place != TLS_NONE && records_follow(passage);
}

/* A client's line is lost, and here is what a record of TLS begins with: that has begun unseen. */
static inline bool records_lost(const struct passage *passage)
{
	return passage->stream->line.phase == FTP_PHASE_LOST && records_begin_unseen(passage);
}

/* Read on in records, or out of them. Return false at the end of the run. */
bool records_read(struct passage *passage);

#endif
