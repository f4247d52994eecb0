/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan_lines - what lines mean to the scan: dialogue.c's meaning of them, as far as the scan has to know it. Internal to scan.
 */
#ifndef CORE_WIRE_SCAN_LINES_H
#define CORE_WIRE_SCAN_LINES_H

#include "scan_own.h"

/* Is nothing of interest unanswered, and can a note say what is? */
bool scan_is_quiet(const struct scan *scan);

/* Has it been shown that this is FTP? */
bool scan_is_trusted(const struct scan *scan);

/* May it pass although that has not been shown yet? It is the beginning of a session that is left to the caller, and goes by the book. */
bool scan_is_early(const struct scan *scan, const struct scan_segment *segment);

/* Some of a segment's new bytes, in order. */
void scan_lines_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length);

#endif
