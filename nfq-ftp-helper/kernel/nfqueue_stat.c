// SPDX-License-Identifier: GPL-2.0-or-later
#include "nfqueue_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Columns; copy mode and range stand between, the last packet's id and a 1 behind. */
enum { QUEUE_NUMBER = 0, QUEUE_PORT = 1, QUEUE_WAITING = 2, QUEUE_FULL = 5, QUEUE_UNSENT = 6, COLUMNS = 7 };

int nfqueue_stat_open(void)
{
	const int file = open(NFQUEUE_STAT_TABLE, O_RDONLY | O_CLOEXEC);

	return file < 0 ? -errno : file;
}

const char *nfqueue_stat_complaint(int error)
{
	switch (-error) {
	case EACCES:
		return "what the kernel drops cannot be seen: `" NFQUEUE_STAT_TABLE
		       "' is root's; begin as root and go on as --user, or `chgrp' it to this program's group before, as the unit does";
	case ENOENT:
		return "what the kernel drops cannot be seen: there is no `" NFQUEUE_STAT_TABLE "'";
	default:
		return "what the kernel drops cannot be seen: `" NFQUEUE_STAT_TABLE "' cannot be opened";
	}
}

bool nfqueue_stat_parse(const char *line, uint16_t queue, struct nfqueue_stat *stat)
{
	unsigned long column[COLUMNS];

	for (unsigned int i = 0; i < COLUMNS; i++) {
		char *end;

		column[i] = strtoul(line, &end, 10);
		if (end == line || strcspn(line, "\n") < (size_t)(end - line))
			return false;
		line = end;
	}
	if (column[QUEUE_NUMBER] != queue)
		return false;
	*stat = (struct nfqueue_stat){ .port = (uint32_t)column[QUEUE_PORT],
				       .waiting = (uint32_t)column[QUEUE_WAITING],
				       .full = (uint32_t)column[QUEUE_FULL],
				       .unsent = (uint32_t)column[QUEUE_UNSENT] };
	return true;
}

/* The table is read in whole lines, so that none is cut. */
int nfqueue_stat_read(int file, uint16_t queue, struct nfqueue_stat *stat)
{
	char text[4096];
	off_t offset = 0;

	for (;;) {
		ssize_t length = pread(file, text, sizeof(text) - 1, offset);
		char *line = text, *end;

		if (length <= 0)
			return length < 0 ? -errno : -ENOENT;
		text[length] = '\0';
		for (end = strchr(line, '\n'); end; line = end + 1, end = strchr(line, '\n')) {
			if (nfqueue_stat_parse(line, queue, stat))
				return 0;
		}
		if (line == text)
			return -ENOENT;
		offset += line - text;
	}
}
