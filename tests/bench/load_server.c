// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server: every file has the same content, which is in memory. A data connection comes from any port, as RFC 959
 * does not allow but firewalls have to live with.
 */
#include "core/wire/endpoint.h"
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct visitor {
	struct watch control; /* first */
	struct watch data;
	struct lines lines;
	struct sockaddr_in announced;
	size_t sent; /* bytes of the file */
	struct visitor *gone_next;
};

static int epoll;
static struct visitor *gone; /* of whom an event may still be waiting in load_dispatch() */
static char *content;
static size_t content_size;

static struct visitor *visitor_of_data(struct watch *watch)
{
	return (struct visitor *)(void *)((char *)watch - offsetof(struct visitor, data));
}

static void leave(struct visitor *visitor)
{
	load_unwatch(&visitor->data);
	load_unwatch(&visitor->control);
	visitor->gone_next = gone;
	gone = visitor;
}

static void forget_gone(void)
{
	while (gone) {
		struct visitor *next = gone->gone_next;

		free(gone);
		gone = next;
	}
}

/* The data connection takes more of the file, or has failed. */
static void data_ready(struct watch *watch, uint32_t events)
{
	struct visitor *visitor = visitor_of_data(watch);
	ssize_t taken = -1;

	if (!(events & EPOLLERR))
		taken = send(watch->fd, content + visitor->sent, content_size - visitor->sent, MSG_NOSIGNAL);
	if (taken >= 0)
		visitor->sent += (size_t)taken;
	if (taken >= 0 && visitor->sent < content_size)
		return;
	load_unwatch(watch);
	load_say(visitor->control.fd,
		 taken >= 0 ? "226 Transfer complete.\r\n" : "425 Cannot open the data connection.\r\n");
}

static void begin_transfer(struct visitor *visitor)
{
	const struct sockaddr *address = (const struct sockaddr *)&visitor->announced;

	load_unwatch(&visitor->data);
	visitor->sent = 0;
	visitor->data = (struct watch){ data_ready, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	if (visitor->data.fd < 0)
		load_fail("socket");
	load_say(visitor->control.fd, "150 Opening data connection.\r\n");
	if (connect(visitor->data.fd, address, sizeof(visitor->announced)) < 0 && errno != EINPROGRESS) {
		load_unwatch(&visitor->data);
		load_say(visitor->control.fd, "425 Cannot open the data connection.\r\n");
		return;
	}
	load_watch(epoll, &visitor->data, EPOLLOUT);
}

static bool parse_port(struct visitor *visitor, const char *text)
{
	const char *argument = text + strlen("PORT ");
	struct endpoint announced;
	char delimiter;

	if (endpoint_parse(NOTATION_HOST_PORT, argument, strlen(argument), &announced, &delimiter) <= 0)
		return false;
	visitor->announced = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(announced.port) };
	memcpy(&visitor->announced.sin_addr, announced.address, 4);
	return true;
}

static bool command(struct watch *watch, char *text)
{
	struct visitor *visitor = (struct visitor *)watch;

	if (strncmp(text, "PORT ", 5) == 0)
		load_say(watch->fd, parse_port(visitor, text) ? "200 PORT command successful.\r\n" : "501 Bad.\r\n");
	else if (strncmp(text, "RETR ", 5) == 0)
		begin_transfer(visitor);
	else if (strncmp(text, "USER ", 5) == 0)
		load_say(watch->fd, "331 Please specify the password.\r\n");
	else if (strncmp(text, "PASS ", 5) == 0)
		load_say(watch->fd, "230 Login successful.\r\n");
	else if (strncmp(text, "QUIT", 4) == 0)
		load_say(watch->fd, "221 Goodbye.\r\n");
	else
		load_say(watch->fd, "502 Command not implemented.\r\n");
	return true;
}

static void control_ready(struct watch *watch, uint32_t events)
{
	struct visitor *visitor = (struct visitor *)watch;

	(void)events;
	if (!load_hear(watch, &visitor->lines, command))
		leave(visitor);
}

static void welcome(struct watch *watch, uint32_t events)
{
	struct visitor *visitor;
	int fd;

	(void)events;
	while ((fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		visitor = calloc(1, sizeof(*visitor));
		if (!visitor)
			load_fail("memory");
		load_tune(fd);
		visitor->control = (struct watch){ control_ready, fd };
		visitor->data.fd = -1;
		load_watch(epoll, &visitor->control, EPOLLIN);
		load_say(fd, "220 Welcome.\r\n");
	}
}

int load_server(uint16_t port, size_t size)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct watch listener = { welcome, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	int on = 1;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	content_size = size;
	content = calloc(1, size + 1);
	if (listener.fd < 0 || epoll < 0 || !content)
		load_fail("server");
	setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener.fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener.fd, 1024) < 0)
		load_fail("port");
	load_watch(epoll, &listener, EPOLLIN);
	for (;;) {
		load_dispatch(epoll, -1);
		forget_gone();
	}
}
