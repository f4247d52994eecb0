/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LENGTH 1024
#define PREFIX "nfq-ftp-helper: "

static enum log_level log_level = LOG_LEVEL_NOTICE;

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_enabled(enum log_level level)
{
	return level <= log_level;
}

static void __attribute__((format(printf, 1, 0))) write_line(const char *format, va_list arguments)
{
	const size_t prefix = strlen(PREFIX);
	char line[LINE_MAX_LENGTH] = PREFIX;
	size_t length;

	if (vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, arguments) < 0)
		return;
	length = strlen(line);
	line[length++] = '\n';
	/* Where nobody reads standard error there is nobody to be told. */
	if (write(STDERR_FILENO, line, length) < 0)
		return;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (log_enabled(level))
		write_line(format, arguments);
	va_end(arguments);
}

bool log_allowed(struct log_limit *limit, uint64_t now, uint32_t per_second)
{
	if (now / 1000 != limit->second) {
		limit->second = now / 1000;
		limit->written = 0;
	}
	if (limit->written < per_second) {
		limit->written++;
		return true;
	}
	limit->suppressed++;
	return false;
}

void log_settle(struct log_limit *limit, uint64_t now, enum log_level level, const char *what)
{
	if (!limit->suppressed || now / 1000 == limit->second)
		return;
	log_line(level, "%u more %s in that second", limit->suppressed, what);
	limit->suppressed = 0;
}
