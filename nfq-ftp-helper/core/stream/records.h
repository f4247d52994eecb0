/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records - a stream in TLS: its records are skipped, whatever stands in them (core/wire/tls_records.h). Internal to core.
 */
#ifndef CORE_RECORDS_H
#define CORE_RECORDS_H

#include "passage.h"

/* Is the next byte in TLS, or behind it where a record may stand between lines? The run has it. */
bool records_here(const struct passage *passage);

/* A client's line is lost, and here is what a record of TLS begins with: that has begun unseen. */
bool records_lost(const struct passage *passage);

/* Read on in records, or out of them. Return false at the end of the run. */
bool records_read(struct passage *passage);

#endif
