// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   load server PORT SIZE
 *   load client ADDRESS PORT SESSIONS TRANSFERS SECONDS [SOURCE SOURCES]
 *
 * Sessions come from SOURCES addresses of the client's in turn, of which SOURCE is the first: NFQUEUE spreads connections over several
 * queues by the addresses of their ends alone.
 *
 * The client prints one line: transfers, seconds, failures, and of the time from PORT to the end of the transfer the
 * median, the 99th percentile and the longest, in microseconds.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS	64
#define WARM_UP 0.2

void load_fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

void load_watch(int epoll, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		load_fail("epoll");
}

void load_unwatch(struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

void load_dispatch(int epoll, int milliseconds)
{
	struct epoll_event events[EVENTS];
	const int count = epoll_wait(epoll, events, EVENTS, milliseconds);

	if (count < 0 && errno != EINTR)
		load_fail("epoll");
	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		if (watch->fd >= 0) /* not closed by an event before */
			watch->ready(watch, events[i].events);
	}
}

bool load_say(int fd, const char *text)
{
	const size_t length = strlen(text);

	return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

bool load_hear(struct watch *watch, struct lines *lines, bool (*line)(struct watch *watch, char *text))
{
	const ssize_t got = recv(watch->fd, lines->text + lines->length, sizeof(lines->text) - lines->length, 0);
	char *text = lines->text, *end;

	if (got < 0)
		return errno == EAGAIN;
	if (got == 0)
		return false;
	lines->length += (size_t)got;
	while ((end = memchr(text, '\n', lines->length)) != NULL) {
		const size_t length = (size_t)(end + 1 - text);

		*end = '\0';
		if (!line(watch, text))
			return true;
		text += length;
		lines->length -= length;
	}
	memmove(lines->text, text, lines->length);
	return lines->length < sizeof(lines->text);
}

void load_tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int usage(void)
{
	fputs("Usage: load server PORT SIZE | load client ADDRESS PORT SESSIONS TRANSFERS SECONDS [SOURCE SOURCES]\n",
	      stderr);
	return 2;
}

/* The number that @text is, from 1 to @most; 0 where it is none. */
static unsigned long number(const char *text, unsigned long most)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && value <= most ? value : 0;
}

int main(int argc, char **argv)
{
	struct client_options options = { .server.sin_family = AF_INET, .warm_up = WARM_UP };

	if (argc == 4 && strcmp(argv[1], "server") == 0)
		return load_server((uint16_t)number(argv[2], UINT16_MAX), number(argv[3], SIZE_MAX));
	if ((argc != 7 && argc != 9) || strcmp(argv[1], "client") != 0 ||
	    inet_pton(AF_INET, argv[2], &options.server.sin_addr) != 1)
		return usage();
	options.server.sin_port = htons((uint16_t)number(argv[3], UINT16_MAX));
	options.sessions = (unsigned int)number(argv[4], UINT32_MAX);
	options.transfers = (unsigned int)number(argv[5], UINT32_MAX);
	options.seconds = strtod(argv[6], NULL);
	if (argc == 9) {
		options.sources = (unsigned int)number(argv[8], UINT8_MAX);
		if (inet_pton(AF_INET, argv[7], &options.source) != 1 || !options.sources)
			return usage();
	}
	if (!options.sessions || !options.transfers || options.seconds <= 0)
		return usage();
	return load_client(&options);
}
